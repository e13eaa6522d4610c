//! `cargo xtask bench`: builds with optimizations, then measures. What is measured, and how, stands in
//! `tests/benches/city`; the slots of appointments need no city and stand in `scheduler/benches`.

use anyhow::Result;
use clap::Args;

use crate::{
    browsers,
    builds::{self, cargo, run},
    livekit,
    synapse::Venv,
};

/// What is passed on.
#[derive(Debug, Args)]
pub struct BenchOptions {
    /// `slots`, `bookings`, `knock`, `watchers`, `page`, `memory` or `join`, and options; `-- --help` tells them. Without any, all of these.
    /// `relay` compares our relay with LiveKit's server; `relay --help` tells its options.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "FIGURE"
    )]
    pub arguments: Vec<String>,
}

/// Installs, builds, measures.
pub fn bench(options: &BenchOptions) -> Result<()> {
    if let Some((first, rest)) = options.arguments.split_first()
        && first == "relay"
    {
        return relay(rest);
    }
    let only_slots = options.arguments == ["slots"];
    if only_slots || options.arguments.is_empty() {
        slots()?;
    }
    if only_slots {
        return Ok(());
    }
    browsers::install_chromium()?;
    Venv::ensure()?;
    builds::guest_web()?;
    let program = builds::server(true)?;
    let mut command = cargo()?;
    command
        .args([
            "bench",
            "--quiet",
            "--package",
            "blackbox",
            "--bench",
            "city",
            "--",
        ])
        .args(&options.arguments)
        .env(builds::PROGRAM, program);
    run(&mut command)
}

/// Free slots of appointments: pure, without a city.
fn slots() -> Result<()> {
    let mut command = cargo()?;
    command.args([
        "bench",
        "--quiet",
        "--package",
        "scheduler",
        "--bench",
        "slots",
    ]);
    run(&mut command)
}

/// What calls cost a relay's server; what is measured, and how, stands in `tests/load`.
fn relay(arguments: &[String]) -> Result<()> {
    livekit::server()?;
    let relay = builds::relay()?;
    let mut command = cargo()?;
    command
        .args(["run", "--quiet", "--release", "--package", "load", "--"])
        .args(arguments)
        .env(builds::RELAY, relay);
    run(&mut command)
}
