//! One running homeserver.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Admin, HomeserverConfig, Venv};
use crate::{
    http::{answers, http_client},
    process::{Process, Signal},
};

/// Long: a start takes about four seconds, but parallel tests share the machine.
const START: Duration = Duration::from_mins(2);
const GRACE: Duration = Duration::from_secs(10);

/// A Synapse that answers. Dropping it ends it at once.
#[derive(Debug)]
pub struct Homeserver {
    config: HomeserverConfig,
    venv: Venv,
    http: reqwest::Client,
    process: Option<Process>,
}

impl Homeserver {
    /// Writes its configuration, starts it, and waits until it answers.
    pub async fn start(venv: &Venv, config: HomeserverConfig) -> Result<Self> {
        let mut homeserver = Self {
            config,
            venv: venv.clone(),
            http: http_client()?,
            process: None,
        };
        homeserver.resume().await?;
        Ok(homeserver)
    }

    /// Starts it again after [`Homeserver::stop`] or [`Homeserver::kill`], with the same ports and data.
    pub async fn resume(&mut self) -> Result<()> {
        let config = self.config.write()?;
        let mut command = self.venv.synapse();
        // Python would else keep what Synapse logs back until a buffer is full.
        command
            .arg("--config-path")
            .arg(&config)
            .env("PYTHONUNBUFFERED", "1")
            .current_dir(&self.config.dir);
        let name = format!("Synapse {}", self.config.server_name());
        let mut process = Process::spawn(&name, &command, &self.config.dir.join("synapse.log"))?;
        let health = format!("http://{}/health", self.config.port.address());
        let http = self.http.clone();
        process
            .wait_until(START, || answers(&http, &health))
            .await?;
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

    /// Sends it a signal: `SIGSTOP` makes it hang, `SIGCONT` go on.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process
            .as_ref()
            .context("Synapse is not running")?
            .signal(signal)
    }

    /// Its process, while it runs.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// How it is configured.
    #[must_use]
    pub fn config(&self) -> &HomeserverConfig {
        &self.config
    }

    /// The part of a Matrix id behind the colon.
    #[must_use]
    pub fn server_name(&self) -> String {
        self.config.server_name()
    }

    /// What clients call it by.
    #[must_use]
    pub fn url(&self) -> String {
        self.config.url()
    }

    /// Makes (or signs in) the administrator `localpart`.
    pub async fn admin(&self, localpart: &str, password: &str) -> Result<Admin> {
        let secret = self.config.secrets()?.registration;
        Admin::sign_in(
            self.http.clone(),
            &self.url(),
            &self.server_name(),
            &secret,
            localpart,
            password,
        )
        .await
    }
}
