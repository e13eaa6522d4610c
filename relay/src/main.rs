//! The relay by itself, for tests, benchmarks, and houses that run it beside the program.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use axum::{Router, routing::get};
use clap::Parser;
use metrics_exporter_prometheus::PrometheusBuilder;
use relay::{
    ApiKey, Config, Limits, Relay,
    turn::{self, TlsError, TurnConfig},
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// A WebRTC relay that speaks the LiveKit protocol.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where signalling and the API are served.
    #[arg(long, default_value = "127.0.0.1:7880")]
    listen: SocketAddr,
    /// Where media comes by UDP.
    #[arg(long, default_value = "127.0.0.1:7882")]
    udp: SocketAddr,
    /// Where media comes by TCP.
    #[arg(long)]
    tcp: Option<SocketAddr>,
    /// The addresses under which clients reach this machine.
    #[arg(long)]
    node_ip: Vec<IpAddr>,
    /// Who is asked for them, without any: `stun.example:3478`.
    #[arg(long)]
    stun: Option<String>,
    /// The API key.
    #[arg(long, env = "VORZIMMER_RELAY_KEY")]
    key: String,
    /// The API key's secret.
    #[arg(long, env = "VORZIMMER_RELAY_SECRET", hide_env_values = true)]
    secret: String,
    /// How many threads carry rooms; by default one for each core.
    #[arg(long)]
    threads: Option<usize>,
    /// Whether whoever has a token begins the room it names; otherwise `CreateRoom` alone does.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    auto_create: bool,
    /// Where metrics are served in Prometheus' form. Not for the public: they tell how many people talk.
    #[arg(long)]
    metrics: Option<SocketAddr>,
    /// Where LiveKit's webhooks go.
    #[arg(long)]
    webhook: Vec<String>,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    turn: TurnOptions,
}

/// What is too much; by default plenty.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the options are made of them"
)]
struct LimitOptions {
    /// Rooms at a time.
    #[arg(long)]
    max_rooms: Option<usize>,
    /// Participants of a room; 0 for no limit.
    #[arg(long)]
    max_participants: Option<u32>,
    /// Tracks of one participant.
    #[arg(long)]
    max_tracks: Option<u32>,
    /// Tracks that one participant is sent.
    #[arg(long)]
    max_subscriptions: Option<u32>,
    /// What one participant may send, in bit/s; 0 for no limit.
    #[arg(long)]
    max_publish_bits_per_second: Option<u64>,
    /// Data packets of one participant in a second; 0 for no limit.
    #[arg(long)]
    max_data_packets_per_second: Option<u32>,
    /// Bytes of one data packet.
    #[arg(long)]
    max_data_bytes: Option<usize>,
    /// Bytes of one signalling message.
    #[arg(long)]
    max_signal_bytes: Option<usize>,
    /// Signalling messages of one participant in ten seconds.
    #[arg(long)]
    max_signals_in_ten_seconds: Option<u32>,
    /// Bytes of metadata and attributes, each.
    #[arg(long)]
    max_metadata_bytes: Option<usize>,
}

impl LimitOptions {
    fn limits(&self) -> Limits {
        let plenty = Limits::default();
        Limits {
            rooms: self.max_rooms.unwrap_or(plenty.rooms),
            participants: self.max_participants.unwrap_or(plenty.participants),
            tracks: self.max_tracks.unwrap_or(plenty.tracks),
            subscriptions: self.max_subscriptions.unwrap_or(plenty.subscriptions),
            publish_bits_per_second: self
                .max_publish_bits_per_second
                .unwrap_or(plenty.publish_bits_per_second),
            data_packets_per_second: self
                .max_data_packets_per_second
                .unwrap_or(plenty.data_packets_per_second),
            data_bytes: self.max_data_bytes.unwrap_or(plenty.data_bytes),
            signal_bytes: self.max_signal_bytes.unwrap_or(plenty.signal_bytes),
            signals_in_ten_seconds: self
                .max_signals_in_ten_seconds
                .unwrap_or(plenty.signals_in_ten_seconds),
            metadata_bytes: self.max_metadata_bytes.unwrap_or(plenty.metadata_bytes),
            ..plenty
        }
    }
}

/// TURN for networks that let nothing else through.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the options are made of them"
)]
struct TurnOptions {
    /// The name or address that clients are given for TURN.
    #[arg(long)]
    turn_host: Option<String>,
    /// Where TURN is served over UDP.
    #[arg(long, requires = "turn_host")]
    turn_udp: Option<SocketAddr>,
    /// Where TURN is served over TCP.
    #[arg(long, requires = "turn_host")]
    turn_tcp: Option<SocketAddr>,
    /// Where TURN is served over TLS.
    #[arg(long, requires_all = ["turn_host", "turn_certificate", "turn_key"])]
    turn_tls: Option<SocketAddr>,
    /// The certificates for TLS, as PEM.
    #[arg(long)]
    turn_certificate: Option<PathBuf>,
    /// Their private key, as PEM.
    #[arg(long)]
    turn_key: Option<PathBuf>,
}

impl TurnOptions {
    fn config(self) -> Result<Option<TurnConfig>, TlsError> {
        let Some(host) = self.turn_host else {
            return Ok(None);
        };
        let tls = match (self.turn_tls, self.turn_certificate, self.turn_key) {
            (Some(address), Some(certificates), Some(key)) => {
                Some((address, turn::tls(&certificates, &key)?))
            }
            _ => None,
        };
        Ok(Some(TurnConfig {
            udp: self.turn_udp,
            tcp: self.turn_tcp,
            tls,
            ..TurnConfig::new(host)
        }))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter =
        EnvFilter::try_from_env("VORZIMMER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match serve(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    // Before anything is counted.
    let metrics = match options.metrics {
        Some(address) => Some(metrics(address).await?),
        None => None,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let relay = Relay::start(Config {
        udp: options.udp,
        tcp: options.tcp,
        public_ips: options.node_ip,
        stun_server: options.stun,
        keys: vec![ApiKey {
            key: options.key,
            secret: options.secret,
        }],
        threads: options.threads.unwrap_or(cores),
        auto_create: options.auto_create,
        limits: options.limits.limits(),
        webhooks: options.webhook,
        turn: options.turn.config()?,
    })
    .await?;
    let listener = TcpListener::bind(options.listen).await?;
    tracing::info!(listen = %listener.local_addr()?, udp = %relay.udp_address(), "ready");
    let router = relay.router();
    let metrics = async {
        match metrics {
            Some((listener, router)) => axum::serve(listener, router).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = axum::serve(relay::gentle(listener), router) => served?,
        served = metrics => served?,
        () = stopped() => relay.stop().await,
    }
    Ok(())
}

/// What counts, and where the counts are to be had.
async fn metrics(address: SocketAddr) -> Result<(TcpListener, Router), Box<dyn std::error::Error>> {
    let counts = PrometheusBuilder::new().install_recorder()?;
    let listener = TcpListener::bind(address).await?;
    let router = Router::new().route("/metrics", get(async move || counts.render()));
    Ok((listener, router))
}

async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
