//! How media leaves for a subscriber: paced, numbered for transport-wide feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01), and what the feedback says about the path.
//!
//! **Driving contract.** [`Downlink::push`] a packet, then [`Downlink::pop`] until nothing comes; pop again at
//! [`Downlink::deadline`]. While a probe runs, add packets of padding as long as [`Downlink::wants_padding`].

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;
use rtc::{
    rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
    },
    rtp,
};

use crate::forward::{
    bwe::{Acknowledged, Estimator},
    pace::Pacer,
    payload::Patch,
};

/// What a path is believed to carry before the first report, in bit/s: enough for a good picture, and little enough
/// for a mobile network to recover from soon.
const FIRST_ESTIMATE: u32 = 2_000_000;
/// The least a path is ever believed to carry, in bit/s: a voice.
const LEAST_ESTIMATE: u32 = 60_000;
/// The most, in bit/s.
const GREATEST_ESTIMATE: u32 = 50_000_000;
/// How long a packet waits for its feedback, and how many do.
const FEEDBACK_WITHIN: Duration = Duration::from_secs(2);
const MOST_WAITING: usize = 8_192;
/// How long a probe lasts: several turns of the room's clock, so that its rate is a rate.
const PROBE: Duration = Duration::from_millis(200);
/// At a low rate that is too few packets to measure one: it lasts until there are so many, but no longer than this.
const PROBE_PACKETS: u32 = 12;
const LONGEST_PROBE: Duration = Duration::from_secs(1);
/// Octets that RTP with its extensions, SRTP, UDP and IP add to a payload.
const OVERHEAD: usize = 20 + 16 + 8 + 20;
/// The clock of the receiver's reference time counts these (§3.1), and wraps after 2²⁴ of them.
const TICK: Duration = Duration::from_millis(64);
const TICKS_BITS: u32 = 24;

/// Every number as the network has it: so none is made for a packet.
static WRITTEN: [[u8; 2]; 1 << 16] = {
    let mut written = [[0; 2]; 1 << 16];
    let mut number = 0_u16;
    loop {
        written[number as usize] = number.to_be_bytes();
        if number == u16::MAX {
            break written;
        }
        number += 1;
    }
};

/// A number in two octets.
fn written(number: u16) -> Bytes {
    Bytes::from_static(&WRITTEN[usize::from(number)])
}

/// An octet.
pub(super) fn octet(value: u8) -> Bytes {
    Bytes::from_static(&WRITTEN[usize::from(value)][1..])
}

/// A packet on its way out.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) packet: rtp::Packet,
    /// What stands in its payload instead of what others are sent.
    pub(super) patch: Patch,
    /// The id of the header extension that bears the transport-wide number, where it was negotiated.
    pub(super) extension: Option<u8>,
}

impl Leaving {
    fn size(&self) -> u32 {
        u32::try_from(self.packet.payload.len() + OVERHEAD).unwrap_or(u32::MAX)
    }
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    size: u32,
    probe: Option<u32>,
    reported: bool,
}

#[derive(Debug, Clone, Copy)]
struct Probe {
    bits: u64,
    since: Instant,
    octets: u64,
    packets: u32,
}

impl Probe {
    fn lasts(&self) -> Duration {
        if self.packets < PROBE_PACKETS {
            LONGEST_PROBE
        } else {
            PROBE
        }
    }
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Downlink {
    pacer: Pacer<Leaving>,
    estimator: Estimator,
    /// Packets without feedback, by their numbers, the first of which is `first`.
    sent: VecDeque<Sent>,
    first: u16,
    probe: Option<Probe>,
    probes: u32,
    /// The estimate that was told last.
    told: u64,
    /// The receiver's clock, unwrapped.
    reference: Option<(u32, u64)>,
    /// Kept for its memory.
    acknowledged: Vec<Acknowledged>,
}

impl Downlink {
    pub(super) fn new() -> Self {
        Self {
            pacer: Pacer::new(FIRST_ESTIMATE),
            estimator: Estimator::new(FIRST_ESTIMATE, LEAST_ESTIMATE, GREATEST_ESTIMATE),
            sent: VecDeque::new(),
            first: 0,
            probe: None,
            probes: 0,
            told: 0,
            reference: None,
            acknowledged: Vec::new(),
        }
    }

    /// A packet of video waits for its turn.
    pub(super) fn push(&mut self, leaving: Leaving) {
        self.pacer.push(leaving.size(), leaving);
    }

    /// A retransmission goes before what was not sent yet: a picture waits for it.
    pub(super) fn push_first(&mut self, leaving: Leaving) {
        self.pacer.push_first(leaving.size(), leaving);
    }

    /// The next packet whose time has come, numbered.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Leaving> {
        let leaving = self.pacer.pop(now)?;
        Some(self.number(leaving, now))
    }

    /// Gives a packet its transport-wide number; it leaves now.
    pub(super) fn number(&mut self, mut leaving: Leaving, now: Instant) -> Leaving {
        let size = leaving.size();
        let Some(extension) = leaving.extension else {
            return leaving;
        };
        while self.sent.front().is_some_and(|sent| {
            sent.reported || now.saturating_duration_since(sent.at) > FEEDBACK_WITHIN
        }) || self.sent.len() >= MOST_WAITING
        {
            self.forget_first();
        }
        let number = self.first.wrapping_add(self.waiting());
        // The extension is negotiated with an id that fits, and two octets always do.
        let header = &mut leaving.packet.header;
        let _ = header.set_extension(extension, written(number));
        let probe = self.probe.as_mut().map(|probe| {
            probe.octets += u64::from(size);
            probe.packets = probe.packets.saturating_add(1);
            self.probes
        });
        self.sent.push_back(Sent {
            at: now,
            size,
            probe,
            reported: false,
        });
        leaving
    }

    fn waiting(&self) -> u16 {
        u16::try_from(self.sent.len()).unwrap_or(u16::MAX)
    }

    fn forget_first(&mut self) {
        if self.sent.pop_front().is_some() {
            self.first = self.first.wrapping_add(1);
        }
    }

    /// Sends at this rate, padding included, for a moment, to learn whether the path carries it.
    pub(super) fn probe(&mut self, bits: u64, now: Instant) {
        if self.probe.is_none() {
            self.probes = self.probes.wrapping_add(1);
            self.probe = Some(Probe {
                bits,
                since: now,
                octets: 0,
                packets: 0,
            });
        }
    }

    /// Whether the probe's rate wants a packet more at this moment.
    pub(super) fn wants_padding(&mut self, now: Instant) -> bool {
        let Some(probe) = self.probe else {
            return false;
        };
        let passed = now.saturating_duration_since(probe.since);
        if passed > probe.lasts() {
            self.probe = None;
            return false;
        }
        let due = u128::from(probe.bits) * passed.as_micros() / 8_000_000;
        u128::from(probe.octets) <= due
    }

    /// When to pop or pad again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let padding = self.probe.map(|probe| {
            let micros = probe.octets.saturating_mul(8_000_000) / probe.bits.max(1);
            probe.since
                + Duration::from_micros(micros).min(probe.lasts() + Duration::from_millis(1))
        });
        [self.pacer.deadline(), padding].into_iter().flatten().min()
    }

    /// Takes in a feedback message. Answers the estimate in bit/s if it changed by what matters.
    pub(super) fn feedback(&mut self, feedback: &TransportLayerCc, now: Instant) -> Option<u64> {
        let mut arrived = self.arrival(feedback.reference_time);
        let mut deltas = feedback.recv_deltas.iter();
        let mut number = feedback.base_sequence_number;
        let mut left = feedback.packet_status_count;
        let mut acknowledged = std::mem::take(&mut self.acknowledged);
        acknowledged.clear();
        let mut symbol = |symbol: SymbolTypeTcc| {
            let delta = match symbol {
                SymbolTypeTcc::PacketReceivedSmallDelta
                | SymbolTypeTcc::PacketReceivedLargeDelta => deltas.next(),
                _ => None,
            };
            if let Some(delta) = delta {
                let by = Duration::from_micros(delta.delta.unsigned_abs());
                arrived = if delta.delta < 0 {
                    arrived.saturating_sub(by)
                } else {
                    arrived + by
                };
            }
            let at = usize::from(number.wrapping_sub(self.first));
            if let Some(sent) = self.sent.get_mut(at)
                && !sent.reported
                && (delta.is_some() || symbol == SymbolTypeTcc::PacketNotReceived)
            {
                sent.reported = true;
                acknowledged.push(Acknowledged {
                    sent: sent.at,
                    size: sent.size,
                    arrived: delta.map(|_| arrived),
                    probe: sent.probe,
                });
            }
            number = number.wrapping_add(1);
            left = left.saturating_sub(1);
            left > 0
        };
        for chunk in &feedback.packet_chunks {
            let more = match chunk {
                PacketStatusChunk::RunLengthChunk(run) => {
                    (0..run.run_length).all(|_| symbol(run.packet_status_symbol))
                }
                PacketStatusChunk::StatusVectorChunk(vector) => {
                    vector.symbol_list.iter().all(|one| symbol(*one))
                }
            };
            if !more {
                break;
            }
        }
        self.estimator.feedback(&acknowledged, now);
        self.acknowledged = acknowledged;
        self.tell()
    }

    /// The estimate, once the path has shown a limit, if it is another by more than a thirtieth than what was told.
    fn tell(&mut self) -> Option<u64> {
        let target = self.estimator.target();
        let is_limited = self.estimator.is_limited();
        self.pacer
            .set_estimate(u32::try_from(target).unwrap_or(u32::MAX), is_limited);
        if !is_limited || target.abs_diff(self.told) <= self.told / 32 {
            return None;
        }
        self.told = target;
        Some(target)
    }

    /// The receiver's time of a reference, whose 24 bits wrap every twelve days.
    fn arrival(&mut self, reference: u32) -> Duration {
        let ticks = match self.reference {
            Some((last, ticks)) => {
                let ahead = reference.wrapping_sub(last) << (32 - TICKS_BITS);
                let ahead = i64::from(ahead.cast_signed() >> (32 - TICKS_BITS));
                ticks.saturating_add_signed(ahead)
            }
            None => u64::from(reference) + (1 << TICKS_BITS),
        };
        self.reference = Some((reference, ticks));
        TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::testing::at;

    /// How many packets of padding a probe at this rate sends, and for how long.
    fn probe(bits: u64) -> (u32, u64) {
        let mut downlink = Downlink::new();
        downlink.probe(bits, at(0));
        let mut sent = (0, 0);
        for ms in 0..2_000 {
            while downlink.wants_padding(at(ms)) {
                let leaving = Leaving {
                    packet: rtp::Packet {
                        payload: Bytes::from_static(&[0; 1_100]),
                        ..rtp::Packet::default()
                    },
                    patch: Patch::default(),
                    extension: Some(1),
                };
                downlink.number(leaving, at(ms));
                sent = (sent.0 + 1, ms);
            }
        }
        assert_eq!(downlink.deadline(), None, "it is over");
        sent
    }

    #[test]
    fn a_probe_has_enough_packets_to_measure_its_rate() {
        let (packets, until) = probe(2_000_000);
        assert!(
            (40..=50).contains(&packets) && until <= 200,
            "{packets}, {until}"
        );
        // A voice's path, in which nothing else flows.
        let (packets, until) = probe(200_000);
        assert!(
            (12..=13).contains(&packets) && until <= 1_000,
            "{packets}, {until}"
        );
        let (packets, until) = probe(1_000);
        assert!(packets == 1 && until <= 1_000, "{packets}, {until}");
    }
}
