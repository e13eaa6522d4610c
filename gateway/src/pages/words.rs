//! Texts of one language, and how times, spans and dates are said in it.

use bridge::{ids::Language, office::WaitRange};
use jiff::{Timestamp, civil::Date, civil::Time, civil::Weekday, tz::TimeZone};
use scheduler::Period;
use texts::{Args, Catalogue, Value};

/// Texts of one language, for an office or city in one zone.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    texts: &'a Catalogue,
    pub(super) language: Language,
    zone: &'a TimeZone,
}

impl<'a> Words<'a> {
    pub(crate) fn new(texts: &'a Catalogue, language: Language, zone: &'a TimeZone) -> Self {
        Self {
            texts,
            language,
            zone,
        }
    }

    /// The text `key`, which has no variables.
    pub(super) fn t(&self, key: &str) -> String {
        self.texts.text(self.language, key, None)
    }

    /// The text `key` with one variable that is a text itself.
    pub(super) fn t1(&self, key: &str, name: &str, value: &str) -> String {
        self.with(key, [(name, Value::from(value))])
    }

    /// The text `key` for the number `count`.
    pub(super) fn n(&self, key: &str, count: impl Into<u32>) -> String {
        self.with(key, [("count", number(count.into()))])
    }

    /// The text `key` with variables.
    pub(super) fn with<'v, const N: usize>(
        &self,
        key: &str,
        variables: [(&'v str, Value<'v>); N],
    ) -> String {
        let mut args = Args::with_capacity(N);
        for (name, value) in variables {
            args.set(name, value);
        }
        self.texts.text(self.language, key, Some(&args))
    }

    /// A title for the browser's tab: `Fundbüro · Dormagen`.
    pub(super) fn title(&self, title: &str, city: &str) -> String {
        self.with(
            "page-title",
            [("title", Value::from(title)), ("city", Value::from(city))],
        )
    }

    /// How long one waits, as a person would say it: whole minutes, coarser the longer it takes.
    pub(super) fn wait(&self, range: WaitRange) -> String {
        let low = coarse_minutes(range.low, Rounding::Down);
        let high = coarse_minutes(range.high, Rounding::Up).max(1);
        if low >= 120 {
            return self.with("time-wait-hours", [("hours", number(low / 60))]);
        }
        if low == 0 {
            return self.with("time-wait-up-to", [("high", number(high))]);
        }
        if low >= high {
            return self.with("time-wait-about", [("high", number(high))]);
        }
        self.with(
            "time-wait-range",
            [("low", number(low)), ("high", number(high))],
        )
    }

    /// When something is, as seen from the day `today`: `morgen um 8:00 Uhr`.
    pub(super) fn moment(&self, at: Timestamp, today: Date) -> String {
        let at = at.to_zoned(self.zone.clone());
        let time = clock(at.time());
        let days = (at.date() - today).get_days();
        let weekday = self.weekday(at.date().weekday());
        match days {
            0 => self.t1("time-today", "time", &time),
            1 => self.t1("time-tomorrow", "time", &time),
            2..=6 => self.with(
                "time-weekday",
                [
                    ("weekday", Value::from(weekday)),
                    ("time", Value::from(time)),
                ],
            ),
            _ => self.with(
                "time-date",
                [
                    ("weekday", Value::from(weekday)),
                    ("day", Value::from(at.day().to_string())),
                    ("month", Value::from(self.month(at.date()))),
                    ("time", Value::from(time)),
                ],
            ),
        }
    }

    /// A day: `Donnerstag, 24. Dezember`.
    pub(crate) fn day(&self, day: Date) -> String {
        self.with(
            "time-day",
            [
                ("weekday", Value::from(self.weekday(day.weekday()))),
                ("day", Value::from(day.day().to_string())),
                ("month", Value::from(self.month(day))),
            ],
        )
    }

    /// The time of day of an instant: `16:30`.
    pub(super) fn time(&self, at: Timestamp) -> String {
        clock(at.to_zoned(self.zone.clone()).time())
    }

    /// The open periods of a day: `8:00 bis 12:00 Uhr und 13:30 bis 16:00 Uhr`; `None` if there is none.
    pub(super) fn periods(&self, periods: &[Period]) -> Option<String> {
        periods
            .iter()
            .map(|period| {
                self.with(
                    "time-period",
                    [
                        ("from", Value::from(clock(period.start))),
                        ("to", Value::from(closing(period.end))),
                    ],
                )
            })
            .reduce(|first, second| {
                self.with(
                    "time-and",
                    [
                        ("first", Value::from(first)),
                        ("second", Value::from(second)),
                    ],
                )
            })
    }

    /// The name of a weekday.
    pub(super) fn weekday(&self, weekday: Weekday) -> String {
        self.t(&format!("weekday-{}", weekday.to_monday_one_offset()))
    }

    fn month(&self, date: Date) -> String {
        self.t(&format!("month-{}", date.month()))
    }
}

/// A whole number as Fluent takes it.
fn number(count: u32) -> Value<'static> {
    Value::from(count)
}

fn clock(time: Time) -> String {
    format!("{}:{:02}", time.hour(), time.minute())
}

/// The end of a period: midnight ends the day and does not begin it.
fn closing(end: Time) -> String {
    if end == Time::MIN {
        "24:00".to_owned()
    } else {
        clock(end)
    }
}

#[derive(Clone, Copy)]
enum Rounding {
    Down,
    Up,
}

/// Seconds as minutes: exact up to ten, then in steps of five, from an hour on in steps of fifteen.
fn coarse_minutes(seconds: u32, rounding: Rounding) -> u32 {
    let minutes = match rounding {
        Rounding::Down => seconds / 60,
        Rounding::Up => seconds.div_ceil(60),
    };
    let step = match minutes {
        0..10 => 1,
        10..60 => 5,
        _ => 15,
    };
    match rounding {
        Rounding::Down => minutes / step * step,
        Rounding::Up => minutes.div_ceil(step) * step,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn said<T>(say: impl Fn(&Words) -> T) -> [T; 2] {
        let texts = Catalogue::load();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Language::ALL.map(|language| say(&Words::new(&texts, language, &zone)))
    }

    fn wait(low: u32, high: u32) -> [String; 2] {
        said(|words| words.wait(WaitRange { low, high }))
    }

    #[test]
    fn waits_are_said_in_whole_coarse_minutes() {
        assert_eq!(
            wait(310, 840),
            ["etwa 5 bis 15 Minuten", "about 5 to 15 minutes"]
        );
        assert_eq!(wait(0, 0), ["höchstens eine Minute", "one minute at most"]);
        assert_eq!(wait(20, 400), ["bis zu 7 Minuten", "up to 7 minutes"]);
        assert_eq!(wait(300, 300), ["etwa 5 Minuten", "about 5 minutes"]);
        assert_eq!(
            wait(3_700, 6_300),
            ["etwa 60 bis 105 Minuten", "about 60 to 105 minutes"]
        );
        assert_eq!(wait(9_000, 20_000), ["über 2 Stunden", "more than 2 hours"]);
        assert_eq!(wait(u32::MAX, u32::MAX)[0], "über 1193046 Stunden");
    }

    #[test]
    fn moments_are_said_as_seen_from_the_offices_day() {
        // The day before the clocks go back in Berlin.
        let today = date(2026, 10, 24);
        let moment = |text: &str| {
            let at: Timestamp = text.parse().unwrap();
            said(|words| words.moment(at, today))
        };
        assert_eq!(
            moment("2026-10-24T11:30:00Z"),
            ["heute um 13:30 Uhr", "today at 13:30"]
        );
        // 22:30 UTC is half past midnight of the next day in Berlin.
        assert_eq!(
            moment("2026-10-24T22:30:00Z"),
            ["morgen um 0:30 Uhr", "tomorrow at 0:30"]
        );
        assert_eq!(
            moment("2026-10-26T07:00:00Z"),
            ["am Montag um 8:00 Uhr", "on Monday at 8:00"]
        );
        assert_eq!(
            moment("2027-01-04T07:00:00Z"),
            [
                "am Montag, dem 4. Januar, um 8:00 Uhr",
                "on Monday, 4 January, at 8:00"
            ]
        );
    }

    #[test]
    fn periods_of_a_day_are_one_phrase() {
        let morning = Period {
            start: time(8, 0, 0, 0),
            end: time(12, 0, 0, 0),
        };
        let evening = Period {
            start: time(13, 30, 0, 0),
            end: Time::MIN,
        };
        assert_eq!(
            said(|words| words.periods(&[morning, evening])),
            [
                Some("8:00 bis 12:00 Uhr und 13:30 bis 24:00 Uhr".to_owned()),
                Some("8:00 to 12:00 and 13:30 to 24:00".to_owned())
            ]
        );
        assert_eq!(said(|words| words.periods(&[])), [None, None]);
    }
}
