//! `cargo xtask bench`: figures of the running city, each beside a peer where there is one.
//!
//! Nothing here passes or fails by time: the figures are printed as tables, with the machine they were taken on,
//! for `docs/benchmarks.md` and for whoever compares two of them.

mod bookings;
mod crowd;
mod desk;
mod figures;
mod guest;
mod join;
mod knock;
mod machine;
mod memory;
mod page;
mod peer;
mod watchers;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Measures the demo city on this machine.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// What to measure; without one, everything.
    figure: Option<Figure>,
    /// Knocks of each kind (`knock`).
    #[arg(long, default_value_t = 100, value_name = "N")]
    knocks: usize,
    /// Open lobby pages (`watchers`); may be given more than once.
    #[arg(long, default_values_t = [1_000, 10_000], value_name = "N")]
    watchers: Vec<usize>,
    /// Changes that all watchers are to see (`watchers`).
    #[arg(long, default_value_t = 10, value_name = "N")]
    changes: usize,
    /// Loads of the page under each network (`page`), and starts of the server (`memory`).
    #[arg(long, default_value_t = 5, value_name = "N")]
    runs: usize,
    /// Citizens who book at once (`bookings`).
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    bookers: usize,
    /// Citizens who wait for a month's times to be released (`bookings`).
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    early_risers: usize,
    /// How often the citizen joins the call (`join`).
    #[arg(long, default_value_t = 10, value_name = "N")]
    joins: usize,
    /// `cargo bench` says so of itself.
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Figure {
    /// From a knock until the clerk's client has it.
    Knock,
    /// From a change until every open lobby page has it; memory of an open page.
    Watchers,
    /// Size of the lobby page; largest contentful paint on a slow line.
    Page,
    /// Memory of the idle server.
    Memory,
    /// Many who want the same appointments at once.
    Bookings,
    /// From the button until the clerk's picture is there.
    Join,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    allow_many_connections()?;
    let wanted = |figure| arguments.figure.is_none_or(|only| only == figure);
    machine::introduce()?;
    if wanted(Figure::Memory) {
        memory::measure(arguments.runs).await?;
    }
    if wanted(Figure::Page) {
        page::measure(arguments.runs).await?;
    }
    if wanted(Figure::Bookings) {
        bookings::measure(arguments.bookers, arguments.early_risers).await?;
    }
    if wanted(Figure::Knock) {
        knock::measure(arguments.knocks).await?;
    }
    if wanted(Figure::Join) {
        join::measure(arguments.joins).await?;
    }
    if wanted(Figure::Watchers) {
        watchers::measure(&arguments.watchers, arguments.changes).await?;
    }
    Ok(())
}

/// Every connection is a file, here and in the servers, which inherit the limit.
fn allow_many_connections() -> Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}
