//! The inbox: what the homeserver told, once, in its order.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    Read, Result, StoreError, Tx,
    record::{Record, millis, text},
};

/// An event of a transaction.
#[derive(Clone, PartialEq)]
pub struct NewEvent {
    /// Its id.
    pub event_id: String,
    /// Its room, if it says.
    pub room_id: Option<String>,
    /// All of it.
    pub json: Value,
}

impl fmt::Debug for NewEvent {
    /// Content never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("event_id", &self.event_id)
            .finish_non_exhaustive()
    }
}

/// An event that waits to be processed.
#[derive(Clone, PartialEq)]
pub struct InboxEvent {
    /// Its place in the order of arrival.
    pub seq: i64,
    /// Its id.
    pub event_id: String,
    /// Its room, if it says.
    pub room_id: Option<String>,
    /// All of it. [`Value::Null`] when the row is not readable: mark it as processed, so that the rest goes on.
    pub json: Value,
}

impl fmt::Debug for InboxEvent {
    /// Content never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxEvent")
            .field("seq", &self.seq)
            .field("event_id", &self.event_id)
            .field("room_id", &self.room_id)
            .finish_non_exhaustive()
    }
}

impl Read {
    /// Events not yet processed that arrived after the one with the place `after` (0: all), in order.
    pub async fn next_events(&mut self, after: i64, limit: u32) -> Result<Vec<InboxEvent>> {
        let statement = sqlx::query(
            "SELECT seq, event_id, room_id, json FROM inbox_events
             WHERE processed_at IS NULL AND seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit));
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "inbox_events", "event_id");
                Ok(InboxEvent {
                    seq: row.get("seq")?,
                    event_id: row.get("event_id")?,
                    room_id: row.get("room_id")?,
                    json: row
                        .get::<Option<String>>("json")?
                        .and_then(|json| serde_json::from_str(&json).ok())
                        .unwrap_or(Value::Null),
                })
            })
            .collect()
    }
}

impl Tx {
    /// Stores the events of a transaction that are new; how many are. Answer 200 after the commit.
    ///
    /// What counts once is the *event id*. A known transaction id does not make its events known: Synapse on SQLite
    /// counts its transactions from the start again after a restart, so that other events come under an old id.
    pub async fn receive(&mut self, events: &[NewEvent], now: Timestamp) -> Result<usize> {
        let mut fresh = 0;
        for event in events {
            if self.receive_event(event, now).await? {
                fresh += 1;
            }
        }
        Ok(fresh)
    }

    async fn receive_event(&mut self, event: &NewEvent, now: Timestamp) -> Result<bool> {
        let seq = self.next_number("inbox").await?;
        let json = serde_json::to_string(&event.json).map_err(|_| StoreError::Corrupt {
            table: "inbox_events",
            row: event.event_id.clone(),
            column: "json",
        })?;
        let statement = sqlx::query(
            "INSERT INTO inbox_events (event_id, seq, room_id, json, received_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (event_id) DO NOTHING",
        )
        .bind(text(&event.event_id))
        .bind(seq)
        .bind(event.room_id.as_deref().map(text))
        .bind(json)
        .bind(millis(now));
        Ok(self.run(statement).await? == 1)
    }

    /// The event has been processed: its content is dropped, its id kept. Do it in the transaction that stores its
    /// effects. Whether it was waiting.
    pub async fn processed(&mut self, event_id: &str, now: Timestamp) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE inbox_events SET json = NULL, processed_at = $2
             WHERE event_id = $1 AND processed_at IS NULL",
        )
        .bind(text(event_id))
        .bind(millis(now));
        Ok(self.run(statement).await? == 1)
    }

    /// Forgets ids of events processed before this instant. How many.
    /// Homeservers repeat a transaction for as long as it is not answered, so keep weeks.
    pub async fn prune_inbox(&mut self, before: Timestamp) -> Result<u64> {
        let statement =
            sqlx::query("DELETE FROM inbox_events WHERE processed_at < $1").bind(millis(before));
        self.run(statement).await
    }
}
