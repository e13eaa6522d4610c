//! What the jobs about calls mean at the moment they run.

use appservice::{Membership, OwnedRoomId, jobs::Job};
use bridge::{
    ids::{MatrixUser, VisitId},
    visit::VisitState,
};

use crate::{
    errands::{Plan, case},
    house::{ChangeError, House},
    participants,
    task::Party,
};

/// Shows the guest to be in the call.
pub(crate) async fn join(house: &House, party: &Party, ring: bool) -> Result<Plan, ChangeError> {
    let (Some(calls), Some(case)) = (&house.calls, case(house, &party.visit).await?) else {
        return Ok(Plan::Nothing);
    };
    let (VisitState::Called { clerk, .. } | VisitState::InConversation { clerk, .. }) =
        &case.record.visit.state
    else {
        return Ok(Plan::Nothing);
    };
    // The guest has hung up or gone since, or the program was started anew: the page asks again when it is there.
    if !calls.wants(party) {
        return Ok(Plan::Nothing);
    }
    let Some((room, ghost)) = participants::inside(house, &case, party).await? else {
        return Ok(Plan::Nothing);
    };
    Ok(Plan::job(Job::JoinCall {
        room,
        ghost,
        service_url: calls.service_url.clone(),
        form: calls.form,
        ring: ring.then(|| clerk.clone()),
    }))
}

/// Shows that the guest is no longer in the call.
pub(crate) async fn leave(house: &House, party: &Party) -> Result<Plan, ChangeError> {
    // Back already: a job that joins again follows.
    if house.calls.as_ref().is_some_and(|calls| calls.wants(party)) {
        return Ok(Plan::Nothing);
    }
    let Some(case) = case(house, &party.visit).await? else {
        return Ok(Plan::Nothing);
    };
    // Also of a ghost that was put out of the room: its membership of the call would stay.
    let place = participants::place(house, &case, party).await?;
    Ok(place.map_or(Plan::Nothing, |(room, ghost)| {
        Plan::job(Job::LeaveCall { room, ghost })
    }))
}

/// Takes somebody who has left the room out of the call.
pub(crate) async fn turn_out(
    house: &House,
    visit: &VisitId,
    user: &MatrixUser,
) -> Result<Plan, ChangeError> {
    let mut read = house.store.read().await?;
    let room = read.visit_matrix(visit).await?.consultation_room;
    let names = read.call_names(visit, user).await?;
    drop(read);
    let (Some(calls), Some(room)) = (&house.calls, room) else {
        return Ok(Plan::Nothing);
    };
    let alias = appservice::rtc::alias(&room, appservice::rtc::SLOT);
    if house.matrix.is_ghost(user) {
        let found = participants::of_ghost(house, visit, user).await?;
        // Otherwise asked back since.
        let out = found.is_some_and(|participant| participant.turned_out);
        let names = vec![calls.form.identity(user)];
        return Ok(if out {
            Plan::TurnOut { alias, names }
        } else {
            Plan::Nothing
        });
    }
    if names.is_empty() {
        return Ok(Plan::Nothing);
    }
    let Ok(room) = OwnedRoomId::try_from(room) else {
        return Ok(Plan::Nothing);
    };
    match house.matrix.membership(&room, user).await {
        // Invited again since, and back.
        Ok(Membership::Join) => Ok(Plan::Nothing),
        Err(fault) if !fault.is_absence() => Err(fault.into()),
        Ok(_) | Err(_) => Ok(Plan::TurnOut { alias, names }),
    }
}

/// Ends the call for everybody.
pub(crate) async fn end(house: &House, visit: &VisitId) -> Result<Plan, ChangeError> {
    let mut read = house.store.read().await?;
    let room = read.visit_matrix(visit).await?.consultation_room;
    Ok(match room {
        Some(room) if house.calls.is_some() => {
            Plan::EndCall(appservice::rtc::alias(&room, appservice::rtc::SLOT))
        }
        _ => Plan::Nothing,
    })
}
