//! Units of work: [`Read`], a snapshot, and [`Tx`], a change that happens whole or not at all.

use std::ops::{Deref, DerefMut};

use sqlx::{
    Any, AnyConnection, Transaction,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::{Result, StoreError};

/// A statement with its values, for either database.
pub(crate) type Statement<'q> = Query<'q, Any, AnyArguments>;

/// A snapshot of the database: all its queries see the same moment.
pub struct Read {
    tx: Transaction<'static, Any>,
}

impl Read {
    pub(crate) const fn new(tx: Transaction<'static, Any>) -> Self {
        Self { tx }
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.tx
    }

    pub(crate) async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<AnyRow>> {
        Ok(statement.fetch_all(self.connection()).await?)
    }

    pub(crate) async fn one(&mut self, statement: Statement<'_>) -> Result<AnyRow> {
        Ok(statement.fetch_one(self.connection()).await?)
    }

    pub(crate) async fn optional(&mut self, statement: Statement<'_>) -> Result<Option<AnyRow>> {
        Ok(statement.fetch_optional(self.connection()).await?)
    }
}

/// A change. Everything it does becomes true at [`Tx::commit`], or nothing if it is dropped before.
/// It can do all queries of [`Read`], and they see the change.
pub struct Tx {
    read: Read,
}

impl Tx {
    pub(crate) const fn new(tx: Transaction<'static, Any>) -> Self {
        Self {
            read: Read::new(tx),
        }
    }

    /// Makes the change true, durably.
    pub async fn commit(self) -> Result<()> {
        Ok(self.read.tx.commit().await?)
    }

    /// Undoes the change. The same as dropping it, but waits until it is done.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.read.tx.rollback().await?)
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn run(&mut self, statement: Statement<'_>) -> Result<u64> {
        Ok(statement.execute(self.connection()).await?.rows_affected())
    }

    /// The next number of a counter, beginning with 1.
    pub(crate) async fn next_number(&mut self, counter: &'static str) -> Result<i64> {
        let row = self
            .one(
                sqlx::query(
                    "INSERT INTO counters (name, value) VALUES ($1, 1)
                     ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
                )
                .bind(counter),
            )
            .await?;
        sqlx::Row::try_get(&row, "value").map_err(|_| StoreError::Corrupt {
            table: "counters",
            row: counter.to_owned(),
            column: "value",
        })
    }
}

impl Deref for Tx {
    type Target = Read;
    fn deref(&self) -> &Read {
        &self.read
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Read {
        &mut self.read
    }
}
