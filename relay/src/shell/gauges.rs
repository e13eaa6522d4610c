//! What a shard's rooms carry, told as metrics, and how a call went, told in the log. Nobody is named.

use std::{
    collections::HashMap,
    thread,
    time::{Duration, Instant},
};

use super::clock;
use crate::room::{Room, Traffic};

/// How often the reading thread's time is counted.
const EVERY: Duration = Duration::from_secs(1);

/// Sets the gauges of one shard, and adds what its rooms have carried since the last time.
pub(super) fn set(shard: usize, rooms: &mut HashMap<u64, Room>) {
    let (mut participants, mut tracks) = (0, 0);
    for room in rooms.values_mut() {
        let (of_room, published) = room.size();
        participants += of_room;
        tracks += published;
        count(room.traffic());
    }
    let shard = shard.to_string();
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    for (name, value) in [
        ("relay_rooms", rooms.len() as f64),
        ("relay_participants", participants as f64),
        ("relay_tracks", tracks as f64),
    ] {
        metrics::gauge!(name, "shard" => shard.clone()).set(value);
    }
}

/// Counts the processor time of this thread: with the packets, what one costs. A shard's work is done on its own thread
/// and on the one that reads the UDP port.
pub(super) fn processor_time() {
    let thread = thread::current().name().unwrap_or_default().to_owned();
    metrics::counter!("relay_cpu_microseconds_total", "thread" => thread)
        .absolute(clock::thread_cpu_us());
}

/// Counts the processor time of this thread for as long as the relay runs.
pub(crate) async fn count_processor_time() {
    let mut due = tokio::time::interval(EVERY);
    loop {
        due.tick().await;
        processor_time();
    }
}

/// The last of a room.
pub(super) fn ended(mut room: Room, now: Instant) {
    count(room.traffic());
    let summary = room.summary(now);
    tracing::info!(
        room = room.name(),
        lasted_s = summary.lasted.as_secs(),
        participants = summary.most,
        forwarded = summary.traffic.forwarded,
        missing = summary.traffic.missing,
        resent = summary.traffic.resent,
        switches = summary.traffic.switches,
        poor = summary.poor(),
        "room ended"
    );
}

fn count(traffic: Traffic) {
    for (name, news) in [
        ("relay_packets_received_total", traffic.received),
        ("relay_packets_refused_total", traffic.refused),
        ("relay_packets_forwarded_total", traffic.forwarded),
        ("relay_payload_octets_forwarded_total", traffic.octets),
        ("relay_packets_missing_total", traffic.missing),
        ("relay_packets_resent_total", traffic.resent),
        ("relay_layer_switches_total", traffic.switches),
    ] {
        metrics::counter!(name).increment(news);
    }
    for (quality, news) in ["lost", "poor", "good", "excellent"]
        .into_iter()
        .zip(traffic.judged)
    {
        metrics::counter!("relay_connections_judged_total", "quality" => quality).increment(news);
    }
}
