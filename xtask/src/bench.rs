//! `cargo xtask bench`: builds with optimizations, then measures. What is measured, and how, stands in
//! `tests/benches/city`.

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
    /// `knock`, `watchers`, `page` or `memory`, and options; `-- --help` tells them. Without any, everything.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "FIGURE"
    )]
    pub arguments: Vec<String>,
}

/// Installs, builds, measures.
pub fn bench(options: &BenchOptions) -> Result<()> {
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
