//! The calendar that clerks subscribe to.

use std::{collections::BTreeMap, sync::Arc};

use city::model::{City, Localized, OfficeConfig};
use gateway::appointments::BookingError;
use jiff::Timestamp;
use scheduler::ics::Component;
use store::{Feed, Store, StoreConfig, StoreError};
use texts::Catalogue;
use tokio::net::TcpListener;

use super::{NOW, Stage, WEDNESDAY, at};
use crate::{booking::feed::FeedError, words::Words};

async fn feed(stage: &Stage, hash: &str, now: Timestamp) -> Option<String> {
    feed_of(stage, &stage.city, hash, now).await
}

async fn feed_of(stage: &Stage, city: &City, hash: &str, now: Timestamp) -> Option<String> {
    let words = Words(Arc::new(Catalogue::load()));
    let post = stage.house().post.unwrap();
    let url = "https://vorzimmer.example";
    stage
        .bookings
        .feed(&words, city, url, &post, hash, now)
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

/// The stage's city, its office changed.
fn changed(stage: &Stage, change: impl FnOnce(&mut OfficeConfig)) -> City {
    let mut city = (*stage.city).clone();
    let mut offices = city.offices.iter_mut();
    change(
        offices
            .find(|office| office.slug == stage.office.slug)
            .unwrap(),
    );
    city
}

fn first_event(calendar: &str) -> Component {
    let calendar = Component::read(calendar).unwrap();
    let mut children = calendar.children.into_iter();
    children.find(|child| child.name == "VEVENT").unwrap()
}

#[tokio::test]
async fn the_feed_goes_on_where_no_more_appointments_are_taken() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    subscribe(&stage, false, "plain").await;
    let city = changed(&stage, |office| office.booking = None);
    let calendar = feed_of(&stage, &city, "plain", at(NOW)).await.unwrap();
    let organizer = first_event(&calendar).first("ORGANIZER").unwrap().clone();
    assert_eq!(organizer.value, "mailto:termine@stadt.example");
}

#[tokio::test]
async fn an_offices_name_may_hold_what_cannot_stand_in_a_parameter() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    subscribe(&stage, false, "plain").await;
    let city = changed(&stage, |office| {
        office.name = Localized::new("Bürgerbüro \"Mitte\" ^1", BTreeMap::new());
    });
    let calendar = feed_of(&stage, &city, "plain", at(NOW)).await.unwrap();
    let link = first_event(&calendar).first("CONFERENCE").unwrap().clone();
    assert_eq!(link.parameter("LABEL"), Some("Bürgerbüro 'Mitte' '1"));
}

/// A database that is restarted hangs up on who comes.
#[tokio::test]
async fn a_feed_that_the_database_cannot_give_now_is_to_be_asked_for_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://{}/city", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    let away = Store::open(&StoreConfig { url }).await.err().unwrap();
    assert!(matches!(away, StoreError::Away(_)), "{away}");
    let told = BookingError::from(FeedError::Store(away));
    assert!(matches!(told, BookingError::Busy));
}
