//! The relay as the program knows it, and a service that plays one and notes what it is asked.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use xtask::{files::write_private, ports::Port, synapse::Authority};

use crate::call::CallServer;

/// The key of a [`Service`] that plays a relay.
const KEY: &str = "devkey";
/// Its secret.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Where a relay is, and how the program shall use it.
#[derive(Debug, Clone)]
pub struct RelayAccess {
    /// `ws://127.0.0.1:7880`.
    pub url: String,
    /// The name of its key.
    pub key: String,
    /// The key's secret.
    pub secret: String,
    /// Shows guests by sticky events too.
    pub sticky: bool,
    /// Asks homeservers and token services on loopback.
    pub loopback: bool,
}

impl RelayAccess {
    /// A relay that runs.
    #[must_use]
    pub fn of(relay: &CallServer) -> Self {
        Self {
            url: relay.url(),
            key: relay.key().to_owned(),
            secret: relay.secret().to_owned(),
            sticky: false,
            loopback: false,
        }
    }

    /// The table `[calls]`; the secret is written to `dir`.
    pub(crate) fn table(&self, dir: &Path, authority: Option<&Authority>) -> Result<toml::Table> {
        let secret_file = dir.join("relay-secret");
        write_private(&secret_file, &self.secret)?;
        let mut table = json!({
            "livekit": { "url": self.url, "key": self.key, "secret_file": secret_file },
            "membership": if self.sticky { "sticky" } else { "state" },
        });
        if self.loopback {
            table["allowed_networks"] = json!(["127.0.0.0/8"]);
        }
        if let Some(authority) = authority {
            table["ca_file"] = json!(authority.certificate());
        }
        Ok(toml::Table::try_from(table)?)
    }
}

/// How TURN is offered beside the program's own relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Over UDP alone.
    Udp,
    /// Over TCP alone.
    Tcp,
    /// Over TLS alone, with a certificate of an authority of its own.
    Tls,
}

/// Where the program's own relay is.
#[derive(Debug)]
pub(crate) struct Own {
    /// Where it takes media.
    pub(crate) ip: IpAddr,
    /// The port for UDP.
    pub(crate) udp: Port,
    /// The port for TCP.
    pub(crate) tcp: Port,
    /// What clients are told instead of the address.
    pub(crate) told: Option<IpAddr>,
    /// The port for TURN.
    pub(crate) turn: Option<(Turn, Port)>,
}

impl Own {
    /// On ports of its own.
    pub(crate) fn at(ip: IpAddr, turn: Option<Turn>) -> Result<Self> {
        let port = |turn| anyhow::Ok((turn, Port::lease()?));
        Ok(Self {
            ip,
            udp: Port::lease()?,
            tcp: Port::lease()?,
            told: None,
            turn: turn.map(port).transpose()?,
        })
    }

    /// Where it takes media over UDP.
    pub(crate) fn media(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.udp.number())
    }

    /// The table `[calls]`; what it refers to is written to `dir`. With an authority, other homeservers on loopback are asked.
    pub(crate) fn table(&self, dir: &Path, authority: Option<&Authority>) -> Result<toml::Table> {
        let at = |port: &Port| SocketAddr::new(self.ip, port.number());
        let mut embedded = json!({ "udp": self.media(), "tcp": at(&self.tcp) });
        if let Some(told) = self.told {
            embedded["public_ips"] = json!([told]);
        }
        if let Some((turn, port)) = &self.turn {
            embedded["turn"] = match turn {
                Turn::Udp => json!({ "host": self.ip, "udp": at(port) }),
                Turn::Tcp => json!({ "host": self.ip, "tcp": at(port) }),
                Turn::Tls => {
                    let dir = dir.join("turn");
                    let (certificate, key) = Authority::in_dir(&dir)?.issue(&dir)?;
                    let tls = json!({
                        "listen": at(port),
                        "certificate_file": certificate,
                        "key_file": key,
                    });
                    json!({ "host": "localhost", "tls": tls })
                }
            };
        }
        let mut table = json!({ "embedded": embedded });
        if let Some(authority) = authority {
            table["allowed_networks"] = json!(["127.0.0.0/8"]);
            table["ca_file"] = json!(authority.certificate());
        }
        Ok(toml::Table::try_from(table)?)
    }
}

/// The address from which this machine would call the world; nothing is sent to find out. Loopback if it has none.
pub(crate) fn address_of_this_machine() -> IpAddr {
    let call = || -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // An address for documentation (RFC 5737), routed like any other.
        socket.connect((Ipv4Addr::new(198, 51, 100, 1), 9))?;
        Ok(socket.local_addr()?.ip())
    };
    call().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// What a [`Service`] was asked.
#[derive(Debug, Clone)]
struct Asked {
    /// Everything behind the host.
    path: String,
    /// The header `Authorization`.
    authorization: String,
    body: Vec<u8>,
}

/// An HTTP service that notes what it is asked and gives one answer to everything.
#[derive(Debug)]
pub struct Service {
    port: Port,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    /// Answers 200 with this body.
    pub async fn answering(answer: Value) -> Result<Self> {
        let port = Port::lease()?;
        let listener = TcpListener::bind(port.address()).await?;
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let noted = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, answer) = (Arc::clone(&noted), answer.to_string());
                tokio::spawn(async move { serve(stream, &noted, &answer).await });
            }
        });
        Ok(Self { port, asked, task })
    }

    /// `127.0.0.1:<port>`.
    #[must_use]
    pub fn address(&self) -> String {
        self.port.address()
    }

    /// A relay that carries nothing.
    #[must_use]
    pub fn as_relay(&self) -> RelayAccess {
        RelayAccess {
            url: format!("ws://{}", self.address()),
            key: KEY.to_owned(),
            secret: SECRET.to_owned(),
            sticky: false,
            loopback: true,
        }
    }

    /// `Authorization` and body of requests whose path ends like this.
    #[must_use]
    pub(crate) fn received(&self, path: &str) -> Vec<(String, Vec<u8>)> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = asked.iter().filter(|asked| asked.path.ends_with(path));
        fitting
            .map(|asked| (asked.authorization.clone(), asked.body.clone()))
            .collect()
    }

    /// Bodies of requests whose path ends like this; null where one was not JSON.
    #[must_use]
    pub fn asked(&self, path: &str) -> Vec<Value> {
        let received = self.received(path).into_iter();
        received
            .map(|(_, body)| serde_json::from_slice(&body).unwrap_or_default())
            .collect()
    }
}

/// One request of one connection, which is closed after the answer.
async fn serve(mut stream: TcpStream, noted: &Mutex<Vec<Asked>>, answer: &str) -> Option<()> {
    let mut read = Vec::new();
    let asked = loop {
        let mut chunk = [0; 4096];
        let count = stream
            .read(&mut chunk)
            .await
            .ok()
            .filter(|&count| count > 0)?;
        read.extend_from_slice(&chunk[..count]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        let header = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(wanted)
                    .then(|| value.trim().to_owned())
            })
        };
        let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
        if read.len() >= end + 4 + length.unwrap_or(0) {
            break Asked {
                path: head.split(' ').nth(1)?.to_owned(),
                authorization: header("authorization").unwrap_or_default(),
                body: read[end + 4..].to_vec(),
            };
        }
    };
    noted
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
    stream.write_all(response.as_bytes()).await.ok()
}
