//! `appservice` speaks Matrix, alone: transactions in, commands out; ghosts, rooms, state.
//!
//! - [`registration`]: what the homeserver is told about this service (`registration.yaml`).
//! - [`transactions`]: the homeserver's side door: events pushed to this service.
//! - [`event`]: reads one pushed event; pure, and every byte of it is hostile.
//! - [`client`]: the homeserver's client API, as the service's bot or as a ghost.
//! - [`rooms`]: door rooms, the city's space and consultation rooms as data, compared and repaired.
//! - [`rtc`]: memberships of a room's call as data: what is written for a ghost, and who is read to be in it; pure.
//! - [`jobs`]: one outbox row in, its effect out; each job may be executed again at any point.
//!
//! No store, no browser, no wording: texts come in finished. Logs and metrics carry room ids, event ids,
//! error codes and endpoint templates, never a name or a message.

pub mod client;
pub mod content;
pub mod event;
pub mod jobs;
pub mod registration;
pub mod rooms;
pub mod rtc;
#[cfg(test)]
mod tests;
pub mod transactions;

pub use client::{As, Matrix, MatrixConfig, MatrixError, Membership, Retry};
pub use ruma::{
    EventId, MxcUri, OwnedEventId, OwnedMxcUri, OwnedRoomAliasId, OwnedRoomId, OwnedServerName,
    RoomAliasId, RoomId, ServerName,
};

/// Event types of this product's own state, and of Matrix state it looks after.
pub mod types {
    /// `org.vorzimmer.office`: slug, names by language, services, booking page.
    pub const OFFICE: &str = "org.vorzimmer.office";
    /// `org.vorzimmer.occupancy`: [`bridge::office::Occupancy`].
    pub const OCCUPANCY: &str = "org.vorzimmer.occupancy";
    /// `org.vorzimmer.queue`: `{"tickets": [`[`bridge::office::QueueEntry`]`…]}`.
    pub const QUEUE: &str = "org.vorzimmer.queue";
    /// Call membership as Element Call writes it as state (MSC3401).
    pub const CALL_MEMBER: &str = "org.matrix.msc3401.call.member";
    /// Call membership of `MatrixRTC` (MSC4143).
    pub const RTC_MEMBER: &str = "org.matrix.msc4143.rtc.member";
    /// Lets clients ring for a call (MSC4075).
    pub const RTC_NOTIFICATION: &str = "org.matrix.msc4075.rtc.notification";
    /// Widgets, as Element reads them.
    pub const WIDGETS: &str = "im.vector.modular.widgets";
    /// Where Element puts widgets.
    pub const WIDGET_LAYOUT: &str = "io.element.widgets.layout";
}
