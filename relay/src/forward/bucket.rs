//! A token bucket: so much a second, and what was not used of the last seconds at once.

use std::time::{Duration, Instant};

/// How long what is not used is kept: a key frame, or the pieces of a file, come at once.
const KEPT: Duration = Duration::from_secs(2);

/// See the module's text.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// In a second; 0 for no limit.
    rate: u64,
    /// What may be taken, in millionths.
    left: u128,
    filled: Instant,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn new(rate: u64, now: Instant) -> Self {
        Self {
            rate,
            left: u128::from(rate) * KEPT.as_micros(),
            filled: now,
        }
    }

    /// Takes so much out of it, if it is there.
    pub fn take(&mut self, amount: u64, now: Instant) -> bool {
        if self.rate == 0 {
            return true;
        }
        let passed = now.saturating_duration_since(self.filled).min(KEPT);
        self.filled = self.filled.max(now);
        let rate = u128::from(self.rate);
        self.left = (self.left + rate * passed.as_micros()).min(rate * KEPT.as_micros());
        let amount = u128::from(amount) * 1_000_000;
        let there = amount <= self.left;
        if there {
            self.left -= amount;
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::testing::at;

    fn taken(bucket: &mut Bucket, from: u64, ms: u64) -> usize {
        let times = from..from + ms;
        times.filter(|ms| bucket.take(1, at(*ms))).count()
    }

    #[test]
    fn so_much_a_second_and_what_was_left_at_once() {
        let mut bucket = Bucket::new(100, at(0));
        assert_eq!(
            taken(&mut bucket, 0, 1_000),
            299,
            "two seconds' worth at first"
        );
        assert_eq!(taken(&mut bucket, 1_000, 1_000), 100);
        assert_eq!(taken(&mut bucket, 60_000, 1_000), 299);
        assert!(!bucket.take(201, at(90_000)), "never more than it holds");
        assert!(bucket.take(200, at(90_000)));
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        let mut bucket = Bucket::new(0, at(0));
        assert!(bucket.take(u64::MAX, at(0)) && bucket.take(u64::MAX, at(0)));
    }
}
