//! Whether a queue is building up on the way: the slope of one-way delay over groups of packets, against a threshold
//! that adapts to the path's own noise (draft-ietf-rmcat-gcc-02 §5.2 to §5.4, with a least-squares line in place of its
//! Kalman filter).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// What the link's queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Usage {
    /// It drains.
    Under,
    /// It stands.
    Normal,
    /// It grows.
    Over,
}

/// Packets sent within this time form a group (§5.2).
const BURST: Duration = Duration::from_millis(5);
const POINTS: usize = 20;
const SMOOTHING: f64 = 0.9;
const GAIN: f64 = 4.0;
/// Overuse has to last this long, in ms.
const SUSTAINED: f64 = 10.0;

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: Instant,
    last_sent: Instant,
    arrived: Duration,
}

#[derive(Debug, Clone)]
pub(super) struct Trend {
    group: Option<Group>,
    before: Option<Group>,
    accumulated: f64,
    smoothed: f64,
    /// Arrival in ms after the first, smoothed delay in ms.
    points: VecDeque<(f64, f64)>,
    origin: Option<Duration>,
    samples: u32,
    slope: f64,
    threshold: f64,
    over: (f64, u32),
    usage: Usage,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            group: None,
            before: None,
            accumulated: 0.0,
            smoothed: 0.0,
            points: VecDeque::with_capacity(POINTS + 1),
            origin: None,
            samples: 0,
            slope: 0.0,
            threshold: 12.5,
            over: (0.0, 0),
            usage: Usage::Normal,
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// `a − b` in ms.
fn difference(a: Duration, b: Duration) -> f64 {
    ms(a.abs_diff(b)).copysign(if a >= b { 1.0 } else { -1.0 })
}

impl Trend {
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// Takes in one packet that arrived.
    pub(super) fn add(&mut self, sent: Instant, arrived: Duration) -> Usage {
        let Some(group) = &mut self.group else {
            self.group = Some(Group {
                first_sent: sent,
                last_sent: sent,
                arrived,
            });
            return self.usage;
        };
        if sent < group.first_sent {
            return self.usage;
        }
        if difference(arrived, group.arrived).abs() > 10_000.0 {
            // The receiver's clock has jumped: start anew, keep what was learned of the noise.
            *self = Self {
                threshold: self.threshold,
                ..Self::default()
            };
            return self.usage;
        }
        let between_sent = ms(sent.saturating_duration_since(group.last_sent));
        let between_arrived = difference(arrived, group.arrived);
        // What was held up together and arrives together says nothing about the queue.
        let released = between_arrived < between_sent && (0.0..=5.0).contains(&between_arrived);
        if sent.saturating_duration_since(group.first_sent) < BURST
            || (released && arrived.saturating_sub(group.arrived) < BURST)
        {
            group.last_sent = group.last_sent.max(sent);
            group.arrived = group.arrived.max(arrived);
            return self.usage;
        }
        let done = std::mem::replace(
            group,
            Group {
                first_sent: sent,
                last_sent: sent,
                arrived,
            },
        );
        if let Some(before) = self.before.replace(done) {
            let sent = ms(done.last_sent.saturating_duration_since(before.last_sent));
            self.sample(
                sent,
                difference(done.arrived, before.arrived) - sent,
                done.arrived,
            );
        }
        self.usage
    }

    fn sample(&mut self, interval: f64, gradient: f64, arrived: Duration) {
        self.samples = self.samples.saturating_add(1);
        let origin = *self.origin.get_or_insert(arrived);
        self.accumulated += gradient;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        self.points
            .push_back((difference(arrived, origin), self.smoothed));
        if self.points.len() > POINTS {
            self.points.pop_front();
        }
        if self.points.len() < POINTS {
            return;
        }
        let slope = slope(&self.points).unwrap_or(self.slope);
        let trend = f64::from(self.samples.min(60)) * slope * GAIN;
        self.detect(trend, slope, interval);
        self.adapt(trend, interval);
        self.slope = slope;
    }

    fn detect(&mut self, trend: f64, slope: f64, interval: f64) {
        if trend > self.threshold {
            self.over = (self.over.0 + interval, self.over.1 + 1);
            if self.over.0 > SUSTAINED && self.over.1 > 1 && slope >= self.slope {
                self.over = (0.0, 0);
                self.usage = Usage::Over;
            }
            return;
        }
        self.over = (0.0, 0);
        self.usage = if trend < -self.threshold {
            Usage::Under
        } else {
            Usage::Normal
        };
    }

    fn adapt(&mut self, trend: f64, interval: f64) {
        let size = trend.abs();
        // A spike is no reason to become deaf.
        if size > self.threshold + 15.0 {
            return;
        }
        let rate = if size < self.threshold { 0.039 } else { 0.0087 };
        self.threshold = (self.threshold + rate * (size - self.threshold) * interval.min(100.0))
            .clamp(6.0, 600.0);
    }
}

/// Least-squares slope; `None` when everything arrived at once.
fn slope(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let count = f64::from(u32::try_from(points.len()).ok()?);
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (x, y) = (x / count, y / count);
    let (numerator, denominator) =
        points
            .iter()
            .fold((0.0, 0.0), |(numerator, denominator), point| {
                (
                    numerator + (point.0 - x) * (point.1 - y),
                    denominator + (point.0 - x).powi(2),
                )
            });
    (denominator > f64::EPSILON).then(|| numerator / denominator)
}
