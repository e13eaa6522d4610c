//! `cargo xtask bench relay`: what calls cost a relay's server, LiveKit's and ours in turn.
//!
//! Every participant speaks LiveKit's protocol with a WebRTC stack of its own and sends synthetic media at real
//! rates. One thread with a core of its own drives them all; the server has the others to itself. Nothing passes or
//! fails by time.

mod client;
mod cores;
mod figures;
mod inbox;
mod media;
mod peer;
mod round;
mod signal;
mod strangers;

use anyhow::{Result, ensure};
use clap::Parser;
use xtask::{console::say, relay::Backend};

use crate::{
    cores::Cores,
    figures::{Outcome, introduce, table},
    round::{Round, Seat, measure},
};

/// Measures relays on this machine.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench relay", bin_name = "cargo xtask bench relay")]
struct Arguments {
    /// Calls of four people, each with a camera in three layers and a microphone.
    #[arg(long, default_value_t = 4, value_name = "N")]
    calls: usize,
    /// Viewers of one person with camera and microphone.
    #[arg(long, default_value_t = 50, value_name = "N")]
    viewers: usize,
    /// How long each round is measured, in seconds, after five of warming up.
    #[arg(long, default_value_t = 15, value_name = "SECONDS")]
    seconds: u64,
    /// Rounds of each kind with each server.
    #[arg(long, default_value_t = 1, value_name = "N")]
    rounds: usize,
    /// Measures LiveKit's server or ours alone.
    #[arg(long, value_parser = ["livekit", "vorzimmer"])]
    only: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(
        arguments.calls * 4 + arguments.viewers <= 1_000 && arguments.seconds <= 600,
        "at most 1000 participants and 600 seconds"
    );
    introduce()?;
    let cores = Cores::divide()?;
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
    let backends: Vec<Backend> = [
        (Backend::LiveKit, "livekit"),
        (Backend::Vorzimmer, "vorzimmer"),
    ]
    .into_iter()
    .filter(|pair| wanted(pair.1))
    .map(|(backend, _)| backend)
    .collect();
    for (title, seats) in [
        (
            format!("{} calls of four", arguments.calls),
            calls(arguments.calls),
        ),
        (
            format!("one to {}", arguments.viewers),
            broadcast(arguments.viewers),
        ),
    ] {
        if seats.len() < 2 {
            continue;
        }
        let round = Round {
            seats,
            seconds: arguments.seconds,
        };
        let mut outcomes: Vec<(Backend, Outcome)> = Vec::new();
        for _ in 0..arguments.rounds {
            for backend in &backends {
                if let Some(outcome) = measure(*backend, &round, &cores).await? {
                    outcomes.push((*backend, outcome));
                }
            }
        }
        say(table(&title, &outcomes));
    }
    for backend in &backends {
        if let Some([check, media]) = strangers::measure(*backend, &cores).await? {
            say(format_args!(
                "{backend:?}: {check:.2} µs for a check of a stranger, {media:.2} µs for media of one"
            ));
        }
    }
    Ok(())
}

fn calls(count: usize) -> Vec<Seat> {
    (0..count * 4)
        .map(|number| Seat {
            room: format!("call-{}", number / 4),
            identity: format!("participant-{number}"),
            publishes: true,
            subscribes: true,
        })
        .collect()
}

fn broadcast(viewers: usize) -> Vec<Seat> {
    (0..=viewers)
        .map(|number| Seat {
            room: "broadcast".to_owned(),
            identity: format!("participant-{number}"),
            publishes: number == 0,
            subscribes: number > 0,
        })
        .collect()
}
