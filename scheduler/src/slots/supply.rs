//! How many places there are in each cell of a stretch of time, and where appointments may begin.
//!
//! Between two changes of the zone's offset the wall clock runs evenly. So the stretch is cut at the changes,
//! and in each part a civil period is a plain interval of instants: a skipped time never comes, a repeated
//! one comes twice, a missing day has no instants.

use std::ops::Range;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::Offset,
};

use super::{
    cells::{CELL_SECONDS, Cell, cell_at_or_after, cell_at_or_before, cell_start, cells},
    rules::{Busy, Span, Taken},
};
use crate::{BookingRules, OpeningHours, Period};

const DAY_SECONDS: i64 = 86_400;

/// Numbers by cell, made of intervals that are added and taken away.
pub(super) struct Tally {
    first: Cell,
    /// Changes from one cell to the next; one more than there are cells.
    steps: Vec<i64>,
}

impl Tally {
    pub(super) fn new(range: &Range<Cell>) -> Self {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
        Self {
            first: range.start,
            steps: vec![0; length + 1],
        }
    }

    pub(super) fn add(&mut self, cells: &Range<Cell>, number: i64) {
        let last = self.steps.len() - 1;
        let clamp = |cell: Cell| {
            usize::try_from(cell.saturating_sub(self.first).max(0))
                .unwrap_or(last)
                .min(last)
        };
        let (from, to) = (clamp(cells.start), clamp(cells.end));
        if from < to {
            self.steps[from] += number;
            self.steps[to] -= number;
        }
    }

    fn range(&self) -> Range<Cell> {
        let length = i64::try_from(self.steps.len() - 1).unwrap_or(i64::MAX);
        self.first..self.first.saturating_add(length)
    }

    /// The numbers, each at least 0.
    pub(super) fn places(&self) -> Vec<u16> {
        self.sums()
            .map(|sum| u16::try_from(sum.max(0)).unwrap_or(u16::MAX))
            .collect()
    }

    pub(super) fn sums(&self) -> impl Iterator<Item = i64> {
        let (_, steps) = self.steps.split_last().unwrap_or((&0, &[]));
        steps.iter().scan(0_i64, |sum, step| {
            *sum += step;
            Some(*sum)
        })
    }
}

/// Where an appointment may begin, as far as the calendar goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Start {
    pub(super) at: Timestamp,
    pub(super) offset: Offset,
}

/// Places of every cell in `range` by the calendar and the plan, before busy times and bookings.
pub(super) fn planned(hours: &OpeningHours, rules: &BookingRules, range: &Range<Cell>) -> Tally {
    let mut tally = Tally::new(range);
    each_piece(hours, rules, range, |part, piece| {
        let Some(span) = part.instants(piece.date, piece.from, piece.to) else {
            return;
        };
        let whole = cell_at_or_after(span.start)..cell_at_or_before(span.end);
        tally.add(&whole, i64::from(piece.desks));
    });
    tally
}

/// Takes desks whose people are busy, and bookings, away from a plan.
pub(super) fn take_away(tally: &mut Tally, rules: &BookingRules, busy: &[Busy], taken: &[Taken]) {
    if !busy.is_empty() {
        let away: Vec<i64> = away(busy, &tally.range()).sums().collect();
        let missing: Vec<i64> = tally
            .sums()
            .zip(away)
            .map(|(planned, away)| {
                let to_spare = (i64::from(rules.calendars) - planned).max(0);
                (away - to_spare).max(0)
            })
            .collect();
        for (cell, missing) in tally.range().zip(missing) {
            if missing > 0 {
                tally.add(&(cell..cell.saturating_add(1)), -missing);
            }
        }
    }
    for one in taken {
        tally.add(&cells(one.span), -i64::from(one.desks));
    }
}

/// How many people are busy in each cell.
fn away(busy: &[Busy], range: &Range<Cell>) -> Tally {
    let mut tally = Tally::new(range);
    let mut by_desk: Vec<(u32, Range<Cell>)> =
        busy.iter().map(|one| (one.desk, cells(one.span))).collect();
    by_desk.sort_unstable_by_key(|(desk, range)| (*desk, range.start, range.end));
    let mut last: Option<(u32, Cell)> = None;
    for (desk, range) in by_desk {
        let from = match last {
            Some((same, end)) if same == desk => range.start.max(end),
            _ => range.start,
        };
        tally.add(&(from..range.end), 1);
        last = Some((desk, range.end.max(from)));
    }
    tally
}

/// The instants within `range` at which an appointment may begin, in order.
pub(super) fn starts(
    hours: &OpeningHours,
    rules: &BookingRules,
    range: &Range<Cell>,
) -> Vec<Start> {
    let step = i64::from(rules.grid_minutes.max(1)) * 60;
    let mut found = Vec::new();
    each_piece(hours, rules, range, |part, piece| {
        let mut second = (piece.from + CELL_SECONDS - 1) / CELL_SECONDS * CELL_SECONDS;
        while second < piece.to {
            if let Some(at) = part.instant(piece.date, second)
                && (part.from..part.until).contains(&at)
            {
                found.push(Start {
                    at,
                    offset: part.offset,
                });
            }
            second += step;
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// A stretch of time with one offset.
struct Part {
    from: Timestamp,
    until: Timestamp,
    offset: Offset,
}

impl Part {
    /// When the wall clock of this part shows `second` of `date`, be it in the part or not.
    fn instant(&self, date: Date, second: i64) -> Option<Timestamp> {
        self.offset
            .to_timestamp(date.to_datetime(Time::MIN))
            .ok()?
            .checked_add(SignedDuration::from_secs(second))
            .ok()
    }

    /// The instants of this part at which the wall clock shows a time between two seconds of `date`.
    fn instants(&self, date: Date, from: i64, to: i64) -> Option<Span> {
        let start = self.instant(date, from)?.max(self.from);
        let end = self.instant(date, to)?.min(self.until);
        (start < end).then_some(Span { start, end })
    }
}

/// A stretch of one civil day, in its seconds, that lies in one opening period and one bookable period.
struct Piece {
    date: Date,
    from: i64,
    to: i64,
    desks: u16,
}

fn each_piece(
    hours: &OpeningHours,
    rules: &BookingRules,
    range: &Range<Cell>,
    mut see: impl FnMut(&Part, &Piece),
) {
    for part in parts(hours, range) {
        let mut date = part.offset.to_datetime(part.from).date();
        let last = part.offset.to_datetime(part.until).date();
        while date <= last {
            for open in hours.periods_on(date) {
                for bookable in rules.desks.on(date) {
                    let (one, other) = (seconds(*open), seconds(bookable.period));
                    let piece = Piece {
                        date,
                        from: one.start.max(other.start),
                        to: one.end.min(other.end),
                        desks: bookable.desks,
                    };
                    if piece.from < piece.to {
                        see(&part, &piece);
                    }
                }
            }
            let Ok(tomorrow) = date.tomorrow() else {
                break;
            };
            date = tomorrow;
        }
    }
}

/// Cuts a stretch of time where the zone's offset changes.
fn parts(hours: &OpeningHours, range: &Range<Cell>) -> Vec<Part> {
    let (Some(from), Some(until)) = (cell_start(range.start), cell_start(range.end)) else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    let mut part = Part {
        from,
        until,
        offset: hours.zone.to_offset(from),
    };
    for change in hours.zone.following(from) {
        if change.timestamp() >= until {
            break;
        }
        let next = Part {
            from: change.timestamp(),
            until,
            offset: change.offset(),
        };
        part.until = next.from;
        parts.push(std::mem::replace(&mut part, next));
    }
    parts.push(part);
    parts
}

fn seconds(period: Period) -> Range<i64> {
    let of_day = |time: Time| {
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
    };
    let end = match period.end {
        Time::MIN => DAY_SECONDS,
        end => of_day(end),
    };
    of_day(period.start)..end
}
