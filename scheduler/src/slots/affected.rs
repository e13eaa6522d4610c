//! What a later holiday, exception or change of the plan does to bookings that exist.

use std::ops::Range;

use super::{
    cells::{Cell, cells},
    rules::{Agenda, Taken},
    supply::{planned, take_away},
};
use crate::{BookingRules, DeskPlan};

/// Why a booking needs the clerk's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// The office is closed for at least a part of it or of its buffer.
    Closed,
    /// The office is open, but has fewer bookable desks than there are bookings.
    TooManyBookings,
}

/// A booking that the calendar no longer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Affected {
    /// Its place in [`Agenda::taken`].
    pub index: usize,
    /// What is wrong.
    pub conflict: Conflict,
}

/// The bookings of `agenda.taken` that the calendar, the plan or busy desks no longer carry, in their order.
/// Of too many bookings at one time all are named: which of them has to move is for the clerk to say.
#[must_use]
pub fn affected(agenda: &Agenda<'_>) -> Vec<Affected> {
    let ranges: Vec<Range<Cell>> = agenda.taken.iter().map(|one| cells(one.span)).collect();
    // Whenever the office is open.
    let one_desk = BookingRules {
        desks: DeskPlan::always(1),
        ..agenda.rules.clone()
    };
    let mut found = Vec::new();
    for group in groups(&ranges) {
        let whole = group_range(&ranges, &group);
        let open: Vec<i64> = planned(agenda.hours, &one_desk, &whole).sums().collect();
        let mut left = planned(agenda.hours, agenda.rules, &whole);
        let taken: Vec<Taken> = group.iter().map(|index| agenda.taken[*index]).collect();
        take_away(&mut left, agenda.rules, agenda.busy, &taken);
        let left: Vec<i64> = left.sums().collect();
        for index in group {
            let range = &ranges[index];
            let conflict = if slice(&open, &whole, range).contains(&0) {
                Conflict::Closed
            } else if slice(&left, &whole, range).iter().any(|left| *left < 0) {
                Conflict::TooManyBookings
            } else {
                continue;
            };
            found.push(Affected { index, conflict });
        }
    }
    found.sort_unstable_by_key(|one| one.index);
    found
}

/// Bookings that hang together in time, so that a year with two bookings does not cost a year.
fn groups(ranges: &[Range<Cell>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_unstable_by_key(|index| (ranges[*index].start, ranges[*index].end));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut end = Cell::MIN;
    for index in order {
        let range = &ranges[index];
        match groups.last_mut() {
            Some(group) if range.start < end => group.push(index),
            _ => groups.push(vec![index]),
        }
        end = end.max(range.end);
    }
    groups
}

fn group_range(ranges: &[Range<Cell>], group: &[usize]) -> Range<Cell> {
    let start = group.iter().map(|index| ranges[*index].start).min();
    let end = group.iter().map(|index| ranges[*index].end).max();
    start.unwrap_or(0)..end.unwrap_or(0)
}

fn slice<'a>(values: &'a [i64], whole: &Range<Cell>, part: &Range<Cell>) -> &'a [i64] {
    let index = |cell: Cell| usize::try_from(cell - whole.start).unwrap_or(0);
    values
        .get(index(part.start)..index(part.end))
        .unwrap_or(&[])
}
