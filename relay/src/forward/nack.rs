//! Answering reports of loss (generic NACK, RFC 4585 §6.2.1).
//!
//! One [`History`] for each published layer keeps the publisher's packets, whatever the number of subscribers. A
//! subscriber's report is translated by [`crate::forward::downtrack::Downtrack::origin`], the packet is looked up, and
//! [`crate::forward::downtrack::Downtrack::again`] gives it the subscriber's numbers once more. [`Answered`] keeps one
//! subscriber from being sent the same packet several times within a round trip.

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

/// The last packets of one stream, bounded in number and in octets.
#[derive(Debug, Clone)]
pub struct History<P> {
    slots: Vec<Option<(u16, P)>>,
    order: VecDeque<u16>,
    octets: usize,
    max_octets: usize,
}

impl<P: AsRef<[u8]>> History<P> {
    /// Room for `packets` (rounded up to a power of two, at most 32768) and `octets`; allocated here, once.
    #[must_use]
    pub fn new(packets: usize, octets: usize) -> Self {
        let packets = packets.clamp(1, 1 << 15).next_power_of_two();
        let mut slots = Vec::with_capacity(packets);
        slots.resize_with(packets, || None);
        Self {
            slots,
            order: VecDeque::with_capacity(packets + 1),
            octets: 0,
            max_octets: octets,
        }
    }

    fn slot(&self, sequence: u16) -> usize {
        usize::from(sequence) & (self.slots.len() - 1)
    }

    /// Keeps a packet under its sequence number; the oldest go when there is no room.
    pub fn insert(&mut self, sequence: u16, packet: P) {
        let size = packet.as_ref().len();
        let slot = self.slot(sequence);
        if self.slots[slot]
            .as_ref()
            .is_some_and(|(kept, _)| *kept == sequence)
            || size > self.max_octets
        {
            return;
        }
        self.forget(slot);
        self.octets += size;
        self.slots[slot] = Some((sequence, packet));
        self.order.push_back(sequence);
        while self.octets > self.max_octets || self.order.len() > self.slots.len() {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            let slot = self.slot(oldest);
            if self.slots[slot]
                .as_ref()
                .is_some_and(|(kept, _)| *kept == oldest)
            {
                self.forget(slot);
            }
        }
    }

    fn forget(&mut self, slot: usize) {
        if let Some((_, packet)) = self.slots[slot].take() {
            self.octets -= packet.as_ref().len();
        }
    }

    /// The packet with this number, if it is still there.
    #[must_use]
    pub fn get(&self, sequence: u16) -> Option<&P> {
        let (kept, packet) = self.slots[self.slot(sequence)].as_ref()?;
        (*kept == sequence).then_some(packet)
    }

    /// Octets kept.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.octets
    }
}

const REMEMBERED: usize = 256;

/// Which reports of one subscriber were answered lately.
#[derive(Debug, Clone)]
pub struct Answered {
    slots: Box<[Option<(u16, Instant)>; REMEMBERED]>,
}

impl Default for Answered {
    fn default() -> Self {
        Self {
            slots: Box::new([None; REMEMBERED]),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forward::testing::at;

    #[test]
    fn a_nack_names_up_to_seventeen_packets() {
        assert_eq!(
            lost(65534, 0b1000_0000_0000_0011).collect::<Vec<_>>(),
            [65534, 65535, 0, 14]
        );
        assert_eq!(lost(7, 0).collect::<Vec<_>>(), [7]);
        assert_eq!(lost(0, u16::MAX).count(), 17);
    }

    #[test]
    fn the_oldest_go_first_by_number_and_by_octets() {
        let mut history = History::new(4, 100);
        for sequence in 0..6 {
            history.insert(sequence, vec![0; 10]);
        }
        assert_eq!((history.get(1), history.octets()), (None, 40));
        assert!(history.get(5).is_some());
        history.insert(6, vec![0; 80]);
        assert_eq!(history.octets(), 100);
        history.insert(7, vec![0; 101]);
        assert!(history.get(7).is_none() && history.get(6).is_some());
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
            let mut history = History::new(packets, octets);
            for (sequence, size) in inserts {
                let sequence = sequence % 200;
                history.insert(sequence, vec![u8::try_from(sequence).unwrap(); size]);
                prop_assert!(history.octets() <= octets);
                let kept: Vec<_> = (0..200).filter_map(|sequence| history.get(sequence).map(|packet| (sequence, packet))).collect();
                prop_assert!(kept.len() <= packets.next_power_of_two());
                prop_assert_eq!(kept.iter().map(|(_, packet)| packet.len()).sum::<usize>(), history.octets());
                for (sequence, packet) in kept {
                    prop_assert!(packet.iter().all(|&octet| u16::from(octet) == sequence));
                }
            }
        }
    }
}
