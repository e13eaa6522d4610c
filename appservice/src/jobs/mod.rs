//! What the outbox worker calls: one [`Job`] with everything it needs, and a transaction id.
//!
//! A job may be cut off at any point and executed again with the same transaction id: what was done is not
//! done twice, what remains is done. Texts come in finished.

mod call;
mod consultation;
mod door;
mod publish;

use bridge::ids::{MatrixUser, VisitId};
use bytes::Bytes;
use ruma::{EventId, OwnedEventId, OwnedMxcUri, OwnedRoomId, RoomId};

pub use self::publish::Published;
use crate::{
    client::{As, Matrix, MatrixError},
    content::{self, Text},
    rooms::{ConsultationSpec, PreparedSpec, consultation_room, prepare_consultation},
    rtc::Form,
};

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// The office: the bot.
    Bot,
    /// A guest, through its ghost.
    Ghost(MatrixUser),
}

impl Speaker {
    fn actor(&self) -> As<'_> {
        match self {
            Self::Bot => As::Bot,
            Self::Ghost(user) => As::Ghost(user),
        }
    }
}

/// A file to be sent. Its `Debug` shows no name.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingFile {
    /// Its cleaned name.
    pub name: String,
    /// Its checked media type.
    pub media_type: String,
    /// All of it.
    pub bytes: Bytes,
}

impl std::fmt::Debug for OutgoingFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingFile")
            .field("media_type", &self.media_type)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// One thing to do in Matrix.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// Let the guest's ghost knock on the door; make it first if need be.
    PlaceKnock {
        /// The door room.
        door: OwnedRoomId,
        /// The ghost, as minted by [`Matrix::ghost`].
        ghost: MatrixUser,
        /// Its display name at the door: the ticket.
        display_name: String,
        /// Ticket and service: membership is state and stays.
        reason: String,
    },
    /// Give a ghost its global display name, which an invite shows. In rooms where it is, it undoes a name of the
    /// room's own.
    SetDisplayName {
        /// The ghost.
        ghost: MatrixUser,
        /// The ticket.
        display_name: String,
    },
    /// Post the line that rings, and the concern under it. Effect: [`Effect::Announced`].
    Announce {
        /// The door room.
        door: OwnedRoomId,
        /// The line, mentioning the clerks on duty.
        line: Text,
        /// The citizen's own words; redacted when the visit ends.
        concern: Option<Text>,
    },
    /// Edit a line; nobody's client rings.
    EditLine {
        /// The room.
        room: OwnedRoomId,
        /// The line.
        event: OwnedEventId,
        /// What it says from here on.
        line: Text,
    },
    /// Redact an event of the bot.
    Redact {
        /// The room.
        room: OwnedRoomId,
        /// The event.
        event: OwnedEventId,
    },
    /// Take a visitor's knock, invite or membership out of the door room.
    ClearDoor {
        /// The door room.
        door: OwnedRoomId,
        /// A ghost leaves by itself; anybody else is put out.
        visitor: MatrixUser,
        /// What somebody who is put out is told. It becomes room state: nobody's own words.
        reason: Option<String>,
    },
    /// Make the consultation room with everybody invited and the first message. Effect: [`Effect::Opened`].
    OpenConsultation {
        /// The room.
        spec: ConsultationSpec,
        /// The guest's name in this room only. For a ghost, which also joins at once.
        guest_name: Option<String>,
        /// The first message, by the bot.
        first: Text,
    },
    /// Make the consultation room of a visit that has not begun, so that it stands when many are called at once.
    /// Effect: [`Effect::Opened`].
    PrepareConsultation {
        /// The room.
        spec: PreparedSpec,
    },
    /// See to a guest's name in the consultation room. A homeserver that accepts invites by itself
    /// (`auto_accept_invites`) joins the ghost once more a moment after [`Job::OpenConsultation`] did, and so
    /// may put its global name back: execute this whenever the ghost's membership event comes in.
    NameGuest {
        /// The room.
        room: OwnedRoomId,
        /// The ghost.
        ghost: MatrixUser,
        /// Its name in this room only.
        name: String,
    },
    /// Bring somebody who comes along into a consultation room: make the ghost, invite it, let it join.
    Admit {
        /// The room.
        room: OwnedRoomId,
        /// The ghost, as minted by [`Matrix::ghost`].
        ghost: MatrixUser,
        /// Its name in this room only.
        name: String,
    },
    /// Put the ghost into the room's call, and ring for somebody who is not there yet. Effect: [`Effect::InCall`].
    JoinCall {
        /// The room.
        room: OwnedRoomId,
        /// The ghost.
        ghost: MatrixUser,
        /// Where clients get tokens for the relay the guest sends to.
        service_url: String,
        /// How the membership is written.
        form: Form,
        /// For whom to ring, unless they are in the call already.
        ring: Option<MatrixUser>,
    },
    /// Take the ghost out of the room's call.
    LeaveCall {
        /// The room.
        room: OwnedRoomId,
        /// The ghost.
        ghost: MatrixUser,
    },
    /// Say goodbye, let the ghost leave, rename the room.
    CloseConsultation {
        /// Whose room.
        visit: VisitId,
        /// The room; `None` while no attempt to make it is known to have succeeded: then it is looked for.
        room: Option<OwnedRoomId>,
        /// The ghost, if the visitor was a guest.
        ghost: Option<MatrixUser>,
        /// The last message, by the bot.
        goodbye: Text,
        /// The room's name from here on.
        retired_name: String,
    },
    /// Put everybody out of a room that is about to be erased. Give clients and other homeservers a
    /// minute to learn of it before [`Job::EraseRoom`].
    VacateRoom {
        /// The room.
        room: OwnedRoomId,
    },
    /// Remove a room and its files. Effect: [`Effect::Erased`].
    EraseRoom {
        /// The room.
        room: OwnedRoomId,
    },
    /// End a ghost's account.
    RetireGhost {
        /// The ghost.
        ghost: MatrixUser,
    },
    /// Say something. Effect: [`Effect::Sent`].
    Say {
        /// The room.
        room: OwnedRoomId,
        /// Who speaks.
        speaker: Speaker,
        /// What. A notice to a clerk mentions the clerk.
        text: Text,
    },
    /// Send a file. Effect: [`Effect::SentFile`].
    SendFile {
        /// The room.
        room: OwnedRoomId,
        /// Who sends.
        speaker: Speaker,
        /// What.
        file: OutgoingFile,
    },
    /// Write the office's public projection, as far as it differs from what was written last.
    /// Effect: [`Effect::Published`].
    Publish {
        /// The door room.
        door: OwnedRoomId,
        /// What was written last; `None` writes everything.
        last: Option<Published>,
        /// What is true.
        next: Published,
    },
}

/// What a job has brought about, to be remembered.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Nothing to remember.
    Nothing,
    /// A message.
    Sent {
        /// Its event.
        event: OwnedEventId,
    },
    /// A file.
    SentFile {
        /// Its event.
        event: OwnedEventId,
        /// Where it lies.
        address: OwnedMxcUri,
    },
    /// An announced knock.
    Announced {
        /// The line, to be edited.
        line: OwnedEventId,
        /// The concern, to be redacted.
        concern: Option<OwnedEventId>,
    },
    /// A consultation room.
    Opened {
        /// The room.
        room: OwnedRoomId,
    },
    /// The ghost is in the call.
    InCall {
        /// The ghost.
        ghost: MatrixUser,
        /// The delayed events that take it out again, to be restarted before [`crate::rtc::LEAVE_AFTER`] has passed.
        leaves: Vec<String>,
    },
    /// A room is gone.
    Erased(Erasure),
    /// What stands in the door room.
    Published(Published),
}

/// How thoroughly a room was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Its rows and files are removed from the homeserver.
    Purged,
    /// Everybody is out and the bot has forgotten it, but without a deletion credential the homeserver
    /// keeps its rows: `doctor` must tell.
    Left,
}

/// Executes a job. `txn` is unique per job and the same at each attempt.
pub async fn execute(matrix: &Matrix, job: &Job, txn: &str) -> Result<Effect, MatrixError> {
    match job {
        Job::PlaceKnock {
            door,
            ghost,
            display_name,
            reason,
        } => door::place_knock(matrix, door, ghost, display_name, reason).await,
        Job::SetDisplayName {
            ghost,
            display_name,
        } => matrix
            .set_display_name(ghost, display_name)
            .await
            .map(|()| Effect::Nothing),
        Job::Announce {
            door,
            line,
            concern,
        } => door::announce(matrix, door, line, concern.as_ref(), txn).await,
        Job::EditLine { room, event, line } => {
            let event = matrix
                .send(As::Bot, room, txn, &line.replacing(event))
                .await?;
            Ok(Effect::Sent { event })
        }
        Job::Redact { room, event } => redact(matrix, room, event, txn).await,
        Job::ClearDoor {
            door,
            visitor,
            reason,
        } => door::clear(matrix, door, visitor, reason.as_deref()).await,
        Job::OpenConsultation {
            spec,
            guest_name,
            first,
        } => consultation::open(matrix, spec, guest_name.as_deref(), first, txn).await,
        Job::PrepareConsultation { spec } => Ok(Effect::Opened {
            room: prepare_consultation(matrix, spec).await?,
        }),
        Job::NameGuest { room, ghost, name } => {
            consultation::name_guest(matrix, room, ghost, name).await
        }
        Job::Admit { room, ghost, name } => consultation::admit(matrix, room, ghost, name).await,
        Job::CloseConsultation {
            visit,
            room,
            ghost,
            goodbye,
            retired_name,
        } => {
            let Some(room) = consultation_room(matrix, visit, room.as_deref()).await? else {
                return Ok(Effect::Nothing);
            };
            consultation::close(matrix, &room, ghost.as_ref(), goodbye, retired_name, txn).await
        }
        Job::JoinCall {
            room,
            ghost,
            service_url,
            form,
            ring,
        } => {
            let membership = call::Place {
                room,
                ghost,
                service_url,
                form: *form,
            };
            membership.join(matrix, ring.as_ref(), txn).await
        }
        Job::LeaveCall { room, ghost } => call::leave(matrix, room, ghost, txn).await,
        Job::VacateRoom { room } => consultation::vacate(matrix, room).await,
        Job::EraseRoom { room } => consultation::erase(matrix, room).await,
        Job::RetireGhost { ghost } => {
            matrix.deactivate(ghost).await?;
            Ok(Effect::Nothing)
        }
        Job::Say {
            room,
            speaker,
            text,
        } => {
            let event = matrix
                .send(speaker.actor(), room, txn, &text.content())
                .await?;
            Ok(Effect::Sent { event })
        }
        Job::SendFile {
            room,
            speaker,
            file,
        } => send_file(matrix, room, speaker, file, txn).await,
        Job::Publish { door, last, next } => {
            publish::publish(matrix, door, last.as_ref(), next).await
        }
    }
}

async fn redact(
    matrix: &Matrix,
    room: &RoomId,
    event: &EventId,
    txn: &str,
) -> Result<Effect, MatrixError> {
    match matrix.redact(As::Bot, room, event, txn).await {
        // With the room, the event is gone.
        Err(error) if error.is_absence() && !is_inside(matrix, room).await? => {}
        other => other?,
    }
    Ok(Effect::Nothing)
}

/// Whether the bot is in the room. In one that was lost or erased it is not.
async fn is_inside(matrix: &Matrix, room: &RoomId) -> Result<bool, MatrixError> {
    match matrix.membership(room, matrix.bot()).await {
        Ok(membership) => Ok(!membership.is_out()),
        Err(error) if error.is_absence() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn send_file(
    matrix: &Matrix,
    room: &OwnedRoomId,
    speaker: &Speaker,
    file: &OutgoingFile,
    txn: &str,
) -> Result<Effect, MatrixError> {
    let actor = speaker.actor();
    let address = matrix
        .upload(actor, &file.bytes, &file.media_type, &file.name)
        .await?;
    let size = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
    let message = content::file(&address, &file.name, &file.media_type, size);
    let event = matrix.send(actor, room, txn, &message).await?;
    Ok(Effect::SentFile { event, address })
}
