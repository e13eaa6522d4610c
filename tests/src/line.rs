//! The line between a citizen's home and the city, which can go dead: nothing comes through, and nobody is told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::call::{Network, Weather};

/// Of a thousand datagrams.
const ALL: u16 = 1000;
const CHUNK: usize = 16 * 1024;

/// Carries connections to the program and datagrams to its relay. What is on the way by TCP while the line is dead
/// comes later, as TCP sends it again; datagrams are lost.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    program: String,
    alive: watch::Sender<bool>,
    network: Network,
    keeper: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Line {
    /// Where clients are told to send their datagrams: an address of loopback where no relay listens.
    pub(crate) const FRONT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

    /// One to the program and to the port of its relay.
    pub(crate) async fn to(program: String, relay: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let network = Network::between(SocketAddr::new(Self::FRONT, relay.port()), relay).await?;
        let (alive, is_alive) = watch::channel(true);
        let target = program.clone();
        let keeper = tokio::spawn(async move {
            let mut carrying = JoinSet::new();
            while let Ok((home, _)) = listener.accept().await {
                carrying.spawn(carry(home, target.clone(), is_alive.clone()));
            }
        });
        Ok(Self {
            address,
            program,
            alive,
            network,
            keeper,
        })
    }

    /// What the citizen types.
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// The same place for somebody who is not at this line.
    pub(crate) fn beside(&self, url: &str) -> String {
        url.replacen(
            &format!("localhost:{}", self.address.port()),
            &self.program,
            1,
        )
    }

    /// From here on datagrams have another weather, towards the relay and from it.
    pub fn weathers(&self, up: Weather, down: Weather) {
        self.network.set(up, down);
    }

    /// From here on nothing comes through.
    pub fn dies(&self) {
        let dead = Weather {
            lost: ALL,
            ..Weather::default()
        };
        self.network.set(dead, dead);
        self.alive.send_replace(false);
    }

    /// From here on everything comes through.
    pub fn is_repaired(&self) {
        self.network.set(Weather::default(), Weather::default());
        self.alive.send_replace(true);
    }
}

/// Carries one connection both ways until it ends.
async fn carry(home: TcpStream, program: String, mut is_alive: watch::Receiver<bool>) {
    if is_alive.wait_for(|alive| *alive).await.is_err() {
        return;
    }
    let Ok(city) = TcpStream::connect(program).await else {
        return;
    };
    let ((from_home, to_home), (from_city, to_city)) = (home.into_split(), city.into_split());
    // A connection that breaks is over, whoever broke it.
    let _ = tokio::join!(
        pass(from_home, to_city, is_alive.clone()),
        pass(from_city, to_home, is_alive),
    );
}

/// Carries what comes one way, while the line is alive.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_alive: watch::Receiver<bool>,
) -> Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        is_alive.wait_for(|alive| *alive).await?;
        if length == 0 {
            return Ok(to.shutdown().await?);
        }
        to.write_all(&chunk[..length]).await?;
    }
}
