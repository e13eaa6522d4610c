//! What datagrams cost that belong to no call: anybody can send them.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use tokio::{net::UdpSocket, time::interval};
use xtask::relay::Backend;

use crate::{cores::Cores, figures::Usage};

/// Few enough at a time that none is lost before the server has read it.
const AT_ONCE: usize = 100;
const EVERY: Duration = Duration::from_millis(2);
const DATAGRAMS: usize = 500_000;

/// Microseconds of the server's processor time that a datagram of a stranger takes: checks of unknown users, and
/// media. `None` when there is no such server here.
pub(crate) async fn measure(backend: Backend, cores: &Cores) -> Result<Option<[f64; 2]>> {
    let dir = tempfile::tempdir()?;
    let Some((server, id)) = cores.start(backend, dir.path()).await? else {
        return Ok(None);
    };
    let mut costs = [0.0; 2];
    for (cost, datagram) in costs.iter_mut().zip([check(), media()]) {
        let before = Usage::of(id)?;
        send(server.media(), &datagram).await?;
        let after = Usage::of(id)?;
        #[expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
        let each = 1e6 / DATAGRAMS as f64;
        *cost = after.cpu.saturating_sub(before.cpu).as_secs_f64() * each;
    }
    Ok(Some(costs))
}

async fn send(to: SocketAddr, datagram: &[u8]) -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let mut due = interval(EVERY);
    for _ in 0..DATAGRAMS / AT_ONCE {
        due.tick().await;
        for _ in 0..AT_ONCE {
            socket.send_to(datagram, to).await?;
        }
    }
    Ok(())
}

/// A connectivity check (RFC 8445 §7.2.2) that names somebody whom no server knows.
fn check() -> Vec<u8> {
    let user = b"nobody00:somebody";
    let mut check = vec![0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    check.extend([7; 12]);
    check.extend([0x00, 0x06, 0, 17]);
    check.extend(user);
    check.resize(check.len().next_multiple_of(4), 0);
    check[3] = 24;
    check
}

fn media() -> Vec<u8> {
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2];
    packet.resize(1_100, 0x5a);
    packet
}
