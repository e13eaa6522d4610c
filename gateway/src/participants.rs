//! Interpreters and companions, as the gateway sees them: a port like [`FrontOffice`](crate::port::FrontOffice).

use async_trait::async_trait;
use bridge::ids::{GuestId, OfficeSlug, ParticipantId, Ticket, VisitId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    appointments::{Token, TokenHash},
    port::{CallView, HouseError, VisitEvents},
};

/// What somebody comes along for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ParticipantRole)]
pub enum Role {
    /// Translates.
    Interpreter,
    /// Helps, or listens.
    Companion,
}

/// Where the visit is, as far as it concerns them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ParticipantPhase)]
pub enum Phase {
    /// The conversation has not begun.
    Waiting,
    /// It is going on.
    InConversation,
}

/// Somebody's place beside a citizen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantView {
    /// Its id.
    pub id: ParticipantId,
    /// What they come along for.
    pub role: Role,
    /// Where the conversation is.
    pub office: OfficeSlug,
    /// The visit's ticket.
    pub ticket: Ticket,
    /// Where the visit is.
    pub phase: Phase,
    /// The clerk, once there is one.
    pub clerk_name: Option<String>,
}

/// Why somebody cannot come along.
#[derive(Debug, thiserror::Error)]
pub enum ParticipantError {
    /// No such link, or another browser has opened it since.
    #[error("there is no such link")]
    UnknownLink,
    /// The visit has ended.
    #[error("the conversation is over")]
    Over,
    /// A clerk has put them out of the conversation.
    #[error("a clerk has put them out")]
    TurnedOut,
    /// The appointment's citizen is not here yet.
    #[error("the citizen has not come yet")]
    NotYet,
    /// As many as may come along have been asked to.
    #[error("enough people come along")]
    TooMany,
    /// As with a guest.
    #[error(transparent)]
    House(#[from] HouseError),
}

/// Who comes along to visits.
#[async_trait]
pub trait Participants: Send + Sync + 'static {
    /// Makes a link for somebody who comes along to the guest's own visit.
    async fn invite(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        role: Role,
    ) -> Result<Token, ParticipantError>;

    /// This browser takes the link's place, for as long as no other one opens the link.
    async fn claim(
        &self,
        link: &TokenHash,
        guest: &GuestId,
    ) -> Result<ParticipantView, ParticipantError>;

    /// The place that this browser has.
    async fn participant(
        &self,
        guest: &GuestId,
        id: &ParticipantId,
    ) -> Result<ParticipantView, ParticipantError>;

    /// The page shows the visit from here on: events, and presence for as long as the stream lives.
    async fn watch(
        &self,
        guest: &GuestId,
        id: &ParticipantId,
    ) -> Result<VisitEvents, ParticipantError>;

    /// In the call from here on, as [`FrontOffice::join_call`](crate::port::FrontOffice::join_call) has it.
    async fn join_call(
        &self,
        guest: &GuestId,
        id: &ParticipantId,
    ) -> Result<CallView, ParticipantError>;

    /// Hangs up. Idempotent.
    async fn leave_call(&self, guest: &GuestId, id: &ParticipantId)
    -> Result<(), ParticipantError>;
}
