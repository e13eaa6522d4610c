//! The outbox: what must happen outside, stored with the change that causes it.
//!
//! Jobs of one **lane** run one after the other, in the order of their ids; lanes are independent of each other. A job
//! that is put off holds up its lane; a dead letter does not.

use std::fmt;

use bridge::{
    ids::{BookingId, OfficeSlug, VisitId},
    input::Command,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::any::AnyRow;

use crate::{
    Read, Result, StoreError, Tx,
    record::{Record, millis, text},
};

/// A job's number: never used twice, so it makes a Matrix transaction id (with the installation's id before it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(String);

impl Lane {
    /// What happens in an office's door room.
    #[must_use]
    pub fn door(office: &OfficeSlug) -> Self {
        Self(format!("door:{office}"))
    }

    /// What happens in a visit's consultation room.
    #[must_use]
    pub fn visit(visit: &VisitId) -> Self {
        Self(format!("visit:{visit}"))
    }

    /// Mails about a booking.
    #[must_use]
    pub fn mail(booking: &BookingId) -> Self {
        Self(format!("mail:{booking}"))
    }

    /// A lane for a kind of job of its own: `erasure`.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// By which way jobs leave. Who waits for one does not wait for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the homeserver and the relay: people wait for it at this moment.
    Matrix,
    /// To the city's mail server: the lanes of [`Lane::mail`].
    Mail,
}

/// In which lane a command runs. What clerks read in the door room keeps its order there. What happens to one
/// visitor, in whichever room, keeps its own: a far homeserver that does not answer holds up nobody else.
/// `None` for [`Command::Publish`]: it is not stored, the newest state counts.
#[must_use]
pub fn lane_of(command: &Command, office: &OfficeSlug) -> Option<Lane> {
    match command {
        Command::Announce { .. }
        | Command::UpdateAnnouncement { .. }
        | Command::RedactConcern { .. }
        | Command::TellClerk { .. } => Some(Lane::door(office)),
        Command::PlaceKnock { visit }
        | Command::ClearDoor { visit }
        | Command::OpenConsultation { visit }
        | Command::CloseConsultation { visit, .. } => Some(Lane::visit(visit)),
        Command::Publish => None,
    }
}

/// A job that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Its lane.
    pub lane: Lane,
    /// What to do. [`Value::Null`] when the row is not readable: bury it, so that its lane goes on.
    pub job: Value,
    /// How often it has been tried in vain.
    pub attempts: u32,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A job that has been given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The job.
    pub job: Job,
    /// The error code of the last try.
    pub last_error: Option<String>,
}

impl Read {
    /// Of each lane of this way the head, if it is due; the oldest first.
    pub async fn due(&mut self, way: Way, now: Timestamp, limit: u32) -> Result<Vec<Job>> {
        let statement = sqlx::query(
            "SELECT o.id, o.lane, o.job, o.attempts, o.created_at FROM outbox o
             WHERE o.state = 'pending' AND o.not_before <= $1
             AND (CASE WHEN o.lane LIKE 'mail:%' THEN 1 ELSE 0 END) = $3 AND o.id =
               (SELECT MIN(h.id) FROM outbox h WHERE h.state = 'pending' AND h.lane = o.lane)
             ORDER BY o.id LIMIT $2",
        )
        .bind(millis(now))
        .bind(i64::from(limit))
        .bind(i64::from(way == Way::Mail));
        self.all(statement).await?.iter().map(read).collect()
    }

    /// When the next head of a lane of this way is due; `None` when nothing is pending. May lie in the past.
    pub async fn next_due(&mut self, way: Way) -> Result<Option<Timestamp>> {
        let statement = sqlx::query(
            "SELECT MIN(o.not_before) AS not_before FROM outbox o
             WHERE o.state = 'pending' AND (CASE WHEN o.lane LIKE 'mail:%' THEN 1 ELSE 0 END) = $1
             AND o.id =
               (SELECT MIN(h.id) FROM outbox h WHERE h.state = 'pending' AND h.lane = o.lane)",
        )
        .bind(i64::from(way == Way::Mail));
        let row = self.one(statement).await?;
        Record::new(&row, "outbox", "next".to_owned()).time_opt("not_before")
    }

    /// Jobs that have been given up, the oldest first.
    pub async fn dead_letters(&mut self, limit: u32) -> Result<Vec<DeadLetter>> {
        let statement = sqlx::query(
            "SELECT id, lane, job, attempts, created_at, last_error FROM outbox
             WHERE state = 'dead' ORDER BY id LIMIT $1",
        )
        .bind(i64::from(limit));
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let job = read(row)?;
                let last_error = Record::keyed(row, "outbox", "id").get("last_error")?;
                Ok(DeadLetter { job, last_error })
            })
            .collect()
    }
}

impl Tx {
    /// Stores a job, due at `now`. It must hold no words a person wrote: those are looked up when it runs.
    pub async fn enqueue<J: Serialize + Sync>(
        &mut self,
        lane: &Lane,
        job: &J,
        now: Timestamp,
    ) -> Result<JobId> {
        self.enqueue_at(lane, job, now, now).await
    }

    /// Stores a job that is not due before `not_before`. It holds up its lane until then.
    pub async fn enqueue_at<J: Serialize + Sync>(
        &mut self,
        lane: &Lane,
        job: &J,
        now: Timestamp,
        not_before: Timestamp,
    ) -> Result<JobId> {
        let id = self.next_number("outbox").await?;
        let job = serde_json::to_string(job).map_err(|_| StoreError::Corrupt {
            table: "outbox",
            row: id.to_string(),
            column: "job",
        })?;
        let statement = sqlx::query(
            "INSERT INTO outbox (id, lane, job, not_before, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(text(lane.as_str()))
        .bind(job)
        .bind(millis(not_before))
        .bind(millis(now));
        self.run(statement).await?;
        Ok(JobId(id))
    }

    /// The job is done: deletes it. Do it in the transaction that stores its effects. Whether it was there.
    pub async fn done(&mut self, id: JobId) -> Result<bool> {
        Ok(self
            .run(sqlx::query("DELETE FROM outbox WHERE id = $1").bind(id.0))
            .await?
            == 1)
    }

    /// The job failed: not again before `not_before`. Of `error`, a code like `M_LIMIT_EXCEEDED`, only the first word
    /// is kept (letters, digits, `_.-:`).
    pub async fn retry(&mut self, id: JobId, not_before: Timestamp, error: &str) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE outbox SET attempts = attempts + 1, not_before = $2, last_error = $3
             WHERE id = $1 AND state = 'pending'",
        )
        .bind(id.0)
        .bind(millis(not_before))
        .bind(error_code(error));
        Ok(self.run(statement).await? == 1)
    }

    /// The job cannot succeed: it becomes a dead letter, and its lane goes on.
    pub async fn bury(&mut self, id: JobId, error: &str) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE outbox SET attempts = attempts + 1, state = 'dead', last_error = $2
             WHERE id = $1 AND state = 'pending'",
        )
        .bind(id.0)
        .bind(error_code(error));
        Ok(self.run(statement).await? == 1)
    }

    /// A dead letter becomes a job again, at its old place in the lane, due at `now`.
    pub async fn revive(&mut self, id: JobId, now: Timestamp) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'pending', attempts = 0, not_before = $2
             WHERE id = $1 AND state = 'dead'",
        )
        .bind(id.0)
        .bind(millis(now));
        Ok(self.run(statement).await? == 1)
    }
}

/// Only the code: an error's text may quote what a person wrote.
fn error_code(error: &str) -> String {
    error
        .chars()
        .take_while(|&c| c.is_ascii_alphanumeric() || "_.-:".contains(c))
        .take(64)
        .collect()
}

fn read(row: &AnyRow) -> Result<Job> {
    let row = Record::keyed(row, "outbox", "id");
    Ok(Job {
        id: JobId(row.get("id")?),
        lane: Lane(row.get("lane")?),
        job: serde_json::from_str(&row.get::<String>("job")?).unwrap_or(Value::Null),
        attempts: row.number("attempts")?,
        created_at: row.time("created_at")?,
    })
}
