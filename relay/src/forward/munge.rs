//! Continuity of the sequence numbers and timestamps that one subscriber receives, whatever the source.
//!
//! A *source* is one simulcast layer from the packet at which it was switched to. A source ends when the next one
//! starts or when the publisher's numbers jump; the one before is remembered, so that its stragglers still find
//! the places reserved for them.

use std::time::{Duration, Instant};

use crate::forward::renumber::{Position, Renumber};

/// A jump of more than this many sequence numbers is a restart of the source (RFC 3550 appendix A.1).
const MAX_DROPOUT: u64 = 3000;

/// Which of the two remembered sources a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The one that is being forwarded.
    Current,
    /// The one before it: only reserved places can still be filled.
    Previous,
}

/// What the numbers of an inbound packet mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The newest packet: it may be taken, or dropped without a trace.
    New {
        /// Position, for [`Munger::take`] and [`Munger::skip`].
        number: Number,
    },
    /// An older packet whose place in the output is reserved.
    Late {
        /// Position, for [`Munger::take`] and [`Munger::skip`].
        number: Number,
    },
    /// Seen before.
    Duplicate,
    /// Too old, or of no source that is being forwarded.
    Unknown,
    /// The source has started anew at an unrelated number: switch to it as to a new source.
    Restarted,
}

/// A position in a source, made by [`Munger::locate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    generation: Generation,
    sequence: u64,
}

impl Number {
    /// Which source it belongs to.
    #[must_use]
    pub fn generation(self) -> Generation {
        self.generation
    }
}

#[derive(Debug, Clone)]
struct Source {
    /// None once another stream has taken the layer.
    layer: Option<u8>,
    sequences: Renumber,
    timestamp_offset: u32,
    /// The next number of a jump that has been seen once.
    suspect: Option<u16>,
}

/// Sequence numbers and timestamps of one outgoing stream.
#[derive(Debug, Clone)]
pub struct Munger {
    clock_rate: u32,
    first_sequence: u16,
    current: Option<Source>,
    previous: Option<Source>,
    /// The newest timestamp sent and when its packet arrived.
    newest: (u32, Option<Instant>),
}

impl Munger {
    /// `sequence` and `timestamp` are what the first packet gets; RFC 3550 §5.1 wants them random.
    #[must_use]
    pub fn new(clock_rate: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            clock_rate,
            first_sequence: sequence,
            current: None,
            previous: None,
            newest: (timestamp, None),
        }
    }

    /// Begins a new source at the packet with these numbers, which becomes the next to be sent: a
    /// [`Munger::locate`] and [`Munger::take`] of it must follow.
    ///
    /// `expected` is the outgoing timestamp that sender reports give for it; it is believed when it lies within a
    /// second of what has passed since the last packet, else the time that has passed counts.
    pub fn switch(
        &mut self,
        layer: u8,
        sequence: u16,
        timestamp: u32,
        expected: Option<u32>,
        now: Instant,
    ) {
        let next = match &self.current {
            Some(current) => current.sequences.newest_output().wrapping_add(1),
            None => self.first_sequence,
        };
        let start = self.continued_timestamp(expected, now);
        let source = Source {
            layer: Some(layer),
            sequences: Renumber::start(16, sequence, next),
            timestamp_offset: start.wrapping_sub(timestamp),
            suspect: None,
        };
        self.previous = self.current.replace(source);
    }

    fn continued_timestamp(&self, expected: Option<u32>, now: Instant) -> u32 {
        let (newest, Some(arrived)) = self.newest else {
            return self.newest.0;
        };
        let passed = ticks(now.saturating_duration_since(arrived), self.clock_rate).max(1);
        let believed = expected.filter(|&expected| {
            let ahead = expected.wrapping_sub(newest);
            ahead != 0 && ahead < 1 << 31 && ahead.abs_diff(passed) <= self.clock_rate
        });
        believed.unwrap_or_else(|| newest.wrapping_add(passed))
    }

    /// Says what the packet's number means, changing nothing but the memory of jumps.
    pub fn locate(&mut self, layer: u8, sequence: u16) -> Place {
        let current = self
            .current
            .as_mut()
            .filter(|source| source.layer == Some(layer));
        let mut jumped = false;
        if let Some(source) = current {
            match source.sequences.locate(sequence) {
                Position::Ahead { number, skipped } if skipped <= MAX_DROPOUT => {
                    source.suspect = None;
                    return Place::New {
                        number: Number {
                            generation: Generation::Current,
                            sequence: number,
                        },
                    };
                }
                Position::Missing { number } => {
                    return Place::Late {
                        number: Number {
                            generation: Generation::Current,
                            sequence: number,
                        },
                    };
                }
                Position::Seen { .. } => return Place::Duplicate,
                Position::Ahead { .. } | Position::Old => jumped = true,
            }
        }
        if let Some(source) = self
            .previous
            .as_ref()
            .filter(|source| source.layer == Some(layer))
        {
            match source.sequences.locate(sequence) {
                Position::Missing { number } => {
                    return Place::Late {
                        number: Number {
                            generation: Generation::Previous,
                            sequence: number,
                        },
                    };
                }
                Position::Seen { .. } => return Place::Duplicate,
                Position::Ahead { .. } | Position::Old => {}
            }
        }
        if let Some(source) = self.current.as_mut().filter(|_| jumped) {
            // One stray packet is nothing; a second one right behind it is a restart.
            if source.suspect == Some(sequence) {
                return Place::Restarted;
            }
            source.suspect = Some(sequence.wrapping_add(1));
        }
        Place::Unknown
    }

    /// Whether the newest source holds, or keeps a place for, the packet with this number. A source that began there
    /// again would send it under two numbers.
    #[must_use]
    pub fn holds(&self, layer: u8, sequence: u16) -> bool {
        self.current.as_ref().is_some_and(|source| {
            source.layer == Some(layer)
                && matches!(
                    source.sequences.locate(sequence),
                    Position::Missing { .. } | Position::Seen { .. }
                )
        })
    }

    /// The layer's numbers are another stream's from here on: what was sent of it is found no more, and what is sent next
    /// follows on it.
    pub fn forget(&mut self, layer: u8) {
        for source in [&mut self.current, &mut self.previous]
            .into_iter()
            .flatten()
        {
            if source.layer == Some(layer) {
                source.layer = None;
            }
        }
    }

    fn source(&mut self, generation: Generation) -> Option<&mut Source> {
        match generation {
            Generation::Current => self.current.as_mut(),
            Generation::Previous => self.previous.as_mut(),
        }
    }

    /// Sends the packet: its outgoing sequence number and timestamp.
    pub fn take(&mut self, number: Number, timestamp: u32, now: Instant) -> Option<(u16, u32)> {
        let source = self.source(number.generation)?;
        let sequence = source.sequences.take(number.sequence);
        let timestamp = timestamp.wrapping_add(source.timestamp_offset);
        self.note(number.generation, timestamp, now);
        Some((sequence, timestamp))
    }

    /// The newest timestamp counts even of what is left out: stragglers before it may still come, and a source that
    /// follows must begin behind them.
    fn note(&mut self, generation: Generation, timestamp: u32, now: Instant) {
        let newer = timestamp.wrapping_sub(self.newest.0) < 1 << 31;
        if generation == Generation::Current && (newer || self.newest.1.is_none()) {
            self.newest = (timestamp, Some(now));
        }
    }

    /// Leaves the packet out. A late one leaves a hole that the subscriber would ask for again and again: the
    /// numbers returned are those of an empty packet to send in its place.
    pub fn skip(&mut self, number: Number, timestamp: u32, now: Instant) -> Option<(u16, u32)> {
        let source = self.source(number.generation)?;
        let sequence = source.sequences.skip(number.sequence);
        let timestamp = timestamp.wrapping_add(source.timestamp_offset);
        self.note(number.generation, timestamp, now);
        Some((sequence?, timestamp))
    }

    /// Which packet of which layer stands behind an outgoing sequence number: where to look when a subscriber
    /// reports it missing. Works for packets that have not arrived yet, too.
    #[must_use]
    pub fn origin(&self, sequence: u16) -> Option<(u8, u16)> {
        [&self.current, &self.previous]
            .into_iter()
            .flatten()
            .find_map(|source| Some((source.layer?, source.sequences.input(sequence)?)))
    }

    /// The outgoing numbers of a packet that was sent before, for a retransmission made from the publisher's packet.
    #[must_use]
    pub fn again(
        &self,
        layer: u8,
        sequence: u16,
        timestamp: u32,
    ) -> Option<(Generation, u16, u32)> {
        let sources = [
            (Generation::Current, &self.current),
            (Generation::Previous, &self.previous),
        ];
        sources.into_iter().find_map(|(generation, source)| {
            let source = source
                .as_ref()
                .filter(|source| source.layer == Some(layer))?;
            match source.sequences.locate(sequence) {
                Position::Missing { number }
                | Position::Seen {
                    number,
                    dropped: false,
                } => Some((
                    generation,
                    source.sequences.output(number),
                    timestamp.wrapping_add(source.timestamp_offset),
                )),
                _ => None,
            }
        })
    }

    /// The layer that is, or was last, being forwarded.
    #[must_use]
    pub fn layer(&self) -> Option<u8> {
        self.current.as_ref()?.layer
    }

    /// What is added to a timestamp of the current source; sender reports are rewritten with it.
    #[must_use]
    pub fn timestamp_offset(&self) -> Option<u32> {
        self.current.as_ref().map(|source| source.timestamp_offset)
    }
}

/// A duration in ticks of an RTP clock, wrapping.
#[expect(clippy::cast_possible_truncation, reason = "timestamps wrap")]
pub(crate) fn ticks(duration: Duration, clock_rate: u32) -> u32 {
    (duration.as_micros() * u128::from(clock_rate) / 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::testing::at;

    fn send(
        munger: &mut Munger,
        layer: u8,
        sequence: u16,
        timestamp: u32,
        ms: u64,
    ) -> Option<(u16, u32)> {
        match munger.locate(layer, sequence) {
            Place::New { number } | Place::Late { number } => {
                munger.take(number, timestamp, at(ms))
            }
            _ => None,
        }
    }

    #[test]
    fn starts_where_it_is_told_and_wraps() {
        let mut munger = Munger::new(90_000, 65535, u32::MAX);
        munger.switch(0, 7, 1000, None, at(0));
        assert_eq!(send(&mut munger, 0, 7, 1000, 0), Some((65535, u32::MAX)));
        assert_eq!(send(&mut munger, 0, 8, 1001, 1), Some((0, 0)));
        assert_eq!(send(&mut munger, 0, 8, 1001, 1), None);
        assert_eq!(send(&mut munger, 1, 9, 1001, 1), None);
    }

    #[test]
    fn a_switch_continues_both_numbers_by_the_time_passed() {
        let mut munger = Munger::new(90_000, 100, 0);
        munger.switch(0, 1, 5000, None, at(0));
        send(&mut munger, 0, 1, 5000, 0);
        munger.switch(2, 60_000, 77, None, at(100));
        assert_eq!(send(&mut munger, 2, 60_000, 77, 100), Some((101, 9000)));
    }

    #[test]
    fn a_reported_timestamp_is_believed_within_a_second() {
        for (expected, sent) in [
            (9_500, 9_500),
            (200_000, 9_000),
            (0, 9_000),
            (u32::MAX - 5, 9_000),
        ] {
            let mut munger = Munger::new(90_000, 0, 0);
            munger.switch(0, 1, 0, None, at(0));
            send(&mut munger, 0, 1, 0, 0);
            munger.switch(1, 1, 0, Some(expected), at(100));
            assert_eq!(
                send(&mut munger, 1, 1, 0, 100),
                Some((1, sent)),
                "{expected}"
            );
        }
    }

    #[test]
    fn a_straggler_of_the_source_before_finds_its_place_and_no_other() {
        let mut munger = Munger::new(90_000, 10, 0);
        munger.switch(0, 1, 0, None, at(0));
        send(&mut munger, 0, 1, 0, 0);
        send(&mut munger, 0, 3, 0, 1);
        munger.switch(1, 500, 0, None, at(10));
        assert_eq!(send(&mut munger, 1, 500, 0, 10).unwrap().0, 13);
        assert_eq!(send(&mut munger, 0, 2, 0, 11).unwrap().0, 11);
        assert_eq!(send(&mut munger, 0, 4, 0, 11), None);
        assert_eq!(munger.origin(11), Some((0, 2)));
        assert_eq!(munger.origin(13), Some((1, 500)));
        assert_eq!(munger.origin(14), None);
        assert_eq!(munger.again(0, 3, 5), Some((Generation::Previous, 12, 5)));
    }

    #[test]
    fn dropped_packets_close_up_and_a_late_one_is_filled() {
        let mut munger = Munger::new(90_000, 0, 0);
        munger.switch(0, 1, 0, None, at(0));
        send(&mut munger, 0, 1, 0, 0);
        let Place::New { number } = munger.locate(0, 2) else {
            panic!()
        };
        assert_eq!(munger.skip(number, 0, at(0)), None);
        assert_eq!(send(&mut munger, 0, 4, 0, 0).unwrap().0, 2);
        let Place::Late { number } = munger.locate(0, 3) else {
            panic!()
        };
        assert_eq!(munger.skip(number, 9, at(0)), Some((1, 9)));
    }

    #[test]
    fn one_stray_number_is_ignored_two_in_a_row_are_a_restart() {
        let mut munger = Munger::new(90_000, 0, 0);
        munger.switch(0, 10, 0, None, at(0));
        send(&mut munger, 0, 10, 0, 0);
        assert_eq!(munger.locate(0, 30_000), Place::Unknown);
        assert_eq!(munger.locate(0, 40_000), Place::Unknown);
        assert_eq!(munger.locate(0, 40_001), Place::Restarted);
    }
}
