//! The way back to one client of the UDP port.

use std::{any::Any, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use tokio::net::UdpSocket;
use util::Conn;

use super::exit::unsupported;

/// A client that is known by its address. What it sends is read by who reads the port.
pub(super) struct DatagramConn {
    pub(super) socket: Arc<UdpSocket>,
    pub(super) remote: SocketAddr,
}

#[async_trait]
impl Conn for DatagramConn {
    async fn connect(&self, _: SocketAddr) -> Result<(), util::Error> {
        Err(unsupported())
    }

    async fn recv(&self, _: &mut [u8]) -> Result<usize, util::Error> {
        Err(unsupported())
    }

    async fn recv_from(&self, _: &mut [u8]) -> Result<(usize, SocketAddr), util::Error> {
        Err(unsupported())
    }

    async fn send(&self, packet: &[u8]) -> Result<usize, util::Error> {
        Ok(self.socket.send_to(packet, self.remote).await?)
    }

    async fn send_to(&self, packet: &[u8], _: SocketAddr) -> Result<usize, util::Error> {
        self.send(packet).await
    }

    fn local_addr(&self) -> Result<SocketAddr, util::Error> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        Some(self.remote)
    }

    async fn close(&self) -> Result<(), util::Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
