//! What a relay is told at its start.

use std::{fmt, net::SocketAddr, time::Duration};

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
    /// What is too much.
    pub limits: Limits,
    /// Who is told what happens: addresses that get LiveKit's webhooks, signed with the first key.
    pub webhooks: Vec<String>,
    /// A TURN server for clients whose network lets nothing else through; it leads to this relay and nowhere else.
    pub turn: Option<TurnConfig>,
}

/// What is too much.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rooms at a time.
    pub rooms: usize,
    /// Participants of a room; 0 for no limit.
    pub participants: u32,
    /// Tracks of one participant.
    pub tracks: u32,
    /// Tracks that one participant is sent.
    pub subscriptions: u32,
    /// Bytes of one data packet.
    pub data_bytes: usize,
    /// Bytes of one signalling message.
    pub signal_bytes: usize,
    /// Signalling messages of one participant in ten seconds.
    pub signals_in_ten_seconds: u32,
    /// Bytes of metadata and attributes, each.
    pub metadata_bytes: usize,
    /// How long a room stays without participants.
    pub empty_room: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rooms: 1_000,
            participants: 200,
            tracks: 20,
            subscriptions: 400,
            data_bytes: 65_536,
            signal_bytes: 512 * 1024,
            signals_in_ten_seconds: 1_000,
            metadata_bytes: 64 * 1024,
            empty_room: Duration::from_secs(20),
        }
    }
}
