//! What the person at the terminal reads.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these commands talk to a terminal"
)]

use std::fmt::Display;

/// A line of the answer.
pub fn say(line: impl Display) {
    println!("{line}");
}

/// What is being done, for whoever waits. Not part of the answer.
pub fn step(line: impl Display) {
    eprintln!("» {line}");
}

/// What went wrong.
pub fn complain(line: impl Display) {
    eprintln!("{line}");
}
