//! `bridge` decides: offices, queue, visits, desks. `(state, input, now) -> commands`.
//!
//! No I/O, no clock, no SQL, no HTTP, no randomness: [`office::Office::handle`] is a function of its
//! arguments. Personal words (names, concerns, messages) never come in here at all.

pub mod command_line;
mod estimate;
pub mod ids;
pub mod input;
pub mod office;
mod projection;
mod queue;
mod rules;
pub mod visit;
