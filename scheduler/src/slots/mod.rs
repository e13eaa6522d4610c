//! Which appointments can be booked.
//!
//! An appointment may begin where the opening hours and the [`DeskPlan`] both allow it, on the grid of the
//! [`BookingRules`], and only if a desk is free from its start to its end and the buffer after it. Desks are
//! counted, not named: capacity is a number for each five-minute [`Cell`], and the database keeps it with one
//! row per cell and place ([`choose_places`]).

mod affected;
mod cells;
mod find;
mod rules;
mod supply;

pub use affected::{Affected, Conflict, affected};
pub use cells::{Cell, CellPlace, Full, cell_start, cells, choose_places, occupied};
pub use find::{MOST_DAYS, Refused, Slot, capacity, find_slot, free_slots, nearest_alternatives};
pub use rules::{
    Agenda, Bookable, BookingRules, Busy, DeskPlan, LONGEST_MINUTES, LengthError, Span, Taken,
    stretches, total_minutes,
};
