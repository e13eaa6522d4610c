//! The way from the homeserver to the program, which can be blocked while both run.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// How every delivery of events begins.
const DELIVERY: &[u8] = b"PUT /_matrix/app/v1/transactions/";

/// A listener that passes connections on while it is open, and cuts them off while it is not.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    open: watch::Sender<bool>,
    turned_away: Arc<AtomicUsize>,
    keeper: JoinHandle<()>,
}

impl Gate {
    /// An open gate before `target`.
    pub(crate) async fn before(target: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (open, is_open) = watch::channel(true);
        let turned_away = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&turned_away);
        let keeper = tokio::spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                let (is_open, count, target) =
                    (is_open.clone(), Arc::clone(&count), target.clone());
                passing.spawn(async move {
                    // A connection that breaks is what a gate is for.
                    let _ = pass(connection, &target, is_open, &count).await;
                });
            }
        });
        Ok(Self {
            address,
            open,
            turned_away,
            keeper,
        })
    }

    /// What the homeserver is told to use.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From here on nobody comes through, and whoever is on the way is cut off.
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// From here on everybody comes through.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// How many deliveries of events have found the gate closed, or nobody behind it.
    #[must_use]
    pub fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::Relaxed)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn pass(
    mut connection: TcpStream,
    target: &str,
    mut is_open: watch::Receiver<bool>,
    turned_away: &AtomicUsize,
) -> Result<()> {
    let behind = if *is_open.borrow_and_update() {
        TcpStream::connect(target).await.ok()
    } else {
        None
    };
    let Some(mut behind) = behind else {
        let mut start = [0; DELIVERY.len()];
        connection.read_exact(&mut start).await?;
        if start == DELIVERY {
            turned_away.fetch_add(1, Ordering::Relaxed);
        }
        return Ok(());
    };
    tokio::select! {
        passed = copy_bidirectional(&mut connection, &mut behind) => passed.map(drop)?,
        closed = is_open.wait_for(|open| !open) => drop(closed?),
    }
    Ok(())
}
