//! The office's public projection in the door room's state. No personal data.

use bridge::office::{Occupancy, QueueEntry};
use ruma::RoomId;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Effect;
use crate::{
    client::{As, Matrix, MatrixError},
    types,
};

/// Events are at most 64 kB; a ticket takes some 130 bytes of that.
const TICKETS: usize = 400;

/// What stands in the door room about its office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// `org.vorzimmer.occupancy`.
    pub occupancy: Occupancy,
    /// `org.vorzimmer.queue`. The first 400 are published.
    pub queue: Vec<QueueEntry>,
    /// The same in one human sentence, for every stock client.
    pub topic: String,
}

pub(super) async fn publish(
    matrix: &Matrix,
    door: &RoomId,
    last: Option<&Published>,
    next: &Published,
) -> Result<Effect, MatrixError> {
    let mut published = next.clone();
    match last {
        Some(last) if says_the_same(&last.occupancy, &next.occupancy) => {
            published.occupancy = last.occupancy.clone();
        }
        _ => {
            put(matrix, door, types::OCCUPANCY, &next.occupancy).await?;
        }
    }
    let queue = next.queue.get(..TICKETS).unwrap_or(&next.queue);
    let same_queue =
        last.is_some_and(|last| last.queue.get(..TICKETS).unwrap_or(&last.queue) == queue);
    if !same_queue {
        put(matrix, door, types::QUEUE, &json!({ "tickets": queue })).await?;
    }
    if last.is_none_or(|last| last.topic != next.topic) {
        put(
            matrix,
            door,
            "m.room.topic",
            &json!({ "topic": next.topic }),
        )
        .await?;
    }
    Ok(Effect::Published(published))
}

/// Apart from the moment it was true at.
fn says_the_same(a: &Occupancy, b: &Occupancy) -> bool {
    Occupancy {
        as_of: b.as_of,
        ..a.clone()
    } == *b
}

async fn put<C: Serialize + Sync>(
    matrix: &Matrix,
    door: &RoomId,
    event_type: &str,
    content: &C,
) -> Result<(), MatrixError> {
    matrix
        .put_state(As::Bot, door, event_type, "", content)
        .await
        .map(drop)
}
