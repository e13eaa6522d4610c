//! One TCP port for media, for networks without UDP.
//!
//! Whoever connects is a stranger, whatever it names, until the connection that it names has accepted a check of it.
//! Strangers are few and have little time; the others are counted by the connection that they belong to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    egress::Egress,
    net::{LARGEST, candidate_for, canonical},
    routes::{Route, Routes},
    shards::Shards,
};
use crate::{
    crowd::{Crowd, Place, household},
    stack::{Datagram, Protocol},
};

/// TCP connections for media at a time.
const MOST_STREAMS: usize = 2_000;
/// Of them, of one connection: one for each network of the client, and those of its networks before.
const STREAMS_OF_ONE: usize = 8;
/// TCP connections that have not yet proved whose they are.
const MOST_STRANGERS: usize = 256;
/// Of them, from one address. Behind it may be a whole office, whose clients need a moment each.
const STRANGERS_OF_ONE: usize = 32;
/// A TCP connection has to prove whose it is within this time.
const PROOF_WITHIN: Duration = Duration::from_secs(10);
/// A client checks every five seconds (RFC 7675 §5.1); a silent connection is over.
const SILENCE: Duration = Duration::from_secs(30);
/// Frames that wait for a slow TCP connection before they are dropped.
const WAITING_FRAMES: usize = 512;

/// What a connection needs of the relay.
struct Doors {
    candidates: Vec<SocketAddr>,
    egress: Arc<Egress>,
    routes: Arc<Routes>,
    shards: Shards,
    strangers: Arc<Crowd<IpAddr>>,
    streams: Arc<Crowd<Route>>,
}

/// Who has connected.
enum Standing {
    Stranger(Place<IpAddr>, Instant),
    Known { _place: Place<Route> },
}

/// Accepts TCP connections for media for as long as the relay runs.
pub(crate) async fn accept(
    listener: TcpListener,
    candidates: Vec<SocketAddr>,
    egress: Arc<Egress>,
    routes: Arc<Routes>,
    shards: Shards,
) {
    let doors = Arc::new(Doors {
        candidates,
        egress,
        routes,
        shards,
        strangers: Crowd::new(MOST_STRANGERS, STRANGERS_OF_ONE),
        streams: Crowd::new(MOST_STREAMS, STREAMS_OF_ONE),
    });
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            // Out of file descriptors, most likely; the others need some time to end.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let from = canonical(from);
        let doors = Arc::clone(&doors);
        let stranger = doors.strangers.squeeze_in(household(from.ip()));
        tokio::spawn(async move {
            // A broken connection is the peer's business; ICE notices.
            let _ = carry(stream, from, stranger, &doors).await;
            doors.egress.remove_stream(from);
        });
    }
}

/// Carries one connection both ways.
async fn carry(
    stream: TcpStream,
    from: SocketAddr,
    stranger: Place<IpAddr>,
    doors: &Doors,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let (sender, waiting) = mpsc::channel(WAITING_FRAMES);
    doors.egress.add_stream(from, sender);
    tokio::select! {
        ended = read(reader, from, stranger, doors) => ended,
        ended = write(writer, waiting) => ended,
    }
}

/// Reads a connection (RFC 4571: each datagram after its length in two bytes) to its end.
async fn read(
    mut reader: impl AsyncRead + Unpin,
    from: SocketAddr,
    stranger: Place<IpAddr>,
    doors: &Doors,
) -> io::Result<()> {
    let to = candidate_for(&doors.candidates, from);
    let mut standing = Standing::Stranger(stranger, Instant::now() + PROOF_WITHIN);
    let mut named = None;
    loop {
        let bytes = match &standing {
            Standing::Stranger(place, until) => tokio::select! {
                frame = timeout_at(*until, frame(&mut reader)) => frame??,
                () = place.must_go() => return turn_away(),
            },
            Standing::Known { .. } => timeout(SILENCE, frame(&mut reader)).await??,
        };
        let mut found = doors.routes.read().find(from, &bytes);
        if matches!(standing, Standing::Stranger(..)) {
            // What follows a check at once comes before the check is answered.
            found = found.or(named);
            if let Some(route) = found
                && doors.routes.read().leads(from, route)
            {
                let Some(place) = doors.streams.admit(route) else {
                    return turn_away();
                };
                standing = Standing::Known { _place: place };
            }
        }
        let Some(found) = found.filter(|found| named.is_none_or(|named| named == *found)) else {
            // Noise, or its connection is over; what it may say to another one it says on another stream.
            metrics::counter!("relay_datagrams_of_strangers_total").increment(1);
            return Ok(());
        };
        named = Some(found);
        let datagram = Datagram {
            from,
            to,
            protocol: Protocol::Tcp,
            bytes,
        };
        doors.shards.leave(found.shard, vec![(found, datagram)]);
    }
}

fn turn_away() -> io::Result<()> {
    metrics::counter!("relay_streams_turned_away_total").increment(1);
    Err(io::ErrorKind::QuotaExceeded.into())
}

async fn frame(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<BytesMut> {
    let length = usize::from(reader.read_u16().await?);
    if length > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = BytesMut::zeroed(length);
    reader.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut waiting: mpsc::Receiver<Bytes>,
) -> io::Result<()> {
    while let Some(bytes) = waiting.recv().await {
        let Ok(length) = u16::try_from(bytes.len()) else {
            continue;
        };
        let mut frame = BytesMut::with_capacity(2 + bytes.len());
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&bytes);
        writer.write_all(&frame).await?;
    }
    Ok(())
}
