//! A PostgreSQL of a test's own.

mod cluster;

use std::time::Duration;

use anyhow::{Context as _, Result};
use cluster::Cluster;
use xtask::process::Process;

use crate::database::Database;

/// Long: parallel tests share the machine. A test that passes never waits for it.
const START: Duration = Duration::from_mins(1);

/// A server on a Unix socket, with one empty database. Dropping it ends it.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    // Last: the directory goes when nothing runs in it any more.
    cluster: Cluster,
}

impl Postgres {
    /// A fresh one. `None`, said loudly: this machine has no PostgreSQL.
    pub async fn start() -> Result<Option<Self>> {
        let Some(cluster) = Cluster::create()? else {
            return Ok(None);
        };
        let mut postgres = Self {
            process: None,
            cluster,
        };
        postgres.resume().await?;
        Ok(Some(postgres))
    }

    /// `database_url` in `vorzimmer.toml`.
    #[must_use]
    pub fn url(&self) -> String {
        self.cluster.url("postgres")
    }

    /// Ends it as a power cut would: what was committed is on the disk, nothing else.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        self.cluster.cut()?;
        process.kill()?;
        Ok(())
    }

    /// Starts it again, with the same data.
    pub async fn resume(&mut self) -> Result<()> {
        let log = self.cluster.dir.path().join("postgres.log");
        let mut process = Process::spawn("PostgreSQL", &self.cluster.server(), &log)?;
        let database = Database::at(self.url());
        let answers = || async { database.count("pg_database").await.is_ok() };
        process
            .wait_until(START, answers)
            .await
            .context("PostgreSQL does not start")?;
        self.process = Some(process);
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A server that does not stop is killed with its process.
        let _ = self.kill();
    }
}
