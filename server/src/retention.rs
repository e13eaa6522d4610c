//! What the retention rule erases: rooms on the homeserver, then everything personal in the database.

use std::{sync::Arc, time::Duration};

use appservice::{
    MatrixError, OwnedRoomId, RoomId,
    jobs::{self, Job},
    rooms,
};
use jiff::SignedDuration;
use store::Erasure;
use tracing::{error, info, warn};

use crate::{
    house::{ChangeError, House},
    shell,
};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How many visits at a time.
const BATCH: u32 = 50;
/// Between putting everybody out of a room and erasing it.
const NOTICE: SignedDuration = SignedDuration::from_mins(1);
/// Ids of processed events are kept this long against repetition.
const INBOX_KEPT: SignedDuration = SignedDuration::from_hours(24 * 60);

/// Erases what is due, for ever.
pub(crate) async fn keep(house: Arc<House>) {
    loop {
        if let Err(fault) = round(&house).await {
            error!("erasure is late: {fault}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn round(house: &House) -> Result<(), ChangeError> {
    let due = shell::now() - house.city.get().retention;
    for erasure in house
        .store
        .read()
        .await?
        .due_for_erasure(due, BATCH)
        .await?
    {
        match vacate(house, &erasure).await {
            Ok(()) => {}
            Err(EraseError::Matrix(fault)) => {
                warn!("a room could not be vacated yet: {}", fault.code());
            }
            Err(EraseError::Change(fault)) => return Err(fault),
        }
    }
    let mut erased = false;
    for erasure in house
        .store
        .read()
        .await?
        .due_for_erasure(due - NOTICE, BATCH)
        .await?
    {
        match erase(house, &erasure).await {
            Ok(()) => {
                erased = true;
                info!(office = %erasure.office, "a visit was erased");
            }
            Err(EraseError::Matrix(fault)) => {
                warn!("a visit could not be erased yet: {}", fault.code());
            }
            Err(EraseError::Change(fault)) => return Err(fault),
        }
    }
    let mut tx = house.store.begin().await?;
    tx.prune_inbox(shell::now() - INBOX_KEPT).await?;
    tx.commit().await?;
    if erased {
        house.store.scrub().await?;
    }
    Ok(())
}

enum EraseError {
    Matrix(MatrixError),
    Change(ChangeError),
}

impl<E: Into<ChangeError>> From<E> for EraseError {
    fn from(fault: E) -> Self {
        Self::Change(fault.into())
    }
}

/// Puts everybody out, so that their clients and homeservers learn of it while the room still stands.
async fn vacate(house: &House, erasure: &Erasure) -> Result<(), EraseError> {
    if let Some(room) = room(house, erasure).await? {
        execute(house, Job::VacateRoom { room }).await?;
    }
    Ok(())
}

/// The room first: while it stands, its row must say where it is.
async fn erase(house: &House, erasure: &Erasure) -> Result<(), EraseError> {
    if let Some(room) = room(house, erasure).await? {
        execute(house, Job::EraseRoom { room }).await?;
    }
    let beside = house
        .store
        .read()
        .await?
        .participants(&erasure.visit)
        .await?;
    let ghosts = beside.into_iter().map(|participant| participant.ghost);
    for ghost in erasure.ghost.clone().into_iter().chain(ghosts) {
        execute(house, Job::RetireGhost { ghost }).await?;
    }
    let mut tx = house.store.begin().await?;
    tx.erase_visit(&erasure.visit, shell::now()).await?;
    tx.commit().await?;
    Ok(())
}

/// The room of the visit. One that nobody has noted can stand all the same: the visit ended, or the program did, while
/// the homeserver was making it.
async fn room(house: &House, erasure: &Erasure) -> Result<Option<OwnedRoomId>, EraseError> {
    let noted = erasure.consultation_room.as_deref();
    let noted: Option<&RoomId> = noted.and_then(|room| room.try_into().ok());
    rooms::consultation_room(&house.matrix, &erasure.visit, noted)
        .await
        .map_err(EraseError::Matrix)
}

async fn execute(house: &House, job: Job) -> Result<(), EraseError> {
    // None of these jobs sends an event of its own: no transaction id is needed.
    jobs::execute(&house.matrix, &job, "")
        .await
        .map(drop)
        .map_err(EraseError::Matrix)
}
