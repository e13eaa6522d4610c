//! The call as a guest's page needs it.

use appservice::{
    OwnedRoomId, RoomId,
    rtc::{self, Member, SLOT},
    types,
};
use bridge::ids::MatrixUser;
use futures_util::future::join_all;
use gateway::port::{CallParticipant, CallRole, CallView, HouseError, Transport};
use jiff::SignedDuration;
use serde_json::Value;
use store::VisitRecord;
use tracing::{debug, warn};

use super::{Calls, foreign, order};
use crate::{
    errands,
    front_office::{OrInternal, in_conversation, internal},
    house::House,
    names, participants, shell,
    task::Party,
};

/// Relays of other homeservers in one call.
const MOST_OTHERS: usize = 8;
/// A token of another homeserver's relay is good for an hour, and given out for this long.
const TOKEN_KEPT: SignedDuration = SignedDuration::from_mins(30);

/// Puts the guest, or somebody who comes along, into the call and says where it is and who is in it.
pub(crate) async fn join(
    house: &House,
    record: &VisitRecord,
    party: &Party,
) -> Result<CallView, HouseError> {
    let calls = house.calls.as_ref().ok_or(HouseError::CallsUnavailable)?;
    if !in_conversation(record) {
        return Err(HouseError::NoConversation);
    }
    let city = house.city.get();
    let mut read = house.store.read().await.or_internal()?;
    let place = read.visit_matrix(&party.visit).await.or_internal()?;
    let (ghost, name) = match &party.participant {
        None => {
            let private = read.private(&party.visit).await.or_internal()?;
            let unnamed = || errands::unnamed(house, &city, record.visit.ticket);
            (place.ghost, private.name.unwrap_or_else(unnamed))
        }
        Some(id) => {
            let beside = read.participant(id).await.or_internal()?;
            let name = participants::name_of(house, id).await.or_internal()?;
            (
                beside.map(|participant| participant.ghost),
                name.unwrap_or_default(),
            )
        }
    };
    drop(read);
    // The room is made by a job: a guest who is quicker asks again.
    let (Some(ghost), Some(room)) = (ghost, place.consultation_room) else {
        return Err(HouseError::CallNotReady);
    };
    let room: OwnedRoomId = room.try_into().map_err(internal)?;
    let alias = rtc::alias(room.as_str(), SLOT);
    calls.relay.create_room(&alias).await.map_err(|fault| {
        warn!("a call cannot begin: {fault}");
        HouseError::CallsUnavailable
    })?;
    if calls.enter(party, shell::now()) {
        // Who comes along does not call the clerk.
        order(house, party, party.participant.is_none())
            .await
            .or_internal()?;
    }
    let seen = tokio::try_join!(
        house.matrix.full_state(&room),
        house.matrix.newest_of_type(&room, types::RTC_MEMBER),
    );
    let (state, timeline) = seen.map_err(|fault| {
        warn!("who is in a call cannot be seen: {}", fault.code());
        HouseError::HomeserverAway
    })?;
    let mut members = rtc::members(&state, &timeline, shell::now());
    members.retain(|member| member.user != ghost);

    let identity = calls.form.identity(&ghost);
    let token = calls.relay.join_token(&alias, &identity);
    let mut transports = vec![Transport {
        url: calls.relay.url().to_owned(),
        token: token.map_err(internal)?,
        own: true,
    }];
    transports.extend(others(house, calls, party, (&ghost, &room), &members).await);

    let guest = CallParticipant {
        identity,
        name,
        role: CallRole::Guest,
    };
    let mut participants = vec![guest];
    let clerks = city.office(&record.office).map(|office| &office.clerks);
    for member in members {
        let is_clerk = record.visit.clerk() == Some(&member.user)
            || clerks.is_some_and(|clerks| clerks.contains(&member.user));
        participants.push(CallParticipant {
            name: match name_in_room(&state, &member.user) {
                Some(name) => name,
                None => house.names.of(&member.user).await,
            },
            identity: member.identity,
            role: if is_clerk {
                CallRole::Clerk
            } else {
                CallRole::Participant
            },
        });
    }
    Ok(CallView {
        transports,
        participants,
    })
}

fn name_in_room(state: &[Value], user: &MatrixUser) -> Option<String> {
    let own = |event: &&Value| {
        event["type"] == "m.room.member" && event["state_key"].as_str() == Some(user.as_str())
    };
    let content = &state.iter().find(own)?["content"];
    names::tidy(content["displayname"].as_str()?)
}

/// The relays of other homeservers that somebody in the call sends to. One that cannot be reached is left out: the
/// others are still worth connecting to.
async fn others(
    house: &House,
    calls: &Calls,
    party: &Party,
    (ghost, room): (&MatrixUser, &RoomId),
    members: &[Member],
) -> Vec<Transport> {
    let mut services: Vec<&str> = members
        .iter()
        .filter_map(|member| member.service_url.as_deref())
        .filter(|service| *service != calls.service_url)
        .collect();
    services.sort_unstable();
    services.dedup();
    services.truncate(MOST_OTHERS);
    let transports = services
        .into_iter()
        .map(|service| other(house, calls, party, (ghost, room), service.to_owned()));
    let transports: Vec<_> = transports.collect();
    join_all(transports).await.into_iter().flatten().collect()
}

/// The relay behind another homeserver's token service.
async fn other(
    house: &House,
    calls: &Calls,
    party: &Party,
    (ghost, room): (&MatrixUser, &RoomId),
    service: String,
) -> Option<Transport> {
    let now = shell::now();
    let kept = calls.lock().get(party).and_then(|guest| {
        let (transport, until) = guest.others.get(&service)?;
        (now < *until).then(|| transport.clone())
    });
    if kept.is_some() {
        return kept;
    }
    // Each service gets a proof of its own.
    let openid = match house.matrix.openid_token(ghost).await {
        Ok(openid) => openid,
        Err(fault) => {
            debug!("a guest cannot prove who it is: {}", fault.code());
            return None;
        }
    };
    let outward = &calls.outward;
    match foreign::token(outward, &service, room.as_str(), ghost, &openid).await {
        Ok((url, token)) => {
            let transport = Transport {
                url,
                token,
                own: false,
            };
            if let Some(guest) = calls.lock().get_mut(party) {
                let entry = (transport.clone(), now + TOKEN_KEPT);
                guest.others.insert(service, entry);
            }
            Some(transport)
        }
        Err(fault) => {
            debug!("another homeserver's relay is left out: {fault}");
            None
        }
    }
}
