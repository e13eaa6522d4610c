//! An office's live state and its one entry point, [`Office::handle`].

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{Language, MatrixUser, OfficeSlug, Ticket, VisitId},
    visit::Visit,
};

/// What the city has set for an office's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The letter of the office's tickets.
    pub ticket_letter: char,
    /// A called visitor who has not entered after this time is a no-show.
    pub no_show_after: SignedDuration,
    /// A waiting guest whose page has been gone for this long is a no-show.
    pub absence_grace: SignedDuration,
    /// More than this many may not wait at once.
    pub queue_limit: usize,
    /// The length of a conversation as long as none has been measured.
    pub usual_duration: SignedDuration,
}

/// A clerk on duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    /// Since when.
    pub since: Timestamp,
}

/// The live state of one office: everything [`Office::handle`] needs and may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// Which office.
    pub slug: OfficeSlug,
    /// What the city has set.
    pub rules: Rules,
    /// Clerks on duty.
    pub desks: BTreeMap<MatrixUser, Desk>,
    /// Since when the office has paused, if it has.
    pub paused_since: Option<Timestamp>,
    /// The day of the last ticket, in the office's zone, and its number.
    pub last_ticket: Option<(Date, u32)>,
    /// How long recent conversations took, the newest last; at most [`Office::DURATIONS_KEPT`].
    pub recent_durations: Vec<SignedDuration>,
    /// When appointments begin whose citizens have not come yet, the earliest first. Given by the shell for the
    /// estimate; no rule changes it.
    pub expected: Vec<Timestamp>,
    /// Visits that have not ended, and those that ended in the input just handled.
    pub visits: BTreeMap<VisitId, Visit>,
}

impl Office {
    /// How many measured conversations the estimate looks back on.
    pub const DURATIONS_KEPT: usize = 20;

    /// An office nobody has ever come to.
    #[must_use]
    pub const fn new(slug: OfficeSlug, rules: Rules) -> Self {
        Self {
            slug,
            rules,
            desks: BTreeMap::new(),
            paused_since: None,
            last_ticket: None,
            recent_durations: Vec::new(),
            expected: Vec::new(),
            visits: BTreeMap::new(),
        }
    }

    /// Visits that have not ended, in no particular order.
    pub fn live(&self) -> impl Iterator<Item = &Visit> {
        self.visits.values().filter(|visit| visit.is_live())
    }

    /// The live visit with this ticket. No two live visits have the same one, even across days.
    #[must_use]
    pub fn by_ticket(&self, ticket: Ticket) -> Option<&Visit> {
        self.live().find(|visit| visit.ticket == ticket)
    }

    /// The live visits this clerk has called or talks with.
    pub(crate) fn served_by<'a>(
        &'a self,
        clerk: &'a MatrixUser,
    ) -> impl Iterator<Item = &'a Visit> {
        self.live()
            .filter(move |visit| visit.clerk() == Some(clerk))
    }
}

/// What the world is like at this moment: time and opening hours come in as arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// The instant.
    pub at: Timestamp,
    /// The day in the office's zone; tickets count from 1 each day.
    pub today: Date,
    /// Whether the opening hours say open.
    pub open: bool,
    /// When the office opens next if it is closed, or closes if open is told by the scheduler elsewhere.
    pub next_opening: Option<Timestamp>,
}

/// Whether one can come in, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A desk is on duty, has nobody, and nobody waits.
    Free,
    /// Open, but one has to wait.
    Busy,
    /// Open, but no new knocks for now.
    Paused,
    /// Outside the opening hours.
    Closed,
}

/// A span of time people are told to expect, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitRange {
    /// If things go quickly.
    pub low: u32,
    /// If things go slowly.
    pub high: u32,
}

/// The content of `org.vorzimmer.occupancy`, and what the lobby shows. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    /// One word.
    pub status: Status,
    /// Visits that wait.
    pub waiting: u32,
    /// Visits called or in conversation.
    pub in_conversation: u32,
    /// Clerks on duty.
    pub desks_on_duty: u32,
    /// What a visitor who knocks at this moment has to expect; `None` when nobody is on duty or it is closed.
    pub estimated_wait_s: Option<WaitRange>,
    /// When the office opens next; `None` while open or when unknown.
    pub next_opening: Option<Timestamp>,
    /// When this was true.
    pub as_of: Timestamp,
}

/// One line of `org.vorzimmer.queue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueEntry {
    /// The ticket.
    pub ticket: Ticket,
    /// `waiting`, `called` or `in_conversation`.
    pub state: QueueState,
    /// `walk_in` or `appointment`.
    pub kind: QueueKind,
    /// The language of the conversation.
    pub language: Language,
    /// Since when the visit has been in this state.
    pub since: Timestamp,
}

/// The state of a queue line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueState {
    /// In the queue.
    Waiting,
    /// Called, not there yet.
    Called,
    /// Talking.
    InConversation,
}

/// The kind of a queue line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueKind {
    /// Without an appointment.
    WalkIn,
    /// With an appointment.
    Appointment,
}
