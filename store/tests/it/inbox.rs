//! Events count once, also after a crash.

use serde_json::{Value, json};
use store::{NewEvent, Store};

use crate::{database::Database, sample::at};

fn event(id: &str) -> NewEvent {
    NewEvent {
        event_id: id.to_owned(),
        room_id: Some("!door:dormagen.example".to_owned()),
        json: json!({"type": "m.room.message", "content": {"body": "Grüße \0"}, "event_id": id}),
    }
}

/// How many of them are new.
async fn receive(store: &Store, events: &[NewEvent]) -> usize {
    let mut tx = store.begin().await.unwrap();
    let fresh = tx.receive(events, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    fresh
}

async fn waiting(store: &Store) -> Vec<String> {
    let events = store
        .read()
        .await
        .unwrap()
        .next_events(0, 100)
        .await
        .unwrap();
    assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    events.into_iter().map(|event| event.event_id).collect()
}

pub(crate) async fn an_event_counts_once(database: Database) {
    let store = &database.store;
    let events = [event("$a"), event("$b")];
    let mut dropped = store.begin().await.unwrap();
    dropped.receive(&events, at(0)).await.unwrap();
    drop(dropped);
    assert_eq!(receive(store, &events).await, 2);
    assert_eq!(receive(store, &events).await, 0);

    let other = Store::open(&database.config).await.unwrap();
    assert_eq!(receive(&other, &events).await, 0);
    assert_eq!(
        receive(store, &[event("$a"), event("$c"), event("$c")]).await,
        1
    );
    assert_eq!(waiting(store).await, ["$a", "$b", "$c"]);
}

pub(crate) async fn events_come_in_order_until_processed(database: Database) {
    let store = &database.store;
    receive(store, &[event("$z"), event("$a"), event("$m")]).await;
    let events = store.read().await.unwrap().next_events(0, 2).await.unwrap();
    assert_eq!(
        events[0].json,
        event("$z").json,
        "content comes back as it came"
    );
    assert_eq!(events[1].event_id, "$a");
    let after = store
        .read()
        .await
        .unwrap()
        .next_events(events[1].seq, 2)
        .await
        .unwrap();
    assert_eq!(after[0].event_id, "$m");

    let mut tx = store.begin().await.unwrap();
    assert!(tx.processed("$z", at(1)).await.unwrap());
    assert!(!tx.processed("$z", at(1)).await.unwrap(), "once");
    assert!(!tx.processed("$unknown", at(1)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(waiting(store).await, ["$a", "$m"]);
    assert_eq!(
        receive(store, &[event("$z")]).await,
        0,
        "its id is remembered"
    );

    database
        .meddle("UPDATE inbox_events SET json = '{' WHERE event_id = '$a'")
        .await;
    let events = store.read().await.unwrap().next_events(0, 9).await.unwrap();
    assert_eq!(
        (events[0].json.clone(), events.len()),
        (Value::Null, 2),
        "damage stops nobody else"
    );
}

pub(crate) async fn hostile_ids_are_taken(database: Database) {
    let long = format!("${}", "ü".repeat(2000));
    let odd = [
        event("$\0"),
        event(""),
        event("'; DROP TABLE visits; --"),
        event(&long),
    ];
    assert_eq!(receive(&database.store, &odd).await, 4);
    assert_eq!(receive(&database.store, &odd).await, 0);
    assert_eq!(waiting(&database.store).await[3], long);
}

pub(crate) async fn old_ids_are_forgotten(database: Database) {
    let store = &database.store;
    receive(store, &[event("$done"), event("$waits")]).await;
    let mut tx = store.begin().await.unwrap();
    tx.processed("$done", at(10)).await.unwrap();
    assert_eq!(tx.prune_inbox(at(-1)).await.unwrap(), 0);
    assert_eq!(tx.prune_inbox(at(11)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(waiting(store).await, ["$waits"]);
}
