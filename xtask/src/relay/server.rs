//! A running relay.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::Grant;
use crate::{
    builds,
    files::write_private,
    http::{answers, http_client},
    livekit,
    ports::Port,
    process::Process,
    secrets,
};

const START: Duration = Duration::from_mins(1);
const KEY: &str = "devkey";

/// Whose relay it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// LiveKit's server.
    LiveKit,
    /// Our own.
    Vorzimmer,
}

/// A relay on loopback that answers, with a key, a secret and ports of its own. Dropping it ends it at once.
#[derive(Debug)]
pub struct RelayServer {
    backend: Backend,
    process: Option<Process>,
    secret: String,
    http: reqwest::Client,
    /// Signalling, media over UDP, media over TCP.
    ports: [Port; 3],
    dir: PathBuf,
    program: PathBuf,
}

impl RelayServer {
    /// Starts one, which writes its log into `dir`. `None`, said loudly, when it is LiveKit's and cannot be built
    /// here.
    pub async fn start(backend: Backend, dir: &Path) -> Result<Option<Self>> {
        let Some(program) = program(backend).await? else {
            return Ok(None);
        };
        let mut server = Self {
            backend,
            process: None,
            secret: secrets::token()?,
            http: http_client()?,
            ports: [Port::lease()?, Port::lease()?, Port::lease()?],
            dir: dir.to_owned(),
            program,
        };
        server.resume().await?;
        Ok(Some(server))
    }

    /// Starts it again after [`RelayServer::kill`], with the same ports and secret.
    pub async fn resume(&mut self) -> Result<()> {
        let (name, command) = match self.backend {
            Backend::LiveKit => ("LiveKit", self.livekit()?),
            Backend::Vorzimmer => ("vorzimmer-relay", self.vorzimmer()),
        };
        let log = self.dir.join("relay.log");
        let mut process = Process::spawn(name, &command, &log)?;
        let (http, url) = (self.http.clone(), self.http_url());
        process.wait_until(START, || answers(&http, &url)).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}", self.ports[0].address())
    }

    /// The same for HTTP.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://{}", self.ports[0].address())
    }

    /// A client for asking it.
    #[must_use]
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A token that it accepts, as far as the grant goes.
    pub fn sign(&self, grant: Grant) -> Result<String> {
        grant.signed(KEY, &self.secret)
    }

    /// What its tokens are signed with.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The name of the key that it knows.
    #[must_use]
    pub fn key(&self) -> &str {
        KEY
    }

    /// How it answers whoever asks to join with `token`: HTTP status and body.
    pub async fn validate(&self, path: &str, token: &str) -> Result<(u16, String)> {
        let url = format!("{}{path}?access_token={token}", self.http_url());
        let response = self.http.get(url).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    fn livekit(&self) -> Result<Command> {
        let [signalling, udp, tcp] = self.ports.each_ref().map(Port::number);
        // JSON is YAML.
        let config: Value = json!({
            "port": signalling,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "udp_port": udp,
                "tcp_port": tcp,
                "node_ip": "127.0.0.1",
                "use_external_ip": false,
                "enable_loopback_candidate": true,
                "interfaces": { "includes": ["lo"] },
            },
            "keys": { KEY: self.secret },
            "logging": { "level": "info" },
        });
        let file = self.dir.join("livekit.yaml");
        write_private(&file, config.to_string())?;
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(file);
        Ok(command)
    }

    fn vorzimmer(&self) -> Command {
        let [signalling, udp, tcp] = self.ports.each_ref().map(Port::address);
        let mut command = Command::new(&self.program);
        command
            .args(["--listen", &signalling, "--udp", &udp, "--tcp", &tcp])
            .args(["--node-ip", "127.0.0.1"])
            .args(["--key", KEY, "--secret", &self.secret]);
        command
    }
}

async fn program(backend: Backend) -> Result<Option<PathBuf>> {
    let build: fn() -> Result<Option<PathBuf>> = match backend {
        Backend::LiveKit => livekit::server,
        Backend::Vorzimmer => || builds::relay().map(Some),
    };
    spawn_blocking(build).await?
}
