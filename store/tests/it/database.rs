//! Databases to test on: a file for SQLite, a throwaway cluster for PostgreSQL.

#[path = "../../../tests/src/postgres/cluster.rs"]
mod cluster;

use std::{
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use cluster::Cluster;
use sqlx::Connection;
use store::{Store, StoreConfig};
use tempfile::TempDir;

/// An empty database with the schema, and what must live as long as it.
pub(crate) struct Database {
    pub(crate) store: Store,
    pub(crate) config: StoreConfig,
    folder: Option<TempDir>,
}

impl Database {
    /// SQLite in a folder of its own.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = StoreConfig::sqlite(&folder.path().join("odd name %41 #1.db"));
        Self::open(config, Some(folder)).await
    }

    /// The folder of a SQLite database.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().expect("a SQLite database").path()
    }

    /// Says something to the database behind the store's back.
    pub(crate) async fn meddle(&self, statement: &'static str) {
        let mut connection = sqlx::AnyConnection::connect(&self.config.url)
            .await
            .unwrap();
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    async fn open(config: StoreConfig, folder: Option<TempDir>) -> Self {
        let store = Store::open(&config).await.expect("opens");
        store.migrate().await.expect("migrates");
        Self {
            store,
            config,
            folder,
        }
    }
}

/// A PostgreSQL server; it dies with this value.
pub(crate) struct Postgres {
    server: Child,
    cluster: Cluster,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts one, or says loudly that it does not.
    pub(crate) fn start() -> Option<Self> {
        let cluster = Cluster::create().expect("a cluster")?;
        let server = cluster
            .server()
            .args(["-c", "fsync=off", "-c", "max_connections=60"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres starts");
        Some(Self {
            server,
            cluster,
            databases: AtomicU32::new(0),
        })
    }

    /// An empty database.
    pub(crate) async fn database(&self) -> Database {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test{number}");
        let mut options = sqlx::postgres::PgPoolOptions::new();
        options = options
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30));
        // The server is still starting when the first test comes: a connection is refused until it listens.
        let mut tries = 0;
        let pool = loop {
            match options.clone().connect(&self.cluster.url("postgres")).await {
                Ok(pool) => break pool,
                Err(error) => {
                    tries += 1;
                    assert!(tries < 300, "PostgreSQL does not come up: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        };
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&pool)
            .await
            .expect("a database is made");
        pool.close().await;
        Database::open(
            StoreConfig {
                url: self.cluster.url(&name),
            },
            None,
        )
        .await
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The data is thrown away, so the server need not put it in order.
        if self.cluster.cut().is_err() {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}
