//! One client of the UDP port as a connection of its own, so that what one client makes the server remember
//! goes when the client goes.

use std::{any::Any, io, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{
    net::UdpSocket,
    sync::{Mutex, mpsc},
};
use util::Conn;

use super::exit::unsupported;

/// A client that is known by its address. Reading ends when the sender of `packets` is dropped.
pub(super) struct DatagramConn {
    pub(super) socket: Arc<UdpSocket>,
    pub(super) remote: SocketAddr,
    pub(super) packets: Mutex<mpsc::Receiver<Bytes>>,
}

#[async_trait]
impl Conn for DatagramConn {
    async fn connect(&self, _: SocketAddr) -> Result<(), util::Error> {
        Err(unsupported())
    }

    async fn recv(&self, buffer: &mut [u8]) -> Result<usize, util::Error> {
        let packet = self.packets.lock().await.recv().await;
        let packet = packet.ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let length = packet.len().min(buffer.len());
        buffer[..length].copy_from_slice(&packet[..length]);
        Ok(length)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), util::Error> {
        Ok((self.recv(buffer).await?, self.remote))
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
