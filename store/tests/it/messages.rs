//! Messages and files.

use bridge::ids::VisitId;
use store::{Author, Delivery, FileMeta, Inserted, NewMessage, Store};

use crate::{
    database::Database,
    sample::{at, knocked},
};

fn said(visit: &VisitId, body: &str) -> NewMessage {
    NewMessage {
        visit: visit.clone(),
        client_id: None,
        author: Author::Guest,
        author_name: None,
        sent_at: at(5),
        body: body.to_owned(),
        file: None,
        delivery: Delivery::Sending,
        event_id: None,
    }
}

async fn insert(store: &Store, message: NewMessage) -> Inserted {
    let mut tx = store.begin().await.unwrap();
    let inserted = tx.insert_message(message).await.unwrap();
    tx.commit().await.unwrap();
    inserted
}

pub(crate) async fn the_same_client_id_gives_the_same_message(database: Database) {
    let store = &database.store;
    let (mine, other) = (knocked(store, 1).await, knocked(store, 2).await);
    let message = NewMessage {
        client_id: Some("c1".to_owned()),
        ..said(&mine, "Guten Tag")
    };
    let first = insert(store, message.clone()).await;
    assert!(first.fresh);
    assert_eq!(first.message.content, message);
    let again = insert(
        store,
        NewMessage {
            body: "anders".to_owned(),
            ..message.clone()
        },
    )
    .await;
    assert_eq!(
        again,
        Inserted {
            message: first.message.clone(),
            fresh: false
        }
    );
    let elsewhere = insert(
        store,
        NewMessage {
            visit: other,
            ..message
        },
    )
    .await;
    assert!(
        elsewhere.fresh,
        "another visit's client may choose the same id"
    );
    let mut read = store.read().await.unwrap();
    assert_eq!(
        read.messages(&mine, 0).await.unwrap(),
        std::slice::from_ref(&first.message)
    );
    assert_eq!(
        read.message_of_client(&mine, "c1").await.unwrap(),
        Some(first.message)
    );
}

pub(crate) async fn the_same_event_gives_the_same_message(database: Database) {
    let store = &database.store;
    let visit = knocked(store, 1).await;
    let message = NewMessage {
        author: Author::Participant,
        author_name: Some("Frau Müller".to_owned()),
        delivery: Delivery::Delivered,
        event_id: Some("$e".to_owned()),
        ..said(&visit, "Was kann ich \0 tun?")
    };
    let first = insert(store, message.clone()).await;
    assert_eq!(first.message.content.body, "Was kann ich \u{FFFD} tun?");
    assert!(!insert(store, message).await.fresh);
    let mut read = store.read().await.unwrap();
    assert_eq!(
        read.message_of_event("$e").await.unwrap(),
        Some(first.message.clone())
    );
    assert_eq!(read.messages(&visit, 0).await.unwrap(), [first.message]);
}

pub(crate) async fn pages_follow_the_cursor(database: Database) {
    let store = &database.store;
    let visit = knocked(store, 1).await;
    let mut tx = store.begin().await.unwrap();
    for number in 0..510 {
        tx.insert_message(said(&visit, &number.to_string()))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    let first = read.messages(&visit, 0).await.unwrap();
    assert_eq!(first.len(), 500);
    let rest = read.messages(&visit, first[499].id).await.unwrap();
    let bodies: Vec<String> = first
        .iter()
        .chain(&rest)
        .map(|m| m.content.body.clone())
        .collect();
    assert_eq!(bodies, (0..510).map(|n| n.to_string()).collect::<Vec<_>>());
}

pub(crate) async fn delivery_and_files_are_kept(database: Database) {
    let store = &database.store;
    let (visit, other) = (knocked(store, 1).await, knocked(store, 2).await);
    let file = FileMeta {
        name: "Ausweis.pdf".to_owned(),
        size: 3_000_000_000,
        media_type: "application/pdf".to_owned(),
        mxc: None,
    };
    let id = insert(
        store,
        NewMessage {
            file: Some(file.clone()),
            ..said(&visit, "")
        },
    )
    .await
    .message
    .id;
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let mut tx = store.begin().await.unwrap();
    tx.put_blob(id, &bytes).await.unwrap();
    tx.put_blob(id, &bytes).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        store.read().await.unwrap().blob(id).await.unwrap(),
        Some(bytes)
    );

    let mut tx = store.begin().await.unwrap();
    assert!(tx.set_mxc(id, "mxc://dormagen.example/1").await.unwrap());
    assert!(
        tx.set_delivery(id, Delivery::Delivered, Some("$e"))
            .await
            .unwrap()
    );
    tx.delete_blob(id).await.unwrap();
    assert!(
        !tx.set_delivery(id + 1, Delivery::Failed, None)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();

    let mut read = store.read().await.unwrap();
    assert_eq!(read.blob(id).await.unwrap(), None);
    assert_eq!(
        read.message(&other, id).await.unwrap(),
        None,
        "only in its own visit"
    );
    let stored = read.message(&visit, id).await.unwrap().unwrap().content;
    assert_eq!(stored.delivery, Delivery::Delivered);
    assert_eq!(stored.event_id.as_deref(), Some("$e"));
    assert_eq!(
        stored.file,
        Some(FileMeta {
            mxc: Some("mxc://dormagen.example/1".to_owned()),
            ..file
        })
    );
}

pub(crate) async fn ids_are_never_used_twice(database: Database) {
    let store = &database.store;
    let visit = knocked(store, 1).await;
    let first = insert(store, said(&visit, "eins")).await.message.id;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.erase_messages(&visit).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(insert(store, said(&visit, "zwei")).await.message.id > first);
}
