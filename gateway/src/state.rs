//! What every handler shares.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use ipnet::IpNet;
use jiff::Timestamp;
use texts::Catalogue;
use tokio::sync::watch;

use crate::{
    address::ProxyHeader,
    appointments::Appointments,
    limits::Limits,
    pages::Assets,
    participants::Participants,
    port::{FrontOffice, MediaTokens},
};

/// Settings of the public listener.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// The origin browsers use, without a trailing slash: `https://buero.example.de`. Requests that change
    /// something must come from it; cookies are `Secure` when it is `https`.
    pub public_url: String,
    /// The built guest client: `index` of hashed assets and the assets themselves.
    pub guest_web: PathBuf,
    /// Networks of the city's own reverse proxies. Only they are believed when they name another client.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which these proxies name the client.
    pub proxy_header: ProxyHeader,
    /// How much one address, one visit and the whole city may do.
    pub limits: Limits,
}

impl GatewayConfig {
    /// Settings without a reverse proxy and with the usual limits.
    #[must_use]
    pub fn new(public_url: impl Into<String>, guest_web: impl Into<PathBuf>) -> Self {
        Self {
            public_url: public_url.into(),
            guest_web: guest_web.into(),
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::default(),
            limits: Limits::default(),
        }
    }

    /// Whether browsers come over `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// Time since any fixed moment; never goes back.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The instant.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Fills the slice with bytes nobody can guess.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What only the program around the gateway can give: time, randomness, and word that it stops.
#[derive(Clone)]
pub struct Shell {
    /// Time since any fixed moment; never goes back.
    pub clock: Clock,
    /// The instant.
    pub now: Now,
    /// Fills the slice with bytes nobody can guess.
    pub random: Random,
    /// Becomes `true` when the program stops: event streams end then, so that the listener can close.
    pub closing: watch::Receiver<bool>,
}

impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").finish_non_exhaustive()
    }
}

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// The house behind the gateway.
    pub house: Arc<dyn FrontOffice>,
    /// The token service for Matrix clients; none while calls are switched off.
    pub media_tokens: Option<Arc<dyn MediaTokens>>,
    /// Interpreters and companions; none while calls are switched off.
    pub participants: Option<Arc<dyn Participants>>,
    /// Appointments; none in a city that sends no mail.
    pub appointments: Option<Arc<dyn Appointments>>,
    /// All texts.
    pub texts: Arc<Catalogue>,
    /// Settings.
    pub config: Arc<GatewayConfig>,
    /// The built guest client.
    pub assets: Arc<Assets>,
    /// Time, randomness, and word that the program stops.
    pub shell: Shell,
}

impl Gateway {
    /// Whether visits have video calls, so that pages offer them.
    #[must_use]
    pub fn has_calls(&self) -> bool {
        self.media_tokens.is_some()
    }
}
