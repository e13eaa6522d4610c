//! Which temporal layers a source has, which of them are sent, and which were when a late packet was taken.

use std::time::{Duration, Instant};

use crate::forward::payload::{Temporal, Up};

/// A source that has not used its highest temporal layer for so long has less of them. Screens that stand still send few
/// pictures.
const UNUSED: Duration = Duration::from_secs(10);

/// How many temporal layers a source has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Depth {
    /// The highest that was seen, and when.
    highest: Option<(u8, Instant)>,
}

impl Depth {
    /// A picture of this layer came.
    pub(crate) fn note(&mut self, id: u8, now: Instant) {
        let higher = self.highest.is_some_and(|(highest, seen)| {
            id < highest && now.saturating_duration_since(seen) < UNUSED
        });
        if !higher {
            self.highest = Some((id, now));
        }
    }

    /// How many there are, 1 where pictures do not say.
    pub(crate) fn layers(self) -> u8 {
        self.highest.map_or(1, |(id, _)| id.saturating_add(1))
    }
}

const REMEMBERED: usize = 8;

/// The highest temporal layer sent, over the last pictures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Newest first: the timestamp of the picture from which on it holds, and the limit.
    changes: [(u32, u8); REMEMBERED],
    count: usize,
}

impl Limits {
    /// From the key frame with this timestamp on.
    pub(crate) fn start(timestamp: u32, limit: u8) -> Self {
        Self {
            changes: [(timestamp, limit); REMEMBERED],
            count: 1,
        }
    }

    fn newest(&self) -> u8 {
        self.changes[0].1
    }

    fn set(&mut self, timestamp: u32, limit: u8) {
        if limit == self.newest() {
            return;
        }
        self.changes.copy_within(..REMEMBERED - 1, 1);
        self.changes[0] = (timestamp, limit);
        self.count = (self.count + 1).min(REMEMBERED);
    }

    /// Whether to leave out a new picture. The limit falls to `target` at once. It rises where the picture says that
    /// nothing that is sent from there on refers to what was left out: at a key frame; by one layer with a picture of
    /// that layer that refers to the base only; and behind a picture that is sent and is a switching point.
    pub(crate) fn leave_out(
        &mut self,
        timestamp: u32,
        layer: Option<Temporal>,
        keyframe: bool,
        target: u8,
    ) -> bool {
        let limit = self.newest();
        let possible = match layer {
            _ if keyframe => target,
            Some(Temporal { id, up: Up::Here }) if id == limit.saturating_add(1) => id,
            Some(Temporal { id, up: Up::Behind }) if id <= limit => target,
            _ => limit,
        };
        self.set(timestamp, possible.min(target));
        layer.is_some_and(|layer| layer.id > self.newest())
    }

    /// Whether a late picture would have been left out at its time, so that what it refers to may be missing.
    pub(crate) fn left_out(&self, timestamp: u32, layer: Option<Temporal>) -> bool {
        let known = &self.changes[..self.count];
        let held = known
            .iter()
            .find(|(since, _)| timestamp.wrapping_sub(*since) < 1 << 31);
        let limit = held.map_or_else(
            || known.iter().map(|&(_, limit)| limit).min().unwrap_or(0),
            |&(_, limit)| limit,
        );
        layer.is_some_and(|layer| layer.id > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::forward::testing::at;

    fn temporal(id: u8, sync: bool) -> Temporal {
        let up = if sync { Up::Here } else { Up::No };
        Temporal { id, up }
    }

    #[test]
    fn as_many_layers_as_were_seen_of_late() {
        let mut depth = Depth::default();
        assert_eq!(depth.layers(), 1);
        for (ms, id) in [(0, 0), (40, 2), (80, 1), (120, 2)] {
            depth.note(id, at(ms));
        }
        assert_eq!(depth.layers(), 3);
        depth.note(0, at(9_000));
        assert_eq!(depth.layers(), 3, "it stands still");
        depth.note(0, at(11_000));
        assert_eq!(depth.layers(), 1);
    }

    #[test]
    fn down_at_once_up_by_one_where_it_is_safe() {
        let mut limits = Limits::start(0, 7);
        assert!(!limits.leave_out(1, Some(temporal(2, false)), false, 7));
        assert!(limits.leave_out(2, Some(temporal(1, false)), false, 0));
        assert!(
            limits.leave_out(3, Some(temporal(2, true)), false, 7),
            "not two at once"
        );
        assert!(
            limits.leave_out(4, Some(temporal(1, false)), false, 7),
            "not where it refers to what is missing"
        );
        assert!(!limits.leave_out(5, Some(temporal(1, true)), false, 7));
        assert!(!limits.leave_out(6, Some(temporal(2, true)), false, 7));
        assert!(!limits.leave_out(7, None, false, 0));
        assert!(!limits.leave_out(8, Some(temporal(0, false)), true, 7));
        assert!(!limits.leave_out(9, Some(temporal(2, false)), false, 7));
    }

    #[test]
    fn up_to_all_behind_a_switching_point_that_is_sent() {
        let point = |id| Some(Temporal { id, up: Up::Behind });
        let mut limits = Limits::start(0, 0);
        assert!(
            limits.leave_out(1, point(1), false, 7),
            "what it refers to may be missing"
        );
        assert!(!limits.leave_out(2, Some(temporal(0, false)), false, 7));
        assert!(limits.leave_out(3, Some(temporal(1, false)), false, 7));
        assert!(!limits.leave_out(4, point(0), false, 1));
        assert!(!limits.leave_out(5, Some(temporal(1, false)), false, 1));
        assert!(limits.leave_out(6, Some(temporal(2, false)), false, 7));
        assert!(!limits.leave_out(7, point(1), false, 7));
        assert!(!limits.leave_out(8, Some(temporal(2, false)), false, 7));
        assert!(limits.left_out(3, Some(temporal(1, false))), "late");
    }

    #[test]
    fn late_pictures_are_judged_by_their_own_time() {
        let mut limits = Limits::start(u32::MAX - 10, 7);
        limits.leave_out(5, Some(temporal(0, false)), false, 0);
        limits.leave_out(10, Some(temporal(1, true)), false, 1);
        assert!(!limits.left_out(3, Some(temporal(2, false))));
        assert!(limits.left_out(7, Some(temporal(1, true))));
        assert!(!limits.left_out(11, Some(temporal(1, false))));
        assert!(limits.left_out(11, Some(temporal(2, false))));
        assert!(!limits.left_out(7, Some(temporal(0, false))));
        assert!(
            limits.left_out(u32::MAX - 20, Some(temporal(1, false))),
            "older than anyone remembers"
        );
    }
}
