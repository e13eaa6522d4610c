//! Reading a RECUR value.

use jiff::civil::Weekday;

use super::{Frequency, Numbers, Rule, When};

impl Rule {
    /// Reads a RECUR value; `None` for one that is wrong.
    pub(in crate::ics) fn parse(text: &str) -> Option<Self> {
        let mut frequency = None;
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Numbers::default(),
            weeks: Numbers::default(),
            year_days: Numbers::default(),
            month_days: Numbers::default(),
            weekdays: Vec::new(),
            hours: Numbers::default(),
            minutes: Numbers::default(),
            seconds: Numbers::default(),
            positions: Numbers::default(),
            week_start: Weekday::Monday,
        };
        let either_end = |value, most| Numbers::parse(value, |n| (1..=most).contains(&n.abs()));
        let clock = |value, last| Numbers::parse(value, |n| (0..=last).contains(&n));
        for part in text.trim().trim_end_matches(';').split(';') {
            let (key, value) = part.split_once('=')?;
            match key.to_ascii_uppercase().as_str() {
                "FREQ" => frequency = Some(Frequency::parse(value)?),
                "INTERVAL" => rule.interval = value.parse().ok().filter(|n| *n > 0)?,
                "COUNT" => rule.count = Some(value.parse().ok()?),
                "UNTIL" => rule.until = Some(When::parse(value)?),
                "BYMONTH" => rule.months = Numbers::parse(value, |n| (1..=12).contains(&n))?,
                "BYWEEKNO" => rule.weeks = either_end(value, 53)?,
                "BYYEARDAY" => rule.year_days = either_end(value, 366)?,
                "BYMONTHDAY" => rule.month_days = either_end(value, 31)?,
                "BYDAY" => {
                    rule.weekdays = value.split(',').map(weekday).collect::<Option<_>>()?;
                    if rule.weekdays.len() > 64 {
                        return None;
                    }
                }
                "BYHOUR" => rule.hours = clock(value, 23)?,
                "BYMINUTE" => rule.minutes = clock(value, 59)?,
                // 60 is a leap second.
                "BYSECOND" => rule.seconds = clock(value, 60)?,
                "BYSETPOS" => rule.positions = either_end(value, 366)?,
                "WKST" => rule.week_start = weekday(value)?.1,
                _ => return None,
            }
        }
        rule.frequency = frequency?;
        Some(rule)
    }
}

impl Frequency {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "SECONDLY" => Self::Secondly,
            "MINUTELY" => Self::Minutely,
            "HOURLY" => Self::Hourly,
            "DAILY" => Self::Daily,
            "WEEKLY" => Self::Weekly,
            "MONTHLY" => Self::Monthly,
            "YEARLY" => Self::Yearly,
            _ => return None,
        })
    }
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
                .filter(|n: &i8| (1..=53).contains(&n.unsigned_abs()))?,
        ),
    };
    Some((which, weekday))
}
