//! How much a layer carries, and whether it is there at all.
//!
//! What a publisher declares about its layers is a claim; what it sends is measured here, and only that is used to
//! choose. A layer that stops is noticed by its silence.

use std::time::{Duration, Instant};

use crate::forward::MAX_TEMPORAL;

const SLOTS: usize = 10;
const SLOT: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// By temporal layer.
    octets: [u64; MAX_TEMPORAL],
    packets: u32,
    frames: u32,
}

/// Octets, packets and frames of the last second, in ten slots.
#[derive(Debug, Clone)]
pub struct Meter {
    slots: [Slot; SLOTS],
    /// Start of the newest slot, and its place.
    newest: Option<(Instant, usize)>,
    started: Option<Instant>,
}

/// What a [`Meter`] has measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Bits per second.
    pub bits: u64,
    /// Bits per second of the temporal layers 0 to n.
    pub below: [u64; MAX_TEMPORAL],
    /// Packets per second.
    pub packets: u32,
    /// Frames per second.
    pub frames: u32,
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

impl Meter {
    /// A meter that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            slots: [Slot::default(); SLOTS],
            newest: None,
            started: None,
        }
    }

    /// Counts one packet of a temporal layer; `ends_frame` is its marker bit.
    pub fn add(&mut self, octets: usize, temporal: u8, ends_frame: bool, now: Instant) {
        self.started.get_or_insert(now);
        let place = self.turn(now);
        let slot = &mut self.slots[place];
        slot.octets[usize::from(temporal).min(MAX_TEMPORAL - 1)] += octets as u64;
        slot.packets = slot.packets.saturating_add(1);
        slot.frames = slot.frames.saturating_add(u32::from(ends_frame));
    }

    /// The rates over the last second, or since the first packet if that is shorter.
    pub fn rates(&mut self, now: Instant) -> Rates {
        let Some(started) = self.started else {
            return Rates::default();
        };
        self.turn(now);
        let total = self.slots.iter().fold(Slot::default(), |sum, slot| Slot {
            octets: std::array::from_fn(|layer| sum.octets[layer] + slot.octets[layer]),
            packets: sum.packets.saturating_add(slot.packets),
            frames: sum.frames.saturating_add(slot.frames),
        });
        // The newest slot is only begun: on average the window reaches back over what is full and half of it.
        let window = now
            .saturating_duration_since(started)
            .clamp(SLOT, SLOT * 10)
            .as_millis();
        let each_second =
            |count: u64| u64::try_from(u128::from(count) * 1000 / window).unwrap_or(u64::MAX);
        let small = |count: u32| u32::try_from(each_second(u64::from(count))).unwrap_or(u32::MAX);
        let below = std::array::from_fn(|layer| {
            let octets: u64 = total.octets[..=layer].iter().sum();
            each_second(octets.saturating_mul(8))
        });
        Rates {
            bits: below[MAX_TEMPORAL - 1],
            below,
            packets: small(total.packets),
            frames: small(total.frames),
        }
    }

    /// Moves the window to `now` and says which slot is the newest.
    fn turn(&mut self, now: Instant) -> usize {
        let Some((start, place)) = self.newest else {
            self.newest = Some((now, 0));
            return 0;
        };
        let passed = now.saturating_duration_since(start).as_millis() / SLOT.as_millis();
        let Some(steps) = usize::try_from(passed).ok().filter(|&steps| steps < SLOTS) else {
            self.slots = [Slot::default(); SLOTS];
            self.newest = Some((now, 0));
            return 0;
        };
        let mut place = place;
        let mut start = start;
        for _ in 0..steps {
            place = (place + 1) % SLOTS;
            start += SLOT;
            self.slots[place] = Slot::default();
        }
        self.newest = Some((start, place));
        place
    }
}

/// Whether a layer is being sent.
///
/// It counts as live after a few packets, so that a single stray one starts nothing, and as gone after `silence`
/// without any. Screens that stand still are sent rarely: give them more time than cameras.
#[derive(Debug, Clone)]
pub struct Liveness {
    silence: Duration,
    packets: u32,
    last: Option<Instant>,
}

/// Packets before a layer counts as live.
const TO_LIVE: u32 = 3;

impl Liveness {
    /// Silence after which a camera's layer counts as gone.
    pub const CAMERA: Duration = Duration::from_secs(2);
    /// Silence after which a screen's layer counts as gone.
    pub const SCREEN: Duration = Duration::from_secs(5);

    /// A layer that has not been seen.
    #[must_use]
    pub fn new(silence: Duration) -> Self {
        Self {
            silence,
            packets: 0,
            last: None,
        }
    }

    /// Notes a packet with payload.
    pub fn packet(&mut self, now: Instant) {
        if !self.recent(now) {
            self.packets = 0;
        }
        self.packets = self.packets.saturating_add(1);
        self.last = Some(now);
    }

    fn recent(&self, now: Instant) -> bool {
        self.last
            .is_some_and(|last| now.saturating_duration_since(last) < self.silence)
    }

    /// Whether it is live.
    #[must_use]
    pub fn is_live(&self, now: Instant) -> bool {
        self.packets >= TO_LIVE && self.recent(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forward::testing::at;

    #[test]
    fn a_steady_stream_is_measured() {
        let mut meter = Meter::new();
        assert_eq!(meter.rates(at(0)), Rates::default());
        for tick in 0..300 {
            meter.add(1250, u8::from(tick % 4 == 1), tick % 2 == 1, at(tick * 10));
        }
        let rates = meter.rates(at(2999));
        assert!((950_000..=1_000_000).contains(&rates.bits), "{rates:?}");
        let base = rates.below[0] * 100 / rates.bits;
        assert!((73..=77).contains(&base), "{rates:?}");
        assert!((95..=100).contains(&rates.packets), "{rates:?}");
        assert!((47..=50).contains(&rates.frames), "{rates:?}");
        assert_eq!(
            meter.rates(at(4100)),
            Rates::default(),
            "silence empties the window"
        );
    }

    #[test]
    fn a_layer_lives_while_it_is_heard() {
        let mut layer = Liveness::new(Liveness::CAMERA);
        layer.packet(at(0));
        layer.packet(at(1));
        assert!(!layer.is_live(at(1)));
        layer.packet(at(2));
        assert!(layer.is_live(at(2)));
        assert!(layer.is_live(at(2001)));
        assert!(!layer.is_live(at(2002)));
        layer.packet(at(9000));
        assert!(
            !layer.is_live(at(9000)),
            "one packet does not bring it back"
        );
    }

    proptest! {
        #[test]
        fn any_times_and_sizes_never_panic(steps in proptest::collection::vec((0u64..5000, any::<u16>()), 0..100)) {
            let mut meter = Meter::new();
            for (ms, octets) in steps {
                meter.add(usize::from(octets), octets.to_le_bytes()[0], true, at(ms));
                let rates = meter.rates(at(ms));
                prop_assert!(rates.bits >= u64::from(octets) * 8);
            }
        }
    }
}
