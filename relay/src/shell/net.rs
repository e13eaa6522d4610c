//! One UDP port for everybody's media, and what clients are told about where it is.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    thread,
};

use bytes::BytesMut;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef};
use tokio::{io::Interest, net::UdpSocket, runtime::Handle, sync::oneshot, task::JoinHandle};

use super::{
    egress::Egress,
    routes::{Route, Routes},
    shards::Shards,
};
use crate::{
    discovery,
    stack::{Datagram, Protocol},
};

/// The largest datagram that is read; media stays below the path's 1500.
pub(super) const LARGEST: usize = 2048;
/// Where the system gives several datagrams of one peer at once.
const LARGEST_RUN: usize = 64 * 1024;

/// The candidate address for a datagram of that family.
pub(super) fn candidate_for(candidates: &[SocketAddr], from: SocketAddr) -> SocketAddr {
    let same_family = |candidate: &&SocketAddr| candidate.is_ipv4() == from.is_ipv4();
    candidates
        .iter()
        .find(same_family)
        .or(candidates.first())
        .copied()
        .unwrap_or(from)
}

/// An IPv4 peer as such, also on a socket that speaks IPv6 as well.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
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

/// Where this machine itself reaches a socket.
pub(crate) fn from_here(bound: SocketAddr, by_ipv4: bool) -> SocketAddr {
    if !bound.ip().is_unspecified() {
        return bound;
    }
    let ip: IpAddr = if by_ipv4 {
        Ipv4Addr::LOCALHOST.into()
    } else {
        Ipv6Addr::LOCALHOST.into()
    };
    SocketAddr::new(ip, bound.port())
}

/// The addresses from which this machine would call the world.
fn own_addresses(bound: SocketAddr) -> Vec<SocketAddr> {
    let found = discovery::own_addresses(bound.is_ipv6());
    if found.is_empty() {
        return vec![bound];
    }
    let at = |ip| SocketAddr::new(ip, bound.port());
    found.into_iter().map(at).collect()
}

/// A thread of its own for the UDP port: shared with other work, each run of datagrams would wake a second one.
#[derive(Debug)]
pub(crate) struct UdpThread {
    runtime: Handle,
    _until_dropped: oneshot::Sender<()>,
}

impl UdpThread {
    /// Starts the thread, which lasts as long as this value.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (until_dropped, dropped) = oneshot::channel();
        thread::Builder::new()
            .name("relay-udp".to_owned())
            .spawn(move || runtime.block_on(dropped))?;
        Ok(Self {
            runtime: handle,
            _until_dropped: until_dropped,
        })
    }

    /// Binds the port.
    pub(crate) async fn bind(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        self.runtime.spawn(UdpSocket::bind(address)).await?
    }

    /// Does this on the thread.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(work)
    }
}

/// Reads the UDP port for as long as the relay runs.
pub(crate) async fn read_udp(
    egress: Arc<Egress>,
    candidates: Vec<SocketAddr>,
    routes: Arc<Routes>,
    shards: Shards,
) {
    let (udp, state) = (&egress.udp, &egress.state);
    let room = if state.gro_segments() > 1 {
        LARGEST_RUN
    } else {
        LARGEST
    };
    let mut buffers = vec![0; room * BATCH_SIZE];
    let mut meta = [RecvMeta::default(); BATCH_SIZE];
    let mut batches: Vec<Vec<(Route, Datagram)>> = Vec::new();
    batches.resize_with(shards.count(), Vec::new);
    loop {
        if udp.readable().await.is_err() {
            return;
        }
        let received = udp.try_io(Interest::READABLE, || {
            let mut slices: Vec<IoSliceMut<'_>> =
                buffers.chunks_mut(room).map(IoSliceMut::new).collect();
            state.recv(UdpSockRef::from(udp), &mut slices, &mut meta)
        });
        // Not yet after all; or somebody's port is closed, and that is no fault of ours.
        let Ok(received) = received else { continue };
        let mut strangers = 0;
        {
            let table = routes.read();
            for (run, meta) in buffers.chunks(room).zip(&meta[..received]) {
                let from = canonical(meta.addr);
                // One peer's datagrams of one length come together.
                for bytes in run[..meta.len].chunks(meta.stride.max(1)) {
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
        }
        if strangers > 0 {
            metrics::counter!("relay_datagrams_of_strangers_total").increment(strangers);
        }
        // While more waits, the shards' threads work beside the one that reads.
        let more = received == BATCH_SIZE;
        for (shard, batch) in batches.iter_mut().enumerate() {
            if !batch.is_empty() && (more || !shards.carry_out(shard, batch)) {
                shards.leave(shard, std::mem::take(batch));
            }
        }
    }
}
