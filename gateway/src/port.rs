//! What the gateway needs of the house. The server implements [`FrontOffice`]; the gateway knows no store
//! and no homeserver.

use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use bridge::{
    ids::{GuestId, Language, OfficeSlug, ServiceId, Ticket, VisitId},
    office::{Occupancy, WaitRange},
    visit::Ending,
};
use bytes::Bytes;
use city::model::City;
use futures_util::Stream;
use jiff::Timestamp;
use scheduler::Opening;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

/// Every office's live state at one moment, shared by all lobby watchers.
#[derive(Debug, Clone)]
pub struct Lobby {
    /// The city's configuration that this state belongs to.
    pub city: Arc<City>,
    /// One entry per office, in the city's order.
    pub offices: Vec<OfficeLive>,
    /// Whether opening hours are ignored (demo).
    pub always_open: bool,
}

/// One office's live state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeLive {
    /// Which office.
    pub slug: OfficeSlug,
    /// The public numbers.
    pub occupancy: Occupancy,
    /// What the calendar says.
    pub opening: Opening,
    /// Whether a knock is accepted at this moment.
    pub accepting: bool,
    /// The office's notice to citizens while it has paused. Plain text written by a clerk.
    pub notice: Option<String>,
    /// What one can have instead of waiting.
    pub appointment: NextAppointment,
}

/// The next free appointment of an office, of its shortest service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NextAppointment {
    /// The office takes none here.
    #[default]
    NotOffered,
    /// Everything that can be booked is taken.
    FullyBooked,
    /// It begins then.
    At(Timestamp),
}

/// What a citizen tells when knocking. Checked by the gateway before it gets here.
#[derive(Clone)]
pub struct KnockForm {
    /// In the citizen's own words; 1 to 1000 characters.
    pub concern: String,
    /// How to be addressed; at most 80 characters, one line.
    pub name: Option<String>,
    /// The language of the conversation.
    pub language: Language,
    /// What for, if chosen.
    pub service: Option<ServiceId>,
    /// The language an interpreter is needed for; at most 60 characters, one line.
    pub interpreter: Option<String>,
}

impl fmt::Debug for KnockForm {
    /// Personal words never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnockForm")
            .field("language", &self.language)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A visit's state as its guest sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VisitPhase {
    /// In the queue.
    Waiting,
    /// Called: enter before `enter_by`.
    Called,
    /// Talking.
    InConversation,
    /// Over.
    Ended,
}

/// A visit as its guest sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitView {
    /// The visit.
    pub id: VisitId,
    /// What the queue shows.
    pub ticket: Ticket,
    /// Where.
    pub office: OfficeSlug,
    /// The language of the conversation.
    pub language: Language,
    /// Where it stands.
    pub phase: VisitPhase,
    /// How it ended, when it has.
    pub ending: Option<Ending>,
    /// 1 is next; only while waiting.
    pub position: Option<u32>,
    /// How long the wait is likely to be; only while waiting and a desk is on duty.
    pub estimated_wait_s: Option<WaitRange>,
    /// When the guest knocked.
    pub knocked_at: Timestamp,
    /// While called: when the call lapses.
    pub enter_by: Option<Timestamp>,
    /// The given name of the clerk who called or talks (their Matrix display name).
    pub clerk_name: Option<String>,
    /// The text with which a clerk declined.
    pub decline_text: Option<String>,
    /// The office's notice while it has paused.
    pub notice: Option<String>,
    /// Whether the guest has rated the visit.
    pub rated: bool,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The guest of this visit.
    Guest,
    /// A clerk, an interpreter or a companion in Matrix.
    Participant,
    /// The office itself (the service's bot).
    Office,
}

/// Where a guest's own message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Stored, on its way to the homeserver.
    Sending,
    /// In the consultation room.
    Delivered,
    /// Given up; the guest should send it again.
    Failed,
}

/// A file in a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct FileView {
    /// Its name. Personal: never in an address or a log.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// A checked media type: `application/pdf`, `image/jpeg` or `image/png`, `image/webp`.
    pub media_type: String,
}

/// One message of a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageView {
    /// Rises with each message of the installation; order and cursor.
    pub id: i64,
    /// The guest client's own id of the message, for de-duplication.
    pub client_id: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// The author's display name, if it is a participant.
    pub author_name: Option<String>,
    /// When.
    pub sent_at: Timestamp,
    /// Plain text; for a file its caption or empty.
    pub body: String,
    /// The file, if it is one.
    pub file: Option<FileView>,
    /// Where it is.
    pub delivery: Delivery,
}

/// What happens at a visit, for the page that shows it. A page that has lagged behind gets `Resync`.
#[derive(Clone)]
pub enum VisitEvent {
    /// Something about the visit changed: read it again with [`FrontOffice::visit`].
    Changed,
    /// A message is new or its delivery changed.
    Message(MessageView),
    /// Whether a clerk is typing.
    Typing(bool),
    /// Who is in the call, or where they send to, has changed: join it again with [`FrontOffice::join_call`].
    Call,
    /// Events were lost: read visit and messages again.
    Resync,
}

/// The events of one visit while a page shows it; dropping it tells the house that the page is gone.
pub type VisitEvents = Pin<Box<dyn Stream<Item = VisitEvent> + Send>>;

/// A relay that carries the call, with the right to connect to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Transport {
    /// `wss://…`.
    pub url: String,
    /// A LiveKit access token for the call's room. Secret.
    pub token: String,
    /// Whether the guest sends here; on the others it only receives.
    pub own: bool,
}

/// What somebody in a call is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallRole {
    /// The guest of this visit.
    Guest,
    /// A clerk of the office.
    Clerk,
    /// An interpreter, a companion, anybody else.
    Participant,
}

/// Somebody in the call.
#[derive(Clone, PartialEq, Eq)]
pub struct CallParticipant {
    /// The name by which relays know them.
    pub identity: String,
    /// The name people know them by.
    pub name: String,
    /// What they are there for.
    pub role: CallRole,
}

/// The call of a visit as its guest needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct CallView {
    /// One for each relay that somebody in the call sends to; the own one first.
    pub transports: Vec<Transport>,
    /// Everybody in the call, the guest too.
    pub participants: Vec<CallParticipant>,
}

/// A file on its way in, already limited in size and checked in type.
pub struct Upload {
    /// Its name, cleaned: no path, no control characters, at most 120 characters.
    pub name: String,
    /// A checked media type.
    pub media_type: String,
    /// All of it.
    pub bytes: Bytes,
}

/// A file on its way out.
pub struct Download {
    /// What it is.
    pub file: FileView,
    /// All of it.
    pub bytes: Bytes,
}

/// Why the house did not do something.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    /// No office of that slug.
    #[error("there is no such office")]
    UnknownOffice,
    /// No such visit, or it belongs to another guest.
    #[error("there is no such visit")]
    UnknownVisit,
    /// The office has no such service.
    #[error("the office has no such service")]
    UnknownService,
    /// The rules refuse it.
    #[error("refused: {0}")]
    Refused(#[from] bridge::input::Refusal),
    /// There is no conversation (yet, or any more).
    #[error("the visit is not in conversation")]
    NoConversation,
    /// No such file in this conversation.
    #[error("there is no such file")]
    UnknownFile,
    /// Was rated before, or has not ended.
    #[error("the visit cannot be rated")]
    NotRatable,
    /// The homeserver cannot be reached; for files, which are not kept here.
    #[error("the homeserver cannot be reached")]
    HomeserverAway,
    /// The conversation's room is being made; its call can be joined in a moment.
    #[error("the call is not ready yet")]
    CallNotReady,
    /// Calls are switched off, or the relay cannot be reached.
    #[error("there are no calls at the moment")]
    CallsUnavailable,
    /// Too many changes at once: nothing was stored, and trying again in a few seconds may work.
    #[error("the house is busy")]
    Busy,
    /// A fault of ours. The cause is logged where it arose.
    #[error("internal fault")]
    Internal,
}

/// The house, as the gateway sees it.
#[async_trait]
pub trait FrontOffice: Send + Sync + 'static {
    /// The live state of all offices; changes are at most one a second.
    fn lobby(&self) -> watch::Receiver<Arc<Lobby>>;

    /// Somebody knocks. A guest with a live visit at the office gets [`bridge::input::Refusal::AlreadyHere`].
    async fn knock(
        &self,
        office: &OfficeSlug,
        guest: &GuestId,
        form: KnockForm,
    ) -> Result<VisitView, HouseError>;

    /// The guest's live visits, and those that ended in the last hour; the newest first.
    async fn visits(&self, guest: &GuestId) -> Result<Vec<VisitView>, HouseError>;

    /// One visit of the guest.
    async fn visit(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitView, HouseError>;

    /// The page shows the visit from here on: events, and presence for as long as the stream lives.
    async fn watch(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitEvents, HouseError>;

    /// The guest goes. Idempotent.
    async fn leave(&self, guest: &GuestId, visit: &VisitId) -> Result<(), HouseError>;

    /// The called guest comes in. Idempotent.
    async fn enter(&self, guest: &GuestId, visit: &VisitId) -> Result<VisitView, HouseError>;

    /// Messages after the one with id `after` (0: all), in order, at most 500.
    async fn messages(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        after: i64,
    ) -> Result<Vec<MessageView>, HouseError>;

    /// The guest writes; 1 to 4000 characters. The same `client_id` again gives the same message.
    async fn say(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        body: String,
    ) -> Result<MessageView, HouseError>;

    /// The guest types, or stopped.
    async fn typing(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        typing: bool,
    ) -> Result<(), HouseError>;

    /// The guest sends a file.
    async fn send_file(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        client_id: &str,
        upload: Upload,
    ) -> Result<MessageView, HouseError>;

    /// A file of the conversation.
    async fn file(
        &self,
        guest: &GuestId,
        visit: &VisitId,
        message: i64,
    ) -> Result<Download, HouseError>;

    /// One to five, once, after the end.
    async fn rate(&self, guest: &GuestId, visit: &VisitId, stars: u8) -> Result<(), HouseError>;

    /// The guest is in the call from here on, until [`FrontOffice::leave_call`], the end of the visit, or until no page
    /// shows the visit any more. Idempotent: again gives fresh tokens.
    async fn join_call(&self, guest: &GuestId, visit: &VisitId) -> Result<CallView, HouseError>;

    /// The guest hangs up. Idempotent.
    async fn leave_call(&self, guest: &GuestId, visit: &VisitId) -> Result<(), HouseError>;
}

/// A token by which a homeserver's user proves who they are (Client-Server API, OpenID).
#[derive(Clone, PartialEq, Eq)]
pub struct OpenId {
    /// The secret, to be shown to the homeserver alone.
    pub access_token: String,
    /// The homeserver that made it.
    pub server_name: String,
}

/// Who asks to be let into a room's call.
#[derive(Clone, PartialEq, Eq)]
pub enum Claim {
    /// In the older way: user and device are the name on the relay.
    Device {
        /// The device. Nobody proves it.
        device_id: String,
    },
    /// As MSC4195 has it: the name on the relay is a hash.
    Member {
        /// The membership's id.
        id: String,
        /// Whom the token must prove.
        user_id: String,
        /// The device. Nobody proves it.
        device_id: String,
    },
}

/// A Matrix client asks for a token for the relay.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The Matrix room whose call it is.
    pub room_id: String,
    /// Which of the room's calls.
    pub slot_id: String,
    /// The proof.
    pub openid: OpenId,
    /// As whom.
    pub claim: Claim,
}

/// A delayed event (MSC4140) that takes its user out of the call, handed over by their client.
#[derive(Clone, PartialEq, Eq)]
pub struct DelayedLeave {
    /// Whoever has it can restart or send the event. Secret.
    pub delay_id: String,
    /// After how long the homeserver sends it by itself.
    pub timeout: std::time::Duration,
}

/// The right to connect to the relay.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenGrant {
    /// `wss://…`.
    pub url: String,
    /// A LiveKit access token. Secret.
    pub jwt: String,
}

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nobody has proven to be who they claim.
    #[error("the claim is not proven")]
    Unproven,
    /// The room has no call of ours, or the user is not in the room. Strangers are not told which.
    #[error("the user is in no such room")]
    NotInRoom,
    /// The leave is not taken over: its user is at another homeserver, its time too short or too long, or there are too
    /// many.
    #[error("the delayed leave is not taken over")]
    NotTaken,
    /// The homeserver, or the relay, cannot be reached.
    #[error("a part of the house cannot be reached")]
    Away,
    /// A fault of ours. The cause is logged where it arose.
    #[error("internal fault")]
    Internal,
}

/// The house's token service for Matrix clients (MSC4195).
#[async_trait]
pub trait MediaTokens: Send + Sync + 'static {
    /// A token for somebody who is in the room whose call it is. Their leave is taken over if they hand it over.
    async fn token(
        &self,
        request: TokenRequest,
        leave: Option<DelayedLeave>,
    ) -> Result<TokenGrant, TokenError>;

    /// Takes over the leave of somebody who has a token already.
    async fn delegate(&self, request: TokenRequest, leave: DelayedLeave) -> Result<(), TokenError>;
}
