//! Sender reports (RFC 3550 §6.4.1): what a forwarding unit has to say about streams it did not make, and the round
//! trips that the answers tell of.

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

    /// An earlier report's NTP time in the relay's clock; `None` before there was any.
    #[must_use]
    pub fn shifted(&self, reported: Ntp) -> Option<Ntp> {
        Some(reported.wrapping_add(self.shift?.cast_unsigned()))
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
        // One moment may be reported twice: the answer is to the later report.
        let same = self.sent.iter().flatten();
        let (_, sent) = same
            .filter(|(time, _)| *time == last && last != 0)
            .max_by_key(|(_, sent)| *sent)?;
        let held = Duration::from_micros(u64::from(delay) * 1_000_000 / 65_536);
        now.saturating_duration_since(*sent).checked_sub(held)
    }
}

/// The middle 32 bits of an NTP time, as in LSR.
#[must_use]
pub fn middle(time: Ntp) -> u32 {
    u32::try_from((time >> 16) & u64::from(u32::MAX)).unwrap_or(0)
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
}
