//! A mail server for the demo city and for tests: it takes every mail and keeps it in a folder. Nothing is delivered.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::net::TcpStream;

use crate::{files::make_dir, ports::Port, process::Process, python::Wanted};

const START: Duration = Duration::from_mins(1);

/// The running mail server. Dropping it ends it.
#[derive(Debug)]
pub struct Mailbox {
    process: Process,
    address: String,
    dir: PathBuf,
}

impl Mailbox {
    /// Starts it; mails are kept in `dir`, a Maildir.
    pub async fn start(dir: &Path, port: &Port) -> Result<Self> {
        let wanted = Wanted {
            what: "the mail server",
            module: "aiosmtpd",
            requirements: include_str!("../mail-requirements.txt"),
            minor: 10..14,
        };
        let python = wanted.ensure()?;
        make_dir(dir)?;
        let address = port.address();
        let mut command = Command::new(python);
        command
            .args(["-m", "aiosmtpd", "-n", "-l", &address])
            .args(["-c", "aiosmtpd.handlers.Mailbox"])
            .arg(dir.join("mails"));
        let mut process = Process::spawn("mail", &command, &dir.join("mail.log"))?;
        process
            .wait_until(START, || async {
                TcpStream::connect(&address).await.is_ok()
            })
            .await?;
        Ok(Self {
            process,
            address,
            dir: dir.join("mails/new"),
        })
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// `smtp://127.0.0.1:2525`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Where the mails are, one a file.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// All mails that have come, the oldest first, as they came.
    pub fn mails(&self) -> Result<Vec<Vec<u8>>> {
        let Ok(entries) = fs::read_dir(&self.dir) else {
            // The folder is made with the first mail.
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            files.push((fs::metadata(&path)?.modified()?, path));
        }
        files.sort();
        files
            .into_iter()
            .map(|(_, path)| {
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
            })
            .collect()
    }
}
