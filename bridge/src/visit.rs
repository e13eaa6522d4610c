//! One person's stay, as the rules see it. No name, no concern, no words: those live beside it, in the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{GuestId, Language, MatrixUser, ServiceId, Ticket, VisitId};

/// Who came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visitor {
    /// Somebody in the guest web page, without an account; a ghost stands for them in Matrix.
    Guest(GuestId),
    /// Somebody with an own Matrix account, on this or another homeserver.
    Matrix(MatrixUser),
}

/// How the visit came about; decides its rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitKind {
    /// Knocked without an appointment: ranks by the time of the knock.
    WalkIn,
    /// Reserved a slot: ranks before walk-ins once `at` has come.
    Appointment {
        /// The slot's start.
        at: Timestamp,
    },
}

/// Where the visit stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitState {
    /// In the queue.
    Waiting,
    /// A clerk has called; the visitor has not entered the consultation room yet.
    Called {
        /// Who called.
        clerk: MatrixUser,
        /// When.
        at: Timestamp,
    },
    /// Talking.
    InConversation {
        /// With whom.
        clerk: MatrixUser,
        /// Since when.
        since: Timestamp,
    },
    /// Over. Nothing follows.
    Ended {
        /// How it ended.
        ending: Ending,
        /// When.
        at: Timestamp,
        /// The clerk who served or declined, if one did.
        clerk: Option<MatrixUser>,
    },
}

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The conversation took place.
    Served,
    /// The visitor went of their own accord.
    Left,
    /// The visitor was called and did not come, or vanished longer than the grace time.
    NoShow,
    /// A clerk declined.
    Declined,
}

/// One visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// Its ticket.
    pub ticket: Ticket,
    /// Who came.
    pub visitor: Visitor,
    /// Walk-in or appointment.
    pub kind: VisitKind,
    /// The language of the conversation.
    pub language: Language,
    /// What for, if chosen.
    pub service: Option<ServiceId>,
    /// When the visitor knocked.
    pub knocked_at: Timestamp,
    /// Since when the guest's page has had no connection: from the knock until it first connects, and after
    /// each loss. `None` while it is there, and always for Matrix visitors.
    pub absent_since: Option<Timestamp>,
    /// Where it stands.
    pub state: VisitState,
}

impl Visit {
    /// Whether the visit has not ended.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.state, VisitState::Ended { .. })
    }

    /// The clerk who called or talks.
    #[must_use]
    pub fn clerk(&self) -> Option<&MatrixUser> {
        match &self.state {
            VisitState::Waiting => None,
            VisitState::Called { clerk, .. } | VisitState::InConversation { clerk, .. } => {
                Some(clerk)
            }
            VisitState::Ended { clerk, .. } => clerk.as_ref(),
        }
    }

    /// Since when the visit has been in its state.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        match self.state {
            VisitState::Waiting => self.knocked_at,
            VisitState::InConversation { since, .. } => since,
            VisitState::Called { at, .. } | VisitState::Ended { at, .. } => at,
        }
    }
}
