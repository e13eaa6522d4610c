//! The machine's clock and randomness, asked here and nowhere else.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rand::{SeedableRng as _, rngs::StdRng};

use crate::room::Now;

/// This moment.
#[expect(clippy::disallowed_methods, reason = "the shell asks the clock")]
pub(crate) fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .unwrap_or_default(),
    }
}

/// A generator seeded by the operating system.
#[expect(clippy::disallowed_methods, reason = "the shell draws randomness")]
pub(crate) fn rng() -> Result<StdRng, getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(StdRng::from_seed(seed))
}
