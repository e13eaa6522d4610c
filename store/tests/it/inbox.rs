//! Transactions and events count once, also after a crash.

use serde_json::{Value, json};
use store::{NewEvent, Received, Store};

use crate::{database::Database, sample::at};

fn event(id: &str) -> NewEvent {
    NewEvent {
        event_id: id.to_owned(),
        room_id: Some("!door:dormagen.example".to_owned()),
        json: json!({"type": "m.room.message", "content": {"body": "Grüße \0"}, "event_id": id}),
    }
}

async fn receive(store: &Store, transaction: &str, events: &[NewEvent]) -> Received {
    let mut tx = store.begin().await.unwrap();
    let received = tx.receive(transaction, events, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    received
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

pub(crate) async fn a_transaction_counts_once(database: Database) {
    let store = &database.store;
    let events = [event("$a"), event("$b")];
    let mut dropped = store.begin().await.unwrap();
    dropped.receive("1", &events, at(0)).await.unwrap();
    drop(dropped);
    assert_eq!(
        receive(store, "1", &events).await,
        Received {
            repeated: false,
            fresh: 2
        }
    );
    assert_eq!(
        receive(store, "1", &events).await,
        Received {
            repeated: true,
            fresh: 0
        }
    );

    let other = Store::open(&database.config).await.unwrap();
    assert_eq!(
        receive(&other, "1", &events).await,
        Received {
            repeated: true,
            fresh: 0
        }
    );
    assert_eq!(waiting(store).await, ["$a", "$b"]);
}

/// Synapse on SQLite begins its transaction ids anew after a restart.
pub(crate) async fn new_events_under_an_old_transaction_id_are_new(database: Database) {
    let store = &database.store;
    receive(store, "1", &[event("$a")]).await;
    let received = receive(store, "1", &[event("$a"), event("$b")]).await;
    assert_eq!(
        received,
        Received {
            repeated: true,
            fresh: 1
        }
    );
    assert_eq!(waiting(store).await, ["$a", "$b"]);
}

pub(crate) async fn an_event_of_two_transactions_counts_once(database: Database) {
    let store = &database.store;
    receive(store, "1", &[event("$a")]).await;
    let received = receive(store, "2", &[event("$a"), event("$b"), event("$b")]).await;
    assert_eq!(
        received,
        Received {
            repeated: false,
            fresh: 1
        }
    );
    assert_eq!(waiting(store).await, ["$a", "$b"]);
}

pub(crate) async fn events_come_in_order_until_processed(database: Database) {
    let store = &database.store;
    receive(store, "1", &[event("$z"), event("$a"), event("$m")]).await;
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
        receive(store, "2", &[event("$z")]).await.fresh,
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
    assert_eq!(receive(&database.store, "\0'\"", &odd).await.fresh, 4);
    assert!(receive(&database.store, "\0'\"", &odd).await.repeated);
    assert_eq!(waiting(&database.store).await[3], long);
}

pub(crate) async fn old_ids_are_forgotten(database: Database) {
    let store = &database.store;
    receive(store, "1", &[event("$done"), event("$waits")]).await;
    let mut tx = store.begin().await.unwrap();
    tx.processed("$done", at(10)).await.unwrap();
    assert_eq!(tx.prune_inbox(at(-1)).await.unwrap(), 0);
    assert_eq!(
        tx.prune_inbox(at(11)).await.unwrap(),
        2,
        "the transaction and the processed event"
    );
    tx.commit().await.unwrap();
    assert_eq!(waiting(store).await, ["$waits"]);
}
