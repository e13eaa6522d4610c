//! Sockets for media: one UDP port for everybody, and one TCP port for networks without UDP.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
};

use super::{
    routes::{Route, Routes},
    shard::{ShardInput, Shards},
};
use crate::stack::{Datagram, Protocol, Transmit};

/// The largest datagram that is read; media stays below the path's 1500.
const LARGEST: usize = 2048;
/// Datagrams read before the rooms get them.
const BATCH: usize = 64;
/// TCP connections for media at a time.
const MAX_STREAMS: usize = 2_000;
/// A TCP connection has to name its user within this time.
const FIRST_FRAME_WITHIN: Duration = Duration::from_secs(10);
/// Frames that wait for a slow TCP connection before they are dropped.
const WAITING_FRAMES: usize = 512;

/// The way out.
#[derive(Debug)]
pub(crate) struct Egress {
    udp: Arc<UdpSocket>,
    /// The socket speaks IPv6, and IPv4 in its clothes.
    mapped: bool,
    streams: Mutex<HashMap<SocketAddr, mpsc::Sender<Bytes>>>,
}

impl Egress {
    pub(crate) fn new(udp: Arc<UdpSocket>, bound: SocketAddr) -> Self {
        Self {
            udp,
            mapped: bound.is_ipv6(),
            streams: Mutex::default(),
        }
    }

    /// Sends without waiting: what does not fit is lost, as on any network.
    pub(crate) fn send(&self, transmit: &Transmit) {
        let sent = match transmit.protocol {
            Protocol::Udp => {
                let to = match transmit.to {
                    SocketAddr::V4(to) if self.mapped => {
                        SocketAddr::new(to.ip().to_ipv6_mapped().into(), to.port())
                    }
                    to => to,
                };
                self.udp.try_send_to(&transmit.bytes, to).is_ok()
            }
            Protocol::Tcp => {
                let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
                streams.get(&transmit.to).is_some_and(|stream| {
                    stream
                        .try_send(Bytes::copy_from_slice(&transmit.bytes))
                        .is_ok()
                })
            }
        };
        if !sent {
            metrics::counter!("relay_datagrams_unsent_total").increment(1);
        }
    }
}

/// The candidate address for a datagram of that family.
fn candidate_for(candidates: &[SocketAddr], from: SocketAddr) -> SocketAddr {
    let same_family = |candidate: &&SocketAddr| candidate.is_ipv4() == from.is_ipv4();
    candidates
        .iter()
        .find(same_family)
        .or(candidates.first())
        .copied()
        .unwrap_or(from)
}

/// An IPv4 peer as such, also on a socket that speaks IPv6 as well.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The addresses told to clients for a socket.
pub(crate) fn candidates(bound: SocketAddr, public: &[IpAddr]) -> Vec<SocketAddr> {
    if public.is_empty() {
        return if bound.ip().is_unspecified() {
            own_addresses(bound)
        } else {
            vec![bound]
        };
    }
    public
        .iter()
        .map(|ip| SocketAddr::new(*ip, bound.port()))
        .collect()
}

/// The addresses from which this machine would call the world. Nothing is sent to find out.
fn own_addresses(bound: SocketAddr) -> Vec<SocketAddr> {
    // Addresses for documentation (RFC 5737, RFC 3849): routed by default like any other.
    let worlds = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let call = |(from, world): (&str, &str)| {
        let socket = std::net::UdpSocket::bind(from).ok()?;
        socket.connect(world).ok()?;
        Some(SocketAddr::new(
            socket.local_addr().ok()?.ip(),
            bound.port(),
        ))
    };
    let families = if bound.is_ipv6() { 2 } else { 1 };
    let found: Vec<SocketAddr> = worlds.into_iter().take(families).filter_map(call).collect();
    if found.is_empty() { vec![bound] } else { found }
}

/// Reads the UDP port for as long as the relay runs.
pub(crate) async fn read_udp(
    udp: Arc<UdpSocket>,
    candidates: Vec<SocketAddr>,
    routes: Arc<Routes>,
    shards: Shards,
) {
    let mut buffer = vec![0; LARGEST];
    let mut batches: Vec<Vec<(Route, Datagram)>> = Vec::new();
    batches.resize_with(shards.count(), Vec::new);
    loop {
        if udp.readable().await.is_err() {
            return;
        }
        let mut strangers = 0;
        {
            let table = routes.read();
            for _ in 0..BATCH {
                let (length, from) = match udp.try_recv_from(&mut buffer) {
                    Ok(received) => received,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // Somebody's port is closed; that is no fault of ours.
                    Err(_) => continue,
                };
                let (bytes, from) = (&buffer[..length], canonical(from));
                let Some(route) = table.find(from, bytes) else {
                    strangers += 1;
                    continue;
                };
                let datagram = Datagram {
                    from,
                    to: candidate_for(&candidates, from),
                    protocol: Protocol::Udp,
                    bytes: BytesMut::from(bytes),
                };
                batches[route.shard].push((route, datagram));
            }
        }
        if strangers > 0 {
            metrics::counter!("relay_datagrams_of_strangers_total").increment(strangers);
        }
        for (shard, batch) in batches.iter_mut().enumerate() {
            if !batch.is_empty() {
                shards.give(shard, ShardInput::Datagrams(std::mem::take(batch)));
            }
        }
    }
}

/// Accepts TCP connections for media for as long as the relay runs.
pub(crate) async fn accept_tcp(
    listener: TcpListener,
    candidates: Vec<SocketAddr>,
    egress: Arc<Egress>,
    routes: Arc<Routes>,
    shards: Shards,
) {
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            // Out of file descriptors, most likely; the others need some time to end.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let from = canonical(from);
        let open = egress
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        if open >= MAX_STREAMS {
            continue;
        }
        let to = candidate_for(&candidates, from);
        let (egress, routes, shards) = (Arc::clone(&egress), Arc::clone(&routes), shards.clone());
        tokio::spawn(async move {
            // A broken connection is the peer's business; ICE notices.
            let _ = carry_tcp(stream, from, to, &egress, &routes, &shards).await;
            egress
                .streams
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&from);
        });
    }
}

/// Carries one TCP connection (RFC 4571: each datagram after its length in two bytes).
async fn carry_tcp(
    stream: TcpStream,
    from: SocketAddr,
    to: SocketAddr,
    egress: &Egress,
    routes: &Routes,
    shards: &Shards,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.into_split();
    let first = tokio::time::timeout(FIRST_FRAME_WITHIN, read_frame(&mut reader))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let Some(mut route) = routes.read().find(from, &first) else {
        metrics::counter!("relay_datagrams_of_strangers_total").increment(1);
        return Ok(());
    };
    let (sender, mut waiting) = mpsc::channel::<Bytes>(WAITING_FRAMES);
    egress
        .streams
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(from, sender);
    let writing = tokio::spawn(async move {
        while let Some(bytes) = waiting.recv().await {
            let Ok(length) = u16::try_from(bytes.len()) else {
                continue;
            };
            let mut frame = BytesMut::with_capacity(2 + bytes.len());
            frame.extend_from_slice(&length.to_be_bytes());
            frame.extend_from_slice(&bytes);
            if writer.write_all(&frame).await.is_err() {
                return;
            }
        }
    });
    let mut frame = first;
    let ended = loop {
        if let Some(found) = routes.read().find(from, &frame) {
            route = found;
        }
        let datagram = Datagram {
            from,
            to,
            protocol: Protocol::Tcp,
            bytes: frame,
        };
        shards.give(route.shard, ShardInput::Datagrams(vec![(route, datagram)]));
        match read_frame(&mut reader).await {
            Ok(next) => frame = next,
            Err(error) => break error,
        }
    };
    writing.abort();
    Err(ended)
}

async fn read_frame(reader: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<BytesMut> {
    let length = usize::from(reader.read_u16().await?);
    if length > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = BytesMut::zeroed(length);
    reader.read_exact(&mut frame).await?;
    Ok(frame)
}
