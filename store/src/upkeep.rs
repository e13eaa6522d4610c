//! For `doctor` and the metrics.

use sqlx::Row;

use crate::{Backend, Read, Result, Store, record::Record};

/// What `doctor` says of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which database.
    pub backend: Backend,
    /// Whether exactly this program's migrations have been run.
    pub migrated: bool,
    /// What the database finds wrong with itself; empty is well. (SQLite's own check; PostgreSQL has none.)
    pub damage: Vec<String>,
}

/// How much there is of what. For metrics: numbers only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Visits that wait.
    pub waiting: u64,
    /// Visits called.
    pub called: u64,
    /// Visits in conversation.
    pub in_conversation: u64,
    /// Jobs in the outbox.
    pub jobs: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Events not yet processed.
    pub inbox: u64,
    /// Guests' files not yet uploaded.
    pub blobs: u64,
}

impl Store {
    /// Looks the database over. Reads all of it: for `doctor`, not for readiness (that is [`Store::ping`]).
    pub async fn health(&self) -> Result<Health> {
        let migrated = self.is_migrated().await?;
        let mut damage = Vec::new();
        if self.backend() == Backend::Sqlite {
            let mut read = self.read().await?;
            for row in read.all(sqlx::query("PRAGMA integrity_check")).await? {
                let finding: String = row.try_get(0).unwrap_or_default();
                if finding != "ok" {
                    damage.push(finding);
                }
            }
            for row in read.all(sqlx::query("PRAGMA foreign_key_check")).await? {
                let table: String = row.try_get(0).unwrap_or_default();
                damage.push(format!(
                    "table {table}: a row refers to one that is missing"
                ));
            }
        }
        Ok(Health {
            backend: self.backend(),
            migrated,
            damage,
        })
    }
}

impl Read {
    /// How much there is of what.
    pub async fn counts(&mut self) -> Result<Counts> {
        let row = self
            .one(sqlx::query(
                "SELECT
                 (SELECT COUNT(*) FROM visits WHERE ended_at IS NULL AND state = 'waiting') AS waiting,
                 (SELECT COUNT(*) FROM visits WHERE ended_at IS NULL AND state = 'called') AS called,
                 (SELECT COUNT(*) FROM visits WHERE ended_at IS NULL AND state = 'in_conversation')
                   AS in_conversation,
                 (SELECT COUNT(*) FROM outbox WHERE state = 'pending') AS jobs,
                 (SELECT COUNT(*) FROM outbox WHERE state = 'dead') AS dead_letters,
                 (SELECT COUNT(*) FROM inbox_events WHERE processed_at IS NULL) AS inbox,
                 (SELECT COUNT(*) FROM blobs) AS blobs",
            ))
            .await?;
        let row = Record::new(&row, "counts", String::new());
        Ok(Counts {
            waiting: row.number("waiting")?,
            called: row.number("called")?,
            in_conversation: row.number("in_conversation")?,
            jobs: row.number("jobs")?,
            dead_letters: row.number("dead_letters")?,
            inbox: row.number("inbox")?,
            blobs: row.number("blobs")?,
        })
    }
}
