//! Recurrence rules (RFC 5545 §3.3.10) as far as calendars of people use them: daily to yearly, by month, day
//! of the month, weekday and position. Everything is civil dates; a rule never costs more than its budget.

use std::ops::RangeInclusive;

use jiff::{
    SignedDuration, Span, Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::Offset,
};

use super::value::When;

/// Steps that all rules of one calendar may take together.
const BUDGET: u32 = 400_000;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A rule that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    frequency: Frequency,
    interval: i32,
    count: Option<u32>,
    until: Option<When>,
    months: Vec<i8>,
    month_days: Vec<i8>,
    /// With which one of the month or year, from 1, or from the end, from -1.
    weekdays: Vec<(Option<i8>, Weekday)>,
    positions: Vec<i16>,
    week_start: Weekday,
}

impl Rule {
    /// Reads a RECUR value; `None` for one that is wrong or uses what is not understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            month_days: Vec::new(),
            weekdays: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Monday,
        };
        let mut has_frequency = false;
        for part in text.trim().trim_end_matches(';').split(';') {
            let (key, value) = part.split_once('=')?;
            match key.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    has_frequency = true;
                    rule.frequency = match value.to_ascii_uppercase().as_str() {
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return None,
                    };
                }
                "INTERVAL" => rule.interval = value.parse().ok().filter(|n| *n > 0)?,
                "COUNT" => rule.count = Some(value.parse().ok()?),
                "UNTIL" => rule.until = Some(When::parse(value)?),
                "BYMONTH" => rule.months = numbers(value, |n: &i8| (1..=12).contains(n))?,
                "BYMONTHDAY" => {
                    rule.month_days = numbers(value, |n: &i8| (1..=31).contains(&n.abs()))?;
                }
                "BYSETPOS" => {
                    rule.positions = numbers(value, |n: &i16| (1..=366).contains(&n.abs()))?;
                }
                "BYDAY" => {
                    rule.weekdays = value.split(',').map(weekday).collect::<Option<_>>()?;
                    if rule.weekdays.len() > 64 {
                        return None;
                    }
                }
                "WKST" => rule.week_start = weekday(value)?.1,
                _ => return None,
            }
        }
        has_frequency.then_some(rule)
    }

    /// The dates of the rule within `window`, in order. `start` always is one, and counts as the first.
    /// `None` when the budget does not suffice.
    pub(super) fn dates(
        &self,
        start: Date,
        window: RangeInclusive<Date>,
        budget: &mut Budget,
    ) -> Option<Vec<Date>> {
        let mut found = Vec::new();
        let mut counted: u32 = 0;
        let limit = self.count.unwrap_or(u32::MAX);
        let mut keep = |date: Date, counted: &mut u32| {
            if *counted < limit && window.contains(&date) {
                found.push(date);
            }
            *counted = counted.saturating_add(1);
        };
        keep(start, &mut counted);
        let mut step = if self.count.is_some() {
            0
        } else {
            self.periods_to_skip(start, *window.start())
        };
        while counted < limit {
            let Some(period) = self.period(start, step) else {
                break;
            };
            if period > *window.end() {
                break;
            }
            let dates = self.dates_of(start, period);
            budget.spend(dates.len() + 1)?;
            for date in dates.into_iter().filter(|date| *date > start) {
                keep(date, &mut counted);
            }
            step = step.checked_add(1)?;
        }
        Some(found)
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

    /// How many whole periods lie before the window for sure.
    fn periods_to_skip(&self, start: Date, window: Date) -> i32 {
        let days = window.duration_since(start).as_hours() / 24;
        let years = i64::from(window.year()) - i64::from(start.year());
        let months = years * 12 + i64::from(window.month()) - i64::from(start.month());
        let units = match self.frequency {
            Frequency::Daily => days,
            Frequency::Weekly => days / 7,
            Frequency::Monthly => months,
            Frequency::Yearly => years,
        };
        let periods = units / i64::from(self.interval) - 1;
        i32::try_from(periods.max(0)).unwrap_or(0)
    }

    /// The first day of the period that many steps after the one with the start.
    fn period(&self, start: Date, step: i32) -> Option<Date> {
        let number = i64::from(step) * i64::from(self.interval);
        match self.frequency {
            Frequency::Daily => start.checked_add(Span::new().try_days(number).ok()?).ok(),
            Frequency::Weekly => {
                let since = i64::from(start.weekday().since(self.week_start));
                start
                    .checked_add(Span::new().try_days(number.checked_mul(7)? - since).ok()?)
                    .ok()
            }
            Frequency::Monthly => start
                .first_of_month()
                .checked_add(Span::new().try_months(number).ok()?)
                .ok(),
            Frequency::Yearly => start
                .first_of_year()
                .checked_add(Span::new().try_years(number).ok()?)
                .ok(),
        }
    }

    /// The dates of one period, ordered, before and after the start alike.
    fn dates_of(&self, start: Date, period: Date) -> Vec<Date> {
        let mut dates = match self.frequency {
            Frequency::Daily => vec![period],
            Frequency::Weekly => (0..7)
                .filter_map(|day| period.checked_add(day.days()).ok())
                .filter(|date| match self.weekdays.as_slice() {
                    [] => date.weekday() == start.weekday(),
                    some => some.iter().any(|(_, weekday)| *weekday == date.weekday()),
                })
                .collect(),
            Frequency::Monthly => self.of_month(period, start.day()),
            Frequency::Yearly => self.of_year(period, start),
        };
        dates.retain(|date| {
            let month = self.months.is_empty() || self.months.contains(&date.month());
            let daily = self.frequency == Frequency::Daily;
            let day = !daily || self.month_days.is_empty() || self.is_month_day(*date);
            let weekday = !daily
                || self.weekdays.is_empty()
                || self.weekdays.iter().any(|(_, one)| *one == date.weekday());
            month && day && weekday
        });
        dates.sort_unstable();
        dates.dedup();
        if self.positions.is_empty() {
            return dates;
        }
        let mut chosen: Vec<Date> = self
            .positions
            .iter()
            .filter_map(|position| nth(&dates, i32::from(*position)))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn of_year(&self, year: Date, start: Date) -> Vec<Date> {
        let by_month = !self.months.is_empty() || !self.month_days.is_empty();
        if by_month {
            let months: Vec<i8> = match self.months.as_slice() {
                [] => (1..=12).collect(),
                some => some.to_vec(),
            };
            return months
                .into_iter()
                .filter_map(|month| Date::new(year.year(), month, 1).ok())
                .flat_map(|month| self.of_month(month, start.day()))
                .collect();
        }
        if self.weekdays.is_empty() {
            return Date::new(year.year(), start.month(), start.day())
                .into_iter()
                .collect();
        }
        self.by_weekday(year, year.last_of_year())
    }

    fn of_month(&self, month: Date, usual_day: i8) -> Vec<Date> {
        let last = month.last_of_month();
        if !self.month_days.is_empty() {
            return days(month, last)
                .filter(|date| self.is_month_day(*date))
                .filter(|date| {
                    self.weekdays.is_empty()
                        || self.weekdays.iter().any(|(_, one)| *one == date.weekday())
                })
                .collect();
        }
        if self.weekdays.is_empty() {
            return Date::new(month.year(), month.month(), usual_day)
                .into_iter()
                .collect();
        }
        self.by_weekday(month, last)
    }

    fn by_weekday(&self, first: Date, last: Date) -> Vec<Date> {
        let mut found = Vec::new();
        for (which, weekday) in &self.weekdays {
            let all: Vec<Date> = days(first, last)
                .filter(|date| date.weekday() == *weekday)
                .collect();
            match which {
                None => found.extend(all),
                Some(which) => found.extend(nth(&all, i32::from(*which))),
            }
        }
        found
    }

    fn is_month_day(&self, date: Date) -> bool {
        let from_end = date.day() - date.days_in_month() - 1;
        self.month_days
            .iter()
            .any(|day| *day == date.day() || *day == from_end)
    }
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(1.day()).take_while(move |date| *date <= last)
}

/// The nth from 1, or from the end, from -1.
fn nth(dates: &[Date], which: i32) -> Option<Date> {
    let index = usize::try_from(which.unsigned_abs()).ok()?.checked_sub(1)?;
    if which > 0 {
        dates.get(index).copied()
    } else {
        dates.iter().rev().nth(index).copied()
    }
}

fn numbers<T: std::str::FromStr>(text: &str, good: impl Fn(&T) -> bool) -> Option<Vec<T>> {
    let numbers: Vec<T> = text
        .split(',')
        .take(367)
        .map(|number| {
            number
                .strip_prefix('+')
                .unwrap_or(number)
                .parse()
                .ok()
                .filter(&good)
        })
        .collect::<Option<_>>()?;
    (numbers.len() <= 366).then_some(numbers)
}

/// `MO`, `-1SU`, `2TU`.
fn weekday(text: &str) -> Option<(Option<i8>, Weekday)> {
    let (which, day) = text
        .trim()
        .split_at_checked(text.trim().len().checked_sub(2)?)?;
    let weekday = match day.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    let which = match which {
        "" => None,
        which => Some(
            which
                .strip_prefix('+')
                .unwrap_or(which)
                .parse()
                .ok()
                .filter(|n: &i8| (1..=53).contains(&n.abs()))?,
        ),
    };
    Some((which, weekday))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn dates(rule: &str, start: Date, first: Date, last: Date) -> Vec<String> {
        Rule::parse(rule)
            .unwrap()
            .dates(start, first..=last, &mut Budget::new())
            .unwrap()
            .into_iter()
            .map(|date| date.to_string())
            .collect()
    }

    /// The examples of RFC 5545 §3.8.5.3, as far as they are understood here.
    #[test]
    fn examples_of_the_standard_by_week_and_month() {
        let start = date(1997, 9, 2);
        let until = date(1998, 3, 31);
        let of = |rule| dates(rule, start, start, until);
        assert_eq!(
            of("FREQ=DAILY;COUNT=3"),
            ["1997-09-02", "1997-09-03", "1997-09-04"]
        );
        assert_eq!(
            of("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,TH"),
            ["1997-09-02", "1997-09-04", "1997-09-16", "1997-09-18"]
        );
        assert_eq!(
            dates(
                "FREQ=MONTHLY;COUNT=4;BYDAY=1FR",
                date(1997, 9, 5),
                start,
                until
            ),
            ["1997-09-05", "1997-10-03", "1997-11-07", "1997-12-05"]
        );
        assert_eq!(
            dates(
                "FREQ=MONTHLY;BYMONTHDAY=-3",
                date(1997, 9, 28),
                start,
                date(1997, 12, 31)
            ),
            ["1997-09-28", "1997-10-29", "1997-11-28", "1997-12-29"]
        );
        assert_eq!(
            dates(
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
                date(1997, 9, 29),
                start,
                date(1997, 11, 30)
            ),
            ["1997-09-29", "1997-10-30", "1997-11-27"]
        );
    }

    #[test]
    fn examples_of_the_standard_by_year_and_week_start() {
        let (start, until) = (date(1997, 9, 2), date(1998, 3, 31));
        assert_eq!(
            dates(
                "FREQ=YEARLY;BYDAY=20MO",
                date(1997, 5, 19),
                date(1997, 1, 1),
                date(1999, 12, 31)
            ),
            ["1997-05-19", "1998-05-18", "1999-05-17"]
        );
        assert_eq!(
            dates(
                "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
                date(1996, 11, 5),
                date(1996, 1, 1),
                date(2005, 1, 1)
            ),
            ["1996-11-05", "2000-11-07", "2004-11-02"]
        );
        assert_eq!(
            dates(
                "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
                start,
                start,
                date(1999, 1, 1)
            ),
            ["1997-09-02", "1998-02-13", "1998-03-13", "1998-11-13"]
        );
        // The week's start decides which weeks are left out.
        let august = date(1997, 8, 5);
        assert_eq!(
            dates(
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
                august,
                august,
                until
            ),
            ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]
        );
        assert_eq!(
            dates(
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
                august,
                august,
                until
            ),
            ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]
        );
        // A day that a month or year does not have is left out.
        assert_eq!(
            dates(
                "FREQ=MONTHLY;COUNT=3",
                date(2026, 1, 31),
                date(2026, 1, 1),
                date(2027, 1, 1)
            ),
            ["2026-01-31", "2026-03-31", "2026-05-31"]
        );
        assert_eq!(
            dates(
                "FREQ=YEARLY",
                date(2024, 2, 29),
                date(2025, 1, 1),
                date(2030, 1, 1)
            ),
            ["2028-02-29"]
        );
    }

    #[test]
    fn a_distant_window_costs_as_little_as_a_near_one() {
        let near = date(2026, 12, 1)..=date(2026, 12, 14);
        for (rule, expected) in [
            ("FREQ=DAILY;INTERVAL=3", 5),
            ("FREQ=WEEKLY;BYDAY=MO,WE", 4),
            ("FREQ=MONTHLY;BYDAY=2TU", 1),
            ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=6", 1),
        ] {
            let mut budget = Budget(40);
            let found = Rule::parse(rule)
                .unwrap()
                .dates(date(1, 1, 1), near.clone(), &mut budget);
            assert_eq!(found.map(|dates| dates.len()), Some(expected), "{rule}");
        }
    }

    #[test]
    fn a_bomb_runs_out_of_budget() {
        let window = date(2026, 1, 1)..=date(2026, 12, 31);
        let rule = Rule::parse("FREQ=DAILY;COUNT=4000000000").unwrap();
        let mut budget = Budget(100_000);
        assert_eq!(rule.dates(date(1, 1, 1), window.clone(), &mut budget), None);
        // What never comes ends with the window.
        let rule = Rule::parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2").unwrap();
        assert_eq!(
            rule.dates(date(2020, 1, 1), window, &mut Budget::new()),
            Some(Vec::new())
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "FREQ",
            "FREQ=",
            "FREQ=SECONDLY",
            "FREQ=HOURLY",
            "COUNT=2",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=-1",
            "FREQ=DAILY;COUNT=-1",
            "FREQ=DAILY;BYHOUR=9",
            "FREQ=YEARLY;BYWEEKNO=1",
            "FREQ=DAILY;BYDAY=",
            "FREQ=DAILY;BYDAY=Ä",
            "FREQ=DAILY;BYDAY=99MO",
            "FREQ=DAILY;BYMONTH=13",
            "FREQ=DAILY;BYMONTHDAY=0",
            "FREQ=DAILY;UNTIL=tomorrow",
            "FREQ=MONTHLY;BYSETPOS=0",
        ] {
            assert_eq!(Rule::parse(text), None, "{text}");
        }
    }
}
