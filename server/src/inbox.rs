//! The inbox: what the homeserver delivers is stored first, and worked off in order afterwards.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use appservice::{
    event::{self, RoomEvent, RoomEventKind},
    rooms::{self, Origin},
    transactions::{Ephemeral, Inbox, InboxError, Transaction},
};
use async_trait::async_trait;
use bridge::ids::MatrixUser;
use gateway::port::VisitEvent;
use metrics::counter;
use store::{InboxEvent, NewEvent};
use tracing::{error, warn};

use crate::{
    consultation, door,
    house::{ChangeError, House},
    shell,
};

/// How many events are read at once.
const BATCH: u32 = 100;
/// An event that fails this often for reasons of its own is given up, so that the others go on.
const ATTEMPTS: u32 = 5;
/// The pause after a fault.
const PAUSE: Duration = Duration::from_millis(500);

/// The homeserver's side of the inbox.
pub(crate) struct Letterbox(pub(crate) Arc<House>);

#[async_trait]
impl Inbox for Letterbox {
    async fn receive(&self, transaction: Transaction) -> Result<(), InboxError> {
        let house = &self.0;
        house.heard.store(true, Ordering::Relaxed);
        let events: Vec<NewEvent> = transaction
            .events
            .into_iter()
            .map(|event| NewEvent {
                event_id: event.event_id.to_string(),
                room_id: Some(event.room_id.to_string()),
                json: serde_json::from_str(&event.json).unwrap_or_default(),
            })
            .collect();
        let stored = async {
            let mut tx = house.store.begin().await?;
            tx.receive(&events, shell::now()).await?;
            tx.commit().await
        };
        stored.await.map_err(|fault| InboxError(Box::new(fault)))?;
        house.inbox.notify_one();
        for ephemeral in transaction.ephemeral {
            if let Ephemeral::Typing { room, users } = ephemeral {
                typing(house, room.as_str(), &users).await;
            }
        }
        Ok(())
    }

    async fn user_exists(&self, user: &MatrixUser) -> bool {
        let house = &self.0;
        *user == *house.matrix.bot()
            || match house.store.read().await {
                Ok(mut read) => matches!(read.visit_of_ghost(user.as_str()).await, Ok(Some(_))),
                Err(_) => false,
            }
    }

    async fn alias_exists(&self, _alias: &str) -> bool {
        // Rooms and their aliases are made at start, not when somebody asks for one.
        false
    }
}

/// Shows the guest whether somebody else types in the consultation room.
async fn typing(house: &House, room: &str, users: &[MatrixUser]) {
    let Ok(mut read) = house.store.read().await else {
        return;
    };
    if let Ok(Some(record)) = read.visit_of_room(room).await {
        let somebody = users
            .iter()
            .any(|user| !house.matrix.is_ghost(user) && user != house.matrix.bot());
        house
            .hub
            .send(&record.visit.id, VisitEvent::Typing(somebody));
    }
}

/// Works the inbox off, for ever.
pub(crate) async fn work(house: Arc<House>) {
    let mut failed: u32 = 0;
    loop {
        match work_off(&house, &mut failed).await {
            Ok(()) => house.inbox.notified().await,
            Err(fault) => {
                error!("the inbox stands still: {fault}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Processes events in order until none is left. `failed` counts the attempts at the first one.
async fn work_off(house: &House, failed: &mut u32) -> Result<(), ChangeError> {
    loop {
        let events = house.store.read().await?.next_events(0, BATCH).await?;
        if events.is_empty() {
            return Ok(());
        }
        for stored in events {
            if *failed >= ATTEMPTS {
                error!(
                    event = stored.event_id,
                    "an event could not be processed and is skipped"
                );
                counter!("vorzimmer_inbox_skipped_total").increment(1);
                skip(house, &stored).await?;
                *failed = 0;
                continue;
            }
            *failed += 1;
            process(house, &stored).await?;
            *failed = 0;
        }
    }
}

/// One event: what follows from it is stored together with the mark that it is processed.
async fn process(house: &House, stored: &InboxEvent) -> Result<(), ChangeError> {
    let Some(event) = event::read(&stored.json.to_string()) else {
        warn!(
            event = stored.event_id,
            "an event cannot be read and is skipped"
        );
        return skip(house, stored).await;
    };
    let office = house.doors.office(event.room_id.as_str());
    // However the bot came to be out of a door, by a kick or because the room was deleted: it must get back in, or
    // make a new room.
    if office.is_some()
        && matches!(&event.kind, RoomEventKind::Left { user, .. } if user == house.matrix.bot())
    {
        house.reconcile.notify_one();
        return skip(house, stored).await;
    }
    if event.sender == *house.matrix.bot() {
        return skip(house, stored).await;
    }
    if let Some(office) = office {
        return door::happened(house, &office, &event).await;
    }
    let record = house
        .store
        .read()
        .await?
        .visit_of_room(event.room_id.as_str())
        .await?;
    if let Some(record) = record {
        return consultation::happened(house, record, &event).await;
    }
    // A room that is being made at this moment is not remembered yet, but people are in it.
    match rooms::origin(&house.matrix, &event.room_id).await? {
        Some(Origin::Door(office)) => door::happened(house, &office, &event).await,
        Some(Origin::Consultation(visit)) => match house.store.read().await?.visit(&visit).await? {
            Some(record) => consultation::happened(house, record, &event).await,
            None => skip(house, stored).await,
        },
        None => skip(house, stored).await,
    }
}

/// Marks an event as processed without consequences.
async fn skip(house: &House, stored: &InboxEvent) -> Result<(), ChangeError> {
    done_with(house, &stored.event_id).await
}

/// Marks an event as processed without consequences.
pub(crate) async fn ignore(house: &House, event: &RoomEvent) -> Result<(), ChangeError> {
    done_with(house, event.event_id.as_str()).await
}

async fn done_with(house: &House, event_id: &str) -> Result<(), ChangeError> {
    let mut tx = house.store.begin().await?;
    tx.processed(event_id, shell::now()).await?;
    Ok(tx.commit().await?)
}
