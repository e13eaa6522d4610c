//! Messages and files of guests on their way into the consultation room.

use appservice::{
    content::Text,
    jobs::{Job, OutgoingFile, Speaker},
};
use bridge::ids::VisitId;
use bytes::Bytes;
use gateway::port::VisitEvent;
use store::Tx;

use super::{Plan, case, inside};
use crate::{
    front_office::message_view,
    house::{ChangeError, House},
};

/// Brings one in.
pub(super) async fn deliver(
    house: &House,
    visit: &VisitId,
    message: i64,
) -> Result<Plan, ChangeError> {
    let Some(case) = case(house, visit).await? else {
        return Ok(Plan::Nothing);
    };
    let mut read = house.store.read().await?;
    let Some(message) = read.message(visit, message).await? else {
        return Ok(Plan::Nothing);
    };
    // The room was opened earlier in this lane, or never will be.
    let Some((room, ghost)) = inside(&case) else {
        return Ok(Plan::InVain);
    };
    let speaker = Speaker::Ghost(ghost);
    Ok(Plan::job(match message.content.file {
        None => Job::Say {
            room,
            speaker,
            text: Text::plain(message.content.body),
        },
        Some(file) => {
            let Some(bytes) = read.blob(message.id).await? else {
                return Ok(Plan::InVain);
            };
            let file = OutgoingFile {
                name: file.name,
                media_type: file.media_type,
                bytes: Bytes::from(bytes),
            };
            Job::SendFile {
                room,
                speaker,
                file,
            }
        }
    }))
}

/// What the guest's page is told of it.
pub(super) async fn delivered(
    tx: &mut Tx,
    visit: VisitId,
    message: i64,
) -> Result<Option<(VisitId, VisitEvent)>, ChangeError> {
    let stored = tx.message(&visit, message).await?;
    Ok(stored.map(|message| (visit, VisitEvent::Message(message_view(message)))))
}
