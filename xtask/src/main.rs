//! `cargo xtask <command>`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{
    bench::{self, BenchOptions},
    console::complain,
    suite,
    up::{self, UpOptions},
};

/// Tools of the Vorzimmer checkout.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds everything and runs the demo city with a homeserver of its own, until Ctrl-C.
    Up(UpOptions),
    /// Installs what the tests need, builds, and runs all tests.
    Test {
        /// Runs only the Rust tests whose names contain this.
        filter: Option<String>,
    },
    /// Measures the demo city on this machine.
    Bench(BenchOptions),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Up(options) => tokio::runtime::Runtime::new()?.block_on(up::up(&options)),
        Task::Test { filter } => suite::run_all(filter.as_deref()),
        Task::Bench(options) => bench::bench(&options),
    }
}
