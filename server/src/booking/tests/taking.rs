//! Times are held and booked, moved and given up, each as often as there is room for it.

use std::sync::Arc;

use city::model::OfficeConfig;
use gateway::appointments::{BookingError, BookingPhase, Hold, Holder, SlotQuery, Token};
use scheduler::slots::Refused;

use super::{NOW, Stage, WEDNESDAY, at, contact, dice};
use crate::{
    booking::{Letter, News, reappears_from},
    house::House,
    projection,
    task::{Errand, Task},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_at_once_one_gets_the_place_and_all_others_an_answer() {
    let stage = Arc::new(Stage::new().await);
    let mut attempts = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let stage = Arc::clone(&stage);
        attempts.spawn(async move {
            loop {
                match stage.hold(number, WEDNESDAY, NOW).await {
                    // On a slow machine somebody waits for too long, is told so, and comes again.
                    Err(BookingError::Busy) => {}
                    decided => return decided,
                }
            }
        });
    }
    let mut won = 0;
    for outcome in attempts.join_all().await {
        match outcome {
            Ok(_) => won += 1,
            Err(BookingError::NoSuchTime { reason, nearest }) => {
                assert_eq!(reason, Refused::Full);
                assert_eq!(nearest.len(), 6);
                assert!(nearest.iter().all(|slot| slot.start != at(WEDNESDAY)));
            }
            Err(other) => unreachable!("{other:?}"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_booking_is_made_moved_and_cancelled() {
    let stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let token = manage.hash();
    assert_eq!(
        stage.errands().await,
        ["mail Confirm", "mail Booked", "mail Companion", "line New"]
    );
    let place = stage.place(NOW);
    let later = "2026-11-25T08:15:00Z";
    let moved = stage
        .bookings
        .reschedule(&place, &token, at(later), 0)
        .await
        .unwrap();
    assert_eq!((moved.start, moved.code.len()), (at(later), 4));
    let again = stage.bookings.cancel(&place, &token, 0).await.unwrap();
    assert_eq!(again.phase, BookingPhase::Cancelled);
    let twice = stage.bookings.cancel(&place, &token, 0).await.unwrap();
    assert_eq!(twice.phase, BookingPhase::Cancelled);
    assert_eq!(
        stage.errands().await,
        [
            "mail Moved",
            "mail CompanionMoved",
            "line Moved",
            "mail Cancelled",
            "mail CompanionCancelled",
            "line Cancelled"
        ]
    );
    let mut read = stage.bookings.store.read().await.unwrap();
    let booking = read
        .booking_of_token(token.as_str())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(booking.sequence, 2, "each change that calendars learn of");
}

#[tokio::test]
async fn the_room_says_where_appointments_are_booked() {
    let stage = Stage::new().await;
    let mut house = stage.house();
    let page = |house: &House, office: &OfficeConfig| {
        projection::office_state(house, office)["booking_page"].clone()
    };
    let here = "https://vorzimmer.example/buero/gewerbe/termin";
    assert_eq!(page(&house, &stage.office), here);
    let mut elsewhere = stage.office.clone();
    elsewhere.booking = None;
    elsewhere.booking_page = Some("https://termine.example/".to_owned());
    assert_eq!(page(&house, &elsewhere), "https://termine.example/");
    house.bookings = None;
    assert!(page(&house, &stage.office).is_null(), "without mail");
}

#[tokio::test]
async fn a_given_up_place_comes_back_after_a_while() {
    let stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    // The dice say: at the earliest, five minutes from now.
    stage
        .bookings
        .cancel(&stage.place(NOW), &manage.hash(), 0)
        .await
        .unwrap();
    let soon = stage.hold(2, WEDNESDAY, "2026-11-23T06:04:59Z").await;
    assert!(matches!(soon, Err(BookingError::NoSuchTime { .. })));
    assert!(
        stage
            .hold(3, WEDNESDAY, "2026-11-23T06:05:00Z")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_move_to_a_taken_time_changes_nothing() {
    let stage = Stage::new().await;
    let one = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let other = "2026-11-25T08:00:00Z";
    stage.confirmed(2, other, "max@example.org").await;
    let place = stage.place(NOW);
    let refused = stage
        .bookings
        .reschedule(&place, &one.hash(), at(other), 0)
        .await;
    assert!(matches!(refused, Err(BookingError::NoSuchTime { .. })));
    let view = stage.bookings.show(&place, &one.hash()).await.unwrap();
    assert_eq!(
        (view.start, view.phase),
        (at(WEDNESDAY), BookingPhase::Confirmed)
    );
    let query = SlotQuery {
        services: vec!["anmelden".parse().unwrap()],
        from: Some("2026-11-25".parse().unwrap()),
        days: 1,
    };
    let offer = stage.bookings.slots(&place, &query).await.unwrap();
    assert!(offer.slots.iter().all(|slot| slot.start != at(WEDNESDAY)));
}

#[tokio::test]
async fn what_is_not_confirmed_in_time_lapses() {
    let stage = Stage::new().await;
    let hold = stage.hold(1, WEDNESDAY, NOW).await.unwrap();
    let lapsed = stage
        .bookings
        .book(
            &stage.place("2026-11-23T06:10:00Z"),
            &hold.token.hash(),
            contact("a@example.org"),
        )
        .await;
    assert!(matches!(lapsed, Err(BookingError::Lapsed)));
    let hold = stage
        .hold(2, WEDNESDAY, "2026-11-23T06:10:00Z")
        .await
        .unwrap();
    let now = stage.place("2026-11-23T06:11:00Z");
    stage
        .bookings
        .book(&now, &hold.token.hash(), contact("a@example.org"))
        .await
        .unwrap();
    let manage = stage
        .bookings
        .key
        .manage(&bridge::ids::BookingId::from_random(dice(2).id));
    let late = stage.place("2026-11-23T06:41:00Z");
    let refused = stage.bookings.confirm(&late, &manage.hash()).await;
    assert!(matches!(refused, Err(BookingError::Lapsed)));
    assert_eq!(
        stage
            .bookings
            .show(&late, &manage.hash())
            .await
            .unwrap()
            .phase,
        BookingPhase::Expired
    );
    // Nobody foresees when its place can be had: between five minutes and half an hour later.
    let soon = stage.hold(3, WEDNESDAY, "2026-11-23T06:45:59Z").await;
    assert!(matches!(soon, Err(BookingError::NoSuchTime { .. })));
    assert!(
        stage
            .hold(4, WEDNESDAY, "2026-11-23T07:11:00Z")
            .await
            .is_ok()
    );
}

/// The answer was lost on its way, and the page sends the form again.
#[tokio::test]
async fn what_is_booked_once_more_is_the_same_booking() {
    let mut stage = Stage::new().await;
    for (number, confirm, start) in [(1, true, WEDNESDAY), (2, false, "2026-11-25T08:00:00Z")] {
        stage.office.booking.as_mut().unwrap().confirm_mail = confirm;
        let hold = stage.hold(number, start, NOW).await.unwrap();
        let token = hold.token.hash();
        let book = async |mail, now| {
            let place = stage.place(now);
            stage.bookings.book(&place, &token, contact(mail)).await
        };
        let first = book("erika@example.org", NOW).await.unwrap();
        let told = stage.errands().await;
        assert!(!told.is_empty());
        for (mail, now) in [
            ("erika@example.org", NOW),
            // What was filled in first counts.
            ("max@example.org", "2026-11-23T06:19:59Z"),
        ] {
            let again = book(mail, now).await.unwrap();
            assert!(again.view == first.view && again.token == first.token);
        }
        assert_eq!(stage.errands().await, [""; 0]);
        let late = book("erika@example.org", "2026-11-23T06:20:00Z").await;
        assert!(matches!(late, Err(BookingError::Lapsed)));
        let opened = stage.bookings.show(&stage.place(NOW), &token).await;
        assert!(matches!(opened, Err(BookingError::UnknownBooking)));
    }
    let id = bridge::ids::BookingId::from_random(dice(1).id);
    let mut read = stage.bookings.store.read().await.unwrap();
    let private = read.booking_private(&id).await.unwrap().unwrap();
    assert_eq!(private.mail, "erika@example.org");
}

#[tokio::test]
async fn what_was_cancelled_is_not_booked_once_more() {
    let stage = Stage::new().await;
    let hold = stage.hold(1, WEDNESDAY, NOW).await.unwrap();
    let place = stage.place(NOW);
    let book = async || {
        let token = hold.token.hash();
        let contact = contact("erika@example.org");
        stage.bookings.book(&place, &token, contact).await
    };
    book().await.unwrap();
    let id = bridge::ids::BookingId::from_random(dice(1).id);
    let manage = stage.bookings.key.manage(&id).hash();
    stage.bookings.cancel(&place, &manage, 0).await.unwrap();
    assert!(matches!(book().await, Err(BookingError::Lapsed)));
}

#[tokio::test]
async fn what_was_held_before_its_start_is_not_booked_after_it() {
    let mut stage = Stage::new().await;
    stage.office.booking.as_mut().unwrap().rules.min_notice = jiff::SignedDuration::ZERO;
    let hold = stage.hold(1, WEDNESDAY, "2026-11-25T06:55:00Z").await;
    let hold = hold.unwrap();
    assert_eq!(hold.expires_at, at(WEDNESDAY), "not for ten minutes");
    // One that is said to last longer is of no use either.
    let id = bridge::ids::BookingId::from_random(dice(1).id);
    let mut tx = stage.bookings.store.begin().await.unwrap();
    let mut booking = tx.booking(&id).await.unwrap().unwrap();
    booking.expires_at = Some(at("2026-11-25T07:05:00Z"));
    tx.save_booking(&booking).await.unwrap();
    tx.commit().await.unwrap();
    let late = stage.place(WEDNESDAY);
    let token = hold.token.hash();
    let refused = stage
        .bookings
        .book(&late, &token, contact("erika@example.org"))
        .await;
    let Err(BookingError::NoSuchTime { reason, nearest }) = refused else {
        unreachable!("it has begun")
    };
    assert_eq!((reason, nearest.len()), (Refused::Past, 6));
}

/// A clock can be set back, and a task can wait for its turn to write while a hold lapses.
#[tokio::test]
async fn what_lapsed_by_another_clock_and_was_taken_is_not_booked_twice() {
    let stage = Stage::new().await;
    let manage = |number| {
        let id = bridge::ids::BookingId::from_random(dice(number).id);
        stage.bookings.key.manage(&id).hash()
    };
    let book = async |hold: &Hold, mail, now| {
        let place = stage.place(now);
        let token = hold.token.hash();
        stage.bookings.book(&place, &token, contact(mail)).await
    };
    let before = "2026-11-23T06:09:59Z";
    let first = stage.hold(1, WEDNESDAY, NOW).await.unwrap();
    let second = stage.hold(2, WEDNESDAY, "2026-11-23T06:10:00Z").await;
    let lost = book(&first, "erika@example.org", before).await;
    let Err(BookingError::NoSuchTime { reason, nearest }) = lost else {
        unreachable!("the first hold has no place any more")
    };
    assert_eq!((reason, nearest.len()), (Refused::Full, 6));

    // The same with a booking that is to be confirmed: it has until 06:40, and its place comes back by 07:10.
    let second = second.unwrap();
    book(&second, "max@example.org", "2026-11-23T06:10:00Z")
        .await
        .unwrap();
    let third = stage.hold(3, WEDNESDAY, "2026-11-23T07:10:00Z").await;
    let place = stage.place("2026-11-23T06:39:59Z");
    let lost = stage.bookings.confirm(&place, &manage(2)).await;
    assert!(matches!(lost, Err(BookingError::NoSuchTime { .. })));
    let view = stage.bookings.show(&place, &manage(2)).await.unwrap();
    assert_eq!(view.phase, BookingPhase::Expired);

    // What nobody has taken meanwhile is still had.
    let third = third.unwrap();
    let fourth = stage.hold(4, WEDNESDAY, "2026-11-23T07:20:00Z").await;
    let token = fourth.unwrap().token.hash();
    stage.bookings.let_go(&token).await.unwrap();
    let booked = book(&third, "eva@example.org", "2026-11-23T07:19:59Z").await;
    assert!(booked.is_ok());
    assert!(stage.hold(5, WEDNESDAY, NOW).await.is_err());
}

#[tokio::test]
async fn places_that_were_not_confirmed_come_back_each_after_a_time_of_its_own() {
    let stage = Stage::new().await;
    let mut times = std::collections::BTreeSet::new();
    for number in 0..8 {
        let id = bridge::ids::BookingId::from_random(dice(number).id);
        let chance = stage.bookings.key.chance(&id);
        let lapsed = at("2026-11-23T06:41:00Z");
        let free_at = reappears_from(&stage.place(NOW), lapsed, chance);
        let after = free_at.duration_since(lapsed).as_mins();
        assert!((5..=30).contains(&after), "{after}");
        times.insert(free_at);
    }
    assert!(times.len() > 4, "{times:?}");
}

#[tokio::test]
async fn links_of_those_who_come_along_change_nothing() {
    let stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let place = stage.place(NOW);
    let link = Token::from_bytes([9; 32]);
    stage
        .bookings
        .invite(&place, &manage.hash(), Holder::Interpreter, &link)
        .await
        .unwrap();
    let view = stage.bookings.show(&place, &link.hash()).await.unwrap();
    assert_eq!((view.holder, view.name), (Holder::Interpreter, None));
    let refused = stage.bookings.cancel(&place, &link.hash(), 0).await;
    assert!(matches!(refused, Err(BookingError::NotYours)));
    let foreign = Token::from_bytes([8; 32]).hash();
    let unknown = stage.bookings.cancel(&place, &foreign, 0).await;
    assert!(matches!(unknown, Err(BookingError::UnknownBooking)));
}

/// None of those given out stops to work because of another one.
#[tokio::test]
async fn a_booking_gives_out_eight_links_and_says_so() {
    let stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let place = stage.place(NOW);
    let invite = async |number| {
        let link = Token::from_bytes([number; 32]);
        let token = manage.hash();
        let made = stage
            .bookings
            .invite(&place, &token, Holder::Companion, &link);
        made.await.map(|()| link)
    };
    // The companion who was named when booking has the first.
    let second = invite(2).await.unwrap();
    for number in 3..=8 {
        invite(number).await.unwrap();
    }
    assert!(matches!(invite(9).await, Err(BookingError::TooManyLinks)));
    let view = stage.bookings.show(&place, &second.hash()).await.unwrap();
    assert_eq!(view.holder, Holder::Companion);
}

/// Whoever does not read an address's mail learns nothing of its appointments, and takes none of them away.
#[tokio::test]
async fn one_address_has_as_many_appointments_as_the_office_allows() {
    let mut stage = Stage::new().await;
    let mut made = Vec::new();
    for (number, hour) in (1..=3).zip(["07:00", "07:30", "08:00"]) {
        let start = format!("2026-11-25T{hour}:00Z");
        made.push(stage.confirmed(number, &start, "erika@example.org").await);
    }
    let book = async |stage: &Stage, number, start: &str, mail| {
        let hold = stage.hold(number, start, NOW).await.unwrap();
        let token = hold.token.hash();
        let place = stage.place(NOW);
        stage.bookings.book(&place, &token, contact(mail)).await
    };
    let fourth = book(&stage, 9, "2026-11-25T09:00:00Z", "ERIKA@example.org").await;
    assert_eq!(fourth.unwrap().view.phase, BookingPhase::Unconfirmed);
    let id = bridge::ids::BookingId::from_random(dice(9).id);
    let link = stage.bookings.key.manage(&id).hash();
    let place = stage.place(NOW);
    let refused = stage.bookings.confirm(&place, &link).await;
    assert!(matches!(refused, Err(BookingError::TooMany)));
    let cancelled = stage.bookings.cancel(&place, &made[0].hash(), 0).await;
    assert!(cancelled.is_ok());
    let confirmed = stage.bookings.confirm(&place, &link).await.unwrap();
    assert_eq!(confirmed.phase, BookingPhase::Confirmed);

    // Where nobody confirms, there is no later moment.
    stage.office.booking.as_mut().unwrap().confirm_mail = false;
    let refused = book(&stage, 10, "2026-11-25T09:30:00Z", "erika@example.org").await;
    assert!(matches!(refused, Err(BookingError::TooMany)));
}

#[tokio::test]
async fn a_mailbox_is_not_filled_by_whoever_names_it() {
    let stage = Stage::new().await;
    let place = stage.place(NOW);
    let query = SlotQuery {
        services: vec!["anmelden".parse().unwrap()],
        from: Some("2026-11-30".parse().unwrap()),
        days: 2,
    };
    let slots = stage.bookings.slots(&place, &query).await.unwrap().slots;
    let mut outcomes = Vec::new();
    for (number, slot) in (1..=13).zip(slots.iter().step_by(2)) {
        let hold = stage.hold(number, &slot.start.to_string(), NOW).await;
        let token = hold.unwrap().token.hash();
        let contact = contact("erika@example.org");
        outcomes.push(stage.bookings.book(&place, &token, contact).await);
    }
    let last = outcomes.pop().unwrap();
    assert!(matches!(last, Err(BookingError::TooManyUnconfirmed)));
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(stage.errands().await, ["mail Confirm"; 12]);
}

#[test]
fn errands_are_read_as_they_were_written() {
    let booking = bridge::ids::BookingId::from_random([5; 16]);
    for errand in [
        Errand::Mail {
            booking: booking.clone(),
            letter: Letter::CancelledByOffice,
        },
        Errand::TellBooking {
            booking,
            news: News::Undeliverable,
        },
    ] {
        let written = serde_json::to_value(Task::Own(errand.clone())).unwrap();
        let read: Task = serde_json::from_value(written).unwrap();
        assert_eq!(read, Task::Own(errand));
    }
}
