//! A PostgreSQL cluster in a directory of its own: who may run its programs, and how. The tests of `store` include this
//! file.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use nix::unistd::{User, geteuid};
use tempfile::TempDir;

/// As whom it runs where we are root: PostgreSQL refuses root.
const ACCOUNT: &str = "postgres";

/// A cluster with one empty database. Its server listens on a Unix socket in the directory.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) dir: TempDir,
    programs: PathBuf,
}

impl Cluster {
    /// A fresh one. `None`, said loudly: this machine has no PostgreSQL.
    pub(crate) fn create() -> Result<Option<Self>> {
        let account = User::from_name(ACCOUNT)?;
        let (Some(programs), true) = (newest(), !geteuid().is_root() || account.is_some()) else {
            // Past the test runner, which keeps what is printed.
            writeln!(
                io::stderr(),
                "\n*** SKIPPED on PostgreSQL: it needs /usr/lib/postgresql/*/bin/initdb and, as root, a user \
                 {ACCOUNT} ***\n"
            )?;
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
        let cluster = Self { dir, programs };
        let made = cluster
            .command("initdb")
            .args([
                "--auth=trust",
                "--username=vorzimmer",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "-D",
            ])
            .arg(cluster.data())
            .output()?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        Ok(Some(cluster))
    }

    /// Where a database of it is.
    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "postgres://vorzimmer@localhost/{database}?host={}",
            self.dir.path().display()
        )
    }

    /// Starts the server.
    pub(crate) fn server(&self) -> Command {
        let mut command = self.command("postgres");
        command
            .args(["-c", "listen_addresses=", "-k"])
            .arg(self.dir.path())
            .arg("-D")
            .arg(self.data());
        command
    }

    /// Ends the server as a power cut would: what was committed is on the disk, nothing else.
    pub(crate) fn cut(&self) -> Result<()> {
        let stopped = self
            .command("pg_ctl")
            .args(["stop", "--silent", "--mode=immediate", "-D"])
            .arg(self.data())
            .status()?;
        ensure!(stopped.success(), "pg_ctl: {stopped}");
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
