//! Waiting for what must become true.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{sleep, timeout};

/// Long: parallel tests share the machine. A test that passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until `look` finds what it looks for; an error of its own ends the waiting. `what` names it in the error of
/// the one who waits in vain.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    within(PATIENCE, what, look).await
}

/// The same for what may take its time: the program itself waits before it does it.
pub async fn within<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let looking = async {
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            sleep(LOOK_EVERY).await;
        }
    };
    match timeout(patience, looking).await {
        Ok(result) => result,
        Err(_) => bail!("waited {} s in vain for {what}", patience.as_secs()),
    }
}
