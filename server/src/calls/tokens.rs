//! Tokens for Matrix clients: whoever is in a consultation room takes part in its call.

use std::sync::Arc;

use appservice::{Membership, OwnedRoomId, rooms, rtc};
use async_trait::async_trait;
use bridge::{
    ids::{MatrixUser, VisitId},
    visit::Visit,
};
use gateway::port::{Claim, DelayedLeave, MediaTokens, TokenError, TokenGrant, TokenRequest};
use store::{StoreError, VisitRecord};
use tracing::{error, warn};

use super::{Calls, delegate::Delegated, openid};
use crate::{
    house::{ChangeError, House},
    shell,
};

/// A client asks under one name for each device, and under a new one for each time it joins. Whoever asks under more is
/// none.
const MOST_NAMES: usize = 100;

/// The token service on the house.
pub(crate) struct TokenService(pub(crate) Arc<House>);

#[async_trait]
impl MediaTokens for TokenService {
    async fn token(
        &self,
        request: TokenRequest,
        leave: Option<DelayedLeave>,
    ) -> Result<TokenGrant, TokenError> {
        let house = &self.0;
        let calls = house.calls.as_ref().ok_or(TokenError::Away)?;
        let Proven {
            user,
            visit,
            room,
            alias,
            identity,
        } = prove(house, calls, &request).await?;
        if let Some(leave) = &leave {
            is_takeable(house, &user, leave)?;
        }
        // A call is begun by the city's own people. Guests of other homeservers join one that there is.
        if house.matrix.is_local(&user) {
            calls.relay.create_room(&alias).await.map_err(|fault| {
                warn!("a call cannot begin: {fault}");
                TokenError::Away
            })?;
        }
        if !note(house, &visit, &user, &identity).await? {
            warn!("somebody asks for a call under ever new names");
            return Err(TokenError::NotInRoom);
        }
        // Put out meanwhile: what takes them out of the call may have looked before the name was noted.
        if !is_inside(house, &room, &user).await? {
            return Err(TokenError::NotInRoom);
        }
        let jwt = calls.relay.join_token(&alias, &identity).map_err(|fault| {
            error!("a token cannot be made: {fault}");
            TokenError::Internal
        })?;
        if let Some(leave) = leave {
            take(calls, &user, &alias, &identity, leave)?;
        }
        Ok(TokenGrant {
            url: calls.relay.url().to_owned(),
            jwt,
        })
    }

    async fn delegate(&self, request: TokenRequest, leave: DelayedLeave) -> Result<(), TokenError> {
        let house = &self.0;
        let calls = house.calls.as_ref().ok_or(TokenError::Away)?;
        let proven = prove(house, calls, &request).await?;
        is_takeable(house, &proven.user, &leave)?;
        take(calls, &proven.user, &proven.alias, &proven.identity, leave)
    }
}

/// Somebody in a live visit's room, and what they are called at the relay.
struct Proven {
    user: MatrixUser,
    visit: VisitId,
    room: OwnedRoomId,
    alias: String,
    identity: String,
}

async fn prove(house: &House, calls: &Calls, request: &TokenRequest) -> Result<Proven, TokenError> {
    let user = openid::subject(
        &house.matrix,
        &calls.outward,
        &calls.services,
        &request.openid,
    )
    .await?;
    let identity = match &request.claim {
        Claim::Device { device_id } => rtc::identity_by_name(user.as_str(), device_id),
        Claim::Member { user_id, .. } if user_id != user.as_str() => {
            return Err(TokenError::Unproven);
        }
        Claim::Member { id, device_id, .. } => rtc::identity_by_hash(user.as_str(), device_id, id),
    };
    if request.slot_id != rtc::SLOT {
        return Err(TokenError::NotInRoom);
    }
    let room: OwnedRoomId = request
        .room_id
        .as_str()
        .try_into()
        .map_err(|_| TokenError::NotInRoom)?;
    // A guest's page gets its token with the visit. The proof of a ghost has been elsewhere: other homeservers' relays see
    // it, and whoever they give it to would come in as the guest.
    if house.matrix.is_ghost(&user) {
        return Err(TokenError::NotInRoom);
    }
    let Some(visit) = live_visit(house, &room).await? else {
        return Err(TokenError::NotInRoom);
    };
    if !is_inside(house, &room, &user).await? {
        return Err(TokenError::NotInRoom);
    }
    Ok(Proven {
        user,
        visit,
        alias: rtc::alias(room.as_str(), rtc::SLOT),
        room,
        identity,
    })
}

/// A leave lies at its user's homeserver, and only the city's own is asked.
fn is_takeable(house: &House, user: &MatrixUser, leave: &DelayedLeave) -> Result<(), TokenError> {
    if house.matrix.is_local(user) && Delegated::takes(leave) {
        Ok(())
    } else {
        Err(TokenError::NotTaken)
    }
}

fn take(
    calls: &Calls,
    user: &MatrixUser,
    alias: &str,
    identity: &str,
    leave: DelayedLeave,
) -> Result<(), TokenError> {
    let now = shell::now();
    if calls.delegated.take(alias, identity, user, leave, now) {
        Ok(())
    } else {
        warn!("more leaves are handed over than are taken");
        Err(TokenError::NotTaken)
    }
}

/// Keeps the name before a token is given out for it; `false` when the user has had too many in this call.
async fn note(
    house: &House,
    visit: &VisitId,
    user: &MatrixUser,
    name: &str,
) -> Result<bool, TokenError> {
    let noted = async {
        let mut tx = house.store.begin().await?;
        let noted = tx.add_call_name(visit, user, name, MOST_NAMES).await?;
        tx.commit().await?;
        Ok::<_, StoreError>(noted)
    };
    noted.await.map_err(|fault| {
        error!("who may be in a call cannot be noted: {fault}");
        TokenError::Internal
    })
}

/// The visit whose consultation room it is, if it has not ended.
async fn live_visit(house: &House, room: &OwnedRoomId) -> Result<Option<VisitId>, TokenError> {
    match visit_of(house, room).await {
        Ok(record) => Ok(record
            .map(|record| record.visit)
            .filter(Visit::is_live)
            .map(|visit| visit.id)),
        Err(ChangeError::Matrix(fault)) => {
            warn!("whose room it is cannot be seen: {}", fault.code());
            Err(TokenError::Away)
        }
        Err(fault) => {
            error!("whose room it is cannot be read: {fault}");
            Err(TokenError::Internal)
        }
    }
}

async fn visit_of(house: &House, room: &OwnedRoomId) -> Result<Option<VisitRecord>, ChangeError> {
    let mut read = house.store.read().await?;
    if let Some(record) = read.visit_of_room(room.as_str()).await? {
        return Ok(Some(record));
    }
    drop(read);
    // A room that is being made at this moment is not remembered yet, but people are in it.
    match rooms::origin(&house.matrix, room).await? {
        Some(rooms::Origin::Consultation(visit)) => {
            Ok(house.store.read().await?.visit(&visit).await?)
        }
        Some(rooms::Origin::Door(_)) | None => Ok(None),
    }
}

async fn is_inside(
    house: &House,
    room: &OwnedRoomId,
    user: &MatrixUser,
) -> Result<bool, TokenError> {
    match house.matrix.membership(room, user).await {
        Ok(membership) => Ok(membership == Membership::Join),
        Err(fault) if fault.is_absence() => Ok(false),
        Err(fault) => {
            warn!("who is in a room cannot be seen: {}", fault.code());
            Err(TokenError::Away)
        }
    }
}
