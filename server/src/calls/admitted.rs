//! Under which names somebody may be at the relay: those that tokens were given out for.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use bridge::ids::MatrixUser;

/// A client asks under one name for each device, and under a new one for each time it joins. Whoever asks under more is
/// none.
const MOST_NAMES: usize = 100;

/// Names by call and user. In memory: with the program its own relay ends, and with it all calls.
#[derive(Default)]
pub(super) struct Admitted(Mutex<HashMap<String, HashMap<MatrixUser, HashSet<String>>>>);

impl Admitted {
    /// Notes a name before its token is given out; `false` when the user has had too many in this call.
    pub(super) fn note(&self, call: &str, user: &MatrixUser, name: &str) -> bool {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let users = calls.entry(call.to_owned()).or_default();
        let names = users.entry(user.clone()).or_default();
        if names.len() >= MOST_NAMES && !names.contains(name) {
            return false;
        }
        names.insert(name.to_owned());
        true
    }

    /// The user's names in the call, in order.
    pub(super) fn of(&self, call: &str, user: &MatrixUser) -> Vec<String> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names = calls.get(call).and_then(|users| users.get(user));
        let mut names: Vec<String> = names.into_iter().flatten().cloned().collect();
        names.sort_unstable();
        names
    }

    /// The call has ended.
    pub(super) fn forget(&self, call: &str) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.remove(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_by_call_and_user() {
        let admitted = Admitted::default();
        let anna: MatrixUser = "@anna:test".parse().unwrap();
        let bernd: MatrixUser = "@bernd:test".parse().unwrap();
        for (call, user, name) in [("a", &anna, "2"), ("a", &anna, "1"), ("b", &anna, "3")] {
            assert!(admitted.note(call, user, name));
        }
        assert_eq!(admitted.of("a", &anna), ["1", "2"]);
        assert!(admitted.of("a", &bernd).is_empty());
        admitted.forget("a");
        assert!(admitted.of("a", &anna).is_empty());
        assert_eq!(admitted.of("b", &anna), ["3"]);
    }

    #[test]
    fn nobody_fills_the_memory_with_names() {
        let admitted = Admitted::default();
        let anna: MatrixUser = "@anna:test".parse().unwrap();
        for number in 0..MOST_NAMES {
            assert!(admitted.note("a", &anna, &number.to_string()));
        }
        assert!(!admitted.note("a", &anna, "one more"));
        assert!(admitted.note("a", &anna, "0"), "known");
    }
}
