//! Where an allocation's packets leave. It leads to the relay's own media socket and nowhere else: somebody
//! with valid credentials still cannot use the city's TURN server to reach anything (RFC 8656 §21.2).

use std::{
    any::Any,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::net::UdpSocket;
use turn::relay::RelayAddressGenerator;
use util::Conn;

/// The relay's media socket as one address family sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// What the relay tells clients in its candidates.
    pub(crate) advertised: SocketAddr,
    /// Where it really is from this machine; differs behind a one-to-one NAT.
    pub(crate) actual: SocketAddr,
}

/// Makes the exits of one client's allocations.
pub(super) struct Exits {
    pub(super) peers: Arc<[Peer]>,
}

#[async_trait]
impl RelayAddressGenerator for Exits {
    fn validate(&self) -> Result<(), turn::Error> {
        Ok(())
    }

    async fn allocate_conn(
        &self,
        use_ipv4: bool,
        _requested_port: u16,
    ) -> Result<(Arc<dyn Conn + Send + Sync>, SocketAddr), turn::Error> {
        let reachable = self
            .peers
            .iter()
            .find(|peer| peer.actual.is_ipv4() == use_ipv4)
            .ok_or(turn::Error::ErrRelayAddressInvalid)?;
        let socket = UdpSocket::bind(local_towards(reachable.actual)).await?;
        let address = socket.local_addr()?;
        let exit = Exit {
            socket,
            peers: Arc::clone(&self.peers),
        };
        Ok((Arc::new(exit), address))
    }
}

/// A free port on the address that `peer` is reached from. Only the relay ever sees it.
fn local_towards(peer: SocketAddr) -> SocketAddr {
    let ip = match peer.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, 0)
}

struct Exit {
    socket: UdpSocket,
    peers: Arc<[Peer]>,
}

#[async_trait]
impl Conn for Exit {
    async fn connect(&self, _: SocketAddr) -> Result<(), util::Error> {
        Err(unsupported())
    }

    async fn recv(&self, _: &mut [u8]) -> Result<usize, util::Error> {
        Err(unsupported())
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), util::Error> {
        loop {
            let (length, from) = self.socket.recv_from(buffer).await?;
            if let Some(peer) = self.peers.iter().find(|peer| peer.actual == from) {
                return Ok((length, peer.advertised));
            }
        }
    }

    async fn send(&self, _: &[u8]) -> Result<usize, util::Error> {
        Err(unsupported())
    }

    async fn send_to(&self, packet: &[u8], target: SocketAddr) -> Result<usize, util::Error> {
        let Some(peer) = self.peers.iter().find(|peer| peer.advertised == target) else {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied).into());
        };
        Ok(self.socket.send_to(packet, peer.actual).await?)
    }

    fn local_addr(&self) -> Result<SocketAddr, util::Error> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> Result<(), util::Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

pub(super) fn unsupported() -> util::Error {
    io::Error::from(io::ErrorKind::Unsupported).into()
}
