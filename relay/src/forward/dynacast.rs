//! Which qualities of a published track anybody wants: the content of LiveKit's `SubscribedQualityUpdate`.
//!
//! A publisher encodes only what is asked for. More is asked for at once; less only after it has stayed less for
//! [`PAUSE_DELAY`], so that a tile that is scrolled past does not stop and start an encoder.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::forward::wanted::Quality;

/// How long a quality is unwanted before the publisher may stop it.
pub const PAUSE_DELAY: Duration = Duration::from_secs(5);

/// The wishes of all subscribers for one track in one codec.
#[derive(Debug, Clone)]
pub struct Dynacast<S> {
    wanted: BTreeMap<S, Quality>,
    told: Option<Quality>,
    lower_since: Option<Instant>,
}

/// The highest quality to encode, `None` for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling(pub Option<Quality>);

impl Ceiling {
    /// Each quality and whether it is to be encoded: all up to the highest, since subscribers with less bandwidth
    /// fall back to the lower ones.
    #[must_use]
    pub fn qualities(self) -> [(Quality, bool); 3] {
        Quality::ALL.map(|quality| (quality, Some(quality) <= self.0))
    }
}

impl<S: Ord> Default for Dynacast<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Ord> Dynacast<S> {
    /// Publishers start with everything on.
    #[must_use]
    pub fn new() -> Self {
        Self {
            wanted: BTreeMap::new(),
            told: Some(Quality::High),
            lower_since: None,
        }
    }

    /// Notes what a subscriber wants; `None` when it wants nothing or has left. Answers what to tell the publisher.
    pub fn set(
        &mut self,
        subscriber: S,
        quality: Option<Quality>,
        now: Instant,
    ) -> Option<Ceiling> {
        match quality {
            Some(quality) => self.wanted.insert(subscriber, quality),
            None => self.wanted.remove(&subscriber),
        };
        self.poll(now)
    }

    /// What to tell the publisher at this moment, if anything is new.
    pub fn poll(&mut self, now: Instant) -> Option<Ceiling> {
        let wanted = self.wanted.values().copied().max();
        if wanted == self.told {
            self.lower_since = None;
            return None;
        }
        if wanted < self.told {
            let since = *self.lower_since.get_or_insert(now);
            if now.saturating_duration_since(since) < PAUSE_DELAY {
                return None;
            }
        }
        self.lower_since = None;
        self.told = wanted;
        Some(Ceiling(wanted))
    }

    /// When to call [`Dynacast::poll`] again, at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.lower_since.map(|since| since + PAUSE_DELAY)
    }

    /// What the publisher was told last; a publisher that reconnects is told again.
    #[must_use]
    pub fn told(&self) -> Ceiling {
        Ceiling(self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::testing::at;

    #[test]
    fn more_is_told_at_once_less_after_a_while() {
        let mut track = Dynacast::new();
        assert_eq!(track.set("a", Some(Quality::Low), at(0)), None);
        assert_eq!(track.deadline(), Some(at(5000)));
        assert_eq!(track.poll(at(4999)), None);
        let low = track.poll(at(5000)).unwrap();
        assert_eq!(low, Ceiling(Some(Quality::Low)));
        assert_eq!(low.qualities().map(|(_, on)| on), [true, false, false]);
        assert_eq!(
            track.set("b", Some(Quality::Medium), at(5001)),
            Some(Ceiling(Some(Quality::Medium)))
        );
        assert_eq!(track.deadline(), None);
    }

    #[test]
    fn a_short_dip_is_not_told() {
        let mut track = Dynacast::new();
        track.set("a", Some(Quality::High), at(0));
        track.set("a", Some(Quality::Low), at(10));
        track.set("a", Some(Quality::High), at(1000));
        assert_eq!(track.deadline(), None);
        assert_eq!(track.poll(at(9000)), None);
    }

    #[test]
    fn nobody_left_means_nothing_to_encode() {
        let mut track = Dynacast::new();
        track.set("a", Some(Quality::High), at(0));
        track.set("a", None, at(1));
        let nothing = track.poll(at(5001)).unwrap();
        assert_eq!(nothing.qualities().map(|(_, on)| on), [false, false, false]);
    }
}
