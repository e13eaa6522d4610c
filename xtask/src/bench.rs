//! `cargo xtask bench`: builds with optimizations, then measures. What is measured, and how, stands in
//! `tests/benches/city`; the slots of appointments need no city and stand in `scheduler/benches`.

use anyhow::Result;
use clap::Args;

use crate::{
    builds::{self, cargo, run},
    suite::install_browser,
    synapse::Venv,
};

/// What is passed on.
#[derive(Debug, Args)]
pub struct BenchOptions {
    /// `slots`, `knock`, `watchers`, `page` or `memory`, and options; `-- --help` tells them. Without any, everything.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "FIGURE"
    )]
    pub arguments: Vec<String>,
}

/// Installs, builds, measures.
pub fn bench(options: &BenchOptions) -> Result<()> {
    let only_slots = options.arguments == ["slots"];
    if only_slots || options.arguments.is_empty() {
        slots()?;
    }
    if only_slots {
        return Ok(());
    }
    install_browser()?;
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
