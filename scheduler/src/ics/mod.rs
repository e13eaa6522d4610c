//! iCalendar (RFC 5545, RFC 7986) and iTIP (RFC 5546): invitations out, answers and busy times in.
//!
//! Going out, an [`Appointment`] becomes text by [`message`] or [`feed`], and no text leaves that [`check()`]
//! does not pass. Coming in, everything is hostile: [`Response::read`] and [`read_busy`] take linear time and
//! memory in a bounded input, and rules that repeat have a budget.

mod appointment;
mod busy;
mod check;
mod line;
mod read;
mod recurrence;
mod timezone;
mod tree;
mod value;
mod write;
mod zones;

pub use appointment::{Alarm, Appointment, Attendee, Method, Participation, Person, uid};
pub use busy::{BusyTimes, LARGEST_IMPORT, read_busy};
pub use check::{Flaw, check};
pub use line::Line;
pub use read::{Answer, Invitation, LARGEST_RESPONSE, NotCounted, ReadError, Response};
pub use tree::Component;
pub use write::{WriteError, feed, message};
