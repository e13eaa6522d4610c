//! The calendar that clerks subscribe to.

use std::sync::Arc;

use jiff::Timestamp;
use scheduler::ics::Component;
use store::Feed;
use texts::Catalogue;

use super::{NOW, Stage, WEDNESDAY, at};
use crate::words::Words;

async fn feed(stage: &Stage, hash: &str, now: Timestamp) -> Option<String> {
    let words = Words(Arc::new(Catalogue::load()));
    stage
        .bookings
        .feed(&words, &stage.city, "https://vorzimmer.example", hash, now)
        .await
        .unwrap()
}

async fn subscribe(stage: &Stage, names: bool, hash: &str) {
    let feed = Feed {
        office: stage.office.slug.clone(),
        names,
    };
    let mut tx = stage.bookings.store.begin().await.unwrap();
    tx.set_feed(&feed, hash, at(NOW)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_feed_tells_who_comes_only_where_that_was_asked_for() {
    let stage = Stage::new().await;
    let one = stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage
        .confirmed(2, "2026-11-25T08:00:00Z", "max@example.org")
        .await;
    subscribe(&stage, false, "plain").await;
    let plain = feed(&stage, "plain", at(NOW)).await.unwrap();
    assert!(
        !plain.contains("Erika") && !plain.contains("example.org\r\n"),
        "{plain}"
    );
    assert!(
        !plain.contains("ATTENDEE") && !plain.contains(one.secret()),
        "{plain}"
    );
    let calendar = Component::read(&plain).unwrap();
    let events: Vec<&Component> = calendar
        .children
        .iter()
        .filter(|child| child.name == "VEVENT")
        .collect();
    assert_eq!(events.len(), 2);
    let summary = events[0].first("SUMMARY").unwrap().text();
    assert!(summary.ends_with(" · Gewerbe anmelden"), "{summary}");
    assert_eq!(
        feed(&stage, "plain", at(NOW)).await.unwrap(),
        plain,
        "what has not changed is not sent again"
    );

    subscribe(&stage, true, "names").await;
    assert_eq!(feed(&stage, "plain", at(NOW)).await, None, "renewed");
    let names = feed(&stage, "names", at(NOW)).await.unwrap();
    assert!(names.contains("Erika Musterfrau"), "{names}");
    assert!(!names.contains("erika@example.org"), "{names}");

    stage
        .bookings
        .cancel(&stage.place(NOW), &one.hash(), 0)
        .await
        .unwrap();
    let left = feed(&stage, "names", at(NOW)).await.unwrap();
    assert_eq!(left.matches("BEGIN:VEVENT").count(), 1);
    let much_later = feed(&stage, "names", at("2026-12-31T00:00:00Z")).await;
    assert_eq!(much_later.unwrap().matches("BEGIN:VEVENT").count(), 0);
}
