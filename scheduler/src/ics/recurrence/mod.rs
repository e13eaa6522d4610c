//! Recurrence rules (RFC 5545 §3.3.10), every part of them. Everything is civil time; no rule costs more than its
//! budget, whatever it says.

mod days;
mod numbers;
mod parse;
mod starts;
#[cfg(test)]
mod tests;

use jiff::{
    SignedDuration, Timestamp,
    civil::{DateTime, Weekday},
    tz::Offset,
};

use self::numbers::Numbers;
use super::value::When;

/// Steps that all rules of one calendar may take together: days and times looked at.
const BUDGET: u32 = 1_000_000;

/// What is left of the steps allowed.
#[derive(Debug)]
pub(super) struct Budget(u32);

impl Budget {
    pub(super) fn new() -> Self {
        Self(BUDGET)
    }

    /// Takes steps; `None` when they are used up.
    pub(super) fn spend(&mut self, steps: usize) -> Option<()> {
        self.0 = self.0.checked_sub(u32::try_from(steps).ok()?)?;
        Some(())
    }
}

/// Ordered from the shortest period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Frequency {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A rule as it is written. Parts that the standard forbids at a frequency, but other calendars write, limit what is
/// found like every other part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    frequency: Frequency,
    interval: i32,
    count: Option<u32>,
    until: Option<When>,
    months: Numbers,
    weeks: Numbers,
    year_days: Numbers,
    month_days: Numbers,
    /// With which one of the month or year, from 1, or from the end, from -1.
    weekdays: Vec<(Option<i8>, Weekday)>,
    hours: Numbers,
    minutes: Numbers,
    seconds: Numbers,
    positions: Numbers,
    week_start: Weekday,
}

impl Rule {
    /// The rule for whole days, for which parts about times are to be ignored.
    pub(super) fn of_whole_days(self) -> Self {
        Self {
            hours: Numbers::default(),
            minutes: Numbers::default(),
            seconds: Numbers::default(),
            ..self
        }
    }

    /// Whether the rule's `UNTIL` allows an instance at this civil time. Without its instant, a day is added
    /// to an `UNTIL` in UTC, for it may be any zone's.
    pub(super) fn holds_until(&self, civil: DateTime, at: Option<Timestamp>) -> bool {
        match (self.until, at) {
            (None, _) => true,
            (Some(When::Date(last)), _) => civil.date() <= last,
            (Some(When::Civil(last)), _) => civil <= last,
            (Some(When::Utc(last)), Some(at)) => at <= last,
            (Some(When::Utc(last)), None) => {
                let last = Offset::UTC.to_datetime(last);
                last.checked_add(SignedDuration::from_hours(24))
                    .is_ok_and(|last| civil <= last)
            }
        }
    }
}
