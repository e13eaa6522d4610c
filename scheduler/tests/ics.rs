//! Invitations out, answers and busy times in.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail like tests"
)]

use jiff::{SignedDuration, Timestamp, ToSpan, civil::date, tz::TimeZone};
use proptest::prelude::*;
use scheduler::{
    ics::{
        Alarm, Answer, Appointment, Attendee, Component, Flaw, Invitation, Method, NotCounted,
        Participation, Person, ReadError, Response, WriteError, check, feed, message, read_busy,
        uid,
    },
    slots::Span,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn appointment() -> Appointment {
    Appointment {
        uid: uid(*b"0123456789abcdef", "stadt.example"),
        sequence: 0,
        stamp: at("2026-11-23T10:00:00Z"),
        start: at("2026-12-07T08:00:00Z"),
        end: at("2026-12-07T08:20:00Z"),
        cancelled: false,
        organizer: Person::new("Gewerbemeldestelle", "gewerbe@stadt.example"),
        attendees: vec![Attendee {
            person: Person::new("Ada \"Countess\" Lovelace, Großstadt; 1. OG", "ada@post.example"),
            participation: Participation::NeedsAction,
            rsvp: true,
        }],
        summary: "Gewerbe anmelden; Termin, online".to_owned(),
        description: "Bitte halten Sie bereit:\n- Personalausweis\n- \\Vollmacht\\".to_owned(),
        location: String::new(),
        link: "https://vorzimmer.stadt.example/termin/AbCdEf0123456789AbCdEf0123456789AbCdEf0123456789".to_owned(),
        link_label: "Zum Gespräch: Gewerbemeldestelle".to_owned(),
        alarms: vec![Alarm {
            before: SignedDuration::from_mins(15),
            text: "Ihr Termin beginnt gleich.".to_owned(),
        }],
    }
}

fn event(text: &str) -> Component {
    let calendar = Component::read(text).unwrap();
    calendar
        .children
        .into_iter()
        .find(|child| child.name == "VEVENT")
        .unwrap()
}

fn of(event: &Component, name: &str) -> String {
    event
        .first(name)
        .unwrap_or_else(|| panic!("no {name}"))
        .text()
}

#[test]
fn an_invitation_says_everything_and_the_link_three_times() {
    let appointment = appointment();
    let text = message(&appointment, Method::Request, &berlin()).unwrap();
    assert!(text.contains("METHOD:REQUEST\r\n"));
    let event = event(&text);
    assert_eq!(
        of(&event, "UID"),
        "30313233343536373839616263646566@stadt.example"
    );
    assert_eq!(of(&event, "SEQUENCE"), "0");
    assert_eq!(of(&event, "DTSTAMP"), "20261123T100000Z");
    let start = event.first("DTSTART").unwrap();
    assert_eq!(
        (start.parameter("TZID"), &*start.value),
        (Some("Europe/Berlin"), "20261207T090000")
    );
    assert_eq!(of(&event, "SUMMARY"), "Gewerbe anmelden; Termin, online");
    assert_eq!(of(&event, "LOCATION"), appointment.link);
    assert_eq!(
        of(&event, "DESCRIPTION"),
        format!("{}\n\n{}", appointment.description, appointment.link)
    );
    let conference = event.first("CONFERENCE").unwrap();
    assert_eq!(conference.value, appointment.link);
    assert_eq!(conference.parameter("VALUE"), Some("URI"));
    assert_eq!(
        conference.parameter("LABEL"),
        Some("Zum Gespräch: Gewerbemeldestelle")
    );
    let attendee = event.first("ATTENDEE").unwrap();
    assert_eq!(attendee.value, "mailto:ada@post.example");
    assert_eq!(
        attendee.parameter("CN"),
        Some("Ada 'Countess' Lovelace, Großstadt; 1. OG")
    );
    assert_eq!(attendee.parameter("RSVP"), Some("TRUE"));
    assert_eq!(attendee.parameter("PARTSTAT"), Some("NEEDS-ACTION"));
    assert_eq!(of(&event, "STATUS"), "CONFIRMED");
    assert_eq!(of(&event.children[0], "TRIGGER"), "-PT15M");
}

#[test]
fn the_zone_is_written_as_its_rule() {
    let text = message(&appointment(), Method::Request, &berlin()).unwrap();
    let calendar = Component::read(&text).unwrap();
    let zone = &calendar.children[0];
    let lines = |component: &Component| {
        let line = |line: &scheduler::ics::Line| format!("{}:{}", line.name, line.value);
        component.lines.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(zone.name, "VTIMEZONE");
    assert_eq!(
        lines(&zone.children[0]),
        [
            "DTSTART:20251026T030000",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
            "TZOFFSETFROM:+0200",
            "TZOFFSETTO:+0100",
            "TZNAME:CET"
        ]
    );
    assert_eq!(
        lines(&zone.children[1]),
        [
            "DTSTART:20260329T020000",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
            "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0200",
            "TZNAME:CEST"
        ]
    );
}

#[test]
fn the_same_appointment_is_always_the_same_text() {
    let write = || message(&appointment(), Method::Request, &berlin()).unwrap();
    assert_eq!(write(), write());
}

#[test]
fn the_life_of_an_appointment_keeps_its_uid_and_raises_its_sequence() {
    let mut booked = appointment();
    let first = event(&message(&booked, Method::Request, &berlin()).unwrap());
    booked.sequence = 1;
    booked.start = at("2027-04-07T08:00:00Z");
    booked.end = at("2027-04-07T08:20:00Z");
    let moved = event(&message(&booked, Method::Request, &berlin()).unwrap());
    booked.sequence = 2;
    booked.cancelled = true;
    let text = message(&booked, Method::Cancel, &berlin()).unwrap();
    assert!(text.contains("METHOD:CANCEL\r\n"));
    let cancelled = event(&text);
    assert_eq!(of(&moved, "DTSTART"), "20270407T100000", "summer by then");
    for event in [&moved, &cancelled] {
        assert_eq!(of(event, "UID"), of(&first, "UID"));
    }
    assert_eq!(of(&cancelled, "SEQUENCE"), "2");
    assert_eq!(of(&cancelled, "STATUS"), "CANCELLED");
    assert!(cancelled.children.is_empty(), "nobody is reminded of it");
    assert_eq!(
        message(&booked, Method::Request, &berlin()),
        Err(WriteError::Method(Method::Request))
    );
}

#[test]
fn a_time_that_comes_twice_is_written_so_that_it_is_meant_once() {
    let mut booked = appointment();
    // 02:30 in summer, and 02:30 an hour later in winter.
    booked.start = at("2026-10-25T00:30:00Z");
    booked.end = at("2026-10-25T01:30:00Z");
    let text = message(&booked, Method::Request, &berlin()).unwrap();
    let event = event(&text);
    assert_eq!(of(&event, "DTSTART"), "20261025T023000");
    assert_eq!(of(&event, "DTEND"), "20261025T013000Z");
    let busy = read_busy(text.as_bytes(), everything(), &TimeZone::UTC).unwrap();
    assert_eq!(
        busy.spans,
        [Span {
            start: booked.start,
            end: booked.end
        }]
    );
}

#[test]
fn what_cannot_stand_in_a_calendar_is_refused() {
    let refused = |change: &dyn Fn(&mut Appointment)| {
        let mut wrong = appointment();
        change(&mut wrong);
        message(&wrong, Method::Request, &berlin()).unwrap_err()
    };
    assert_eq!(
        refused(&|a| a.summary.push('\u{7}')),
        WriteError::Unfit("the summary")
    );
    assert_eq!(refused(&|a| a.uid.push('\r')), WriteError::Unfit("the UID"));
    assert_eq!(
        refused(&|a| a.link = "javascript:alert(1)".into()),
        WriteError::Unfit("the link")
    );
    assert_eq!(
        refused(&|a| a.link.push_str("\nX:Y")),
        WriteError::Unfit("the link")
    );
    assert_eq!(
        refused(&|a| a.organizer.mail = "a@b\nX:Y".into()),
        WriteError::Unfit("a mail address")
    );
    assert_eq!(
        refused(&|a| a.organizer.mail = "a b@c".into()),
        WriteError::Unfit("a mail address")
    );
    assert_eq!(
        refused(&|a| a.organizer.name = "a\"b".into()),
        WriteError::Unfit("a name")
    );
    assert_eq!(refused(&|a| a.end = a.start), WriteError::Order);
    assert!(matches!(
        refused(&|a| a.attendees.clear()),
        WriteError::Flaw(Flaw::Count { .. })
    ));
    assert_eq!(
        refused(&|a| a.cancelled = true),
        WriteError::Method(Method::Request)
    );
}

#[test]
fn the_check_finds_what_others_write_wrongly() {
    let good = message(&appointment(), Method::Request, &berlin()).unwrap();
    assert_eq!(check(&good), Ok(()));
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        check(&good.replacen(from, to, 1)).unwrap_err()
    };
    assert_eq!(with("VERSION:2.0\r\n", "VERSION:2.0\n"), Flaw::Control(2));
    assert!(matches!(
        with("SEQUENCE:0\r\n", ""),
        Flaw::Count {
            property: "SEQUENCE",
            found: 0,
            ..
        }
    ));
    assert!(matches!(
        with("SEQUENCE:0", "SEQUENCE:0\r\nSEQUENCE:1"),
        Flaw::Count { found: 2, .. }
    ));
    assert_eq!(
        with("DTSTAMP:20261123T100000Z", "DTSTAMP:20261123T100000"),
        Flaw::Value("DTSTAMP".into())
    );
    assert_eq!(with("TZID=Europe/Berlin", "TZID=Europe/Paris"), Flaw::Zone);
    assert_eq!(
        with("STATUS:CONFIRMED", "STATUS:CANCELLED"),
        Flaw::Value("STATUS".into())
    );
    assert_eq!(
        with("METHOD:REQUEST", "METHOD:ADD"),
        Flaw::Value("METHOD".into())
    );
    assert_eq!(
        with("anmelden\\; Termin", "anmelden; Termin"),
        Flaw::Value("SUMMARY".into())
    );
    assert_eq!(
        with("TZNAME:CET", "UID:1\r\nTZNAME:CET"),
        Flaw::Value("UID".into())
    );
    assert_eq!(
        with("TRIGGER:-PT15M", "TRIGGER:PT15M"),
        Flaw::Value("TRIGGER".into())
    );
    assert!(matches!(
        with("END:VEVENT", "END:VEVNT"),
        Flaw::Unreadable(ReadError::Structure)
    ));
    assert_eq!(
        check(&good[..good.len() - 1]),
        Err(Flaw::LineEnd(good.matches("\r\n").count()))
    );
    let long = "X".repeat(76);
    assert_eq!(
        check(&good.replacen("CALSCALE", &long, 1)),
        Err(Flaw::Length(4))
    );
}

#[test]
fn a_feed_holds_every_appointment_once() {
    let mut second = appointment();
    second.uid = uid([7; 16], "stadt.example");
    second.start = at("2027-07-01T08:00:00Z");
    second.end = at("2027-07-01T09:00:00Z");
    second.cancelled = true;
    let both = [appointment(), second];
    let text = feed("Gewerbemeldestelle, Termine", &both, &berlin()).unwrap();
    let calendar = Component::read(&text).unwrap();
    assert_eq!(of(&calendar, "NAME"), "Gewerbemeldestelle, Termine");
    let events = calendar
        .children
        .iter()
        .filter(|child| child.name == "VEVENT");
    assert_eq!(events.count(), 2);
    let twice = [appointment(), appointment()];
    assert_eq!(
        feed("x", &twice, &berlin()),
        Err(WriteError::Flaw(Flaw::SameUid))
    );
    assert!(feed("leer", &[], &berlin()).is_ok());
}

#[test]
fn a_feed_is_as_long_as_the_office_is_busy() {
    let many: Vec<Appointment> = (0..7_000_u128)
        .map(|number| {
            let mut one = appointment();
            one.uid = uid(number.to_be_bytes(), "stadt.example");
            one
        })
        .collect();
    let text = feed("Bürgerbüro", &many, &berlin()).unwrap();
    assert_eq!(text.matches("BEGIN:VEVENT").count(), many.len());
}

fn everything() -> Span {
    Span {
        start: at("1971-01-01T00:00:00Z"),
        end: at("2199-01-01T00:00:00Z"),
    }
}

// ---------------------------------------------------------------------------- answers

fn reply(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\n{lines}\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

const REPLY: &str = "UID:30313233343536373839616263646566@stadt.example\r\nDTSTAMP:20261124T080000Z\r\n\
    SEQUENCE:0\r\nATTENDEE;CN=Ada;PARTSTAT=DECLINED:MAILTO:Ada@Post.example\r\n\
    COMMENT:Leider krank\\, Verzeihung\\n\u{202e}\u{7}\r\n";

fn read(text: &str) -> Result<Response, ReadError> {
    Response::read(text.as_bytes(), &berlin())
}

#[test]
fn a_reply_is_read_and_counts_for_its_appointment_alone() {
    let response = read(&reply(REPLY)).unwrap();
    assert_eq!(response.answer, Answer::Declined);
    assert_eq!(response.attendee, "ada@post.example");
    assert_eq!(
        response.comment.as_deref(),
        Some("Leider krank, Verzeihung\n\u{202e}")
    );
    let booked = appointment();
    let invitation = Invitation {
        uid: &booked.uid,
        sequence: 0,
        attendee: "Ada@post.example",
        last_answer: None,
    };
    assert_eq!(response.counts_for(&invitation), Ok(()));
    let not = |change: Invitation<'_>| response.counts_for(&change).unwrap_err();
    assert_eq!(
        not(Invitation {
            uid: "x@stadt.example",
            ..invitation
        }),
        NotCounted::OtherAppointment
    );
    assert_eq!(
        not(Invitation {
            attendee: "eve@post.example",
            ..invitation
        }),
        NotCounted::NotInvited
    );
    assert_eq!(
        not(Invitation {
            sequence: 1,
            ..invitation
        }),
        NotCounted::Outdated
    );
    let later = Some(at("2026-11-24T08:00:01Z"));
    assert_eq!(
        not(Invitation {
            last_answer: later,
            ..invitation
        }),
        NotCounted::Overtaken
    );
    let same = Some(at("2026-11-24T08:00:00Z"));
    assert_eq!(
        response.counts_for(&Invitation {
            last_answer: same,
            ..invitation
        }),
        Ok(())
    );
}

#[test]
fn a_counter_proposes_a_time() {
    let counter = reply(&REPLY.replace(
        "COMMENT",
        "DTSTART;TZID=Europe/Berlin:20261208T140000\r\nDURATION:PT20M\r\nCOMMENT",
    ))
    .replace("METHOD:REPLY", "METHOD:COUNTER");
    let proposed = Span {
        start: at("2026-12-08T13:00:00Z"),
        end: at("2026-12-08T13:20:00Z"),
    };
    assert_eq!(
        read(&counter).unwrap().answer,
        Answer::Counter {
            proposed: Some(proposed)
        }
    );
    let absurd = counter.replace("PT20M", "P900D");
    assert_eq!(
        read(&absurd).unwrap().answer,
        Answer::Counter { proposed: None }
    );
}

#[test]
fn wrong_answers_are_refused_with_the_reason() {
    let with = |from: &str, to: &str| {
        let text = reply(REPLY);
        assert!(text.contains(from), "{from}");
        read(&text.replacen(from, to, 1)).unwrap_err()
    };
    assert_eq!(with("METHOD:REPLY", "METHOD:REQUEST"), ReadError::Other);
    assert_eq!(with("METHOD:REPLY\r\n", ""), ReadError::Missing("METHOD"));
    assert_eq!(
        with("METHOD:REPLY", "METHOD:REPLY\r\nMETHOD:REPLY"),
        ReadError::Twice("METHOD")
    );
    assert_eq!(with("UID:", "X-UID:"), ReadError::Missing("UID"));
    assert_eq!(with("UID:3", "UID:4\r\nUID:3"), ReadError::Twice("UID"));
    assert_eq!(
        with("SEQUENCE:0", "SEQUENCE:-1"),
        ReadError::Value("SEQUENCE")
    );
    assert_eq!(
        with("SEQUENCE:0", "SEQUENCE:4294967296"),
        ReadError::Value("SEQUENCE")
    );
    assert_eq!(with("080000Z", "080000"), ReadError::Value("DTSTAMP"));
    assert_eq!(
        with("DECLINED", "NEEDS-ACTION"),
        ReadError::Value("PARTSTAT")
    );
    assert_eq!(
        with("ATTENDEE;", "ATTENDEE:mailto:eve@x.example\r\nATTENDEE;"),
        ReadError::Twice("ATTENDEE")
    );
    assert_eq!(
        with("MAILTO:Ada@Post.example", "https://ada"),
        ReadError::Value("ATTENDEE")
    );
    assert_eq!(with("BEGIN:VEVENT", "BEGIN:VTODO"), ReadError::Structure);
    assert_eq!(
        with("END:VCALENDAR\r\n", "END:VCALENDAR\r\nX:Y\r\n"),
        ReadError::Structure
    );
    assert_eq!(with("SEQUENCE:0", "SEQUENCE"), ReadError::Form);
    assert_eq!(with("SEQUENCE:0", "SEQUENCE;X=\"a:0"), ReadError::Form);
}

#[test]
fn bombs_are_refused_quickly() {
    let error = |text: String| read(&text).unwrap_err();
    assert_eq!(
        error("BEGIN:VCALENDAR\r\n".repeat(10_000)),
        ReadError::TooMuch
    );
    assert_eq!(
        error(reply(&"X:y\r\n".repeat(60_000))),
        ReadError::TooMuch,
        "too many bytes"
    );
    assert_eq!(
        error(reply(&format!("X:{}\r\n", "\r\n yyyy".repeat(30_000)))),
        ReadError::TooMuch
    );
    assert_eq!(
        error(reply(&format!("X{}:y\r\n", ";A=b".repeat(1_000)))),
        ReadError::TooMuch
    );
    assert_eq!(
        error(reply(&format!("X;A=b{}:y\r\n", ",b".repeat(1_000)))),
        ReadError::TooMuch
    );
    assert_eq!(error("\u{0}".to_owned()), ReadError::Form);
    assert_eq!(error(String::new()), ReadError::Structure);
}

// ---------------------------------------------------------------------------- busy times

fn busy(lines: &str, from: &str, until: &str) -> (Vec<String>, usize) {
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\n{lines}END:VCALENDAR\n");
    let window = Span {
        start: at(from),
        end: at(until),
    };
    let times = read_busy(text.as_bytes(), window, &berlin()).unwrap();
    let shown = times
        .spans
        .iter()
        .map(|span| format!("{} {}", span.start, span.end));
    (shown.collect(), times.not_understood)
}

fn in_december(lines: &str) -> Vec<String> {
    let (spans, not_understood) = busy(lines, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
    assert_eq!(not_understood, 0);
    spans
}

#[test]
fn events_of_every_kind_are_busy_or_not() {
    let event = |lines: &str| in_december(&format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\n"));
    assert_eq!(
        event("DTSTART:20261207T090000\nDTEND:20261207T100000"),
        ["2026-12-07T08:00:00Z 2026-12-07T09:00:00Z"],
        "a floating time is the office's"
    );
    assert_eq!(
        event("DTSTART;TZID=America/New_York:20261207T090000\nDURATION:PT1H"),
        ["2026-12-07T14:00:00Z 2026-12-07T15:00:00Z"]
    );
    assert_eq!(
        event("DTSTART;TZID=/x.example/Europe/London:20261207T090000\nDURATION:PT1H"),
        ["2026-12-07T09:00:00Z 2026-12-07T10:00:00Z"]
    );
    assert_eq!(
        event("DTSTART;VALUE=DATE:20261207\nDTEND;VALUE=DATE:20261209"),
        ["2026-12-06T23:00:00Z 2026-12-08T23:00:00Z"]
    );
    assert_eq!(
        event("DTSTART;VALUE=DATE:20261207"),
        ["2026-12-06T23:00:00Z 2026-12-07T23:00:00Z"]
    );
    let nothing: [&str; 0] = [];
    for free in [
        "TRANSP:TRANSPARENT",
        "STATUS:CANCELLED",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
    ] {
        assert_eq!(
            event(&format!("DTSTART:20261207T090000Z\nDURATION:PT1H\n{free}")),
            nothing
        );
    }
    assert_eq!(event("DTSTART:20261207T090000Z"), nothing, "takes no time");
    assert_eq!(
        in_december(
            "BEGIN:VFREEBUSY\nFREEBUSY;FBTYPE=BUSY:20261207T090000Z/PT1H,20261207T093000Z/20261207T110000Z\n\
             FREEBUSY;FBTYPE=FREE:20261208T090000Z/PT1H\nEND:VFREEBUSY\n"
        ),
        ["2026-12-07T09:00:00Z 2026-12-07T11:00:00Z"]
    );
}

#[test]
fn repeated_events_keep_their_wall_clock_time() {
    let (spans, _) = busy(
        "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20200105T090000\nDTEND;TZID=Europe/Berlin:20200105T100000\n\
         RRULE:FREQ=WEEKLY;BYDAY=SU\nEXDATE;TZID=Europe/Berlin:20261018T090000\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20261101T090000\n\
         DTSTART;TZID=Europe/Berlin:20261102T120000\nDURATION:PT5M\nEND:VEVENT\n",
        "2026-10-11T00:00:00Z",
        "2026-11-09T00:00:00Z",
    );
    assert_eq!(
        spans,
        [
            "2026-10-11T07:00:00Z 2026-10-11T08:00:00Z",
            "2026-10-25T08:00:00Z 2026-10-25T09:00:00Z",
            "2026-11-02T11:00:00Z 2026-11-02T11:05:00Z",
            "2026-11-08T08:00:00Z 2026-11-08T09:00:00Z",
        ]
    );
}

#[test]
fn a_zone_is_written_also_before_its_first_change() {
    let troll = TimeZone::get("Antarctica/Troll").unwrap();
    let mut appointment = appointment();
    appointment.start = "2000-02-08T19:13:00Z".parse().unwrap();
    appointment.end = "2000-02-09T00:00:00Z".parse().unwrap();
    let text = message(&appointment, Method::Publish, &troll).unwrap();
    check(&text).unwrap();
}

#[test]
fn a_zone_without_a_known_name_is_taken_from_the_calendar() {
    let zone = "BEGIN:VTIMEZONE\nTZID:W. Europe Standard Time\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
        TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
        BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
        RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n";
    let event = |day: &str| {
        busy(
            &format!(
                "{zone}BEGIN:VEVENT\nUID:1\nDTSTART;TZID=W. Europe Standard Time:{day}T090000\nDURATION:PT1H\nEND:VEVENT\n"
            ),
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        )
        .0
    };
    assert_eq!(
        event("20260701"),
        ["2026-07-01T07:00:00Z 2026-07-01T08:00:00Z"]
    );
    assert_eq!(
        event("20261207"),
        ["2026-12-07T08:00:00Z 2026-12-07T09:00:00Z"]
    );
    assert_eq!(
        event("20260328"),
        ["2026-03-28T08:00:00Z 2026-03-28T09:00:00Z"]
    );
    assert_eq!(
        event("20260329"),
        ["2026-03-29T07:00:00Z 2026-03-29T08:00:00Z"]
    );
}

#[test]
fn what_is_not_understood_is_counted_and_never_guessed() {
    let event = |lines: &str| {
        busy(
            &format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\n"),
            "2026-12-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        )
    };
    for lines in [
        "SUMMARY:no start",
        "DTSTART;TZID=Atlantis:20261207T090000\nDURATION:PT1H",
        "DTSTART:20261207T090000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY",
        "DTSTART:00010101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=900000000",
        "DTSTART:20261207T090000Z\nDTEND:20261207T080000Z",
        "DTSTART:20261207T090000Z\nDURATION:P999999D",
    ] {
        assert_eq!(event(lines), (Vec::new(), 1), "{lines}");
    }
}

#[test]
fn a_flood_of_rules_has_one_budget() {
    let rule = "BEGIN:VEVENT\nUID:1\nDTSTART:00010101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=250000\nEND:VEVENT\n";
    let (_, not_understood) = busy(
        &rule.repeat(10_000),
        "2026-12-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    );
    assert_eq!(not_understood, 9_999);
}

// ---------------------------------------------------------------------------- whatever comes

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Zäöüß€😀 ,;:\\\\\"'=^\n.-]{0,200}".prop_map(|text| text.trim().to_owned())
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    let names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    prop::sample::select(names).prop_map(|name| TimeZone::get(&name).unwrap())
}

fn any_appointment() -> impl Strategy<Value = Appointment> {
    (
        (words(), words(), words(), words()),
        (any::<[u8; 16]>(), 0..=i32::MAX as u32, any::<bool>()),
        (0_i64..2_000_000_000, 0_i64..4_000_000_000, 1_i64..600),
        prop::collection::vec((words(), 0_usize..4, any::<bool>()), 1..4),
        prop::collection::vec((0_i64..20_000, words()), 0..3),
    )
        .prop_map(
            |(
                (summary, description, location, name),
                (random, sequence, cancelled),
                (stamp, start, minutes),
                attendees,
                alarms,
            )| {
                let start = Timestamp::from_second(start).unwrap();
                let states = [
                    Participation::NeedsAction,
                    Participation::Accepted,
                    Participation::Tentative,
                    Participation::Declined,
                ];
                Appointment {
                    uid: uid(random, "stadt.example"),
                    sequence,
                    stamp: Timestamp::from_second(stamp).unwrap(),
                    start,
                    end: start + minutes.minutes(),
                    cancelled,
                    organizer: Person::new(&name, "amt@stadt.example"),
                    attendees: attendees
                        .into_iter()
                        .enumerate()
                        .map(|(index, (name, state, rsvp))| Attendee {
                            person: Person::new(&name, &format!("person+{index}@post.example")),
                            participation: states[state],
                            rsvp,
                        })
                        .collect(),
                    summary,
                    description,
                    location,
                    link: format!(
                        "https://stadt.example/termin/{:x}",
                        u128::from_be_bytes(random)
                    ),
                    link_label: Person::new(&name, "").name,
                    alarms: alarms
                        .into_iter()
                        .map(|(minutes, text)| Alarm {
                            before: SignedDuration::from_mins(minutes),
                            text,
                        })
                        .collect(),
                }
            },
        )
}

/// Reads an appointment back by nothing but the standard.
fn read_back(event: &Component, start: Timestamp, end: Timestamp) -> Appointment {
    let person = |line: &scheduler::ics::Line| Person {
        name: line.parameter("CN").unwrap_or_default().to_owned(),
        mail: line.value.strip_prefix("mailto:").unwrap().to_owned(),
    };
    let link = of(event, "CONFERENCE");
    let without_link = |text: String, between: &str| {
        let text = text.strip_suffix(&link).map_or(text.clone(), str::to_owned);
        text.strip_suffix(between)
            .map_or(text.clone(), str::to_owned)
    };
    Appointment {
        uid: of(event, "UID"),
        sequence: of(event, "SEQUENCE").parse().unwrap(),
        stamp: jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", of(event, "DTSTAMP"))
            .unwrap()
            .to_zoned(TimeZone::UTC)
            .unwrap()
            .timestamp(),
        start,
        end,
        cancelled: of(event, "STATUS") == "CANCELLED",
        organizer: person(event.first("ORGANIZER").unwrap()),
        attendees: event
            .all("ATTENDEE")
            .map(|line| Attendee {
                person: person(line),
                participation: match line.parameter("PARTSTAT").unwrap() {
                    "ACCEPTED" => Participation::Accepted,
                    "TENTATIVE" => Participation::Tentative,
                    "DECLINED" => Participation::Declined,
                    _ => Participation::NeedsAction,
                },
                rsvp: line.parameter("RSVP") == Some("TRUE"),
            })
            .collect(),
        summary: of(event, "SUMMARY"),
        description: without_link(of(event, "DESCRIPTION"), "\n\n"),
        location: without_link(of(event, "LOCATION"), " "),
        link_label: event
            .first("CONFERENCE")
            .unwrap()
            .parameter("LABEL")
            .unwrap()
            .to_owned(),
        alarms: event
            .children
            .iter()
            .map(|alarm| Alarm {
                before: -of(alarm, "TRIGGER")
                    .parse::<SignedDuration>()
                    .unwrap_or_else(|_| {
                        let days = of(alarm, "TRIGGER");
                        let days = days
                            .strip_prefix("-P")
                            .and_then(|rest| rest.strip_suffix('D'))
                            .unwrap();
                        SignedDuration::from_hours(-24 * days.parse::<i64>().unwrap())
                    }),
                text: of(alarm, "DESCRIPTION"),
            })
            .collect(),
        link,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_is_what_is_read(appointment in any_appointment(), zone in any_zone()) {
        let text = message(&appointment, Method::Publish, &zone).unwrap();
        check(&text).unwrap();
        let mut expected = appointment.clone();
        if expected.cancelled {
            expected.alarms.clear();
        } else {
            // The instants are read back by the zone that stands in the text, under a name nobody knows.
            let known = zone.iana_name().unwrap();
            let unfolded = text.replace("\r\n ", "");
            let unknown = unfolded.replace(&format!("TZID:{known}"), "TZID:x").replace(&format!("TZID={known}"), "TZID=x");
            for text in [&text, &unknown] {
                let busy = read_busy(text.as_bytes(), everything(), &TimeZone::UTC).unwrap();
                let clipped = Span {
                    start: appointment.start.max(everything().start),
                    end: appointment.end.min(everything().end),
                };
                let expected: Vec<Span> = Some(clipped).filter(|span| span.start < span.end).into_iter().collect();
                prop_assert_eq!(busy.spans, expected, "{}", text);
            }
        }
        prop_assert_eq!(read_back(&event(&text), appointment.start, appointment.end), expected);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = Response::read(&bytes, &berlin());
        let _ = read_busy(&bytes, everything(), &berlin());
        let _ = scheduler::mail::Received::read(&bytes, &berlin());
    }

    #[test]
    fn no_damage_to_a_calendar_makes_a_reader_panic(
        position in 0.0_f64..1.0,
        length in 0_usize..30,
        put in "(?s).{0,20}",
    ) {
        let text = message(&appointment(), Method::Request, &berlin()).unwrap()
            .replace("SEQUENCE", "RRULE:FREQ=MONTHLY;BYDAY=-1SU;COUNT=5\r\nEXDATE:20270131T080000Z\r\nSEQUENCE");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
        let from = (position * text.len() as f64) as usize;
        let to = (from + length).min(text.len());
        let damaged = [&text.as_bytes()[..from], put.as_bytes(), &text.as_bytes()[to..]].concat();
        let _ = Response::read(&damaged, &berlin());
        let _ = read_busy(&damaged, everything(), &berlin());
    }
}

#[test]
fn a_day_in_a_calendar_of_another_zone_is_the_offices_day() {
    assert_eq!(
        busy(
            "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260329\nRRULE:FREQ=DAILY;COUNT=1\nEND:VEVENT\n",
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z"
        )
        .0,
        ["2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"],
        "23 hours long"
    );
    assert_eq!(date(2026, 3, 29).weekday(), jiff::civil::Weekday::Sunday);
}
