//! Other times for bookings: the waiting list's, and clerks'.

use super::*;

impl Stage {
    /// What has become free by this moment is offered; how many offers came of it.
    async fn offered(&self, now: &str) -> usize {
        let place = self.place(now);
        let mut tx = self.bookings.store.begin().await.unwrap();
        tx.lapse_bookings(place.now).await.unwrap();
        tx.clear_places(public_by(place.now)).await.unwrap();
        tx.commit().await.unwrap();
        self.bookings.offer_freed(&place, 0).await.unwrap()
    }

    /// Somebody with an appointment at that time waits for an earlier one.
    async fn waits(&self, number: u64, start: &str) -> Token {
        let mail = format!("waits{number}@example.org");
        let manage = self.confirmed(number, start, &mail).await;
        self.bookings
            .want_earlier(&self.place(NOW), &manage.hash(), true)
            .await
            .unwrap();
        self.errands().await;
        manage
    }
}

#[tokio::test]
async fn a_place_that_was_not_confirmed_is_offered_in_turn() {
    let stage = Stage::new().await;
    let waits = stage
        .confirmed(1, "2026-11-25T09:00:00Z", "max@example.org")
        .await;
    let place = stage.place(NOW);
    let hold = stage.hold(2, WEDNESDAY, NOW).await.unwrap();
    stage
        .bookings
        .book(&place, &hold.token.hash(), contact("erika@example.org"))
        .await
        .unwrap();
    stage
        .bookings
        .want_earlier(&place, &waits.hash(), true)
        .await
        .unwrap();
    // The time to confirm is over, and the place comes back later.
    assert_eq!(stage.offered("2026-11-23T06:30:00Z").await, 0);
    assert_eq!(stage.offered("2026-11-23T07:00:00Z").await, 1);
}

#[tokio::test]
async fn an_earlier_time_is_held_for_one_after_the_other() {
    let stage = Stage::new().await;
    let early = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let first = stage
        .confirmed(2, "2026-11-25T09:00:00Z", "max@example.org")
        .await;
    let second = stage
        .confirmed(3, "2026-11-25T10:00:00Z", "eva@example.org")
        .await;
    let place = stage.place(NOW);
    for token in [&first, &second] {
        let wants = stage
            .bookings
            .want_earlier(&place, &token.hash(), true)
            .await
            .unwrap();
        assert!(wants.wants_earlier && wants.offer.is_none());
    }
    let waiting = async |token: &Token| {
        let view = stage.bookings.show(&place, &token.hash()).await.unwrap();
        view.waiting.map(|waiting| (waiting.place, waiting.of))
    };
    let mut places = [waiting(&first).await, waiting(&second).await];
    places.sort_unstable();
    assert_eq!(places, [Some((1, 2)), Some((2, 2))]);
    assert_eq!(waiting(&early).await, None);
    stage
        .bookings
        .cancel(&place, &early.hash(), 0)
        .await
        .unwrap();
    stage.errands().await;
    assert_eq!(stage.offered(NOW).await, 0, "it comes back later");

    // One place, one offer: whoever has waited longest. Nobody else can have it meanwhile.
    assert_eq!(stage.offered("2026-11-23T06:05:00Z").await, 1);
    assert_eq!(stage.errands().await, ["mail Earlier"]);
    let now = stage.place("2026-11-23T06:05:00Z");
    let view = stage.bookings.show(&now, &first.hash()).await.unwrap();
    let offer = view.offer.unwrap();
    assert_eq!(offer.start, at(WEDNESDAY));
    assert_eq!(offer.until, at("2026-11-23T07:05:00Z"));
    let other = stage.bookings.show(&now, &second.hash()).await.unwrap();
    assert_eq!(other.offer, None);
    let stranger = stage.hold(9, WEDNESDAY, "2026-11-23T07:04:00Z").await;
    assert!(matches!(stranger, Err(BookingError::NoSuchTime { .. })));

    // The first does not want it. A while later it is the second's turn, and not the first's again.
    let now = stage.place("2026-11-23T06:10:00Z");
    let declined = stage
        .bookings
        .turn_down(&now, &first.hash(), 0)
        .await
        .unwrap();
    assert_eq!(declined.start, at("2026-11-25T09:00:00Z"));
    assert_eq!(stage.offered("2026-11-23T06:14:59Z").await, 0);
    assert_eq!(stage.offered("2026-11-23T06:15:00Z").await, 1);
    let now = stage.place("2026-11-23T06:20:00Z");
    let view = stage.bookings.show(&now, &second.hash()).await.unwrap();
    assert_eq!(view.offer.map(|offer| offer.start), Some(at(WEDNESDAY)));
    let moved = stage
        .bookings
        .reschedule(&now, &second.hash(), at(WEDNESDAY), 0)
        .await
        .unwrap();
    assert_eq!((moved.start, moved.offer), (at(WEDNESDAY), None));
    assert_eq!(
        stage.errands().await,
        [
            "mail Earlier",
            "mail Moved",
            "mail CompanionMoved",
            "line Moved"
        ]
    );
}

#[tokio::test]
async fn an_offer_that_nobody_answers_goes_on_to_the_next() {
    let stage = Stage::new().await;
    let early = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let first = stage
        .confirmed(2, "2026-11-25T09:00:00Z", "max@example.org")
        .await;
    let place = stage.place(NOW);
    stage
        .bookings
        .want_earlier(&place, &first.hash(), true)
        .await
        .unwrap();
    stage
        .bookings
        .cancel(&place, &early.hash(), 0)
        .await
        .unwrap();
    assert_eq!(stage.offered("2026-11-23T06:05:00Z").await, 1);
    let over = stage.place("2026-11-23T07:05:00Z");
    let view = stage.bookings.show(&over, &first.hash()).await.unwrap();
    assert_eq!(view.offer, None, "an hour is over");
    assert_eq!(stage.offered("2026-11-23T07:10:00Z").await, 0);
    let anybody = stage.hold(9, WEDNESDAY, "2026-11-23T07:10:30Z").await;
    assert!(anybody.is_ok());
}

/// Nobody is offered two times within a day. What becomes free meanwhile is theirs afterwards, and not what they did not
/// want.
#[tokio::test]
async fn what_becomes_free_soon_after_an_offer_is_offered_a_day_later() {
    let stage = Stage::new().await;
    let early = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let other = "2026-11-25T08:00:00Z";
    let other = stage.confirmed(2, other, "max@example.org").await;
    let waits = stage.waits(3, "2026-11-25T10:00:00Z").await;
    let cancel = async |token: &Token, now| {
        let place = stage.place(now);
        let cancelled = stage.bookings.cancel(&place, &token.hash(), 0).await;
        assert!(cancelled.is_ok());
    };
    cancel(&early, NOW).await;
    assert_eq!(stage.offered("2026-11-23T06:05:00Z").await, 1);
    let now = stage.place("2026-11-23T06:10:00Z");
    let declined = stage.bookings.turn_down(&now, &waits.hash(), 0).await;
    assert!(declined.is_ok());
    cancel(&other, "2026-11-23T06:20:00Z").await;
    for now in ["2026-11-23T06:25:00Z", "2026-11-24T06:04:59Z"] {
        assert_eq!(stage.offered(now).await, 0, "{now}");
    }
    let now = "2026-11-24T06:05:00Z";
    assert_eq!(stage.offered(now).await, 1);
    let place = stage.place(now);
    let view = stage.bookings.show(&place, &waits.hash()).await.unwrap();
    let offered = view.offer.map(|offer| offer.start);
    assert_eq!(offered, Some(at("2026-11-25T07:45:00Z")));
}

#[tokio::test]
async fn a_clerks_offer_leaves_both_times_to_the_citizen() {
    let stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage
        .confirmed(2, "2026-11-25T08:00:00Z", "max@example.org")
        .await;
    stage.errands().await;
    let place = stage.place(NOW);
    let offer = async |start: &str| {
        let mut tx = stage.bookings.store.begin().await.unwrap();
        let booking = tx
            .booking_of_token(manage.hash().as_str())
            .await
            .unwrap()
            .unwrap();
        let offered = place.offer(&mut tx, &booking, at(start), true, 0).await;
        tx.commit().await.unwrap();
        offered.unwrap()
    };
    let later = "2026-11-25T09:00:00Z";
    let held = offer(later).await.unwrap();
    assert_eq!(held.until, at("2026-11-24T06:00:00Z"), "a day to answer");
    for (start, reason) in [
        ("2026-11-25T07:15:00Z", Unoffered::Overlaps),
        ("2026-11-25T08:00:00Z", Unoffered::Refused(Refused::Full)),
        ("2026-11-25T02:00:00Z", Unoffered::Refused(Refused::Closed)),
        ("2026-11-23T06:30:00Z", Unoffered::TooSoon),
    ] {
        assert_eq!(offer(start).await, Err(reason), "{start}");
    }
    // What was refused has not touched the offer before.
    let view = stage.bookings.show(&place, &manage.hash()).await.unwrap();
    assert_eq!(view.offer.map(|offer| offer.start), Some(at(later)));
    assert_eq!(view.start, at(WEDNESDAY));
    assert!(stage.hold(9, later, NOW).await.is_err());
    assert!(stage.hold(9, WEDNESDAY, NOW).await.is_err());

    let kept = stage
        .bookings
        .turn_down(&place, &manage.hash(), 0)
        .await
        .unwrap();
    assert_eq!(kept.start, at(WEDNESDAY));
    assert_eq!(stage.errands().await, ["line TurnedDown"]);
    assert!(stage.hold(9, later, "2026-11-23T06:05:00Z").await.is_ok());
}

#[tokio::test]
async fn what_lapses_is_offered_like_what_is_cancelled() {
    let stage = Stage::new().await;
    let unconfirmed = stage.hold(1, WEDNESDAY, NOW).await.unwrap();
    let held = "2026-11-25T08:00:00Z";
    stage.hold(2, held, NOW).await.unwrap();
    let early = stage.waits(3, "2026-11-25T09:00:00Z").await;
    let late = "2026-11-25T10:00:00Z";
    let late = stage.confirmed(4, late, "late@example.org").await;
    let token = unconfirmed.token.hash();
    let contact = contact("erika@example.org");
    let place = stage.place(NOW);
    let booked = stage.bookings.book(&place, &token, contact).await;
    assert!(booked.is_ok());
    assert_eq!(stage.offered("2026-11-23T06:09:59Z").await, 0);
    let offer = async |token: &Token, now| {
        let place = stage.place(now);
        let view = stage.bookings.show(&place, &token.hash()).await.unwrap();
        view.offer.map(|offer| offer.start)
    };
    // The hold, then the booking that nobody has confirmed within half an hour, at most half an hour later.
    let now = "2026-11-23T06:10:00Z";
    assert_eq!(stage.offered(now).await, 1);
    let first_possible = at("2026-11-25T07:45:00Z");
    assert_eq!(offer(&early, now).await, Some(first_possible));
    let wants = stage
        .bookings
        .want_earlier(&place, &late.hash(), true)
        .await;
    assert!(wants.is_ok());
    let now = "2026-11-23T07:00:00Z";
    assert_eq!(stage.offered(now).await, 1);
    assert_eq!(offer(&late, now).await, Some(at(WEDNESDAY)));
}

#[tokio::test]
async fn a_day_or_a_desk_that_is_added_is_offered_and_what_was_free_before_is_not() {
    let mut stage = Stage::new().await;
    let tuesday = "2026-11-24".parse().unwrap();
    let desks = |stage: &mut Stage, weekday: usize, desks| {
        let terms = stage.office.booking.as_mut().unwrap();
        for bookable in &mut terms.rules.desks.weekly[weekday] {
            bookable.desks = desks;
        }
    };
    desks(&mut stage, 1, 1);
    let exceptions = |stage: &mut Stage, day, periods: &[&str]| {
        let periods = periods.iter().map(|text| text.parse().unwrap()).collect();
        stage.office.hours.exceptions.insert(day, periods);
    };
    exceptions(&mut stage, tuesday, &[]);
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let first = stage.waits(2, "2026-11-25T09:00:00Z").await;
    let second = stage.waits(3, "2026-11-25T10:00:00Z").await;
    assert_eq!(stage.offered(NOW).await, 0, "Monday is free anyway");
    let offer = async |stage: &Stage, token: &Token| {
        let place = stage.place(NOW);
        let view = stage.bookings.show(&place, &token.hash()).await.unwrap();
        view.offer.map(|offer| offer.start)
    };
    exceptions(&mut stage, tuesday, &["09:00-09:30"]);
    assert_eq!(stage.offered(NOW).await, 1);
    let added = Some(at("2026-11-24T08:00:00Z"));
    assert_eq!(offer(&stage, &first).await, added);

    // A second desk, at a time at which the first is booked.
    desks(&mut stage, 2, 2);
    assert_eq!(stage.offered(NOW).await, 1);
    assert_eq!(offer(&stage, &second).await, Some(at(WEDNESDAY)));
    assert_eq!(stage.offered(NOW).await, 0);
}

#[tokio::test]
async fn who_waits_for_an_earlier_time_comes_before_everybody_else() {
    let later = "2026-11-25T09:00:00Z";
    // An appointment is cancelled at an office where somebody else with an appointment waits.
    let freed = async |start: &str, waits: Option<&str>| {
        let stage = Stage::new().await;
        let cancelled = stage.confirmed(1, start, "erika@example.org").await;
        if let Some(other) = waits {
            stage.waits(2, other).await;
        }
        let gone = stage
            .bookings
            .cancel(&stage.place(NOW), &cancelled.hash(), 0)
            .await;
        gone.unwrap();
        stage
    };
    let can_have = async |stage: &Stage, number: u64, start: &str, now: &str| match stage
        .hold(number, start, now)
        .await
    {
        Ok(_) => true,
        Err(BookingError::NoSuchTime { reason, .. }) => {
            assert_eq!(reason, Refused::Full);
            false
        }
        Err(other) => panic!("{other:?}"),
    };

    // It comes back after five minutes. Nobody waits.
    let stage = freed(WEDNESDAY, None).await;
    assert!(!can_have(&stage, 3, WEDNESDAY, "2026-11-23T06:04:59Z").await);
    assert!(can_have(&stage, 4, WEDNESDAY, "2026-11-23T06:05:00Z").await);

    // Somebody waits who can use it.
    let stage = freed(WEDNESDAY, Some(later)).await;
    assert!(!can_have(&stage, 3, WEDNESDAY, "2026-11-23T06:05:00Z").await);
    assert_eq!(stage.offered("2026-11-23T06:05:09Z").await, 1);
    assert!(!can_have(&stage, 4, WEDNESDAY, "2026-11-23T06:06:00Z").await);

    // Somebody waits who cannot.
    let stage = freed(later, Some(WEDNESDAY)).await;
    assert_eq!(stage.offered("2026-11-23T06:05:09Z").await, 0);
    assert!(!can_have(&stage, 3, later, "2026-11-23T06:05:29Z").await);
    assert!(can_have(&stage, 4, later, "2026-11-23T06:05:30Z").await);
}

/// Between the look and the offers the program ends: at the next start what has become free is still known to be new.
#[tokio::test]
async fn what_has_become_free_is_offered_after_a_crash() {
    let mut stage = Stage::new().await;
    let early = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.waits(2, "2026-11-25T09:00:00Z").await;
    stage
        .bookings
        .cancel(&stage.place(NOW), &early.hash(), 0)
        .await
        .unwrap();
    let now = stage.place("2026-11-23T06:05:00Z").now;
    let mut tx = stage.bookings.store.begin().await.unwrap();
    tx.lapse_bookings(now).await.unwrap();
    tx.clear_places(public_by(now)).await.unwrap();
    tx.commit().await.unwrap();
    stage.bookings.store = open(&stage.folder).await;
    assert_eq!(stage.offered("2026-11-23T08:00:00Z").await, 1);
}
