"""Reads calendar files with two libraries that are not ours, and prints what each understood as JSON.

Usage: read_calendar.py FILE...
Prints a list with one entry a file: {"icalendar": [event...], "vobject": [event...]}.
Every value is in one form, so that the two can be compared: instants in UTC, texts as text.
"""

import json
import sys
from datetime import datetime, timezone

import icalendar
import vobject


def utc(moment: datetime) -> str:
    assert moment.tzinfo is not None, f"{moment} has no zone"
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def mail(value: str) -> str:
    assert value.startswith("mailto:"), value
    return value.removeprefix("mailto:")


def minutes(delta) -> int:
    return int(delta.total_seconds() // 60)


def by_icalendar(text: bytes) -> list[dict]:
    calendar = icalendar.Calendar.from_ical(text)
    # The zones as the file defines them, not as this machine knows them by name.
    zones = {str(zone["TZID"]): zone.to_tz(lookup_tzid=False) for zone in calendar.walk("VTIMEZONE")}

    def instant(prop) -> str:
        zone = prop.params.get("TZID")
        if zone is None:
            return utc(prop.dt)
        by_file = prop.dt.replace(tzinfo=None).replace(tzinfo=zones[zone])
        assert utc(by_file) == utc(prop.dt), f"{zone}: {utc(by_file)} by the file, {utc(prop.dt)} by name"
        return utc(by_file)

    def person(prop) -> dict:
        return {"mail": mail(str(prop)), "name": prop.params.get("CN", "")}

    def attendee(prop) -> dict:
        return person(prop) | {
            "participation": prop.params["PARTSTAT"],
            "rsvp": prop.params["RSVP"],
            "kind": prop.params["CUTYPE"],
        }

    def event(component) -> dict:
        assert not component.errors, component.errors
        attendees = component.get("ATTENDEE", [])
        attendees = attendees if isinstance(attendees, list) else [attendees]
        return {
            "method": str(calendar["METHOD"]),
            "uid": str(component["UID"]),
            "sequence": int(component["SEQUENCE"]),
            "stamp": utc(component["DTSTAMP"].dt),
            "start": instant(component["DTSTART"]),
            "end": instant(component["DTEND"]),
            "summary": str(component["SUMMARY"]),
            "description": str(component["DESCRIPTION"]),
            "location": str(component["LOCATION"]),
            "url": str(component["URL"]),
            "conference": str(component["CONFERENCE"]),
            "conference_label": component["CONFERENCE"].params["LABEL"],
            "status": str(component["STATUS"]),
            "transparency": str(component["TRANSP"]),
            "organizer": person(component["ORGANIZER"]),
            "attendees": [attendee(one) for one in attendees],
            "alarms": [
                {"minutes": minutes(-alarm["TRIGGER"].dt), "text": str(alarm["DESCRIPTION"])}
                for alarm in component.walk("VALARM")
            ],
        }

    return [event(component) for component in calendar.walk("VEVENT")]


def by_vobject(text: bytes) -> list[dict]:
    calendar = vobject.readOne(text.decode())

    def parameter(line, name: str) -> str:
        return line.params.get(name, [""])[0]

    def person(line) -> dict:
        return {"mail": mail(line.value), "name": parameter(line, "CN")}

    def attendee(line) -> dict:
        return person(line) | {
            "participation": parameter(line, "PARTSTAT"),
            "rsvp": parameter(line, "RSVP"),
            "kind": parameter(line, "CUTYPE"),
        }

    def event(component) -> dict:
        return {
            "method": calendar.method.value,
            "uid": component.uid.value,
            "sequence": int(component.sequence.value),
            "stamp": utc(component.dtstamp.value),
            "start": utc(component.dtstart.value),
            "end": utc(component.dtend.value),
            "summary": component.summary.value,
            "description": component.description.value,
            "location": component.location.value,
            "url": component.url.value,
            "conference": component.conference.value,
            "conference_label": parameter(component.conference, "LABEL"),
            "status": component.status.value,
            "transparency": component.transp.value,
            "organizer": person(component.organizer),
            "attendees": [attendee(line) for line in component.contents.get("attendee", [])],
            "alarms": [
                {"minutes": minutes(-alarm.trigger.value), "text": alarm.description.value}
                for alarm in component.contents.get("valarm", [])
            ],
        }

    return [event(component) for component in calendar.contents.get("vevent", [])]


def read(path: str) -> dict:
    with open(path, "rb") as file:
        text = file.read()
    return {"icalendar": by_icalendar(text), "vobject": by_vobject(text)}


json.dump([read(path) for path in sys.argv[1:]], sys.stdout)
