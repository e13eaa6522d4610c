//! Desks' own calendars, from a server that is well, unwell and hostile.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect},
    routing::get,
};
use city::model::DeskCalendar;
use gateway::appointments::{BookingError, BookingPhase, SlotQuery, SlotView};
use jiff::Timestamp;
use scheduler::{ics::ReadError, slots::Span};
use store::BusyCalendar;
use tokio::net::TcpListener;

use super::{House, NOW, Place, Stage, WEDNESDAY, at, contact, dice};
use crate::{
    booking::busy::{Asked, CalendarError, Calendars, forget_others, round},
    city_files::CityInForce,
    config,
    outward::OutwardError,
    shell,
};

/// Wednesday from 8:00 to 9:00 in Dormagen, and every week from then on.
const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n\
    DTSTAMP:20261101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20261125T080000\r\nDTEND;TZID=Europe/Berlin:20261125T090000\r\n\
    RRULE:FREQ=WEEKLY\r\nSUMMARY:Zahnarzt\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// A calendar server, on this machine.
async fn serve() -> String {
    let endless = || async {
        let chunks = futures_util::stream::repeat("X:y\r\n".repeat(10_000));
        let chunks = futures_util::StreamExt::map(chunks, Ok::<_, std::convert::Infallible>);
        Body::from_stream(chunks)
    };
    let router = Router::new()
        .route(
            "/good.ics",
            get(|| async { ([(header::CONTENT_TYPE, "text/calendar")], CALENDAR) }),
        )
        .route(
            "/moved.ics",
            get(|| async { Redirect::permanent("/good.ics") }),
        )
        .route(
            "/round.ics",
            get(|| async { Redirect::temporary("/round.ics") }),
        )
        .route(
            "/inside.ics",
            get(|| async { Redirect::temporary("http://169.254.169.254/latest") }),
        )
        .route(
            "/page.ics",
            get(|| async { "<!doctype html><p>Bitte anmelden" }),
        )
        .route("/endless.ics", get(endless))
        .route(
            "/no.ics",
            get(|| async { StatusCode::FORBIDDEN.into_response() }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn calendars(allowed: &[&str]) -> Calendars {
    Calendars::new(&config::Calendars {
        allowed_networks: allowed.iter().map(|net| net.parse().unwrap()).collect(),
        ca_file: None,
    })
    .unwrap()
}

fn anna(url: String) -> DeskCalendar {
    DeskCalendar {
        name: "anna".to_owned(),
        url,
    }
}

#[tokio::test]
async fn a_busy_desk_cannot_be_booked() {
    let mut stage = Stage::new().await;
    let server = serve().await;
    let calendar = anna(format!("{server}/moved.ics"));
    stage.office.booking.as_mut().unwrap().calendars = vec![calendar.clone()];
    let place = stage.place(NOW);
    let zone = place.office.hours.zone.clone();
    let times = calendars(&["127.0.0.0/8"])
        .read(&calendar, place.calendar_window(), zone)
        .await
        .unwrap();
    assert_eq!(times.not_understood, 0);
    assert_eq!(times.spans[0].start, at(WEDNESDAY));
    assert!(times.spans.len() > 5, "it repeats");

    let query = SlotQuery {
        services: vec!["anmelden".parse().unwrap()],
        from: Some("2026-11-25".parse().unwrap()),
        days: 1,
    };
    let first = async || {
        let offer = stage
            .bookings
            .slots(&stage.place(NOW), &query)
            .await
            .unwrap();
        offer.slots[0].start
    };
    assert_eq!(first().await, at(WEDNESDAY));
    let known = BusyCalendar {
        name: "anna".to_owned(),
        spans: times.spans,
        fetched_at: at(NOW),
    };
    let mut tx = stage.bookings.store.begin().await.unwrap();
    tx.put_busy_calendar(&stage.office.slug, &known)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(first().await, at("2026-11-25T08:00:00Z"));
    let refused = stage.hold(1, WEDNESDAY, NOW).await;
    assert!(matches!(refused, Err(BookingError::NoSuchTime { .. })));

    // The city names it no longer.
    stage.office.booking.as_mut().unwrap().calendars.clear();
    assert!(stage.hold(2, WEDNESDAY, NOW).await.is_ok());
}

#[tokio::test]
async fn a_calendar_that_is_none_says_why_and_nothing_of_itself() {
    use CalendarError::{Content, Server};

    let stage = Stage::new().await;
    let server = serve().await;
    let place = stage.place(NOW);
    let read = async |calendars: Arc<Calendars>, url: String| {
        let zone = place.office.hours.zone.clone();
        calendars
            .read(&anna(url), place.calendar_window(), zone)
            .await
            .unwrap_err()
    };
    let local = Arc::new(calendars(&["127.0.0.0/8"]));
    let strict = Arc::new(calendars(&[]));
    let fault = |name: &str| read(Arc::clone(&local), format!("{server}/{name}.ics"));
    assert!(matches!(fault("round").await, Server(OutwardError::Away)));
    assert!(matches!(
        fault("inside").await,
        Server(OutwardError::Forbidden)
    ));
    assert!(matches!(
        fault("no").await,
        Server(OutwardError::Refused(403))
    ));
    assert!(matches!(
        fault("endless").await,
        Server(OutwardError::Malformed)
    ));
    let page = fault("page").await;
    assert!(matches!(
        page,
        Content(ReadError::Form | ReadError::Structure)
    ));
    assert!(!page.to_string().contains("anmelden"));
    let own = read(strict, format!("{server}/good.ics")).await;
    assert!(matches!(own, Server(OutwardError::Forbidden)));
}

#[tokio::test]
async fn a_desk_that_becomes_busy_at_a_booked_time_is_told_and_nothing_is_dropped() {
    let mut stage = Stage::new().await;
    stage.office.booking.as_mut().unwrap().calendars = vec![DeskCalendar {
        name: "Anna".to_owned(),
        url: "https://kalender.example/anna.ics".to_owned(),
    }];
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let told = async |spans: &[(&str, &str)]| {
        let known = BusyCalendar {
            name: "Anna".to_owned(),
            spans: spans
                .iter()
                .map(|(start, end)| Span {
                    start: at(start),
                    end: at(end),
                })
                .collect(),
            fetched_at: at(NOW),
        };
        let place = stage.place(NOW);
        let mut tx = stage.bookings.store.begin().await.unwrap();
        tx.put_busy_calendar(&place.office.slug, &known)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        stage.bookings.tell_conflicts(&place).await.unwrap();
        stage.errands().await
    };
    let after = ("2026-11-25T09:00:00Z", "2026-11-25T10:00:00Z");
    let during = (WEDNESDAY, "2026-11-25T08:00:00Z");
    assert_eq!(told(&[after]).await, [""; 0]);
    assert_eq!(told(&[during, after]).await, ["line Overbooked"]);
    assert_eq!(told(&[during]).await, [""; 0], "once");
    let view = stage
        .bookings
        .show(&stage.place(NOW), &manage.hash())
        .await
        .unwrap();
    assert_eq!(view.phase, BookingPhase::Confirmed);
    // Free again, and busy once more: news again.
    assert_eq!(told(&[]).await, [""; 0]);
    assert_eq!(told(&[during]).await, ["line Overbooked"]);
}

/// A desk's calendar as somebody keeps it; `None`: its server is unwell.
#[derive(Clone)]
struct Kept(Arc<Mutex<Option<String>>>);

impl Kept {
    /// Its address.
    async fn serve(&self) -> String {
        let kept = self.clone();
        let answer = move || async move {
            let text = kept.0.lock().unwrap().clone();
            text.ok_or(StatusCode::BAD_GATEWAY)
        };
        let router = Router::new().route("/anna.ics", get(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/anna.ics")
    }

    fn says(&self, text: &str) {
        *self.0.lock().unwrap() = Some(text.to_owned());
    }

    /// It has an entry for each of these times.
    fn is_busy(&self, times: &[&SlotView]) {
        let utc = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN"];
        let mut lines: Vec<String> = head.map(str::to_owned).into();
        for (number, time) in times.iter().enumerate() {
            lines.extend([
                "BEGIN:VEVENT".to_owned(),
                format!("UID:{number}"),
                "DTSTAMP:20261101T000000Z".to_owned(),
                format!("DTSTART:{}", utc(time.start)),
                format!("DTEND:{}", utc(time.end)),
                "SUMMARY:Zahnarzt".to_owned(),
                "END:VEVENT".to_owned(),
            ]);
        }
        lines.push("END:VCALENDAR\r\n".to_owned());
        self.says(&lines.join("\r\n"));
    }

    fn is_away(&self) {
        *self.0.lock().unwrap() = None;
    }
}

/// The demo city, with this calendar for a desk of the trade office.
fn city_with_calendar(folder: &Path, url: &str) -> CityInForce {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/dormagen");
    for entry in fs::read_dir(&demo).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "city.toml" {
            std::os::unix::fs::symlink(
                entry.path().canonicalize().unwrap(),
                folder.join(entry.file_name()),
            )
            .unwrap();
        }
    }
    let desks = "[offices.gewerbe.booking.desks]";
    let city = fs::read_to_string(demo.join("city.toml")).unwrap();
    let with = format!("[offices.gewerbe.booking.calendars]\nanna = \"{url}\"\n\n{desks}");
    let path = folder.join("city.toml");
    fs::write(&path, city.replace(desks, &with)).unwrap();
    CityInForce::read(&path, "dormagen.example").unwrap()
}

/// From the city's file to the times that citizens are offered and what clerks read, and back.
#[tokio::test]
async fn a_desks_calendar_is_followed_and_what_it_said_last_holds() {
    let mut stage = Stage::new().await;
    let kept = Kept(Arc::default());
    let folder = tempfile::tempdir().unwrap();
    stage.city_files = city_with_calendar(folder.path(), &kept.serve().await);
    stage.city = stage.city_files.get();
    stage.office = stage.city.office(&stage.office.slug).unwrap().clone();
    let mut house = stage.house();
    let services = vec!["anmelden".parse().unwrap()];
    let query = SlotQuery {
        services: services.clone(),
        from: None,
        days: 30,
    };
    let place = Place::new(&stage.office, shell::now()).unwrap();
    let free = async || stage.bookings.slots(&place, &query).await.unwrap().slots;
    // At a time with one desk somebody has an appointment, and a later one is free.
    let tomorrow = place.now + jiff::SignedDuration::from_hours(24);
    let mut alone = free().await;
    alone.retain(|slot| slot.free == 1 && slot.start > tomorrow);
    let (booked, wanted) = (alone[0], alone[8]);
    let hold = stage
        .bookings
        .hold(&place, &services, booked.start, &dice(1))
        .await;
    let token = hold.unwrap().token.hash();
    let contact = contact("erika@example.org");
    assert!(stage.bookings.book(&place, &token, contact).await.is_ok());
    let id = bridge::ids::BookingId::from_random(dice(1).id);
    let manage = stage.bookings.key.manage(&id).hash();
    assert!(stage.bookings.confirm(&place, &manage).await.is_ok());
    stage.errands().await;
    let is_free = async || free().await.iter().any(|slot| slot.start == wanted.start);
    // As if the time until the next look had passed.
    let look = async |house: &House| {
        let calendars = calendars(&["127.0.0.0/8"]);
        round(house, &calendars, &mut Asked::new()).await.unwrap();
    };

    kept.is_away();
    look(&house).await;
    assert!(is_free().await, "nothing is known of the desk");
    kept.is_busy(&[&booked, &wanted]);
    round(&house, &calendars(&[]), &mut Asked::new())
        .await
        .unwrap();
    assert!(is_free().await, "this network is not to be asked");
    look(&house).await;
    assert!(!is_free().await);
    assert_eq!(stage.errands().await, ["line Overbooked"]);
    look(&house).await;
    assert_eq!(stage.errands().await, [""; 0], "once");

    kept.is_away();
    look(&house).await;
    assert!(!is_free().await, "a server that is away frees no desk");
    kept.says("<!doctype html><p>Bitte anmelden");
    look(&house).await;
    assert!(!is_free().await, "nor one that sends something else");
    let hold = stage
        .bookings
        .hold(&place, &services, wanted.start, &dice(2))
        .await;
    assert!(matches!(hold, Err(BookingError::NoSuchTime { .. })));
    kept.is_busy(&[]);
    look(&house).await;
    assert!(is_free().await);

    // The city's file no longer names it.
    kept.is_busy(&[&wanted]);
    look(&house).await;
    house.city = Stage::new().await.city_files;
    forget_others(&house, &house.city.get()).await.unwrap();
    let mut read = stage.bookings.store.read().await.unwrap();
    assert_eq!(read.busy_calendars(&stage.office.slug).await.unwrap(), []);
}
