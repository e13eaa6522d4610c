//! Free slots, and whether one of them can be had.

use std::{
    collections::VecDeque,
    ops::{Range, RangeInclusive},
};

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::Offset,
};

use super::{
    cells::{Cell, cells, occupied},
    rules::{Agenda, Busy, Span},
    supply::{Start, planned, starts, take_away},
};
use crate::{BookingRules, OpeningHours};

/// No more days than this are looked at in one search.
pub const MOST_DAYS: u16 = 400;

/// More than any zone's distance from UTC.
const FARTHEST_OFFSET: SignedDuration = SignedDuration::from_hours(27);

/// A start at which an appointment of the asked length can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends, without the buffer.
    pub end: Timestamp,
    /// What the office's clock shows at the start.
    pub civil_start: DateTime,
    /// What the office's clock shows at the end.
    pub civil_end: DateTime,
    /// The offset from UTC at the start; tells the two apart when a clock change repeats a time.
    pub offset: Offset,
    /// How many more appointments can begin here; at least 1.
    pub free: u16,
}

/// Why an appointment cannot be had at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The start is not in the future.
    #[error("this time has passed")]
    Past,
    /// The start is nearer than the office's minimum notice.
    #[error("this is too soon; the earliest start is {earliest}")]
    TooSoon {
        /// The earliest start the notice allows.
        earliest: Timestamp,
    },
    /// The start is after the booking horizon.
    #[error("this is too far ahead; the last bookable day is {last_day}")]
    TooFar {
        /// The last bookable day.
        last_day: Date,
    },
    /// The appointment or the buffer after it would lie outside bookable hours.
    #[error("there are no appointments at this time")]
    Closed,
    /// Appointments begin at other minutes.
    #[error("no appointment begins at this minute")]
    OffGrid,
    /// Every place is taken.
    #[error("no place is left at this time")]
    Full,
}

/// The free slots for an appointment of `minutes` whose start lies on one of `days` in the office's zone, in
/// order. At most [`MOST_DAYS`] are looked at. Its cost grows with the number of days and of bookings, not
/// with their product.
#[must_use]
pub fn free_slots(
    agenda: &Agenda<'_>,
    minutes: u16,
    days: RangeInclusive<Date>,
    now: Timestamp,
) -> Vec<Slot> {
    let today = agenda.hours.zone.to_datetime(now).date();
    let first = today.max(*days.start());
    let (Some(horizon), Some(most)) = (
        last_day(agenda.rules, today),
        first.checked_add(i32::from(MOST_DAYS - 1).days()).ok(),
    ) else {
        return Vec::new();
    };
    let last = horizon.min(*days.end()).min(most);
    let Some(range) = cells_of_days(agenda.rules, minutes, first, last) else {
        return Vec::new();
    };
    let mut tally = planned(agenda.hours, agenda.rules, &range);
    take_away(&mut tally, agenda.rules, agenda.busy, agenda.taken);
    let length = cells_in(minutes, agenda.rules.buffer_minutes);
    let places = Places::new(range.start, tally.places(), length);
    let Ok(earliest) = now.checked_add(agenda.rules.min_notice) else {
        return Vec::new();
    };
    starts(agenda.hours, agenda.rules, &range)
        .into_iter()
        .filter(|start| start.at > now && start.at >= earliest)
        .filter_map(|start| {
            let span = occupied(start.at, minutes, agenda.rules.buffer_minutes)?;
            let free = places.least(&cells(span));
            (free > 0).then_some(())?;
            slot(agenda.hours, start, minutes, free)
        })
        .filter(|slot| (first..=last).contains(&slot.civil_start.date()))
        .collect()
}

/// The slot that begins at `start`, or why there is none.
pub fn find_slot(
    agenda: &Agenda<'_>,
    minutes: u16,
    start: Timestamp,
    now: Timestamp,
) -> Result<Slot, Refused> {
    if start <= now {
        return Err(Refused::Past);
    }
    let earliest = now.saturating_add(agenda.rules.min_notice).unwrap_or(now);
    if start < earliest {
        return Err(Refused::TooSoon { earliest });
    }
    let date = |at| agenda.hours.zone.to_datetime(at).date();
    let last_day = last_day(agenda.rules, date(now)).unwrap_or(Date::MAX);
    if date(start) > last_day {
        return Err(Refused::TooFar { last_day });
    }
    let span = occupied(start, minutes, agenda.rules.buffer_minutes).ok_or(Refused::Closed)?;
    let range = cells(span);
    let mut tally = planned(agenda.hours, agenda.rules, &range);
    let least = |places: Vec<u16>| places.into_iter().min().unwrap_or(0);
    if least(tally.places()) == 0 {
        return Err(Refused::Closed);
    }
    let begin = starts(agenda.hours, agenda.rules, &range)
        .into_iter()
        .find(|begin| begin.at == start)
        .ok_or(Refused::OffGrid)?;
    take_away(&mut tally, agenda.rules, agenda.busy, agenda.taken);
    match least(tally.places()) {
        0 => Err(Refused::Full),
        free => slot(agenda.hours, begin, minutes, free).ok_or(Refused::Closed),
    }
}

/// How many places each of `cells` has by calendar, plan and busy times, before bookings.
#[must_use]
pub fn capacity(
    hours: &OpeningHours,
    rules: &BookingRules,
    busy: &[Busy],
    cells: &Range<Cell>,
) -> Vec<u16> {
    let mut tally = planned(hours, rules, cells);
    take_away(&mut tally, rules, busy, &[]);
    tally.places()
}

/// The `most` slots nearest to the `wanted` start, the nearest first; of two equally near, the later.
#[must_use]
pub fn nearest_alternatives(slots: &[Slot], wanted: Timestamp, most: usize) -> Vec<Slot> {
    let mut nearest: Vec<Slot> = slots.to_vec();
    nearest.sort_by_key(|slot| {
        (
            slot.start.duration_since(wanted).abs(),
            std::cmp::Reverse(slot.start),
        )
    });
    nearest.truncate(most);
    nearest
}

fn last_day(rules: &BookingRules, today: Date) -> Option<Date> {
    today.checked_add(i32::from(rules.horizon_days).days()).ok()
}

/// All cells an appointment can touch that begins on one of these days, in whatever zone.
fn cells_of_days(
    rules: &BookingRules,
    minutes: u16,
    first: Date,
    last: Date,
) -> Option<Range<Cell>> {
    if last < first {
        return None;
    }
    let instant = |date: Date| Offset::UTC.to_timestamp(date.to_datetime(Time::MIN)).ok();
    let start = instant(first)?.checked_sub(FARTHEST_OFFSET).ok()?;
    let end = instant(last.tomorrow().ok()?)?
        .checked_add(FARTHEST_OFFSET)
        .ok()?;
    let span = occupied(end, minutes, rules.buffer_minutes)?;
    Some(cells(Span { start, ..span }))
}

fn slot(hours: &OpeningHours, start: Start, minutes: u16, free: u16) -> Option<Slot> {
    let end = start
        .at
        .checked_add(SignedDuration::from_mins(i64::from(minutes)))
        .ok()?;
    Some(Slot {
        start: start.at,
        end,
        civil_start: start.offset.to_datetime(start.at),
        civil_end: hours.zone.to_datetime(end),
        offset: start.offset,
        free,
    })
}

/// How many cells an appointment touches that begins with a cell.
fn cells_in(minutes: u16, buffer_minutes: u16) -> usize {
    (usize::from(minutes) + usize::from(buffer_minutes))
        .div_ceil(5)
        .max(1)
}

/// Free places by cell, and the least of each stretch of the asked length.
struct Places {
    first: Cell,
    by_cell: Vec<u16>,
    /// Of the cell and those after it.
    least: Vec<u16>,
    length: usize,
}

impl Places {
    fn new(first: Cell, by_cell: Vec<u16>, length: usize) -> Self {
        let least = sliding_least(&by_cell, length);
        Self {
            first,
            by_cell,
            least,
            length,
        }
    }

    fn least(&self, cells: &Range<Cell>) -> u16 {
        let index = |cell: Cell| usize::try_from(cell.saturating_sub(self.first)).ok();
        let (Some(from), Some(to)) = (index(cells.start), index(cells.end)) else {
            return 0;
        };
        if to - from == self.length {
            return self.least.get(from).copied().unwrap_or(0);
        }
        // A start off the cells touches one more.
        self.by_cell
            .get(from..to)
            .and_then(|places| places.iter().min().copied())
            .unwrap_or(0)
    }
}

/// The least of every `length` neighbours, in one pass: candidates wait in a queue that only grows in value.
fn sliding_least(values: &[u16], length: usize) -> Vec<u16> {
    let mut least = Vec::with_capacity(values.len());
    let mut waiting: VecDeque<(usize, u16)> = VecDeque::new();
    for (index, value) in values.iter().copied().enumerate() {
        while waiting.back().is_some_and(|(_, other)| *other >= value) {
            waiting.pop_back();
        }
        waiting.push_back((index, value));
        if waiting
            .front()
            .is_some_and(|(oldest, _)| oldest + length <= index)
        {
            waiting.pop_front();
        }
        if index + 1 >= length {
            least.extend(waiting.front().map(|(_, value)| *value));
        }
    }
    least
}
