//! A leaky bucket that spreads video over time, so that a key frame does not arrive at a bottleneck all at once.
//!
//! Audio does not pass here: a packet of 60 octets every 20 ms makes no burst and must not wait.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Sent this much faster than the estimate, so that the pacer itself is not the bottleneck.
const HEADROOM: f64 = 2.5;
/// And this much before the path has shown a limit: publishers have spread their pictures already, and the estimate is
/// what came until then rather than what could.
const HEADROOM_BEFORE_LIMIT: f64 = 10.0;
/// What waits is sent within this time at the latest, however low the estimate.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// Credit saved up while idle: somewhat more than a turn of the clock that pops ([`crate::room::TICK`]), else turns
/// would be the bottleneck.
const BURST: Duration = Duration::from_millis(25);

/// Packets of one subscriber, waiting for their turn.
#[derive(Debug, Clone)]
pub struct Pacer<P> {
    queue: VecDeque<(u32, P)>,
    queued_octets: u64,
    octets_per_second: f64,
    /// When the next packet may go.
    next: Option<Instant>,
}

impl<P> Pacer<P> {
    /// For a path that has shown no limit yet. `estimate` in bits per second.
    #[must_use]
    pub fn new(estimate: u32) -> Self {
        Self {
            queue: VecDeque::new(),
            queued_octets: 0,
            octets_per_second: octets(estimate, false),
            next: None,
        }
    }

    /// A new estimate, in bits per second, and whether the path has shown a limit.
    pub fn set_estimate(&mut self, estimate: u32, is_limited: bool) {
        self.octets_per_second = octets(estimate, is_limited);
    }

    /// Adds a packet of so many octets.
    pub fn push(&mut self, octets: u32, packet: P) {
        self.queued_octets += u64::from(octets);
        self.queue.push_back((octets, packet));
    }

    /// Adds a packet that goes before all that wait.
    pub fn push_first(&mut self, octets: u32, packet: P) {
        self.queued_octets += u64::from(octets);
        self.queue.push_front((octets, packet));
    }

    /// The next packet whose time has come; call it until it answers `None`.
    pub fn pop(&mut self, now: Instant) -> Option<P> {
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let next = self.next.map_or(earliest, |next| next.max(earliest));
        if next > now {
            return None;
        }
        let (octets, packet) = self.queue.pop_front()?;
        let rate = self.rate();
        self.queued_octets -= u64::from(octets);
        self.next = Some(next + Duration::from_secs_f64((f64::from(octets) / rate).min(1.0)));
        Some(packet)
    }

    /// The rate that drains the queue in time.
    fn rate(&self) -> f64 {
        let waiting = f64::from(u32::try_from(self.queued_octets).unwrap_or(u32::MAX));
        self.octets_per_second
            .max(waiting / LONGEST_WAIT.as_secs_f64())
    }

    /// When to call [`Pacer::pop`] again after it answered `None`; `None` when nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.next.filter(|_| !self.queue.is_empty())
    }
}

fn octets(estimate: u32, is_limited: bool) -> f64 {
    let headroom = if is_limited {
        HEADROOM
    } else {
        HEADROOM_BEFORE_LIMIT
    };
    (f64::from(estimate) * headroom / 8.0).max(1000.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forward::testing::at;

    #[test]
    fn a_keyframe_passes_at_once_before_the_path_has_shown_a_limit() {
        let mut pacer = Pacer::new(2_000_000);
        for packet in 0..50 {
            pacer.push(1200, packet);
        }
        assert_eq!(std::iter::from_fn(|| pacer.pop(at(0))).count(), 50);
    }

    #[test]
    fn a_keyframe_is_spread_and_keeps_its_order() {
        let mut pacer = Pacer::new(2_000_000);
        // 2.5 × 320 kbit/s are 100 octets each millisecond.
        pacer.set_estimate(320_000, true);
        for packet in 0..10 {
            pacer.push(1000, packet);
        }
        let mut sent = Vec::new();
        for ms in 0..200 {
            while let Some(packet) = pacer.pop(at(ms)) {
                sent.push((ms, packet));
            }
        }
        assert_eq!(
            sent.iter().map(|&(_, packet)| packet).collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
        assert_eq!(
            (sent[0].0, sent[2].0),
            (0, 0),
            "a little credit is there at the start"
        );
        assert!((60..=80).contains(&sent[9].0), "{sent:?}");
        assert_eq!(pacer.deadline(), None);
    }

    proptest! {
        #[test]
        fn everything_leaves_in_order_and_in_time(sizes in proptest::collection::vec(1u32..1500, 1..200), estimate: u32, is_limited: bool) {
            let mut pacer = Pacer::new(estimate);
            pacer.set_estimate(estimate, is_limited);
            for (packet, &size) in sizes.iter().enumerate() {
                pacer.push(size, packet);
            }
            let mut now = at(0);
            let mut sent: Vec<usize> = std::iter::from_fn(|| pacer.pop(now)).collect();
            while let Some(deadline) = pacer.deadline() {
                prop_assert!(deadline > now);
                now = deadline;
                sent.extend(std::iter::from_fn(|| pacer.pop(now)));
            }
            prop_assert_eq!(sent, (0..sizes.len()).collect::<Vec<_>>());
            // The rate falls with the queue, so the last packets take the longest: some multiple of the bound.
            prop_assert!(now < at(0) + LONGEST_WAIT * 10);
        }
    }
}
