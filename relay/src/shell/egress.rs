//! The way out. Datagrams wait until the inputs at hand are done; those to one peer then leave together.
//!
//! A picture is several packets to everybody who sees it, nearly all of one length. Linux takes such a run in one
//! system call and one walk through its network code (UDP GSO), which costs a fifth of sending each by itself.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use quinn_udp::{UdpSockRef, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket, sync::mpsc};

use crate::stack::{Protocol, Transmit};

/// The most that Linux takes in one call: an IP packet, headers included.
const MOST_BYTES: usize = 65_000;
/// Datagrams that wait at most, so that a burst of inputs does not hold the first of them back.
const MOST_WAITING: usize = 256;
/// A run's buffer that grew beyond is not kept.
const KEPT_BYTES: usize = 32 * 1024;
/// The kernel's queues, if it allows as much: a key frame for a large room.
const QUEUE_BYTES: usize = 4 * 1024 * 1024;

/// The socket everybody shares, and the streams of those without UDP.
#[derive(Debug)]
pub(crate) struct Egress {
    pub(super) udp: UdpSocket,
    pub(super) state: UdpSocketState,
    /// The socket speaks IPv6, and IPv4 in its clothes.
    mapped: bool,
    streams: Mutex<HashMap<SocketAddr, mpsc::Sender<Bytes>>>,
}

impl Egress {
    pub(crate) fn new(udp: UdpSocket) -> io::Result<Self> {
        let socket = UdpSockRef::from(&udp);
        let state = UdpSocketState::new(socket)?;
        let_routers_fragment(&udp);
        // Less than asked for is what most machines give; it does.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&udp), QUEUE_BYTES);
        let _ = state.set_send_buffer_size(UdpSockRef::from(&udp), QUEUE_BYTES);
        Ok(Self {
            mapped: udp.local_addr()?.is_ipv6(),
            udp,
            state,
            streams: Mutex::default(),
        })
    }

    pub(super) fn add_stream(&self, peer: SocketAddr, frames: mpsc::Sender<Bytes>) {
        self.streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(peer, frames);
    }

    pub(super) fn remove_stream(&self, peer: SocketAddr) {
        self.streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&peer);
    }

    fn send_run(&self, run: &Run) {
        let to = match run.to {
            SocketAddr::V4(to) if self.mapped => {
                SocketAddr::new(to.ip().to_ipv6_mapped().into(), to.port())
            }
            to => to,
        };
        let transmit = quinn_udp::Transmit {
            destination: to,
            ecn: None,
            contents: &run.bytes,
            segment_size: (run.count > 1).then_some(run.length),
            src_ip: None,
        };
        let sent = self.udp.try_io(Interest::WRITABLE, || {
            self.state.try_send(UdpSockRef::from(&self.udp), &transmit)
        });
        if sent.is_err() {
            unsent(run.count);
        }
    }

    fn send_frame(&self, transmit: &Transmit) {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = streams.get(&transmit.to).is_some_and(|stream| {
            stream
                .try_send(Bytes::copy_from_slice(&transmit.bytes))
                .is_ok()
        });
        if !sent {
            unsent(1);
        }
    }
}

fn unsent(datagrams: usize) {
    metrics::counter!("relay_datagrams_unsent_total").increment(datagrams as u64);
}

/// Datagrams to one peer, all of one length but the last, which may be shorter.
#[derive(Debug)]
struct Run {
    to: SocketAddr,
    bytes: Vec<u8>,
    length: usize,
    count: usize,
    /// The last one was shorter.
    ended: bool,
}

impl Run {
    fn takes(&self, length: usize, most: usize) -> bool {
        !self.ended
            && length <= self.length
            && self.count < most
            && self.bytes.len() + length <= MOST_BYTES
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.count == 0 {
            self.length = bytes.len();
        }
        self.ended = bytes.len() < self.length;
        self.bytes.extend_from_slice(bytes);
        self.count += 1;
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
        self.ended = false;
    }
}

/// What one thread has to send. Call [`Outbox::flush`] when there is nothing more to do.
#[derive(Debug)]
pub(crate) struct Outbox {
    egress: Arc<Egress>,
    runs: Vec<Run>,
    by_peer: HashMap<SocketAddr, usize>,
    /// The run that follows the last datagram's: the first guess at that of the next one.
    next: usize,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    waiting: usize,
}

impl Outbox {
    pub(crate) fn new(egress: Arc<Egress>) -> Self {
        Self {
            egress,
            runs: Vec::new(),
            by_peer: HashMap::new(),
            next: 0,
            spare: Vec::new(),
            waiting: 0,
        }
    }

    /// Sends soon, without waiting: what does not fit is lost, as on any network.
    pub(crate) fn send(&mut self, transmit: &Transmit) {
        if transmit.protocol == Protocol::Tcp {
            self.egress.send_frame(transmit);
            return;
        }
        let at = self.run_to(transmit.to);
        // The packets of a picture go to the same peers in the same order.
        self.next = (at + 1) % self.runs.len();
        let run = &mut self.runs[at];
        let most = self.egress.state.max_gso_segments();
        if run.count > 0 && !run.takes(transmit.bytes.len(), most) {
            self.egress.send_run(run);
            self.waiting -= run.count;
            run.clear();
        }
        run.push(&transmit.bytes);
        self.waiting += 1;
        if self.waiting >= MOST_WAITING {
            self.flush();
        }
    }

    /// The run of a peer, begun if there is none.
    fn run_to(&mut self, to: SocketAddr) -> usize {
        if self.runs.get(self.next).is_some_and(|run| run.to == to) {
            return self.next;
        }
        *self.by_peer.entry(to).or_insert_with(|| {
            self.runs.push(Run {
                to,
                bytes: self.spare.pop().unwrap_or_default(),
                length: 0,
                count: 0,
                ended: false,
            });
            self.runs.len() - 1
        })
    }

    /// Sends what waits.
    pub(crate) fn flush(&mut self) {
        self.by_peer.clear();
        self.waiting = 0;
        for mut run in self.runs.drain(..) {
            self.egress.send_run(&run);
            run.clear();
            if run.bytes.capacity() <= KEPT_BYTES && self.spare.len() < MOST_WAITING {
                self.spare.push(run.bytes);
            }
        }
    }
}

/// Datagrams over IPv4 may be cut up on their way. Where a tunnel or a mobile network carries less than 1250 octets, a
/// browser's media would else get lost for good: RTP does not look for the size that a path takes, as QUIC does, for
/// which the socket is made ready. (Over IPv6 1280 octets pass everywhere.)
fn let_routers_fragment(udp: &UdpSocket) {
    #[cfg(target_os = "linux")]
    {
        use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
        if let Err(error) = set_ip_mtu_discover(udp, Ipv4PathMtuDiscovery::OMIT) {
            tracing::debug!(%error, "datagrams over IPv4 stay whole or get lost");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = udp;
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    async fn socket(address: &str) -> UdpSocket {
        UdpSocket::bind(address).await.unwrap()
    }

    fn transmit(to: SocketAddr, number: u8, length: usize) -> Transmit {
        Transmit {
            to,
            protocol: Protocol::Udp,
            bytes: BytesMut::from(vec![number; length].as_slice()),
        }
    }

    /// Each datagram arrives as it was given, in the order of its peer.
    async fn arrives(from: &str, peers: &str, lengths: &[usize]) {
        let egress = Arc::new(Egress::new(socket(from).await).unwrap());
        // A new socket counts as full until the runtime has heard otherwise.
        egress.udp.writable().await.unwrap();
        let mut outbox = Outbox::new(egress);
        let peers = [socket(peers).await, socket(peers).await];
        for (number, length) in (0..).zip(lengths) {
            for peer in &peers {
                outbox.send(&transmit(peer.local_addr().unwrap(), number, *length));
            }
        }
        outbox.flush();
        for peer in &peers {
            let mut buffer = [0; 2048];
            for (number, length) in (0_u8..).zip(lengths) {
                let received = peer.recv(&mut buffer).await.unwrap();
                assert_eq!(received, *length, "of number {number}");
                assert!(buffer[..received].iter().all(|byte| *byte == number));
            }
        }
    }

    #[tokio::test]
    async fn runs_arrive_as_they_were_given() {
        let picture = [1200, 1200, 1200, 700, 1200, 60, 60, 1300, 1, 1, 2];
        arrives("127.0.0.1:0", "127.0.0.1:0", &picture).await;
        arrives("[::]:0", "127.0.0.1:0", &picture).await;
        arrives("[::1]:0", "[::1]:0", &picture).await;
    }

    #[tokio::test]
    async fn whoever_gets_more_or_is_left_out_gets_what_is_theirs() {
        let egress = Arc::new(Egress::new(socket("127.0.0.1:0").await).unwrap());
        egress.udp.writable().await.unwrap();
        let mut outbox = Outbox::new(egress);
        let mut peers = Vec::new();
        for _ in 0..3 {
            peers.push(socket("127.0.0.1:0").await);
        }
        let order = [0, 1, 2, 0, 2, 2, 1, 0, 1, 1];
        for (number, peer) in (0..).zip(order) {
            let to = peers[peer].local_addr().unwrap();
            outbox.send(&transmit(to, number, 100));
        }
        outbox.flush();
        for (of, peer) in peers.iter().enumerate() {
            for (number, _) in (0..).zip(order).filter(|(_, to)| *to == of) {
                let mut buffer = [0_u8; 200];
                let length = peer.recv(&mut buffer).await.unwrap();
                assert_eq!((length, buffer[0]), (100, number), "peer {of}");
            }
        }
    }

    #[tokio::test]
    async fn a_run_is_no_longer_than_the_system_takes() {
        arrives("127.0.0.1:0", "127.0.0.1:0", &[100; 100]).await;
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn routers_may_fragment_over_both_kinds_of_sockets() {
        use rustix::net::sockopt::{Ipv4PathMtuDiscovery, ip_mtu_discover};
        for address in ["127.0.0.1:0", "[::]:0"] {
            let egress = Egress::new(UdpSocket::bind(address).await.unwrap()).unwrap();
            let discovery = ip_mtu_discover(&egress.udp).unwrap();
            assert_eq!(discovery, Ipv4PathMtuDiscovery::OMIT, "{address}");
        }
    }
}
