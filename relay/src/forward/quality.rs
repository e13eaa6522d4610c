//! How good a participant's connection is, in LiveKit's words.
//!
//! **Model.** A score from 0 to 100 for each track and window (5 s, say), the participant's being the least of them:
//!
//! ```text
//! score = 100 − 4 · loss % − jitter over 30 ms ÷ 4 ms − round trip over 250 ms ÷ 20 ms       (each part at most 60)
//!         − 60 · (1 − received ÷ expected bit rate), of which the first fifth is free
//! ```
//!
//! Audio can do with more loss (Opus conceals it and carries FEC): its loss counts half. 80 and more is excellent, 60
//! good, below that poor; nothing received at all while something was expected is lost. So 5 % loss on video is just
//! excellent, 10 % good, more poor. Down it goes at once, up only after two better windows in a row.

use std::cmp::Ordering;
use std::time::Duration;

/// LiveKit's `ConnectionQuality`, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// `LOST`.
    Lost,
    /// `POOR`.
    Poor,
    /// `GOOD`.
    Good,
    /// `EXCELLENT`.
    Excellent,
}

/// What was measured of one track in one window.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Window {
    /// Audio, not video.
    pub audio: bool,
    /// Packets that should have arrived, by their sequence numbers.
    pub expected: u64,
    /// Packets lost for good, after retransmission.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub jitter: Duration,
    /// Round-trip time, zero if unknown.
    pub round_trip: Duration,
    /// Bits per second received.
    pub received: u64,
    /// Bits per second that were wanted and there to send, 0 if nobody knows. A muted or paused track wants 0.
    pub wanted: u64,
}

/// The score of one window, 0 to 100; `None` when nothing was to be measured.
#[must_use]
pub fn score(window: &Window) -> Option<f64> {
    if window.expected == 0 {
        return (window.wanted > 0).then_some(0.0);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds")]
    let (expected, lost, received, wanted) = (
        window.expected as f64,
        window.lost.min(window.expected) as f64,
        window.received as f64,
        window.wanted as f64,
    );
    let weight = if window.audio { 2.0 } else { 4.0 };
    let over = |time: Duration, free: f64, unit: f64| {
        ((time.as_secs_f64() * 1000.0 - free) / unit).clamp(0.0, 60.0)
    };
    let missing = if wanted > 0.0 {
        (1.0 - received / wanted - 0.2).max(0.0)
    } else {
        0.0
    };
    let malus = (weight * 100.0 * lost / expected).min(60.0)
        + over(window.jitter, 30.0, 4.0)
        + over(window.round_trip, 250.0, 20.0)
        + 60.0 * missing;
    Some(if window.lost >= window.expected {
        0.0
    } else {
        (100.0 - malus).max(1.0)
    })
}

fn quality(score: f64) -> Quality {
    if score >= 80.0 {
        Quality::Excellent
    } else if score >= 60.0 {
        Quality::Good
    } else if score > 0.0 {
        Quality::Poor
    } else {
        Quality::Lost
    }
}

/// The quality of one participant's connection over time.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    told: Option<Quality>,
    better: bool,
}

impl Connection {
    /// What was told last.
    #[must_use]
    pub fn told(&self) -> Option<Quality> {
        self.told
    }

    /// Takes in the windows of all tracks; answers the first quality, and each that differs from the one before.
    pub fn update(&mut self, windows: impl IntoIterator<Item = Window>) -> Option<Quality> {
        let worst = windows
            .into_iter()
            .filter_map(|window| score(&window))
            .reduce(f64::min)?;
        let seen = quality(worst);
        let order = self.told.map_or(Ordering::Less, |told| seen.cmp(&told));
        let rises = order == Ordering::Greater;
        if order == Ordering::Less || (rises && self.better) {
            (self.told, self.better) = (Some(seen), false);
            return self.told;
        }
        self.better = rises;
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn video(lost: u64) -> Window {
        Window {
            expected: 1000,
            lost,
            received: 1_000_000,
            wanted: 1_000_000,
            ..Window::default()
        }
    }

    #[test]
    fn the_examples_of_the_model() {
        for (lost, told) in [
            (0, Quality::Excellent),
            (50, Quality::Excellent),
            (100, Quality::Good),
            (150, Quality::Poor),
        ] {
            assert_eq!(quality(score(&video(lost)).unwrap()), told, "{lost}");
        }
        assert_eq!(
            quality(
                score(&Window {
                    audio: true,
                    ..video(100)
                })
                .unwrap()
            ),
            Quality::Excellent
        );
        assert_eq!(quality(score(&video(1000)).unwrap()), Quality::Lost);
        assert_eq!(
            quality(
                score(&Window {
                    received: 300_000,
                    ..video(0)
                })
                .unwrap()
            ),
            Quality::Good
        );
    }

    #[test]
    fn silence_is_lost_only_when_something_was_expected() {
        assert_eq!(
            score(&Window {
                wanted: 1,
                ..Window::default()
            }),
            Some(0.0)
        );
        assert_eq!(score(&Window::default()), None);
        assert_eq!(Connection::default().update([]), None);
    }

    #[test]
    fn down_at_once_up_after_two() {
        let mut connection = Connection::default();
        assert_eq!(connection.update([video(0)]), Some(Quality::Excellent));
        assert_eq!(
            connection.update([video(0), video(500)]),
            Some(Quality::Poor)
        );
        assert_eq!(connection.update([video(0)]), None);
        assert_eq!(connection.update([video(500)]), None);
        assert_eq!(connection.update([video(0)]), None);
        assert_eq!(connection.update([video(0)]), Some(Quality::Excellent));
    }

    proptest! {
        #[test]
        fn worse_never_scores_better(
            expected in 1u64..10_000, lost in 0u64..10_000, more in 0u64..1000, jitter in 0u64..500, trip in 0u64..2000,
        ) {
            let window = Window {
                expected,
                lost,
                jitter: Duration::from_millis(jitter),
                round_trip: Duration::from_millis(trip),
                ..Window::default()
            };
            let before = score(&window).unwrap();
            prop_assert!((0.0..=100.0).contains(&before));
            for worse in [
                Window { lost: lost + more, ..window },
                Window { jitter: window.jitter + Duration::from_millis(more), ..window },
                Window { round_trip: window.round_trip + Duration::from_millis(more), ..window },
            ] {
                prop_assert!(score(&worse).unwrap() <= before);
            }
        }
    }
}
