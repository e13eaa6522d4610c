//! A PostgreSQL of a test's own.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use nix::unistd::{User, geteuid};
use tempfile::TempDir;
use xtask::{console::say, process::Process};

use crate::database::Database;

/// As whom it runs where we are root: PostgreSQL refuses root.
const ACCOUNT: &str = "postgres";
/// Long: parallel tests share the machine. A test that passes never waits for it.
const START: Duration = Duration::from_mins(1);

/// A server on a Unix socket, with one empty database. Dropping it ends it.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    process: Option<Process>,
    // Last: the directory goes when nothing runs in it any more.
    dir: TempDir,
}

impl Postgres {
    /// A fresh one. `None`, said loudly: this machine has no PostgreSQL.
    pub async fn start() -> Result<Option<Self>> {
        let account = User::from_name(ACCOUNT)?;
        let (Some(programs), true) = (newest(), !geteuid().is_root() || account.is_some()) else {
            say(format_args!(
                "\n*** SKIPPED on PostgreSQL: it needs /usr/lib/postgresql/*/bin/initdb and, as root, a user \
                 {ACCOUNT} ***\n"
            ));
            return Ok(None);
        };
        let dir = tempfile::Builder::new().prefix("vorzimmer-pg-").tempdir()?;
        if let (true, Some(account)) = (geteuid().is_root(), account) {
            chown(
                dir.path(),
                Some(account.uid.as_raw()),
                Some(account.gid.as_raw()),
            )?;
        }
        let mut postgres = Self {
            programs,
            process: None,
            dir,
        };
        let made = postgres
            .command("initdb")
            .args([
                "--auth=trust",
                "--username=vorzimmer",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "-D",
            ])
            .arg(postgres.data())
            .output()?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        postgres.resume().await?;
        Ok(Some(postgres))
    }

    /// `database_url` in `vorzimmer.toml`.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "postgres://vorzimmer@localhost/postgres?host={}",
            self.dir.path().display()
        )
    }

    /// Ends it as a power cut would: what was committed is on the disk, nothing else.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let stopped = self
            .command("pg_ctl")
            .args(["stop", "--silent", "--mode=immediate", "-D"])
            .arg(self.data())
            .status()?;
        ensure!(stopped.success(), "pg_ctl: {stopped}");
        process.kill()?;
        Ok(())
    }

    /// Starts it again, with the same data.
    pub async fn resume(&mut self) -> Result<()> {
        let mut command = self.command("postgres");
        command
            .args(["-c", "listen_addresses=", "-k"])
            .arg(self.dir.path())
            .arg("-D")
            .arg(self.data());
        let log = self.dir.path().join("postgres.log");
        let mut process = Process::spawn("PostgreSQL", &command, &log)?;
        let database = Database::at(self.url());
        let answers = || async { database.count("pg_database").await.is_ok() };
        process
            .wait_until(START, answers)
            .await
            .context("PostgreSQL does not start")?;
        self.process = Some(process);
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// One of its programs, as the account it may run as.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if geteuid().is_root() {
            let mut command = Command::new("setpriv");
            // The wish to die with its parent ends with the change of account: it is said again.
            command
                .args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"])
                .args(["--pdeathsig", "INT", "--"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.dir.path()).env("LC_ALL", "C");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A server that does not stop is killed with its process.
        let _ = self.kill();
    }
}

/// The programs of the newest version that is installed.
fn newest() -> Option<PathBuf> {
    let number = |version: &Path| -> u32 {
        let name = version.file_name().and_then(|name| name.to_str());
        name.and_then(|name| name.parse().ok()).unwrap_or(0)
    };
    fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|version| version.join("bin/initdb").exists())
        .max_by_key(|version| number(version))
        .map(|version| version.join("bin"))
}
