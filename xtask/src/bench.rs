//! `cargo xtask bench`: builds with optimizations, then measures. What is measured, and how, stands in
//! `tests/benches/city`; the slots of appointments need no city and stand in `scheduler/benches` and `store/benches`.

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
    /// `slots` takes `--desks`, `--days` and `--runs`. `relay` compares our relay with LiveKit's server; `relay --help` tells its options.
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
    match options.arguments.split_first() {
        Some((first, rest)) if first == "slots" => return slots(rest),
        None => slots(&[])?,
        Some(_) => {}
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

/// Free slots of appointments without a city: computed, then with what is read from the database.
fn slots(arguments: &[String]) -> Result<()> {
    for package in ["scheduler", "store"] {
        let mut command = cargo()?;
        command
            .args(["bench", "--quiet", "--package", package, "--bench", "slots"])
            .arg("--")
            .args(arguments);
        run(&mut command)?;
    }
    Ok(())
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
