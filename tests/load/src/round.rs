//! One round: a fresh server, everybody joins, everything is measured for a while, everybody leaves.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use xtask::relay::{Backend, Grant};

use crate::{
    client::{Client, Phase, Received, now},
    cores::Cores,
    figures::{Outcome, Usage},
};

/// Until bandwidth estimates have settled.
const WARM_UP: Duration = Duration::from_secs(5);
/// The server's memory before anybody came.
const IDLE: Duration = Duration::from_secs(1);
const JOINING: Duration = Duration::from_mins(1);
/// One after the other, as people come.
const APART: Duration = Duration::from_millis(20);

/// A participant of a round.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    pub(crate) room: String,
    pub(crate) identity: String,
    pub(crate) publishes: bool,
    pub(crate) subscribes: bool,
}

/// What is measured.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) seats: Vec<Seat>,
    pub(crate) seconds: u64,
}

/// `None` when there is no such server here.
pub(crate) async fn measure(
    backend: Backend,
    round: &Round,
    cores: &Cores,
) -> Result<Option<Outcome>> {
    let dir = tempfile::tempdir()?;
    let Some((server, id)) = cores.start(backend, dir.path()).await? else {
        return Ok(None);
    };
    sleep(IDLE).await;
    let idle = Usage::of(id)?;

    let epoch = now();
    let (phase, watching) = watch::channel(Phase::Joining);
    let (joined, mut joins) = mpsc::unbounded_channel();
    let mut clients = JoinSet::new();
    for (index, seat) in round.seats.iter().enumerate() {
        let token = server.sign(Grant::join(&seat.room, &seat.identity))?;
        let first_ssrc = u32::try_from(index * 8 + 1_000)?;
        clients.spawn(Client::run(
            server.url(),
            token,
            seat.clone(),
            first_ssrc,
            epoch,
            joined.clone(),
            watching.clone(),
        ));
        sleep(APART).await;
    }
    drop(joined);
    let mut join_times = Vec::new();
    while join_times.len() < round.seats.len() {
        tokio::select! {
            time = timeout(JOINING, joins.recv()) => {
                let Ok(Some(time)) = time else {
                    bail!("{} of {} have joined", join_times.len(), round.seats.len());
                };
                join_times.push(time);
            }
            Some(early) = clients.join_next() => {
                early??;
                bail!("a participant left early");
            }
        }
    }
    sleep(WARM_UP).await;
    let before = (Usage::of(id)?, now());
    phase.send_replace(Phase::Measuring);
    sleep(Duration::from_secs(round.seconds)).await;
    let after = (Usage::of(id)?, now());
    phase.send_replace(Phase::Over);

    let mut received = Vec::new();
    while let Some(client) = clients.join_next().await {
        received.push(client??);
    }
    let all = Received {
        packets: received.iter().map(|one| one.packets).sum(),
        bytes: received.iter().map(|one| one.bytes).sum(),
        travelled: received.into_iter().flat_map(|one| one.travelled).collect(),
    };
    ensure!(all.packets > 0, "nothing arrived");
    Ok(Some(Outcome::new(
        round.seats.len(),
        join_times,
        all,
        after.1.duration_since(before.1),
        after.0.cpu.saturating_sub(before.0.cpu),
        after.0.resident.saturating_sub(idle.resident),
    )))
}
