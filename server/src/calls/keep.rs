//! Says at the homeserver, again and again, that guests are still in their calls: as long as the relay has them. A page
//! whose line is dead looks open for a while.

use std::{sync::Arc, time::Duration};

use appservice::rtc::{LEAVE_AFTER, STICKY_FOR};
use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use tracing::{debug, error};

use super::{Calls, InCall, order};
use crate::{house::House, shell, task::Party};

/// Between two rounds. One may be missed, and the next be late, before a guest drops out of the call.
const EVERY: Duration = Duration::from_secs(5);
/// Sticky events are written anew when this much of their time has passed.
const RENEWED_AFTER: SignedDuration = SignedDuration::from_mins(45);
/// Of who is not at the relay for so long, the delayed events are left to come, until they are back. The relay itself
/// waits for somebody whose line is dead, and whoever has just come is on the way there.
const MISSED_AFTER: SignedDuration = SignedDuration::from_secs(10);
/// How many guests are seen to at the same time.
const AT_ONCE: usize = 8;

const _: () =
    assert!(LEAVE_AFTER.as_secs() >= 3 * 5 && RENEWED_AFTER.as_secs() < STICKY_FOR.as_secs());

/// Keeps guests in their calls, for ever.
pub(crate) async fn keep(house: Arc<House>) {
    let Some(calls) = &house.calls else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(EVERY).await;
        let guests: Vec<(Party, InCall)> = {
            let guests = calls.lock();
            let written = guests.iter().filter(|(_, guest)| guest.written.is_some());
            written
                .map(|(party, guest)| (party.clone(), guest.clone()))
                .collect()
        };
        stream::iter(guests)
            .for_each_concurrent(AT_ONCE, |(party, guest)| {
                see_to(&house, calls, party, guest)
            })
            .await;
    }
}

/// One guest: restarts what would take them out of the call, and puts back in who has dropped out all the same.
async fn see_to(house: &House, calls: &Calls, party: Party, guest: InCall) {
    let Some(written) = guest.written else {
        return;
    };
    let identity = calls.form.identity(&written.ghost);
    match calls.relay.has_participant(&written.alias, &identity).await {
        Ok(true) => calls.saw(&party, shell::now()),
        Ok(false) if shell::now().duration_since(guest.seen) > MISSED_AFTER => return,
        Ok(false) => {}
        Err(fault) => debug!("whether a guest is in the call cannot be seen: {fault}"),
    }
    let mut in_call = shell::now().duration_since(guest.since) < RENEWED_AFTER;
    for leave in &written.leaves {
        match house.matrix.restart_delayed(&written.ghost, leave).await {
            Ok(waiting) => in_call &= waiting,
            // The homeserver is away, and its delayed events with it.
            Err(fault) => debug!(
                "a guest's place in the call was not renewed: {}",
                fault.code()
            ),
        }
    }
    if in_call {
        return;
    }
    // In the meantime the guest may have hung up.
    if let Some(known) = calls.lock().get_mut(&party) {
        known.written = None;
        known.since = shell::now();
    } else {
        return;
    }
    if let Err(fault) = order(house, &party, false).await {
        error!("a guest has dropped out of the call: {fault}");
    }
}
