//! Many event streams at once.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::guest::address;

const PATIENCE: Duration = Duration::from_mins(2);
/// How many connect at the same time.
const AT_ONCE: usize = 64;

/// Watchers of an event stream, each from an address of its own. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Crowd {
    size: usize,
    arrivals: mpsc::UnboundedReceiver<Instant>,
    _watchers: JoinSet<Result<()>>,
}

impl Crowd {
    /// `size` watchers of `path`, each of which has received its first `greeting` events.
    pub(crate) async fn gather(
        server: SocketAddr,
        path: &str,
        size: usize,
        greeting: usize,
    ) -> Result<Self> {
        let (sender, mut arrivals) = mpsc::unbounded_channel();
        let mut watchers = JoinSet::new();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let request: Arc<str> = format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nAccept: text/event-stream\r\n\
             Accept-Encoding: gzip, deflate, br\r\nCache-Control: no-cache\r\n\r\n"
        )
        .into();
        for number in 0..size {
            let (sender, request) = (sender.clone(), Arc::clone(&request));
            let place = Arc::clone(&places).acquire_owned().await?;
            let socket = TcpSocket::new_v4()?;
            socket.bind((address(3, number)?, 0).into())?;
            watchers.spawn(async move {
                let mut stream = socket.connect(server).await.context("cannot connect")?;
                stream.write_all(request.as_bytes()).await?;
                let mut place = Some(place);
                let mut seen = 0;
                watch(stream, || {
                    seen += 1;
                    if seen == greeting {
                        place.take();
                    }
                    // Nobody listens any more: the crowd goes.
                    seen < greeting || sender.send(Instant::now()).is_ok()
                })
                .await
            });
        }
        let mut crowd_here = 0;
        while crowd_here < size {
            tokio::select! {
                arrived = timeout(PATIENCE, arrivals.recv()) => {
                    arrived.with_context(|| format!("only {crowd_here} of {size} have been greeted"))?;
                    crowd_here += 1;
                }
                Some(ended) = watchers.join_next() => ended?.context("a watcher has gone")?,
            }
        }
        Ok(Self {
            size,
            arrivals,
            _watchers: watchers,
        })
    }

    /// When each of them has received its next event.
    pub(crate) async fn all_have_seen(&mut self) -> Result<Vec<Instant>> {
        let mut seen = Vec::with_capacity(self.size);
        let size = self.size;
        let all = async {
            while seen.len() < size {
                match self.arrivals.recv().await {
                    Some(at) => seen.push(at),
                    None => break,
                }
            }
        };
        let in_time = timeout(PATIENCE, all).await.is_ok();
        if !in_time || seen.len() < size {
            bail!("{} of {size} watchers have seen the change", seen.len());
        }
        Ok(seen)
    }
}

/// Reads events and tells each one that is whole, until telling says that it is enough.
async fn watch(mut stream: TcpStream, mut tell: impl FnMut() -> bool) -> Result<()> {
    let mut unread = Vec::new();
    loop {
        if stream.read_buf(&mut unread).await? == 0 {
            bail!(
                "the server has closed an event stream: {}",
                String::from_utf8_lossy(&unread)
            );
        }
        while let Some(end) = unread.windows(2).position(|pair| pair == b"\n\n") {
            // Comments, which keep the connection alive, have no data.
            let is_event = unread[..end].windows(6).any(|word| word == b"\ndata:");
            unread.drain(..end + 2);
            if is_event && !tell() {
                return Ok(());
            }
        }
    }
}
