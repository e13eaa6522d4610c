//! What the city's file does to bookings that exist.

use super::*;

#[tokio::test]
async fn appointments_that_the_calendar_no_longer_carries_are_told_once_and_stay() {
    let mut stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage
        .confirmed(2, "2026-11-26T08:00:00Z", "max@example.org")
        .await;
    stage.errands().await;
    let told = async |stage: &Stage| {
        let place = stage.place(NOW);
        stage.bookings.tell_conflicts(&place).await.unwrap();
        stage.errands().await
    };
    assert_eq!(told(&stage).await, [""; 0]);
    let open = stage.office.clone();
    let wednesday = "2026-11-25".parse().unwrap();
    stage.office.hours.exceptions.insert(wednesday, Vec::new());
    assert_eq!(told(&stage).await, ["line Closed"]);
    assert_eq!(told(&stage).await, [""; 0]);
    let view = stage
        .bookings
        .show(&stage.place(NOW), &manage.hash())
        .await
        .unwrap();
    assert_eq!(view.phase, BookingPhase::Confirmed);
    // Opened again and closed once more: news each time.
    let closed = std::mem::replace(&mut stage.office, open);
    assert_eq!(told(&stage).await, [""; 0]);
    stage.office = closed;
    assert_eq!(told(&stage).await, ["line Closed"]);
}

/// The clerks read of the booking when they learn of it, and of its conflict; a booking is never kept in silence.
#[tokio::test]
async fn what_begins_to_count_on_a_new_holiday_is_told_at_once() {
    let mut stage = Stage::new().await;
    let held = stage.hold(1, WEDNESDAY, NOW).await.unwrap();
    let other = stage.hold(2, "2026-11-25T08:00:00Z", NOW).await.unwrap();
    let book = async |stage: &Stage, hold: &Hold, mail| {
        let place = stage.place(NOW);
        let token = hold.token.hash();
        let booked = stage.bookings.book(&place, &token, contact(mail)).await;
        booked.unwrap().view.phase
    };
    book(&stage, &held, "erika@example.org").await;
    let wednesday = "2026-11-25".parse().unwrap();
    stage.office.hours.exceptions.insert(wednesday, Vec::new());
    stage
        .bookings
        .tell_conflicts(&stage.place(NOW))
        .await
        .unwrap();
    assert_eq!(stage.errands().await, ["mail Confirm"], "it may lapse");

    let manage = stage
        .bookings
        .key
        .manage(&bridge::ids::BookingId::from_random(dice(1).id));
    let place = stage.place(NOW);
    let view = stage.bookings.confirm(&place, &manage.hash()).await;
    assert_eq!(view.unwrap().phase, BookingPhase::Confirmed);
    let told = ["mail Booked", "mail Companion", "line New", "line Closed"];
    assert_eq!(stage.errands().await, told);
    stage.bookings.tell_conflicts(&place).await.unwrap();
    assert_eq!(stage.errands().await, [""; 0], "once");

    // Where nothing has to be confirmed, booking is what counts.
    stage.office.booking.as_mut().unwrap().confirm_mail = false;
    let phase = book(&stage, &other, "max@example.org").await;
    assert_eq!(phase, BookingPhase::Confirmed);
    assert_eq!(stage.errands().await, told);
}

/// Of too many at one time all are named, also those that counted before the one too many.
#[tokio::test]
async fn what_begins_to_count_where_a_desk_is_gone_is_told_with_those_it_meets() {
    let mut stage = Stage::new().await;
    // Monday has two desks.
    let monday = "2026-11-30T08:00:00Z";
    stage.confirmed(1, monday, "erika@example.org").await;
    let hold = stage.hold(2, monday, NOW).await.unwrap();
    let aside = "2026-11-30T09:00:00Z";
    stage.confirmed(3, aside, "eva@example.org").await;
    let terms = stage.office.booking.as_mut().unwrap();
    terms.rules.desks.weekly[0].iter_mut().for_each(|bookable| {
        bookable.desks = 1;
    });
    terms.confirm_mail = false;
    stage
        .bookings
        .tell_conflicts(&stage.place(NOW))
        .await
        .unwrap();
    stage.errands().await;
    let token = hold.token.hash();
    stage
        .bookings
        .book(&stage.place(NOW), &token, contact("max@example.org"))
        .await
        .unwrap();
    let told = stage.errands().await;
    let overbooked = told.iter().filter(|line| *line == "line Overbooked");
    assert_eq!(overbooked.count(), 2, "{told:?}");
}
