//! Who may be in a call at the relay, and who may not any more.
//!
//! Kept beyond the end of the program, because tokens are: whoever was put out must not come back with an old one.

use bridge::ids::{MatrixUser, VisitId};
use sqlx::any::AnyRow;

use crate::{
    Read, Result, Tx,
    record::{Record, text},
};

impl Read {
    /// Under which names the user may be in the visit's call, in order.
    pub async fn call_names(
        &mut self,
        visit: &VisitId,
        member: &MatrixUser,
    ) -> Result<Vec<String>> {
        let statement = sqlx::query(
            "SELECT visit, name FROM call_names WHERE visit = $1 AND member = $2 ORDER BY name",
        )
        .bind(visit.as_str())
        .bind(member.as_str());
        self.all(statement)
            .await?
            .iter()
            .map(|row| Record::keyed(row, "call_names", "visit").get("name"))
            .collect()
    }

    /// Everybody with a Matrix account who may be in a call.
    pub async fn call_members(&mut self) -> Result<Vec<(VisitId, MatrixUser)>> {
        self.all(sqlx::query(
            "SELECT DISTINCT visit, member FROM call_names ORDER BY visit, member",
        ))
        .await?
        .iter()
        .map(|row| pair(row, "call_names", "member"))
        .collect()
    }

    /// The ghosts of those who were put out of conversations that have not ended.
    pub async fn turned_out(&mut self) -> Result<Vec<(VisitId, MatrixUser)>> {
        self.all(sqlx::query(
            "SELECT p.visit, p.ghost FROM participants p JOIN visits v ON v.id = p.visit
             WHERE p.turned_out <> 0 AND v.ended_at IS NULL ORDER BY p.visit, p.ghost",
        ))
        .await?
        .iter()
        .map(|row| pair(row, "participants", "ghost"))
        .collect()
    }
}

impl Tx {
    /// Notes under which name the user may be in the visit's call. `false` when that would be more than `most`.
    pub async fn add_call_name(
        &mut self,
        visit: &VisitId,
        member: &MatrixUser,
        name: &str,
        most: usize,
    ) -> Result<bool> {
        let known = self.call_names(visit, member).await?;
        if known.iter().any(|known| known == name) {
            return Ok(true);
        }
        if known.len() >= most {
            return Ok(false);
        }
        let statement = sqlx::query(
            "INSERT INTO call_names (visit, member, name) VALUES ($1, $2, $3)
             ON CONFLICT (visit, member, name) DO NOTHING",
        )
        .bind(visit.as_str())
        .bind(member.as_str())
        .bind(text(name));
        self.run(statement).await?;
        Ok(true)
    }

    /// The call has ended: nobody may be in it any more.
    pub async fn forget_call_names(&mut self, visit: &VisitId) -> Result<()> {
        self.run(sqlx::query("DELETE FROM call_names WHERE visit = $1").bind(visit.as_str()))
            .await?;
        Ok(())
    }
}

fn pair(row: &AnyRow, table: &'static str, member: &'static str) -> Result<(VisitId, MatrixUser)> {
    let row = Record::keyed(row, table, "visit");
    Ok((row.parse("visit")?, row.parse(member)?))
}
