//! Bookings: capacity that nothing can exceed, time that frees places, persons who are forgotten.

use std::sync::Arc;

use bridge::{
    ids::{BookingId, Language, VisitId},
    input::Input,
};
use jiff::{SignedDuration, Timestamp};
use scheduler::slots::{Cell, Span, cells};
use store::{
    Booking, BookingPrivate, BookingState, BusyCalendar, Feed, LinkRole, ReturnMail, Store,
    StoreError,
};

use crate::{
    database::Database,
    sample::{at, handle, knocked, office},
};

const HOUR: i64 = 3600;

fn id(number: u128) -> BookingId {
    BookingId::from_random(number.to_be_bytes())
}

pub(crate) fn booking(number: u128, hour: i64) -> Booking {
    Booking {
        id: id(number),
        office: office("gewerbe"),
        state: BookingState::Held,
        code: format!("T{number}"),
        start: at(hour * HOUR),
        end: at(hour * HOUR) + SignedDuration::from_mins(30),
        services: vec!["anmelden".parse().unwrap()],
        language: Language::De,
        uid: format!("{number}@dormagen.example"),
        sequence: 0,
        expires_at: Some(at(600)),
        reminded: 0,
        reminded_until: None,
        wants_earlier: false,
        reply: None,
        visit: None,
        created_at: at(0),
        changed_at: at(0),
        ended_at: None,
    }
}

fn person(mail: &str) -> BookingPrivate {
    BookingPrivate {
        name: "Erika Musterfrau".to_owned(),
        mail: mail.to_owned(),
        phone: Some("02133 1".to_owned()),
        ..BookingPrivate::default()
    }
}

fn cells_of(booking: &Booking) -> std::ops::Range<Cell> {
    cells(Span {
        start: booking.start,
        end: booking.end,
    })
}

/// Chooses a time, where there are so many places at every time. Whether there was one.
pub(crate) async fn hold(store: &Store, booking: &Booking, places: u16, now: i64) -> bool {
    let mut tx = store.begin().await.unwrap();
    let range = cells_of(booking);
    let capacity = vec![places; range.clone().count()];
    tx.insert_booking(booking, &format!("hash-{}", booking.id))
        .await
        .unwrap();
    let taken = tx
        .take_places(
            &booking.office,
            &booking.id,
            &range,
            &capacity,
            at(now),
            booking.expires_at,
        )
        .await
        .unwrap();
    if taken.is_ok() {
        tx.commit().await.unwrap();
    }
    taken.is_ok()
}

async fn taken(store: &Store, booking: &Booking, now: i64) -> Vec<u16> {
    let mut read = store.read().await.unwrap();
    let taken = read
        .taken_places(&booking.office, &cells_of(booking), at(now), None)
        .await
        .unwrap();
    taken.into_iter().map(|(_, taken)| taken).collect()
}

pub(crate) async fn a_booking_goes_through_the_store(database: Database) {
    let store = &database.store;
    let mut one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    one.state = BookingState::Confirmed;
    one.expires_at = None;
    one.sequence = 3;
    one.wants_earlier = true;
    one.reply = Some(store::Reply::Tentative);
    one.reminded = 1;
    one.reminded_until = Some(at(23 * HOUR));
    let mut tx = store.begin().await.unwrap();
    tx.put_booking_private(&one.id, &person("Erika@example.org"))
        .await
        .unwrap();
    assert!(tx.save_booking(&one).await.unwrap());
    tx.set_booking_token(&one.id, "other").await.unwrap();
    tx.commit().await.unwrap();

    let mut read = store.read().await.unwrap();
    assert_eq!(read.booking(&one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(
        read.booking_of_token(&format!("hash-{}", one.id))
            .await
            .unwrap(),
        None
    );
    for found in [
        read.booking_of_token("other").await.unwrap(),
        read.booking_of_hold(&format!("hash-{}", one.id))
            .await
            .unwrap(),
        read.booking_of_uid(&one.uid).await.unwrap(),
        read.booking_of_code(&one.office, "T1").await.unwrap(),
    ] {
        assert_eq!(found.as_ref(), Some(&one));
    }
    assert_eq!(
        read.agenda(&one.office, one.start, one.end).await.unwrap(),
        [one.clone()]
    );
    assert_eq!(
        read.agenda(&one.office, at(0), one.start).await.unwrap(),
        []
    );
    assert_eq!(
        read.bookings_wanting_earlier(&one.office, at(0))
            .await
            .unwrap(),
        [one.clone()]
    );
    let elsewhere = office("fundbuero");
    for (slug, before, due) in [
        (&one.office, one.end, vec![one.clone()]),
        (&one.office, one.start, vec![]),
        (&elsewhere, one.end, vec![]),
    ] {
        assert_eq!(read.bookings_due(slug, before).await.unwrap(), due);
    }
    assert_eq!(read.visit_beside(&one.id).await.unwrap(), None);
    let private = read.booking_private(&one.id).await.unwrap();
    assert!(private == Some(person("Erika@example.org")));
}

pub(crate) async fn a_thousand_want_one_place_and_one_gets_it(database: Database) {
    let store = Arc::new(database.store.clone());
    let mut attempts = tokio::task::JoinSet::new();
    for number in 1..=1000 {
        let store = Arc::clone(&store);
        attempts.spawn(async move { hold(&store, &booking(number, 24), 1, 0).await });
    }
    let won = attempts.join_all().await.into_iter().filter(|won| *won);
    assert_eq!(won.count(), 1);
    assert_eq!(taken(&store, &booking(1, 24), 0).await, [1; 6]);
}

pub(crate) async fn the_schema_keeps_capacity_as_well(database: Database) {
    let store = &database.store;
    assert!(hold(store, &booking(1, 24), 1, 0).await);
    let other = booking(2, 48);
    assert!(hold(store, &other, 1, 0).await);
    database.meddle("UPDATE booking_places SET place = 0").await;
    let doubled = sqlx_doubles(&database).await;
    assert!(doubled, "a second booking in one place must be refused");
    // A place that a fault of the rules would give twice is refused by the store with its name.
    let mut tx = store.begin().await.unwrap();
    let same_code = Booking {
        code: "T1".to_owned(),
        ..booking(3, 72)
    };
    assert!(matches!(
        tx.insert_booking(&same_code, "h").await,
        Err(StoreError::Constraint(_))
    ));
}

async fn sqlx_doubles(database: &Database) -> bool {
    use sqlx::Connection as _;
    let mut connection = sqlx::AnyConnection::connect(&database.config.url)
        .await
        .unwrap();
    let refused = sqlx::query(
        "INSERT INTO booking_places (office, cell, place, booking)
         SELECT p.office, p.cell, p.place, b.id FROM booking_places p, bookings b
         WHERE p.booking <> b.id",
    )
    .execute(&mut connection)
    .await
    .is_err();
    connection.close().await.unwrap();
    refused
}

pub(crate) async fn a_hold_lapses_and_its_place_is_free(database: Database) {
    let store = &database.store;
    let first = booking(1, 24);
    assert!(hold(store, &first, 1, 0).await);
    assert!(!hold(store, &booking(2, 24), 1, 599).await);
    assert_eq!(taken(store, &first, 600).await, [0_u16; 0]);
    let late = Booking {
        expires_at: Some(at(1200)),
        ..booking(3, 24)
    };
    assert!(hold(store, &late, 1, 600).await);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.lapse_bookings(at(600)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(read.booking(&first.id).await.unwrap(), None);
    assert_eq!(taken(store, &late, 601).await, [1; 6]);
}

pub(crate) async fn what_somebody_else_has_by_now_is_not_kept(database: Database) {
    let store = &database.store;
    let first = booking(1, 24);
    assert!(hold(store, &first, 1, 0).await);
    // A quarter of an hour later, and only for whom the clock says that the first hold is over.
    let second = Booking {
        start: first.start + SignedDuration::from_mins(15),
        end: first.end + SignedDuration::from_mins(15),
        expires_at: Some(at(1200)),
        ..booking(2, 24)
    };
    assert!(hold(store, &second, 1, 600).await);
    let mut tx = store.begin().await.unwrap();
    let (lost, own) = (cells_of(&first), cells_of(&second));
    assert!(!tx.keep_places(&first.id, &lost, None).await.unwrap());
    assert!(tx.keep_places(&second.id, &own, None).await.unwrap());
}

pub(crate) async fn a_move_takes_the_new_place_before_it_gives_up_the_old(database: Database) {
    let store = &database.store;
    let one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    // A quarter of an hour later: half of the new time is the old one.
    let later = Booking {
        start: one.start + SignedDuration::from_mins(15),
        end: one.end + SignedDuration::from_mins(15),
        ..one.clone()
    };
    let mut tx = store.begin().await.unwrap();
    tx.release_places(&one.id, at(1800)).await.unwrap();
    let range = cells_of(&later);
    let moved = tx
        .take_places(&one.office, &one.id, &range, &[1; 6], at(60), None)
        .await
        .unwrap();
    assert!(moved.is_ok());
    tx.commit().await.unwrap();
    assert_eq!(taken(store, &later, 5000).await, [1; 6]);
    assert_eq!(
        taken(store, &one, 60).await,
        [1; 6],
        "the old time waits until it reappears"
    );
    assert_eq!(taken(store, &one, 1800).await, [1; 3]);
}

pub(crate) async fn a_cancelled_place_comes_back_later(database: Database) {
    let store = &database.store;
    let mut one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    let mut tx = store.begin().await.unwrap();
    let range = cells_of(&one);
    assert!(tx.keep_places(&one.id, &range, None).await.unwrap());
    one.state = BookingState::Confirmed;
    one.expires_at = None;
    tx.save_booking(&one).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    one.state = BookingState::Cancelled;
    one.ended_at = Some(at(100));
    tx.save_booking(&one).await.unwrap();
    tx.release_places(&one.id, at(400)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!hold(store, &booking(2, 24), 1, 399).await);
    assert!(hold(store, &booking(3, 24), 1, 400).await);
}

pub(crate) async fn where_an_office_had_places_is_kept_while_somebody_waits(database: Database) {
    let store = &database.store;
    let (gewerbe, other) = (office("gewerbe"), office("fundbuero"));
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.known_vacancies(&gewerbe).await.unwrap(), None);
    for runs in [
        vec![3..7, 9..12],
        Vec::new(),
        vec![-5..2, i64::MAX - 1..i64::MAX],
    ] {
        tx.set_known_vacancies(&gewerbe, Some(&runs)).await.unwrap();
        assert_eq!(tx.known_vacancies(&gewerbe).await.unwrap(), Some(runs));
        assert!(tx.vacancies_are_known(&gewerbe).await.unwrap());
    }
    assert!(!tx.vacancies_are_known(&other).await.unwrap());
    assert_eq!(tx.known_vacancies(&other).await.unwrap(), None);
    tx.set_known_vacancies(&gewerbe, None).await.unwrap();
    assert_eq!(tx.known_vacancies(&gewerbe).await.unwrap(), None);
}

pub(crate) async fn who_came_and_was_lost_is_found(database: Database) {
    let store = &database.store;
    let slug = office("gewerbe");
    let (lost, left) = (knocked(store, 1).await, knocked(store, 2).await);
    let leave = Input::Leave {
        visit: left.clone(),
    };
    handle(store, &slug, &leave, 10).await;
    handle(store, &slug, &Input::Tick, 400).await;
    let came = async |number: u128, hour: i64, visit: VisitId| {
        let mut one = booking(number, hour);
        assert!(hold(store, &one, 1, 0).await);
        (one.state, one.visit, one.expires_at) = (BookingState::Arrived, Some(visit), None);
        let mut tx = store.begin().await.unwrap();
        tx.save_booking(&one).await.unwrap();
        tx.commit().await.unwrap();
        one
    };
    let one = came(1, 24, lost).await;
    came(2, 25, left).await;
    let mut read = store.read().await.unwrap();
    let later = at(26 * HOUR);
    for (from, to, found) in [
        (one.start, later, vec![one.clone()]),
        (one.end, later, vec![]),
        (at(0), one.start, vec![]),
    ] {
        assert_eq!(read.bookings_lost(&slug, from, to).await.unwrap(), found);
    }
    let elsewhere = office("fundbuero");
    let other = read.bookings_lost(&elsewhere, at(0), later).await;
    assert_eq!(other.unwrap(), []);
}

pub(crate) async fn appointments_are_counted_by_mail_address(database: Database) {
    let store = &database.store;
    for (number, hour, mail) in [
        (1, 24, "erika@example.org"),
        (2, 25, "ERIKA@example.org"),
        (3, 26, "max@example.org"),
        (4, 27, "Erika@example.ORG"),
    ] {
        let mut one = booking(number, hour);
        assert!(hold(store, &one, 1, 0).await);
        one.state = if number == 4 {
            BookingState::Confirmed
        } else {
            BookingState::Unconfirmed
        };
        let mut tx = store.begin().await.unwrap();
        tx.put_booking_private(&one.id, &person(mail))
            .await
            .unwrap();
        tx.save_booking(&one).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut read = store.read().await.unwrap();
    let mut waiting = async |mail, now| read.unconfirmed_of_mail(mail, at(now)).await.unwrap();
    assert_eq!(waiting("Erika@Example.org", 0).await, 2);
    assert_eq!(
        waiting("Erika@Example.org", 600).await,
        0,
        "they have lapsed"
    );
    assert_eq!(waiting("nobody@example.org", 0).await, 0);
    let slug = office("gewerbe");
    let mut counts = async |mail| read.bookings_of_mail(&slug, mail, at(0)).await.unwrap();
    assert_eq!(counts("Erika@Example.org").await, 1);
    assert_eq!(counts("max@example.org").await, 0, "nobody has confirmed");
}

pub(crate) async fn what_is_over_keeps_neither_code_nor_places(database: Database) {
    let store = &database.store;
    let mut one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    one.state = BookingState::Arrived;
    one.ended_at = Some(one.end);
    let range = cells_of(&one);
    let mut tx = store.begin().await.unwrap();
    tx.save_booking(&one).await.unwrap();
    tx.keep_places(&one.id, &range, None).await.unwrap();
    tx.commit().await.unwrap();
    let namesake = Booking {
        code: one.code.clone(),
        ..booking(2, 72)
    };
    let mut tx = store.begin().await.unwrap();
    let taken = tx.insert_booking(&namesake, "other").await;
    assert!(matches!(taken, Err(StoreError::Constraint(_))));
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    tx.erase_booking(&one.id, at(48 * HOUR)).await.unwrap();
    let left = tx.taken_places(&one.office, &range, at(0), None).await;
    assert_eq!(left.unwrap(), []);
    let of_code = tx.booking_of_code(&one.office, &one.code).await;
    assert_eq!(of_code.unwrap(), None);
    tx.insert_booking(&namesake, "other").await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn the_person_is_erased_and_the_booking_stays(database: Database) {
    let store = &database.store;
    let mut one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    let mut tx = store.begin().await.unwrap();
    tx.put_booking_private(&one.id, &person("erika@example.org"))
        .await
        .unwrap();
    one.state = BookingState::Cancelled;
    one.ended_at = Some(at(1000));
    tx.save_booking(&one).await.unwrap();
    tx.add_booking_link(&one.id, "link", LinkRole::Interpreter, at(0))
        .await
        .unwrap();
    tx.set_reply_hash(&one.id, "reply").await.unwrap();
    tx.commit().await.unwrap();

    let mut read = store.read().await.unwrap();
    assert_eq!(read.bookings_to_erase(at(999), 9).await.unwrap(), []);
    let due = read.bookings_to_erase(at(1000), 9).await.unwrap();
    assert_eq!(due.len(), 1);
    drop(read);
    let mut tx = store.begin().await.unwrap();
    tx.erase_booking(&due[0].booking, at(2000)).await.unwrap();
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert!(read.booking_private(&one.id).await.unwrap().is_none());
    assert!(read.booking(&one.id).await.unwrap().is_some());
    assert_eq!(read.booking_of_link("link").await.unwrap(), None);
    assert_eq!(read.booking_of_reply("reply").await.unwrap(), None);
    assert_eq!(
        read.booking_of_token(&format!("hash-{}", one.id))
            .await
            .unwrap(),
        None
    );
    assert_eq!(read.bookings_to_erase(at(9000), 9).await.unwrap(), []);
}

pub(crate) async fn links_lead_to_their_booking_alone(database: Database) {
    let store = &database.store;
    let one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    let mut tx = store.begin().await.unwrap();
    tx.add_booking_link(&one.id, "link", LinkRole::Companion, at(0))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(read.booking_links(&one.id).await.unwrap(), 1);
    let (found, role) = read.booking_of_link("link").await.unwrap().unwrap();
    assert_eq!((found.id, role), (one.id, LinkRole::Companion));
    assert_eq!(read.booking_of_token("link").await.unwrap(), None);
}

pub(crate) async fn what_came_back_about_a_booking_is_kept(database: Database) {
    let store = &database.store;
    let one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.reply_hash(&one.id).await.unwrap(), None);
    tx.set_reply_hash(&one.id, "old").await.unwrap();
    let so_far = ReturnMail {
        answered_at: Some(at(7)),
        taken: 2,
    };
    tx.set_return_mail(&one.id, &so_far).await.unwrap();
    // Another key: the secret is another, what has come back stays.
    tx.set_reply_hash(&one.id, "new").await.unwrap();
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(read.booking_of_reply("old").await.unwrap(), None);
    let (found, kept) = read.booking_of_reply("new").await.unwrap().unwrap();
    assert_eq!((found.id, kept), (one.id.clone(), so_far));
    assert_eq!(
        read.reply_hash(&one.id).await.unwrap().as_deref(),
        Some("new")
    );
}

pub(crate) async fn a_calendar_is_at_one_address_alone(database: Database) {
    let store = &database.store;
    let mut one = booking(1, 24);
    assert!(hold(store, &one, 1, 0).await);
    let feed = |names| Feed {
        office: office("gewerbe"),
        names,
    };
    let mut tx = store.begin().await.unwrap();
    tx.put_booking_private(&one.id, &person("erika@example.org"))
        .await
        .unwrap();
    tx.set_feed(&feed(true), "first", at(0)).await.unwrap();
    tx.set_feed(&feed(false), "second", at(1)).await.unwrap();
    assert_eq!(tx.feed_of_token("first").await.unwrap(), None);
    assert_eq!(tx.feed_of_token("second").await.unwrap(), Some(feed(false)));
    let all = (Timestamp::UNIX_EPOCH, at(1_000_000));
    let entries = tx.feed_entries(&one.office, all.0, all.1).await.unwrap();
    assert_eq!(entries, [], "a hold is no appointment");
    one.state = BookingState::Confirmed;
    tx.save_booking(&one).await.unwrap();
    let entries = tx.feed_entries(&one.office, all.0, all.1).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].name.as_deref(), Some("Erika Musterfrau"));
    assert!(tx.drop_feed(&one.office).await.unwrap());
    assert!(!tx.drop_feed(&one.office).await.unwrap());
    assert_eq!(tx.feed_of_token("second").await.unwrap(), None);
}

pub(crate) async fn busy_times_are_kept_by_calendar(database: Database) {
    let store = &database.store;
    let gewerbe = office("gewerbe");
    let span = |from, to| Span {
        start: at(from),
        end: at(to),
    };
    let mut tx = store.begin().await.unwrap();
    let mut anna = BusyCalendar {
        name: "anna".to_owned(),
        spans: vec![span(0, 60)],
        fetched_at: at(1),
    };
    tx.put_busy_calendar(&gewerbe, &anna).await.unwrap();
    anna.spans = vec![span(120, 180), span(300, 360)];
    anna.fetched_at = at(2);
    tx.put_busy_calendar(&gewerbe, &anna).await.unwrap();
    let kept = tx.busy_calendars(&gewerbe).await.unwrap();
    assert_eq!(kept, [anna]);
    let other = tx.busy_calendars(&office("fundbuero")).await.unwrap();
    assert_eq!(other, []);
    tx.drop_busy_calendar(&gewerbe, "anna").await.unwrap();
    assert_eq!(tx.busy_calendars(&gewerbe).await.unwrap(), []);
}
