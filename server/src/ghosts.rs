//! The stock of ghosts: a knock does not wait for its ghost's account to be made.

use std::{sync::Arc, time::Duration};

use appservice::MatrixError;
use bridge::ids::MatrixUser;
use store::Tx;
use tracing::{error, warn};

use crate::{
    house::{ChangeError, House},
    shell,
};

/// As many as are ready when the stock is full: a minute of a city's busiest hour.
const FULL: u64 = 20;
/// With this many left, the stock is filled up.
const LOW: u64 = 10;
/// Whoever has just knocked, and whom a clerk lets in, comes first: the stock waits this long, and this long between
/// two accounts.
const COURTESY: Duration = Duration::from_secs(1);
const BETWEEN_TWO: Duration = Duration::from_millis(50);
/// When the homeserver is away, it is asked again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Before the first knock: the stock of the last run has to be looked at again.
pub(crate) async fn doubt(house: &House) -> Result<(), ChangeError> {
    let mut tx = house.store.begin().await?;
    tx.doubt_ghosts().await?;
    Ok(tx.commit().await?)
}

/// A ghost for a new visit: one from the stock, which forgets it in the same transaction, else a name for one that
/// the knock itself will make.
pub(crate) async fn take(house: &House, tx: &mut Tx) -> Result<MatrixUser, ChangeError> {
    match tx.take_ghost().await? {
        Some(ghost) => Ok(ghost),
        None => name(house),
    }
}

/// Keeps the stock filled, for ever.
pub(crate) async fn keep(house: Arc<House>) {
    // The first look at the rooms comes first.
    let mut rooms = house.rooms_seen_to.subscribe();
    if rooms.wait_for(|seen_to| *seen_to).await.is_err() {
        return;
    }
    loop {
        match fill(&house).await {
            Ok(()) => {
                house.ghosts.notified().await;
                tokio::time::sleep(COURTESY).await;
            }
            Err(fault) => {
                match fault {
                    ChangeError::Matrix(fault) => {
                        warn!("the stock of ghosts was not filled: {}", fault.code());
                    }
                    fault => error!("the stock of ghosts was not filled: {fault}"),
                }
                tokio::time::sleep(TRY_AGAIN).await;
            }
        }
    }
}

async fn fill(house: &House) -> Result<(), ChangeError> {
    let mut read = house.store.read().await?;
    let (ready, begun) = (
        read.ghosts_ready().await?,
        read.ghosts_in_the_making().await?,
    );
    drop(read);
    for ghost in begun {
        make(house, &ghost).await?;
    }
    if ready > LOW {
        return Ok(());
    }
    while house.store.read().await?.ghosts_ready().await? < FULL {
        let ghost = name(house)?;
        let mut tx = house.store.begin().await?;
        tx.add_ghost(&ghost, shell::now()).await?;
        tx.commit().await?;
        make(house, &ghost).await?;
        tokio::time::sleep(BETWEEN_TWO).await;
    }
    Ok(())
}

/// Makes the account and puts the ghost into the stock, unless it has stood for somebody before.
async fn make(house: &House, ghost: &MatrixUser) -> Result<(), ChangeError> {
    let is_fresh = match house.matrix.make_ghost(ghost).await {
        Ok(made) => made || is_unused(house, ghost).await?,
        // A name of another homeserver.
        Err(MatrixError::Invalid { .. }) => false,
        Err(fault) => return Err(fault.into()),
    };
    let mut tx = house.store.begin().await?;
    if is_fresh {
        tx.ghost_is_ready(ghost).await?;
    } else {
        tx.drop_ghost(ghost).await?;
    }
    Ok(tx.commit().await?)
}

/// Whoever has knocked is called by a ticket. Until then a homeserver calls users by the first part of their ids, or by
/// nothing.
async fn is_unused(house: &House, ghost: &MatrixUser) -> Result<bool, ChangeError> {
    let name = house.matrix.display_name(ghost).await?;
    Ok(name.is_none_or(|name| ghost.as_str().starts_with(&format!("@{name}:"))))
}

/// An unguessable name that nobody has had.
fn name(house: &House) -> Result<MatrixUser, ChangeError> {
    let random = shell::random().map_err(|_| ChangeError::Randomness)?;
    Ok(house.matrix.ghost(random)?)
}
