//! A stretch of one civil day.

use std::{fmt, str::FromStr};

use jiff::civil::Time;

/// From `start` to `end` of one civil day; `end` is after `start`, and may be 24:00 written as midnight's `Time::MIN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Opens.
    pub start: Time,
    /// Closes.
    pub end: Time,
}

/// A text that is not a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeriod {
    /// Not of the form `HH:MM-HH:MM`, or no such time of day.
    #[error("is not a period; write it like \"08:00-12:00\"")]
    Form,
    /// The end is not after the start.
    #[error("ends before it begins; write the earlier time first, and the day's end as 24:00")]
    Order,
}

impl Period {
    /// The whole day, 00:00 to 24:00.
    pub const WHOLE_DAY: Self = Self {
        start: Time::MIN,
        end: Time::MIN,
    };

    /// Checks that `end` (with `Time::MIN` for 24:00) is after `start`.
    pub fn new(start: Time, end: Time) -> Result<Self, InvalidPeriod> {
        if end > start || end == Time::MIN {
            Ok(Self { start, end })
        } else {
            Err(InvalidPeriod::Order)
        }
    }

    /// Whether the wall clock's `time` lies inside. The end does not belong to the period.
    #[must_use]
    pub fn contains(&self, time: Time) -> bool {
        self.start <= time && (time < self.end || self.end == Time::MIN)
    }
}

/// The first pair of periods that share a time of day.
#[must_use]
pub fn overlap(periods: &[Period]) -> Option<(Period, Period)> {
    periods.iter().enumerate().find_map(|(index, one)| {
        periods[index + 1..]
            .iter()
            .find(|other| one.contains(other.start) || other.contains(one.start))
            .map(|other| (*one, *other))
    })
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end == Time::MIN {
            "24:00".to_owned()
        } else {
            self.end.strftime("%H:%M").to_string()
        };
        write!(f, "{}-{end}", self.start.strftime("%H:%M"))
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    /// Reads `08:00-12:00`; spaces and a dash (`–`) instead of the hyphen are understood, and 24:00 as the end.
    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let (start, end) = text
            .split_once(['-', '\u{2013}'])
            .ok_or(InvalidPeriod::Form)?;
        let end = match end.trim() {
            "24:00" => Time::MIN,
            end => match time(end).ok_or(InvalidPeriod::Form)? {
                Time::MIN => return Err(InvalidPeriod::Order),
                end => end,
            },
        };
        Self::new(time(start).ok_or(InvalidPeriod::Form)?, end)
    }
}

/// `8:00` or `08:00`; hours and minutes only.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |part: &str, least: usize| {
        ((least..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i8>().ok())
            .flatten()
    };
    Time::new(digits(hour, 1)?, digits(minute, 2)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, shown) in [
            ("08:00-12:00", "08:00-12:00"),
            ("8:00-12:30", "08:00-12:30"),
            (" 13:30 – 16:00 ", "13:30-16:00"),
            ("00:00-24:00", "00:00-24:00"),
            ("22:15-24:00", "22:15-24:00"),
        ] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), shown);
        }
        assert_eq!("0:00-24:00".parse(), Ok(Period::WHOLE_DAY));
    }

    #[test]
    fn refuses_what_is_no_period() {
        for text in [
            "",
            "-",
            "8-12",
            "08:00",
            "08:00-",
            "24:00-25:00",
            "08:60-09:00",
            "08:0-09:00",
            "+8:00-09:00",
            "08:00-12:00-14:00",
            "008:00-12:00",
            "٠٨:00-12:00",
        ] {
            assert_eq!(text.parse::<Period>(), Err(InvalidPeriod::Form), "{text}");
        }
        for text in ["12:00-08:00", "12:00-12:00", "22:00-00:00", "00:00-00:00"] {
            assert_eq!(text.parse::<Period>(), Err(InvalidPeriod::Order), "{text}");
        }
    }

    #[test]
    fn the_end_does_not_belong_to_the_period() {
        let period: Period = "08:00-12:00".parse().unwrap();
        let at = |hour, minute| Time::constant(hour, minute, 0, 0);
        assert!(!period.contains(at(7, 59)));
        assert!(period.contains(at(8, 0)));
        assert!(period.contains(at(11, 59)));
        assert!(!period.contains(at(12, 0)));
        assert!(Period::WHOLE_DAY.contains(Time::MIN) && Period::WHOLE_DAY.contains(Time::MAX));
    }

    #[test]
    fn overlaps_are_found_and_contiguous_periods_are_none() {
        let periods = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| text.parse().unwrap())
                .collect::<Vec<Period>>()
        };
        assert_eq!(overlap(&periods(&["08:00-12:00", "12:00-16:00"])), None);
        assert_eq!(overlap(&periods(&["13:00-24:00", "08:00-12:00"])), None);
        assert!(overlap(&periods(&["08:00-12:00", "11:59-16:00"])).is_some());
        assert!(overlap(&periods(&["13:00-14:00", "08:00-24:00"])).is_some());
        assert!(overlap(&periods(&["08:00-12:00", "13:00-14:00", "08:00-12:00"])).is_some());
    }
}
