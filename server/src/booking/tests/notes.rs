//! The number to call, in the door room for as long as the person is known.

use jiff::SignedDuration;

use super::*;

#[tokio::test]
async fn a_number_in_the_door_room_is_taken_back_when_the_person_is_forgotten() {
    let stage = Stage::new().await;
    let manage = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    let id = bridge::ids::BookingId::from_random(dice(1).id);
    let mut tx = stage.bookings.store.begin().await.unwrap();
    for _ in 0..2 {
        // A job that runs twice notes it once.
        tx.add_booking_note(&id, "$number").await.unwrap();
    }
    tx.commit().await.unwrap();
    stage.errands().await;
    let a_day = SignedDuration::from_hours(24);
    let redacted = async |now: &str| {
        let redact = super::super::phone::redact;
        redact(&stage.bookings.store, at(now), a_day).await.unwrap();
        stage.errands().await
    };

    let errands = redacted("2026-11-29T06:00:00Z").await;
    assert!(errands.is_empty(), "it stands");
    stage
        .bookings
        .cancel(&stage.place(NOW), &manage.hash(), 0)
        .await
        .unwrap();
    stage.errands().await;
    let errands = redacted("2026-11-24T05:59:59Z").await;
    assert!(errands.is_empty(), "clerks may still call");
    let errands = redacted("2026-11-24T06:00:00Z").await;
    assert!(
        errands.len() == 1 && errands[0].contains("RedactNote") && errands[0].contains("$number"),
        "{errands:?}"
    );
    let errands = redacted("2026-11-25T06:00:00Z").await;
    assert!(errands.is_empty(), "once");
}

#[tokio::test]
async fn a_mail_that_does_not_arrive_lets_the_clerks_call() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let id = bridge::ids::BookingId::from_random(dice(1).id);
    let mut tx = stage.bookings.store.begin().await.unwrap();
    let booking = tx.booking(&id).await.unwrap().unwrap();
    super::super::tell(&mut tx, &booking, News::Undeliverable, at(NOW))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stage.errands().await, ["line Undeliverable", "number"]);
}
