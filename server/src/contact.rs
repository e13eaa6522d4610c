//! Contact with the homeserver, in both directions.
//!
//! Whoever could not reach us is slow to try again: Synapse waits up to 512 seconds. A ping, once it gets through, makes
//! it try at once.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use appservice::MatrixError;
use tracing::{info, warn};

use crate::house::{House, first_language};

/// A homeserver that has told nothing for this long is asked whether it reaches us.
const QUIET: Duration = Duration::from_secs(15);
/// One that does not, or is away, is asked again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Makes the bot known, then sees to it that the homeserver reaches us, for ever.
pub(crate) async fn keep(house: Arc<House>) {
    let mut attempt = 0;
    while let Err(fault) = introduce(&house).await {
        warn!("the homeserver does not answer yet: {fault}; see `vorzimmer doctor`");
        attempt = (attempt + 1).min(5);
        tokio::time::sleep(Duration::from_secs(attempt)).await;
    }
    info!("the homeserver and vorzimmer reach each other");
    let mut lost = false;
    loop {
        tokio::time::sleep(if lost { TRY_AGAIN } else { QUIET }).await;
        if house.heard.swap(false, Ordering::Relaxed) {
            continue;
        }
        let reached = ping(&house).await;
        match &reached {
            Ok(()) if lost => info!("the homeserver and vorzimmer reach each other again"),
            Err(fault) if !lost => {
                warn!(
                    "the homeserver is away or does not reach vorzimmer: {}",
                    fault.code()
                );
            }
            Ok(()) | Err(_) => {}
        }
        lost = reached.is_err();
    }
}

async fn introduce(house: &House) -> Result<(), MatrixError> {
    let bot = house.matrix.bot();
    house.matrix.register(bot).await?;
    let language = first_language(&house.city.get());
    let name = house.words.say(language, "bot-name", &[]);
    house.matrix.set_display_name(bot, &name).await?;
    ping(house).await
}

async fn ping(house: &House) -> Result<(), MatrixError> {
    let transaction = format!("{}-ping", house.settings.installation);
    house.matrix.ping(&transaction).await.map(drop)
}
