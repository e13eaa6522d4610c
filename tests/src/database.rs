//! A look into the program's database, and the few changes of it that stand for what cannot be waited for.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tokio::time::Instant;

use crate::wait::eventually;

/// The database of a world.
#[derive(Debug, Clone)]
pub struct Database {
    url: String,
    /// The embedded one's.
    file: Option<PathBuf>,
}

impl Database {
    pub(crate) fn in_dir(data_dir: &Path) -> Self {
        let file = data_dir.join("vorzimmer.sqlite");
        Self {
            url: format!("sqlite://{}", file.display()),
            file: Some(file),
        }
    }

    /// A PostgreSQL.
    pub(crate) fn at(url: String) -> Self {
        Self { url, file: None }
    }

    async fn connect(&self) -> Result<AnyConnection> {
        sqlx::any::install_default_drivers();
        Ok(AnyConnection::connect(&self.url).await?)
    }

    /// How many rows `from` has: a table, with a condition behind it if need be.
    pub async fn count(&self, from: &str) -> Result<i64> {
        let query = AssertSqlSafe(format!("SELECT COUNT(*) FROM {from}"));
        Ok(sqlx::query_scalar(query)
            .fetch_one(&mut self.connect().await?)
            .await?)
    }

    /// The texts of one column: `texts("job FROM outbox")`. NULLs are left out.
    pub async fn texts(&self, select: &str) -> Result<Vec<String>> {
        let query = AssertSqlSafe(format!("SELECT {select}"));
        let rows: Vec<Option<String>> = sqlx::query_scalar(query)
            .fetch_all(&mut self.connect().await?)
            .await?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// Makes every visit's end a week older. The program must not run meanwhile: it would not notice.
    pub async fn let_a_week_pass(&self) -> Result<()> {
        let statement = "UPDATE visits SET ended_at = ended_at - 604800000, \
                         knocked_at = knocked_at - 604800000 WHERE ended_at IS NOT NULL";
        sqlx::query(statement)
            .execute(&mut self.connect().await?)
            .await?;
        Ok(())
    }

    /// Waits until the program has erased every visit.
    pub async fn until_erased(&self) -> Result<()> {
        eventually("the visits to be erased", || async {
            let left = self.count("visits WHERE erased_at IS NULL").await?;
            Ok((left == 0).then_some(()))
        })
        .await
    }

    /// The program has been killed after it made consultation rooms, and before it noted where they are. It must not run
    /// meanwhile.
    pub async fn forget_rooms(&self) -> Result<()> {
        sqlx::query("UPDATE visit_matrix SET consultation_room = NULL")
            .execute(&mut self.connect().await?)
            .await?;
        Ok(())
    }

    /// Puts ghosts that were taken back into the stock, as a backup from before would. The program must not run
    /// meanwhile.
    pub async fn put_into_stock(&self, ghosts: &[String]) -> Result<()> {
        let mut connection = self.connect().await?;
        for ghost in ghosts {
            sqlx::query("INSERT INTO ghost_stock (user_id, ready, added_at) VALUES ($1, 1, 0)")
                .bind(ghost)
                .execute(&mut connection)
                .await?;
        }
        Ok(())
    }

    /// How long `count` inserts of one short row take, one after the other, each in a transaction of its own that is as
    /// durable as the program's: what the database itself can do.
    pub async fn time_inserts(&self, count: usize) -> Result<Duration> {
        let mut connection = self.connect().await?;
        if self.file.is_some() {
            for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
                sqlx::query(pragma).execute(&mut connection).await?;
            }
        }
        let table =
            "CREATE TABLE raw_inserts (number BIGINT NOT NULL PRIMARY KEY, word TEXT NOT NULL)";
        sqlx::query(table).execute(&mut connection).await?;
        let begun = Instant::now();
        for number in 0..count {
            sqlx::query("INSERT INTO raw_inserts (number, word) VALUES ($1, $2)")
                .bind(i64::try_from(number)?)
                .bind("gewerbe")
                .execute(&mut connection)
                .await?;
        }
        let took = begun.elapsed();
        sqlx::query("DROP TABLE raw_inserts")
            .execute(&mut connection)
            .await?;
        Ok(took)
    }

    /// Lets nobody else write into the embedded database until [`Held::release`].
    pub async fn hold(&self) -> Result<Held> {
        let mut connection = self.connect().await?;
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut connection)
            .await?;
        Ok(Held(connection))
    }

    /// Everything of the embedded database that lies on the disk: the file and its journal.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let embedded = self.file.as_ref().context("a database of its own")?;
        let mut all = Vec::new();
        for end in ["", "-wal"] {
            let mut file = embedded.clone().into_os_string();
            file.push(end);
            match std::fs::read(&file) {
                Ok(bytes) => all.extend(bytes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(all)
    }
}

/// The right to write, which nobody else has meanwhile.
#[derive(Debug)]
pub struct Held(AnyConnection);

impl Held {
    /// Lets others write again. Nothing was changed.
    pub async fn release(mut self) -> Result<()> {
        sqlx::query("ROLLBACK").execute(&mut self.0).await?;
        Ok(self.0.close().await?)
    }
}
