//! What people wrote about a visit. Lives apart, so that erasing is deleting a row.

use std::fmt;

use bridge::ids::VisitId;

use crate::{
    Read, Result, Tx,
    record::{Record, text},
};

/// The personal part of a visit.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct VisitPrivate {
    /// In the citizen's own words. A native knock may come without.
    pub concern: Option<String>,
    /// How to be addressed.
    pub name: Option<String>,
    /// The language an interpreter is needed for.
    pub interpreter: Option<String>,
    /// The text with which a clerk declined.
    pub decline_text: Option<String>,
}

impl fmt::Debug for VisitPrivate {
    /// Personal words never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisitPrivate").finish_non_exhaustive()
    }
}

impl Read {
    /// The personal part of a visit; all empty when there is none, or it has been erased.
    pub async fn private(&mut self, visit: &VisitId) -> Result<VisitPrivate> {
        let row = self
            .optional(
                sqlx::query(
                    "SELECT visit, concern, name, interpreter, decline_text
                     FROM visit_private WHERE visit = $1",
                )
                .bind(visit.as_str()),
            )
            .await?;
        let Some(row) = row else {
            return Ok(VisitPrivate::default());
        };
        let row = Record::keyed(&row, "visit_private", "visit");
        Ok(VisitPrivate {
            concern: row.get("concern")?,
            name: row.get("name")?,
            interpreter: row.get("interpreter")?,
            decline_text: row.get("decline_text")?,
        })
    }
}

impl Tx {
    /// Sets the personal part of a visit, whole. The visit itself may be saved later in the same transaction.
    pub async fn put_private(&mut self, visit: &VisitId, private: &VisitPrivate) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO visit_private (visit, concern, name, interpreter, decline_text)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (visit) DO UPDATE SET concern = excluded.concern, name = excluded.name,
             interpreter = excluded.interpreter, decline_text = excluded.decline_text",
        )
        .bind(visit.as_str())
        .bind(private.concern.as_deref().map(text))
        .bind(private.name.as_deref().map(text))
        .bind(private.interpreter.as_deref().map(text))
        .bind(private.decline_text.as_deref().map(text));
        self.run(statement).await?;
        Ok(())
    }

    /// Sets the text with which a clerk declined.
    pub async fn set_decline_text(&mut self, visit: &VisitId, words: Option<&str>) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO visit_private (visit, decline_text) VALUES ($1, $2)
             ON CONFLICT (visit) DO UPDATE SET decline_text = excluded.decline_text",
        )
        .bind(visit.as_str())
        .bind(words.map(text));
        self.run(statement).await?;
        Ok(())
    }

    /// Erases the personal part of a visit. Messages have [`Tx::erase_messages`]; [`Tx::erase_visit`] does all.
    pub async fn erase_private(&mut self, visit: &VisitId) -> Result<()> {
        self.run(sqlx::query("DELETE FROM visit_private WHERE visit = $1").bind(visit.as_str()))
            .await?;
        Ok(())
    }
}
