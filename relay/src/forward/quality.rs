//! How good a participant's connection is, in LiveKit's words.
//!
//! **Model.** A score from 0 to 100 for each track and window (5 s, say), the participant's being the least of them, of
//! what it publishes and what it is sent:
//!
//! ```text
//! score = 100 − 4 · loss % − jitter over 30 ms ÷ 4 ms − round trip over 250 ms ÷ 20 ms       (each part at most 60)
//!         − 25 · layers between the one that was wanted and the one that came (at most 40, and not below 60)
//! ```
//!
//! Audio can do with more loss (Opus conceals it and carries FEC): its loss counts half. 80 and more is excellent, 60
//! good, below that poor; so 5 % loss on video is just excellent, 10 % good, more poor. A picture smaller than it was
//! wanted is good, for it moves; one that pauses for want of bandwidth is poor. Nothing at all where something should
//! come is lost. Down it goes at once, up only after two better windows in a row.

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
    /// Layers between the one that was wanted and the one that came, on average.
    pub missed: f64,
    /// Something should have come and was held back.
    pub paused: bool,
    /// Something should have come, and nothing tells of the other side any more.
    pub silent: bool,
}

const OF_PAUSED: f64 = 40.0;
/// However small a picture is: good, on a path that is.
const OF_SMALL: f64 = 60.0;

/// The score of one window, 0 to 100; `None` when nothing was to be measured.
#[must_use]
pub fn score(window: &Window) -> Option<f64> {
    if window.silent {
        return Some(0.0);
    }
    if window.paused {
        return Some(OF_PAUSED);
    }
    if window.expected == 0 {
        return None;
    }
    if window.lost >= window.expected {
        return Some(0.0);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds")]
    let loss = window.lost as f64 / window.expected as f64;
    let weight = if window.audio { 200.0 } else { 400.0 };
    let over = |time: Duration, free: f64, unit: f64| {
        ((time.as_secs_f64() * 1000.0 - free) / unit).clamp(0.0, 60.0)
    };
    let malus = (weight * loss).min(60.0)
        + over(window.jitter, 30.0, 4.0)
        + over(window.round_trip, 250.0, 20.0);
    let path = 100.0 - malus;
    let picture = path - (25.0 * window.missed).clamp(0.0, 40.0);
    Some(picture.max(path.min(OF_SMALL)).max(1.0))
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

/// Layers missed, on average of so many looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Missed {
    layers: u32,
    looks: u32,
}

impl Missed {
    /// A look: so many layers are missing.
    pub fn note(&mut self, layers: u8) {
        self.layers += u32::from(layers);
        self.looks += 1;
    }

    /// The average of all looks.
    #[must_use]
    pub fn average(self) -> f64 {
        f64::from(self.layers) / f64::from(self.looks.max(1))
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

    /// Takes in the windows of all tracks; answers the first quality, and each that differs from the one before. With
    /// nothing to measure nothing is wrong.
    pub fn update(&mut self, windows: impl IntoIterator<Item = Window>) -> Option<Quality> {
        let worst = windows
            .into_iter()
            .filter_map(|window| score(&window))
            .reduce(f64::min);
        let seen = match worst {
            Some(worst) => quality(worst),
            None => self.told.map(|_| Quality::Excellent)?,
        };
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
        for missed in [1.0, 2.0] {
            let smaller = Window { missed, ..video(0) };
            assert_eq!(quality(score(&smaller).unwrap()), Quality::Good);
        }
        let paused = Window {
            paused: true,
            ..Window::default()
        };
        assert_eq!(quality(score(&paused).unwrap()), Quality::Poor);
        let far = Window {
            round_trip: Duration::from_millis(800),
            ..video(0)
        };
        assert_eq!(quality(score(&far).unwrap()), Quality::Good);
    }

    #[test]
    fn a_small_picture_makes_no_connection_poor() {
        let small = |jitter| Window {
            missed: 2.0,
            jitter: Duration::from_millis(jitter),
            ..video(0)
        };
        assert_eq!(quality(score(&small(150)).unwrap()), Quality::Good);
        assert_eq!(quality(score(&small(200)).unwrap()), Quality::Poor);
    }

    #[test]
    fn silence_is_lost_only_when_something_was_expected() {
        let silent = Window {
            silent: true,
            ..Window::default()
        };
        assert_eq!(score(&silent), Some(0.0));
        assert_eq!(score(&Window::default()), None);
        let mut connection = Connection::default();
        assert_eq!(connection.update([]), None);
        assert_eq!(connection.update([silent]), Some(Quality::Lost));
        assert_eq!(connection.update([]), None);
        assert_eq!(
            connection.update([]),
            Some(Quality::Excellent),
            "nothing is expected"
        );
    }

    #[test]
    fn layers_missed_are_an_average() {
        let mut missed = Missed::default();
        assert!(missed.average().abs() < 1e-9);
        for layers in [2, 1, 0, 1] {
            missed.note(layers);
        }
        assert!((missed.average() - 1.0).abs() < 1e-9);
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
            missed in 0.0..3.0_f64,
        ) {
            let window = Window {
                expected,
                lost,
                jitter: Duration::from_millis(jitter),
                round_trip: Duration::from_millis(trip),
                missed,
                ..Window::default()
            };
            let before = score(&window).unwrap();
            prop_assert!((0.0..=100.0).contains(&before));
            for worse in [
                Window { lost: lost + more, ..window },
                Window { missed: missed + 1.0, ..window },
                Window { jitter: window.jitter + Duration::from_millis(more), ..window },
                Window { round_trip: window.round_trip + Duration::from_millis(more), ..window },
            ] {
                prop_assert!(score(&worse).unwrap() <= before);
            }
        }
    }
}
