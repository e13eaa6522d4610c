//! At the door: knocking, announcing, clearing.

use bridge::ids::MatrixUser;
use ruma::RoomId;

use super::Effect;
use crate::{
    client::{As, Matrix, MatrixError, Membership},
    content::Text,
};

pub(super) async fn place_knock(
    matrix: &Matrix,
    door: &RoomId,
    ghost: &MatrixUser,
    display_name: &str,
    reason: &str,
) -> Result<Effect, MatrixError> {
    // A clerk waits for this: nothing that can come later comes before the knock, and most ghosts are made already.
    match matrix.knock(ghost, door, display_name, reason).await {
        Err(refused) if refused.is("M_FORBIDDEN") && matrix.register(ghost).await? => {
            matrix.knock(ghost, door, display_name, reason).await?;
        }
        knocked => knocked?,
    }
    Ok(Effect::Nothing)
}

pub(super) async fn announce(
    matrix: &Matrix,
    door: &RoomId,
    line: &Text,
    concern: Option<&Text>,
    txn: &str,
) -> Result<Effect, MatrixError> {
    let line = matrix.send(As::Bot, door, txn, &line.content()).await?;
    let concern = match concern {
        None => None,
        Some(concern) => Some(
            matrix
                .send(As::Bot, door, &format!("{txn}.concern"), &concern.content())
                .await?,
        ),
    };
    Ok(Effect::Announced { line, concern })
}

pub(super) async fn clear(
    matrix: &Matrix,
    door: &RoomId,
    visitor: &MatrixUser,
    reason: Option<&str>,
) -> Result<Effect, MatrixError> {
    let membership = match matrix.membership(door, visitor).await {
        // The door itself was lost, and everybody's claim with it.
        Err(error) if error.is_absence() => return Ok(Effect::Nothing),
        other => other?,
    };
    let far = !matrix.is_local(visitor);
    // A clerk's own *Deny* has ended the knock here, and the knocker's homeserver has not heard of it.
    let denied = far && reason.is_some() && membership == Membership::Leave;
    if membership.is_out() && !denied {
        return Ok(Effect::Nothing);
    }
    if matrix.is_ghost(visitor) {
        matrix.leave(As::Ghost(visitor), door).await?;
        return Ok(Effect::Nothing);
    }
    if denied || far && membership == Membership::Knock {
        // A rejected knock does not reach the knocker's homeserver; an invite taken back does. That is a
        // courtesy: their homeserver may be away or, after some invites, refuse more (`rc_invites`).
        if let Err(error) = matrix.invite(door, visitor).await {
            tracing::info!(room = %door, errcode = error.code(), "the knocker will not learn of it");
            if denied {
                return Ok(Effect::Nothing);
            }
        }
    }
    matrix.kick(door, visitor, reason).await?;
    Ok(Effect::Nothing)
}
