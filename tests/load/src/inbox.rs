//! Datagrams with the moment at which they came: the system's, not that at which this program gets round to reading, so
//! that its own queue is not taken for a server's.

use std::{
    io::{self, IoSliceMut},
    net::{SocketAddr, SocketAddrV4},
    os::fd::AsRawFd as _,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        socket::{
            ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt,
            sockopt::ReceiveTimestampns,
        },
        time::TimeSpec,
    },
    time::{ClockId, clock_gettime},
};
use tokio::{io::Interest, net::UdpSocket};

use crate::client::now;

/// A datagram that was read.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) length: usize,
    pub(crate) from: SocketAddr,
    pub(crate) at: Instant,
}

/// Reads a socket.
#[derive(Debug)]
pub(crate) struct Inbox {
    control: Vec<u8>,
}

impl Inbox {
    /// The socket's datagrams bear the moment of their arrival from here on.
    pub(crate) fn of(socket: &UdpSocket) -> io::Result<Self> {
        setsockopt(socket, ReceiveTimestampns, &true)?;
        Ok(Self {
            control: nix::cmsg_space!(TimeSpec),
        })
    }

    /// The next datagram; an error of the kind `WouldBlock` when there is none.
    pub(crate) fn receive(&mut self, socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Arrival> {
        socket.try_io(Interest::READABLE, || {
            let mut slices = [IoSliceMut::new(buffer)];
            let received = recvmsg::<SockaddrIn>(
                socket.as_raw_fd(),
                &mut slices,
                Some(&mut self.control),
                MsgFlags::empty(),
            )?;
            let from = received.address.ok_or(io::ErrorKind::InvalidData)?;
            let stamp = received.cmsgs()?.find_map(|message| match message {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
                _ => None,
            });
            let stamp = stamp.ok_or(io::ErrorKind::InvalidData)?;
            let waited = Duration::from(clock_gettime(ClockId::CLOCK_REALTIME)?);
            let waited = waited.saturating_sub(stamp);
            let now = now();
            Ok(Arrival {
                length: received.bytes,
                from: SocketAddrV4::from(from).into(),
                at: now.checked_sub(waited).unwrap_or(now),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_to_be_read_came_before() {
        const LATER: Duration = Duration::from_secs(1);
        let (one, other) = (
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        );
        let mut inbox = Inbox::of(&other).unwrap();
        let mut buffer = [0; 16];
        // Linux begins to note arrivals a while after it was asked to, and says until then when a datagram was read.
        for _ in 0..60 {
            let before = now();
            one.send_to(b"there", other.local_addr().unwrap())
                .await
                .unwrap();
            other.readable().await.unwrap();
            let sent = now();
            tokio::time::sleep(LATER).await;
            let read = now();
            let arrival = inbox.receive(&other, &mut buffer).unwrap();
            assert_eq!(&buffer[..arrival.length], b"there");
            assert_eq!(arrival.from, one.local_addr().unwrap());
            let nothing = inbox.receive(&other, &mut buffer).unwrap_err();
            assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
            // The two clocks are asked one after the other, and between them others may have the processor for a while.
            let doubt = LATER / 2;
            if arrival.at < read {
                assert!(arrival.at + doubt >= before && arrival.at <= sent + doubt);
                return;
            }
        }
        panic!("no arrival was noted within a minute");
    }
}
