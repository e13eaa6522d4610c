//! Connections of HTTP that end gently.
//!
//! Who closes a connection while octets of the peer are unread resets it, and what is on its way to the peer can be
//! lost with it: why a flood or too long a message was refused, above all. So a connection is closed in stages
//! (RFC 9112 §9.6): nothing more is written, and what still comes is thrown away until the peer has closed, too.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::{Listener, ListenerExt as _, TapIo};
use rustix::net::sockopt;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::Semaphore,
};

/// A peer that does not close is read this long.
const LINGER: Duration = Duration::from_secs(5);
/// So many are read at a time; beyond, a connection is closed at once.
static LINGERING: Semaphore = Semaphore::const_new(1_024);

/// What is sent and not acknowledged for so long ends a connection (RFC 5482 §3). A line that went dead is noticed by
/// the next sign of life that is sent down it, and not when the system gives up: a quarter of an hour later.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// For `axum::serve`: connections that are closed in stages (RFC 9112 §9.6), so that a peer hears why; that send each
/// message at once instead of when the one before is acknowledged (RFC 896); and that end when half a minute long
/// nothing comes through to the peer.
#[must_use]
pub fn gentle(listener: TcpListener) -> TapIo<Gentle, fn(&mut Connection)> {
    Gentle(listener).tap_io(|connection| {
        if let Err(fault) = connection.set_up(UNACKNOWLEDGED) {
            tracing::debug!("options of a connection: {fault}");
        }
    })
}

/// See [`gentle`].
#[derive(Debug)]
pub struct Gentle(TcpListener);

impl Listener for Gentle {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        (Connection(Some(stream)), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that is closed in stages when it is dropped; there until then.
#[derive(Debug)]
pub struct Connection(Option<TcpStream>);

impl Connection {
    fn set_up(&mut self, unacknowledged: Duration) -> io::Result<()> {
        let stream = self.stream()?;
        stream.set_nodelay(true)?;
        let milliseconds = unacknowledged.as_millis().try_into().unwrap_or(u32::MAX);
        Ok(sockopt::set_tcp_user_timeout(&*stream, milliseconds)?)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.0.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(stream))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let (Some(stream), Ok(permit), Ok(runtime)) = (
            self.0.take(),
            LINGERING.try_acquire(),
            Handle::try_current(),
        ) {
            runtime.spawn(async move {
                let _ = tokio::time::timeout(LINGER, part(stream)).await;
                drop(permit);
            });
        }
    }
}

/// Says that nothing more comes, and waits until the peer says so.
async fn part(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// More than a system's buffers hold.
    const MUCH: usize = 16 * 1024 * 1024;

    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut listener = gentle(listener);
        let (accepted, peer) = tokio::join!(listener.accept(), TcpStream::connect(address));
        (accepted.0, peer.unwrap())
    }

    #[tokio::test]
    async fn whoever_still_writes_hears_the_last_words() {
        let (mut connection, mut peer) = pair().await;
        let server = async {
            let mut first = [0; 4];
            connection.read_exact(&mut first).await.unwrap();
            connection.write_all(b"too much").await.unwrap();
            drop(connection);
        };
        let client = async {
            peer.write_all(&vec![1; MUCH]).await.unwrap();
            let mut heard = Vec::new();
            peer.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, b"too much");
        };
        tokio::join!(server, client);
    }

    /// As what is sent down a dead line, what nobody takes stays with the sender.
    #[tokio::test]
    async fn a_connection_through_which_nothing_comes_ends() {
        let (mut connection, peer) = pair().await;
        connection.set_up(Duration::from_millis(300)).unwrap();
        let fault = connection.write_all(&vec![1; MUCH]).await.unwrap_err();
        assert_eq!(fault.kind(), io::ErrorKind::TimedOut);
        drop(peer);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_never_ends_is_left() {
        let (connection, mut peer) = pair().await;
        drop(connection);
        assert_eq!(peer.read(&mut [0; 4]).await.unwrap(), 0);
        tokio::time::sleep(2 * LINGER).await;
        // The first is answered by a reset, of which a later one hears.
        for _ in 0..10_000 {
            if peer.write_all(&[1]).await.is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
        panic!("it is read for ever");
    }
}
