//! Delayed leaves that clients have handed over (MSC4195, MSC4140): a client whose machine dies cannot say that it has
//! left, but the relay sees it.
//!
//! As long as somebody is at the relay, the delayed event with which the homeserver would take them out of the call is
//! restarted; when they are gone, it is sent at once. Only users of the city's own homeserver are served, so that
//! nobody has us ask elsewhere. In memory: what is lost with the program, the homeserver sends by itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use appservice::Matrix;
use bridge::ids::MatrixUser;
use futures_util::{StreamExt as _, stream};
use gateway::port::DelayedLeave;
use jiff::{SignedDuration, Timestamp};
use tracing::{debug, warn};

use super::relay::RelayAccess;
use crate::{house::House, shell};

/// Between two looks at the relay.
const EVERY: Duration = Duration::from_secs(2);
/// How many are seen to at the same time.
const AT_ONCE: usize = 8;
/// Who is away from the relay for so long has left. Until then they may be connecting anew.
const GONE_AFTER: SignedDuration = SignedDuration::from_secs(6);
/// Who does not come to the relay in this time never will.
const COMES_WITHIN: SignedDuration = SignedDuration::from_mins(2);
/// A leave that cannot be sent in this time is left to the homeserver.
const SENT_WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// Shorter delays cannot be kept up.
const SHORTEST: Duration = Duration::from_secs(5);
/// Longer ones are none that a client means.
const LONGEST: Duration = Duration::from_hours(24);
/// Leaves in all, and those of one user.
const MOST: usize = 2000;
const MOST_OF_USER: usize = 20;

/// Somebody in a call: the call's name at the relay, and theirs.
type Key = (String, String);

/// All leaves that are taken care of.
#[derive(Default)]
pub(super) struct Delegated(Mutex<HashMap<Key, Leave>>);

/// What is known of one leave.
#[derive(Clone)]
struct Leave {
    user: MatrixUser,
    delay_id: String,
    timeout: SignedDuration,
    /// When it was handed over, and so when its time began at the latest.
    since: Timestamp,
    restarted: Timestamp,
    at_relay: AtRelay,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AtRelay {
    NotYet,
    Seen,
    /// Missed for the first time.
    Missing(Timestamp),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Wait,
    Restart,
    Send,
    /// Nothing is left to be done: the homeserver has sent it, or will.
    Forget,
}

impl Leave {
    /// What to do next. `inside`: whether the relay has them; none when it cannot be asked, which proves nothing.
    fn next(&mut self, inside: Option<bool>, now: Timestamp) -> Step {
        self.at_relay = match (inside, self.at_relay) {
            (Some(true), _) => AtRelay::Seen,
            (Some(false), AtRelay::Seen) => AtRelay::Missing(now),
            (_, known) => known,
        };
        let lapsed = now.duration_since(self.restarted) > self.timeout;
        match (inside, self.at_relay) {
            (Some(true), _) => {
                let due = self.restarted == self.since
                    || now.duration_since(self.restarted) >= self.timeout / 3;
                if due { Step::Restart } else { Step::Wait }
            }
            (_, _) if lapsed => Step::Forget,
            (Some(false), AtRelay::Missing(first)) => {
                let missing = now.duration_since(first);
                if missing > GONE_AFTER + SENT_WITHIN {
                    Step::Forget
                } else if missing >= GONE_AFTER {
                    Step::Send
                } else {
                    Step::Wait
                }
            }
            (Some(false), AtRelay::NotYet) => {
                let waited = now.duration_since(self.since);
                if waited > COMES_WITHIN + SENT_WITHIN {
                    Step::Forget
                } else if waited >= COMES_WITHIN {
                    Step::Send
                } else {
                    Step::Wait
                }
            }
            (Some(false), AtRelay::Seen) | (None, _) => Step::Wait,
        }
    }
}

impl Delegated {
    /// Whether a leave is one that is taken over.
    pub(super) fn takes(leave: &DelayedLeave) -> bool {
        (SHORTEST..=LONGEST).contains(&leave.timeout)
    }

    /// Takes a leave over, in place of an earlier one of the same participant; `false` when there are too many.
    pub(super) fn take(
        &self,
        call: &str,
        identity: &str,
        user: &MatrixUser,
        leave: DelayedLeave,
        now: Timestamp,
    ) -> bool {
        let key = (call.to_owned(), identity.to_owned());
        let mut all = self.lock();
        if !all.contains_key(&key) {
            let of_user = all.values().filter(|leave| leave.user == *user).count();
            if all.len() >= MOST || of_user >= MOST_OF_USER {
                return false;
            }
        }
        let Ok(timeout) = SignedDuration::try_from(leave.timeout) else {
            return false;
        };
        all.insert(
            key,
            Leave {
                user: user.clone(),
                delay_id: leave.delay_id,
                timeout,
                since: now,
                restarted: now,
                at_relay: AtRelay::NotYet,
            },
        );
        true
    }

    /// What to do about a leave that may have been replaced since.
    fn next(&self, key: &Key, delay_id: &str, inside: Option<bool>, now: Timestamp) -> Step {
        match self.lock().get_mut(key) {
            Some(leave) if leave.delay_id == delay_id => leave.next(inside, now),
            _ => Step::Wait,
        }
    }

    fn restarted(&self, key: &Key, delay_id: &str, now: Timestamp) {
        if let Some(leave) = self.lock().get_mut(key)
            && leave.delay_id == delay_id
        {
            leave.restarted = now;
        }
    }

    fn forget(&self, key: &Key, delay_id: &str) {
        let mut all = self.lock();
        if all.get(key).is_some_and(|leave| leave.delay_id == delay_id) {
            all.remove(key);
        }
    }

    fn all(&self) -> Vec<(Key, String)> {
        let all = self.lock();
        all.iter()
            .map(|(key, leave)| (key.clone(), leave.delay_id.clone()))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Leave>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to the leaves that were handed over, for ever.
pub(crate) async fn keep_delegated(house: Arc<House>) {
    let Some(calls) = &house.calls else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(EVERY).await;
        stream::iter(calls.delegated.all())
            .for_each_concurrent(AT_ONCE, |(key, delay_id)| {
                see_to(&house.matrix, &calls.relay, &calls.delegated, key, delay_id)
            })
            .await;
    }
}

async fn see_to(
    matrix: &Matrix,
    relay: &RelayAccess,
    delegated: &Delegated,
    key: Key,
    delay_id: String,
) {
    let inside = relay.has_participant(&key.0, &key.1).await;
    if let Err(fault) = &inside {
        debug!("who is in a call cannot be seen: {fault}");
    }
    // Before the request: its time begins while it is on its way.
    let now = shell::now();
    match delegated.next(&key, &delay_id, inside.ok(), now) {
        Step::Wait => {}
        Step::Restart => match matrix.restart_delegated(&delay_id).await {
            Ok(true) => delegated.restarted(&key, &delay_id, now),
            Ok(false) => delegated.forget(&key, &delay_id),
            Err(fault) => debug!("a leave was not restarted: {}", fault.code()),
        },
        Step::Send => match matrix.send_delegated(&delay_id).await {
            Ok(_) => delegated.forget(&key, &delay_id),
            Err(fault) => warn!("a leave was not sent: {}", fault.code()),
        },
        Step::Forget => delegated.forget(&key, &delay_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn leave(timeout: u64) -> DelayedLeave {
        DelayedLeave {
            delay_id: "syd_1".to_owned(),
            timeout: Duration::from_secs(timeout),
        }
    }

    fn key() -> Key {
        ("call".to_owned(), "anna".to_owned())
    }

    fn taken(timeout: u64) -> Delegated {
        let delegated = Delegated::default();
        let anna = "@anna:test".parse().unwrap();
        assert!(delegated.take("call", "anna", &anna, leave(timeout), at(0)));
        delegated
    }

    fn next(delegated: &Delegated, inside: Option<bool>, second: i64) -> Step {
        delegated.next(&key(), "syd_1", inside, at(second))
    }

    #[test]
    fn it_is_restarted_in_time_while_they_are_there_and_sent_when_they_have_gone() {
        let delegated = taken(30);
        assert_eq!(next(&delegated, Some(false), 2), Step::Wait, "on the way");
        assert_eq!(next(&delegated, Some(true), 4), Step::Restart, "at first");
        assert_eq!(next(&delegated, Some(true), 6), Step::Restart, "not done");
        delegated.restarted(&key(), "syd_1", at(6));
        assert_eq!(next(&delegated, Some(true), 15), Step::Wait);
        assert_eq!(next(&delegated, Some(true), 16), Step::Restart);
        delegated.restarted(&key(), "syd_1", at(16));
        assert_eq!(next(&delegated, None, 18), Step::Wait, "nobody knows");
        assert_eq!(next(&delegated, Some(false), 20), Step::Wait);
        assert_eq!(next(&delegated, Some(true), 22), Step::Wait, "back again");
        assert_eq!(next(&delegated, Some(false), 24), Step::Wait);
        assert_eq!(next(&delegated, None, 31), Step::Wait, "nobody knows");
        assert_eq!(next(&delegated, Some(false), 32), Step::Send);
        assert_eq!(next(&delegated, Some(false), 34), Step::Send, "not done");
        delegated.forget(&key(), "syd_1");
        assert!(delegated.all().is_empty());
    }

    #[test]
    fn what_the_homeserver_has_sent_by_itself_is_forgotten() {
        let delegated = taken(30);
        assert_eq!(next(&delegated, Some(false), 30), Step::Wait);
        assert_eq!(next(&delegated, None, 31), Step::Forget);
    }

    #[test]
    fn who_never_comes_is_taken_out() {
        let delegated = taken(3600);
        assert_eq!(next(&delegated, Some(false), 119), Step::Wait);
        assert_eq!(next(&delegated, Some(false), 120), Step::Send);
        assert_eq!(next(&delegated, Some(false), 181), Step::Forget);
    }

    #[test]
    fn a_newer_leave_takes_the_place_of_the_older_one() {
        let delegated = taken(30);
        let anna = "@anna:test".parse().unwrap();
        let newer = DelayedLeave {
            delay_id: "syd_2".to_owned(),
            ..leave(30)
        };
        assert!(delegated.take("call", "anna", &anna, newer, at(5)));
        assert_eq!(next(&delegated, Some(true), 6), Step::Wait, "not this one");
        delegated.forget(&key(), "syd_1");
        assert_eq!(delegated.all(), [(key(), "syd_2".to_owned())]);
    }

    #[test]
    fn nobody_fills_the_memory_with_leaves() {
        let delegated = Delegated::default();
        let anna = "@anna:test".parse().unwrap();
        let take =
            |number: usize| delegated.take("call", &number.to_string(), &anna, leave(30), at(0));
        assert!((0..MOST_OF_USER).all(take));
        assert!(!take(MOST_OF_USER));
        assert!(take(0), "in its own place");
        let delays = [4, 5, 86_400, 86_401].map(|timeout| Delegated::takes(&leave(timeout)));
        assert_eq!(delays, [false, true, true, false]);
    }
}
