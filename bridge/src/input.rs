//! What can happen to an office, and what follows from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{Language, MatrixUser, ServiceId, Ticket, VisitId},
    visit::{Ending, VisitKind, Visitor},
};

/// Something that happened at an office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Somebody knocks.
    Knock(Knock),
    /// The visitor goes of their own accord (page, or knock withdrawn, or left the consultation room).
    Leave {
        /// Which visit.
        visit: VisitId,
    },
    /// The visitor has come into the consultation room.
    Enter {
        /// Which visit.
        visit: VisitId,
    },
    /// The guest's page connected (`true`) or lost its last connection (`false`).
    Presence {
        /// Which visit.
        visit: VisitId,
        /// Whether at least one page is connected.
        here: bool,
    },
    /// Something a clerk does.
    Clerk {
        /// Who; the shell has checked that it is a clerk of this office.
        clerk: MatrixUser,
        /// What.
        action: ClerkAction,
    },
    /// Time has passed: deadlines are looked at.
    Tick,
}

/// A knock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knock {
    /// The fresh id of the visit that may come of it.
    pub visit: VisitId,
    /// Who knocks.
    pub visitor: Visitor,
    /// Walk-in or appointment.
    pub kind: VisitKind,
    /// The language wished for.
    pub language: Language,
    /// What for, if chosen.
    pub service: Option<ServiceId>,
}

/// What a clerk can do. Desk widget, text command and Element's own buttons all end here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClerkAction {
    /// Takes a desk.
    OnDuty,
    /// Gives the desk up; conversations go on.
    OffDuty,
    /// Calls the first in the queue. Refused while the clerk has a visit called or in conversation.
    /// Like every call, it puts a clerk who is not on duty on duty.
    CallNext,
    /// Calls this one (command with a ticket). May be a second conversation of the same clerk.
    Call {
        /// Which visit.
        visit: VisitId,
    },
    /// Element's *Approve* on the knock: the same as [`ClerkAction::Call`], but the invite is out already.
    Approve {
        /// Which visit.
        visit: VisitId,
    },
    /// Declines a waiting visit; the text for the citizen lies in the store.
    Decline {
        /// Which visit.
        visit: VisitId,
    },
    /// Ends a conversation, or a call nobody answered. Without a visit: the clerk's own one; of several, the
    /// one begun last. With a visit: anybody's, so that colleagues can tidy up after a clerk who is gone.
    End {
        /// Which visit; `None` means the clerk's own.
        visit: Option<VisitId>,
    },
    /// No new knocks for now; the notice for citizens lies in the store. Who waits keeps waiting.
    Pause,
    /// Ends the pause.
    Resume,
}

/// What must happen outside. Each is stored in the outbox in the same transaction as the change that
/// caused it, and is executed idempotently; none carries personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Make the guest's ghost and let it knock on the door room.
    PlaceKnock {
        /// Which visit.
        visit: VisitId,
    },
    /// Post the line that rings, and the concern under it.
    Announce {
        /// Which visit.
        visit: VisitId,
    },
    /// Edit the line to what is true when this runs.
    UpdateAnnouncement {
        /// Which visit.
        visit: VisitId,
    },
    /// Take the visitor's knock, invite or membership out of the door room.
    ClearDoor {
        /// Which visit.
        visit: VisitId,
    },
    /// Make the consultation room, with clerk and visitor in it and the first message.
    OpenConsultation {
        /// Which visit.
        visit: VisitId,
    },
    /// Say goodbye, let the ghost leave, retire the room; it is erased by the retention rule.
    CloseConsultation {
        /// Which visit.
        visit: VisitId,
        /// How the visit ended: decides the goodbye.
        ending: Ending,
    },
    /// Redact the concern in the door room.
    RedactConcern {
        /// Which visit.
        visit: VisitId,
    },
    /// Tell a clerk something in the door room.
    TellClerk {
        /// Whom.
        clerk: MatrixUser,
        /// What.
        notice: ClerkNotice,
    },
    /// The office's public projection (occupancy, queue, topic, lobby) may have changed.
    Publish,
}

/// What a clerk is told, to be worded from the message files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum ClerkNotice {
    /// On duty now.
    OnDuty,
    /// Was on duty already.
    AlreadyOnDuty,
    /// Off duty now.
    OffDuty,
    /// Was not on duty.
    NotOnDuty,
    /// Has called this ticket.
    Called {
        /// The ticket.
        ticket: Ticket,
        /// Whether the guest's page has no connection at this moment.
        absent: bool,
    },
    /// Nobody waits.
    QueueEmpty,
    /// End this one first.
    StillBusy {
        /// The ticket of the clerk's own conversation.
        ticket: Ticket,
    },
    /// Somebody else was first.
    AlreadyTaken {
        /// The ticket.
        ticket: Ticket,
        /// Who was first.
        by: MatrixUser,
    },
    /// The visit has ended.
    AlreadyEnded {
        /// The ticket.
        ticket: Ticket,
    },
    /// Declined.
    Declined {
        /// The ticket.
        ticket: Ticket,
    },
    /// Ended.
    Ended {
        /// The ticket.
        ticket: Ticket,
    },
    /// There is no live visit of that id or ticket here; it may have ended long ago.
    NoSuchVisit,
    /// There is nothing to end.
    NothingToEnd,
    /// Paused.
    Paused,
    /// Was paused already.
    AlreadyPaused,
    /// Open again.
    Resumed,
    /// Was not paused.
    NotPaused,
    /// The called visitor did not come.
    NoShow {
        /// The ticket.
        ticket: Ticket,
    },
    /// The visitor left before or during the conversation.
    VisitorLeft {
        /// The ticket.
        ticket: Ticket,
    },
}

/// What came of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The ids of visits that were added or changed, each once.
    pub changed: Vec<VisitId>,
    /// What must happen outside, in this order.
    pub commands: Vec<Command>,
}

impl Outcome {
    /// Nothing changes; the clerk is told why.
    pub(crate) fn told(clerk: &MatrixUser, notice: ClerkNotice) -> Self {
        let mut outcome = Self::default();
        outcome.tell(clerk, notice);
        outcome
    }

    pub(crate) fn change(&mut self, visit: &VisitId) {
        if !self.changed.contains(visit) {
            self.changed.push(visit.clone());
        }
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.commands.push(command);
    }

    pub(crate) fn tell(&mut self, clerk: &MatrixUser, notice: ClerkNotice) {
        self.command(Command::TellClerk {
            clerk: clerk.clone(),
            notice,
        });
    }
}

/// Why a visitor's input was refused. State is unchanged. Clerks are answered with a [`ClerkNotice`] instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Outside the opening hours.
    #[error("the office is closed")]
    Closed {
        /// When it opens next, if known.
        next_opening: Option<Timestamp>,
    },
    /// The office takes no new knocks for now.
    #[error("the office has paused")]
    Paused,
    /// The queue has reached its limit.
    #[error("the queue is full")]
    QueueFull,
    /// The visitor has a live visit here.
    #[error("the visitor has a visit here already")]
    AlreadyHere {
        /// That visit.
        visit: VisitId,
    },
    /// No live visit of that id at this office.
    #[error("there is no such live visit")]
    UnknownVisit,
    /// The visit is not in a state where this is possible.
    #[error("the visit's state does not allow this")]
    WrongState,
}
