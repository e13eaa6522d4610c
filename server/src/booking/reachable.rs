//! Since when citizens have been able to come. Whoever could not is no no-show.
//!
//! The program knows of its own work alone: that it runs, and that its database takes what is written. It lives in
//! memory: a start is the end of an outage, whatever was before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Looks are ten seconds apart. When nothing was seen to work for longer than this, nobody could come meanwhile: the
/// database was away, or the machine slept.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(2);

/// Since when, shared by whoever decides about bookings.
#[derive(Clone, Default)]
pub(crate) struct Reachable(Arc<Mutex<Stretch>>);

struct Stretch {
    since: Timestamp,
    seen: Option<Timestamp>,
}

impl Default for Stretch {
    /// Who has not looked knows of no outage.
    fn default() -> Self {
        Self {
            since: Timestamp::MIN,
            seen: None,
        }
    }
}

impl Reachable {
    /// Everything works at `now`.
    pub(super) fn seen(&self, now: Timestamp) {
        let mut stretch = self.lock();
        let went_on = |seen: Timestamp| now.duration_since(seen) <= LONGEST_PAUSE;
        if !stretch.seen.is_some_and(went_on) {
            stretch.since = now;
        }
        stretch.seen = Some(now);
    }

    /// When the last outage ended.
    pub(super) fn since(&self) -> Timestamp {
        self.lock().since
    }

    fn lock(&self) -> MutexGuard<'_, Stretch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_ends_with_the_first_look_after_it() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let reachable = Reachable::default();
        assert_eq!(reachable.since(), Timestamp::MIN);
        for (now, since) in [
            (1000, 1000),
            (1010, 1000),
            (1130, 1000),
            (1251, 1251),
            // A clock that is set back is no outage.
            (900, 1251),
            (910, 1251),
        ] {
            reachable.seen(second(now));
            assert_eq!(reachable.since(), second(since), "at {now}");
        }
    }
}
