//! A participant: who it is, its connections, and how it comes and goes.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use livekit_protocol as proto;
use proto::{participant_info::State, signal_response::Message};

use super::{
    Join, Now, Output, PING_EVERY_S, PING_TIMEOUT_S, ParticipantKey, Room, Side,
    data::{LOSSY, RELIABLE},
    enabled_codecs, ids,
    refusals::leave,
    server_info,
    subscription::{Chosen, Subscription},
    track::TrackKey,
};
use crate::{
    forward::{allocate::Allocator, bucket::Bucket, quality, reports::PublisherClock},
    stack::{Codec, Connection},
    token::Grants,
};

/// What a subscriber reported of one stream since the last window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reception {
    /// Reports, of one second each.
    pub(super) reports: u32,
    /// Sum of the shares lost.
    pub(super) lost: f32,
    /// The greatest jitter, in ticks.
    pub(super) jitter: u32,
    /// The longest round trip, zero if unknown.
    pub(super) round_trip: Duration,
}

/// How what a participant is sent follows from what its path carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// As it should be.
    Settled,
    /// Less than it wants: from time to time there may be room for more.
    Limited,
    /// The path, or what is to be shared of it, has changed.
    Stale,
}

/// Who may subscribe to a participant's tracks.
#[derive(Clone, Debug)]
pub(super) enum Audience {
    /// Everybody; that was never a question.
    Unchosen,
    /// Everybody again.
    Everybody,
    /// Only these.
    Only(Chosen),
}

/// A participant's connection.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each may be true while any other is"
)]
#[derive(Debug)]
pub(super) struct Link {
    pub(super) connection: Box<dyn Connection>,
    /// ICE and DTLS are through.
    pub(super) connected: bool,
    /// An offer of ours waits for its answer: its id.
    pub(super) offered: Option<u32>,
    /// What is to be sent has changed since the last offer.
    pub(super) stale: bool,
    /// A track was taken from a media section, and the client has not seen a description without it. A section given
    /// to the next track before that would look to the client as if nothing had begun in it.
    pub(super) vacating: bool,
    /// The next offer restarts ICE.
    pub(super) restart: bool,
    /// The ICE user name fragments announced to the shell.
    pub(super) routes: Vec<String>,
    /// SSRC to the track and layer that it carries.
    pub(super) streams: HashMap<u32, (TrackKey, usize)>,
    /// Every stream that the connection knows: its section, RID and codec. A section given to another track keeps its
    /// SSRCs.
    pub(super) known: HashMap<u32, (String, String, Codec)>,
}

/// A participant.
#[derive(Debug)]
pub(super) struct Participant {
    pub(super) key: ParticipantKey,
    pub(super) sid: String,
    pub(super) identity: String,
    pub(super) name: String,
    pub(super) metadata: String,
    pub(super) attributes: HashMap<String, String>,
    pub(super) permission: proto::ParticipantPermission,
    pub(super) kind: i32,
    /// From when on its token is good.
    pub(super) since_s: i64,
    pub(super) state: State,
    pub(super) joined: Now,
    pub(super) version: u32,
    /// The signalling connection, while there is one.
    pub(super) session: Option<u64>,
    /// When the client was last heard on it, or when it broke.
    pub(super) heard: Instant,
    pub(super) publisher: Link,
    /// Absent with a single connection.
    pub(super) subscriber: Option<Link>,
    pub(super) subscriptions: BTreeMap<TrackKey, Subscription>,
    /// Sids of tracks the client does not want, or wants although it does not subscribe to everything.
    pub(super) auto_subscribe: bool,
    pub(super) adaptive_stream: bool,
    pub(super) declined: HashSet<String>,
    pub(super) wanted: HashSet<String>,
    pub(super) audience: Audience,
    pub(super) next_offer: u32,
    /// How well it sends and receives, as told to everybody.
    pub(super) quality: quality::Connection,
    /// The reports of the current window, by our SSRC.
    pub(super) receptions: HashMap<u32, Reception>,
    /// Windows in a row in which it was sent something and reported nothing.
    pub(super) unheard: u32,
    /// What the path to it carries, in bit/s, once known.
    pub(super) bandwidth: Option<u64>,
    pub(super) allocator: Allocator,
    pub(super) share: Share,
    /// Messages can be sent to it.
    pub(super) channel: bool,
    /// From its wall clock to ours.
    pub(super) clock: PublisherClock,
    /// The bits that it may send.
    pub(super) bits: Bucket,
    /// The data packets that it may send.
    pub(super) packets: Bucket,
}

impl Participant {
    /// The attributes as they are after a change: what is empty goes.
    pub(super) fn attributes_with(
        &self,
        changes: &HashMap<String, String>,
    ) -> HashMap<String, String> {
        let mut attributes = self.attributes.clone();
        for (name, value) in changes {
            if value.is_empty() {
                attributes.remove(name);
            } else {
                attributes.insert(name.clone(), value.clone());
            }
        }
        attributes
    }

    /// The connection over which it is sent what it subscribes to.
    pub(super) fn sending_side(&self) -> Side {
        if self.subscriber.is_some() {
            Side::Subscriber
        } else {
            Side::Publisher
        }
    }

    pub(super) fn link_mut(&mut self, side: Side) -> Option<&mut Link> {
        match side {
            Side::Publisher => Some(&mut self.publisher),
            Side::Subscriber => self.subscriber.as_mut(),
        }
    }

    pub(super) fn sending_link(&mut self) -> &mut Link {
        self.subscriber.as_mut().unwrap_or(&mut self.publisher)
    }

    /// Whether what it is sent can reach it.
    pub(super) fn is_connected(&self) -> bool {
        self.subscriber
            .as_ref()
            .unwrap_or(&self.publisher)
            .connected
    }

    fn links(&self) -> impl Iterator<Item = &Link> {
        [Some(&self.publisher), self.subscriber.as_ref()]
            .into_iter()
            .flatten()
    }
}

impl Room {
    fn new_link(&mut self, answers_only: bool, now: Now) -> Option<Link> {
        let connection = self
            .stack
            .connection(answers_only, now.instant)
            .inspect_err(|error| tracing::error!(%error, "no connection to be had"))
            .ok()?;
        Some(Link {
            connection,
            connected: false,
            offered: None,
            stale: false,
            vacating: false,
            restart: false,
            routes: Vec::new(),
            streams: HashMap::new(),
            known: HashMap::new(),
        })
    }

    fn refuse(&mut self, session: u64, reason: proto::DisconnectReason, reconnect: bool) {
        self.out.push_back(Output::Refused {
            session,
            leave: leave(reason, reconnect),
        });
    }

    pub(super) fn join(&mut self, session: u64, join: Join, now: Now) {
        let present = self
            .participants
            .values()
            .find(|p| p.identity == join.grants.identity)
            .map(|p| (p.key, p.sid.clone()));
        if let Some(sid) = &join.resume {
            match present {
                Some((key, known)) if *sid == known || sid.is_empty() => {
                    self.resume(key, session, join, now);
                }
                _ => self.refuse(session, proto::DisconnectReason::StateMismatch, true),
            }
            return;
        }
        if let Some((key, _)) = present {
            self.remove(key, proto::DisconnectReason::DuplicateIdentity, now);
        }
        let limit = self.max_participants;
        if self.closed || (limit > 0 && self.participants.len() >= limit as usize) {
            metrics::counter!("relay_joins_refused_total").increment(1);
            self.refuse(session, proto::DisconnectReason::JoinFailure, false);
            return;
        }
        self.admit(session, join, now);
    }

    fn admit(&mut self, session: u64, join: Join, now: Now) {
        let Some(publisher) = self.new_link(join.single_connection, now) else {
            self.refuse(session, proto::DisconnectReason::JoinFailure, false);
            return;
        };
        let subscriber = if join.single_connection {
            None
        } else {
            self.new_link(false, now)
        };
        let key = ParticipantKey(self.next_participant);
        self.next_participant += 1;
        let limits = Arc::clone(&self.limits);
        let grants = join.grants;
        let mut attributes = grants.attributes;
        if grants.permission.can_update_metadata {
            attributes.extend(join.attributes);
        }
        let participant = Participant {
            key,
            sid: ids::make("PA_", &mut self.rng),
            identity: grants.identity,
            name: grants.name,
            metadata: if grants.metadata.is_empty() && grants.permission.can_update_metadata {
                join.metadata
            } else {
                grants.metadata
            },
            attributes,
            permission: grants.permission,
            kind: grants.kind,
            since_s: grants.since_s,
            state: State::Joined,
            joined: now,
            version: 1,
            session: Some(session),
            heard: now.instant,
            publisher,
            subscriber,
            subscriptions: BTreeMap::new(),
            auto_subscribe: join.auto_subscribe,
            adaptive_stream: join.adaptive_stream,
            declined: HashSet::new(),
            wanted: HashSet::new(),
            audience: Audience::Unchosen,
            next_offer: 1,
            quality: quality::Connection::default(),
            receptions: HashMap::new(),
            unheard: 0,
            bandwidth: None,
            allocator: Allocator::default(),
            share: Share::Settled,
            channel: false,
            clock: PublisherClock::default(),
            bits: Bucket::new(limits.publish_bits_per_second, now.instant),
            packets: Bucket::new(limits.data_packets_per_second.into(), now.instant),
        };
        let two_connections = participant.subscriber.is_some();
        self.participants.insert(key, participant);
        self.account.most = self.account.most.max(self.participants.len());
        self.empty_since = None;
        self.out.push_back(Output::Joined {
            session,
            participant: key,
        });
        let response = self.join_response(key, two_connections, join.ice_servers);
        self.send(key, Message::Join(response));
        self.broadcast(key, Some(key));
        let info = self.participant_info(key);
        self.event("participant_joined", info, None, now);
        for request in join.tracks {
            self.add_track(key, request, now);
        }
        if let Some(link) = self
            .participants
            .get_mut(&key)
            .and_then(|p| p.subscriber.as_mut())
        {
            for (label, reliable) in [(RELIABLE, true), (LOSSY, false)] {
                if let Err(error) = link.connection.open_channel(label, reliable) {
                    tracing::warn!(%error, label, "no data channel");
                }
            }
            link.stale = true;
        }
        self.subscribe_to_all(key, now);
        if let Some(offer) = join.offer {
            self.take_offer(key, &offer, now);
        }
        self.negotiate(key, now);
    }

    fn join_response(
        &self,
        key: ParticipantKey,
        two_connections: bool,
        ice_servers: Vec<proto::IceServer>,
    ) -> proto::JoinResponse {
        proto::JoinResponse {
            room: Some(self.info()),
            participant: self.participant_info(key),
            other_participants: self
                .participants
                .values()
                .filter(|other| other.key != key && !other.permission.hidden)
                .filter_map(|other| self.participant_info(other.key))
                .collect(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            ice_servers,
            subscriber_primary: two_connections,
            ping_timeout: PING_TIMEOUT_S,
            ping_interval: PING_EVERY_S,
            server_info: Some(server_info()),
            enabled_publish_codecs: enabled_codecs(),
            fast_publish: self
                .participants
                .get(&key)
                .is_some_and(|p| p.permission.can_publish),
            ..proto::JoinResponse::default()
        }
    }

    /// Ends a participant's stay.
    pub(super) fn remove(
        &mut self,
        key: ParticipantKey,
        reason: proto::DisconnectReason,
        now: Now,
    ) {
        use proto::DisconnectReason as Reason;
        if !self.participants.contains_key(&key) {
            return;
        }
        // The last that it hears: what is told to the others about its tracks would make its client give them up.
        if reason != Reason::ClientInitiated {
            // A relay that stops starts again, and a connection that came apart is made anew.
            let again = matches!(reason, Reason::ServerShutdown | Reason::StateMismatch);
            self.send(key, Message::Leave(leave(reason, again)));
        }
        let session = self.participants.get_mut(&key);
        if let Some(session) = session.and_then(|it| it.session.take()) {
            self.out.push_back(Output::Hangup { session });
        }
        let tracks: Vec<TrackKey> = self
            .tracks
            .values()
            .filter(|track| track.owner == key)
            .map(|track| track.key)
            .collect();
        for track in tracks {
            self.unpublish(track, now);
        }
        let Some(mut participant) = self.participants.remove(&key) else {
            return;
        };
        for side in [Side::Publisher, Side::Subscriber] {
            if let Some(link) = participant.link_mut(side) {
                link.connection.close(now.instant);
                while let Some(transmit) = link.connection.poll_transmit() {
                    self.out.push_back(Output::Transmit {
                        connection: (key, side),
                        transmit,
                    });
                }
            }
        }
        for link in participant.links() {
            for ufrag in &link.routes {
                self.out.push_back(Output::Unroute {
                    ufrag: ufrag.clone(),
                });
            }
        }
        participant.state = State::Disconnected;
        participant.version += 1;
        let mut info = info(&participant, Vec::new());
        info.disconnect_reason = reason.into();
        if !participant.permission.hidden {
            let update = Arc::new(Message::Update(proto::ParticipantUpdate {
                participants: vec![info.clone()],
            }));
            for other in self.keys() {
                self.send_shared(other, &update);
            }
            self.departures.note(info.clone(), now.instant);
        }
        self.speakers.remove(&key);
        self.event("participant_left", Some(info), None, now);
        if self.participants.is_empty() {
            self.empty_since = Some(now.instant);
        }
    }

    /// Tells the shell what a participant is and may by now: fresh tokens say so.
    pub(super) fn tell_grants(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get(&key) else {
            return;
        };
        let Some(session) = participant.session else {
            return;
        };
        let grants = Box::new(Grants {
            identity: participant.identity.clone(),
            name: participant.name.clone(),
            metadata: participant.metadata.clone(),
            attributes: participant.attributes.clone(),
            kind: participant.kind,
            permission: participant.permission.clone(),
            room: self.name.clone(),
            join: true,
            create: false,
            list: false,
            admin: false,
            since_s: participant.since_s,
        });
        self.out.push_back(Output::Grants { session, grants });
    }

    pub(super) fn keys(&self) -> Vec<ParticipantKey> {
        self.participants.keys().copied().collect()
    }

    pub(super) fn participant_info(&self, key: ParticipantKey) -> Option<proto::ParticipantInfo> {
        let participant = self.participants.get(&key)?;
        let tracks = self
            .tracks
            .values()
            .filter(|track| track.owner == key && track.published)
            .map(|track| track.info.clone())
            .collect();
        Some(info(participant, tracks))
    }

    /// Tells everybody that a participant gets what is sent, once it does: the others may speak to it at that word.
    pub(super) fn activate(&mut self, key: ParticipantKey) {
        if let Some(participant) = self.participants.get_mut(&key)
            && participant.state != State::Active
            && participant.is_connected()
            && participant.channel
        {
            participant.state = State::Active;
            self.broadcast(key, None);
        }
    }

    /// Tells everybody (but `except`) how a participant is.
    pub(super) fn broadcast(&mut self, key: ParticipantKey, except: Option<ParticipantKey>) {
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        participant.version += 1;
        let hidden = participant.permission.hidden;
        let Some(info) = self.participant_info(key) else {
            return;
        };
        let update = Arc::new(Message::Update(proto::ParticipantUpdate {
            participants: vec![info],
        }));
        for other in self.keys() {
            if Some(other) != except && (other == key || !hidden) {
                self.send_shared(other, &update);
            }
        }
    }
}

fn info(participant: &Participant, tracks: Vec<proto::TrackInfo>) -> proto::ParticipantInfo {
    proto::ParticipantInfo {
        sid: participant.sid.clone(),
        identity: participant.identity.clone(),
        state: participant.state.into(),
        is_publisher: !tracks.is_empty(),
        tracks,
        metadata: participant.metadata.clone(),
        joined_at: participant.joined.unix_ms / 1000,
        joined_at_ms: participant.joined.unix_ms,
        name: participant.name.clone(),
        version: participant.version,
        permission: Some(participant.permission.clone()),
        kind: participant.kind,
        attributes: participant.attributes.clone(),
        ..proto::ParticipantInfo::default()
    }
}
