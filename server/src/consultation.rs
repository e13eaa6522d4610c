//! What happens in a consultation room, turned into messages and inputs.

use appservice::event::{FileRef, MessageKind, RoomEvent, RoomEventKind};
use bridge::{
    command_line::{self, ClerkCommand},
    ids::MatrixUser,
    input::{ClerkAction, Input},
    visit::Visitor,
};
use gateway::port::VisitEvent;
use store::{Author, Delivery, FileMeta, Lane, NewMessage, VisitRecord};

use crate::{
    front_office::message_view,
    house::{ChangeError, House},
    inbox, participants, shell,
    task::Errand,
};

/// Turns an event of a consultation room into what follows from it, stored with the mark that the event is
/// processed.
pub(crate) async fn happened(
    house: &House,
    record: VisitRecord,
    event: &RoomEvent,
) -> Result<(), ChangeError> {
    if house.calls.is_some() && concerns_call(house, &record, event).await? {
        house.hub.send(&record.visit.id, VisitEvent::Call);
    }
    match &event.kind {
        RoomEventKind::Joined { user } if is_visitor(&record, user) => {
            enter(house, &record, event).await
        }
        RoomEventKind::Left { user, by: None } if is_visitor(&record, user) => {
            let visit = record.visit.id.clone();
            decide(house, &record, event, Input::Leave { visit }).await
        }
        RoomEventKind::Left { user, by: None } if record.visit.clerk() == Some(user) => {
            let action = ClerkAction::End {
                visit: Some(record.visit.id.clone()),
            };
            decide(
                house,
                &record,
                event,
                Input::Clerk {
                    clerk: user.clone(),
                    action,
                },
            )
            .await
        }
        RoomEventKind::Left { user, by: Some(by) }
            if house.matrix.is_ghost(user) && record.visit.is_live() =>
        {
            put_out(house, &record, event, user, by).await
        }
        RoomEventKind::Invited { user, .. } if house.matrix.is_ghost(user) => {
            match participants::of_ghost(house, &record.visit.id, user).await? {
                Some(participant) => participants::asked_back(house, &participant, event).await,
                None => inbox::ignore(house, event).await,
            }
        }
        RoomEventKind::Left { user, .. }
            if house.calls.is_some() && !house.matrix.is_ghost(user) =>
        {
            // Whoever has left the room, or was sent out, hears and sees no more of the call.
            let errand = Errand::TurnOut {
                visit: record.visit.id.clone(),
                user: user.clone(),
            };
            hand_over(house, &record, event, &errand).await
        }
        RoomEventKind::Joined { user } | RoomEventKind::Renamed { user }
            if house.matrix.is_ghost(user) && record.visit.is_live() =>
        {
            // A homeserver that accepts invites by itself may have put the ghost's ticket in place of the guest's name.
            let party = participants::party_of(house, &record.visit.id, user).await?;
            hand_over(house, &record, event, &Errand::NameGuest { party }).await
        }
        RoomEventKind::Message { .. } if house.matrix.is_ghost(&event.sender) => {
            inbox::ignore(house, event).await
        }
        RoomEventKind::Message {
            kind: MessageKind::Text,
            body,
            ..
        } if is_end(house, &record, &event.sender, body) => {
            let action = ClerkAction::End {
                visit: Some(record.visit.id.clone()),
            };
            decide(
                house,
                &record,
                event,
                Input::Clerk {
                    clerk: event.sender.clone(),
                    action,
                },
            )
            .await
        }
        RoomEventKind::Message { kind, body, .. } => said(house, &record, event, kind, body).await,
        _ => inbox::ignore(house, event).await,
    }
}

/// Whether a guest's page has to look who is in the call. What its own ghost does it knows; with several guests, each
/// has to know of the others.
async fn concerns_call(
    house: &House,
    record: &VisitRecord,
    event: &RoomEvent,
) -> Result<bool, ChangeError> {
    let is_change = matches!(
        event.kind,
        RoomEventKind::CallMember | RoomEventKind::Joined { .. } | RoomEventKind::Left { .. }
    );
    if !is_change || !house.matrix.is_ghost(&event.sender) {
        return Ok(is_change);
    }
    let mut read = house.store.read().await?;
    Ok(!read.participants(&record.visit.id).await?.is_empty())
}

/// Somebody with an own Matrix account; guests come in by their page.
fn is_visitor(record: &VisitRecord, user: &MatrixUser) -> bool {
    matches!(&record.visit.visitor, Visitor::Matrix(visitor) if visitor == user)
}

/// Whether a clerk of the office wants this conversation to end.
fn is_end(house: &House, record: &VisitRecord, sender: &MatrixUser, body: &str) -> bool {
    let city = house.city.get();
    let clerk = city
        .office(&record.office)
        .is_some_and(|office| office.clerks.contains(sender));
    let line = command_line::parse(body);
    clerk
        && matches!(line, Some(Ok(line))
            if matches!(line.command, ClerkCommand::End { ticket } if ticket.is_none_or(|ticket| ticket == record.visit.ticket)))
}

/// A clerk has put a ghost out of the room. Without its citizen a conversation is over; whoever comes along goes alone.
async fn put_out(
    house: &House,
    record: &VisitRecord,
    event: &RoomEvent,
    ghost: &MatrixUser,
    clerk: &MatrixUser,
) -> Result<(), ChangeError> {
    let visit = &record.visit.id;
    let citizen = house.store.read().await?.visit_matrix(visit).await?.ghost;
    if citizen.as_ref() == Some(ghost) {
        let action = ClerkAction::End {
            visit: Some(visit.clone()),
        };
        let input = Input::Clerk {
            clerk: clerk.clone(),
            action,
        };
        return decide(house, record, event, input).await;
    }
    match participants::of_ghost(house, visit, ghost).await? {
        Some(participant) => participants::put_out(house, &participant, event).await,
        None => inbox::ignore(house, event).await,
    }
}

/// A job about the visit follows from the event.
async fn hand_over(
    house: &House,
    record: &VisitRecord,
    event: &RoomEvent,
    errand: &Errand,
) -> Result<(), ChangeError> {
    let mut tx = house.store.begin().await?;
    tx.enqueue(&Lane::visit(&record.visit.id), errand, shell::now())
        .await?;
    tx.processed(event.event_id.as_str(), shell::now()).await?;
    tx.commit().await?;
    house.outbox.notify_one();
    Ok(())
}

async fn enter(house: &House, record: &VisitRecord, event: &RoomEvent) -> Result<(), ChangeError> {
    let visit = record.visit.id.clone();
    decide(house, record, event, Input::Enter { visit }).await
}

async fn decide(
    house: &House,
    record: &VisitRecord,
    event: &RoomEvent,
    input: Input,
) -> Result<(), ChangeError> {
    let mut unit = house.change(&record.office).await?;
    // A refusal means that the visit has gone on meanwhile: nothing is left to do.
    let _ = unit.decide(input);
    unit.tx
        .processed(event.event_id.as_str(), unit.now.at)
        .await?;
    Ok(unit.commit().await?)
}

/// Somebody other than the guest writes: kept for the guest's page.
async fn said(
    house: &House,
    record: &VisitRecord,
    event: &RoomEvent,
    kind: &MessageKind,
    body: &str,
) -> Result<(), ChangeError> {
    if matches!(record.visit.visitor, Visitor::Matrix(_)) {
        return inbox::ignore(house, event).await;
    }
    let message = NewMessage {
        visit: record.visit.id.clone(),
        client_id: None,
        author: Author::Participant,
        author_name: Some(house.names.of(&event.sender).await),
        sent_at: shell::now(),
        body: body.to_owned(),
        file: file(kind).map(file_meta),
        delivery: Delivery::Delivered,
        event_id: Some(event.event_id.to_string()),
    };
    let mut tx = house.store.begin().await?;
    let inserted = tx.insert_message(message).await?;
    tx.processed(event.event_id.as_str(), shell::now()).await?;
    tx.commit().await?;
    house.hub.send(
        &record.visit.id,
        VisitEvent::Message(message_view(inserted.message)),
    );
    Ok(())
}

fn file(kind: &MessageKind) -> Option<&FileRef> {
    match kind {
        MessageKind::File(file) | MessageKind::Image(file) => Some(file),
        MessageKind::Text | MessageKind::Notice | MessageKind::Emote | MessageKind::Other => None,
    }
}

fn file_meta(file: &FileRef) -> FileMeta {
    FileMeta {
        name: file.name.clone(),
        size: file.size.unwrap_or_default(),
        media_type: file
            .media_type
            .clone()
            .unwrap_or_else(|| "application/octet-stream".to_owned()),
        mxc: Some(file.address.to_string()),
    }
}
