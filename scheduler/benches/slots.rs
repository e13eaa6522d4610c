//! `cargo xtask bench slots`: how long the free slots of an office take. Prints a table for `docs/benchmarks.md`;
//! nothing passes or fails by time.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement: it prints, and looks at the clock"
)]

use std::{hint::black_box, time::Instant};

use jiff::{SignedDuration, ToSpan, civil::date, tz::TimeZone};
use scheduler::{
    BookingRules, DeskPlan, HolidayCalendar, OpeningHours, State,
    slots::{
        Agenda, Busy, Span, Taken, affected, find_slot, free_slots, nearest_alternatives, occupied,
    },
};

const RUNS: usize = 1_000;
const DESKS: u32 = 50;

/// Always the same office: a big one, whose next ninety days are two thirds full.
struct Office {
    hours: OpeningHours,
    rules: BookingRules,
    taken: Vec<Taken>,
    busy: Vec<Busy>,
}

impl Office {
    fn new(first: jiff::civil::Date, days: i32) -> Self {
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
            desks: DeskPlan::always(u16::try_from(DESKS).unwrap()),
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
        for day in 0..days {
            let morning = (first + day.days())
                .at(7, 30, 0, 0)
                .to_zoned(zone.clone())
                .unwrap()
                .timestamp();
            for desk in 0..DESKS {
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
        }
    }

    fn agenda(&self) -> Agenda<'_> {
        Agenda {
            hours: &self.hours,
            rules: &self.rules,
            taken: &self.taken,
            busy: &self.busy,
        }
    }
}

fn measure<T>(what: &str, mut run: impl FnMut() -> T) {
    let mut samples: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            black_box(run());
            begin.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    let percentile = |percent: usize| samples[(samples.len() * percent).div_ceil(100).max(1) - 1];
    println!(
        "| {what} | {RUNS} | {:.3} | {:.3} | {:.3} | {:.3} |",
        percentile(0),
        percentile(50),
        percentile(99),
        percentile(100)
    );
}

fn main() {
    let first = date(2027, 2, 1);
    let now = first
        .at(6, 0, 0, 0)
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp();
    let office = Office::new(first, 90);
    let agenda = office.agenda();
    let last = first + 89.days();
    let slots = free_slots(&agenda, 20, first..=last, now);
    println!(
        "{DESKS} desks, 90 days over a clock change, a start every 5 minutes: {} bookings, {} busy times, {} free starts\n",
        office.taken.len(),
        office.busy.len(),
        slots.len()
    );
    println!("| Free slots, ms | n | min | p50 | p99 | max |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    measure("90 days × 50 desks", || {
        free_slots(&agenda, 20, first..=last, now)
    });
    measure("one day of them", || {
        free_slots(&agenda, 20, first..=first, now)
    });
    let wanted = slots[slots.len() / 2].start;
    measure("one start, checked", || find_slot(&agenda, 20, wanted, now));
    measure("the five nearest of all", || {
        nearest_alternatives(&slots, wanted, 5)
    });
    measure("affected by a change, 90 days", || affected(&agenda));
}
