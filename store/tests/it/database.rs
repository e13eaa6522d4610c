//! Databases to test on: a file for SQLite, a throwaway cluster for PostgreSQL.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

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

/// A PostgreSQL cluster on a unix socket; it dies with this value.
pub(crate) struct Cluster {
    server: Child,
    programs: PathBuf,
    user: RunsAs,
    folder: TempDir,
    databases: AtomicU32,
}

/// The folder of the PostgreSQL programs, the newest version's.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop()
}

/// As whom PostgreSQL runs: it refuses root.
enum RunsAs {
    Me,
    Other { uid: u32, gid: u32 },
}

/// `None`: we are root, and there is no user `postgres`.
fn runs_as() -> Option<RunsAs> {
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
        return Some(RunsAs::Me);
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some(RunsAs::Other {
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}

impl Cluster {
    /// Starts a cluster, or says loudly that it does not.
    pub(crate) fn start() -> Option<Self> {
        let (Some(programs), Some(user)) = (programs(), runs_as()) else {
            eprintln!(
                "\n*** SKIPPED on PostgreSQL: it needs /usr/lib/postgresql/*/bin/initdb and, as root, a user \
                 postgres ***\n"
            );
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let RunsAs::Other { uid, gid } = user {
            chown(folder.path(), Some(uid), Some(gid)).expect("the folder changes hands");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("rights");
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"), &user, folder.path())
            .args([
                "--auth=trust",
                "--username=vorzimmer",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
            ])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .expect("initdb starts");
        assert!(made.success(), "initdb failed: {made}");
        let server = command(&programs.join("postgres"), &user, folder.path())
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "max_connections=60",
            ])
            .arg("-k")
            .arg(folder.path())
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres starts");
        Some(Self {
            server,
            programs,
            user,
            folder,
            databases: AtomicU32::new(0),
        })
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres://vorzimmer@localhost/{database}?host={}",
            self.folder.path().display()
        )
    }

    /// An empty database of this cluster.
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
            match options.clone().connect(&self.url("postgres")).await {
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
                url: self.url(&name),
            },
            None,
        )
        .await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The data is thrown away, so the server need not put it in order.
        let stopped = command(
            &self.programs.join("pg_ctl"),
            &self.user,
            self.folder.path(),
        )
        .args(["stop", "--silent", "--mode=immediate", "-D"])
        .arg(self.folder.path().join("data"))
        .status();
        if !stopped.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

fn command(program: &Path, user: &RunsAs, folder: &Path) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if let RunsAs::Other { uid, gid } = user {
        command.uid(*uid).gid(*gid);
    }
    command
}
