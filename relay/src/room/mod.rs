//! A room: participants, their tracks, who is sent what. The core of the relay.
//!
//! **Driving contract.** A room does no I/O, asks no clock and draws its randomness from the generator that it was
//! given. One input at a time through [`Room::handle`]; then drain [`Room::poll_output`] until it is empty. Call
//! [`Room::handle`] with [`Input::Tick`] every [`TICK`] while the room has participants. A room that
//! [`Room::is_over`] can be dropped.

mod account;
mod allocation;
mod api;
mod data;
mod ids;
mod media;
mod negotiation;
mod participant;
mod publishing;
pub(crate) mod refusals;
mod reports;
mod resume;
mod signal;
mod subscription;
mod track;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use livekit_protocol as proto;
use proto::{participant_info::State, signal_request, signal_response};
use rand::rngs::StdRng;

use self::{
    account::Account,
    participant::{Link, Participant},
    resume::Departures,
    track::{Track, TrackKey},
};
pub use self::{
    account::{Summary, Traffic},
    api::{ApiCall, ApiError, ApiReply},
};
use crate::{
    config::Limits,
    forward::speakers::Speakers,
    stack::{Datagram, Stack, Transmit},
    token::Grants,
};

/// How often a room with participants wants to be told the time.
pub const TICK: Duration = Duration::from_millis(20);

/// How long a participant whose signalling connection broke may take to come back.
const RESUME_WITHIN: Duration = Duration::from_secs(20);
/// How long a participant may take to get a media connection at first.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// How long a participant with a media connection may take to get a data channel; some clients never have one.
const CHANNEL_WITHIN: Duration = Duration::from_secs(5);
/// How often clients are told to ping, in seconds, and after how many seconds of silence they count as gone.
const PING_EVERY_S: i32 = 5;
const PING_TIMEOUT_S: i32 = 15;

/// A moment: monotonic for the protocols, civil for what people read.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For timers and arrival times.
    pub instant: Instant,
    /// Milliseconds since 1970, UTC.
    pub unix_ms: i64,
}

/// A participant in its room, for as long as the process runs never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantKey(pub u32);

/// Which of a participant's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The client offers and publishes (and, with a single connection, subscribes as well).
    Publisher,
    /// The relay offers, the client subscribes.
    Subscriber,
}

/// A connection in its room.
pub type ConnectionKey = (ParticipantKey, Side);

/// Who wants to join, and how.
#[derive(Clone, Debug)]
pub struct Join {
    /// What the token allows.
    pub grants: Grants,
    /// Subscribe to everything that is published.
    pub auto_subscribe: bool,
    /// The client tells the sizes it shows; until then it gets the least.
    pub adaptive_stream: bool,
    /// Both directions over one connection (`/rtc/v1`).
    pub single_connection: bool,
    /// The first offer, of clients that publish at once.
    pub offer: Option<proto::SessionDescription>,
    /// Tracks announced with the join.
    pub tracks: Vec<proto::AddTrackRequest>,
    /// Attributes of the client's own.
    pub attributes: HashMap<String, String>,
    /// Metadata of the client's own; the token's comes first.
    pub metadata: String,
    /// For a client that comes back: the sid it had.
    pub resume: Option<String>,
    /// What a resuming client says it has.
    pub sync: Option<proto::SyncState>,
    /// TURN servers that this client is told of.
    pub ice_servers: Vec<proto::IceServer>,
}

/// What a room is told.
#[derive(Debug)]
pub enum Input {
    /// Somebody's signalling connection is there; [`Output::Joined`] or [`Output::Refused`] answers.
    Join {
        /// The shell's name for the signalling connection.
        session: u64,
        /// Who.
        join: Box<Join>,
    },
    /// A message from a participant.
    Signal {
        /// From whom.
        from: ParticipantKey,
        /// Over which signalling connection; one that was replaced counts no more.
        session: u64,
        /// What.
        message: Box<signal_request::Message>,
    },
    /// A participant's signalling connection broke.
    SignalLost {
        /// Whose.
        from: ParticipantKey,
        /// Which.
        session: u64,
    },
    /// A datagram for one of the connections.
    Datagram {
        /// Which.
        connection: ConnectionKey,
        /// What.
        datagram: Datagram,
    },
    /// Time has passed.
    Tick,
    /// The room is closed for this reason.
    Close(proto::DisconnectReason),
}

/// What a room wants done.
#[derive(Debug)]
pub enum Output {
    /// A join succeeded: messages for this participant go to this session.
    Joined {
        /// The signalling connection.
        session: u64,
        /// Who it belongs to.
        participant: ParticipantKey,
    },
    /// A join failed; say so over the session and close it.
    Refused {
        /// The signalling connection.
        session: u64,
        /// The last message for it.
        leave: proto::LeaveRequest,
    },
    /// A message for a client.
    Signal {
        /// Its signalling connection.
        session: u64,
        /// The message, the same for all who are told it.
        message: Arc<signal_response::Message>,
    },
    /// What a participant is and may has changed since its token was made.
    Grants {
        /// Its signalling connection.
        session: u64,
        /// What a fresh token is to say.
        grants: Box<Grants>,
    },
    /// The session is over: close it after what was sent.
    Hangup {
        /// The signalling connection.
        session: u64,
    },
    /// A datagram to send.
    Transmit {
        /// The connection that sends it.
        connection: ConnectionKey,
        /// The datagram.
        transmit: Transmit,
    },
    /// Datagrams that name this ICE user belong to this connection.
    Route {
        /// The ICE user name fragment.
        ufrag: String,
        /// The connection.
        connection: ConnectionKey,
    },
    /// And no longer.
    Unroute {
        /// The ICE user name fragment.
        ufrag: String,
    },
    /// Something that a webhook tells.
    Event(Box<proto::WebhookEvent>),
}

/// A room.
#[derive(Debug)]
pub struct Room {
    name: String,
    sid: String,
    metadata: String,
    created: Now,
    empty_timeout: Duration,
    max_participants: u32,
    limits: Arc<Limits>,
    stack: Box<dyn Stack>,
    rng: StdRng,
    participants: BTreeMap<ParticipantKey, Participant>,
    tracks: BTreeMap<TrackKey, Track>,
    /// The same by their sids.
    sids: HashMap<String, TrackKey>,
    next_participant: u32,
    next_track: u32,
    empty_since: Option<Instant>,
    closed: bool,
    out: VecDeque<Output>,
    speakers: Speakers<ParticipantKey, TrackKey>,
    departures: Departures,
    speakers_told: Instant,
    measured: Instant,
    settled: Instant,
    quality_told: Instant,
    account: Account,
}

impl Room {
    /// A room without participants. `rng` makes the ids; they are public and need only be unique.
    #[must_use]
    pub fn new(
        name: String,
        limits: Arc<Limits>,
        stack: Box<dyn Stack>,
        mut rng: StdRng,
        now: Now,
    ) -> Self {
        let sid = ids::make("RM_", &mut rng);
        let mut room = Self {
            name,
            sid,
            metadata: String::new(),
            created: now,
            empty_timeout: limits.empty_room,
            max_participants: limits.participants,
            limits,
            stack,
            rng,
            participants: BTreeMap::new(),
            tracks: BTreeMap::new(),
            sids: HashMap::new(),
            next_participant: 1,
            next_track: 1,
            empty_since: Some(now.instant),
            closed: false,
            out: VecDeque::new(),
            speakers: Speakers::new(),
            departures: Departures::default(),
            speakers_told: now.instant,
            measured: now.instant,
            settled: now.instant,
            quality_told: now.instant,
            account: Account::default(),
        };
        room.event("room_started", None, None, now);
        room
    }

    /// An empty room in place of one that failed while people were in it: as it was made, so that their tokens lead there.
    /// `None` if nobody would come back.
    pub(crate) fn anew(&self, stack: Box<dyn Stack>, rng: StdRng, now: Now) -> Option<Self> {
        if self.participants.is_empty() {
            return None;
        }
        let limits = Arc::clone(&self.limits);
        let mut room = Self::new(self.name.clone(), limits, stack, rng, now);
        room.empty_timeout = self.empty_timeout;
        room.max_participants = self.max_participants;
        room.metadata.clone_from(&self.metadata);
        Some(room)
    }

    /// The room's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether nobody is there and nobody was for long enough.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        self.participants.is_empty()
            && (self.closed
                || self
                    .empty_since
                    .is_some_and(|since| now.duration_since(since) >= self.empty_timeout))
    }

    /// Participants and published tracks, for gauges.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.participants.len(), self.tracks.len())
    }

    /// What was carried since this was last asked, for counters.
    pub fn traffic(&mut self) -> Traffic {
        self.account.news()
    }

    /// How the call has gone until now.
    #[must_use]
    pub fn summary(&self, now: Instant) -> Summary {
        Summary {
            lasted: now.saturating_duration_since(self.created.instant),
            most: self.account.most,
            traffic: self.account.whole,
        }
    }

    /// Takes one input. Drain [`Room::poll_output`] afterwards.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Join { session, join } => self.join(session, *join, now),
            Input::Signal {
                from,
                session,
                message,
            } => {
                if let Some(participant) = self.participants.get_mut(&from)
                    && participant.session == Some(session)
                {
                    participant.heard = now.instant;
                    self.signal(from, *message, now);
                }
            }
            Input::SignalLost { from, session } => {
                if let Some(participant) = self.participants.get_mut(&from)
                    && participant.session == Some(session)
                {
                    participant.session = None;
                    participant.heard = now.instant;
                }
            }
            Input::Datagram {
                connection,
                datagram,
            } => {
                if let Some(link) = self.link(connection) {
                    link.connection.receive(datagram, now.instant);
                    self.pump(connection, now);
                }
            }
            Input::Tick => self.tick(now),
            Input::Close(reason) => self.close(reason, now),
        }
    }

    /// What the room wants done, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn link(&mut self, (participant, side): ConnectionKey) -> Option<&mut Link> {
        self.participants.get_mut(&participant)?.link_mut(side)
    }

    fn send(&mut self, to: ParticipantKey, message: signal_response::Message) {
        self.send_shared(to, &Arc::new(message));
    }

    fn send_shared(&mut self, to: ParticipantKey, message: &Arc<signal_response::Message>) {
        if let Some(session) = self.participants.get(&to).and_then(|p| p.session) {
            let message = Arc::clone(message);
            self.out.push_back(Output::Signal { session, message });
        }
    }

    fn tick(&mut self, now: Now) {
        let keys: Vec<ParticipantKey> = self.participants.keys().copied().collect();
        for key in keys {
            for side in [Side::Publisher, Side::Subscriber] {
                if let Some(link) = self.link((key, side))
                    && link
                        .connection
                        .next_timeout()
                        .is_some_and(|at| at <= now.instant)
                {
                    link.connection.handle_timeout(now.instant);
                    self.pump((key, side), now);
                }
            }
            self.check_presence(key, now);
        }
        self.media_tick(now);
        self.departures.forget(now.instant);
    }

    /// Ends the stay of a participant that is silent for too long.
    fn check_presence(&mut self, key: ParticipantKey, now: Now) {
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        let present = now
            .instant
            .saturating_duration_since(participant.joined.instant);
        if participant.state != State::Active && participant.is_connected() {
            if present > CHANNEL_WITHIN {
                participant.channel = true;
                self.activate(key);
            }
            return;
        }
        let silent = now.instant.saturating_duration_since(participant.heard);
        let reason = if participant.session.is_none() && silent > RESUME_WITHIN {
            proto::DisconnectReason::SignalClose
        } else if participant.state != State::Active && present > CONNECT_WITHIN {
            proto::DisconnectReason::JoinFailure
        } else if participant.session.is_some()
            && silent > Duration::from_secs(u64::from(PING_TIMEOUT_S.unsigned_abs()) * 2)
        {
            proto::DisconnectReason::ConnectionTimeout
        } else {
            return;
        };
        self.remove(key, reason, now);
    }

    fn close(&mut self, reason: proto::DisconnectReason, now: Now) {
        self.closed = true;
        let keys: Vec<ParticipantKey> = self.participants.keys().copied().collect();
        for key in keys {
            self.remove(key, reason, now);
        }
        self.event("room_finished", None, None, now);
    }

    /// The room as clients see it.
    fn info(&self) -> proto::Room {
        let visible = self.participants.values().filter(|p| !p.permission.hidden);
        let (mut participants, mut publishers) = (0, 0);
        for participant in visible {
            participants += 1;
            publishers += u32::from(self.publishes(participant.key));
        }
        proto::Room {
            sid: self.sid.clone(),
            name: self.name.clone(),
            empty_timeout: u32::try_from(self.empty_timeout.as_secs()).unwrap_or(u32::MAX),
            departure_timeout: u32::try_from(self.empty_timeout.as_secs()).unwrap_or(u32::MAX),
            max_participants: self.max_participants,
            creation_time: self.created.unix_ms / 1000,
            creation_time_ms: self.created.unix_ms,
            enabled_codecs: enabled_codecs(),
            metadata: self.metadata.clone(),
            num_participants: participants,
            num_publishers: publishers,
            ..proto::Room::default()
        }
    }

    fn publishes(&self, key: ParticipantKey) -> bool {
        self.tracks
            .values()
            .any(|track| track.owner == key && track.published)
    }

    fn event(
        &mut self,
        name: &str,
        participant: Option<proto::ParticipantInfo>,
        track: Option<proto::TrackInfo>,
        now: Now,
    ) {
        let event = proto::WebhookEvent {
            event: name.to_owned(),
            room: Some(self.info()),
            participant,
            track,
            id: ids::make("EV_", &mut self.rng),
            created_at: now.unix_ms / 1000,
            ..proto::WebhookEvent::default()
        };
        self.out.push_back(Output::Event(Box::new(event)));
    }
}

/// What publishers may send.
fn enabled_codecs() -> Vec<proto::Codec> {
    [
        "audio/opus",
        "video/VP8",
        "video/H264",
        "video/VP9",
        "video/AV1",
    ]
    .into_iter()
    .map(|mime| proto::Codec {
        mime: mime.to_owned(),
        fmtp_line: String::new(),
    })
    .collect()
}

/// What the relay says of itself.
fn server_info() -> proto::ServerInfo {
    proto::ServerInfo {
        edition: proto::server_info::Edition::Standard.into(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: 16,
        ..proto::ServerInfo::default()
    }
}
