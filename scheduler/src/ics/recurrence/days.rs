//! Which days a rule means.

use jiff::{
    Span, ToSpan,
    civil::{Date, Weekday},
};

use super::{Frequency, Rule};

impl Rule {
    /// The first day of the period that many steps after the one with the start; for periods of a day and longer.
    pub(super) fn period(&self, start: Date, step: i64) -> Option<Date> {
        let number = step.checked_mul(i64::from(self.interval))?;
        let (first, span) = match self.frequency {
            Frequency::Yearly => (start.first_of_year(), Span::new().try_years(number)),
            Frequency::Monthly => (start.first_of_month(), Span::new().try_months(number)),
            Frequency::Weekly => {
                let since = i64::from(start.weekday().since(self.week_start));
                let days = number.checked_mul(7)?.checked_sub(since)?;
                (start, Span::new().try_days(days))
            }
            _ => (start, Span::new().try_days(number)),
        };
        first.checked_add(span.ok()?).ok()
    }

    /// The stretches of days in a period that are worth a look, in order.
    pub(super) fn stretches(&self, period: Date) -> Vec<(Date, Date)> {
        match self.frequency {
            Frequency::Yearly if self.months.is_empty() => vec![(period, period.last_of_year())],
            Frequency::Yearly => {
                let months = self.months.as_slice().iter();
                months
                    .filter_map(|month| {
                        let first = Date::new(period.year(), i8::try_from(*month).ok()?, 1).ok()?;
                        Some((first, first.last_of_month()))
                    })
                    .collect()
            }
            Frequency::Monthly if self.months.have(period.month()) => {
                vec![(period, period.last_of_month())]
            }
            Frequency::Monthly => Vec::new(),
            Frequency::Weekly => {
                // The last week of the calendar ends with the calendar.
                vec![(period, period.checked_add(6.days()).unwrap_or(Date::MAX))]
            }
            _ => vec![(period, period)],
        }
    }

    /// Whether every part about days allows this one.
    pub(super) fn means(&self, day: Date) -> bool {
        self.months.have(day.month())
            && self
                .month_days
                .have_of(i16::from(day.day()), i16::from(day.days_in_month()))
            && self
                .year_days
                .have_of(day.day_of_year(), day.days_in_year())
            && self.means_week_of(day)
            && self.means_weekday_of(day)
    }

    fn means_week_of(&self, day: Date) -> bool {
        if self.weeks.is_empty() {
            return true;
        }
        week(day, self.week_start).is_none_or(|(week, weeks)| self.weeks.have_of(week, weeks))
    }

    fn means_weekday_of(&self, day: Date) -> bool {
        let among = |number: i16, all: i16| {
            let from_start = (number - 1) / 7 + 1;
            let from_end = -((all - number) / 7 + 1);
            move |which: i8| i16::from(which) == from_start || i16::from(which) == from_end
        };
        let of_month = among(i16::from(day.day()), i16::from(day.days_in_month()));
        let of_year = among(day.day_of_year(), day.days_in_year());
        let which_one = |which: i8| match self.frequency {
            Frequency::Monthly => of_month(which),
            Frequency::Yearly if !self.months.is_empty() => of_month(which),
            Frequency::Yearly if self.weeks.is_empty() => of_year(which),
            // A week has one of each.
            _ => true,
        };
        self.weekdays.is_empty()
            || self
                .weekdays
                .iter()
                .any(|(which, weekday)| day.weekday() == *weekday && which.is_none_or(which_one))
    }
}

/// The number of a day's week, and how many weeks that week's year has: the first is the one with four days in the
/// year. `None` at the calendar's ends.
fn week(day: Date, week_start: Weekday) -> Option<(i16, i16)> {
    let since = i64::from(day.weekday().since(week_start));
    // The fourth day of a week lies in its year.
    let middle = day
        .checked_add(Span::new().try_days(3 - since).ok()?)
        .ok()?;
    let number = (middle.day_of_year() - 1) / 7 + 1;
    let left = (middle.days_in_year() - middle.day_of_year()) / 7;
    Some((number, number + left))
}
