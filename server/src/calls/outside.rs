//! Whoever was taken out of a call stays outside, also with a token that is still good.
//!
//! Our own relay refuses such tokens; LiveKit's server (1.13) takes what it is told of them (`revoke_token_ts`) and does
//! nothing with it. So it is asked again and again whether somebody came back.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tracing::{debug, info};

use crate::house::House;

/// Between two looks at the relay.
const EVERY: Duration = Duration::from_secs(2);
/// How many are looked for at the same time.
const AT_ONCE: usize = 8;

/// Takes whoever came back out again, for ever.
pub(crate) async fn keep_out(house: Arc<House>) {
    let Some(calls) = house.calls.as_ref().filter(|it| it.embedded.is_none()) else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(EVERY).await;
        stream::iter(calls.relay.outside())
            .for_each_concurrent(AT_ONCE, async |(call, identity)| {
                match calls.relay.remove_again(&call, &identity).await {
                    Ok(true) => info!("somebody who was put out of a call came back and is out"),
                    Ok(false) => {}
                    Err(fault) => debug!("who came back to a call cannot be seen: {fault}"),
                }
            })
            .await;
    }
}
