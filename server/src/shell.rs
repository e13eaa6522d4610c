//! The edge where the program asks the machine for time and randomness; everything else takes them as
//! arguments.

use std::time::Instant;

use gateway::state::Clock;
use jiff::Timestamp;

/// The instant.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// `N` random bytes from the operating system.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks for randomness"
)]
pub(crate) fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills a slice with random bytes from the operating system.
///
/// # Panics
/// When the operating system has no randomness to give: nothing safe can be done without it.
#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "without randomness there are no secrets"
)]
pub(crate) fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness");
}

/// Time since the start.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn monotonic() -> Clock {
    let start = Instant::now();
    std::sync::Arc::new(move || start.elapsed())
}
