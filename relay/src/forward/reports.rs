//! Sender and receiver reports (RFC 3550 §6.4): what a forwarding unit has to say about streams it did not make.

use std::time::{Duration, Instant};

/// NTP time as 32.32 fixed point seconds.
pub type Ntp = u64;

/// A duration in NTP units.
fn ntp(duration: Duration) -> u64 {
    (duration.as_secs() << 32) + ((u64::from(duration.subsec_nanos()) << 32) / 1_000_000_000)
}

/// Maps a publisher's wall clock to the relay's.
///
/// Subscribers keep audio and video in step by the NTP times of their sender reports (§6.4.1), so both must be
/// shifted by the same amount: one such clock for each participant, not for each track. The shift follows the report
/// that came fastest, and moves on only when it is off by more than the network's jitter.
#[derive(Debug, Clone, Default)]
pub struct PublisherClock {
    /// Relay's time minus the publisher's, of the fastest report of this window and of the one before.
    shift: Option<i64>,
    window: Option<(Instant, i64)>,
}

/// How long the fastest report counts: clocks drift some ms in this time.
const WINDOW: Duration = Duration::from_secs(30);
/// A shift that is off by more than this has moved by itself (the publisher's clock was set).
const JUMP: i64 = 1 << 31;

impl PublisherClock {
    /// Takes in a report's NTP time and the relay's own when it arrived; answers the NTP time to put into the
    /// reports towards subscribers, in the relay's clock.
    pub fn translate(&mut self, reported: Ntp, arrived: Ntp, now: Instant) -> Ntp {
        let shift = arrived.wrapping_sub(reported).cast_signed();
        let known = *self.shift.get_or_insert(shift);
        let (since, fastest) = *self.window.get_or_insert((now, shift));
        if shift.wrapping_sub(known).unsigned_abs() > JUMP.unsigned_abs() {
            self.shift = Some(shift);
            self.window = Some((now, shift));
        } else {
            let fastest = fastest.min(shift);
            self.shift = Some(known.min(shift));
            self.window = Some((since, fastest));
            if now.saturating_duration_since(since) > WINDOW {
                self.shift = Some(fastest);
                self.window = Some((now, shift));
            }
        }
        reported.wrapping_add(self.shift.unwrap_or(shift).cast_unsigned())
    }
}

/// When sender reports were sent, to compute round trips from the receiver reports that answer them.
#[derive(Debug, Clone, Default)]
pub struct SentReports {
    sent: [Option<(u32, Instant)>; 8],
    next: usize,
}

impl SentReports {
    /// Notes a sender report with this NTP time.
    pub fn sent(&mut self, time: Ntp, now: Instant) {
        self.sent[self.next] = Some((middle(time), now));
        self.next = (self.next + 1) % self.sent.len();
    }

    /// Round-trip time from a reception report's LSR and DLSR (in 1/65536 s), §6.4.1.
    #[must_use]
    pub fn round_trip(&self, last: u32, delay: u32, now: Instant) -> Option<Duration> {
        let (_, sent) = self
            .sent
            .iter()
            .flatten()
            .find(|(time, _)| *time == last && last != 0)?;
        let held = Duration::from_micros(u64::from(delay) * 1_000_000 / 65_536);
        now.saturating_duration_since(*sent).checked_sub(held)
    }
}

/// The middle 32 bits of an NTP time, as in LSR.
#[must_use]
pub fn middle(time: Ntp) -> u32 {
    u32::try_from((time >> 16) & u64::from(u32::MAX)).unwrap_or(0)
}

/// What a receiver report says about one inbound stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reception {
    /// Share lost since the last report, in 1/256.
    pub fraction: u8,
    /// Packets lost since the beginning; negative with duplicates, clamped to 24 bits.
    pub lost: i32,
    /// Highest sequence number, extended by the count of its wraps.
    pub highest: u32,
    /// Interarrival jitter in ticks of the stream's clock.
    pub jitter: u32,
    /// Middle of the last sender report's NTP time, 0 for none.
    pub last_report: u32,
    /// Time since then in 1/65536 s.
    pub delay: u32,
    /// Packets expected since the last report.
    pub expected_interval: u32,
    /// Packets received since the last report.
    pub received_interval: u32,
}

/// Statistics of one inbound stream (RFC 3550 appendices A.1, A.3 and A.8).
#[derive(Debug, Clone)]
pub struct Receiver {
    clock_rate: u32,
    base: Option<u32>,
    highest: u32,
    received: u32,
    before: (u32, u32),
    /// Jitter in sixteenths of a tick.
    jitter: u64,
    transit: Option<(u32, Instant)>,
    report: Option<(u32, Instant)>,
}

impl Receiver {
    /// A stream with this clock in Hz.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            base: None,
            highest: 0,
            received: 0,
            before: (0, 0),
            jitter: 0,
            transit: None,
            report: None,
        }
    }

    /// Counts one packet of the primary stream; retransmissions count as arrived, without a part in the jitter.
    pub fn packet(&mut self, sequence: u16, timestamp: u32, repeated: bool, now: Instant) {
        self.received = self.received.wrapping_add(1);
        if self.base.is_none() {
            self.base = Some(u32::from(sequence));
            self.highest = u32::from(sequence);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead < 1 << 15 {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
        }
        if repeated {
            return;
        }
        if let Some((timestamp_before, arrived_before)) = self.transit {
            let passed = crate::forward::munge::ticks(
                now.saturating_duration_since(arrived_before),
                self.clock_rate,
            );
            let difference = passed
                .wrapping_sub(timestamp.wrapping_sub(timestamp_before))
                .cast_signed();
            let difference = u64::from(difference.unsigned_abs());
            self.jitter = (self.jitter + difference).saturating_sub((self.jitter + 8) >> 4);
        }
        self.transit = Some((timestamp, now));
    }

    /// Notes a sender report of the stream.
    pub fn sender_report(&mut self, time: Ntp, now: Instant) {
        self.report = Some((middle(time), now));
    }

    /// Interarrival jitter.
    #[must_use]
    pub fn jitter(&self) -> Duration {
        Duration::from_secs(1)
            .checked_div(self.clock_rate)
            .map_or(Duration::ZERO, |tick| {
                tick * u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX)
            })
    }

    /// The next report; starts a new interval.
    pub fn report(&mut self, now: Instant) -> Reception {
        let Some(base) = self.base else {
            return Reception::default();
        };
        let expected = self.highest.wrapping_sub(base).wrapping_add(1);
        let (expected_before, received_before) = self.before;
        let expected_interval = expected.wrapping_sub(expected_before);
        let received_interval = self.received.wrapping_sub(received_before);
        self.before = (expected, self.received);
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction = (u64::from(lost_interval) << 8)
            .checked_div(u64::from(expected_interval))
            .unwrap_or(0);
        let (last_report, delay) = self.report.map_or((0, 0), |(report, at)| {
            let held = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (report, u32::try_from(held).unwrap_or(u32::MAX))
        });
        Reception {
            fraction: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: expected
                .wrapping_sub(self.received)
                .cast_signed()
                .clamp(-(1 << 23), (1 << 23) - 1),
            highest: self.highest,
            jitter: u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX),
            last_report,
            delay,
            expected_interval,
            received_interval,
        }
    }
}

/// Seconds between the epochs of NTP (1900) and Unix (1970).
const EPOCHS: u64 = 2_208_988_800;

/// NTP time of a moment given as time since the Unix epoch.
#[must_use]
pub fn from_unix(since_epoch: Duration) -> Ntp {
    ntp(since_epoch).wrapping_add(EPOCHS << 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forward::testing::at;

    const SECOND: u64 = 1 << 32;

    #[test]
    fn ntp_counts_from_1900() {
        assert_eq!(from_unix(Duration::ZERO) >> 32, EPOCHS);
        assert_eq!(
            from_unix(Duration::from_millis(500)) & (SECOND - 1),
            1 << 31
        );
        assert_eq!(middle(0x1234_5678_9abc_def0), 0x5678_9abc);
    }

    #[test]
    fn audio_and_video_of_one_publisher_are_shifted_alike() {
        let mut clock = PublisherClock::default();
        let (ms, base) = (SECOND / 1000, 1_000 * SECOND);
        assert_eq!(
            clock.translate(5 * SECOND, base + 40 * ms, at(0)),
            base + 40 * ms
        );
        // This one was faster: from here on everything is.
        assert_eq!(
            clock.translate(6 * SECOND, base + SECOND + 20 * ms, at(1000)),
            base + SECOND + 20 * ms
        );
        assert_eq!(
            clock.translate(7 * SECOND, base + 2 * SECOND + 90 * ms, at(2000)),
            base + 2 * SECOND + 20 * ms
        );
        // Somebody sets the publisher's clock.
        assert_eq!(
            clock.translate(900 * SECOND, base + 3 * SECOND, at(3000)),
            base + 3 * SECOND
        );
    }

    #[test]
    fn a_drifting_clock_is_followed() {
        let mut clock = PublisherClock::default();
        let mut error = 0;
        for second in 0..600_u64 {
            // The publisher's clock is slow by 1 ms in 10 s; every report takes 10 ms.
            let arrived = (1000 + second) * SECOND;
            let reported = (1000 + second) * SECOND - second * (SECOND / 10_000);
            error = arrived.abs_diff(clock.translate(reported, arrived, at(second * 1000)));
        }
        assert!(error < SECOND / 100, "{error}");
    }

    #[test]
    fn round_trips_are_what_is_left_after_the_delay() {
        let mut reports = SentReports::default();
        reports.sent(7 * SECOND, at(0));
        assert_eq!(
            reports.round_trip(middle(7 * SECOND), 65_536 / 2, at(580)),
            Some(Duration::from_millis(80))
        );
        assert_eq!(reports.round_trip(1, 0, at(580)), None);
        assert_eq!(
            reports.round_trip(middle(7 * SECOND), u32::MAX, at(580)),
            None
        );
    }

    #[test]
    fn losses_are_counted_over_a_wrap() {
        let mut receiver = Receiver::new(90_000);
        for index in 0..100_u16 {
            if index % 10 != 9 {
                receiver.packet(
                    65_500_u16.wrapping_add(index),
                    u32::from(index) * 900,
                    false,
                    at(u64::from(index) * 10),
                );
            }
        }
        receiver.sender_report(7 * SECOND, at(1000));
        let report = receiver.report(at(1500));
        assert_eq!((report.lost, report.highest), (9, 65_536 + 62));
        assert_eq!(report.fraction, u8::try_from(9 * 256 / 99).unwrap());
        assert_eq!(
            (report.jitter, report.last_report, report.delay),
            (0, middle(7 * SECOND), 32_768)
        );
        let quiet = receiver.report(at(2000));
        assert_eq!(
            (quiet.fraction, quiet.lost, quiet.expected_interval),
            (0, 9, 0)
        );
    }

    #[test]
    fn jitter_is_measured() {
        let mut receiver = Receiver::new(1000);
        for index in 0..500_u16 {
            let late = u64::from(index % 2) * 10;
            receiver.packet(
                index,
                u32::from(index) * 20,
                false,
                at(u64::from(index) * 20 + late),
            );
        }
        let jitter = receiver.jitter();
        assert!(
            (Duration::from_millis(9)..=Duration::from_millis(10)).contains(&jitter),
            "{jitter:?}"
        );
    }

    proptest! {
        #[test]
        fn any_stream_of_packets_is_survived(packets in proptest::collection::vec((any::<u16>(), any::<u32>(), 0u64..10_000), 0..200)) {
            let mut receiver = Receiver::new(90_000);
            for (sequence, timestamp, ms) in packets {
                receiver.packet(sequence, timestamp, false, at(ms));
            }
            let _ = receiver.jitter();
            receiver.report(at(20_000));
        }
    }
}
