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

/// Bytes from the operating system that nobody can guess.
#[expect(clippy::disallowed_methods, reason = "the shell draws randomness")]
pub(crate) fn secret() -> Result<[u8; 32], getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

/// A generator seeded by the operating system.
pub(crate) fn rng() -> Result<StdRng, getrandom::Error> {
    Ok(StdRng::from_seed(secret()?))
}
