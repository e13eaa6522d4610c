//! The sockets, and the clients behind them.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc::{self, error::TrySendError},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use turn::auth::{AuthHandler, generate_auth_key};
use util::Conn;

use super::{
    credentials,
    datagram::DatagramConn,
    exit::Peer,
    framing::MAX_FRAME,
    gate::{Gate, Verdict},
    seconds,
    session::{Packet, Session},
    stream::StreamConn,
};
use crate::crowd::{Crowd, Place, household};

/// A stream that has shown no credentials by then is closed.
const PROBATION: Duration = Duration::from_secs(30);
/// Streams that have shown no credentials yet.
const MOST_STRANGERS: usize = 256;
/// Of them, from one address. Behind it may be a whole office, whose clients need a moment each.
const STRANGERS_OF_ONE: usize = 32;
/// A client refreshes its permission at least every five minutes (RFC 8656 §9); a silent one is gone.
const SILENCE: Duration = Duration::from_mins(6);
const SWEEP: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Packets of one client that wait to be carried out. More are lost, as anywhere on the way.
const BACKLOG: usize = 256;

/// What all listeners share.
pub(super) struct Shop {
    gate: Gate,
    peers: Arc<[Peer]>,
    credentials: Arc<Credentials>,
    clients: Arc<Crowd<IpAddr>>,
    strangers: Arc<Crowd<IpAddr>>,
}

impl Shop {
    pub(super) fn new(
        realm: String,
        secret: Arc<[u8]>,
        peers: Arc<[Peer]>,
        clients: Arc<Crowd<IpAddr>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            credentials: Arc::new(Credentials(Arc::clone(&secret))),
            gate: Gate { realm, secret },
            peers,
            clients,
            strangers: Crowd::new(MOST_STRANGERS, STRANGERS_OF_ONE),
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the shell asks the machine for the time"
    )]
    fn judge(&self, from: SocketAddr, packet: &[u8]) -> Verdict {
        self.gate.judge(from, packet, seconds(SystemTime::now()))
    }

    fn session(&self, conn: Arc<dyn Conn + Send + Sync>, remote: SocketAddr) -> Session {
        let credentials = Arc::clone(&self.credentials);
        let realm = self.gate.realm.clone();
        Session::new(conn, remote, Arc::clone(&self.peers), credentials, realm)
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

/// Serves a UDP port.
pub(super) async fn udp(socket: Arc<UdpSocket>, shop: Arc<Shop>) {
    let mut clients: HashMap<SocketAddr, mpsc::Sender<Packet>> = HashMap::new();
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = [0; MAX_FRAME];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            _ = sweep.tick() => {
                clients.retain(|_, client| !client.is_closed());
                continue;
            }
        };
        // An error here is an ICMP answer to something sent before; the socket is well.
        let Ok((length, from)) = received else {
            continue;
        };
        let bytes = &buffer[..length];
        let (nonce, allocates) = match shop.judge(from, bytes) {
            Verdict::Data => (None, false),
            Verdict::Request { nonce, allocates } => (Some(nonce), allocates),
            Verdict::Answer(answer) => {
                // Whoever does not get it asks again.
                let _ = socket.send_to(&answer, from).await;
                continue;
            }
            Verdict::Nothing => continue,
        };
        let mut packet = Packet {
            bytes: Bytes::copy_from_slice(bytes),
            nonce,
        };
        if let Some(client) = clients.get(&from) {
            match client.try_send(packet) {
                // A client that sends faster than it is served loses packets.
                Ok(()) | Err(TrySendError::Full(_)) => continue,
                Err(TrySendError::Closed(unsent)) => packet = unsent,
            }
        }
        if !allocates {
            continue;
        }
        if let Some(place) = shop.clients.admit(household(from.ip())) {
            let conn = DatagramConn {
                socket: Arc::clone(&socket),
                remote: from,
            };
            let session = shop.session(Arc::new(conn), from);
            let (packets, waiting) = mpsc::channel(BACKLOG);
            tokio::spawn(client(session, packet, waiting, place));
            clients.insert(from, packets);
        } else if let Some(answer) = Gate::no_place(&packet.bytes) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

/// One client of the UDP port, for as long as it has an allocation.
async fn client(
    session: Session,
    first: Packet,
    mut packets: mpsc::Receiver<Packet>,
    _place: Place<IpAddr>,
) {
    let mut next = Some(first);
    while let Some(packet) = next
        && session.carry_out(packet).await
    {
        next = timeout(SILENCE, packets.recv()).await.ok().flatten();
    }
    session.close().await;
}

/// Serves a TCP port.
pub(super) async fn tcp(listener: TcpListener, shop: Arc<Shop>) {
    loop {
        if let Some((stream, local, remote)) = accept(&listener).await {
            let stranger = shop.strangers.squeeze_in(household(remote.ip()));
            let shop = Arc::clone(&shop);
            tokio::spawn(async move {
                let ready = async { Some(stream) };
                connection(ready, local, remote, &shop, stranger).await;
            });
        }
    }
}

/// Serves TURN over TLS.
pub(super) async fn tls(listener: TcpListener, acceptor: TlsAcceptor, shop: Arc<Shop>) {
    loop {
        if let Some((stream, local, remote)) = accept(&listener).await {
            let stranger = shop.strangers.squeeze_in(household(remote.ip()));
            let (shop, handshake) = (Arc::clone(&shop), acceptor.accept(stream));
            tokio::spawn(async move {
                let ready = async { handshake.await.ok() };
                connection(ready, local, remote, &shop, stranger).await;
            });
        }
    }
}

async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr, SocketAddr)> {
    let (stream, remote) = match listener.accept().await {
        Ok(accepted) => accepted,
        Err(error) => {
            // Out of file descriptors, mostly: wait for some to come back.
            tracing::warn!(%error, "a TURN connection cannot be accepted");
            sleep(ACCEPT_PAUSE).await;
            return None;
        }
    };
    let local = stream.local_addr().ok()?;
    stream.set_nodelay(true).ok()?;
    Some((stream, local, remote))
}

/// One client of a stream, from its first byte (or handshake) until it has no allocation any more.
async fn connection<S>(
    ready: impl Future<Output = Option<S>>,
    local: SocketAddr,
    remote: SocketAddr,
    shop: &Shop,
    stranger: Place<IpAddr>,
) where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let shown = async {
        let conn = StreamConn::new(ready.await?, local, remote, SILENCE);
        let packet = credentials_on(&conn, remote, shop).await?;
        Some((conn, packet))
    };
    let shown = tokio::select! {
        shown = timeout(PROBATION, shown) => shown.ok().flatten(),
        () = stranger.must_go() => {
            metrics::counter!("relay_turn_refused_total", "reason" => "crowded").increment(1);
            None
        }
    };
    let Some((conn, mut packet)) = shown else {
        return;
    };
    let Some(_place) = shop.clients.admit(household(remote.ip())) else {
        if let Some(answer) = Gate::no_place(&packet.bytes) {
            // The end of the connection says the same.
            let _ = conn.send(&answer).await;
        }
        return;
    };
    drop(stranger);
    let conn = Arc::new(conn);
    let session = shop.session(Arc::clone(&conn) as Arc<dyn Conn + Send + Sync>, remote);
    while session.carry_out(packet).await
        && let Some(next) = next_packet(&conn, remote, shop).await
    {
        packet = next;
    }
    session.close().await;
}

/// The first request for an allocation with credentials that hold.
async fn credentials_on<S>(conn: &StreamConn<S>, remote: SocketAddr, shop: &Shop) -> Option<Packet>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    loop {
        let (bytes, verdict) = next_verdict(conn, remote, shop).await?;
        if let Verdict::Request {
            nonce,
            allocates: true,
        } = verdict
        {
            let nonce = Some(nonce);
            return Some(Packet { bytes, nonce });
        }
    }
}

/// What comes next for the client's allocation.
async fn next_packet<S>(conn: &StreamConn<S>, remote: SocketAddr, shop: &Shop) -> Option<Packet>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    loop {
        let (bytes, verdict) = next_verdict(conn, remote, shop).await?;
        let nonce = match verdict {
            Verdict::Data => None,
            Verdict::Request { nonce, .. } => Some(nonce),
            Verdict::Answer(_) | Verdict::Nothing => continue,
        };
        return Some(Packet { bytes, nonce });
    }
}

/// What came next and what it comes to; it is answered where that is all there is to do.
async fn next_verdict<S>(
    conn: &StreamConn<S>,
    remote: SocketAddr,
    shop: &Shop,
) -> Option<(Bytes, Verdict)>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut buffer = [0; MAX_FRAME];
    let length = conn.recv(&mut buffer).await.ok()?;
    let bytes = &buffer[..length];
    let verdict = shop.judge(remote, bytes);
    if let Verdict::Answer(answer) = &verdict {
        conn.send(answer).await.ok()?;
    }
    Some((Bytes::copy_from_slice(bytes), verdict))
}
