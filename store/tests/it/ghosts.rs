//! A ghost from the stock stands for one guest.

use std::collections::BTreeSet;

use bridge::ids::MatrixUser;
use store::Store;

use crate::{
    database::Database,
    sample::{at, user},
};

async fn add(store: &Store, name: &str, seconds: i64, ready: bool) -> MatrixUser {
    let ghost = user(name);
    let mut tx = store.begin().await.unwrap();
    tx.add_ghost(&ghost, at(seconds)).await.unwrap();
    if ready {
        assert!(tx.ghost_is_ready(&ghost).await.unwrap());
    }
    tx.commit().await.unwrap();
    ghost
}

async fn take(store: &Store) -> Option<MatrixUser> {
    let mut tx = store.begin().await.unwrap();
    let ghost = tx.take_ghost().await.unwrap();
    tx.commit().await.unwrap();
    ghost
}

pub(crate) async fn the_oldest_ready_ghost_is_taken_once(database: Database) {
    let store = &database.store;
    let unready = add(store, "_vorzimmer_1", 0, false).await;
    let young = add(store, "_vorzimmer_2", 2, true).await;
    let old = add(store, "_vorzimmer_3", 1, true).await;

    // What is not committed has not happened.
    let mut dropped = store.begin().await.unwrap();
    assert_eq!(dropped.take_ghost().await.unwrap(), Some(old.clone()));
    drop(dropped);

    assert_eq!(store.read().await.unwrap().ghosts_ready().await.unwrap(), 2);
    assert_eq!(take(store).await, Some(old));
    assert_eq!(take(store).await, Some(young));
    assert_eq!(take(store).await, None);

    let kept = add(store, "_vorzimmer_4", 3, true).await;
    let dropped = add(store, "_vorzimmer_5", 4, true).await;
    let mut tx = store.begin().await.unwrap();
    tx.doubt_ghosts().await.unwrap();
    tx.drop_ghost(&dropped).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take(store).await, None);
    let making = store.read().await.unwrap().ghosts_in_the_making().await;
    assert_eq!(making.unwrap(), [unready, kept]);
}

pub(crate) async fn no_ghost_is_given_twice(database: Database) {
    let store = &database.store;
    for number in 0..20 {
        add(store, &format!("_vorzimmer_{number}"), 0, true).await;
    }
    let mut takers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        takers.spawn(async move { take(&store).await.unwrap() });
    }
    let taken: BTreeSet<_> = takers
        .join_all()
        .await
        .into_iter()
        .map(|ghost| ghost.as_str().to_owned())
        .collect();
    assert_eq!(taken.len(), 20);
}
