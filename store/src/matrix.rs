//! Where a visit is in Matrix.

use bridge::ids::{MatrixUser, VisitId};

use crate::{
    Read, Result, Tx,
    record::{Record, text},
};

/// What the house has made or seen of a visit in Matrix. Each is set when it is known, so that a command that runs
/// again after a crash finds what it did before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisitMatrix {
    /// The guest's ghost. Unique.
    pub ghost: Option<MatrixUser>,
    /// The visitor's knock in the door room (event id), ghost or native.
    pub knock_event: Option<String>,
    /// The line that rings in the door room (event id).
    pub line_event: Option<String>,
    /// The concern under it (event id).
    pub concern_event: Option<String>,
    /// The consultation room (room id). Unique.
    pub consultation_room: Option<String>,
}

macro_rules! setter {
    ($(#[$doc:meta])* $vis:vis $name:ident, $column:literal) => {
        $(#[$doc])*
        $vis async fn $name(&mut self, visit: &VisitId, value: Option<&str>) -> Result<()> {
            let statement = sqlx::query(concat!(
                "INSERT INTO visit_matrix (visit, ", $column, ") VALUES ($1, $2) \
                 ON CONFLICT (visit) DO UPDATE SET ", $column, " = excluded.", $column,
            ))
            .bind(visit.as_str())
            .bind(value.map(text));
            self.run(statement).await?;
            Ok(())
        }
    };
}

impl Read {
    /// Where the visit is in Matrix; all empty when nothing is known.
    pub async fn visit_matrix(&mut self, visit: &VisitId) -> Result<VisitMatrix> {
        let row = self
            .optional(
                sqlx::query(
                    "SELECT visit, ghost, knock_event, line_event, concern_event, consultation_room
                     FROM visit_matrix WHERE visit = $1",
                )
                .bind(visit.as_str()),
            )
            .await?;
        let Some(row) = row else {
            return Ok(VisitMatrix::default());
        };
        let row = Record::keyed(&row, "visit_matrix", "visit");
        Ok(VisitMatrix {
            ghost: row.parse_opt("ghost")?,
            knock_event: row.get("knock_event")?,
            line_event: row.get("line_event")?,
            concern_event: row.get("concern_event")?,
            consultation_room: row.get("consultation_room")?,
        })
    }
}

impl Tx {
    /// Sets the ghost that stands for the guest. One that stands for another visit is
    /// [`StoreError::Constraint`](crate::StoreError::Constraint).
    pub async fn set_ghost(&mut self, visit: &VisitId, ghost: &MatrixUser) -> Result<()> {
        self.set_ghost_column(visit, Some(ghost.as_str())).await
    }

    setter!(set_ghost_column, "ghost");
    setter!(
        /// Sets the event id of the knock.
        pub set_knock_event, "knock_event"
    );
    setter!(
        /// Sets the event id of the line that rings.
        pub set_line_event, "line_event"
    );
    setter!(
        /// Sets the event id of the concern; `None` once it is redacted.
        pub set_concern_event, "concern_event"
    );
    setter!(
        /// Sets the consultation room; `None` once it is erased.
        pub set_consultation_room, "consultation_room"
    );
}
