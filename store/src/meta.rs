//! What the installation knows about itself.

use crate::{
    Result, Tx,
    record::{Record, text},
};

impl Tx {
    /// The installation's id: made once from `fresh` (random, from outside), the same ever after. Stands before job
    /// numbers in Matrix transaction ids, so that a new database on an old homeserver repeats none.
    pub async fn installation_id(&mut self, fresh: &str) -> Result<String> {
        let row = self
            .one(
                sqlx::query(
                    "INSERT INTO meta (name, value) VALUES ('installation', $1)
                     ON CONFLICT (name) DO UPDATE SET value = meta.value RETURNING name, value",
                )
                .bind(text(fresh)),
            )
            .await?;
        Record::keyed(&row, "meta", "name").get("value")
    }
}
