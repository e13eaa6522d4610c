//! Links: delay, jitter (which reorders), loss, duplicates, and a rate with a queue in front of it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

/// A `SplitMix64`: small, seeded, good enough to lose packets by.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A packet on its way. `transport` is the transport-wide number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Datagram {
    pub(crate) transport: u64,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Link {
    rng: Rng,
    delay: u64,
    jitter: u64,
    loss_percent: u64,
    twice_percent: u64,
    /// Octets per ms times 1000, `None` for no limit.
    bits_per_second: Option<u64>,
    /// When the queue is empty, in µs.
    free_at: u64,
    flying: BinaryHeap<Reverse<(u64, u64)>>,
    packets: BTreeMap<u64, Datagram>,
    count: u64,
}

/// A packet that would wait longer than this is dropped, in µs.
const LONGEST_QUEUE: u64 = 400_000;

impl Link {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            delay: 0,
            jitter: 0,
            loss_percent: 0,
            twice_percent: 0,
            bits_per_second: None,
            free_at: 0,
            flying: BinaryHeap::new(),
            packets: BTreeMap::new(),
            count: 0,
        }
    }

    pub(crate) fn delay(self, delay: u64) -> Self {
        Self { delay, ..self }
    }

    pub(crate) fn jitter(self, jitter: u64) -> Self {
        Self { jitter, ..self }
    }

    pub(crate) fn loss_percent(self, loss_percent: u64) -> Self {
        Self {
            loss_percent,
            ..self
        }
    }

    pub(crate) fn twice_percent(self, twice_percent: u64) -> Self {
        Self {
            twice_percent,
            ..self
        }
    }

    pub(crate) fn bits_per_second(self, bits: u64) -> Self {
        Self {
            bits_per_second: Some(bits),
            ..self
        }
    }

    pub(crate) fn set_bits_per_second(&mut self, bits: u64) {
        self.bits_per_second = Some(bits);
    }

    pub(crate) fn send(&mut self, now: u64, packet: Datagram) {
        let mut leaves = now * 1000;
        if let Some(rate) = self.bits_per_second {
            let start = self.free_at.max(leaves);
            if start - leaves > LONGEST_QUEUE {
                return;
            }
            self.free_at = start + packet.bytes.len() as u64 * 8_000_000 / rate;
            leaves = self.free_at;
        }
        if self.rng.below(100) < self.loss_percent {
            return;
        }
        let twice = self.rng.below(100) < self.twice_percent;
        if twice {
            self.fly(leaves, packet.clone());
        }
        self.fly(leaves, packet);
    }

    fn fly(&mut self, leaves: u64, packet: Datagram) {
        // One packet in ten is late by the whole jitter, the others hardly.
        let late = if self.rng.below(10) == 0 {
            self.jitter
        } else {
            self.rng.below(1 + self.jitter / 4)
        };
        self.count += 1;
        self.flying
            .push(Reverse((leaves / 1000 + self.delay + late, self.count)));
        self.packets.insert(self.count, packet);
    }

    pub(crate) fn arrived(&mut self, now: u64) -> Vec<Datagram> {
        let mut arrived = Vec::new();
        while let Some(Reverse((_, id))) = self.flying.peek().filter(|Reverse((at, _))| *at <= now)
        {
            arrived.extend(self.packets.remove(id));
            self.flying.pop();
        }
        arrived
    }
}
