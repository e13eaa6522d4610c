//! Calls go on when the program starts anew: clients come back to the relay by themselves, with the tokens they have.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ::relay::Relay;
use appservice::rtc::{SLOT, alias};
use bridge::ids::{MatrixUser, VisitId};
use store::{Lane, StoreError};
use tracing::{error, warn};

use super::relay::EMPTY_S;
use crate::{house::House, shell, task::Errand};

/// Opens the calls anew at the program's own relay, which has forgotten them, before anybody is let in there.
pub(crate) async fn reopen(house: &House, relay: &Relay) -> Result<(), StoreError> {
    let people = people(house).await?;
    let visits: BTreeSet<&VisitId> = people.iter().map(|(visit, _)| visit).collect();
    let mut read = house.store.read().await?;
    for visit in visits {
        let Some(room) = read.visit_matrix(visit).await?.consultation_room else {
            continue;
        };
        let kept = Duration::from_secs(EMPTY_S.unsigned_abs());
        if let Err(fault) = relay.open_room(&alias(&room, SLOT), kept).await {
            warn!("a call that went on is over: {fault}");
        }
    }
    Ok(())
}

/// Sees to it that nobody comes back who has left a conversation, or was put out: what the relay was told of them may be
/// forgotten, and what it was to be told as well.
pub(crate) async fn look_who_is_inside(house: Arc<House>) {
    if house.calls.is_none() {
        return;
    }
    if let Err(fault) = order_looks(&house).await {
        error!("who may be in the calls that go on was not looked at: {fault}");
    }
}

async fn order_looks(house: &House) -> Result<(), StoreError> {
    let people = people(house).await?;
    let mut tx = house.store.begin().await?;
    for (visit, user) in people {
        let lane = Lane::visit(&visit);
        let errand = Errand::TurnOut { visit, user };
        tx.enqueue(&lane, &errand, shell::now()).await?;
    }
    tx.commit().await?;
    house.outbox.notify_one();
    Ok(())
}

/// Who may be in a call or was put out of one, by the conversation.
async fn people(house: &House) -> Result<Vec<(VisitId, MatrixUser)>, StoreError> {
    let mut read = house.store.read().await?;
    let mut people = read.call_members().await?;
    people.extend(read.turned_out().await?);
    Ok(people)
}
