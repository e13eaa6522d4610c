//! How long one has to wait: an honest range instead of a wrong number.
//!
//! The queue is played through twice, once with quick conversations and once with slow ones: each desk on duty
//! takes the next visit as soon as it is done with the one before. Appointments to come are played as well, on the
//! assumption that everybody comes on time. The result is rounded to whole minutes, outwards, because more precision
//! would be a lie (and would rewrite the room's state every second).
//!
//! How long a conversation takes is a weighted sample. Of the measured ones the newest weighs
//! [`Office::DURATIONS_KEPT`], the one before it one less, and so on down to 1. The office's usual duration
//! stands in for what has not been measured: half of it, all of it and one and a half of it weigh
//! [`PRIOR_WEIGHT`] each. Quick is the lower quartile of that sample, slow the upper one.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    ids::VisitId,
    office::{Now, Office, WaitRange},
    queue::Rank,
    visit::{Visit, VisitState},
};

/// What each of the three values made from the usual duration weighs.
const PRIOR_WEIGHT: u64 = 10;

/// Nobody is told to wait longer than a working day. Seconds.
const LONGEST_WAIT: u64 = 8 * 60 * 60;

/// The wait is told in steps of this many seconds.
const STEP: u64 = 60;

/// What a slow clerk needs from one conversation's end to the next call, in seconds.
const SLOW_BREAK: u64 = 60;

/// Who is called in the play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who<'a> {
    /// Waits.
    Visit(&'a VisitId),
    /// Would knock now, without an appointment.
    Newcomer,
    /// Has an appointment and has not come yet.
    Expected,
}

/// How fast the queue moves. Seconds.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// A conversation.
    conversation: u64,
    /// From its end, or the desk's being free, to the next call.
    gap: u64,
}

impl Pace {
    /// What is left of a conversation after `elapsed`. One that is over its time is not over: a tenth of the
    /// whole is always left.
    fn remaining(self, elapsed: u64) -> u64 {
        self.conversation
            .saturating_sub(elapsed)
            .max(self.conversation / 10)
    }
}

impl Office {
    /// What each waiting visit has to expect. Empty when nobody is on duty. Closing time does not matter: who
    /// waits then is still called.
    #[must_use]
    pub fn estimates(&self, now: &Now) -> BTreeMap<VisitId, WaitRange> {
        self.play(now.at, false)
            .into_iter()
            .filter_map(|(who, range)| match who {
                Who::Visit(visit) => Some((visit.clone(), range)),
                Who::Newcomer | Who::Expected => None,
            })
            .collect()
    }

    /// What this waiting visit has to expect; `None` if it does not wait or nobody is on duty. For more than
    /// one visit, [`Office::estimates`] does the work once.
    #[must_use]
    pub fn estimate_for(&self, visit: &VisitId, now: &Now) -> Option<WaitRange> {
        self.play(now.at, false).remove(&Who::Visit(visit))
    }

    /// What somebody who knocks now, without an appointment, has to expect.
    pub(crate) fn estimate_for_newcomer(&self, now: &Now) -> Option<WaitRange> {
        if !now.open {
            return None;
        }
        self.play(now.at, true).remove(&Who::Newcomer)
    }

    /// The range for every waiting visit, and for a newcomer if there is to be one.
    fn play(&self, at: Timestamp, newcomer: bool) -> BTreeMap<Who<'_>, WaitRange> {
        let (quick, slow) = self.paces();
        let mut latest = self.call_times(at, newcomer, slow);
        self.call_times(at, newcomer, quick)
            .into_iter()
            .map(|(visit, low)| {
                let high = latest.remove(&visit).unwrap_or(low).max(low);
                (visit, range(low, high))
            })
            .collect()
    }

    /// Seconds until each waiting visit is called if everything goes at `pace`. Whoever has an appointment that has
    /// begun and is not here is not waited for.
    fn call_times(&self, at: Timestamp, newcomer: bool, pace: Pace) -> BTreeMap<Who<'_>, u64> {
        let mut desks = self.desks_free_in(at, pace);
        let mut due = VecDeque::new();
        let mut walk_ins = VecDeque::new();
        let mut early = Vec::new();
        let in_seconds = |slot: Timestamp| seconds(slot.duration_since(at));
        for (rank, visit) in self.ranked(at) {
            match rank {
                Rank::Due(_) => due.push_back(Who::Visit(&visit.id)),
                Rank::WalkIn(_) => walk_ins.push_back(Who::Visit(&visit.id)),
                Rank::Early(slot) => early.push((in_seconds(slot), Who::Visit(&visit.id))),
            }
        }
        if newcomer {
            walk_ins.push_back(Who::Newcomer);
        }
        let mut waiting = due.len() + walk_ins.len() + early.len();
        let to_come = self.expected.iter().filter(|slot| **slot > at);
        early.extend(to_come.map(|slot| (in_seconds(*slot), Who::Expected)));
        early.sort_by_key(|(slot, _)| *slot);
        let mut early = VecDeque::from(early);

        let mut called = BTreeMap::new();
        while waiting > 0
            && let Some(Reverse(free)) = desks.pop()
        {
            let mut start = free.saturating_add(pace.gap);
            while let Some((_, who)) = early.pop_front_if(|(slot, _)| *slot <= start) {
                due.push_back(who);
            }
            let who = if let Some(who) = due.pop_front().or_else(|| walk_ins.pop_front()) {
                who
            } else if let Some((slot, who)) = early.pop_front() {
                start = start.max(slot);
                who
            } else {
                break;
            };
            if who != Who::Expected {
                called.insert(who, start);
                waiting -= 1;
            }
            desks.push(Reverse(start.saturating_add(pace.conversation)));
        }
        called
    }

    /// In how many seconds each desk on duty can call. A desk with two conversations needs the longer one.
    fn desks_free_in(&self, at: Timestamp, pace: Pace) -> BinaryHeap<Reverse<u64>> {
        self.desks
            .keys()
            .map(|clerk| {
                self.served_by(clerk)
                    .map(|visit| pace.remaining(talked(visit, at)))
                    .max()
                    .unwrap_or(0)
            })
            .map(Reverse)
            .collect()
    }

    /// The quick and the slow pace.
    fn paces(&self) -> (Pace, Pace) {
        let usual = seconds(self.rules.usual_duration);
        let prior = [usual / 2, usual, usual.saturating_add(usual / 2)];
        let measured = self.recent_durations.iter().rev().map(|d| seconds(*d));
        let mut sample: Vec<(u64, u64)> = measured
            .zip((1..=Self::DURATIONS_KEPT as u64).rev())
            .chain(prior.map(|duration| (duration, PRIOR_WEIGHT)))
            .collect();
        sample.sort_unstable();
        let pace = |quarters, gap| Pace {
            conversation: quartile(&sample, quarters),
            gap,
        };
        (pace(1, 0), pace(3, SLOW_BREAK))
    }
}

/// How long the conversation has lasted, in seconds; a called visitor has not begun.
fn talked(visit: &Visit, at: Timestamp) -> u64 {
    match visit.state {
        VisitState::InConversation { since, .. } => seconds(at.duration_since(since)),
        _ => 0,
    }
}

/// The smallest value that at least this many quarters of the weight do not exceed. `sample` is sorted.
fn quartile(sample: &[(u64, u64)], quarters: u64) -> u64 {
    let total: u64 = sample.iter().map(|(_, weight)| weight).sum();
    let mut below = 0;
    sample
        .iter()
        .find(|(_, weight)| {
            below += weight;
            below * 4 >= total * quarters
        })
        .map_or(0, |(value, _)| *value)
}

/// Whole seconds, from none to a working day.
fn seconds(duration: SignedDuration) -> u64 {
    u64::try_from(duration.as_secs())
        .unwrap_or(0)
        .min(LONGEST_WAIT)
}

/// Outwards to whole steps, and capped.
fn range(low: u64, high: u64) -> WaitRange {
    let capped = |value: u64| u32::try_from(value.min(LONGEST_WAIT)).unwrap_or(u32::MAX);
    WaitRange {
        low: capped(low / STEP * STEP),
        high: capped(high.div_ceil(STEP) * STEP),
    }
}
