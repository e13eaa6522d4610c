//! What time and the city's file do to bookings.

use std::{collections::BTreeMap, sync::Arc};

use bridge::ids::{BookingId, Language};
use city::model::Localized;
use jiff::SignedDuration;
use texts::Catalogue;

use super::{NOW, Stage, WEDNESDAY, at, dice, open};
use crate::words::Words;

/// What is to be done once it is `now`, each with the day and the time.
async fn comes_due(stage: &Stage, now: &str) -> Vec<String> {
    stage.bookings.tide(&stage.place(now)).await.unwrap();
    let errands = stage.errands().await.into_iter();
    let at = |errand| format!("{} {errand}", &now[8..16]);
    errands.map(at).collect()
}

#[tokio::test]
async fn time_reminds_tells_and_gives_up() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let mut told = Vec::new();
    for now in [
        "2026-11-24T06:59:00Z",
        "2026-11-24T07:00:00Z",
        "2026-11-24T07:00:10Z",
        "2026-11-25T06:00:00Z",
        "2026-11-25T06:45:00Z",
        "2026-11-25T07:09:59Z",
        "2026-11-25T07:10:00Z",
        "2026-11-25T08:00:00Z",
    ] {
        told.extend(comes_due(&stage, now).await);
    }
    assert_eq!(
        told,
        [
            "24T07:00 mail Reminder",
            "25T06:00 mail Reminder",
            "25T06:45 line Soon",
            "25T06:45 room",
            "25T07:10 mail NoShow",
            "25T07:10 line NoShow",
        ]
    );
}

/// "We waited for you" is said to nobody who could not come, nor is anybody reminded of what has begun.
#[tokio::test]
async fn whose_time_fell_into_an_outage_is_given_time_after_it() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let later = "2026-11-25T08:00:00Z";
    stage.confirmed(2, later, "max@example.org").await;
    stage.errands().await;
    // Down from the evening before until half an hour after the first one's start.
    let mut told = Vec::new();
    for now in [
        "2026-11-25T07:30:00Z",
        "2026-11-25T07:31:00Z",
        "2026-11-25T07:33:00Z",
        "2026-11-25T07:35:00Z",
        "2026-11-25T07:37:00Z",
        "2026-11-25T07:39:00Z",
        "2026-11-25T07:40:00Z",
        "2026-11-25T07:42:00Z",
        "2026-11-25T07:44:00Z",
        "2026-11-25T07:46:00Z",
    ] {
        stage.bookings.reachable.seen(at(now));
        stage.bookings.tide(&stage.place(now)).await.unwrap();
        for errand in stage.errands().await {
            told.push(format!("{} {errand}", &now[11..16]));
        }
    }
    assert_eq!(
        told,
        [
            "07:30 line Soon",
            "07:30 room",
            "07:30 mail Reminder",
            "07:40 mail Outage",
            "07:40 line NoShow",
            "07:46 line Soon",
            "07:46 room",
        ]
    );
}

#[tokio::test]
async fn who_books_late_is_not_reminded_of_what_the_invitation_says() {
    let stage = Stage::new().await;
    // Two hours ahead: the reminder of the day before is past.
    let start = "2026-11-23T08:00:00Z";
    stage.confirmed(1, start, "erika@example.org").await;
    stage.errands().await;
    stage
        .bookings
        .tide(&stage.place("2026-11-23T06:00:30Z"))
        .await
        .unwrap();
    assert_eq!(stage.errands().await, [""; 0]);
    stage
        .bookings
        .tide(&stage.place("2026-11-23T07:00:01Z"))
        .await
        .unwrap();
    assert_eq!(stage.errands().await, ["mail Reminder"]);
}

/// The city's file is changed while bookings are half reminded.
#[tokio::test]
async fn other_reminders_repeat_none_and_leave_none_out() {
    let mut stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let mut told = Vec::new();
    for (now, hours) in [
        ("2026-11-24T07:00:10Z", [24, 1].as_slice()),
        // One fewer: what comes next is not taken for what was said.
        ("2026-11-24T08:00:00Z", &[1]),
        ("2026-11-25T06:00:10Z", &[1]),
        // One more, and its time is over.
        ("2026-11-25T06:30:00Z", &[24, 3, 1]),
        ("2026-11-25T06:45:00Z", &[24, 3, 1]),
        ("2026-11-25T06:50:00Z", &[24, 3, 2, 1]),
    ] {
        let hours = hours.iter().copied().map(SignedDuration::from_hours);
        stage.office.booking.as_mut().unwrap().reminders = hours.collect();
        told.extend(comes_due(&stage, now).await);
    }
    assert_eq!(
        told,
        [
            "24T07:00 mail Reminder",
            "25T06:00 mail Reminder",
            "25T06:45 line Soon",
            "25T06:45 room",
        ]
    );
}

/// Of rows that were written before, the count alone is known.
#[tokio::test]
async fn what_was_counted_before_is_not_said_again() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let mut tx = stage.bookings.store.begin().await.unwrap();
    let id = BookingId::from_random(dice(1).id);
    let mut booking = tx.booking(&id).await.unwrap().unwrap();
    booking.reminded = 1;
    tx.save_booking(&booking).await.unwrap();
    tx.commit().await.unwrap();
    let place = stage.place("2026-11-24T08:00:00Z");
    assert!(!stage.bookings.tide(&place).await.unwrap());
    let place = stage.place("2026-11-25T06:00:00Z");
    assert!(stage.bookings.tide(&place).await.unwrap());
    assert_eq!(stage.errands().await, ["mail Reminder"]);
}

#[tokio::test]
async fn the_days_appointments_are_told_once_in_the_morning() {
    let mut stage = Stage::new().await;
    let words = Words(Arc::new(Catalogue::load()));
    let told = async |stage: &Stage, now: &str| {
        let place = stage.place(now);
        let any = stage.bookings.morning(&words, Language::De, &place).await;
        let told = stage.errands().await;
        assert_eq!(any.unwrap(), !told.is_empty());
        told
    };
    let late = stage
        .confirmed(1, "2026-11-25T08:00:00Z", "max@example.org")
        .await;
    let early = stage.confirmed(2, WEDNESDAY, "erika@example.org").await;
    let gone = stage
        .confirmed(3, "2026-11-25T09:00:00Z", "eva@example.org")
        .await;
    stage
        .bookings
        .cancel(&stage.place(NOW), &gone.hash(), 0)
        .await
        .unwrap();
    // Which language and what for is told to whoever talks to her; the list says that there is something to arrange.
    let id = BookingId::from_random(dice(2).id);
    let mut tx = stage.bookings.store.begin().await.unwrap();
    let mut private = tx.booking_private(&id).await.unwrap().unwrap();
    private.interpreter = Some("Dari".to_owned());
    private.accessibility = Some("Ich höre schlecht".to_owned());
    tx.put_booking_private(&id, &private).await.unwrap();
    tx.commit().await.unwrap();
    stage.errands().await;
    let mut codes = Vec::new();
    for token in [early, late] {
        let view = stage.bookings.show(&stage.place(NOW), &token.hash()).await;
        codes.push(view.unwrap().code);
    }

    // Nothing on Tuesday, and on Wednesday not before seven by the clock in Dormagen.
    assert_eq!(told(&stage, "2026-11-24T08:00:00Z").await, [""; 0]);
    assert_eq!(told(&stage, "2026-11-25T05:59:59Z").await, [""; 0]);
    assert_eq!(
        told(&stage, "2026-11-25T06:00:00Z").await,
        [format!(
            "📅 Termine am Mittwoch, 25. November:\n\
             08:00–08:20 · {} · Gewerbe anmelden · Deutsch · Dolmetschen gewünscht · Unterstützung gewünscht\n\
             09:00–09:20 · {} · Gewerbe anmelden · Deutsch",
            codes[0], codes[1]
        )]
    );
    assert_eq!(told(&stage, "2026-11-25T06:00:10Z").await, [""; 0]);
    // Nor when the program starts once more that day; the next day is another one.
    stage.bookings.store = open(&stage.folder).await;
    assert_eq!(told(&stage, "2026-11-25T15:00:00Z").await, [""; 0]);
    assert_eq!(told(&stage, "2026-11-26T06:00:00Z").await, [""; 0]);
}

/// A homeserver refuses an event of more than 64 KiB for good.
#[tokio::test]
async fn a_long_day_is_told_in_several_messages() {
    let mut stage = Stage::new().await;
    let long = "Gewerbe anmelden ".repeat(600);
    stage.office.services[0].name = Localized::new(long.trim(), BTreeMap::new());
    assert_eq!(stage.office.services[0].id.as_str(), "anmelden");
    for number in 0..8 {
        let minutes = 30 * number;
        let start = at(WEDNESDAY) + SignedDuration::from_mins(minutes);
        let mail = format!("person{number}@example.org");
        let number = u64::try_from(number).unwrap();
        stage.confirmed(number, &start.to_string(), &mail).await;
    }
    stage.errands().await;
    let words = Words(Arc::new(Catalogue::load()));
    let place = stage.place("2026-11-25T06:00:00Z");
    let told = stage.bookings.morning(&words, Language::De, &place).await;
    assert!(told.unwrap());
    let told = stage.errands().await;
    assert!(told.len() > 1 && told.iter().all(|text| text.len() < 20_000));
    let lines: Vec<&str> = told.iter().flat_map(|text| text.lines()).collect();
    assert_eq!(lines.len(), 9, "a heading and a line for each");
    assert!(lines[8].starts_with("11:30"));
}
