//! The office whose free slots are measured, and how.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};
use scheduler::{
    BookingRules, DeskPlan, HolidayCalendar, OpeningHours, State,
    slots::{Agenda, Busy, Span, Taken, occupied},
};

/// How much of everything: `--desks 50 --days 90 --runs 1000`.
pub(crate) struct Scale {
    pub(crate) desks: u32,
    pub(crate) days: i32,
    pub(crate) runs: usize,
}

impl Scale {
    /// What the command line says. (`cargo bench` adds `--bench`.)
    pub(crate) fn of_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let number = |name: &str, usual: u32| {
            let at = arguments.iter().position(|argument| argument == name);
            at.map_or(usual, |at| arguments[at + 1].parse().unwrap())
        };
        Self {
            desks: number("--desks", 50),
            days: i32::try_from(number("--days", 90)).unwrap(),
            runs: usize::try_from(number("--runs", 1_000)).unwrap(),
        }
    }
}

/// The head of a table, one row for each measurement.
pub(crate) fn heading(what: &str) {
    println!("| {what}, ms | n | min | p50 | p99 | max |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
}

/// One row of the table.
pub(crate) fn row(what: &str, mut samples: Vec<f64>) {
    samples.sort_by(f64::total_cmp);
    let percentile = |percent: usize| samples[(samples.len() * percent).div_ceil(100).max(1) - 1];
    println!(
        "| {what} | {} | {:.3} | {:.3} | {:.3} | {:.3} |",
        samples.len(),
        percentile(0),
        percentile(50),
        percentile(99),
        percentile(100)
    );
}

/// Always the same office: its next days are two thirds full.
pub(crate) struct Office {
    pub(crate) hours: OpeningHours,
    pub(crate) rules: BookingRules,
    pub(crate) taken: Vec<Taken>,
    pub(crate) busy: Vec<Busy>,
    /// The days that are filled.
    pub(crate) first: Date,
    pub(crate) last: Date,
    /// Early on the first one.
    pub(crate) now: Timestamp,
}

impl Office {
    pub(crate) fn new(scale: &Scale) -> Self {
        let first = date(2027, 2, 1);
        let now = first.at(6, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let periods = ["07:30-12:00", "12:30-18:00"].map(|text| text.parse().unwrap());
        let hours = OpeningHours {
            weekly: std::array::from_fn(|day| {
                if day < 5 {
                    periods.to_vec()
                } else {
                    Vec::new()
                }
            }),
            holidays: HolidayCalendar::of(State::NorthRhineWestphalia),
            ..OpeningHours::always(zone.clone())
        };
        let rules = BookingRules {
            desks: DeskPlan::always(u16::try_from(scale.desks).unwrap()),
            calendars: u16::try_from(scale.desks).unwrap(),
            grid_minutes: 5,
            buffer_minutes: 5,
            min_notice: SignedDuration::from_hours(1),
            horizon_days: 120,
        };
        // A fixed sequence of numbers, so that two runs measure the same.
        let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut chance = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % most
        };
        let (mut taken, mut busy) = (Vec::new(), Vec::new());
        for day in 0..scale.days {
            let morning = (first + day.days())
                .at(7, 30, 0, 0)
                .to_zoned(zone.clone())
                .unwrap()
                .timestamp();
            for desk in 0..scale.desks {
                let mut minute = 0;
                while minute < 600 {
                    let length = [10_u16, 15, 20, 30, 45][usize::try_from(chance(5)).unwrap()];
                    let start = morning + minute.minutes();
                    if chance(3) > 0 {
                        taken.push(Taken {
                            span: occupied(start, length, 5).unwrap(),
                            desks: 1,
                        });
                    }
                    minute += i64::from(length) + 5;
                }
                if chance(10) == 0 {
                    let start = morning + 120.minutes();
                    busy.push(Busy {
                        desk,
                        span: Span {
                            start,
                            end: start + 90.minutes(),
                        },
                    });
                }
            }
        }
        Self {
            hours,
            rules,
            taken,
            busy,
            first,
            last: first + (scale.days - 1).days(),
            now: now.timestamp(),
        }
    }

    pub(crate) fn agenda(&self) -> Agenda<'_> {
        Agenda {
            hours: &self.hours,
            rules: &self.rules,
            taken: &self.taken,
            busy: &self.busy,
        }
    }
}
