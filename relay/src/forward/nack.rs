//! Answering reports of loss (generic NACK, RFC 4585 §6.2.1).
//!
//! One [`History`] for each published layer keeps the publisher's packets, whatever the number of subscribers. A
//! subscriber's report is translated by [`crate::forward::downtrack::Downtrack::origin`], the packet is looked up, and
//! [`crate::forward::downtrack::Downtrack::again`] gives it the subscriber's numbers once more. [`Answered`] keeps one
//! subscriber from being sent the same packet several times within a round trip, and [`Allowance`] from being sent many
//! times what it asks for: a report of 20 octets can name hundreds of packets.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The sequence numbers in one item of a NACK: `first` and, for each bit of `mask`, one of the sixteen behind it.
pub fn lost(first: u16, mask: u16) -> impl Iterator<Item = u16> {
    let behind = (0..16)
        .filter(move |bit| mask >> bit & 1 == 1)
        .map(move |bit| first.wrapping_add(bit + 1));
    std::iter::once(first).chain(behind)
}

/// How much of a stream is kept.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Packets.
    pub packets: usize,
    /// Octets of payload.
    pub octets: usize,
    /// Time since a packet came; whoever asks later has given the picture up.
    pub age: Duration,
}

#[derive(Debug, Clone)]
struct Kept<P> {
    sequence: u16,
    came: Instant,
    packet: P,
}

/// The last packets of one stream.
#[derive(Debug, Clone)]
pub struct History<P> {
    /// By their sequence numbers.
    kept: VecDeque<Kept<P>>,
    octets: usize,
    bounds: Bounds,
}

/// Whether one sequence number comes before another (RFC 3550 appendix A.1).
fn is_before(one: u16, other: u16) -> bool {
    other.wrapping_sub(one).cast_signed() > 0
}

impl<P: AsRef<[u8]>> History<P> {
    /// An empty history.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            kept: VecDeque::new(),
            octets: 0,
            bounds,
        }
    }

    /// Keeps a packet under its sequence number; the oldest go when there is no room, and when their time is over.
    pub fn insert(&mut self, sequence: u16, packet: P, now: Instant) {
        let size = packet.as_ref().len();
        if size > self.bounds.octets {
            return;
        }
        let later = self.kept.iter().rev();
        let later = later.take_while(|kept| is_before(sequence, kept.sequence));
        let at = self.kept.len() - later.count();
        if at > 0 && self.kept[at - 1].sequence == sequence {
            return;
        }
        self.octets += size;
        let kept = Kept {
            sequence,
            came: now,
            packet,
        };
        self.kept.insert(at, kept);
        while let Some(oldest) = self.kept.front()
            && (self.octets > self.bounds.octets
                || self.kept.len() > self.bounds.packets
                || now.saturating_duration_since(oldest.came) > self.bounds.age)
        {
            self.octets -= oldest.packet.as_ref().len();
            self.kept.pop_front();
        }
    }

    /// The packet with this number, if it is still there.
    #[must_use]
    pub fn get(&self, sequence: u16) -> Option<&P> {
        let before = |kept: &Kept<P>| is_before(kept.sequence, sequence);
        let kept = self.kept.get(self.kept.partition_point(before))?;
        (kept.sequence == sequence).then_some(&kept.packet)
    }

    /// Octets kept.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.octets
    }
}

/// As many as a [`History`] has: none of them takes another's place.
const REMEMBERED: usize = 1_024;

/// Which reports of one subscriber were answered lately.
#[derive(Debug, Clone)]
pub struct Answered {
    slots: Box<[Option<(u16, Instant)>]>,
}

impl Default for Answered {
    fn default() -> Self {
        Self {
            slots: vec![None; REMEMBERED].into_boxed_slice(),
        }
    }
}

impl Answered {
    /// Least time between two answers for one packet, whatever the round trip.
    const SHORTEST: Duration = Duration::from_millis(10);

    /// Whether to answer this report at this moment; if so, it counts as answered. A packet sent less than a
    /// round trip ago may still arrive.
    pub fn due(&mut self, sequence: u16, round_trip: Duration, now: Instant) -> bool {
        let slot = &mut self.slots[usize::from(sequence) % REMEMBERED];
        let early = slot.is_some_and(|(answered, at)| {
            answered == sequence
                && now.saturating_duration_since(at) < round_trip.max(Self::SHORTEST)
        });
        if !early {
            *slot = Some((sequence, now));
        }
        !early
    }
}

/// How many packets a subscriber may be sent once more: as many as at first, and one for each two that it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    halves: u16,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { halves: Self::MOST }
    }
}

impl Allowance {
    /// Half packets that are saved up: a burst of loss as long as a [`History`].
    const MOST: u16 = 2 * 1_024;

    /// A packet is sent for the first time.
    pub fn earn(&mut self) {
        self.halves = (self.halves + 1).min(Self::MOST);
    }

    /// Whether one may be sent once more; if so, it counts as sent.
    pub fn spend(&mut self) -> bool {
        let left = self.halves.checked_sub(2);
        self.halves = left.unwrap_or(self.halves);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forward::testing::at;

    #[test]
    fn who_asks_for_everything_again_and_again_gets_half_as_much_as_is_sent() {
        let mut allowance = Allowance::default();
        assert_eq!((0..10_000).filter(|_| allowance.spend()).count(), 1_024);
        let mut sent = 0;
        for _ in 0..1_000 {
            allowance.earn();
            sent += (0..1_000).filter(|_| allowance.spend()).count();
        }
        assert_eq!(sent, 500);
    }

    #[test]
    fn packets_of_a_whole_history_do_not_push_each_other_out() {
        let mut answered = Answered::default();
        let trip = Duration::from_millis(80);
        assert!((0..1_024).all(|sequence| answered.due(sequence, trip, at(0))));
        assert!((0..1_024).all(|sequence| !answered.due(sequence, trip, at(79))));
    }

    #[test]
    fn a_nack_names_up_to_seventeen_packets() {
        assert_eq!(
            lost(65534, 0b1000_0000_0000_0011).collect::<Vec<_>>(),
            [65534, 65535, 0, 14]
        );
        assert_eq!(lost(7, 0).collect::<Vec<_>>(), [7]);
        assert_eq!(lost(0, u16::MAX).count(), 17);
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn history(packets: usize, octets: usize) -> History<Vec<u8>> {
        History::new(Bounds {
            packets,
            octets,
            age: SECOND,
        })
    }

    #[test]
    fn the_oldest_go_first_by_number_by_octets_and_by_time() {
        let mut history = history(4, 100);
        for sequence in 0..6 {
            history.insert(sequence, vec![0; 10], at(0));
        }
        assert_eq!((history.get(1), history.octets()), (None, 40));
        assert!(history.get(5).is_some());
        history.insert(6, vec![0; 80], at(0));
        assert_eq!(history.octets(), 100);
        history.insert(7, vec![0; 101], at(0));
        assert!(history.get(7).is_none() && history.get(6).is_some());
        history.insert(8, vec![0; 1], at(1_001));
        assert_eq!((history.get(6), history.octets()), (None, 1));
    }

    #[test]
    fn a_late_packet_finds_its_place_also_where_numbers_wrap() {
        let mut history = history(8, 100);
        for sequence in [65_534, 1, 65_535, 0, 1] {
            history.insert(sequence, sequence.to_be_bytes().to_vec(), at(0));
        }
        assert_eq!(history.octets(), 8);
        for sequence in [65_534, 65_535, 0, 1] {
            assert_eq!(
                history.get(sequence),
                Some(&sequence.to_be_bytes().to_vec())
            );
        }
        assert_eq!((history.get(2), history.get(65_533)), (None, None));
    }

    #[test]
    fn a_packet_is_repeated_once_in_a_round_trip() {
        let mut answered = Answered::default();
        let trip = Duration::from_millis(80);
        assert!(answered.due(5, trip, at(0)));
        assert!(!answered.due(5, trip, at(79)));
        assert!(answered.due(6, trip, at(79)));
        assert!(answered.due(5, trip, at(80)));
        assert!(!answered.due(5, Duration::ZERO, at(85)));
    }

    proptest! {
        #[test]
        fn bounds_hold_and_what_is_there_is_right(
            packets in 1usize..64,
            octets in 0usize..2000,
            inserts in proptest::collection::vec((any::<u16>(), 0usize..300), 0..300),
        ) {
            let mut history = history(packets, octets);
            for (sequence, size) in inserts {
                let sequence = sequence % 200;
                history.insert(sequence, vec![u8::try_from(sequence).unwrap(); size], at(0));
                prop_assert!(history.octets() <= octets);
                let kept: Vec<_> = (0..200).filter_map(|sequence| history.get(sequence).map(|packet| (sequence, packet))).collect();
                prop_assert!(kept.len() <= packets);
                prop_assert_eq!(kept.iter().map(|(_, packet)| packet.len()).sum::<usize>(), history.octets());
                for (sequence, packet) in kept {
                    prop_assert!(packet.iter().all(|&octet| u16::from(octet) == sequence));
                }
            }
        }
    }
}
