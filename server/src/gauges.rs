//! Numbers for the city's monitoring that are counted when somebody asks.

use metrics::gauge;
use tracing::error;

use crate::house::House;

/// Reads the counts into the gauges.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of people and jobs are far below 2^52"
)]
pub(crate) async fn update(house: &House) {
    let counts = async { house.store.read().await?.counts().await };
    match counts.await {
        Ok(counts) => {
            for (name, value) in [
                ("vorzimmer_visits_waiting", counts.waiting),
                ("vorzimmer_visits_called", counts.called),
                ("vorzimmer_visits_in_conversation", counts.in_conversation),
                ("vorzimmer_outbox_jobs", counts.jobs),
                ("vorzimmer_outbox_dead_letters", counts.dead_letters),
                ("vorzimmer_inbox_events", counts.inbox),
                ("vorzimmer_files_waiting", counts.blobs),
            ] {
                gauge!(name).set(value as f64);
            }
        }
        Err(fault) => error!("counts could not be read: {fault}"),
    }
}
