use std::sync::atomic::Ordering;

use gateway::{
    limits::Limits,
    port::{HouseError, VisitEvent, VisitPhase},
};
use serde_json::json;

use crate::support::{Stage, browser::settle};

#[tokio::test]
async fn a_visit_tells_its_state_first_and_then_what_changes() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    let mut events = anna.listen(&format!("{visit}/events")).await;
    let (name, data) = events.next().await;
    assert_eq!(
        (name.as_str(), &data["state"]),
        ("visit", &json!("waiting"))
    );

    stage.house.change_visit(|view| view.position = Some(2));
    stage
        .house
        .change_visit(|view| view.phase = VisitPhase::InConversation);
    stage.house.clerk_says("Guten\n\ndata: Tag");
    stage.house.tell(&VisitEvent::Typing(true));
    stage.house.tell(&VisitEvent::Resync);

    // The state is read when its event is sent: never an older one than the house has.
    for _ in 0..2 {
        let (name, data) = events.next().await;
        assert_eq!(
            (name.as_str(), &data["state"]),
            ("visit", &json!("in_conversation"))
        );
    }
    let (name, data) = events.next().await;
    assert_eq!(
        (name.as_str(), &data["body"]),
        ("message", &json!("Guten\n\ndata: Tag"))
    );
    assert_eq!(
        events.next().await,
        ("typing".to_owned(), json!({"typing": true}))
    );
    assert_eq!(events.next().await, ("resync".to_owned(), json!({})));
    assert!(events.is_quiet().await);
}

#[tokio::test]
async fn the_house_knows_who_is_there() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let path = format!("{}/events", anna.knock().await);
    let first = anna.listen(&path).await;
    let second = anna.listen(&path).await;
    assert_eq!(stage.house.watching.load(Ordering::SeqCst), 2);
    drop((first, second));
    settle().await;
    assert_eq!(stage.house.watching.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_with_comments() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let path = format!("{}/events", anna.knock().await);
    let mut events = anna.listen(&path).await;
    events.next().await;
    let begun = tokio::time::Instant::now();
    assert_eq!(events.raw().await.unwrap(), ":\n\n");
    assert_eq!(begun.elapsed().as_secs(), 15);
    let mut lobby = anna.listen("/api/v1/lobby/events").await;
    lobby.next().await;
    lobby.next().await;
    assert_eq!(lobby.raw().await.unwrap(), ":\n\n");
}

#[tokio::test]
async fn a_fault_while_reading_again_asks_the_page_to() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let path = format!("{}/events", anna.knock().await);
    let mut events = anna.listen(&path).await;
    events.next().await;
    stage.house.fail(|| HouseError::Internal);
    stage.house.tell(&VisitEvent::Changed);
    assert_eq!(events.next().await.0, "resync");
    stage.house.fail(|| HouseError::UnknownVisit);
    stage.house.tell(&VisitEvent::Changed);
    assert_eq!(events.raw().await, None);
}

#[tokio::test]
async fn streams_end_when_the_program_stops() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let path = format!("{}/events", anna.knock().await);
    let mut visit = anna.listen(&path).await;
    let mut lobby = anna.listen("/api/v1/lobby/events").await;
    visit.next().await;
    lobby.next().await;
    lobby.next().await;
    stage.close();
    assert_eq!(visit.raw().await, None);
    assert_eq!(lobby.raw().await, None);
}

#[tokio::test]
async fn open_streams_are_limited_by_visit_and_address() {
    let stage = Stage::with(|config| {
        config.limits = Limits {
            streams_per_visit: 2,
            streams_per_address: 3,
            ..Limits::default()
        };
    });
    let mut anna = stage.browser();
    let path = format!("{}/events", anna.knock().await);
    let first = anna.listen(&path).await;
    let _second = anna.listen(&path).await;
    let third = anna.get(&path).await;
    third.problem(429, "too-many-streams");
    assert_eq!(third.header("retry-after"), "15");
    let _lobby = anna.listen("/api/v1/lobby/events").await;
    anna.get("/api/v1/lobby/events")
        .await
        .problem(429, "too-many-streams");
    drop(first);
    let _again = anna.listen(&path).await;
    let mut elsewhere = stage.browser();
    elsewhere.peer = [192, 0, 2, 2].into();
    let _lobby_elsewhere = elsewhere.listen("/api/v1/lobby/events").await;
}
