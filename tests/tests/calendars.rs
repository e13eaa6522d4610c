//! What is written into calendars, as others understand it: two libraries and a `CalDAV` server that are not ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use blackbox::{World, WorldOptions, eventually};
use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{DateTime, date},
    tz::TimeZone,
};
use reqwest::{Client, Method as Verb, Response, StatusCode, header};
use scheduler::{
    ics::{
        Alarm, Appointment, Attendee, Component, Method, Participation, Person, feed, message,
        read_busy, uid,
    },
    slots::Span,
};
use serde_json::{Value, json};
use xtask::{calendars::Readers, ports::Port, process::Process};

type TestResult = Result<()>;

fn appointment(number: u8, start: Timestamp) -> Appointment {
    let id = uid([number; 16], "stadt.example");
    let attendee = |name: &str, mail: &str, participation, rsvp| Attendee {
        person: Person::new(name, mail),
        participation,
        rsvp,
    };
    Appointment {
        link: format!("https://vorzimmer.stadt.example/termin/{id}"),
        uid: id,
        sequence: 0,
        stamp: Timestamp::constant(1_795_430_400, 0),
        start,
        end: start + 25.minutes(),
        cancelled: false,
        organizer: Person::new("Gewerbemeldestelle; Neues Rathaus, 2. OG", "gewerbe@stadt.example"),
        attendees: vec![
            attendee("Zoë \"Z\" Große-Müller, geb. O'Hara", "zoe@post.example", Participation::NeedsAction, true),
            attendee("通訳: 佐藤", "sato+de@dolmetscher.example", Participation::Accepted, false),
        ],
        summary: "Gewerbe anmelden; Termin, online (Nr. 7: \\o/)".to_owned(),
        description: "Bitte halten Sie bereit:\n– Personalausweis, oder Reisepass; beides gilt\n– \\Vollmacht\\n\\\n\n😀 "
            .repeat(4),
        location: "Online-Termin, Zimmer; keines".to_owned(),
        link_label: "Zum Gespräch; bitte 5 Minuten früher, danke".to_owned(),
        alarms: vec![
            Alarm { before: SignedDuration::from_mins(1440), text: "Morgen: Ihr Termin".to_owned() },
            Alarm { before: SignedDuration::from_mins(15), text: "Gleich, in 15 Minuten; Link im Termin".to_owned() },
        ],
    }
}

/// What a reader should have understood.
fn expected(appointment: &Appointment, method: &str) -> Value {
    let Appointment { link, .. } = appointment;
    let person = |person: &Person| json!({ "mail": person.mail, "name": person.name });
    let attendees: Vec<Value> = appointment
        .attendees
        .iter()
        .map(|attendee| {
            let participation = match attendee.participation {
                Participation::NeedsAction => "NEEDS-ACTION",
                Participation::Accepted => "ACCEPTED",
                Participation::Tentative => "TENTATIVE",
                Participation::Declined => "DECLINED",
            };
            json!({
                "mail": attendee.person.mail,
                "name": attendee.person.name,
                "participation": participation,
                "rsvp": if attendee.rsvp { "TRUE" } else { "FALSE" },
                "kind": "INDIVIDUAL",
            })
        })
        .collect();
    let alarms: Vec<Value> = appointment
        .alarms
        .iter()
        .filter(|_| !appointment.cancelled)
        .map(|alarm| json!({ "minutes": alarm.before.as_mins(), "text": alarm.text }))
        .collect();
    json!({
        "method": method,
        "uid": appointment.uid,
        "sequence": appointment.sequence,
        "stamp": appointment.stamp.to_string(),
        "start": appointment.start.to_string(),
        "end": appointment.end.to_string(),
        "summary": appointment.summary,
        "description": format!("{}\n\n{link}", appointment.description.trim()),
        "location": format!("{} {link}", appointment.location),
        "url": link,
        "conference": link,
        "conference_label": appointment.link_label,
        "status": if appointment.cancelled { "CANCELLED" } else { "CONFIRMED" },
        "transparency": if appointment.cancelled { "TRANSPARENT" } else { "OPAQUE" },
        "organizer": person(&appointment.organizer),
        "attendees": attendees,
        "alarms": alarms,
    })
}

/// What both libraries read in files.
fn read(readers: &Readers, files: &[PathBuf]) -> Result<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/read_calendar.py");
    let mut command = readers.command();
    // The zones of the pinned package, not of whatever machine this is.
    command.env("PYTHONTZPATH", "").arg(script).args(files);
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "the readers failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Days around which clocks change, and quiet ones, in zones with rules of every kind.
fn starts() -> Result<Vec<(TimeZone, Timestamp)>> {
    let mut starts = Vec::new();
    for name in [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "America/Santiago",
        "Africa/Cairo",
        "Pacific/Chatham",
    ] {
        let zone = TimeZone::get(name)?;
        for day in [
            date(2026, 1, 15),
            date(2026, 7, 15),
            date(2027, 3, 28),
            date(2027, 10, 31),
        ] {
            starts.push((
                zone.clone(),
                day.at(9, 40, 0, 0).to_zoned(zone.clone())?.timestamp(),
            ));
        }
        let noon = date(2026, 2, 1)
            .at(12, 0, 0, 0)
            .to_zoned(zone.clone())?
            .timestamp();
        for change in zone
            .following(noon)
            .take(2)
            .map(|change| change.timestamp())
        {
            let a_day = SignedDuration::from_hours(24);
            for at in [
                change - a_day,
                change - 90.minutes(),
                change + 90.minutes(),
                change + a_day,
            ] {
                starts.push((zone.clone(), at));
            }
        }
    }
    Ok(starts)
}

#[test]
fn two_libraries_read_back_every_field() -> TestResult {
    let readers = Readers::ensure()?;
    let dir = tempfile::tempdir()?;
    let (mut files, mut wanted) = (Vec::new(), Vec::new());
    let mut write = |text: String, expected: Vec<Value>| -> TestResult {
        let path = dir.path().join(format!("{}.ics", files.len()));
        fs::write(&path, text)?;
        files.push(path);
        wanted.push(expected);
        Ok(())
    };
    for (zone, start) in starts()? {
        let booked = appointment(7, start);
        write(
            message(&booked, Method::Request, &zone)?,
            vec![expected(&booked, "REQUEST")],
        )?;
    }
    let berlin = TimeZone::get("Europe/Berlin")?;
    let start = "2026-12-07T08:00:00Z".parse()?;
    let cancelled = Appointment {
        cancelled: true,
        sequence: 3,
        ..appointment(8, start)
    };
    write(
        message(&cancelled, Method::Cancel, &berlin)?,
        vec![expected(&cancelled, "CANCEL")],
    )?;
    // A companion's names nobody.
    let published = Appointment {
        attendees: Vec::new(),
        ..cancelled
    };
    write(
        message(&published, Method::Cancel, &berlin)?,
        vec![expected(&published, "CANCEL")],
    )?;
    let mut alone = appointment(9, start);
    alone.attendees.truncate(1);
    write(message(&alone, Method::DeclineCounter, &berlin)?, {
        let without_alarms = Appointment {
            alarms: Vec::new(),
            ..alone
        };
        vec![expected(&without_alarms, "DECLINECOUNTER")]
    })?;
    let all: Vec<Appointment> = (0_u8..40)
        .map(|number| Appointment {
            cancelled: number % 5 == 0,
            ..appointment(number, start + (i64::from(number) * 25).hours())
        })
        .collect();
    write(
        feed("Termine: Gewerbe, Büro", &all, &berlin)?,
        all.iter().map(|one| expected(one, "PUBLISH")).collect(),
    )?;

    let understood = read(&readers, &files)?;
    assert_eq!(understood.len(), wanted.len());
    for ((understood, wanted), file) in understood.iter().zip(wanted).zip(&files) {
        let text = fs::read_to_string(file)?;
        for reader in ["icalendar", "vobject"] {
            assert_eq!(understood[reader], json!(wanted), "{reader} reads {text}");
        }
    }
    Ok(())
}

/// A `CalDAV` server with one calendar.
struct CalDav {
    client: Client,
    calendar: String,
    _process: Process,
    _port: Port,
    _dir: tempfile::TempDir,
}

impl CalDav {
    async fn start(readers: &Readers) -> Result<Self> {
        let (dir, port) = (tempfile::tempdir()?, Port::lease()?);
        let mut command: Command = readers.command();
        command
            .args([
                "-m",
                "radicale",
                "--config",
                "",
                "--auth-type=none",
                "--rights-type=authenticated",
            ])
            .arg(format!("--server-hosts={}", port.address()))
            .arg(format!(
                "--storage-filesystem-folder={}",
                dir.path().display()
            ));
        let process = Process::spawn("radicale", &command, &dir.path().join("radicale.log"))?;
        // One that answers, and a user's own calendar.
        let mut headers = header::HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            header::HeaderValue::from_static("Basic em9lOng="),
        );
        let client = Client::builder().default_headers(headers).build()?;
        let base = format!("http://{}", port.address());
        eventually("radicale answers", || async {
            Ok(client.get(&base).send().await.is_ok().then_some(()))
        })
        .await?;
        let calendar = format!("{base}/zoe/termine");
        let made = client
            .request(Verb::from_bytes(b"MKCALENDAR")?, &calendar)
            .send()
            .await?;
        ensure!(
            made.status() == StatusCode::CREATED,
            "MKCALENDAR: {}",
            made.status()
        );
        Ok(Self {
            client,
            calendar,
            _process: process,
            _port: port,
            _dir: dir,
        })
    }

    /// What a calendar program does with an invitation from its user's mailbox (RFC 5546 §2.1.5, RFC 4791
    /// §5.3.2): newer versions replace the object of that UID, older ones are dropped. Whether it was taken.
    async fn receive(&self, mail: &str) -> Result<bool> {
        let event = event_of(mail)?;
        let address = format!(
            "{}/{}.ics",
            self.calendar,
            text_of(&event, "UID")?.replace('@', "-")
        );
        let stored = self.client.get(&address).send().await?;
        let precondition = if stored.status() == StatusCode::NOT_FOUND {
            (header::IF_NONE_MATCH, "*".to_owned())
        } else {
            let etag = stored.headers()[header::ETAG].to_str()?.to_owned();
            let before = event_of(&stored.text().await?)?;
            let sequence =
                |event: &Component| -> Result<u32> { Ok(text_of(event, "SEQUENCE")?.parse()?) };
            if sequence(&event)? <= sequence(&before)? {
                return Ok(false);
            }
            (header::IF_MATCH, etag)
        };
        // An object in a calendar has no METHOD (RFC 4791 §4.1).
        let object: String = mail
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with("METHOD:"))
            .collect();
        let put = self
            .client
            .put(&address)
            .header(precondition.0, precondition.1)
            .header(header::CONTENT_TYPE, "text/calendar; charset=utf-8")
            .body(object)
            .send()
            .await?;
        ensure!(
            put.status().is_success(),
            "PUT: {}: {}",
            put.status(),
            put.text().await?
        );
        Ok(true)
    }

    /// The events of the calendar that the server finds on a day of the office.
    async fn on(&self, day: jiff::civil::Date) -> Result<Vec<Component>> {
        let berlin = TimeZone::get("Europe/Berlin")?;
        let utc = |day: jiff::civil::Date| -> Result<String> {
            Ok(day
                .to_zoned(berlin.clone())?
                .timestamp()
                .strftime("%Y%m%dT%H%M%SZ")
                .to_string())
        };
        let body = format!(
            "<?xml version=\"1.0\"?><C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\
             <D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name=\"VCALENDAR\">\
             <C:comp-filter name=\"VEVENT\"><C:time-range start=\"{}\" end=\"{}\"/></C:comp-filter>\
             </C:comp-filter></C:filter></C:calendar-query>",
            utc(day)?,
            utc(day.tomorrow()?)?
        );
        let answer: Response = self
            .client
            .request(Verb::from_bytes(b"REPORT")?, &self.calendar)
            .header("Depth", "1")
            .header(header::CONTENT_TYPE, "application/xml")
            .body(body)
            .send()
            .await?;
        ensure!(
            answer.status() == StatusCode::MULTI_STATUS,
            "REPORT: {}",
            answer.status()
        );
        let text = answer
            .text()
            .await?
            .replace("&#13;", "")
            .replace("&amp;", "&");
        text.split("BEGIN:VCALENDAR")
            .skip(1)
            .map(|rest| {
                let (object, _) = rest.split_once("END:VCALENDAR").context("a cut calendar")?;
                event_of(&format!("BEGIN:VCALENDAR{object}END:VCALENDAR"))
            })
            .collect()
    }
}

fn event_of(text: &str) -> Result<Component> {
    let calendar = Component::read(text)?;
    let mut events = calendar
        .children
        .into_iter()
        .filter(|child| child.name == "VEVENT");
    let event = events.next().context("no event")?;
    ensure!(events.next().is_none(), "more than one event");
    Ok(event)
}

fn text_of(event: &Component, name: &str) -> Result<String> {
    Ok(event
        .first(name)
        .with_context(|| format!("no {name}"))?
        .text())
}

/// Rules that are made up, each asked of ours.
const RULES: usize = 400;

#[test]
fn recurring_events_are_busy_when_another_library_says() -> TestResult {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/recur.py");
    let mut command = Readers::ensure()?.command();
    let output = command
        .arg(script)
        .arg("5545")
        .arg(RULES.to_string())
        .output()?;
    ensure!(
        output.status.success(),
        "no rules: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let cases: Vec<Recurring> = serde_json::from_slice(&output.stdout)?;
    ensure!(cases.len() > RULES / 2, "only {} rules", cases.len());
    for case in cases {
        let event = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART:{}\nDURATION:PT1S\nRRULE:{}\nEND:VEVENT\nEND:VCALENDAR\n",
            case.start, case.rule
        );
        let window = Span {
            start: instant(&case.from)?,
            end: instant(&case.until)?,
        };
        let busy = read_busy(event.as_bytes(), window, &TimeZone::UTC)?;
        ensure!(busy.not_understood == 0, "not understood: {case:?}");
        let mut expected: Vec<Span> = Vec::new();
        for start in &case.starts {
            let start = instant(start)?;
            let end = start + SignedDuration::from_secs(1);
            match expected.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => expected.push(Span { start, end }),
            }
        }
        ensure!(
            busy.spans == expected,
            "{} from {}: {:?}, expected {expected:?}",
            case.rule,
            case.start,
            busy.spans
        );
    }
    Ok(())
}

/// What `recur.py` tells of one rule.
#[derive(Debug, serde::Deserialize)]
struct Recurring {
    rule: String,
    start: String,
    from: String,
    until: String,
    starts: Vec<String>,
}

fn instant(text: &str) -> Result<Timestamp> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", text)?;
    Ok(civil.to_zoned(TimeZone::UTC)?.timestamp())
}

/// Invited, moved over a clock change, moved again, an old mail comes late, cancelled.
#[tokio::test]
async fn an_appointment_lives_and_ends_in_a_caldav_calendar() -> TestResult {
    let server = CalDav::start(&Readers::ensure()?).await?;
    let berlin = TimeZone::get("Europe/Berlin")?;
    let days = [date(2026, 12, 7), date(2027, 4, 7), date(2027, 10, 30)];
    let mut booked = appointment(1, Timestamp::UNIX_EPOCH);
    let mut mails = Vec::new();
    for (sequence, day) in (0..).zip(days) {
        // The last minutes of the day, so that an hour's error would show on another.
        booked.start = day.at(23, 30, 0, 0).to_zoned(berlin.clone())?.timestamp();
        booked.end = booked.start + 25.minutes();
        booked.sequence = sequence;
        mails.push(message(&booked, Method::Request, &berlin)?);
    }
    booked.sequence = 3;
    booked.cancelled = true;
    let cancelled = message(&booked, Method::Cancel, &berlin)?;

    for (mail, day) in mails.iter().zip(days) {
        assert!(server.receive(mail).await?, "the version of {day} is newer");
        for other in days {
            let found = server.on(other).await?;
            assert_eq!(
                found.len(),
                usize::from(other == day),
                "on {other}, when it is {day}"
            );
            for event in found {
                assert_eq!(text_of(&event, "UID")?, booked.uid);
                assert_eq!(text_of(&event, "STATUS")?, "CONFIRMED");
            }
        }
    }
    assert!(
        !server.receive(&mails[1]).await?,
        "an earlier version that comes late is dropped"
    );
    assert!(
        !server.receive(&mails[2]).await?,
        "so is the same one again"
    );
    assert!(server.receive(&cancelled).await?);
    assert!(!server.receive(&mails[2]).await?, "nothing brings it back");

    let left = server.on(days[2]).await?;
    assert_eq!(left.len(), 1, "one object from the beginning to the end");
    assert_eq!(text_of(&left[0], "UID")?, booked.uid);
    assert_eq!(text_of(&left[0], "STATUS")?, "CANCELLED");
    assert_eq!(text_of(&left[0], "TRANSP")?, "TRANSPARENT");
    assert_eq!(text_of(&left[0], "SEQUENCE")?, "3");
    Ok(())
}

/// What the running program really sends over a booking's life, put into a calendar in the order in which it came.
#[tokio::test]
async fn the_mails_of_a_bookings_life_end_in_the_right_state() -> TestResult {
    let server = CalDav::start(&Readers::ensure()?).await?;
    let world = World::start_with(WorldOptions {
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let guest = world.stranger()?;
    let path = "offices/gewerbe/slots?services=anmelden";
    let told = guest.call(Verb::GET, path, None).await?.success("slots")?;
    // The first time of each of three days. Not of the first: it may become too near meanwhile.
    let mut times: Vec<(jiff::civil::Date, Value)> = Vec::new();
    for slot in told["slots"].as_array().context("no slots")? {
        let day = slot["date"].as_str().context("no date")?.parse()?;
        if times.last().is_none_or(|(last, _)| *last != day) {
            times.push((day, slot["start"].clone()));
        }
    }
    ensure!(times.len() > 3, "too few days: {times:?}");
    let times = &times[1..4];

    let hold = json!({ "services": ["anmelden"], "start": times[0].1 });
    let hold = guest
        .call(Verb::POST, "offices/gewerbe/holds", Some(&hold))
        .await?
        .success("holding")?;
    let contact = json!({
        "name": "Zoë Große", "mail": "zoe@post.example", "language": "de", "privacy_accepted": true,
    });
    let request = guest
        .request(Verb::POST, "/api/v1/bookings")
        .bearer_auth(hold["token"].as_str().context("no token")?)
        .json(&contact);
    guest.send(request).await?.success("booking")?;
    let mail = world.mail("Bitte bestätigen").await?;
    let link = mail.link().context("no link")?;
    let (_, secret) = link.split_once('#').context("no secret")?;
    let act = async |what: &str, body: Option<Value>| -> Result<()> {
        let request = guest
            .request(Verb::POST, &format!("/api/v1/booking{what}"))
            .bearer_auth(secret);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        guest.send(request).await?.success(what)?;
        Ok(())
    };
    // Each letter says what is true when it is written: so each is waited for.
    act("/confirm", None).await?;
    sent_calendars(&world, 1).await?;
    for (number, (_, start)) in (2..).zip(&times[1..]) {
        act("/move", Some(json!({ "start": start }))).await?;
        sent_calendars(&world, number).await?;
    }
    act("/cancel", None).await?;
    let sent = sent_calendars(&world, 4).await?;

    let methods: Vec<&str> = sent.iter().map(|(method, _)| method.as_str()).collect();
    assert_eq!(methods, ["REQUEST", "REQUEST", "REQUEST", "CANCEL"]);
    let booked = text_of(&event_of(&sent[0].1)?, "UID")?;
    for (number, (_, object)) in sent.iter().enumerate() {
        assert!(server.receive(object).await?, "version {number} is newer");
        let now = &times[number.min(2)].0;
        for (day, _) in times {
            let found = server.on(*day).await?;
            assert_eq!(found.len(), usize::from(day == now), "on {day}");
        }
    }
    assert!(!server.receive(&sent[1].1).await?, "one that comes late");
    let left = server.on(times[2].0).await?;
    assert_eq!(left.len(), 1, "one object from the beginning to the end");
    for (name, value) in [
        ("UID", booked.as_str()),
        ("STATUS", "CANCELLED"),
        ("TRANSP", "TRANSPARENT"),
        ("SEQUENCE", "3"),
    ] {
        assert_eq!(text_of(&left[0], name)?, value, "{name}");
    }
    Ok(())
}

/// The calendar objects of all mails that came, with their methods, in the order in which they came; so many of them.
async fn sent_calendars(world: &World, count: usize) -> Result<Vec<(String, String)>> {
    eventually(&format!("{count} calendar objects"), || async {
        let mails = world.mails()?.into_iter();
        let sent: Vec<_> = mails.filter_map(|mail| mail.calendar).collect();
        Ok((sent.len() == count).then_some(sent))
    })
    .await
}
