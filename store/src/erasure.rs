//! The retention rule: which visits are due for erasure, and erasing them.

use bridge::ids::{MatrixUser, OfficeSlug, VisitId};
use jiff::Timestamp;

use crate::{
    Read, Result, Tx,
    record::{Record, millis},
};

/// A visit whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The visit.
    pub visit: VisitId,
    /// Where it was.
    pub office: OfficeSlug,
    /// The room to erase on the homeserver first, if one was made.
    pub consultation_room: Option<String>,
    /// The ghost to deactivate, if one was made.
    pub ghost: Option<MatrixUser>,
}

impl Read {
    /// Visits that ended before this instant and are not erased yet, the oldest first.
    pub async fn due_for_erasure(
        &mut self,
        ended_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Erasure>> {
        let statement = sqlx::query(
            "SELECT v.id, v.office, m.consultation_room, m.ghost
             FROM visits v LEFT JOIN visit_matrix m ON m.visit = v.id
             WHERE v.ended_at < $1 AND v.erased_at IS NULL ORDER BY v.ended_at, v.id LIMIT $2",
        )
        .bind(millis(ended_before))
        .bind(i64::from(limit));
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "visits", "id");
                Ok(Erasure {
                    visit: row.parse("id")?,
                    office: row.parse("office")?,
                    consultation_room: row.get("consultation_room")?,
                    ghost: row.parse_opt("ghost")?,
                })
            })
            .collect()
    }
}

impl Tx {
    /// Erases all that leads to a person (words, messages, files, Matrix ids, guest, clerk). What stays is a line of
    /// statistics: office, service, language, times and ending. Only for a visit that has ended; whether it was one
    /// and not yet erased.
    pub async fn erase_visit(&mut self, visit: &VisitId, now: Timestamp) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE visits SET guest = NULL, matrix_user = NULL, clerk = NULL, absent_since = NULL,
             erased_at = $2 WHERE id = $1 AND ended_at IS NOT NULL AND erased_at IS NULL",
        )
        .bind(visit.as_str())
        .bind(millis(now));
        if self.run(statement).await? == 0 {
            return Ok(false);
        }
        self.erase_private(visit).await?;
        self.erase_messages(visit).await?;
        self.erase_participants(visit).await?;
        self.forget_call_names(visit).await?;
        self.run(sqlx::query("DELETE FROM visit_matrix WHERE visit = $1").bind(visit.as_str()))
            .await?;
        Ok(true)
    }
}
