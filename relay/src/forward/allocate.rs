//! Who gets how much of a subscriber's bandwidth.
//!
//! Each track offers a *ladder*: what could be sent, cheapest first. A camera climbs by layers (a small picture that
//! moves well before a large one that stutters). A screen climbs by frames on its largest layer, so that text stays
//! sharp; its smaller layers are the last resort. Everyone gets the lowest rung first, then screens climb, then
//! cameras in turns, by priority. What cannot even have its lowest rung is paused. Audio is not in the ladder: its
//! bits are taken off before.
//!
//! Climbing costs a margin above the measured bit rate and is refused for a while after a fall, for twice as long
//! after each, so that a link at its limit does not flap. Since an estimate cannot grow beyond what is sent, the
//! allocator asks for a probe when somebody could climb. A probe sends known pictures once more; where none was sent yet,
//! a picture is sent on *trial* instead, whatever the estimate says: an estimate made of sound alone would never grow.

use std::{
    cmp::Reverse,
    time::{Duration, Instant},
};

use crate::forward::{
    MAX_LAYERS, MAX_TEMPORAL,
    downtrack::{ALL_TEMPORAL, Target},
};

/// Bits of a rung above the current one count this much when deciding to climb to it.
const CLIMB_PERCENT: u64 = 115;
/// How long nobody climbs after a first fall.
const HOLD: Duration = Duration::from_secs(2);
/// And at most.
const LONGEST_HOLD: Duration = Duration::from_mins(1);
/// Between two probes at first, and at most.
const PROBE: Duration = Duration::from_secs(3);
const LONGEST_PROBE: Duration = Duration::from_secs(30);
/// How long a picture is sent on trial: until a probe that it makes possible was heard of.
const TRIAL: Duration = Duration::from_secs(5);

/// One video track that a subscriber may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand<T> {
    /// The caller's name for it.
    pub track: T,
    /// A shared screen.
    pub screen: bool,
    /// Higher goes first among cameras.
    pub priority: u8,
    /// What the subscriber wants at most; `None` while it wants nothing.
    pub wanted: Option<Target>,
    /// What was decided the last time.
    pub current: Option<Target>,
    /// Bits per second of each layer that is live with all its frames, measured, or declared until it is.
    pub layers: [Option<u64>; MAX_LAYERS],
    /// Number of temporal layers, 1 if unknown.
    pub temporal_layers: u8,
    /// What the temporal layers 0 to n carry of a layer, in percent, as measured.
    pub shares: [u64; MAX_TEMPORAL],
}

/// What one track gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<T> {
    /// Which track.
    pub track: T,
    /// What to send; `None` for nothing.
    pub target: Option<Target>,
    /// Bits per second that this takes.
    pub bits: u64,
    /// Less than wanted and possible, for want of bandwidth, or on trial. Without a target this is LiveKit's
    /// `StreamState::PAUSED`.
    pub limited: bool,
}

/// The outcome for one subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation<T> {
    /// One choice for each demand, in their order.
    pub choices: Vec<Choice<T>>,
    /// Send padding until the total reaches this many bits per second, to learn whether there is room to climb.
    pub probe: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rung {
    target: Target,
    bits: u64,
}

/// What has to be remembered of one subscriber between two allocations.
#[derive(Debug, Clone)]
pub struct Allocator {
    hold: Duration,
    hold_until: Option<Instant>,
    probe_interval: Duration,
    next_probe: Option<Instant>,
    trial_until: Option<Instant>,
}

impl Default for Allocator {
    fn default() -> Self {
        Self {
            hold: HOLD,
            hold_until: None,
            probe_interval: PROBE,
            next_probe: None,
            trial_until: None,
        }
    }
}

impl Allocator {
    /// The probe that was asked for cannot be sent, for want of pictures: from now on somebody who sees nothing at all is
    /// sent something on trial.
    pub fn try_out(&mut self, now: Instant) {
        self.trial_until = Some(now + TRIAL);
    }

    /// Shares out `available` bits per second (`u64::MAX` while nothing is known), of which `audio` are spoken for.
    /// Call it when the estimate, a demand or a layer changes, and a few times a second.
    pub fn allocate<T: Copy>(
        &mut self,
        available: u64,
        audio: u64,
        demands: &[Demand<T>],
        now: Instant,
    ) -> Allocation<T> {
        let held = self.hold_until.is_some_and(|until| now < until);
        let tracks: Vec<Track> = demands
            .iter()
            .map(|demand| Track::new(demand, held))
            .collect();
        let mut order: Vec<usize> = (0..demands.len()).collect();
        order.sort_by_key(|&index| {
            (
                Reverse(demands[index].screen),
                Reverse(demands[index].priority),
                index,
            )
        });
        let mut chosen = share(available.saturating_sub(audio), &tracks, &order, demands);
        let on_trial = self
            .trial_until
            .filter(|&until| now < until && chosen.iter().all(|&rung| rung == 0))
            .and_then(|_| {
                order
                    .into_iter()
                    .find(|&index| !tracks[index].ladder.is_empty())
            });
        if let Some(index) = on_trial {
            chosen[index] = 1;
        }

        let fell = tracks
            .iter()
            .zip(&chosen)
            .any(|(track, &rung)| rung < track.current);
        let climbed = tracks
            .iter()
            .zip(&chosen)
            .any(|(track, &rung)| rung > track.current);
        self.note(fell, climbed, now);
        let choices: Vec<Choice<T>> = demands
            .iter()
            .zip(&tracks)
            .zip(&chosen)
            .enumerate()
            .map(|(index, ((demand, track), &rung))| {
                let taken = rung.checked_sub(1).and_then(|rung| track.ladder.get(rung));
                Choice {
                    track: demand.track,
                    target: taken.map(|rung| rung.target),
                    bits: taken.map_or(0, |rung| rung.bits),
                    limited: rung < track.ladder.len() || on_trial == Some(index),
                }
            })
            .collect();
        let probe = self.probe(audio, &tracks, &chosen, on_trial.is_some(), now);
        Allocation { choices, probe }
    }

    fn note(&mut self, fell: bool, climbed: bool, now: Instant) {
        if fell {
            let recently = self
                .hold_until
                .is_some_and(|until| now < until + LONGEST_HOLD);
            self.hold = if recently {
                (self.hold * 2).min(LONGEST_HOLD)
            } else {
                HOLD
            };
            self.hold_until = Some(now + self.hold);
            self.probe_interval = PROBE;
            self.next_probe = Some(now + self.hold);
        } else if climbed {
            self.probe_interval = PROBE;
            self.next_probe = Some(now + PROBE);
        }
    }

    fn probe(
        &mut self,
        audio: u64,
        tracks: &[Track],
        chosen: &[usize],
        on_trial: bool,
        now: Instant,
    ) -> Option<u64> {
        let bits = |track: &Track, rung: usize| {
            rung.checked_sub(1)
                .map_or(0, |rung| track.ladder[rung].bits)
        };
        let total: u64 = tracks
            .iter()
            .zip(chosen)
            .map(|(track, &rung)| bits(track, rung))
            .sum();
        // What is on trial is what has to be found.
        let cheapest = if on_trial {
            0
        } else {
            tracks
                .iter()
                .zip(chosen)
                .filter_map(|(track, &rung)| Some(track.ladder.get(rung)?.bits - bits(track, rung)))
                .min()?
        };
        let due = *self.next_probe.get_or_insert(now + PROBE);
        if now < due {
            return None;
        }
        self.next_probe = Some(now + self.probe_interval);
        self.probe_interval = (self.probe_interval * 2).min(LONGEST_PROBE);
        // The climb is decided with its margin, so that much has to be found.
        Some(audio + (total + cheapest) * (CLIMB_PERCENT + 5) / 100)
    }
}

/// Rungs are counted from 1; 0 means nothing is sent.
struct Track {
    ladder: Vec<Rung>,
    current: usize,
    /// No higher than this while climbing is refused.
    ceiling: usize,
}

impl Track {
    fn new<T>(demand: &Demand<T>, held: bool) -> Self {
        let ladder = ladder(demand);
        let current = match demand.current {
            // A rung that is gone counts as the next one below.
            Some(current) => ladder
                .iter()
                .take_while(|rung| below_or_same(rung.target, current))
                .count(),
            None => 0,
        };
        let ceiling = if held {
            current.max(1).min(ladder.len())
        } else {
            ladder.len()
        };
        Self {
            ladder,
            current,
            ceiling,
        }
    }

    /// What a rung costs in the decision.
    fn cost(&self, rung: usize) -> u64 {
        let Some(index) = rung.checked_sub(1) else {
            return 0;
        };
        let bits = self.ladder[index].bits;
        // Starting costs no margin: somebody who sees nothing should see something.
        if rung > self.current && rung > 1 {
            bits.saturating_mul(CLIMB_PERCENT) / 100
        } else {
            bits
        }
    }
}

fn below_or_same(rung: Target, current: Target) -> bool {
    rung.layer < current.layer || (rung.layer == current.layer && rung.temporal <= current.temporal)
}

fn share<T>(
    mut budget: u64,
    tracks: &[Track],
    order: &[usize],
    demands: &[Demand<T>],
) -> Vec<usize> {
    let mut chosen = vec![0; tracks.len()];
    let mut climb = |index: usize, chosen: &mut Vec<usize>| {
        let (track, rung) = (&tracks[index], chosen[index]);
        if rung >= track.ceiling {
            return false;
        }
        let more = track.cost(rung + 1).saturating_sub(track.cost(rung));
        if more > budget {
            return false;
        }
        budget -= more;
        chosen[index] = rung + 1;
        true
    };
    for &index in order {
        climb(index, &mut chosen);
    }
    for &index in order.iter().filter(|&&index| demands[index].screen) {
        while chosen[index] > 0 && climb(index, &mut chosen) {}
    }
    let mut climbing = true;
    while climbing {
        climbing = false;
        for &index in order.iter().filter(|&&index| !demands[index].screen) {
            climbing |= chosen[index] > 0 && climb(index, &mut chosen);
        }
    }
    chosen
}

fn ladder<T>(demand: &Demand<T>) -> Vec<Rung> {
    let Some(wanted) = demand.wanted else {
        return Vec::new();
    };
    let live = |layer: &u8| demand.layers[usize::from(*layer)].is_some();
    let layers = 0..u8::try_from(MAX_LAYERS).unwrap_or(u8::MAX);
    let mut usable: Vec<u8> = layers
        .clone()
        .filter(|&layer| layer <= wanted.layer)
        .filter(live)
        .collect();
    if usable.is_empty() {
        // Better too large than nothing.
        usable.extend(layers.filter(live).take(1));
    }
    let highest = usize::from(demand.temporal_layers).clamp(1, MAX_TEMPORAL) - 1;
    let rung = |layer: u8, index: usize| {
        let (temporal, share) = if index == highest {
            (ALL_TEMPORAL, 100)
        } else {
            let temporal = u8::try_from(index).unwrap_or(ALL_TEMPORAL);
            (temporal, demand.shares[index])
        };
        let bits = demand.layers[usize::from(layer)].unwrap_or(0);
        Rung {
            target: Target { layer, temporal },
            bits: bits.saturating_mul(share) / 100,
        }
    };
    // The highest temporal layer that is wanted.
    let full = usize::from(wanted.temporal).min(highest);
    let mut ladder: Vec<Rung> = Vec::with_capacity(MAX_LAYERS + MAX_TEMPORAL);
    if demand.screen {
        ladder.extend(usable.iter().map(|&layer| rung(layer, 0)));
        ladder.extend(
            usable
                .last()
                .into_iter()
                .flat_map(|&top| (1..=full).map(move |index| (top, index)))
                .map(|(top, index)| rung(top, index)),
        );
    } else {
        ladder.extend(
            usable
                .first()
                .filter(|_| full > 0)
                .map(|&lowest| rung(lowest, 0)),
        );
        ladder.extend(usable.iter().map(|&layer| rung(layer, full)));
    }
    // A publisher may send more on a lower layer than on a higher one: then the lower one makes no sense.
    let mut cheapest = u64::MAX;
    let mut kept: Vec<Rung> = Vec::with_capacity(ladder.len());
    for rung in ladder.into_iter().rev() {
        if rung.bits < cheapest {
            cheapest = rung.bits;
            kept.push(rung);
        }
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests;
