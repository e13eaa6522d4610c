//! Those who come along to a visit beside its citizen: interpreters and companions.

use bridge::ids::{GuestId, MatrixUser, ParticipantId, VisitId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::{
    LinkRole, Read, Result, Tx,
    record::{Record, millis, text},
};

/// Somebody who comes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Their id.
    pub id: ParticipantId,
    /// To which visit.
    pub visit: VisitId,
    /// What they are there for.
    pub role: LinkRole,
    /// The ghost that stands for them. Unique.
    pub ghost: MatrixUser,
    /// The browser that opened the link last; none while nobody has.
    pub guest: Option<GuestId>,
    /// A clerk has put them out of this conversation.
    pub turned_out: bool,
}

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, visit, role, ghost, guest, turned_out FROM participants WHERE ",
            $condition
        )
    };
}

impl Read {
    /// By their id.
    pub async fn participant(&mut self, id: &ParticipantId) -> Result<Option<Participant>> {
        let row = self
            .optional(sqlx::query(select!("id = $1")).bind(id.as_str()))
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// By the hash of the secret in their link.
    pub async fn participant_of_token(&mut self, hash: &str) -> Result<Option<Participant>> {
        let row = self
            .optional(sqlx::query(select!("token_hash = $1")).bind(text(hash)))
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// All of a visit, the first one first.
    pub async fn participants(&mut self, visit: &VisitId) -> Result<Vec<Participant>> {
        self.all(sqlx::query(select!("visit = $1 ORDER BY made_at, id")).bind(visit.as_str()))
            .await?
            .iter()
            .map(read)
            .collect()
    }
}

impl Tx {
    /// Somebody is to come along. A link or ghost that is taken is
    /// [`StoreError::Constraint`](crate::StoreError::Constraint).
    pub async fn add_participant(
        &mut self,
        participant: &Participant,
        hash: &str,
        now: Timestamp,
    ) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO participants (id, visit, role, token_hash, ghost, guest, made_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(participant.id.as_str())
        .bind(participant.visit.as_str())
        .bind(participant.role.word())
        .bind(text(hash))
        .bind(participant.ghost.as_str())
        .bind(participant.guest.as_ref().map(GuestId::as_str))
        .bind(millis(now));
        self.run(statement).await?;
        Ok(())
    }

    /// From here on this browser, and no other, takes part by the link.
    pub async fn seat_participant(&mut self, id: &ParticipantId, guest: &GuestId) -> Result<()> {
        let statement = sqlx::query("UPDATE participants SET guest = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(guest.as_str());
        self.run(statement).await?;
        Ok(())
    }

    /// Somebody comes along to another visit of the same person, from which nobody has put them out.
    pub async fn move_participant(&mut self, id: &ParticipantId, to: &VisitId) -> Result<()> {
        let statement =
            sqlx::query("UPDATE participants SET visit = $2, turned_out = 0 WHERE id = $1")
                .bind(id.as_str())
                .bind(to.as_str());
        self.run(statement).await?;
        Ok(())
    }

    /// A clerk puts somebody out of the conversation, or asks them back in.
    pub async fn turn_out_participant(&mut self, id: &ParticipantId, out: bool) -> Result<()> {
        let statement = sqlx::query("UPDATE participants SET turned_out = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(i64::from(out));
        self.run(statement).await?;
        Ok(())
    }

    /// Forgets everybody who came along.
    pub(crate) async fn erase_participants(&mut self, visit: &VisitId) -> Result<()> {
        self.run(sqlx::query("DELETE FROM participants WHERE visit = $1").bind(visit.as_str()))
            .await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<Participant> {
    let row = Record::keyed(row, "participants", "id");
    Ok(Participant {
        id: row.parse("id")?,
        visit: row.parse("visit")?,
        role: row.parse("role")?,
        ghost: row.parse("ghost")?,
        guest: row.parse_opt("guest")?,
        turned_out: row.number::<i64>("turned_out")? != 0,
    })
}
