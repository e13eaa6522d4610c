//! `vorzimmer.toml`: where things are. What the city is stands in the city's own file.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use gateway::limits::Limits;
use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

use crate::booking::MailConfig;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The city's TOML file.
    pub(crate) city: PathBuf,
    /// Where the embedded database lies.
    pub(crate) data_dir: PathBuf,
    /// `postgres://…` instead of the embedded database.
    pub(crate) database_url: Option<String>,
    /// The built guest client.
    pub(crate) guest_web: PathBuf,
    /// Ignore opening hours (demo).
    #[serde(default)]
    pub(crate) always_open: bool,
    pub(crate) public: Public,
    pub(crate) internal: Internal,
    pub(crate) homeserver: Homeserver,
    /// Video calls; without the table there are none.
    pub(crate) calls: Option<Calls>,
    /// The city's mail server. Without it there are no appointments.
    pub(crate) mail: Option<MailConfig>,
    /// How desks' calendars are reached.
    #[serde(default)]
    pub(crate) calendars: Calendars,
}

/// How desks' calendars are reached.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Calendars {
    /// Networks that are asked although they are not part of the Internet.
    pub(crate) allowed_networks: Vec<IpNet>,
    /// Authorities, in PEM, that sign certificates of calendar servers besides those the machine trusts.
    pub(crate) ca_file: Option<PathBuf>,
}

/// What browsers reach.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Public {
    pub(crate) listen: SocketAddr,
    /// The origin citizens use.
    pub(crate) url: Url,
    /// Networks of the city's own reverse proxies, whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// How much one address, one visit and the whole city may do.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// What the homeserver and the city's monitoring reach.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Internal {
    pub(crate) listen: SocketAddr,
}

/// The city's homeserver.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Homeserver {
    pub(crate) url: Url,
    pub(crate) server_name: String,
    /// The registration file, the same that the homeserver has.
    pub(crate) registration: PathBuf,
    /// Holds a server admin's access token, used for nothing but erasing rooms.
    pub(crate) deletion_token_file: Option<PathBuf>,
}

/// Video calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calls {
    /// `false` switches them off and keeps the rest of the table.
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    /// Whose relay carries them; by default the program's own, unless a LiveKit server is named.
    pub(crate) relay: Option<Relay>,
    /// The program's own relay.
    #[serde(default)]
    pub(crate) embedded: Embedded,
    /// A LiveKit server or cluster.
    pub(crate) livekit: Option<LiveKit>,
    /// How guests are shown to be in a call.
    #[serde(default)]
    pub(crate) membership: Membership,
    /// Private networks in which other homeservers and their token services may be asked. All others that are not
    /// part of the Internet are refused, because strangers name these addresses.
    #[serde(default)]
    pub(crate) allowed_networks: Vec<IpNet>,
    /// Authorities, in PEM, that sign certificates of other homeservers besides those the machine trusts.
    pub(crate) ca_file: Option<PathBuf>,
}

/// Whose relay carries calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Relay {
    /// The program's own: `[calls.embedded]`.
    Embedded,
    /// A LiveKit server's: `[calls.livekit]`.
    Livekit,
}

/// The relay is part of the program: signalling behind the public origin, media on ports of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Embedded {
    /// Where media comes by UDP.
    pub(crate) udp: SocketAddr,
    /// Where media comes by TCP, for networks without UDP.
    pub(crate) tcp: Option<SocketAddr>,
    /// The addresses under which browsers reach these ports.
    pub(crate) public_ips: Vec<IpAddr>,
    /// Who is asked for them where none is written: `stun.example:3478`.
    pub(crate) stun_server: Option<String>,
    /// TURN, for networks that let nothing else through.
    pub(crate) turn: Option<Turn>,
    /// What is too much.
    pub(crate) limits: relay::Limits,
}

/// A TURN server that leads to the relay and nowhere else.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    /// The name or address that browsers are given.
    pub(crate) host: String,
    /// Where it is served over UDP.
    pub(crate) udp: Option<SocketAddr>,
    /// Where it is served over TCP.
    pub(crate) tcp: Option<SocketAddr>,
    /// Where it is served over TLS.
    pub(crate) tls: Option<TurnTls>,
}

/// TURN over TLS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TurnTls {
    /// Where it is served.
    pub(crate) listen: SocketAddr,
    /// The certificates for the host, as PEM; read at the start.
    pub(crate) certificate_file: PathBuf,
    /// Their private key, as PEM.
    pub(crate) key_file: PathBuf,
}

impl Default for Embedded {
    fn default() -> Self {
        Self {
            // By IPv6 and IPv4.
            udp: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 7882)),
            tcp: Some(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 7881))),
            public_ips: Vec::new(),
            stun_server: None,
            turn: None,
            limits: relay::Limits::default(),
        }
    }
}

/// The relay is a LiveKit server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LiveKit {
    /// Where browsers and vorzimmer reach it: `wss://…`.
    pub(crate) url: Url,
    /// The name of its API key.
    pub(crate) key: String,
    /// Holds the key's secret.
    pub(crate) secret_file: PathBuf,
}

/// How guests are shown to be in a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Membership {
    /// By room state, which every client reads.
    #[default]
    State,
    /// By room state and sticky events, of which newer clients believe the latter.
    Sticky,
}

const fn yes() -> bool {
    true
}

impl Config {
    /// Reads the file; relative paths in it are relative to the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!(
                "cannot read the configuration {}; name it with --config",
                path.display()
            )
        })?;
        let mut config: Self = toml::from_str(&text)
            .with_context(|| format!("the configuration {} is not valid", path.display()))?;
        ensure!(
            matches!(config.public.url.scheme(), "http" | "https")
                && config.public.url.path() == "/",
            "public.url is {}; write the origin citizens use, such as https://buero.example.de",
            config.public.url
        );
        let base = path.parent().unwrap_or(Path::new("."));
        let (ca_file, secret_file) = match &mut config.calls {
            Some(calls) => (
                calls.ca_file.as_mut(),
                calls
                    .livekit
                    .as_mut()
                    .map(|livekit| &mut livekit.secret_file),
            ),
            None => (None, None),
        };
        for relative in [
            ca_file,
            secret_file,
            config.calendars.ca_file.as_mut(),
            Some(&mut config.city),
            Some(&mut config.data_dir),
            Some(&mut config.guest_web),
            Some(&mut config.homeserver.registration),
            config.homeserver.deletion_token_file.as_mut(),
            config
                .mail
                .as_mut()
                .and_then(|mail| mail.password_file.as_mut()),
        ]
        .into_iter()
        .flatten()
        {
            *relative = base.join(&*relative);
        }
        Ok(config)
    }

    /// The database's address for the store.
    pub(crate) fn database_url(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| {
            format!(
                "sqlite://{}",
                self.data_dir.join("vorzimmer.sqlite").display()
            )
        })
    }

    /// `public.url` without its trailing slash.
    pub(crate) fn public_origin(&self) -> String {
        self.public.url.as_str().trim_end_matches('/').to_owned()
    }
}
