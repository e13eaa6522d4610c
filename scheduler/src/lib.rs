//! `scheduler` knows when an office is open, which appointments are free, and how calendars are told of them.
//! Pure: civil time in the office's zone, instants as arguments.
//!
//! One rule decides everything: an office is open at an instant if the wall clock of its zone shows a time
//! inside one of the day's periods. A civil time that a clock change skips never comes, one that it repeats
//! comes twice; nothing is shifted or guessed.

mod holidays;
mod hours;
pub mod ics;
pub mod mail;
mod period;
pub mod slots;

pub use holidays::{Feast, HolidayCalendar, MoreHolidays, State, UnknownName};
pub use hours::{Opening, OpeningHours};
pub use period::{InvalidPeriod, Period, overlap};
pub use slots::{BookingRules, DeskPlan};
