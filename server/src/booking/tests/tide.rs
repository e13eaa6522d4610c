//! What time and the city's file do to bookings.

use gateway::appointments::BookingPhase;

use super::{NOW, Stage, WEDNESDAY};

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
        stage.bookings.tide(&stage.place(now)).await.unwrap();
        for errand in stage.errands().await {
            told.push(format!("{} {errand}", &now[8..16]));
        }
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
