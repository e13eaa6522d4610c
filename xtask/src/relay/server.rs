//! A running relay.

use std::{
    net::{Ipv4Addr, SocketAddr},
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
/// An address of loopback where no relay listens.
const FRONT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const KEY: &str = "devkey";

/// Whose relay it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// LiveKit's server.
    LiveKit,
    /// Our own.
    Vorzimmer,
}

/// How clients reach a relay's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// By UDP or TCP over IPv4.
    Direct,
    /// By TCP alone: UDP goes nowhere.
    Tcp,
    /// Over IPv6, to ports that take IPv4 as well. Our relay alone.
    Ipv6,
    /// Over IPv4, to ports that take IPv6 as well. Our relay alone.
    Mapped,
    /// By UDP to [`RelayServer::front`], from where somebody has to carry it on. Our relay alone.
    Carried,
    /// With a TURN server by UDP beside it. Our relay alone.
    TurnUdp,
    /// With a TURN server by TCP beside it. Our relay alone.
    TurnTcp,
}

/// A relay on loopback that answers, with a key, a secret and ports of its own. Dropping it ends it at once.
#[derive(Debug)]
pub struct RelayServer {
    backend: Backend,
    process: Option<Process>,
    secret: String,
    http: reqwest::Client,
    /// Signalling, media over UDP, media over TCP, TURN, metrics.
    ports: [Port; 5],
    reach: Reach,
    dir: PathBuf,
    program: PathBuf,
    webhook: Option<String>,
}

impl RelayServer {
    /// Starts one, which writes its log into `dir`. `None`, said loudly, when it is LiveKit's and cannot be built
    /// here.
    pub async fn start(backend: Backend, reach: Reach, dir: &Path) -> Result<Option<Self>> {
        Self::telling(backend, reach, dir, None).await
    }

    /// The same, telling what happens to the webhook at an address.
    pub async fn telling(
        backend: Backend,
        reach: Reach,
        dir: &Path,
        webhook: Option<String>,
    ) -> Result<Option<Self>> {
        let Some(program) = program(backend).await? else {
            return Ok(None);
        };
        let mut server = Self {
            backend,
            process: None,
            secret: secrets::token()?,
            http: http_client()?,
            ports: [
                Port::lease()?,
                Port::lease()?,
                Port::lease()?,
                Port::lease()?,
                Port::lease()?,
            ],
            reach,
            dir: dir.to_owned(),
            program,
            webhook,
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

    /// Where it takes media over UDP.
    #[must_use]
    pub fn media(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[1].number()).into()
    }

    /// Where it takes media over TCP.
    #[must_use]
    pub fn media_by_tcp(&self) -> SocketAddr {
        let ip = match self.reach {
            Reach::Tcp => Ipv4Addr::new(127, 0, 0, 2),
            _ => Ipv4Addr::LOCALHOST,
        };
        (ip, self.ports[2].number()).into()
    }

    /// Whose it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Where clients of [`Reach::Carried`] send their media: the same port of another address of loopback.
    #[must_use]
    pub fn front(&self) -> SocketAddr {
        (FRONT, self.ports[1].number()).into()
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

    /// What a counter says in all, whatever its labels; 0 while nothing was counted. Our relay alone.
    pub async fn counted(&self, name: &str) -> Result<f64> {
        let url = format!("http://{}/metrics", self.ports[4].address());
        let text = self.http.get(url).send().await?.text().await?;
        let lines = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        Ok(values.sum())
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
        let [signalling, udp, tcp, ..] = self.ports.each_ref().map(Port::number);
        // JSON is YAML.
        let config: Value = json!({
            "port": signalling,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "udp_port": udp,
                "tcp_port": tcp,
                "force_tcp": self.reach == Reach::Tcp,
                "node_ip": "127.0.0.1",
                "use_external_ip": false,
                "enable_loopback_candidate": true,
                "interfaces": { "includes": ["lo"] },
            },
            "keys": { KEY: self.secret },
            "logging": { "level": "info" },
            "webhook": { "api_key": KEY, "urls": self.webhook.as_slice() },
        });
        let file = self.dir.join("livekit.yaml");
        write_private(&file, config.to_string())?;
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(file);
        Ok(command)
    }

    fn vorzimmer(&self) -> Command {
        let (mut for_udp, mut for_tcp, mut told) = ("127.0.0.1", "127.0.0.1", "127.0.0.1");
        let front = FRONT.to_string();
        match self.reach {
            Reach::Direct | Reach::TurnUdp | Reach::TurnTcp => {}
            // Whoever sends to the port for UDP at the address that is told reaches nobody.
            Reach::Tcp => (for_tcp, told) = ("127.0.0.2", "127.0.0.2"),
            Reach::Carried => told = &front,
            Reach::Ipv6 => (for_udp, for_tcp, told) = ("[::]", "[::]", "::1"),
            Reach::Mapped => (for_udp, for_tcp) = ("[::]", "[::]"),
        }
        let [signalling, udp, tcp, turn, metrics] = self.ports.each_ref().map(Port::number);
        let mut command = Command::new(&self.program);
        command
            .args(["--listen", &format!("127.0.0.1:{signalling}")])
            .args(["--udp", &format!("{for_udp}:{udp}")])
            .args(["--tcp", &format!("{for_tcp}:{tcp}")])
            .args(["--node-ip", told])
            .args(["--metrics", &format!("127.0.0.1:{metrics}")])
            .args(["--key", KEY, "--secret", &self.secret]);
        if let Some(webhook) = &self.webhook {
            command.args(["--webhook", webhook]);
        }
        let turn = format!("127.0.0.1:{turn}");
        match self.reach {
            Reach::TurnUdp => {
                command.args(["--turn-host", "127.0.0.1", "--turn-udp", &turn]);
            }
            Reach::TurnTcp => {
                command.args(["--turn-host", "127.0.0.1", "--turn-tcp", &turn]);
            }
            Reach::Direct | Reach::Tcp | Reach::Ipv6 | Reach::Mapped | Reach::Carried => {}
        }
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
