//! Those who come along to a visit: interpreters and companions, by links of their own.
//!
//! A link's secret is nowhere stored but as its hash. Whoever opens the link takes its place, and whoever had it open
//! before loses it: a link that went astray is of use to one browser at a time, and somebody sees it. The place lasts
//! as long as the visit.

use appservice::{Membership, OwnedRoomId, event::RoomEvent, jobs::Job};
use async_trait::async_trait;
use bridge::{
    ids::{GuestId, MatrixUser, ParticipantId, VisitId},
    visit::VisitState,
};
use gateway::{
    appointments::{BookingError, Holder, Token, TokenHash},
    participants::{ParticipantError, ParticipantView, Participants, Phase, Role},
    port::{CallView, HouseError, VisitEvent, VisitEvents},
};
use store::{BookingState, LinkRole, Participant, Tx, VisitRecord};

use crate::{
    booking::opened,
    calls,
    errands::{self, Case, Plan, case},
    front_office::{Counter, OrInternal, internal},
    ghosts,
    house::{ChangeError, House, first_language},
    shell,
    task::Party,
};

/// As many come along to one visit.
const MOST: usize = 3;

#[async_trait]
impl Participants for Counter {
    async fn invite(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        role: Role,
    ) -> Result<Token, ParticipantError> {
        let record = self.record(guest, visit).await?;
        if !record.visit.is_live() {
            return Err(ParticipantError::Over);
        }
        let link = Token::from_bytes(shell::random().map_err(internal)?);
        let mut tx = self.0.store.begin().await.or_internal()?;
        add(&self.0, &mut tx, visit, link_role(role), &link.hash()).await?;
        tx.commit().await.or_internal()?;
        self.0.ghosts.notify_one();
        Ok(link)
    }

    async fn claim(
        &self,
        link: &TokenHash,
        guest: &GuestId,
    ) -> Result<ParticipantView, ParticipantError> {
        let house = &self.0;
        let mut tx = house.store.begin().await.or_internal()?;
        let known = tx.participant_of_token(link.as_str()).await.or_internal()?;
        let (participant, record) = match known {
            Some(participant) => match live(&mut tx, &participant.visit).await? {
                Some(record) => (participant, record),
                None => from_booking(house, &mut tx, link, Some(participant)).await?,
            },
            None => from_booking(house, &mut tx, link, None).await?,
        };
        if participant.turned_out {
            return Err(ParticipantError::TurnedOut);
        }
        tx.seat_participant(&participant.id, guest)
            .await
            .or_internal()?;
        tx.commit().await.or_internal()?;
        house.ghosts.notify_one();
        // A page that has lost the place learns of it.
        house.hub.send(&participant.visit, VisitEvent::Changed);
        Ok(view(house, participant, &record).await)
    }

    async fn participant(
        &self,
        guest: &GuestId,
        id: &ParticipantId,
    ) -> Result<ParticipantView, ParticipantError> {
        let (participant, record) = self.seated(guest, id).await?;
        Ok(view(&self.0, participant, &record).await)
    }

    async fn watch(
        &self,
        guest: &GuestId,
        id: &ParticipantId,
    ) -> Result<VisitEvents, ParticipantError> {
        let (participant, _) = self.seated(guest, id).await?;
        Ok(self.0.hub.watch(&party(&participant)))
    }

    async fn join_call(
        &self,
        guest: &GuestId,
        id: &ParticipantId,
    ) -> Result<CallView, ParticipantError> {
        let (participant, record) = self.seated(guest, id).await?;
        let call = calls::join(&self.0, &record, &party(&participant)).await?;
        // Put out meanwhile: the relay may have been told before this token was made.
        self.seated(guest, id).await?;
        Ok(call)
    }

    async fn leave_call(
        &self,
        guest: &GuestId,
        id: &ParticipantId,
    ) -> Result<(), ParticipantError> {
        let (participant, _) = self.seated(guest, id).await?;
        calls::hang_up(&self.0, &party(&participant))
            .await
            .or_internal()?;
        Ok(())
    }
}

impl Counter {
    /// Whoever has this place in this browser and has not been put out, and the visit, which has not ended.
    async fn seated(
        &self,
        guest: &GuestId,
        id: &ParticipantId,
    ) -> Result<(Participant, VisitRecord), ParticipantError> {
        let mut read = self.0.store.read().await.or_internal()?;
        let participant = read.participant(id).await.or_internal()?;
        let participant = participant
            .filter(|participant| participant.guest.as_ref() == Some(guest))
            .ok_or(ParticipantError::UnknownLink)?;
        let record = read.visit(&participant.visit).await.or_internal()?;
        let record = record.filter(|record| record.visit.is_live());
        let record = record.ok_or(ParticipantError::Over)?;
        if participant.turned_out {
            return Err(ParticipantError::TurnedOut);
        }
        Ok((participant, record))
    }
}

/// A further place at a visit.
async fn add(
    house: &House,
    tx: &mut Tx,
    visit: &VisitId,
    role: LinkRole,
    link: &TokenHash,
) -> Result<Participant, ParticipantError> {
    if tx.participants(visit).await.or_internal()?.len() >= MOST {
        return Err(ParticipantError::TooMany);
    }
    let participant = Participant {
        id: ParticipantId::from_random(shell::random().map_err(internal)?),
        visit: visit.clone(),
        role,
        ghost: ghosts::take(house, tx).await.or_internal()?,
        guest: None,
        turned_out: false,
    };
    tx.add_participant(&participant, link.as_str(), shell::now())
        .await
        .or_internal()?;
    Ok(participant)
}

/// A visit that has not ended.
async fn live(tx: &mut Tx, visit: &VisitId) -> Result<Option<VisitRecord>, ParticipantError> {
    let record = tx.visit(visit).await.or_internal()?;
    Ok(record.filter(|record| record.visit.is_live()))
}

/// The link of an appointment leads to the visit that it has become; to the later one, when its citizen came twice.
async fn from_booking(
    house: &House,
    tx: &mut Tx,
    link: &TokenHash,
    known: Option<Participant>,
) -> Result<(Participant, VisitRecord), ParticipantError> {
    let (booking, holder) = opened(tx, link).await.map_err(|error| match error {
        BookingError::UnknownBooking if known.is_some() => ParticipantError::Over,
        BookingError::UnknownBooking => ParticipantError::UnknownLink,
        _ => ParticipantError::House(HouseError::Internal),
    })?;
    let role = match holder {
        Holder::Interpreter => LinkRole::Interpreter,
        Holder::Companion => LinkRole::Companion,
        Holder::Booker | Holder::Calendar => return Err(ParticipantError::UnknownLink),
    };
    match (booking.state, &booking.visit) {
        (BookingState::Arrived, Some(visit)) => {
            let record = live(tx, visit).await?.ok_or(ParticipantError::Over)?;
            let participant = match known {
                Some(participant) => {
                    tx.move_participant(&participant.id, visit)
                        .await
                        .or_internal()?;
                    Participant {
                        visit: visit.clone(),
                        turned_out: false,
                        ..participant
                    }
                }
                None => add(house, tx, visit, role, link).await?,
            };
            Ok((participant, record))
        }
        (BookingState::Held | BookingState::Unconfirmed | BookingState::Confirmed, _) => {
            Err(ParticipantError::NotYet)
        }
        _ => Err(ParticipantError::Over),
    }
}

async fn view(house: &House, participant: Participant, record: &VisitRecord) -> ParticipantView {
    let clerk_name = match record.visit.clerk() {
        Some(clerk) => Some(house.names.of(clerk).await),
        None => None,
    };
    ParticipantView {
        id: participant.id,
        role: match participant.role {
            LinkRole::Interpreter => Role::Interpreter,
            LinkRole::Companion => Role::Companion,
        },
        office: record.office.clone(),
        ticket: record.visit.ticket,
        phase: match record.visit.state {
            VisitState::InConversation { .. } => Phase::InConversation,
            VisitState::Waiting | VisitState::Called { .. } | VisitState::Ended { .. } => {
                Phase::Waiting
            }
        },
        clerk_name,
    }
}

const fn link_role(role: Role) -> LinkRole {
    match role {
        Role::Interpreter => LinkRole::Interpreter,
        Role::Companion => LinkRole::Companion,
    }
}

fn party(participant: &Participant) -> Party {
    Party {
        visit: participant.visit.clone(),
        participant: Some(participant.id.clone()),
    }
}

/// Whom of a visit this ghost stands for.
pub(crate) async fn party_of(
    house: &House,
    visit: &VisitId,
    ghost: &MatrixUser,
) -> Result<Party, ChangeError> {
    let found = of_ghost(house, visit, ghost).await?;
    Ok(found.map_or_else(|| Party::citizen(visit), |found| party(&found)))
}

/// How somebody who comes along is called in the room and its call: by what they are there for.
pub(crate) async fn name_of(
    house: &House,
    id: &ParticipantId,
) -> Result<Option<String>, ChangeError> {
    let found = house.store.read().await?.participant(id).await?;
    Ok(found.map(|participant| {
        let key = match participant.role {
            LinkRole::Interpreter => "participant-interpreter",
            LinkRole::Companion => "participant-companion",
        };
        let language = first_language(&house.city.get());
        house.words.say(language, key, &[])
    }))
}

/// A clerk has put a ghost out of a conversation's room: its person is out of the call, and does not come back by the
/// link.
pub(crate) async fn put_out(
    house: &House,
    participant: &Participant,
    event: &RoomEvent,
) -> Result<(), ChangeError> {
    let mut tx = house.store.begin().await?;
    tx.turn_out_participant(&participant.id, true).await?;
    calls::put_out(house, &mut tx, &party(participant), &participant.ghost).await?;
    tx.processed(event.event_id.as_str(), shell::now()).await?;
    tx.commit().await?;
    house.outbox.notify_one();
    house.hub.send(&participant.visit, VisitEvent::Changed);
    Ok(())
}

/// A clerk invites a ghost that had been put out: the link leads into the conversation again.
pub(crate) async fn asked_back(
    house: &House,
    participant: &Participant,
    event: &RoomEvent,
) -> Result<(), ChangeError> {
    let mut tx = house.store.begin().await?;
    tx.turn_out_participant(&participant.id, false).await?;
    tx.processed(event.event_id.as_str(), shell::now()).await?;
    Ok(tx.commit().await?)
}

/// Whoever comes along to a visit by this ghost.
pub(crate) async fn of_ghost(
    house: &House,
    visit: &VisitId,
    ghost: &MatrixUser,
) -> Result<Option<Participant>, ChangeError> {
    let beside = house.store.read().await?.participants(visit).await?;
    Ok(beside
        .into_iter()
        .find(|participant| participant.ghost == *ghost))
}

/// The consultation room and the party's ghost in it, if both are there.
pub(crate) async fn inside(
    house: &House,
    case: &Case,
    party: &Party,
) -> Result<Option<(OwnedRoomId, MatrixUser)>, ChangeError> {
    let place = place(house, case, party).await?;
    let (Some((room, ghost)), Some(_)) = (&place, &party.participant) else {
        return Ok(place);
    };
    match house.matrix.membership(room, ghost).await {
        Ok(Membership::Join) => Ok(place),
        Err(fault) if !fault.is_absence() => Err(fault.into()),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The consultation room and the party's ghost, wherever it is.
pub(crate) async fn place(
    house: &House,
    case: &Case,
    party: &Party,
) -> Result<Option<(OwnedRoomId, MatrixUser)>, ChangeError> {
    let Some(id) = &party.participant else {
        return Ok(errands::inside(case));
    };
    let seat = seat(house, case, id).await?;
    Ok(seat.map(|(room, participant)| (room, participant.ghost)))
}

/// The consultation room, and who is to come there.
async fn seat(
    house: &House,
    case: &Case,
    id: &ParticipantId,
) -> Result<Option<(OwnedRoomId, Participant)>, ChangeError> {
    let room = case.place.consultation_room.as_deref();
    let Some(room) = room.and_then(|room| room.try_into().ok()) else {
        return Ok(None);
    };
    let found = house.store.read().await?.participant(id).await?;
    Ok(found.map(|participant| (room, participant)))
}

/// Brings somebody into the room of a conversation that has not ended.
pub(crate) async fn plan_admit(
    house: &House,
    visit: &VisitId,
    id: &ParticipantId,
) -> Result<Plan, ChangeError> {
    let Some(case) = case(house, visit).await? else {
        return Ok(Plan::Nothing);
    };
    if !case.record.visit.is_live() {
        return Ok(Plan::Nothing);
    }
    let (Some((room, participant)), Some(name)) =
        (seat(house, &case, id).await?, name_of(house, id).await?)
    else {
        return Ok(Plan::Nothing);
    };
    // A clerk's word counts for more than the page's wish.
    if participant.turned_out {
        return Ok(Plan::Nothing);
    }
    Ok(Plan::job(Job::Admit {
        room,
        ghost: participant.ghost,
        name,
    }))
}

/// Lets somebody leave the room of a conversation that is over.
pub(crate) async fn plan_see_off(
    house: &House,
    visit: &VisitId,
    id: &ParticipantId,
) -> Result<Plan, ChangeError> {
    let Some(case) = case(house, visit).await? else {
        return Ok(Plan::Nothing);
    };
    let seat = seat(house, &case, id).await?;
    Ok(seat.map_or(Plan::Nothing, |(door, participant)| {
        Plan::job(Job::ClearDoor {
            door,
            visitor: participant.ghost,
            reason: None,
        })
    }))
}
