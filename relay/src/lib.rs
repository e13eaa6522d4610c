//! A selective forwarding unit that speaks the LiveKit protocol. It knows rooms and participants by opaque ids
//! and nothing of offices.
//!
//! Sans-IO core, thin shell: [`room`] decides (signalling messages, datagrams and time in, messages and datagrams
//! out), [`forward`] does the arithmetic of media, [`stack`] is the narrow face of the WebRTC stack below, and
//! [`Relay`] puts threads, sockets and HTTP around them.

pub mod config;
pub mod discovery;
pub mod forward;
pub mod limits;
pub mod removals;
pub mod room;
pub mod stack;
pub mod token;
pub mod turn;

mod crowd;
mod shell;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

pub use self::{
    config::{ApiKey, Config, LimitError, Limits},
    shell::listener::gentle,
};
use self::{
    room::ApiCall,
    shell::{
        api::{self, CallError},
        clock,
        egress::Egress,
        gauges,
        http::{self, State},
        net::{self, UdpThread},
        routes::Routes,
        shard::{Equipment, Places, ShardInput},
        shards::{self, STOP_WITHIN, Shards},
        tcp, webhooks,
    },
    stack::{Protocol, WebrtcStack},
    turn::{Peer, Turn, TurnError},
};

/// Events that wait for a slow webhook receiver.
const WAITING_EVENTS: usize = 1_024;

/// Why a relay could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address for media by UDP is not to be had.
    #[error("cannot listen for media on UDP {0}: {1}{cure}", cure = cure(.0))]
    Udp(SocketAddr, io::Error),
    /// The address for media by TCP is not to be had.
    #[error("cannot listen for media on TCP {0}: {1}{cure}", cure = cure(.0))]
    Tcp(SocketAddr, io::Error),
    /// The threads that carry rooms could not be started.
    #[error("cannot start the threads that carry rooms: {0}")]
    Threads(io::Error),
    /// Without a key nobody could come in.
    #[error("the relay needs at least one API key")]
    NoKey,
    /// No call would work.
    #[error("limits: {0}")]
    Limits(#[from] LimitError),
    /// There is no TURN server.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Randomness(#[from] getrandom::Error),
    /// The client for webhooks could not be set up.
    #[error("cannot set up webhooks: {0}")]
    Webhooks(reqwest::Error),
}

/// Why a room is not there: its name is empty or longer than 256 octets, or there are too many rooms.
#[derive(Debug, thiserror::Error)]
#[error("the room cannot be opened: {0}")]
pub struct OpenError(CallError);

/// A running relay.
#[derive(Debug)]
pub struct Relay {
    state: State,
    udp: SocketAddr,
    tcp: Option<SocketAddr>,
    told: Vec<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
    _udp_thread: UdpThread,
}

/// What the operator can do about an address that is not to be had.
const fn cure(address: &SocketAddr) -> &'static str {
    if address.is_ipv6() {
        "; is another program there? Where IPv6 is switched off, name an IPv4 address such as 0.0.0.0"
    } else {
        "; is another program there?"
    }
}

impl Relay {
    /// Binds the sockets for media and starts the threads. Serve [`Relay::router`] to let clients in.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        if config.keys.is_empty() {
            return Err(StartError::NoKey);
        }
        config.limits.check()?;
        let udp_thread = UdpThread::start().map_err(StartError::Threads)?;
        let udp = udp_thread
            .bind(config.udp)
            .await
            .map_err(|error| StartError::Udp(config.udp, error))?;
        let udp_address = udp
            .local_addr()
            .map_err(|error| StartError::Udp(config.udp, error))?;
        let public_ips = public_ips(&config).await;
        let udp_candidates = net::candidates(udp_address, &public_ips);
        let mut candidates: Vec<(Protocol, SocketAddr)> = udp_candidates
            .iter()
            .map(|address| (Protocol::Udp, *address))
            .collect();
        let told = udp_candidates.clone();
        let mut listener = None;
        if let Some(tcp) = config.tcp {
            let fault = |error| StartError::Tcp(tcp, error);
            let bound = TcpListener::bind(tcp).await.map_err(fault)?;
            let address = bound.local_addr().map_err(fault)?;
            let of_tcp = net::candidates(address, &public_ips);
            candidates.extend(of_tcp.iter().map(|address| (Protocol::Tcp, *address)));
            listener = Some((bound, address, of_tcp));
        }
        let turn = match config.turn {
            Some(turn) => {
                let peers = udp_candidates.iter().map(|advertised| Peer {
                    advertised: *advertised,
                    actual: net::from_here(udp_address, advertised.is_ipv4()),
                });
                let turn = Turn::start(turn, clock::secret()?, peers.collect()).await?;
                Some(Arc::new(turn))
            }
            None => None,
        };
        let routes = Arc::new(Routes::default());
        let egress = Egress::new(udp).map_err(|error| StartError::Udp(config.udp, error))?;
        let egress = Arc::new(egress);
        let limits = Arc::new(config.limits);
        let keys: Arc<[ApiKey]> = config.keys.into();
        let (events, of_events) = mpsc::channel(WAITING_EVENTS);
        let threads = config.threads.max(1);
        let equipment = Equipment {
            limits: Arc::clone(&limits),
            stack: WebrtcStack::new(candidates),
            routes: Arc::clone(&routes),
            egress: Arc::clone(&egress),
            events,
            auto_create: config.auto_create,
            places: Arc::new(Places::new(limits.rooms)),
        };
        let shards = shards::start(threads, &equipment).map_err(StartError::Threads)?;
        let client = reqwest::Client::builder()
            .build()
            .map_err(StartError::Webhooks)?;
        let mut tasks = vec![
            tokio::spawn(webhooks::deliver(
                of_events,
                config.webhooks,
                Arc::clone(&keys),
                client,
            )),
            udp_thread.spawn(gauges::count_processor_time()),
            udp_thread.spawn(net::read_udp(
                Arc::clone(&egress),
                udp_candidates,
                Arc::clone(&routes),
                shards.clone(),
            )),
        ];
        let mut tcp = None;
        if let Some((listener, address, candidates)) = listener {
            tcp = Some(address);
            let shards: Shards = shards.clone();
            let accepting = tcp::accept(listener, candidates, egress, routes, shards);
            tasks.push(tokio::spawn(accepting));
        }
        Ok(Self {
            told,
            state: State {
                shards,
                keys,
                limits,
                rates: Arc::default(),
                auto_create: config.auto_create,
                sessions: Arc::default(),
                turn,
            },
            udp: udp_address,
            tcp,
            tasks,
            _udp_thread: udp_thread,
        })
    }

    /// LiveKit's paths, from the root; nest them where they are to be.
    pub fn router(&self) -> axum::Router {
        http::router(self.state.clone())
    }

    /// Makes a room, or takes the one that there is; it stays for `kept` when nobody is in it. Whoever comes to a room
    /// that is not there yet is refused for good: open rooms that clients come back to before they are let in.
    pub async fn open_room(&self, name: &str, kept: Duration) -> Result<(), OpenError> {
        let kept = u32::try_from(kept.as_secs()).unwrap_or(u32::MAX);
        let request = livekit_protocol::CreateRoomRequest {
            name: name.to_owned(),
            empty_timeout: kept,
            departure_timeout: kept,
            ..livekit_protocol::CreateRoomRequest::default()
        };
        let call = ApiCall::Configure(Box::new(request));
        let asked = api::ask(&self.state, name.to_owned(), call).await;
        asked.map(drop).map_err(OpenError)
    }

    /// Where media comes by UDP.
    #[must_use]
    pub fn udp_address(&self) -> SocketAddr {
        self.udp
    }

    /// Where clients are told to send media by UDP.
    #[must_use]
    pub fn told_addresses(&self) -> &[SocketAddr] {
        &self.told
    }

    /// Where media comes by TCP.
    #[must_use]
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// Says good-bye to everybody and ends the threads.
    pub async fn stop(self) {
        for shard in 0..self.state.shards.count() {
            let (done, ended) = oneshot::channel();
            self.state
                .shards
                .tell(shard, ShardInput::Stop { done })
                .await;
            // A thread that hangs ends with the process.
            let _ = tokio::time::timeout(STOP_WITHIN, ended).await;
        }
        for task in self.tasks {
            task.abort();
        }
    }
}

/// What is configured, or what a STUN server tells. A relay that nobody told its address serves at least those near it.
async fn public_ips(config: &Config) -> Vec<IpAddr> {
    match &config.stun_server {
        Some(server) if config.public_ips.is_empty() => {
            let told = discovery::ask(server).await;
            told.unwrap_or_else(|error| {
                tracing::error!("clients are told this machine's own addresses: {error}");
                Vec::new()
            })
        }
        _ => config.public_ips.clone(),
    }
}
