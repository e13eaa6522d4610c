//! How often a publisher may be asked for a key frame.
//!
//! A key frame costs many times a delta frame, so requests of all subscribers for one layer are merged. A request
//! that comes too early is not lost: whoever waits asks again with the next packet
//! ([`crate::forward::downtrack::Downtrack::wants_keyframe`]).

use std::time::{Duration, Instant};

use crate::forward::MAX_LAYERS;

/// Throttle of picture loss indications (RFC 4585 §6.3.1) and full intra requests (RFC 5104 §4.3.1) towards one
/// published track.
#[derive(Debug, Clone)]
pub struct Throttle {
    intervals: [Duration; MAX_LAYERS],
    asked: [Option<Instant>; MAX_LAYERS],
}

impl Default for Throttle {
    /// The lowest layer's key frames are small: every 500 ms, the others' every second.
    fn default() -> Self {
        Self::new([
            Duration::from_millis(500),
            Duration::from_secs(1),
            Duration::from_secs(1),
        ])
    }
}

impl Throttle {
    /// The least time between two requests, for each layer.
    #[must_use]
    pub fn new(intervals: [Duration; MAX_LAYERS]) -> Self {
        Self {
            intervals,
            asked: [None; MAX_LAYERS],
        }
    }

    /// Whether to send a request for this layer at this moment; if so, it counts as sent.
    pub fn ask(&mut self, layer: u8, now: Instant) -> bool {
        let layer = usize::from(layer);
        let (Some(asked), Some(interval)) = (self.asked.get_mut(layer), self.intervals.get(layer))
        else {
            return false;
        };
        let due = asked.is_none_or(|before| now.saturating_duration_since(before) >= *interval);
        if due {
            *asked = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::testing::at;

    #[test]
    fn each_layer_has_its_own_pace() {
        let mut throttle = Throttle::default();
        assert!(throttle.ask(0, at(0)));
        assert!(throttle.ask(2, at(0)));
        assert!(!throttle.ask(0, at(499)));
        assert!(throttle.ask(0, at(500)));
        assert!(!throttle.ask(2, at(999)));
        assert!(throttle.ask(2, at(1000)));
        assert!(!throttle.ask(3, at(5000)), "there is no fourth layer");
    }
}
