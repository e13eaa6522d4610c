//! Reads one room event, as pushed by the homeserver. Pure. Any participant of any homeserver can write
//! nearly anything into an event: what is missing, of the wrong type or too long never fails, it only
//! makes less of the event.

mod member;
mod message;
#[cfg(test)]
mod tests;
mod text;

use bridge::ids::MatrixUser;
use jiff::Timestamp;
use ruma::{OwnedEventId, OwnedRoomId};
use serde_json::Value;

pub use self::message::{FileRef, MessageKind};
use crate::types;

/// More characters of a message are not read.
pub const BODY_LIMIT: usize = 16_000;
/// More characters of a knock's or kick's reason are not read.
pub const REASON_LIMIT: usize = 500;
/// More characters of a file's name are not read.
pub const NAME_LIMIT: usize = 120;
/// More mentions of one message are not read.
pub const MENTION_LIMIT: usize = 50;

/// A room event, as far as we understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomEvent {
    /// Globally unique.
    pub event_id: OwnedEventId,
    /// Where.
    pub room_id: OwnedRoomId,
    /// Who.
    pub sender: MatrixUser,
    /// When, as the sender's homeserver says; it may lie.
    pub origin_server_ts: Timestamp,
    /// What.
    pub kind: RoomEventKind,
}

/// What a room event says.
#[derive(Clone, PartialEq, Eq)]
pub enum RoomEventKind {
    /// Somebody knocks; again, perhaps.
    Knocked {
        /// Who.
        user: MatrixUser,
        /// Their words, one line, at most [`REASON_LIMIT`] characters.
        reason: Option<String>,
    },
    /// Somebody was invited. With `was_knocking` that is Element's *Approve*.
    Invited {
        /// Who.
        user: MatrixUser,
        /// By whom.
        by: MatrixUser,
        /// Whether it answers a knock.
        was_knocking: bool,
    },
    /// A knock was rejected: Element's *Deny*.
    KnockRejected {
        /// Whose knock.
        user: MatrixUser,
        /// By whom.
        by: MatrixUser,
    },
    /// A knock was taken back by who knocked.
    KnockWithdrawn {
        /// Who.
        user: MatrixUser,
    },
    /// Somebody came in.
    Joined {
        /// Who.
        user: MatrixUser,
    },
    /// Somebody who is in has a new name or avatar here.
    Renamed {
        /// Who.
        user: MatrixUser,
    },
    /// Somebody left, was put out, or rejected an invite.
    Left {
        /// Who.
        user: MatrixUser,
        /// Who put them out; `None` if they went themselves.
        by: Option<MatrixUser>,
    },
    /// A message.
    Message {
        /// Text, file and so on.
        kind: MessageKind,
        /// Plain text without control characters and without the quotation of a reply; a file's caption.
        body: String,
        /// Who is mentioned by `m.mentions`.
        mentions: Vec<MatrixUser>,
    },
    /// A message was corrected.
    Edited {
        /// The corrected message. Whether its sender is the same one is for the reader to check.
        target: OwnedEventId,
        /// The new text.
        body: String,
    },
    /// An event was redacted.
    Redacted {
        /// Which.
        target: OwnedEventId,
    },
    /// Somebody's membership of the room's call, or what claims to be one, was written or taken back.
    CallMember,
    /// State that we look after was written by somebody.
    StateChanged {
        /// The event's type.
        event_type: String,
        /// Its state key.
        state_key: String,
    },
    /// An encrypted message: nobody here can read it.
    RoomEncrypted,
    /// The room was replaced by another.
    Tombstone {
        /// The new room, if it is told.
        replacement: Option<OwnedRoomId>,
    },
    /// Nothing of ours.
    Other,
}

impl std::fmt::Debug for RoomEventKind {
    /// The kind only: reasons and messages never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Knocked { .. } => "Knocked",
            Self::Invited { .. } => "Invited",
            Self::KnockRejected { .. } => "KnockRejected",
            Self::KnockWithdrawn { .. } => "KnockWithdrawn",
            Self::Joined { .. } => "Joined",
            Self::Renamed { .. } => "Renamed",
            Self::Left { .. } => "Left",
            Self::Message { .. } => "Message",
            Self::Edited { .. } => "Edited",
            Self::Redacted { .. } => "Redacted",
            Self::CallMember => "CallMember",
            Self::StateChanged { .. } => "StateChanged",
            Self::RoomEncrypted => "RoomEncrypted",
            Self::Tombstone { .. } => "Tombstone",
            Self::Other => "Other",
        })
    }
}

/// Reads an event; `None` when it lacks what every event has.
#[must_use]
pub fn read(json: &str) -> Option<RoomEvent> {
    let event: Value = serde_json::from_str(json).ok()?;
    let sender: MatrixUser = event["sender"].as_str()?.parse().ok()?;
    let kind = kind(&event, &sender);
    Some(RoomEvent {
        event_id: event["event_id"].as_str()?.try_into().ok()?,
        room_id: event["room_id"].as_str()?.try_into().ok()?,
        origin_server_ts: timestamp(&event["origin_server_ts"]),
        sender,
        kind,
    })
}

fn kind(event: &Value, sender: &MatrixUser) -> RoomEventKind {
    let Some(event_type) = event["type"].as_str() else {
        return RoomEventKind::Other;
    };
    let content = &event["content"];
    if let Some(state_key) = event["state_key"].as_str() {
        return match event_type {
            "m.room.member" => {
                member::read(event, state_key, sender).unwrap_or(RoomEventKind::Other)
            }
            "m.room.tombstone" => RoomEventKind::Tombstone {
                replacement: content["replacement_room"]
                    .as_str()
                    .and_then(|room| room.try_into().ok()),
            },
            types::CALL_MEMBER => RoomEventKind::CallMember,
            _ if is_ours(event_type) => RoomEventKind::StateChanged {
                event_type: event_type.to_owned(),
                state_key: state_key.to_owned(),
            },
            _ => RoomEventKind::Other,
        };
    }
    match event_type {
        "m.room.message" => message::read(content).unwrap_or(RoomEventKind::Other),
        types::RTC_MEMBER => RoomEventKind::CallMember,
        "m.room.encrypted" => RoomEventKind::RoomEncrypted,
        // Room version 11 moved `redacts` into the content.
        "m.room.redaction" => [&content["redacts"], &event["redacts"]]
            .into_iter()
            .find_map(|target| target.as_str()?.try_into().ok())
            .map_or(RoomEventKind::Other, |target| RoomEventKind::Redacted {
                target,
            }),
        _ => RoomEventKind::Other,
    }
}

/// Whether reconciling rooms looks at state of this type.
fn is_ours(event_type: &str) -> bool {
    event_type.starts_with("org.vorzimmer.")
        || matches!(
            event_type,
            "m.room.join_rules"
                | "m.room.history_visibility"
                | "m.room.guest_access"
                | "m.room.power_levels"
                | "m.room.name"
                | "m.room.topic"
                | "m.room.canonical_alias"
                | "m.room.encryption"
                | "m.space.child"
                | "m.space.parent"
        )
}

/// Milliseconds since 1970; what is absurd becomes 1970 itself.
fn timestamp(value: &Value) -> Timestamp {
    value
        .as_i64()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
