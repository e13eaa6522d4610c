//! From a change until every open lobby page has it, and what an open page costs the server in memory.
//!
//! The peer is Nchan, the event streams of nginx, where it is installed: the same bytes to as many watchers.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use blackbox::World;
use tokio::time::{Instant, sleep};
use xtask::console::say;

use crate::{
    crowd::Crowd,
    desk::Desk,
    figures::{Samples, Table},
    guest::Guest,
    machine::{self, Memory},
    peer::Peer,
};

/// So long a server rests before its memory is looked at, and between two changes.
const REST: Duration = Duration::from_secs(2);
/// Offices of the demo city: as many events greet a watcher.
const OFFICES: usize = 5;
/// As large as an office's event of the demo city.
const EVENT_BYTES: usize = 1_400;

pub(crate) async fn measure(sizes: &[usize], changes: usize) -> Result<()> {
    machine::open("watchers");
    let mut table = Table::new("Change → every watcher", "ms");
    let mut memory = Vec::new();
    for &size in sizes {
        let ours = vorzimmer(size, changes).await?;
        ours.tell("Vorzimmer", size, &mut table, &mut memory);
        if let Some(peer) = Peer::start(&"x".repeat(EVENT_BYTES)).await? {
            let theirs = nchan(&peer, size, changes).await?;
            theirs.tell("nginx with Nchan", size, &mut table, &mut memory);
            memory.push(format!(
                "{size} watchers, Vorzimmer to Nchan: time × {:.2} (p50), × {:.2} (p99); memory × {:.2}",
                ours.times.median() / theirs.times.median(),
                ours.times.percentile(99) / theirs.times.percentile(99),
                ours.per_watcher / theirs.per_watcher,
            ));
        }
    }
    table.print();
    say("");
    memory.iter().for_each(say);
    machine::close();
    Ok(())
}

/// What was found with one size of a crowd.
struct Finding {
    times: Samples,
    /// kB of resident memory.
    per_watcher: f64,
}

impl Finding {
    fn new(times: Vec<f64>, size: usize, before: Memory, after: Memory) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let size = size as f64;
        Self {
            times: Samples::from_unsorted(times),
            per_watcher: (after.pss - before.pss) / size,
        }
    }

    fn tell(&self, name: &str, size: usize, table: &mut Table, memory: &mut Vec<String>) {
        table.line(&format!("{name}, {size} watchers"), &self.times);
        memory.push(format!(
            "{size} watchers, {name}: {:.1} kB each",
            self.per_watcher
        ));
    }
}

async fn vorzimmer(size: usize, changes: usize) -> Result<Finding> {
    let mut world = World::start().await?;
    let server: SocketAddr = world.vorzimmer.config().public.listen.parse()?;
    let mut desk = Desk::sit_down(world.clerk("anna")?);
    desk.door("gewerbe").await?;
    desk.quiet().await?;
    let mut guests = Vec::with_capacity(changes);
    for number in 0..changes {
        guests.push(Guest::open(&mut world, number).await?);
    }
    let pid = world.vorzimmer.process().map_or(0, |process| process.id());
    sleep(REST).await;
    let before = Memory::of(pid)?;
    let mut crowd = Crowd::gather(server, "/api/v1/lobby/events?lang=de", size, OFFICES).await?;
    sleep(REST).await;
    let after = Memory::of(pid)?;
    let mut times = Vec::with_capacity(size * changes);
    for guest in &guests {
        sleep(REST).await;
        let knocked = guest.knock("gewerbe").await?;
        times.extend(since(knocked.sent, &crowd.all_have_seen().await?));
    }
    Ok(Finding::new(times, size, before, after))
}

async fn nchan(peer: &Peer, size: usize, changes: usize) -> Result<Finding> {
    sleep(REST).await;
    let before = Memory::of_family(peer.id())?;
    let mut crowd = Crowd::gather(peer.address()?, "/sub", size, 1).await?;
    sleep(REST).await;
    let after = Memory::of_family(peer.id())?;
    let mut times = Vec::with_capacity(size * changes);
    for _ in 0..changes {
        sleep(REST).await;
        let sent = Instant::now();
        peer.publish().await?;
        times.extend(since(sent, &crowd.all_have_seen().await?));
    }
    Ok(Finding::new(times, size, before, after))
}

/// In milliseconds.
fn since(sent: Instant, seen: &[Instant]) -> impl Iterator<Item = f64> {
    seen.iter()
        .map(move |at| at.duration_since(sent).as_secs_f64() * 1000.0)
}
