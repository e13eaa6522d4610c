//! TURN (RFC 8656) over UDP, TCP and TLS for guests whose network lets nothing else through.
//!
//! The protocol is the `turn` crate's; here is what a public server needs around it: credentials that lapse,
//! streams, a bound on what strangers can make it remember (a server of its own for each client, so that its
//! nonces go with it), and exits that lead to the relay alone.

mod credentials;
mod datagram;
mod exit;
mod framing;
mod listen;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use listen::Shop;
use tokio::{
    net::{TcpListener, UdpSocket},
    task::JoinSet,
};
use tokio_rustls::rustls;

pub use exit::Peer;

/// What the TURN server listens on and leads to.
#[derive(Clone)]
pub struct TurnConfig {
    /// The name or address that clients are given.
    pub host: String,
    /// `turn:…?transport=udp`.
    pub udp: Option<SocketAddr>,
    /// `turn:…?transport=tcp`.
    pub tcp: Option<SocketAddr>,
    /// `turns:…?transport=tcp`, with the certificate for `host`.
    pub tls: Option<(SocketAddr, Arc<rustls::ServerConfig>)>,
    /// Signs the credentials; at least 32 random bytes.
    pub secret: Vec<u8>,
    /// How long credentials hold. A client that has an allocation needs them to refresh it.
    pub lifetime: Duration,
    /// The relay's media sockets: all that can be reached.
    pub peers: Vec<Peer>,
    /// Clients at one time, over all listeners; one more is not answered.
    pub max_clients: usize,
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

/// What a client is told, as in LiveKit's `ICEServer` and WebRTC's `RTCIceServer`.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `turn:` and `turns:` URIs (RFC 7065).
    pub urls: Vec<String>,
    /// The user name.
    pub username: String,
    /// The password.
    pub credential: String,
}

/// A running server. Dropping it ends every allocation.
pub struct Turn {
    urls: Vec<String>,
    secret: Arc<[u8]>,
    lifetime: Duration,
    _listeners: JoinSet<()>,
}

impl Turn {
    /// Binds every configured address and serves until dropped. Needs a Tokio runtime.
    pub async fn start(config: TurnConfig) -> Result<Self, TurnError> {
        let secret: Arc<[u8]> = config.secret.into();
        let shop = Shop::new(
            config.host.clone(),
            Arc::clone(&secret),
            config.peers.into(),
            config.max_clients,
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

    /// Credentials for one client from `now` on. `label` is opaque and says nothing about the person.
    #[must_use]
    pub fn ice_server(&self, label: &str, now: SystemTime) -> IceServer {
        let issued = credentials::issue(&self.secret, seconds(now + self.lifetime), label);
        IceServer {
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
