//! A consultation room's life: opened, closed, vacated, erased.

use std::time::Duration;

use bridge::ids::MatrixUser;
use ruma::RoomId;
use serde_json::json;

use super::{Effect, Erasure, call, is_inside};
use crate::{
    client::{As, DeletionStatus, Matrix, MatrixError, Membership},
    content::Text,
    rooms::{ConsultationSpec, open_consultation},
};

/// A purge takes some tenths of a second; longer ones are looked at again at the next attempt.
const DELETION_LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

pub(super) async fn open(
    matrix: &Matrix,
    spec: &ConsultationSpec,
    guest_name: Option<&str>,
    first: &Text,
    txn: &str,
) -> Result<Effect, MatrixError> {
    let room = open_consultation(matrix, spec).await?;
    // The visitor's page opens at the ghost's join: the first message has to be there by then.
    matrix.send(As::Bot, &room, txn, &first.content()).await?;
    if matrix.is_ghost(&spec.visitor) {
        match enter(matrix, &spec.visitor, &room, guest_name).await {
            // Called before its knock was placed: the homeserver does not know the ghost yet.
            Err(error) if error.is_absence() => {
                matrix.register(&spec.visitor).await?;
                enter(matrix, &spec.visitor, &room, guest_name).await?;
            }
            entered => entered?,
        }
    }
    Ok(Effect::Opened { room })
}

/// Sees to it that the ghost is in the room, by this name.
async fn enter(
    matrix: &Matrix,
    ghost: &MatrixUser,
    room: &RoomId,
    name: Option<&str>,
) -> Result<(), MatrixError> {
    let (membership, called) = member(matrix, room, ghost).await?;
    match name {
        Some(name) if membership != Membership::Join || called.as_deref() != Some(name) => {
            matrix.join_named(ghost, room, name).await
        }
        None if membership != Membership::Join => {
            matrix.join(As::Ghost(ghost), room).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// Brings a further ghost into the room.
pub(super) async fn admit(
    matrix: &Matrix,
    room: &RoomId,
    ghost: &MatrixUser,
    name: &str,
) -> Result<Effect, MatrixError> {
    if !is_inside(matrix, room).await? {
        return Ok(Effect::Nothing);
    }
    let (membership, _) = member(matrix, room, ghost).await?;
    if membership.is_out() {
        matrix.make_ghost(ghost).await?;
        matrix.invite(room, ghost).await?;
    }
    enter(matrix, ghost, room, Some(name)).await?;
    Ok(Effect::Nothing)
}

pub(super) async fn name_guest(
    matrix: &Matrix,
    room: &RoomId,
    ghost: &MatrixUser,
    name: &str,
) -> Result<Effect, MatrixError> {
    let (membership, called) = member(matrix, room, ghost).await?;
    if membership == Membership::Join && called.as_deref() != Some(name) {
        matrix.join_named(ghost, room, name).await?;
    }
    Ok(Effect::Nothing)
}

/// A user's membership and display name in a room.
async fn member(
    matrix: &Matrix,
    room: &RoomId,
    user: &MatrixUser,
) -> Result<(Membership, Option<String>), MatrixError> {
    let Some(content) = matrix.state(room, "m.room.member", user.as_str()).await? else {
        return Ok((Membership::Leave, None));
    };
    let membership = content["membership"].as_str().unwrap_or_default().parse()?;
    Ok((
        membership,
        content["displayname"].as_str().map(str::to_owned),
    ))
}

pub(super) async fn close(
    matrix: &Matrix,
    room: &RoomId,
    ghost: Option<&MatrixUser>,
    goodbye: &Text,
    retired_name: &str,
    txn: &str,
) -> Result<Effect, MatrixError> {
    if !is_inside(matrix, room).await? {
        return Ok(Effect::Nothing);
    }
    matrix.send(As::Bot, room, txn, &goodbye.content()).await?;
    if let Some(ghost) = ghost {
        call::leave(matrix, room, ghost, txn).await?;
        matrix.leave(As::Ghost(ghost), room).await?;
    }
    let name = json!({ "name": retired_name });
    if matrix.state(room, "m.room.name", "").await?.as_ref() != Some(&name) {
        matrix
            .put_state(As::Bot, room, "m.room.name", "", &name)
            .await?;
    }
    Ok(Effect::Nothing)
}

pub(super) async fn vacate(matrix: &Matrix, room: &RoomId) -> Result<Effect, MatrixError> {
    let members = match matrix.members(room).await {
        Err(error) if error.is_absence() => return Ok(Effect::Nothing),
        other => other?,
    };
    for member in members {
        if member.user != *matrix.bot() {
            matrix.kick(room, &member.user, None).await?;
        }
    }
    Ok(Effect::Nothing)
}

pub(super) async fn erase(matrix: &Matrix, room: &RoomId) -> Result<Effect, MatrixError> {
    if is_inside(matrix, room).await? {
        vacate(matrix, room).await?;
    }
    if !matrix.can_purge() {
        matrix.leave(As::Bot, room).await?;
        matrix.forget(As::Bot, room).await?;
        return Ok(Effect::Erased(Erasure::Left));
    }
    matrix.delete_room_media(room).await?;
    // A refusal can mean that an earlier attempt is still at work: then its progress counts.
    let refusal = match matrix.delete_room(room).await {
        Ok(()) => None,
        Err(error) if error.retry().is_some() => return Err(error),
        Err(error) => Some(error),
    };
    for _ in 0..DELETION_LOOKS {
        match matrix.deletion(room).await? {
            Some(DeletionStatus::Running) => tokio::time::sleep(BETWEEN_LOOKS).await,
            Some(DeletionStatus::Complete) => return Ok(Effect::Erased(Erasure::Purged)),
            Some(DeletionStatus::Failed) => {
                return Err(MatrixError::Away {
                    detail: "the homeserver could not delete the room".to_owned(),
                });
            }
            None => return refusal.map_or(Ok(Effect::Erased(Erasure::Purged)), Err),
        }
    }
    Err(MatrixError::Away {
        detail: "the homeserver is still deleting the room".to_owned(),
    })
}
