//! The program's own relay: one process, one public origin.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use relay::{ApiKey, turn::TurnConfig};

use super::relay::RelayAccess;
use crate::{
    config::{Config, Embedded, Turn},
    secret_file, shell,
};

/// Where the relay's signalling is, behind the public origin.
pub(crate) const PATH: &str = "/relay";
/// The name of the key that nobody but this process has.
const KEY: &str = "vorzimmer";

/// How to reach the relay and how to start it. Its secret outlasts the program: clients come back into a call that goes
/// on with the tokens they have.
pub(super) fn relay(config: &Config, embedded: &Embedded) -> Result<(RelayAccess, relay::Config)> {
    embedded.limits.check().context("calls.embedded.limits")?;
    let file = config.data_dir.join("relay.key");
    let secret = secret_file::open(
        &file,
        shell::random()?,
        "Delete it, and a new one is made; whoever is in a call at that time has to join it anew",
    )?;
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let public = format!("{}{PATH}", config.public_origin()).replacen("http", "ws", 1);
    let own = format!("http://{}{PATH}", reachable(config.public.listen));
    let access = RelayAccess::new(public, &own, KEY.to_owned(), secret.clone().into_bytes())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let start = relay::Config {
        udp: embedded.udp,
        tcp: embedded.tcp,
        public_ips: embedded.public_ips.clone(),
        stun_server: embedded.stun_server.clone(),
        keys: vec![ApiKey {
            key: KEY.to_owned(),
            secret,
        }],
        threads,
        // Only this process makes rooms, of visits that go on.
        auto_create: false,
        limits: embedded.limits.clone(),
        webhooks: Vec::new(),
        turn: embedded.turn.as_ref().map(turn).transpose()?,
    };
    Ok((access, start))
}

fn turn(config: &Turn) -> Result<TurnConfig> {
    let tls = config.tls.as_ref().map(|tls| {
        let read = relay::turn::tls(&tls.certificate_file, &tls.key_file);
        anyhow::Ok((tls.listen, read.context("calls.embedded.turn.tls")?))
    });
    Ok(TurnConfig {
        udp: config.udp,
        tcp: config.tcp,
        tls: tls.transpose()?,
        ..TurnConfig::new(config.host.clone())
    })
}

/// Where this process reaches its own listener.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
