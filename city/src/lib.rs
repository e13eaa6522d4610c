//! The city as configuration: what one installation is, read from one TOML file and Markdown beside it.
//!
//! [`City::parse`] is pure: the shell reads the files. A wrong file is refused with all its faults at once,
//! each with its place, its reason and its cure; a [`City`] that exists is checked and complete.

mod booking;
mod fault;
mod field;
mod hours;
mod markdown;
pub mod model;
mod office;
mod parse;
mod read;
mod texts;

pub use fault::{CityErrors, Fault};

/// The name of the city's file in its directory; the Markdown files lie beside it and under it.
pub const FILE_NAME: &str = "city.toml";
