//! Capacity in a form that a database constraint can back.
//!
//! Time is counted in *cells* of five minutes since 1970-01-01T00:00Z. A booking occupies every cell it
//! touches, and in each of them one *place* with a number from 0. Stored as one row per (office, cell, place)
//! with a uniqueness constraint, two bookings cannot have the same place, whatever the program does.
//!
//! A booking's places in two cells need not have the same number. A place is not a desk but one of as many
//! as there are: if in every cell at most *n* bookings meet, *n* interchangeable desks can serve them all.

use std::{collections::BTreeSet, ops::Range};

use jiff::{SignedDuration, Timestamp};

use super::rules::Span;

/// A cell's number: five-minute steps since the Unix epoch.
pub type Cell = i64;

/// Seconds in a cell. Every UTC offset in use is a multiple of it, so that cells lie on the wall clock's grid
/// in every zone.
pub(super) const CELL_SECONDS: i64 = 300;

/// One place of one cell, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellPlace {
    /// The cell.
    pub cell: Cell,
    /// The place in it, from 0.
    pub place: u16,
}

/// No place is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place is left")]
pub struct Full {
    /// The first cell without a place.
    pub cell: Cell,
}

/// The time an appointment takes from a desk: its minutes and the buffer after it. `None` at the end of time.
#[must_use]
pub fn occupied(start: Timestamp, minutes: u16, buffer_minutes: u16) -> Option<Span> {
    let length = SignedDuration::from_mins(i64::from(minutes) + i64::from(buffer_minutes));
    let end = start.checked_add(length).ok()?;
    Some(Span { start, end })
}

/// The cells a span touches. A span that ends before it begins touches none.
#[must_use]
pub fn cells(span: Span) -> Range<Cell> {
    let first = cell_at_or_before(span.start);
    first..cell_at_or_after(span.end).max(first)
}

/// When a cell begins; `None` outside the range of instants.
#[must_use]
pub fn cell_start(cell: Cell) -> Option<Timestamp> {
    Timestamp::from_second(cell.checked_mul(CELL_SECONDS)?).ok()
}

/// Chooses a place in each of `cells`, the lowest free one.
///
/// `capacity` has as many entries as there are cells ([`capacity`](super::capacity) makes it), `taken` are
/// the places others have in them, in any order. A cell takes as many bookings as its capacity says; the
/// numbers already given count, not their height, so that a capacity that was lowered later is kept as well.
pub fn choose_places(
    cells: Range<Cell>,
    capacity: &[u16],
    taken: &[CellPlace],
) -> Result<Vec<CellPlace>, Full> {
    let taken: BTreeSet<CellPlace> = taken.iter().copied().collect();
    let mut chosen = Vec::with_capacity(capacity.len());
    for (index, cell) in cells.enumerate() {
        let of_cell = || taken.range(at(cell, 0)..=at(cell, u16::MAX));
        let capacity = capacity.get(index).copied().unwrap_or(0);
        if of_cell().count() >= usize::from(capacity) {
            return Err(Full { cell });
        }
        let place = (0..capacity)
            .zip(
                of_cell()
                    .map(|taken| Some(taken.place))
                    .chain(std::iter::repeat(None)),
            )
            .find(|(place, taken)| *taken != Some(*place))
            .map(|(place, _)| place);
        chosen.push(at(cell, place.ok_or(Full { cell })?));
    }
    Ok(chosen)
}

fn at(cell: Cell, place: u16) -> CellPlace {
    CellPlace { cell, place }
}

/// The cell `at` lies in.
pub(super) fn cell_at_or_before(at: Timestamp) -> Cell {
    // A timestamp's parts have the same sign.
    let second = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    second.div_euclid(CELL_SECONDS)
}

/// The first cell that begins at `at` or later.
pub(super) fn cell_at_or_after(at: Timestamp) -> Cell {
    let second = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    -(-second).div_euclid(CELL_SECONDS)
}
