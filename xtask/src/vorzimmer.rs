//! The program `vorzimmer`: its configuration file, its start, its end.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::{
    builds::run,
    files::{make_dir, write_private},
    http::{answers, http_client},
    process::{Process, Signal},
};

const START: Duration = Duration::from_mins(1);
const GRACE: Duration = Duration::from_secs(10);

/// `vorzimmer.toml`.
#[derive(Debug, Clone, Serialize)]
pub struct Config {
    /// The city's own file.
    pub city: PathBuf,
    /// Where the embedded database lies.
    pub data_dir: PathBuf,
    /// A PostgreSQL instead of the embedded database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// The built guest page.
    pub guest_web: PathBuf,
    /// Ignores the opening hours: for demonstrations and tests.
    pub always_open: bool,
    /// What browsers reach.
    pub public: Public,
    /// Homeserver transactions, metrics, health.
    pub internal: Internal,
    /// The city's homeserver.
    pub homeserver: Homeserver,
    /// Video calls, as the program's configuration has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<toml::Table>,
    /// The city's mail server. Without it there are no appointments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
}

/// `[mail]`.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// `smtp://…`.
    pub url: String,
    /// The address mails come from.
    pub from: String,
    /// The address answers come to.
    pub replies: String,
}

/// `[public]`.
#[derive(Debug, Clone, Serialize)]
pub struct Public {
    /// Socket address.
    pub listen: String,
    /// What people type.
    pub url: String,
    /// Other limits than the usual ones.
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub limits: toml::Table,
}

/// `[internal]`.
#[derive(Debug, Clone, Serialize)]
pub struct Internal {
    /// Socket address.
    pub listen: String,
}

/// `[homeserver]`.
#[derive(Debug, Clone, Serialize)]
pub struct Homeserver {
    /// Where the client API is.
    pub url: String,
    /// The part of a Matrix id behind the colon.
    pub server_name: String,
    /// The application service's registration.
    pub registration: PathBuf,
    /// An administrator's access token, used for nothing but erasing rooms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_token_file: Option<PathBuf>,
}

/// `vorzimmer registration`: writes the file that both the program and the homeserver read.
pub fn write_registration(
    program: &Path,
    url: &str,
    server_name: &str,
    output: &Path,
) -> Result<()> {
    if let Some(dir) = output.parent() {
        make_dir(dir)?;
    }
    let mut command = Command::new(program);
    command
        .args([
            "registration",
            "--url",
            url,
            "--server-name",
            server_name,
            "--output",
        ])
        .arg(output);
    run(&mut command).context("the registration was not written")
}

/// The running program. Dropping it ends it at once.
#[derive(Debug)]
pub struct Vorzimmer {
    program: PathBuf,
    dir: PathBuf,
    config: Config,
    http: reqwest::Client,
    process: Option<Process>,
}

impl Vorzimmer {
    /// Writes `vorzimmer.toml` into `dir`, starts `vorzimmer serve`, and waits until it is ready.
    pub async fn start(program: &Path, dir: &Path, config: Config) -> Result<Self> {
        let mut vorzimmer = Self {
            program: program.to_owned(),
            dir: dir.to_owned(),
            config,
            http: http_client()?,
            process: None,
        };
        vorzimmer.resume().await?;
        Ok(vorzimmer)
    }

    /// Starts it again after [`Vorzimmer::stop`] or [`Vorzimmer::kill`], with the same ports and data.
    pub async fn resume(&mut self) -> Result<()> {
        make_dir(&self.dir)?;
        make_dir(&self.config.data_dir)?;
        let file = self.dir.join("vorzimmer.toml");
        write_private(&file, toml::to_string_pretty(&self.config)?)?;
        let mut command = Command::new(&self.program);
        command.args(["serve", "--config"]).arg(&file);
        let mut process = Process::spawn("vorzimmer", &command, &self.dir.join("vorzimmer.log"))?;
        let ready = format!("http://{}/readyz", self.config.internal.listen);
        let http = self.http.clone();
        process.wait_until(START, || answers(&http, &ready)).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(process) = self.process.take() {
            process.stop(GRACE).await?;
        }
        Ok(())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process
            .as_ref()
            .context("vorzimmer is not running")?
            .signal(signal)
    }

    /// Its process, while it runs.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// How it is configured; a change takes effect with the next [`Vorzimmer::resume`].
    pub fn config(&mut self) -> &mut Config {
        &mut self.config
    }

    /// What people type.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.config.public.url
    }

    /// What the homeserver and the monitoring use.
    #[must_use]
    pub fn internal_url(&self) -> String {
        format!("http://{}", self.config.internal.listen)
    }

    /// Where the embedded database lies.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.config.data_dir
    }
}
