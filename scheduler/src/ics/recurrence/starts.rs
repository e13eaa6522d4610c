//! When a rule's instances begin.

use std::ops::RangeInclusive;

use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, DateTime, Time},
    tz::Offset,
};

use super::{Budget, Frequency, Numbers, Rule, When};

impl Rule {
    /// The starts within `window`, in order. `start` always is one, and counts as the first.
    /// `None` when the budget does not suffice. What `UNTIL` allows is to be asked for each.
    pub(in crate::ics) fn starts(
        &self,
        start: DateTime,
        window: RangeInclusive<DateTime>,
        budget: &mut Budget,
    ) -> Option<Vec<DateTime>> {
        let rule = self.completed(start);
        let from = match self.count {
            Some(_) => start,
            None => start.max(*window.start()),
        };
        let last = self.last(*window.end());
        let mut found = Found {
            start,
            limit: self.count.unwrap_or(u32::MAX),
            counted: 0,
            window,
            starts: Vec::new(),
        };
        found.keep(start);
        match rule.unit() {
            Some(unit) => rule.by_clock(unit, from, last, &mut found, budget)?,
            None => rule.by_calendar(from.date(), last, &mut found, budget)?,
        }
        Some(found.starts)
    }

    /// The rule with what it leaves to its start.
    fn completed(&self, start: DateTime) -> Self {
        let mut rule = self.clone();
        let Self {
            frequency,
            month_days,
            year_days,
            weeks,
            weekdays,
            ..
        } = self;
        if month_days.is_empty() && year_days.is_empty() && weekdays.is_empty() {
            match frequency {
                Frequency::Yearly if weeks.is_empty() => {
                    rule.month_days = Numbers::only(start.day());
                    if rule.months.is_empty() {
                        rule.months = Numbers::only(start.month());
                    }
                }
                Frequency::Yearly | Frequency::Weekly => {
                    rule.weekdays = vec![(None, start.weekday())];
                }
                Frequency::Monthly => rule.month_days = Numbers::only(start.day()),
                _ => {}
            }
        }
        for (numbers, of_start, shorter) in [
            (&mut rule.hours, start.hour(), Frequency::Hourly),
            (&mut rule.minutes, start.minute(), Frequency::Minutely),
            (&mut rule.seconds, start.second(), Frequency::Secondly),
        ] {
            if *frequency > shorter && numbers.is_empty() {
                *numbers = Numbers::only(of_start);
            }
        }
        rule
    }

    /// Nothing after it is of interest: the window's end, or a day more than `UNTIL` says, whatever zone it means.
    fn last(&self, end: DateTime) -> DateTime {
        let until = match self.until {
            None => return end,
            Some(When::Date(date)) => date.at(0, 0, 0, 0),
            Some(When::Civil(civil)) => civil,
            Some(When::Utc(at)) => Offset::UTC.to_datetime(at),
        };
        let until = until.checked_add(SignedDuration::from_hours(48));
        until.map_or(end, |until| until.min(end))
    }

    /// How many seconds lie between two periods, if they are shorter than a day.
    fn unit(&self) -> Option<i64> {
        let seconds = match self.frequency {
            Frequency::Secondly => 1,
            Frequency::Minutely => 60,
            Frequency::Hourly => 3_600,
            _ => return None,
        };
        Some(seconds * i64::from(self.interval))
    }

    /// Periods of a day and longer: their days, at each of their times.
    fn by_calendar(
        &self,
        from: Date,
        last: DateTime,
        found: &mut Found,
        budget: &mut Budget,
    ) -> Option<()> {
        let start = found.start.date();
        let times = self.times(None);
        budget.spend(times.len())?;
        let mut step = self.periods_before(start, from);
        while found.wants_more() {
            let Some(period) = self
                .period(start, step)
                .filter(|period| *period <= last.date())
            else {
                break;
            };
            budget.spend(1)?;
            let mut starts = Vec::new();
            for (first, end) in self.stretches(period) {
                for day in first.series(1.day()).take_while(|day| *day <= end) {
                    budget.spend(1)?;
                    if self.means(day) {
                        budget.spend(times.len())?;
                        starts.extend(times.iter().map(|time| day.to_datetime(*time)));
                    }
                }
            }
            self.choose(starts, found, budget)?;
            step += 1;
        }
        Some(())
    }

    /// Shorter periods, past those that lie in a day, hour or minute that is not meant.
    fn by_clock(
        &self,
        unit: i64,
        from: DateTime,
        last: DateTime,
        found: &mut Found,
        budget: &mut Budget,
    ) -> Option<()> {
        let base = match self.frequency {
            Frequency::Hourly => found.start.with().minute(0).second(0).build().ok()?,
            Frequency::Minutely => found.start.with().second(0).build().ok()?,
            _ => found.start,
        };
        let base_second = second(base)?;
        let last = second(last)?;
        let mut step = (second(from)? - base_second).max(0) / unit;
        while found.wants_more() {
            let at = base_second.checked_add(step.checked_mul(unit)?)?;
            if at > last {
                break;
            }
            budget.spend(1)?;
            let civil = base
                .checked_add(SignedDuration::from_secs(at - base_second))
                .ok()?;
            if let Some(length) = self.not_meant(civil) {
                let next = at - at.rem_euclid(length) + length;
                step = (next - base_second + unit - 1) / unit;
                continue;
            }
            let times = self.times(Some(civil.time()));
            budget.spend(times.len())?;
            let starts = times.iter().map(|time| civil.date().to_datetime(*time));
            self.choose(starts.collect(), found, budget)?;
            step += 1;
        }
        Some(())
    }

    /// How many seconds the day, hour, minute or second has in which nothing is meant, if this is in one.
    fn not_meant(&self, civil: DateTime) -> Option<i64> {
        if !self.means(civil.date()) {
            Some(86_400)
        } else if !self.hours.have(civil.hour()) {
            Some(3_600)
        } else if self.frequency < Frequency::Hourly && !self.minutes.have(civil.minute()) {
            Some(60)
        } else if self.frequency < Frequency::Minutely && !self.seconds.have(civil.second()) {
            Some(1)
        } else {
            None
        }
    }

    /// The times of a day in order, or those in the hour, minute or second that begins at `period`.
    fn times(&self, period: Option<Time>) -> Vec<Time> {
        let given = |numbers: &Numbers, fixed: Option<i8>| -> Vec<i8> {
            let listed = numbers.as_slice().iter().filter(|_| fixed.is_none());
            let listed = listed.filter_map(|number| i8::try_from(*number).ok());
            fixed.into_iter().chain(listed).collect()
        };
        let hours = given(&self.hours, period.map(Time::hour));
        let within = |longest| period.filter(|_| self.frequency <= longest);
        let minutes = given(&self.minutes, within(Frequency::Minutely).map(Time::minute));
        let seconds = given(&self.seconds, within(Frequency::Secondly).map(Time::second));
        let mut times = Vec::new();
        for hour in hours {
            for minute in &minutes {
                // There is no leap second on these clocks.
                times.extend(
                    seconds
                        .iter()
                        .filter_map(|second| Time::new(hour, *minute, *second, 0).ok()),
                );
            }
        }
        times
    }

    /// How many whole periods lie before a day for sure.
    fn periods_before(&self, start: Date, day: Date) -> i64 {
        let days = day.duration_since(start).as_hours() / 24;
        let years = i64::from(day.year()) - i64::from(start.year());
        let months = years * 12 + i64::from(day.month()) - i64::from(start.month());
        let units = match self.frequency {
            Frequency::Yearly => years,
            Frequency::Monthly => months,
            Frequency::Weekly => days / 7,
            _ => days,
        };
        (units / i64::from(self.interval) - 1).max(0)
    }

    /// Keeps the starts of one period, or those at the positions that the rule names.
    fn choose(&self, starts: Vec<DateTime>, found: &mut Found, budget: &mut Budget) -> Option<()> {
        if self.positions.is_empty() {
            for start in starts {
                found.keep_later(start);
            }
            return Some(());
        }
        let positions = self.positions.as_slice();
        budget.spend(positions.len())?;
        let mut places: Vec<usize> = positions
            .iter()
            .filter_map(|position| {
                let from_either = usize::from(position.unsigned_abs());
                if *position > 0 {
                    from_either.checked_sub(1)
                } else {
                    starts.len().checked_sub(from_either)
                }
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            if let Some(start) = starts.get(place) {
                found.keep_later(*start);
            }
        }
        Some(())
    }
}

/// What has been found so far.
struct Found {
    start: DateTime,
    limit: u32,
    counted: u32,
    window: RangeInclusive<DateTime>,
    starts: Vec<DateTime>,
}

impl Found {
    fn wants_more(&self) -> bool {
        self.counted < self.limit
    }

    fn keep_later(&mut self, start: DateTime) {
        if start > self.start {
            self.keep(start);
        }
    }

    fn keep(&mut self, start: DateTime) {
        if self.wants_more() && self.window.contains(&start) {
            self.starts.push(start);
        }
        self.counted = self.counted.saturating_add(1);
    }
}

/// Counts the seconds of civil time; days, hours and minutes begin at multiples.
fn second(civil: DateTime) -> Option<i64> {
    let at = Offset::UTC.to_timestamp(civil).ok()?;
    Some(at.as_second())
}
