//! Opening a database, and the one-writer rule.

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    AnyConnection, AnyPool, Connection,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::Migrator,
};

use crate::{Read, Result, StoreError, Tx};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a writer waits for the writers before it in this process. Together with the time it waits for those of
/// other processes (below) that is less than a browser's request may take.
const WRITER_PATIENCE: Duration = Duration::from_secs(8);
/// Readers at the same time; each is a thread with SQLite, a server process with PostgreSQL.
const READERS: u32 = 4;

/// The advisory lock of PostgreSQL that makes writers wait for one another ("vorzimme" in ASCII).
const WRITER_LOCK: i64 = i64::from_be_bytes(*b"vorzimme");

/// Said to each SQLite connection. `secure_delete`: what the retention rule erases is overwritten.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 8000; PRAGMA foreign_keys = ON; \
     PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;";
/// Said to each PostgreSQL connection: nobody can hold the writers' lock for long by hanging.
const POSTGRES_SETUP: &str =
    "SET lock_timeout = '8s'; SET idle_in_transaction_session_timeout = '60s';";

/// Where the data is.
#[derive(Clone)]
pub struct StoreConfig {
    /// `sqlite:/var/lib/vorzimmer/vorzimmer.db`, or `postgres://user:password@host/database`.
    /// Holds a password: keep it out of logs. To a PostgreSQL on another machine add `?sslmode=verify-full`, and
    /// `&sslrootcert=/path/ca.pem` for a certificate authority of one's own: without it the driver goes on
    /// unencrypted when the server offers no TLS.
    pub url: String,
}

impl StoreConfig {
    /// A SQLite database in this file; it is made if it is missing, its folder must exist.
    #[must_use]
    pub fn sqlite(file: &Path) -> Self {
        let path = file
            .to_string_lossy()
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        Self {
            url: format!("sqlite://{path}"),
        }
    }
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Embedded SQLite.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// An open database. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    writer: AnyPool,
    readers: AnyPool,
    backend: Backend,
}

impl Store {
    /// Opens the database, and makes the file if it is SQLite's and missing. Changes no schema.
    pub async fn open(config: &StoreConfig) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let (backend, options) = read_url(&config.url)?;
        let pool = |read_only: bool| {
            AnyPoolOptions::new()
                .acquire_timeout(WRITER_PATIENCE)
                .after_connect(move |connection, _| {
                    Box::pin(set_up(connection, backend, read_only))
                })
        };
        // The writer first: it makes the file and turns WAL on.
        let writer = pool(false)
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        let readers = pool(true)
            .max_connections(READERS)
            .connect_with(options)
            .await?;
        Ok(Self {
            writer,
            readers,
            backend,
        })
    }

    /// Which database it is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Brings the schema up to date. Refuses a database that a newer program has written.
    pub async fn migrate(&self) -> Result<()> {
        let mut connection = self.writer.acquire().await?;
        let done = MIGRATIONS.run_direct(None, &mut *connection, false).await;
        if done.is_err() {
            // A refusal leaves the migrator's lock with the connection; the lock ends with it.
            let _ = connection.close().await;
        }
        Ok(done?)
    }

    /// Whether all migrations have been run, and no others. Reads only.
    pub async fn is_migrated(&self) -> Result<bool> {
        let mut connection = self.readers.acquire().await?;
        let applied = sqlx::query_scalar::<_, i64>(
            "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version",
        )
        .fetch_all(&mut *connection)
        .await;
        match applied {
            Ok(applied) => Ok(applied
                .iter()
                .copied()
                .eq(MIGRATIONS.iter().map(|migration| migration.version))),
            // The table is missing, as SQLite and PostgreSQL (undefined_table) say it: nothing has ever been run.
            Err(sqlx::Error::Database(said))
                if said.message().starts_with("no such table")
                    || said.code().as_deref() == Some("42P01") =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The migration this program needs.
    #[must_use]
    pub fn newest_migration() -> i64 {
        MIGRATIONS
            .iter()
            .map(|migration| migration.version)
            .max()
            .unwrap_or(0)
    }

    /// Begins to write. Waits for the writers before it, in this process and in others; after 8
    /// seconds for each of the two it gives up with [`StoreError::Busy`].
    pub async fn begin(&self) -> Result<Tx> {
        let tx = match self.backend {
            Backend::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await?,
            Backend::Postgres => {
                let mut tx = self.writer.begin().await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(WRITER_LOCK)
                    .execute(&mut *tx)
                    .await?;
                tx
            }
        };
        Ok(Tx::new(tx))
    }

    /// A snapshot to read from. Never waits for a writer, nor a writer for it.
    pub async fn read(&self) -> Result<Read> {
        let statement = match self.backend {
            Backend::Sqlite => "BEGIN",
            Backend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(Read::new(self.readers.begin_with(statement).await?))
    }

    /// Whether the database answers. For readiness.
    pub async fn ping(&self) -> Result<()> {
        let mut connection = self.readers.acquire().await?;
        Ok(connection.ping().await?)
    }

    /// Overwrites what has been erased also where it stood on its way into the database (SQLite's write-ahead log).
    /// Call it after [`Tx::erase_visit`] has been committed. `false`: a long reader was in the way; call again later.
    /// In PostgreSQL that is the part of its autovacuum.
    pub async fn scrub(&self) -> Result<bool> {
        if self.backend == Backend::Postgres {
            return Ok(true);
        }
        let mut connection = self.writer.acquire().await?;
        let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut *connection)
            .await?;
        Ok(busy == 0)
    }

    /// Closes all connections, after those at work. SQLite then has everything in its one file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn set_up(
    connection: &mut AnyConnection,
    backend: Backend,
    read_only: bool,
) -> sqlx::Result<()> {
    let (setup, role) = match (backend, read_only) {
        (Backend::Sqlite, false) => (SQLITE_SETUP, "PRAGMA journal_mode = WAL"),
        (Backend::Sqlite, true) => (SQLITE_SETUP, "PRAGMA query_only = ON"),
        (Backend::Postgres, false) => (POSTGRES_SETUP, "SET default_transaction_read_only = off"),
        (Backend::Postgres, true) => (POSTGRES_SETUP, "SET default_transaction_read_only = on"),
    };
    sqlx::raw_sql(setup).execute(&mut *connection).await?;
    sqlx::raw_sql(role).execute(connection).await?;
    Ok(())
}

fn read_url(url: &str) -> Result<(Backend, AnyConnectOptions)> {
    let refuse = |cure: &str| Err(StoreError::Configuration(cure.to_owned()));
    let (backend, url) = match url.split_once(':') {
        Some(("sqlite", rest)) => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.starts_with(":memory:") || path.contains('?') {
                return refuse("write sqlite:/path/to/file.db, a file and no options");
            }
            create_private_file(path)?;
            (Backend::Sqlite, format!("sqlite://{path}?mode=rwc"))
        }
        Some(("postgres" | "postgresql", _)) => (Backend::Postgres, url.to_owned()),
        _ => return refuse("write sqlite:/path/to/file.db or postgres://user@host/database"),
    };
    AnyConnectOptions::from_str(&url).map_or_else(
        |_| refuse("it is not a URL; percent-encode special characters in the password"),
        |options| Ok((backend, options)),
    )
}

/// Makes the file with rights for its owner alone, if it is missing; SQLite gives the files beside it the same.
fn create_private_file(encoded: &str) -> Result<()> {
    let path = encoded
        .replace("%3F", "?")
        .replace("%23", "#")
        .replace("%25", "%");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Configuration(format!(
            "the file {path} cannot be made ({error}); make its folder, writable for this program"
        ))),
    }
}
