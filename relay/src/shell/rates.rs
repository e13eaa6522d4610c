//! How much signalling one participant sends, over whatever connections.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What is counted is forgotten after this.
const WINDOW: Duration = Duration::from_secs(10);
/// Reading this many bytes costs as much as one more message.
const BYTES_OF_ONE: usize = 16 * 1024;
/// Two media connections are made for each join, and everybody is told: it costs as much as this many messages.
const JOIN: u32 = 10;

/// The messages of one participant in the last ten seconds.
#[derive(Debug)]
pub(crate) struct Rate(Mutex<(Instant, u32)>);

impl Rate {
    /// Counts a message; whether so many may be, `most` in ten seconds.
    pub(crate) fn message(&self, bytes: usize, most: u32, now: Instant) -> bool {
        let more = u32::try_from(bytes / BYTES_OF_ONE).unwrap_or(u32::MAX);
        self.count(more.saturating_add(1), most, now)
    }

    /// Counts a join.
    pub(crate) fn join(&self, most: u32, now: Instant) -> bool {
        self.count(JOIN, most, now)
    }

    fn count(&self, more: u32, most: u32, now: Instant) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = &mut *counted;
        if now.saturating_duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(more);
        *count <= most
    }

    fn is_past(&self, now: Instant) -> bool {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.saturating_duration_since(counted.0) >= WINDOW
    }
}

/// Those of all participants, by room and identity.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<HashMap<(String, String), Arc<Rate>>>);

impl Rates {
    /// A participant's. It lasts as long as one of its connections, and until what it counts is forgotten.
    pub(crate) fn of(&self, room: &str, identity: &str, now: Instant) -> Arc<Rate> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, rate| Arc::strong_count(rate) > 1 || !rate.is_past(now));
        let name = (room.to_owned(), identity.to_owned());
        let rate = known
            .entry(name)
            .or_insert_with(|| Arc::new(Rate(Mutex::new((now, 0)))));
        Arc::clone(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::testing::at;

    #[test]
    fn whoever_comes_again_has_not_more_than_whoever_stays() {
        let rates = Rates::default();
        let first = rates.of("r", "anna", at(0));
        let allowed = (0..100).filter(|_| first.message(100, 50, at(1)));
        assert_eq!(allowed.count(), 50);
        drop(first);
        let again = rates.of("r", "anna", at(9_000));
        assert!(!again.join(50, at(9_000)));
        assert!(rates.of("r", "bert", at(9_000)).join(50, at(9_000)));
        assert!(rates.of("other", "anna", at(9_000)).join(50, at(9_000)));
        assert!(again.join(50, at(10_001)));
    }

    #[test]
    fn joins_and_long_messages_count_for_more() {
        let rate = Rates::default().of("r", "anna", at(0));
        let joins = (0..100).filter(|_| rate.join(50, at(0)));
        assert_eq!(joins.count(), 5);
        let later = at(20_000);
        let long = (0..100).filter(|_| rate.message(512 * 1024, 66, later));
        assert_eq!(long.count(), 2);
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let rates = Rates::default();
        let stays = rates.of("r", "anna", at(0));
        rates.of("r", "bert", at(0));
        rates.of("r", "carl", at(20_000));
        assert_eq!(rates.0.lock().unwrap().len(), 2);
        assert!(stays.join(50, at(20_000)));
    }
}
