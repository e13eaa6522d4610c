//! What an office offers for booking.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::cells::{Cell, cell_start};
use crate::period::Period;

/// How many desks can be booked in a stretch of one civil day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bookable {
    /// When, by the office's clock.
    pub period: Period,
    /// How many appointments may take place side by side.
    pub desks: u16,
}

/// Bookable desks by day. It only narrows the opening hours: what lies outside them is not bookable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskPlan {
    /// By weekday, Monday first. Where entries overlap, their desks add up.
    pub weekly: [Vec<Bookable>; 7],
    /// Days that differ from the week.
    pub exceptions: BTreeMap<Date, Vec<Bookable>>,
}

impl DeskPlan {
    /// The same number of desks whenever the office is open.
    #[must_use]
    pub fn always(desks: u16) -> Self {
        let all_day = Bookable {
            period: Period::WHOLE_DAY,
            desks,
        };
        Self {
            weekly: std::array::from_fn(|_| vec![all_day]),
            exceptions: BTreeMap::new(),
        }
    }

    /// What is bookable on `date`, opening hours aside.
    #[must_use]
    pub fn on(&self, date: Date) -> &[Bookable] {
        if let Some(day) = self.exceptions.get(&date) {
            return day;
        }
        usize::try_from(date.weekday().to_monday_zero_offset())
            .ok()
            .and_then(|day| self.weekly.get(day))
            .map_or(&[], Vec::as_slice)
    }
}

/// An office's rules for appointments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingRules {
    /// Bookable desks.
    pub desks: DeskPlan,
    /// How many people at the desks have a calendar of their own ([`Busy`]). Where more of them have one than desks are
    /// planned, some may be away before a desk is missing.
    pub calendars: u16,
    /// Appointments begin every so many minutes, counted from the beginning of each bookable period. At
    /// least 1; a multiple of five keeps every start on a whole [`Cell`](super::Cell).
    pub grid_minutes: u16,
    /// Minutes a desk stays free after each appointment.
    pub buffer_minutes: u16,
    /// How long before its start an appointment can be booked at the latest.
    pub min_notice: SignedDuration,
    /// How many days after today (the office's civil day) the last bookable day is.
    pub horizon_days: u16,
}

/// A stretch of time: from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Belongs to it.
    pub start: Timestamp,
    /// Does not belong to it.
    pub end: Timestamp,
}

/// Places that bookings and holds take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// From the appointment's start to its end **and buffer**, see [`occupied`](super::occupied).
    pub span: Span,
    /// How many desks it takes.
    pub desks: u16,
}

/// Cells that are taken, as stretches in which equally many are.
#[must_use]
pub fn stretches(taken: &[(Cell, u16)]) -> Vec<Taken> {
    let mut stretches: Vec<Taken> = Vec::new();
    for (cell, desks) in taken {
        let (Some(start), Some(end)) = (cell_start(*cell), cell_start(cell.saturating_add(1)))
        else {
            continue;
        };
        match stretches.last_mut() {
            Some(last) if last.span.end == start && last.desks == *desks => last.span.end = end,
            _ => stretches.push(Taken {
                span: Span { start, end },
                desks: *desks,
            }),
        }
    }
    stretches
}

/// A time at which one desk cannot be booked, from its imported calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// Which desk, by any number of the caller's: two busy times of one desk count once.
    pub desk: u32,
    /// When.
    pub span: Span,
}

/// All that decides whether a place is free.
#[derive(Debug, Clone, Copy)]
pub struct Agenda<'a> {
    /// The office's opening hours, holidays and exceptions, and its zone.
    pub hours: &'a crate::OpeningHours,
    /// Its rules for appointments.
    pub rules: &'a BookingRules,
    /// Bookings and live holds. When one of them is to be moved, the caller leaves it out.
    pub taken: &'a [Taken],
    /// Busy times of desks.
    pub busy: &'a [Busy],
}

/// The longest appointment, in minutes: a working day.
pub const LONGEST_MINUTES: u16 = 480;

/// Why services make no appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LengthError {
    /// No service, or only ones of no length.
    #[error("an appointment needs at least one service")]
    Nothing,
    /// Together longer than [`LONGEST_MINUTES`].
    #[error("the services together take more than {LONGEST_MINUTES} minutes")]
    TooLong,
}

/// The minutes of several services in one appointment.
pub fn total_minutes(services: impl IntoIterator<Item = u16>) -> Result<u16, LengthError> {
    let mut total: u16 = 0;
    for minutes in services {
        total = total
            .checked_add(minutes)
            .filter(|sum| *sum <= LONGEST_MINUTES)
            .ok_or(LengthError::TooLong)?;
    }
    if total == 0 {
        return Err(LengthError::Nothing);
    }
    Ok(total)
}
