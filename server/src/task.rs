//! The outbox rows that are not commands of `bridge`.

use bridge::{
    ids::{BookingId, MatrixUser, OfficeSlug, ParticipantId, VisitId},
    input::Command,
};
use serde::{Deserialize, Serialize};

use crate::booking::{Letter, News};

/// One of a visit's guests: the citizen, or somebody who comes along.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Party {
    /// Whose visit.
    pub(crate) visit: VisitId,
    /// Who comes along; none for the citizen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) participant: Option<ParticipantId>,
}

impl Party {
    /// The citizen of a visit.
    pub(crate) fn citizen(visit: &VisitId) -> Self {
        Self {
            visit: visit.clone(),
            participant: None,
        }
    }
}

/// One row of the outbox: a command of `bridge`, or something the server itself has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Task {
    /// Decided by `bridge`.
    Decided(Command),
    /// Everything else.
    Own(Errand),
}

/// What the server itself has to do in Matrix. No personal words: they are looked up when it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub(crate) enum Errand {
    /// Bring the guest's message or file to the consultation room.
    Deliver {
        /// Whose.
        visit: VisitId,
        /// Its id in the store.
        message: i64,
    },
    /// Let invites show the guest's ticket.
    ShowTicket {
        /// Whose.
        visit: VisitId,
    },
    /// See to a guest's name in the consultation room.
    NameGuest {
        /// Whose.
        #[serde(flatten)]
        party: Party,
    },
    /// Bring somebody who comes along into the consultation room.
    Admit {
        /// To which visit.
        visit: VisitId,
        /// Whom.
        participant: ParticipantId,
    },
    /// Take somebody who came along out of the consultation room.
    SeeOff {
        /// Of which visit.
        visit: VisitId,
        /// Whom.
        participant: ParticipantId,
    },
    /// Show a guest to be in the call.
    JoinCall {
        /// Who.
        #[serde(flatten)]
        party: Party,
        /// Whether the clerk's client rings.
        ring: bool,
    },
    /// Show that a guest is no longer in the call.
    LeaveCall {
        /// Who.
        #[serde(flatten)]
        party: Party,
    },
    /// Take somebody who has left the conversation out of its call.
    TurnOut {
        /// Of which visit.
        visit: VisitId,
        /// Whom.
        user: MatrixUser,
    },
    /// End the call at the relay, for everybody in it.
    EndCall {
        /// Of which visit.
        visit: VisitId,
    },
    /// Answer a clerk's command in the door room. Tickets and times only.
    Answer {
        /// The finished text.
        text: String,
    },
    /// Send a mail about a booking.
    Mail {
        /// Which booking.
        booking: BookingId,
        /// What it is about.
        letter: Letter,
    },
    /// Tell the clerks about a booking.
    TellBooking {
        /// Which booking.
        booking: BookingId,
        /// What has happened.
        news: News,
    },
    /// Tell the clerks the number of a booking's person.
    TellPhone {
        /// Which booking.
        booking: BookingId,
    },
    /// Take back a message in the door room with words of a booking's person.
    RedactNote {
        /// The Matrix event.
        event: String,
    },
    /// Make the consultation room of an appointment that is about to begin.
    PrepareRoom {
        /// Which booking.
        booking: BookingId,
    },
    /// Erase a room that stood ready in vain.
    EraseRoom {
        /// Where it is.
        room: String,
    },
    /// Turn down a knock that became no visit.
    TurnDown {
        /// At which office.
        office: OfficeSlug,
        /// Who knocked.
        user: MatrixUser,
        /// Why, worded.
        reason: String,
    },
    /// Take somebody out of the door room who does not belong there.
    ShowOut {
        /// Of which office.
        office: OfficeSlug,
        /// Who.
        user: MatrixUser,
    },
}

/// The longest text of one message, in bytes. Matrix takes events of 65,536 bytes, with all that belongs to them beside
/// the text and every line break and quotation mark written as two.
const LONGEST: usize = 16_384;

impl Errand {
    /// The answer to a clerk's command, or a list: as many messages as it needs.
    pub(crate) fn answers(text: &str) -> impl Iterator<Item = Self> {
        pages(text, LONGEST).map(|page| Self::Answer {
            text: page.to_owned(),
        })
    }
}

/// A text in parts of at most `longest` bytes, each of whole lines where a line is not longer than that.
fn pages(text: &str, longest: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        if text.len() <= longest {
            rest = None;
            return Some(text);
        }
        let most = &text[..text.floor_char_boundary(longest)];
        // The line break itself may come right behind.
        let whole = text[..text.floor_char_boundary(longest + 1)].rfind('\n');
        let (page, after) = match whole {
            Some(end) if end > 0 => (&text[..end], &text[end + 1..]),
            _ => (most, &text[most.len()..]),
        };
        rest = Some(after);
        Some(page)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_its_lines() {
        let cut = |text, longest| pages(text, longest).collect::<Vec<_>>();
        assert_eq!(cut("", 4), [""]);
        assert_eq!(cut("abcd", 4), ["abcd"]);
        assert_eq!(cut("ab\ncd", 4), ["ab", "cd"]);
        assert_eq!(cut("abcd\nef\ng", 4), ["abcd", "ef\ng"]);
        assert_eq!(cut("abcdef\ng", 4), ["abcd", "ef\ng"]);
        assert_eq!(cut("\nabcdef", 4), ["\nabc", "def"]);
        assert_eq!(cut("äöü", 5), ["äö", "ü"], "never within a letter");
    }
}
