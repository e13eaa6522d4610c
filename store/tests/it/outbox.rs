//! The outbox: order in a lane, independence between lanes.

use bridge::input::{ClerkAction, Command, Input};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{JobId, Lane, Store, Way};

use crate::{
    database::Database,
    sample::{at, handle, knock, office, user, visit},
};

fn lanes() -> (Lane, Lane) {
    (Lane::door(&office("gewerbe")), Lane::visit(&visit(1)))
}

async fn enqueue(store: &Store, lane: &Lane, job: &str) -> JobId {
    let mut tx = store.begin().await.unwrap();
    let id = tx.enqueue(lane, &json!({"do": job}), at(0)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn next_due(store: &Store) -> Option<Timestamp> {
    let mut read = store.read().await.unwrap();
    read.next_due(Way::Matrix).await.unwrap()
}

async fn due(store: &Store, seconds: i64) -> Vec<JobId> {
    let jobs = store
        .read()
        .await
        .unwrap()
        .due(Way::Matrix, at(seconds), 100)
        .await
        .unwrap();
    jobs.into_iter().map(|job| job.id).collect()
}

pub(crate) async fn a_lane_keeps_its_order(database: Database) {
    let store = &database.store;
    let (door, room) = lanes();
    let a = enqueue(store, &door, "a").await;
    let b = enqueue(store, &door, "b").await;
    let c = enqueue(store, &room, "c").await;
    assert!(a < b && b < c);
    assert_eq!(due(store, -1).await, [], "not before its time");
    assert_eq!(due(store, 0).await, [a, c], "of each lane the head");
    assert_eq!(
        store
            .read()
            .await
            .unwrap()
            .due(Way::Matrix, at(0), 1)
            .await
            .unwrap()
            .len(),
        1
    );

    let mut dropped = store.begin().await.unwrap();
    assert!(dropped.done(a).await.unwrap());
    drop(dropped);
    assert_eq!(due(store, 0).await, [a, c], "done counts with the commit");
    let mut tx = store.begin().await.unwrap();
    assert!(tx.done(a).await.unwrap());
    assert!(!tx.done(a).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(due(store, 0).await, [b, c]);

    let mut tx = store.begin().await.unwrap();
    tx.done(b).await.unwrap();
    tx.done(c).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(next_due(store).await, None);
    assert!(
        enqueue(store, &door, "d").await > c,
        "numbers are never used twice"
    );
}

pub(crate) async fn a_job_put_off_holds_up_its_lane_only(database: Database) {
    let store = &database.store;
    let (door, room) = lanes();
    let a = enqueue(store, &door, "a").await;
    let b = enqueue(store, &door, "b").await;
    let c = enqueue(store, &room, "c").await;
    let mut tx = store.begin().await.unwrap();
    assert!(tx.retry(a, at(60), "M_LIMIT_EXCEEDED").await.unwrap());
    assert!(tx.done(c).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(due(store, 59).await, []);
    assert_eq!(next_due(store).await, Some(at(60)));
    assert_eq!(due(store, 60).await, [a]);
    let jobs = store
        .read()
        .await
        .unwrap()
        .due(Way::Matrix, at(60), 9)
        .await
        .unwrap();
    assert_eq!(
        (jobs[0].attempts, &jobs[0].lane, jobs[0].created_at),
        (1, &door, at(0))
    );
    let mut tx = store.begin().await.unwrap();
    tx.done(a).await.unwrap();
    tx.enqueue_at(&room, &json!("later"), at(0), at(100))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(due(store, 60).await, [b]);
    assert_eq!(due(store, 100).await.len(), 2);
}

pub(crate) async fn mails_are_asked_for_apart(database: Database) {
    let store = &database.store;
    let (door, room) = lanes();
    let booking = bridge::ids::BookingId::from_random([7; 16]);
    let mail = enqueue(store, &Lane::mail(&booking), "mail").await;
    let a = enqueue(store, &door, "a").await;
    let b = enqueue(store, &room, "b").await;
    assert_eq!(due(store, 0).await, [a, b]);
    let mut read = store.read().await.unwrap();
    let mails = read.due(Way::Mail, at(0), 9).await.unwrap();
    assert_eq!(mails.iter().map(|job| job.id).collect::<Vec<_>>(), [mail]);
    drop(read);
    let mut tx = store.begin().await.unwrap();
    tx.retry(mail, at(30), "smtp_450").await.unwrap();
    tx.retry(a, at(60), "M_LIMIT_EXCEEDED").await.unwrap();
    tx.done(b).await.unwrap();
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(read.next_due(Way::Mail).await.unwrap(), Some(at(30)));
    assert_eq!(read.next_due(Way::Matrix).await.unwrap(), Some(at(60)));
}

pub(crate) async fn a_dead_letter_lets_its_lane_go_on(database: Database) {
    let store = &database.store;
    let (door, _) = lanes();
    let a = enqueue(store, &door, "a").await;
    let b = enqueue(store, &door, "b").await;
    let mut tx = store.begin().await.unwrap();
    assert!(tx.bury(a, "M_FORBIDDEN").await.unwrap());
    assert!(!tx.bury(a, "M_FORBIDDEN").await.unwrap());
    assert!(
        !tx.retry(a, at(0), "M_FORBIDDEN").await.unwrap(),
        "the dead are not tried again"
    );
    assert!(
        !tx.revive(b, at(0)).await.unwrap(),
        "who lives cannot be revived"
    );
    tx.commit().await.unwrap();
    assert_eq!(due(store, 0).await, [b]);
    let dead = store.read().await.unwrap().dead_letters(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].job.id, dead[0].job.job.clone()),
        (a, json!({"do": "a"}))
    );
    assert_eq!(dead[0].last_error.as_deref(), Some("M_FORBIDDEN"));
    assert_eq!(
        store
            .read()
            .await
            .unwrap()
            .counts()
            .await
            .unwrap()
            .dead_letters,
        1
    );

    let mut tx = store.begin().await.unwrap();
    assert!(tx.revive(a, at(5)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(due(store, 4).await, [], "it is the head again");
    assert_eq!(due(store, 5).await, [a]);

    database
        .meddle("UPDATE outbox SET job = '{' WHERE state = 'pending'")
        .await;
    let jobs = store
        .read()
        .await
        .unwrap()
        .due(Way::Matrix, at(5), 9)
        .await
        .unwrap();
    assert_eq!(jobs[0].job, Value::Null, "a damaged job can be buried");
}

pub(crate) async fn an_error_keeps_only_its_code(database: Database) {
    let store = &database.store;
    let (door, _) = lanes();
    let a = enqueue(store, &door, "a").await;
    let mut tx = store.begin().await.unwrap();
    tx.bury(a, "M_UNKNOWN: Eva Müller wrote \"help\"")
        .await
        .unwrap();
    let dead = tx.dead_letters(1).await.unwrap();
    assert_eq!(dead[0].last_error.as_deref(), Some("M_UNKNOWN:"));
}

pub(crate) async fn commands_go_into_their_lanes(database: Database) {
    let store = &database.store;
    let slug = office("gewerbe");
    handle(store, &slug, &knock(1), 0).await;
    let call = Input::Clerk {
        clerk: user("eva"),
        action: ClerkAction::CallNext,
    };
    let (_, outcome, saved) = handle(store, &slug, &call, 1).await;
    let stored: Vec<&Command> = outcome
        .commands
        .iter()
        .filter(|command| **command != Command::Publish)
        .collect();
    assert_eq!(saved.jobs, stored.len());
    assert!(saved.publish);

    let mut seen = Vec::new();
    loop {
        let jobs = store
            .read()
            .await
            .unwrap()
            .due(Way::Matrix, at(1), 100)
            .await
            .unwrap();
        let Some(job) = jobs.into_iter().next() else {
            break;
        };
        let command: Command = serde_json::from_value(job.job).unwrap();
        seen.push((job.lane, command));
        let mut tx = store.begin().await.unwrap();
        tx.done(job.id).await.unwrap();
        tx.commit().await.unwrap();
    }
    let (door, room) = lanes();
    assert_eq!(
        seen[0],
        (room.clone(), Command::PlaceKnock { visit: visit(1) })
    );
    assert!(seen.contains(&(room.clone(), Command::OpenConsultation { visit: visit(1) })));
    assert!(seen.contains(&(door.clone(), Command::Announce { visit: visit(1) })));
    assert!(seen.iter().all(|(lane, command)| {
        let about_the_visitor = matches!(
            command,
            Command::PlaceKnock { .. }
                | Command::ClearDoor { .. }
                | Command::OpenConsultation { .. }
        );
        lane == if about_the_visitor { &room } else { &door }
    }));
}
