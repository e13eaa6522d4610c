//! How much a path towards a subscriber carries: a sender-side estimate from transport-wide feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01), after draft-ietf-rmcat-gcc-02.
//!
//! Three voices are heard. *Delay* ([`trend`]): a queue that grows means the rate is above what the link carries; the
//! target goes to 85 % of what arrives (§5.5). *Loss*: above 10 % the target falls by half the loss, below 2 % it may
//! grow (§6). *Probes*: a burst of padding that arrives as fast as it was sent shows room that media alone would take a
//! minute to find. Until a queue has first grown, all that arrives counts as room, and nothing need be held back: a guess
//! must not cut a good picture. Without a probe the target never grows beyond 1.5 times what arrives, so a subscriber that
//! is sent little does not count as one that can take everything.

mod trend;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use trend::{Trend, Usage};

/// What became of one packet that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// When it left.
    pub sent: Instant,
    /// Its octets, headers included.
    pub size: u32,
    /// When it arrived by the receiver's clock, whose origin does not matter; `None` if it did not.
    pub arrived: Option<Duration>,
    /// The probe it belongs to.
    pub probe: Option<u32>,
}

const DECREASE: f64 = 0.85;
/// Growth in one second while the limit is not near.
const INCREASE: f64 = 1.08;
/// Growth in one second near the last known limit, bits per second.
const STEP: f64 = 12_000.0;
const RATE_WINDOW: Duration = Duration::from_millis(500);
/// More than the fastest link delivers in the window; bounds the memory of a feigned one.
const MAX_ARRIVALS: usize = 4096;
const LOSS_WINDOW: Duration = Duration::from_millis(500);

/// The estimate of one path.
#[derive(Debug, Clone)]
pub struct Estimator {
    min: f64,
    max: f64,
    target: f64,
    trend: Trend,
    arrivals: VecDeque<(Duration, u32)>,
    /// The latest arrival.
    newest: Duration,
    /// What arrived when the link was last found full.
    limit: Option<f64>,
    changed: Option<Instant>,
    loss: LossWindow,
    probe: Option<Probe>,
    is_limited: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct LossWindow {
    since: Option<Instant>,
    sent: u32,
    lost: u32,
    /// Share lost in the last full window.
    share: f64,
}

#[derive(Debug, Clone, Copy)]
struct Probe {
    id: u32,
    packets: u32,
    /// When the first packets left, all at one moment, and when the last of them arrived.
    first: (Instant, Duration),
    last: (Instant, Duration),
    /// Octets behind the first packets, which only open the measurement.
    octets: f64,
}

impl Estimator {
    /// All in bits per second.
    #[must_use]
    pub fn new(initial: u32, min: u32, max: u32) -> Self {
        let (min, max) = (f64::from(min.min(max)), f64::from(max));
        Self {
            min,
            max,
            target: f64::from(initial).clamp(min, max),
            trend: Trend::default(),
            arrivals: VecDeque::with_capacity(512),
            newest: Duration::ZERO,
            limit: None,
            changed: None,
            loss: LossWindow::default(),
            probe: None,
            is_limited: false,
        }
    }

    /// Bits per second that the path should be able to take.
    #[must_use]
    pub fn target(&self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped between two u32"
        )]
        {
            self.target as u64
        }
    }

    /// Whether a queue or loss has ever shown that the path is narrow; until then nothing need be held back.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.is_limited
    }

    /// Share of packets that were lost lately, 0 to 1.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss.share
    }

    /// Takes in one feedback message: packets in the order in which they were sent.
    pub fn feedback(&mut self, packets: &[Acknowledged], now: Instant) {
        let mut usage = self.trend.usage();
        for packet in packets {
            self.loss.sent += 1;
            let Some(arrived) = packet.arrived else {
                self.loss.lost += 1;
                continue;
            };
            self.note_arrival(arrived, packet.size);
            self.note_probe(packet, arrived);
            // Once full within a message is full, even if it ends well.
            usage = usage.max(self.trend.add(packet.sent, arrived));
        }
        if packets.is_empty() {
            return;
        }
        let received = self.received();
        self.follow_delay(usage, received, now);
        self.follow_loss(received, now);
        self.follow_probe();
        self.target = self.target.clamp(self.min, self.max);
    }

    fn note_arrival(&mut self, arrived: Duration, size: u32) {
        // A receiver whose clock jumps back starts a new window.
        if arrived + RATE_WINDOW < self.newest {
            self.arrivals.clear();
            self.newest = arrived;
        }
        self.newest = self.newest.max(arrived);
        self.arrivals.push_back((arrived, size));
        while self
            .arrivals
            .front()
            .is_some_and(|&(at, _)| at + RATE_WINDOW < self.newest)
            || self.arrivals.len() > MAX_ARRIVALS
        {
            self.arrivals.pop_front();
        }
    }

    /// Bits per second that arrive; `None` before there is enough to say.
    fn received(&self) -> Option<f64> {
        let span = self
            .newest
            .checked_sub(self.arrivals.front()?.0)
            .filter(|span| *span >= Duration::from_millis(100))?;
        let octets: f64 = self
            .arrivals
            .iter()
            .skip(1)
            .map(|&(_, size)| f64::from(size))
            .sum();
        Some(octets * 8.0 / span.as_secs_f64())
    }

    fn follow_delay(&mut self, usage: Usage, received: Option<f64>, now: Instant) {
        let passed = self.changed.map_or(Duration::ZERO, |changed| {
            now.saturating_duration_since(changed)
        });
        let Some(received) = received else { return };
        match usage {
            Usage::Over => {
                // Half a second for the last decrease to show.
                if self.changed.is_some()
                    && self.limit.is_some()
                    && passed < Duration::from_millis(300)
                {
                    return;
                }
                self.target = self.target.min(received * DECREASE);
                self.limit = Some(received);
                self.is_limited = true;
                self.changed = Some(now);
            }
            // The queue drains: wait.
            Usage::Under => self.changed = Some(now),
            Usage::Normal => {
                let seconds = passed.as_secs_f64().min(1.0);
                let near = self.limit.is_some_and(|limit| {
                    (self.target / limit) > 0.8 && (self.target / limit) < 1.1
                });
                let grown = if near {
                    self.target + STEP * seconds
                } else {
                    self.target * INCREASE.powf(seconds)
                };
                let ceiling = received * 1.5 + 10_000.0;
                self.target = self.target.max(grown.min(ceiling));
                if !self.is_limited {
                    // What arrives before a queue has ever grown, the path carries.
                    self.target = self.target.max(received);
                }
                self.changed = Some(now);
            }
        }
    }

    fn follow_loss(&mut self, received: Option<f64>, now: Instant) {
        let since = *self.loss.since.get_or_insert(now);
        if now.saturating_duration_since(since) < LOSS_WINDOW || self.loss.sent < 20 {
            return;
        }
        let share = f64::from(self.loss.lost) / f64::from(self.loss.sent);
        self.loss = LossWindow {
            since: Some(now),
            share,
            ..LossWindow::default()
        };
        if share > 0.10 {
            let base = received.map_or(self.target, |received| self.target.min(received * 1.5));
            self.target = base * (1.0 - 0.5 * share);
            self.is_limited = true;
            self.changed = Some(now);
        }
    }

    fn note_probe(&mut self, packet: &Acknowledged, arrived: Duration) {
        let Some(id) = packet.probe else { return };
        let at = (packet.sent, arrived);
        match &mut self.probe {
            Some(probe) if probe.id == id => {
                probe.packets += 1;
                if packet.sent <= probe.first.0 {
                    probe.first.1 = probe.first.1.max(arrived);
                    probe.last.1 = probe.last.1.max(arrived);
                    return;
                }
                probe.octets += f64::from(packet.size);
                probe.last = (probe.last.0.max(at.0), probe.last.1.max(at.1));
            }
            _ => {
                self.probe = Some(Probe {
                    id,
                    packets: 1,
                    first: at,
                    last: at,
                    octets: 0.0,
                });
            }
        }
    }

    fn follow_probe(&mut self) {
        let Some(probe) = &self.probe else { return };
        let sent = probe
            .last
            .0
            .saturating_duration_since(probe.first.0)
            .as_secs_f64();
        let arrived = probe.last.1.saturating_sub(probe.first.1).as_secs_f64();
        if probe.packets < 8 || sent < 0.015 || arrived < 0.015 {
            return;
        }
        let (sent, arrived) = (probe.octets * 8.0 / sent, probe.octets * 8.0 / arrived);
        // What arrives slower than it was sent has met the limit: stay a little below.
        let found = if arrived < sent * 0.9 {
            arrived * 0.95
        } else {
            sent.min(arrived)
        };
        if found > self.target && self.loss.share < 0.10 {
            self.target = found;
        }
    }
}

#[cfg(test)]
mod tests;
