//! How much one address, one visit and the whole city may do.
//!
//! The memory of the limiters is bounded: keys that have been quiet are dropped every minute, and at
//! [`KEYS_KEPT`] keys new ones are refused until some are.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bridge::ids::{GuestId, ParticipantId, VisitId};
use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed, keyed::HashMapStateStore},
};
use serde::{Deserialize, Serialize};

use crate::state::{self, Shell};

/// A limiter remembers at most this many keys.
const KEYS_KEPT: usize = 100_000;

/// How often quiet keys are dropped.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// In the long run.
    pub per_minute: NonZeroU32,
    /// At once, after a quiet time.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A rate; zero is read as one.
    #[must_use]
    pub const fn new(per_minute: u32, burst: u32) -> Self {
        const fn at_least_one(number: u32) -> NonZeroU32 {
            match NonZeroU32::new(number) {
                Some(number) => number,
                None => NonZeroU32::MIN,
            }
        }
        Self {
            per_minute: at_least_one(per_minute),
            burst: at_least_one(burst),
        }
    }

    fn quota(self) -> Quota {
        Quota::per_minute(self.per_minute).allow_burst(self.burst)
    }
}

/// The limits of the public listener. An address is an IPv4 address or an IPv6 /64: a library or a
/// family home shares one, so the limits of addresses are generous.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Knocks from one address.
    pub knocks_per_address: Rate,
    /// Knocks in the whole city.
    pub knocks_city: Rate,
    /// Messages, files and ratings from one address.
    pub messages_per_address: Rate,
    /// Messages of one visit.
    pub messages_per_visit: Rate,
    /// Messages in the whole city.
    pub messages_city: Rate,
    /// Files of one visit.
    pub files_per_visit: Rate,
    /// Typing notices of one visit.
    pub typing_per_visit: Rate,
    /// Joinings of one visit's call, with those that renew it.
    pub calls_per_visit: Rate,
    /// Tokens for Matrix clients asked for from one address.
    pub tokens_per_address: Rate,
    /// Tokens for Matrix clients asked for in all: each asks a homeserver.
    pub tokens_in_all: Rate,
    /// Questions for free times from one address.
    pub slots_per_address: Rate,
    /// Times held or moved from one address.
    pub holds_per_address: Rate,
    /// Everything else about appointments from one address.
    pub bookings_per_address: Rate,
    /// Times that one address holds or has booked without confirming them, at once.
    pub places_per_address: u32,
    /// Event streams open at once from one address.
    pub streams_per_address: u32,
    /// Event streams open at once at one visit.
    pub streams_per_visit: u32,
    /// Files on their way in at once: each takes up to 11 MB of memory.
    pub uploads_at_once: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            knocks_per_address: Rate::new(10, 10),
            knocks_city: Rate::new(300, 60),
            messages_per_address: Rate::new(240, 120),
            messages_per_visit: Rate::new(40, 20),
            messages_city: Rate::new(3000, 600),
            files_per_visit: Rate::new(10, 10),
            typing_per_visit: Rate::new(60, 30),
            calls_per_visit: Rate::new(60, 30),
            tokens_per_address: Rate::new(120, 60),
            tokens_in_all: Rate::new(1200, 300),
            slots_per_address: Rate::new(120, 60),
            holds_per_address: Rate::new(10, 20),
            bookings_per_address: Rate::new(60, 60),
            places_per_address: 30,
            streams_per_address: 200,
            streams_per_visit: 12,
            uploads_at_once: 16,
        }
    }
}

/// What was limited; the label of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    KnocksOfAddress,
    KnocksOfCity,
    MessagesOfAddress,
    MessagesOfVisit,
    MessagesOfCity,
    FilesOfVisit,
    TypingOfVisit,
    CallsOfVisit,
    TokensOfAddress,
    TokensInAll,
    SlotsOfAddress,
    HoldsOfAddress,
    BookingsOfAddress,
    PlacesOfAddress,
    StreamsOfAddress,
    StreamsOfVisit,
    Uploads,
}

impl Limited {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::KnocksOfAddress => "knocks_per_address",
            Self::KnocksOfCity => "knocks_city",
            Self::MessagesOfAddress => "messages_per_address",
            Self::MessagesOfVisit => "messages_per_visit",
            Self::MessagesOfCity => "messages_city",
            Self::FilesOfVisit => "files_per_visit",
            Self::TypingOfVisit => "typing_per_visit",
            Self::CallsOfVisit => "calls_per_visit",
            Self::TokensOfAddress => "tokens_per_address",
            Self::TokensInAll => "tokens_in_all",
            Self::SlotsOfAddress => "slots_per_address",
            Self::HoldsOfAddress => "holds_per_address",
            Self::BookingsOfAddress => "bookings_per_address",
            Self::PlacesOfAddress => "places_per_address",
            Self::StreamsOfAddress => "streams_per_address",
            Self::StreamsOfVisit => "streams_per_visit",
            Self::Uploads => "uploads_at_once",
        }
    }
}

/// Over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverLimit {
    pub(crate) limit: Limited,
    /// When to try again.
    pub(crate) retry_after: Duration,
}

/// The shell's clock, as `governor` wants it.
#[derive(Clone)]
struct ShellClock(state::Clock);

impl Clock for ShellClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        (self.0)()
    }
}

/// One rate for each key.
struct Keyed<K: Hash + Eq + Clone> {
    limit: Limited,
    limiter: RateLimiter<K, HashMapStateStore<K>, ShellClock, NoOpMiddleware<Duration>>,
    clock: ShellClock,
    /// In milliseconds of the clock.
    swept_at: AtomicU64,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(limit: Limited, rate: Rate, clock: &ShellClock) -> Self {
        Self {
            limit,
            limiter: RateLimiter::hashmap_with_clock(rate.quota(), clock.clone()),
            clock: clock.clone(),
            swept_at: AtomicU64::new(0),
        }
    }

    fn check(&self, key: &K) -> Result<(), OverLimit> {
        self.sweep();
        if self.limiter.len() >= KEYS_KEPT {
            return Err(OverLimit {
                limit: self.limit,
                retry_after: SWEEP_EVERY,
            });
        }
        let now = self.clock.now();
        self.limiter.check_key(key).map_err(|until| OverLimit {
            limit: self.limit,
            retry_after: until.wait_time_from(now),
        })
    }

    fn sweep(&self) {
        let now = u64::try_from(self.clock.now().as_millis()).unwrap_or(u64::MAX);
        let before = self.swept_at.load(Ordering::Relaxed);
        let due = u128::from(now.saturating_sub(before)) >= SWEEP_EVERY.as_millis();
        // One of several callers wins; the others go on.
        if due
            && self
                .swept_at
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

/// One rate for all.
struct Whole {
    limit: Limited,
    limiter: RateLimiter<NotKeyed, InMemoryState, ShellClock, NoOpMiddleware<Duration>>,
    clock: ShellClock,
}

impl Whole {
    fn new(limit: Limited, rate: Rate, clock: &ShellClock) -> Self {
        Self {
            limit,
            limiter: RateLimiter::direct_with_clock(rate.quota(), clock.clone()),
            clock: clock.clone(),
        }
    }

    fn check(&self) -> Result<(), OverLimit> {
        let now = self.clock.now();
        self.limiter.check().map_err(|until| OverLimit {
            limit: self.limit,
            retry_after: until.wait_time_from(now),
        })
    }
}

/// A visit as its guest names it. A stranger who names somebody else's visit uses up nobody's quota.
type Seat = (GuestId, VisitId);

/// All limiters. The narrow limit is asked first, so that one address cannot use up the city's quota.
pub(crate) struct Limiter {
    knocks_per_address: Keyed<IpAddr>,
    knocks_city: Whole,
    messages_per_address: Keyed<IpAddr>,
    messages_per_visit: Keyed<Seat>,
    messages_city: Whole,
    files_per_visit: Keyed<Seat>,
    typing_per_visit: Keyed<Seat>,
    calls_per_visit: Keyed<Seat>,
    calls_per_participant: Keyed<(GuestId, ParticipantId)>,
    tokens_per_address: Keyed<IpAddr>,
    tokens_in_all: Whole,
    slots_per_address: Keyed<IpAddr>,
    holds_per_address: Keyed<IpAddr>,
    bookings_per_address: Keyed<IpAddr>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits, shell: &Shell) -> Self {
        let clock = &ShellClock(Arc::clone(&shell.clock));
        Self {
            knocks_per_address: Keyed::new(
                Limited::KnocksOfAddress,
                limits.knocks_per_address,
                clock,
            ),
            knocks_city: Whole::new(Limited::KnocksOfCity, limits.knocks_city, clock),
            messages_per_address: Keyed::new(
                Limited::MessagesOfAddress,
                limits.messages_per_address,
                clock,
            ),
            messages_per_visit: Keyed::new(
                Limited::MessagesOfVisit,
                limits.messages_per_visit,
                clock,
            ),
            messages_city: Whole::new(Limited::MessagesOfCity, limits.messages_city, clock),
            files_per_visit: Keyed::new(Limited::FilesOfVisit, limits.files_per_visit, clock),
            typing_per_visit: Keyed::new(Limited::TypingOfVisit, limits.typing_per_visit, clock),
            calls_per_visit: Keyed::new(Limited::CallsOfVisit, limits.calls_per_visit, clock),
            calls_per_participant: Keyed::new(Limited::CallsOfVisit, limits.calls_per_visit, clock),
            tokens_per_address: Keyed::new(
                Limited::TokensOfAddress,
                limits.tokens_per_address,
                clock,
            ),
            tokens_in_all: Whole::new(Limited::TokensInAll, limits.tokens_in_all, clock),
            slots_per_address: Keyed::new(Limited::SlotsOfAddress, limits.slots_per_address, clock),
            holds_per_address: Keyed::new(Limited::HoldsOfAddress, limits.holds_per_address, clock),
            bookings_per_address: Keyed::new(
                Limited::BookingsOfAddress,
                limits.bookings_per_address,
                clock,
            ),
        }
    }

    pub(crate) fn knock(&self, address: &IpAddr) -> Result<(), OverLimit> {
        self.knocks_per_address.check(address)?;
        self.knocks_city.check()
    }

    pub(crate) fn message(&self, address: &IpAddr, seat: &Seat) -> Result<(), OverLimit> {
        self.messages_per_address.check(address)?;
        self.messages_per_visit.check(seat)?;
        self.messages_city.check()
    }

    pub(crate) fn file(&self, address: &IpAddr, seat: &Seat) -> Result<(), OverLimit> {
        self.messages_per_address.check(address)?;
        self.files_per_visit.check(seat)?;
        self.messages_city.check()
    }

    pub(crate) fn typing(&self, seat: &Seat) -> Result<(), OverLimit> {
        self.typing_per_visit.check(seat)
    }

    pub(crate) fn call(&self, seat: &Seat) -> Result<(), OverLimit> {
        self.calls_per_visit.check(seat)
    }

    pub(crate) fn call_beside(&self, place: &(GuestId, ParticipantId)) -> Result<(), OverLimit> {
        self.calls_per_participant.check(place)
    }

    pub(crate) fn media_token(&self, address: &IpAddr) -> Result<(), OverLimit> {
        self.tokens_per_address.check(address)?;
        self.tokens_in_all.check()
    }

    pub(crate) fn slots(&self, address: &IpAddr) -> Result<(), OverLimit> {
        self.slots_per_address.check(address)
    }

    pub(crate) fn hold(&self, address: &IpAddr) -> Result<(), OverLimit> {
        self.holds_per_address.check(address)
    }

    pub(crate) fn booking(&self, address: &IpAddr) -> Result<(), OverLimit> {
        self.bookings_per_address.check(address)
    }

    pub(crate) fn rating(&self, address: &IpAddr) -> Result<(), OverLimit> {
        self.messages_per_address.check(address)
    }
}

/// Counts what is open at once, by key.
pub(crate) struct Open<K: Hash + Eq + Clone> {
    limit: Limited,
    max: u32,
    counts: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Hash + Eq + Clone> Open<K> {
    pub(crate) fn new(limit: Limited, max: u32) -> Self {
        Self {
            limit,
            max,
            counts: Arc::default(),
        }
    }

    /// One more, until the answer is dropped.
    pub(crate) fn enter(&self, key: K) -> Result<Opened<K>, OverLimit> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key.clone()).or_default();
        if *count >= self.max {
            return Err(OverLimit {
                limit: self.limit,
                // A page that vanished is noticed at the next keep-alive.
                retry_after: crate::sse::KEEP_ALIVE,
            });
        }
        *count += 1;
        Ok(Opened {
            counts: Arc::clone(&self.counts),
            key,
        })
    }
}

/// One that is open.
pub(crate) struct Opened<K: Hash + Eq> {
    counts: Arc<Mutex<HashMap<K, u32>>>,
    key: K,
}

impl<K: Hash + Eq> Drop for Opened<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_keys_are_forgotten() {
        let time = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&time);
        let clock = ShellClock(Arc::new(move || {
            Duration::from_secs(shown.load(Ordering::Relaxed))
        }));
        let keyed = Keyed::new(Limited::KnocksOfAddress, Rate::new(10, 2), &clock);
        for key in 0..50_u32 {
            keyed.check(&key).unwrap();
        }
        assert_eq!(keyed.limiter.len(), 50);
        time.store(120, Ordering::Relaxed);
        keyed.check(&7).unwrap();
        assert_eq!(keyed.limiter.len(), 1);
    }

    #[test]
    fn what_is_closed_makes_room() {
        let open = Open::new(Limited::StreamsOfVisit, 2);
        let first = open.enter("a").unwrap();
        let _second = open.enter("a").unwrap();
        assert!(open.enter("a").is_err());
        assert!(open.enter("b").is_ok());
        drop(first);
        assert!(open.enter("a").is_ok());
        assert_eq!(open.counts.lock().unwrap().len(), 1);
    }

    #[test]
    fn limits_are_read_with_defaults() {
        let limits: Limits =
            serde_json::from_str(r#"{"knocks_per_address": {"per_minute": 1000, "burst": 1000}}"#)
                .unwrap();
        assert_eq!(limits.knocks_per_address, Rate::new(1000, 1000));
        assert_eq!(
            limits.streams_per_visit,
            Limits::default().streams_per_visit
        );
    }
}
