//! The stock of ghosts: Matrix accounts made in advance, each of which will stand for one guest.

use bridge::ids::MatrixUser;
use jiff::Timestamp;

use crate::{
    Read, Result, Tx,
    record::{Record, millis},
};

impl Read {
    /// How many ghosts can be taken.
    pub async fn ghosts_ready(&mut self) -> Result<u64> {
        let row = self
            .one(sqlx::query(
                "SELECT COUNT(*) AS ready FROM ghost_stock WHERE ready = 1",
            ))
            .await?;
        Record::new(&row, "ghost_stock", String::new()).number("ready")
    }

    /// Ghosts whose accounts may or may not have been made, the oldest first.
    pub async fn ghosts_in_the_making(&mut self) -> Result<Vec<MatrixUser>> {
        self.all(sqlx::query(
            "SELECT user_id FROM ghost_stock WHERE ready = 0 ORDER BY added_at, user_id",
        ))
        .await?
        .iter()
        .map(|row| Record::keyed(row, "ghost_stock", "user_id").parse("user_id"))
        .collect()
    }
}

impl Tx {
    /// A ghost is about to be made: commit before its account is.
    pub async fn add_ghost(&mut self, ghost: &MatrixUser, now: Timestamp) -> Result<()> {
        let statement = sqlx::query("INSERT INTO ghost_stock (user_id, added_at) VALUES ($1, $2)")
            .bind(ghost.as_str())
            .bind(millis(now));
        self.run(statement).await.map(drop)
    }

    /// After a start, no ghost counts as ready: the database may be a backup from before some of them were taken.
    pub async fn doubt_ghosts(&mut self) -> Result<()> {
        self.run(sqlx::query("UPDATE ghost_stock SET ready = 0"))
            .await
            .map(drop)
    }

    /// The ghost stands for somebody already, or can never be made: it leaves the stock.
    pub async fn drop_ghost(&mut self, ghost: &MatrixUser) -> Result<()> {
        let statement =
            sqlx::query("DELETE FROM ghost_stock WHERE user_id = $1").bind(ghost.as_str());
        self.run(statement).await.map(drop)
    }

    /// The ghost's account has been made. Whether it is in the stock.
    pub async fn ghost_is_ready(&mut self, ghost: &MatrixUser) -> Result<bool> {
        let statement =
            sqlx::query("UPDATE ghost_stock SET ready = 1 WHERE user_id = $1").bind(ghost.as_str());
        Ok(self.run(statement).await? == 1)
    }

    /// Takes the oldest ghost that is ready, in the transaction that stores whom it stands for. `None` when the stock is
    /// empty.
    pub async fn take_ghost(&mut self) -> Result<Option<MatrixUser>> {
        let row = self
            .optional(sqlx::query(
                "DELETE FROM ghost_stock WHERE user_id =
                   (SELECT user_id FROM ghost_stock WHERE ready = 1 ORDER BY added_at, user_id LIMIT 1)
                 RETURNING user_id",
            ))
            .await?;
        row.map(|row| Record::keyed(&row, "ghost_stock", "user_id").parse("user_id"))
            .transpose()
    }
}
