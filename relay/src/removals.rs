//! Whose tokens count no more: somebody taken out of a room would come back with the token that led there, as long as it
//! is good.
//!
//! Kept by the names of room and participant, beyond the end of the room, because a room of the same name may begin
//! anew. A token made later counts: whoever was invited again comes in.

use std::collections::HashMap;

/// How long removals are kept at least, unless there are too many: tokens that last longer are nothing that this
/// project makes.
const KEPT_S: i64 = 24 * 60 * 60;
/// Removals that are remembered.
const MOST: usize = 8_192;

/// LiveKit's leeway for those who do not say from when on tokens count again.
pub const LEEWAY_S: i64 = 60;

#[derive(Clone, Copy, Debug)]
struct Removal {
    /// When it was noted, in seconds since 1970.
    at_s: i64,
    /// Tokens count that are good from this second on, or a later one.
    from_s: i64,
}

/// Those who were taken out of rooms.
#[derive(Debug, Default)]
pub struct Removals {
    of: HashMap<(String, String), Removal>,
}

impl Removals {
    /// Somebody is taken out of a room: tokens count no more that are good since before `from_s`.
    pub fn note(&mut self, room: &str, identity: &str, from_s: i64, now_s: i64) {
        let key = (room.to_owned(), identity.to_owned());
        if !self.of.contains_key(&key) {
            self.make_room(now_s);
        }
        let removal = self.of.entry(key).or_insert(Removal {
            at_s: now_s,
            from_s,
        });
        removal.at_s = now_s;
        removal.from_s = removal.from_s.max(from_s);
    }

    /// Whether a token good since this second was made before its holder was taken out of the room.
    #[must_use]
    pub fn refuses(&self, room: &str, identity: &str, since_s: i64) -> bool {
        let key = (room.to_owned(), identity.to_owned());
        self.of
            .get(&key)
            .is_some_and(|removal| since_s < removal.from_s)
    }

    fn make_room(&mut self, now_s: i64) {
        if self.of.len() < MOST {
            return;
        }
        self.of.retain(|_, removal| now_s - removal.at_s < KEPT_S);
        if self.of.len() >= MOST
            && let Some(oldest) = self
                .of
                .iter()
                .min_by_key(|(_, removal)| removal.at_s)
                .map(|(key, _)| key.clone())
        {
            metrics::counter!("relay_removals_forgotten_total").increment(1);
            self.of.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_tokens_count_no_more_and_later_ones_do() {
        let mut removals = Removals::default();
        assert!(!removals.refuses("r", "anna", 0));
        removals.note("r", "anna", 100, 100);
        assert!(removals.refuses("r", "anna", 99));
        assert!(removals.refuses("r", "anna", i64::MIN));
        assert!(!removals.refuses("r", "anna", 100));
        assert!(!removals.refuses("r", "bert", 99));
        assert!(!removals.refuses("elsewhere", "anna", 99));
        removals.note("r", "anna", 50, 120);
        assert!(
            removals.refuses("r", "anna", 99),
            "a second removal takes nothing back"
        );
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let mut removals = Removals::default();
        for number in 0..MOST + 10 {
            let now_s = i64::try_from(number).unwrap();
            removals.note("r", &number.to_string(), now_s, now_s);
        }
        assert_eq!(removals.of.len(), MOST);
        assert!(!removals.refuses("r", "9", 0));
        assert!(removals.refuses("r", "10", 0));
        let a_day_later = KEPT_S + i64::try_from(MOST).unwrap() + 10;
        removals.note("r", "late", a_day_later, a_day_later);
        assert_eq!(removals.of.len(), 1);
    }
}
