"""Answers an invitation as a citizen's calendar program does (iMIP, RFC 6047).

Usage: answer_invitation.py WHAT < invitation.eml > answer.eml
WHAT is ACCEPTED, TENTATIVE, DECLINED, or COUNTER to propose the same day an hour later.
The answer goes to the organizer, and nothing is used that does not stand in the invitation.
"""

import sys
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage

import icalendar

what = sys.argv[1]
mail = message_from_bytes(sys.stdin.buffer.read(), policy=policy.default)
part = next(part for part in mail.walk() if part.get_content_type() == "text/calendar")
assert part.get_content_charset() == "utf-8", part["Content-Type"]
invitation = icalendar.Calendar.from_ical(part.get_payload(decode=True))
assert part["Content-Type"].params["method"] == invitation["METHOD"] == "REQUEST"
(event,) = invitation.walk("VEVENT")
attendee, organizer = event["ATTENDEE"], event["ORGANIZER"]
assert attendee.params["RSVP"] == "TRUE"
attendee.params["PARTSTAT"] = "TENTATIVE" if what == "COUNTER" else what
del attendee.params["RSVP"]

answer = icalendar.Calendar()
answer.add("PRODID", "-//A Citizen//Calendar//EN")
answer.add("VERSION", "2.0")
answer.add("METHOD", "COUNTER" if what == "COUNTER" else "REPLY")
reply = icalendar.Event()
for name in ["UID", "SEQUENCE", "SUMMARY"]:
    reply[name] = event[name]
later = timedelta(hours=1 if what == "COUNTER" else 0)
for name in ["DTSTART", "DTEND"]:
    reply.add(name, (event[name].dt + later).astimezone(timezone.utc))
reply.add("DTSTAMP", datetime.now(timezone.utc))
reply.add("ATTENDEE", attendee)
reply.add("ORGANIZER", organizer)
answer.add_component(reply)

out = EmailMessage(policy=policy.SMTP)
out["From"] = mail["To"]
out["To"] = str(organizer).removeprefix("mailto:")
out["Subject"] = f"{what}: {event['SUMMARY']}"
out.set_content(f"{attendee.params['CN']}: {what}")
out.add_alternative(answer.to_ical(), "text", "calendar", params={"method": str(answer["METHOD"]), "charset": "utf-8"})
sys.stdout.buffer.write(out.as_bytes())
