//! TURN (RFC 8656) over UDP, TCP and TLS for guests whose network lets nothing else through.
//!
//! The protocol is the `turn` crate's; here is what a public server needs around it: credentials that lapse,
//! streams, a gate that remembers nothing of strangers, and exits that lead to the relay alone. [`Relay::start`](crate::Relay::start) runs it and tells
//! every client of it when it joins.

mod credentials;
mod datagram;
mod exit;
mod framing;
mod gate;
mod listen;
mod session;
mod stream;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    fmt, io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use livekit_protocol as proto;
use tokio::{
    net::{TcpListener, UdpSocket},
    task::JoinSet,
};
use tokio_rustls::rustls;

use listen::Shop;

use crate::crowd::Crowd;

pub(crate) use exit::Peer;
pub use tls::{TlsError, tls};

/// Longer than a conversation, shorter than a day.
const LIFETIME: Duration = Duration::from_hours(12);
const MAX_CLIENTS: usize = 1_000;
/// A browser makes some for each of its networks, and behind one address may be a whole office.
const MAX_CLIENTS_OF_ONE_ADDRESS: usize = 250;

/// What the TURN server listens on.
#[derive(Clone, Debug)]
pub struct TurnConfig {
    /// The name or address that clients are given.
    pub host: String,
    /// `turn:…?transport=udp`.
    pub udp: Option<SocketAddr>,
    /// `turn:…?transport=tcp`.
    pub tcp: Option<SocketAddr>,
    /// `turns:…?transport=tcp`, with the certificate for `host`.
    pub tls: Option<(SocketAddr, Arc<rustls::ServerConfig>)>,
    /// How long credentials hold. A client that has an allocation needs them to refresh it.
    pub lifetime: Duration,
    /// Clients with an allocation at one time, over all listeners; one more is told that there are too many.
    pub max_clients: usize,
    /// Of them, those of one address (with IPv6: of one network).
    pub max_clients_of_one_address: usize,
}

impl TurnConfig {
    /// Of that name, listening nowhere yet.
    #[must_use]
    pub fn new(host: String) -> Self {
        Self {
            host,
            udp: None,
            tcp: None,
            tls: None,
            lifetime: LIFETIME,
            max_clients: MAX_CLIENTS,
            max_clients_of_one_address: MAX_CLIENTS_OF_ONE_ADDRESS,
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// An address cannot be had.
    #[error("TURN cannot listen on {address}: {source}; is another program there?")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// Nothing to listen on.
    #[error("TURN has no address to listen on: configure at least one of udp, tcp and tls")]
    NoListener,
}

/// A running server. Dropping it ends every allocation.
pub(crate) struct Turn {
    urls: Vec<String>,
    secret: Arc<[u8]>,
    lifetime: Duration,
    _listeners: JoinSet<()>,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

impl Turn {
    /// Binds every configured address and serves until dropped. Needs a Tokio runtime. `secret` signs the
    /// credentials; `peers`, the relay's media sockets, are all that can be reached.
    pub(crate) async fn start(
        config: TurnConfig,
        secret: [u8; 32],
        peers: Vec<Peer>,
    ) -> Result<Self, TurnError> {
        let secret: Arc<[u8]> = Arc::new(secret);
        let shop = Shop::new(
            config.host.clone(),
            Arc::clone(&secret),
            peers.into(),
            Crowd::new(config.max_clients, config.max_clients_of_one_address),
        );
        let host = uri_host(&config.host);
        let mut urls = Vec::new();
        let mut listeners = JoinSet::new();
        if let Some(address) = config.udp {
            let socket = UdpSocket::bind(address).await;
            let socket = socket.map_err(|source| TurnError::Listen { address, source })?;
            urls.push(format!(
                "turn:{host}:{}?transport=udp",
                port(socket.local_addr(), address)
            ));
            listeners.spawn(listen::udp(Arc::new(socket), Arc::clone(&shop)));
        }
        if let Some(address) = config.tcp {
            let listener = bind(address).await?;
            urls.push(format!(
                "turn:{host}:{}?transport=tcp",
                port(listener.local_addr(), address)
            ));
            listeners.spawn(listen::tcp(listener, Arc::clone(&shop)));
        }
        if let Some((address, tls)) = config.tls {
            let listener = bind(address).await?;
            urls.push(format!(
                "turns:{host}:{}?transport=tcp",
                port(listener.local_addr(), address)
            ));
            listeners.spawn(listen::tls(listener, tls.into(), Arc::clone(&shop)));
        }
        if urls.is_empty() {
            return Err(TurnError::NoListener);
        }
        Ok(Self {
            urls,
            secret,
            lifetime: config.lifetime,
            _listeners: listeners,
        })
    }

    /// Credentials for one client from `now_s` (seconds since 1970) on. `label` is opaque and says nothing about the
    /// person.
    pub(crate) fn ice_server(&self, label: &str, now_s: u64) -> proto::IceServer {
        let issued = credentials::issue(&self.secret, now_s + self.lifetime.as_secs(), label);
        proto::IceServer {
            urls: self.urls.clone(),
            username: issued.username,
            credential: issued.password,
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, TurnError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| TurnError::Listen { address, source })
}

/// The port that was bound, also where the configuration left the choice to the system.
fn port(bound: io::Result<SocketAddr>, configured: SocketAddr) -> u16 {
    bound.map_or(configured.port(), |address| address.port())
}

/// An IPv6 address stands in brackets (RFC 7065 §3.1).
fn uri_host(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn seconds(instant: SystemTime) -> u64 {
    instant
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
