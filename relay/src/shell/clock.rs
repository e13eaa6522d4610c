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

/// Processor time that this thread has used, in microseconds; 0 where the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn thread_cpu_us() -> u64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let micros = used.tv_sec.saturating_mul(1_000_000) + used.tv_nsec / 1_000;
    u64::try_from(micros).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_cpu_us() -> u64 {
    0
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
