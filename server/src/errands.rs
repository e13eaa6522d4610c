//! What an outbox row means at the moment it runs: words and ids are looked up here, not stored in the row.

mod message;
mod scene;

use appservice::{
    OwnedEventId, OwnedRoomId,
    content::Text,
    jobs::{Effect, Job, Speaker},
};
use bridge::{
    ids::{BookingId, MatrixUser, OfficeSlug, Ticket, VisitId},
    input::{ClerkNotice, Command},
    visit::VisitState,
};
use city::model::City;
use gateway::port::VisitEvent;
use serde::Deserialize as _;
use store::{Delivery, Job as Row, Lane, Tx, VisitMatrix, VisitPrivate, VisitRecord};

use self::scene::Scene;
use crate::{
    booking::{self, Letter},
    calls,
    house::{ChangeError, House, first_language},
    participants, shell,
    task::{Errand, Party, Task},
};

/// What to do about a row.
pub(crate) enum Plan {
    /// Execute this.
    Job(Box<Job>),
    /// End the call of this name at the relay.
    EndCall(String),
    /// Take somebody out of the call of this name at the relay.
    TurnOut {
        /// The call.
        alias: String,
        /// Their names in it.
        names: Vec<String>,
    },
    /// Send this mail.
    Mail {
        /// The mail; or why it cannot be written, as a word for the log.
        mail: Result<Box<lettre::Message>, &'static str>,
        /// Whose booking, and what it is about.
        about: (BookingId, Letter),
    },
    /// It has become needless.
    Nothing,
    /// The office's door room does not exist yet.
    NoDoorYet,
    /// It can never be done, and whoever waits for it has to know.
    InVain,
    /// The row is not readable.
    Unreadable,
}

impl Plan {
    pub(crate) fn job(job: Job) -> Self {
        Self::Job(Box::new(job))
    }
}

/// A visit with all that is known of it.
pub(crate) struct Case {
    pub(crate) record: VisitRecord,
    pub(crate) private: VisitPrivate,
    pub(crate) place: VisitMatrix,
}

/// Builds the job of a row from what is true at this moment.
pub(crate) async fn plan(house: &House, row: &Row) -> Result<Plan, ChangeError> {
    match serde_json::from_value::<Task>(row.job.clone()) {
        Ok(Task::Decided(command)) => decided(house, row, command).await,
        Ok(Task::Own(errand)) => own(house, row, errand).await,
        Err(_) => Ok(Plan::Unreadable),
    }
}

async fn decided(house: &House, row: &Row, command: Command) -> Result<Plan, ChangeError> {
    let visit = match &command {
        Command::TellClerk { clerk, notice } => return tell_clerk(house, row, clerk, notice).await,
        Command::Publish => return Ok(Plan::Nothing),
        Command::PlaceKnock { visit }
        | Command::Announce { visit }
        | Command::UpdateAnnouncement { visit }
        | Command::ClearDoor { visit }
        | Command::OpenConsultation { visit }
        | Command::CloseConsultation { visit, .. }
        | Command::RedactConcern { visit } => visit,
    };
    // An erased visit needs nothing any more; an office that the city has given up has no rooms.
    let Some(case) = case(house, visit).await? else {
        return Ok(Plan::Nothing);
    };
    let city = house.city.get();
    let Some(office) = city.office(&case.record.office) else {
        return Ok(Plan::Nothing);
    };
    let Some(door) = house.doors.room(&office.slug) else {
        return Ok(Plan::NoDoorYet);
    };
    let scene = Scene {
        house,
        city: &city,
        office,
        case: &case,
    };
    let job = match command {
        Command::PlaceKnock { .. } => scene.place_knock(door),
        Command::Announce { .. } => scene.announce(door).await?,
        Command::UpdateAnnouncement { .. } => scene.update_line(door).await?,
        Command::ClearDoor { .. } => scene.clear_door(door),
        Command::OpenConsultation { .. } => scene.open_consultation(),
        Command::CloseConsultation { ending, .. } => scene.close_consultation(ending),
        Command::RedactConcern { .. } => event_id(case.place.concern_event.as_deref())
            .map(|event| Job::Redact { room: door, event }),
        Command::TellClerk { .. } | Command::Publish => None,
    };
    Ok(job.map_or(Plan::Nothing, Plan::job))
}

/// The visit, unless it has been erased.
pub(crate) async fn case(house: &House, visit: &VisitId) -> Result<Option<Case>, ChangeError> {
    let mut read = house.store.read().await?;
    let Some(record) = read.visit(visit).await? else {
        return Ok(None);
    };
    let private = read.private(visit).await?;
    let place = read.visit_matrix(visit).await?;
    Ok(Some(Case {
        record,
        private,
        place,
    }))
}

async fn tell_clerk(
    house: &House,
    row: &Row,
    clerk: &MatrixUser,
    notice: &ClerkNotice,
) -> Result<Plan, ChangeError> {
    let Some(room) = door_of(house, row) else {
        return Ok(Plan::NoDoorYet);
    };
    let language = house.clerk_language(&house.city.get(), clerk);
    let name = house.names.of(clerk).await;
    let by = match notice {
        ClerkNotice::AlreadyTaken { by, .. } => house.names.of(by).await,
        _ => String::new(),
    };
    let text = Text::notice(house.words.notice(language, &name, notice, &by));
    Ok(Plan::job(Job::Say {
        room,
        speaker: Speaker::Bot,
        text,
    }))
}

/// The door room whose lane the row is in.
pub(crate) fn door_of(house: &House, row: &Row) -> Option<OwnedRoomId> {
    let slug: OfficeSlug = row.lane.as_str().strip_prefix("door:")?.parse().ok()?;
    house.doors.room(&slug)
}

async fn own(house: &House, row: &Row, errand: Errand) -> Result<Plan, ChangeError> {
    let (office, visitor, reason) = match errand {
        Errand::Deliver { visit, message } => {
            return message::deliver(house, &visit, message).await;
        }
        Errand::ShowTicket { visit } => return show_ticket(house, &visit).await,
        Errand::NameGuest { party } => return name_guest(house, &party).await,
        Errand::JoinCall { party, ring } => return calls::plan_join(house, &party, ring).await,
        Errand::LeaveCall { party } => return calls::plan_leave(house, &party).await,
        Errand::Admit { visit, participant } => {
            return participants::plan_admit(house, &visit, &participant).await;
        }
        Errand::SeeOff { visit, participant } => {
            return participants::plan_see_off(house, &visit, &participant).await;
        }
        Errand::TurnOut { visit, user } => {
            return calls::plan_turn_out(house, &visit, &user).await;
        }
        Errand::EndCall { visit } => return calls::plan_end(house, &visit).await,
        Errand::Mail { booking, letter } => {
            return booking::plan_letter(house, row, &booking, letter).await;
        }
        Errand::TellBooking { booking, news } => {
            return booking::plan_line(house, &booking, news).await;
        }
        Errand::TellPhone { booking } => return booking::plan_phone(house, &booking).await,
        Errand::RedactNote { event } => return Ok(booking::plan_redaction(house, row, &event)),
        Errand::PrepareRoom { booking } => return booking::plan_room(house, &booking).await,
        Errand::EraseRoom { room } => {
            return Ok(OwnedRoomId::try_from(room)
                .map_or(Plan::Nothing, |room| Plan::job(Job::EraseRoom { room })));
        }
        Errand::Answer { text } => {
            let job = |room| Job::Say {
                room,
                speaker: Speaker::Bot,
                text: Text::notice(text),
            };
            return Ok(door_of(house, row)
                .map(job)
                .map_or(Plan::NoDoorYet, Plan::job));
        }
        Errand::TurnDown {
            office,
            user,
            reason,
        } => (office, user, Some(reason)),
        Errand::ShowOut { office, user } => (office, user, None),
    };
    let job = |door| Job::ClearDoor {
        door,
        visitor,
        reason,
    };
    Ok(house
        .doors
        .room(&office)
        .map(job)
        .map_or(Plan::NoDoorYet, Plan::job))
}

/// The consultation room and the ghost in it, if both are there.
pub(crate) fn inside(case: &Case) -> Option<(OwnedRoomId, MatrixUser)> {
    let room = case.place.consultation_room.as_deref()?.try_into().ok()?;
    Some((room, case.place.ghost.clone()?))
}

async fn name_guest(house: &House, party: &Party) -> Result<Plan, ChangeError> {
    let Some(case) = case(house, &party.visit).await? else {
        return Ok(Plan::Nothing);
    };
    let Some((room, ghost)) = participants::inside(house, &case, party).await? else {
        return Ok(Plan::Nothing);
    };
    let city = house.city.get();
    let name = match &party.participant {
        None => guest_name(house, &city, &case),
        Some(participant) => match participants::name_of(house, participant).await? {
            Some(name) => name,
            None => return Ok(Plan::Nothing),
        },
    };
    Ok(Plan::job(Job::NameGuest { room, ghost, name }))
}

/// Once the visit has been called, the guest has a name of the consultation room's own, which this would undo.
async fn show_ticket(house: &House, visit: &VisitId) -> Result<Plan, ChangeError> {
    let Some(case) = case(house, visit).await? else {
        return Ok(Plan::Nothing);
    };
    let visit = case.record.visit;
    let Some(ghost) = case
        .place
        .ghost
        .filter(|_| visit.state == VisitState::Waiting)
    else {
        return Ok(Plan::Nothing);
    };
    Ok(Plan::job(Job::SetDisplayName {
        ghost,
        display_name: visit.ticket.to_string(),
    }))
}

/// How the guest is called in the consultation room and in its call, and nowhere else.
fn guest_name(house: &House, city: &City, case: &Case) -> String {
    let name = case.private.name.clone();
    name.unwrap_or_else(|| unnamed(house, city, case.record.visit.ticket))
}

/// How a guest is called who has told no name.
pub(crate) fn unnamed(house: &House, city: &City, ticket: Ticket) -> String {
    house.words.say(
        first_language(city),
        "guest-default-name",
        &[("ticket", &ticket)],
    )
}

fn event_id(id: Option<&str>) -> Option<OwnedEventId> {
    id?.try_into().ok()
}

/// Whose knock this row places, if that is what it does.
pub(crate) fn places_knock(row: &Row) -> Option<VisitId> {
    match Command::deserialize(&row.job) {
        Ok(Command::PlaceKnock { visit }) => Some(visit),
        _ => None,
    }
}

/// Whose knock this row announces, if that is what it does.
pub(crate) fn announces(row: &Row) -> Option<VisitId> {
    match Command::deserialize(&row.job) {
        Ok(Command::Announce { visit }) => Some(visit),
        _ => None,
    }
}

/// Stores what a job brought about, in the transaction that removes its row; what the guest's page is told.
pub(crate) async fn remember(
    tx: &mut Tx,
    row: &Row,
    effect: Effect,
) -> Result<Option<(VisitId, VisitEvent)>, ChangeError> {
    let task = serde_json::from_value::<Task>(row.job.clone()).ok();
    match (effect, task) {
        // After the knock and beside the line about it, for both of which a clerk waits.
        (Effect::Nothing, Some(Task::Decided(Command::PlaceKnock { visit }))) => {
            let lane = Lane::visit(&visit);
            tx.enqueue(&lane, &Errand::ShowTicket { visit }, shell::now())
                .await?;
        }
        (Effect::Announced { line, concern }, Some(Task::Decided(Command::Announce { visit }))) => {
            tx.set_line_event(&visit, Some(line.as_str())).await?;
            tx.set_concern_event(&visit, concern.as_ref().map(|event| event.as_str()))
                .await?;
        }
        (Effect::Opened { room }, Some(Task::Decided(Command::OpenConsultation { visit }))) => {
            tx.set_consultation_room(&visit, Some(room.as_str()))
                .await?;
        }
        (Effect::Opened { room }, Some(Task::Own(Errand::PrepareRoom { booking }))) => {
            booking::remember_room(tx, &booking, room.as_str()).await?;
        }
        (Effect::Sent { event }, Some(Task::Own(Errand::TellPhone { booking }))) => {
            tx.add_booking_note(&booking, event.as_str()).await?;
        }
        (Effect::Nothing, Some(Task::Decided(Command::RedactConcern { visit }))) => {
            tx.set_concern_event(&visit, None).await?;
        }
        (Effect::Sent { event }, Some(Task::Own(Errand::Deliver { visit, message }))) => {
            tx.set_delivery(message, Delivery::Delivered, Some(event.as_str()))
                .await?;
            return message::delivered(tx, visit, message).await;
        }
        (
            Effect::SentFile { event, address },
            Some(Task::Own(Errand::Deliver { visit, message })),
        ) => {
            tx.set_delivery(message, Delivery::Delivered, Some(event.as_str()))
                .await?;
            tx.set_mxc(message, address.as_str()).await?;
            tx.delete_blob(message).await?;
            return message::delivered(tx, visit, message).await;
        }
        _ => {}
    }
    Ok(None)
}

/// A message that cannot be delivered says so on the guest's page.
pub(crate) async fn give_up(
    tx: &mut Tx,
    row: &Row,
) -> Result<Option<(VisitId, VisitEvent)>, ChangeError> {
    let Ok(Task::Own(Errand::Deliver { visit, message })) =
        serde_json::from_value::<Task>(row.job.clone())
    else {
        return Ok(None);
    };
    tx.set_delivery(message, Delivery::Failed, None).await?;
    tx.delete_blob(message).await?;
    message::delivered(tx, visit, message).await
}
