//! The sockets, and one `turn` server for each client behind them.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UdpSocket},
    sync::{Mutex, Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use turn::{
    auth::{AuthHandler, generate_auth_key},
    server::{
        Server,
        config::{ConnConfig, ServerConfig},
    },
};
use util::Conn;

use super::{
    credentials,
    datagram::DatagramConn,
    exit::{Exits, Peer},
    framing::MAX_FRAME,
    seconds,
    stream::StreamConn,
};

/// A client that has shown no credentials by then is let go.
const PROBATION: Duration = Duration::from_secs(30);
/// A client refreshes its permission at least every five minutes (RFC 8656 §9); a silent one is gone.
const SILENCE: Duration = Duration::from_mins(6);
const SWEEP: Duration = Duration::from_secs(10);
const TLS_HANDSHAKE: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Packets of one client that wait to be read. More are lost, as anywhere on the way.
const BACKLOG: usize = 256;

/// What all listeners share.
pub(super) struct Shop {
    realm: String,
    secret: Arc<[u8]>,
    peers: Arc<[Peer]>,
    clients: AtomicUsize,
    max_clients: usize,
}

impl Shop {
    pub(super) fn new(
        realm: String,
        secret: Arc<[u8]>,
        peers: Arc<[Peer]>,
        max_clients: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            realm,
            secret,
            peers,
            clients: AtomicUsize::new(0),
            max_clients,
        })
    }

    /// A place for one more client, given back when the ticket is dropped.
    fn admit(self: &Arc<Self>) -> Option<Place> {
        self.clients
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |clients| {
                (clients < self.max_clients).then_some(clients + 1)
            })
            .ok()
            .map(|_| Place(Arc::clone(self)))
    }

    async fn serve(
        &self,
        conn: Arc<dyn Conn + Send + Sync>,
        allocated: Arc<AtomicBool>,
    ) -> Option<Server> {
        let config = ServerConfig {
            conn_configs: vec![ConnConfig {
                conn,
                relay_addr_generator: Box::new(Exits {
                    peers: Arc::clone(&self.peers),
                    allocated,
                }),
            }],
            realm: self.realm.clone(),
            auth_handler: Arc::new(Credentials(Arc::clone(&self.secret))),
            channel_bind_timeout: Duration::ZERO,
            alloc_close_notify: None,
        };
        match Server::new(config).await {
            Ok(server) => Some(server),
            Err(error) => {
                tracing::warn!(%error, "a TURN client cannot be served");
                None
            }
        }
    }
}

struct Place(Arc<Shop>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Credentials(Arc<[u8]>);

impl AuthHandler for Credentials {
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell asks the machine for the time"
    )]
    fn auth_handle(
        &self,
        username: &str,
        realm: &str,
        _: SocketAddr,
    ) -> Result<Vec<u8>, turn::Error> {
        let password = credentials::password(&self.0, username, seconds(SystemTime::now()))
            .ok_or(turn::Error::ErrNoSuchUser)?;
        Ok(generate_auth_key(username, realm, &password))
    }
}

struct Client {
    packets: mpsc::Sender<Bytes>,
    allocated: Arc<AtomicBool>,
    since: Instant,
    heard: Instant,
    _server: Server,
    _place: Place,
}

impl Client {
    fn is_gone(&self, now: Instant) -> bool {
        if self.allocated.load(Ordering::Relaxed) {
            now - self.heard > SILENCE
        } else {
            now - self.since > PROBATION
        }
    }
}

/// Serves a UDP port.
pub(super) async fn udp(socket: Arc<UdpSocket>, shop: Arc<Shop>) {
    let mut clients: HashMap<SocketAddr, Client> = HashMap::new();
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = [0; MAX_FRAME];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            now = sweep.tick() => {
                clients.retain(|_, client| !client.is_gone(now));
                continue;
            }
        };
        // An error here is an ICMP answer to something sent before; the socket is well.
        let Ok((length, from)) = received else {
            continue;
        };
        let packet = Bytes::copy_from_slice(&buffer[..length]);
        let now = Instant::now();
        if let Some(client) = clients.get_mut(&from) {
            client.heard = now;
            // A client that sends faster than it is served loses packets.
            let _ = client.packets.try_send(packet);
        } else if let Some(client) = greet(&socket, from, packet, now, &shop).await {
            clients.insert(from, client);
        }
    }
}

async fn greet(
    socket: &Arc<UdpSocket>,
    from: SocketAddr,
    packet: Bytes,
    now: Instant,
    shop: &Arc<Shop>,
) -> Option<Client> {
    // A stranger's first packet is a STUN request; anything else is noise and costs nothing.
    if packet.len() < 20 || packet[0] >> 6 != 0 {
        return None;
    }
    let place = shop.admit()?;
    let (packets, waiting) = mpsc::channel(BACKLOG);
    packets.try_send(packet).ok()?;
    let allocated = Arc::new(AtomicBool::new(false));
    let conn = DatagramConn {
        socket: Arc::clone(socket),
        remote: from,
        packets: Mutex::new(waiting),
    };
    let server = shop.serve(Arc::new(conn), Arc::clone(&allocated)).await?;
    Some(Client {
        packets,
        allocated,
        since: now,
        heard: now,
        _server: server,
        _place: place,
    })
}

/// Serves a TCP port.
pub(super) async fn tcp(listener: TcpListener, shop: Arc<Shop>) {
    loop {
        let Some((stream, local, remote, place)) = accept(&listener, &shop).await else {
            continue;
        };
        let shop = Arc::clone(&shop);
        tokio::spawn(async move { connection(stream, local, remote, &shop, place).await });
    }
}

/// Serves TURN over TLS.
pub(super) async fn tls(listener: TcpListener, acceptor: TlsAcceptor, shop: Arc<Shop>) {
    loop {
        let Some((stream, local, remote, place)) = accept(&listener, &shop).await else {
            continue;
        };
        let shop = Arc::clone(&shop);
        let handshake = acceptor.accept(stream);
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = timeout(TLS_HANDSHAKE, handshake).await {
                connection(stream, local, remote, &shop, place).await;
            }
        });
    }
}

async fn accept(
    listener: &TcpListener,
    shop: &Arc<Shop>,
) -> Option<(tokio::net::TcpStream, SocketAddr, SocketAddr, Place)> {
    let (stream, remote) = match listener.accept().await {
        Ok(accepted) => accepted,
        Err(error) => {
            // Out of file descriptors, mostly: wait for some to come back.
            tracing::warn!(%error, "a TURN connection cannot be accepted");
            sleep(ACCEPT_PAUSE).await;
            return None;
        }
    };
    let place = shop.admit()?;
    let local = stream.local_addr().ok()?;
    stream.set_nodelay(true).ok()?;
    Some((stream, local, remote, place))
}

async fn connection<S>(stream: S, local: SocketAddr, remote: SocketAddr, shop: &Shop, _place: Place)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let allocated = Arc::new(AtomicBool::new(false));
    let ended = Arc::new(Notify::new());
    let conn = StreamConn::new(stream, local, remote, SILENCE, Arc::clone(&ended));
    let Some(_server) = shop.serve(Arc::new(conn), Arc::clone(&allocated)).await else {
        return;
    };
    if timeout(PROBATION, ended.notified()).await.is_err() && allocated.load(Ordering::Relaxed) {
        ended.notified().await;
    }
}
