//! Appointments whose office takes none any more, or is gone.

use jiff::SignedDuration;

use super::*;
use crate::booking::{
    ending::{clear_rooms, end, forget},
    orphans,
};

const AFTERWARDS: &str = "2026-11-25T09:20:00Z";

fn id() -> bridge::ids::BookingId {
    bridge::ids::BookingId::from_random(dice(1).id)
}

impl Stage {
    fn kept(&self, now: &str) -> Place<'_> {
        Place::kept(&self.office, at(now))
    }

    async fn has_person(&self) -> bool {
        let mut read = self.bookings.store.read().await.unwrap();
        read.booking_private(&id()).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn an_office_that_takes_no_more_keeps_its_word_to_those_who_have_booked() {
    let mut stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let other = "2026-11-25T09:00:00Z";
    let gone = stage.confirmed(2, other, "max@example.org").await;
    stage.errands().await;
    stage.office.booking = None;
    let place = stage.kept(NOW);
    assert!(stage.bookings.tell_conflicts(&place).await.unwrap());
    assert_eq!(
        stage.errands().await,
        ["line Overbooked", "line Overbooked"]
    );
    let view = stage.bookings.cancel(&place, &gone.hash(), 0).await;
    assert_eq!(view.unwrap().phase, BookingPhase::Cancelled);
    assert_eq!(
        stage.errands().await,
        [
            "mail Cancelled",
            "mail CompanionCancelled",
            "line Cancelled"
        ]
    );
    let refused = Place::new(&stage.office, at(NOW)).map(|_| ());
    assert!(matches!(refused, Err(BookingError::NotOffered)));

    let soon = stage.kept("2026-11-25T06:50:00Z");
    stage.bookings.tide(&soon).await.unwrap();
    assert_eq!(
        stage.errands().await,
        ["mail Reminder", "line Soon", "room"]
    );
    let view = stage.bookings.show(&soon, &manage.hash()).await.unwrap();
    assert!(view.check_in_from <= soon.now);
    stage
        .bookings
        .tide(&stage.kept("2026-11-25T07:10:00Z"))
        .await
        .unwrap();
    assert_eq!(stage.errands().await, ["mail NoShow", "line NoShow"]);
}

#[tokio::test]
async fn what_nobody_looks_after_is_ended_and_its_person_forgotten() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let store = &stage.bookings.store;
    // Two hours are over: whoever looks after it has had time to say that nobody came.
    end(store, Timestamp::MIN, at("2026-11-25T09:19:59Z"))
        .await
        .unwrap();
    assert_eq!(stage.errands().await, [""; 0]);
    end(store, Timestamp::MIN, at(AFTERWARDS)).await.unwrap();
    end(store, Timestamp::MIN, at(AFTERWARDS)).await.unwrap();
    assert_eq!(stage.errands().await, ["line NoShow"], "once, and no mail");
    let mut read = store.read().await.unwrap();
    let booking = read.booking(&id()).await.unwrap().unwrap();
    drop(read);
    assert_eq!(booking.ended_at, Some(booking.end));

    let day = SignedDuration::from_hours(24);
    let early = "2026-11-26T07:19:59Z";
    forget(store, at(early), day).await.unwrap();
    assert!(stage.has_person().await);
    forget(store, at("2026-11-26T07:20:00Z"), day)
        .await
        .unwrap();
    assert!(!stage.has_person().await);
}

/// Whoever could not come is given time before anybody says that nobody came.
#[tokio::test]
async fn what_lay_in_an_outage_is_not_ended_with_the_end_of_it() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let (store, since) = (&stage.bookings.store, at("2026-11-25T14:00:00Z"));
    for (now, told) in [
        ("2026-11-25T14:00:00Z", [].as_slice()),
        ("2026-11-25T15:59:59Z", &[]),
        ("2026-11-25T16:00:00Z", &["line NoShow"]),
    ] {
        end(store, since, at(now)).await.unwrap();
        assert_eq!(stage.errands().await, told, "at {now}");
    }
}

#[tokio::test]
async fn at_an_office_that_is_gone_one_can_look_and_cancel() {
    let stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let former = OfficeConfig::former(&stage.office.slug, &stage.city.zone);
    let place = Place::kept(&former, at(NOW));
    let view = stage.bookings.show(&place, &manage.hash()).await.unwrap();
    assert_eq!(view.phase, BookingPhase::Confirmed);
    assert_eq!(view.civil, jiff::civil::date(2026, 11, 25).at(8, 0, 0, 0));
    let view = stage.bookings.cancel(&place, &manage.hash(), 0).await;
    assert_eq!(view.unwrap().phase, BookingPhase::Cancelled);
}

#[tokio::test]
async fn it_is_told_which_appointments_nobody_looks_after_and_nothing_of_whose_they_are() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let told = async |city: &City, has_mail, now| {
        let orphans = orphans(&stage.bookings.store, city, has_mail, at(now));
        let orphans = orphans.await.unwrap();
        orphans.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let mut city = (*stage.city).clone();
    assert_eq!(told(&city, true, NOW).await, [""; 0]);
    let begins = "gewerbe has appointments to come (1), but ";
    let without_mail = told(&city, false, NOW).await;
    assert!(without_mail[0].starts_with(&format!("{begins}the configuration has no [mail]")));
    let office = city
        .offices
        .iter_mut()
        .find(|office| office.slug == stage.office.slug);
    office.unwrap().booking = None;
    let without_terms = told(&city, true, NOW).await;
    assert!(without_terms[0].starts_with(&format!("{begins}it takes none any more")));
    city.offices
        .retain(|office| office.slug != stage.office.slug);
    let without_office = told(&city, true, NOW).await;
    assert!(without_office[0].starts_with(&format!("{begins}the city's file has no such office")));
    assert_eq!(told(&city, true, AFTERWARDS).await, [""; 0]);
}

#[tokio::test]
async fn rooms_that_stood_ready_in_vain_are_erased_by_the_outbox() {
    let stage = Stage::new().await;
    let store = &stage.bookings.store;
    let mut made = Vec::new();
    for (number, hour) in (1..=3).zip(["08:00", "09:00", "10:00"]) {
        let start = format!("2026-11-25T{hour}:00Z");
        let mail = format!("e{number}@example.org");
        made.push(stage.confirmed(number, &start, &mail).await);
        let id = bridge::ids::BookingId::from_random(dice(number).id);
        let mut tx = store.begin().await.unwrap();
        let room = format!("!room{number}:dormagen.example");
        tx.set_booking_room(&id, Some(&room)).await.unwrap();
        tx.commit().await.unwrap();
    }
    // The first is cancelled, to the second nobody comes, and the third is still to be.
    let place = stage.place(NOW);
    let cancelled = stage.bookings.cancel(&place, &made[0].hash(), 0).await;
    assert!(cancelled.is_ok());
    let missed = stage.place("2026-11-25T09:30:00Z");
    stage.bookings.tide(&missed).await.unwrap();
    stage.errands().await;
    clear_rooms(store, missed.now).await.unwrap();
    clear_rooms(store, missed.now).await.unwrap();
    assert_eq!(
        stage.errands().await,
        [
            "erase !room1:dormagen.example",
            "erase !room2:dormagen.example"
        ],
        "each once"
    );
    let third = bridge::ids::BookingId::from_random(dice(3).id);
    let left = store
        .read()
        .await
        .unwrap()
        .booking_room(&third)
        .await
        .unwrap();
    assert_eq!(left.as_deref(), Some("!room3:dormagen.example"));
}
