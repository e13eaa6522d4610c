//! A TCP or TLS connection as the packet connection that the `turn` crate serves.

use std::{any::Any, io, net::SocketAddr, time::Duration};

use async_trait::async_trait;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::Mutex,
    time::timeout,
};
use util::Conn;

use super::{
    exit::unsupported,
    framing::{self, MAX_FRAME, PREFIX},
};

/// One client's stream. Reading is cancel safe: a frame that has come in part stays in the buffer.
pub(super) struct StreamConn<S> {
    reader: Mutex<Reader<S>>,
    writer: Mutex<WriteHalf<S>>,
    local: SocketAddr,
    remote: SocketAddr,
    silence: Duration,
}

struct Reader<S> {
    half: ReadHalf<S>,
    buffer: [u8; MAX_FRAME],
    filled: usize,
}

impl<S: AsyncRead + AsyncWrite> StreamConn<S> {
    /// A stream that ends when nothing has come for `silence`.
    pub(super) fn new(stream: S, local: SocketAddr, remote: SocketAddr, silence: Duration) -> Self {
        let (half, writer) = tokio::io::split(stream);
        Self {
            reader: Mutex::new(Reader {
                half,
                buffer: [0; MAX_FRAME],
                filled: 0,
            }),
            writer: Mutex::new(writer),
            local,
            remote,
            silence,
        }
    }
}

impl<S: AsyncRead> Reader<S> {
    /// The next message without its padding, copied into `out`.
    async fn next(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.fill(PREFIX).await?;
        let [a, b, c, d, ..] = self.buffer;
        let lengths = framing::lengths([a, b, c, d])
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.fill(lengths.padded).await?;
        let message = self
            .buffer
            .get(..lengths.message)
            .filter(|message| message.len() <= out.len())
            .ok_or(io::ErrorKind::InvalidData)?;
        out[..message.len()].copy_from_slice(message);
        self.buffer.copy_within(lengths.padded..self.filled, 0);
        self.filled -= lengths.padded;
        Ok(lengths.message)
    }

    async fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.filled < wanted {
            match self.half.read(&mut self.buffer[self.filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.filled += read,
            }
        }
        Ok(())
    }
}

#[async_trait]
impl<S: AsyncRead + AsyncWrite + Send + 'static> Conn for StreamConn<S> {
    async fn connect(&self, _: SocketAddr) -> Result<(), util::Error> {
        Err(unsupported())
    }

    async fn recv(&self, buffer: &mut [u8]) -> Result<usize, util::Error> {
        let mut reader = self.reader.lock().await;
        let message = timeout(self.silence, reader.next(buffer)).await;
        Ok(message.map_err(io::Error::from)??)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), util::Error> {
        Ok((self.recv(buffer).await?, self.remote))
    }

    async fn send(&self, message: &[u8]) -> Result<usize, util::Error> {
        let padding = message.len().next_multiple_of(4) - message.len();
        let mut writer = self.writer.lock().await;
        writer.write_all(message).await?;
        writer.write_all(&[0; 3][..padding]).await?;
        writer.flush().await?;
        Ok(message.len())
    }

    async fn send_to(&self, message: &[u8], _: SocketAddr) -> Result<usize, util::Error> {
        self.send(message).await
    }

    fn local_addr(&self) -> Result<SocketAddr, util::Error> {
        Ok(self.local)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        Some(self.remote)
    }

    async fn close(&self) -> Result<(), util::Error> {
        Ok(self.writer.lock().await.shutdown().await?)
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
