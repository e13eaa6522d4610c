//! What a room has carried, in numbers: for metrics while it lasts, for a summary at its end. Nobody is named in it.

use std::{ops::Sub, time::Duration};

use crate::forward::quality::Quality;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Media packets from publishers.
    pub received: u64,
    /// Media packets from publishers that send more than they may, or of streams that are no layer's.
    pub refused: u64,
    /// Media packets to subscribers, without those sent once more.
    pub forwarded: u64,
    /// Octets of their payloads.
    pub octets: u64,
    /// Packets that subscribers asked for once more.
    pub missing: u64,
    /// Of those, the ones that could be sent once more.
    pub resent: u64,
    /// How often a subscriber went over to another layer of a picture.
    pub switches: u64,
    /// How often participants' connections were judged, and how: lost, poor, good, excellent.
    pub judged: [u64; 4],
}

impl Traffic {
    pub(super) fn judge(&mut self, quality: Quality) {
        self.judged[quality as usize] += 1;
    }
}

impl Sub for Traffic {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let mut judged = self.judged;
        for (now, then) in judged.iter_mut().zip(earlier.judged) {
            *now -= then;
        }
        Self {
            received: self.received - earlier.received,
            refused: self.refused - earlier.refused,
            forwarded: self.forwarded - earlier.forwarded,
            octets: self.octets - earlier.octets,
            missing: self.missing - earlier.missing,
            resent: self.resent - earlier.resent,
            switches: self.switches - earlier.switches,
            judged,
        }
    }
}

/// A room's counts.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Since the room began.
    pub(super) whole: Traffic,
    /// What of it has been told.
    told: Traffic,
    /// The most participants at a time.
    pub(super) most: usize,
}

impl Account {
    /// What has been counted since this was last asked.
    pub(super) fn news(&mut self) -> Traffic {
        let news = self.whole - self.told;
        self.told = self.whole;
        news
    }
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// From the room's beginning to its end.
    pub lasted: Duration,
    /// The most participants at a time.
    pub most: usize,
    /// All that was carried.
    pub traffic: Traffic,
}

impl Summary {
    /// The share of judgements that found a connection poor or lost, 0 to 1; `None` when nobody was judged, as in a
    /// call of a few seconds.
    #[must_use]
    pub fn poor(&self) -> Option<f64> {
        let [lost, poor, good, excellent] = self.traffic.judged;
        let all = lost + poor + good + excellent;
        #[expect(clippy::cast_precision_loss, reason = "counts of windows of seconds")]
        let share = (lost + poor) as f64 / all as f64;
        (all > 0).then_some(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_not_told_again() {
        let mut account = Account::default();
        account.whole.forwarded += 7;
        account.whole.judge(Quality::Poor);
        let news = account.news();
        assert_eq!((news.forwarded, news.judged), (7, [0, 1, 0, 0]));
        assert_eq!(account.news(), Traffic::default());
        account.whole.judge(Quality::Excellent);
        assert_eq!(account.news().judged, [0, 0, 0, 1]);
        assert_eq!(account.whole.judged, [0, 1, 0, 1]);
    }

    #[test]
    fn a_call_that_nobody_judged_was_not_poor() {
        let mut summary = Summary {
            lasted: Duration::from_secs(3),
            most: 2,
            traffic: Traffic::default(),
        };
        assert_eq!(summary.poor(), None);
        summary.traffic.judged = [1, 1, 0, 2];
        assert_eq!(summary.poor(), Some(0.5));
    }
}
