//! What was found wrong with a room, for `doctor` and the log.

use std::fmt;

use bridge::ids::MatrixUser;
use ruma::OwnedRoomId;

/// One thing that was not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The local name of the room's alias: `buero-gewerbe`.
    pub room: String,
    /// What was wrong.
    pub problem: Problem,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is right again.
    Repaired,
    /// It is still wrong.
    Unrepaired {
        /// What a person can do.
        cure: String,
    },
}

/// What can be wrong with a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is no such room yet.
    Missing,
    /// The room was deleted, replaced, or the bot is no longer in it.
    Lost {
        /// The old room.
        room: OwnedRoomId,
    },
    /// The room was not known here but found by its alias.
    Forgotten,
    /// The alias points to another room, or nowhere.
    AliasElsewhere,
    /// Encryption is on.
    Encrypted,
    /// The bot may not rule the room.
    Powerless,
    /// Power levels differ.
    PowerLevels,
    /// A state event differs or is missing.
    State {
        /// Its type.
        event_type: String,
        /// Its state key.
        state_key: String,
    },
    /// A clerk is neither in the room nor invited.
    ClerkMissing(MatrixUser),
    /// A clerk is banned from the room.
    ClerkBanned(MatrixUser),
    /// Somebody has a clerk's rights who is no clerk of the office.
    FormerClerk(MatrixUser),
    /// The room's place in the public directory is not as configured.
    Directory,
    /// Two rooms would have the same alias.
    AliasTwice,
}

impl Problem {
    /// What a person can do where the service cannot.
    pub(super) fn cure(&self) -> &'static str {
        match self {
            Self::Encrypted => {
                "encryption cannot be switched off again: set encryption_enabled_by_default_for_room_type \
                 to off on the homeserver, delete the room, and restart"
            }
            Self::Powerless => {
                "delete the room or its alias as a server admin and restart: a new room is made"
            }
            Self::ClerkBanned(_) => "lift the ban in the room's settings",
            Self::AliasTwice => "give the office another slug",
            Self::Directory => {
                "allow the bot to publish rooms: room_list_publication_rules on the homeserver"
            }
            Self::ClerkMissing(_) => {
                "check that the account exists and that its homeserver can be reached"
            }
            _ => {
                "see the log for the homeserver's error code; `vorzimmer serve` tries again at its start"
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the room does not exist yet"),
            Self::Lost { room } => write!(f, "the room {room} is lost"),
            Self::Forgotten => f.write_str("the room was only found by its alias"),
            Self::AliasElsewhere => f.write_str("the alias does not point to the room"),
            Self::Encrypted => f.write_str("the room is encrypted"),
            Self::Powerless => f.write_str("the bot does not have the power to rule the room"),
            Self::PowerLevels => f.write_str("the power levels differ"),
            Self::State {
                event_type,
                state_key,
            } if state_key.is_empty() => write!(f, "{event_type} differs"),
            Self::State {
                event_type,
                state_key,
            } => write!(f, "{event_type} of {state_key} differs"),
            Self::ClerkMissing(user) => write!(f, "{user} is not in the room"),
            Self::ClerkBanned(user) => write!(f, "{user} is banned from the room"),
            Self::FormerClerk(user) => write!(f, "{user} has a clerk's rights but is none"),
            Self::Directory => f.write_str("the place in the public directory differs"),
            Self::AliasTwice => f.write_str("the alias is another room's"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}: {}", self.room, self.problem)?;
        match &self.outcome {
            Outcome::Repaired => f.write_str(" (repaired)"),
            Outcome::Unrepaired { cure } => write!(f, ": {cure}"),
        }
    }
}
