//! What a relay is told at its start.

use std::{fmt, net::SocketAddr};

pub use crate::limits::{LimitError, Limits};
use crate::turn::TurnConfig;

/// A key pair: who may ask, and what the tokens are signed with.
#[derive(Clone)]
pub struct ApiKey {
    /// The key's name, `iss` of every token.
    pub key: String,
    /// The secret of HS256.
    pub secret: String,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What a relay is told at its start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where media comes by UDP.
    pub udp: SocketAddr,
    /// Where media comes by TCP, for networks without UDP.
    pub tcp: Option<SocketAddr>,
    /// The addresses under which clients reach this machine; without any, what `stun_server` tells, else those of `udp` and
    /// `tcp` themselves, or that from which the machine would call the world. The ports are those that are bound.
    pub public_ips: Vec<std::net::IpAddr>,
    /// Who is asked for them at the start where there are none: `stun.example:3478`. It learns that this machine is there.
    pub stun_server: Option<String>,
    /// Who may ask.
    pub keys: Vec<ApiKey>,
    /// How many threads carry rooms.
    pub threads: usize,
    /// Whoever has a token for a room that there is not begins it, as with LiveKit by default. Otherwise rooms are
    /// begun by `CreateRoom` alone, and a token that is still good opens none again that has ended.
    pub auto_create: bool,
    /// What is too much.
    pub limits: Limits,
    /// Who is told what happens: addresses that get LiveKit's webhooks, signed with the first key.
    pub webhooks: Vec<String>,
    /// A TURN server for clients whose network lets nothing else through; it leads to this relay and nowhere else.
    pub turn: Option<TurnConfig>,
}
