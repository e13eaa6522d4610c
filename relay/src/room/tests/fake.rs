//! A house with one room and connections that only note what they are told.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use livekit_protocol as proto;
use proto::{signal_request, signal_response::Message};
use rand::{SeedableRng as _, rngs::StdRng};

use super::super::{
    ApiCall, ApiError, ApiReply, Input, Join, Now, Output, ParticipantKey, Room, Side,
};
use crate::{
    config::Limits,
    forward::testing::origin,
    stack::{
        Codec, Connection, Datagram, Event, OutgoingMedia, Protocol, SenderId, SenderSpec, Stack,
        StackError, Transmit,
    },
    token::Grants,
};

/// What every connection says of itself.
const OURS: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n\
    a=fmtp:111 minptime=10\r\n";

type Shared<T> = Arc<Mutex<T>>;

#[derive(Debug, Default)]
struct Notes {
    events: VecDeque<Event>,
    senders: Vec<Option<SenderSpec>>,
    sent: Vec<OutgoingMedia>,
    /// Whether anything was sent that a probe could send again.
    has_sent: bool,
    resent: Vec<OutgoingMedia>,
    reports: Vec<(u64, u32)>,
    probes: Vec<u64>,
    data: Vec<(String, Vec<u8>)>,
    answers: u32,
    /// How many senders have a media section.
    placed: usize,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Wires(Shared<Vec<Shared<Notes>>>, Arc<AtomicBool>);

impl Wires {
    /// From here on a connection that is closed panics.
    pub(crate) fn break_down(&self) {
        self.1.store(true, Ordering::Relaxed);
    }
}

impl Stack for Wires {
    fn connection(&mut self, _: bool, _: Instant) -> Result<Box<dyn Connection>, StackError> {
        let notes = Arc::new(Mutex::new(Notes::default()));
        let mut wires = self.0.lock().unwrap();
        wires.push(Arc::clone(&notes));
        let ufrag = format!("user{}", wires.len());
        let broken = Arc::clone(&self.1);
        Ok(Box::new(Wire {
            notes,
            ufrag,
            broken,
        }))
    }
}

#[derive(Debug)]
struct Wire {
    notes: Arc<Mutex<Notes>>,
    ufrag: String,
    broken: Arc<AtomicBool>,
}

impl Connection for Wire {
    fn accept_offer(&mut self, sdp: &str, _: Instant) -> Result<String, StackError> {
        if sdp.is_empty() {
            return Err(StackError::Description("it is empty".to_owned()));
        }
        let mut notes = self.notes.lock().unwrap();
        notes.placed = notes.senders.len();
        Ok(OURS.to_owned())
    }

    fn make_offer(&mut self, _: bool, _: Instant) -> Result<String, StackError> {
        let mut notes = self.notes.lock().unwrap();
        notes.placed = notes.senders.len();
        Ok(OURS.to_owned())
    }

    fn accept_answer(&mut self, sdp: &str, _: Instant) -> Result<(), StackError> {
        if sdp.is_empty() {
            return Err(StackError::Description("it is empty".to_owned()));
        }
        self.notes.lock().unwrap().answers += 1;
        Ok(())
    }

    fn local_ufrag(&self) -> Option<&str> {
        Some(&self.ufrag)
    }

    fn open_channel(&mut self, _: &str, _: bool) -> Result<(), StackError> {
        Ok(())
    }

    fn send_data(&mut self, label: &str, bytes: &[u8], _: Instant) -> Result<(), StackError> {
        let mut notes = self.notes.lock().unwrap();
        notes.data.push((label.to_owned(), bytes.to_vec()));
        Ok(())
    }

    fn add_sender(&mut self, spec: &SenderSpec) -> Result<SenderId, StackError> {
        let mut notes = self.notes.lock().unwrap();
        notes.senders.push(Some(spec.clone()));
        Ok(SenderId(notes.senders.len() - 1))
    }

    fn remove_sender(&mut self, sender: SenderId) -> Result<(), StackError> {
        self.notes.lock().unwrap().senders[sender.0] = None;
        Ok(())
    }

    fn sender_mid(&mut self, sender: SenderId) -> Option<String> {
        let placed = self.notes.lock().unwrap().placed;
        (sender.0 < placed).then(|| sender.0.to_string())
    }

    fn send_media(&mut self, _: SenderId, media: OutgoingMedia, _: Instant) {
        let mut notes = self.notes.lock().unwrap();
        notes.sent.push(media);
        notes.has_sent = true;
    }

    fn resend_media(&mut self, _: SenderId, media: OutgoingMedia, _: Instant) {
        self.notes.lock().unwrap().resent.push(media);
    }

    fn report(&mut self, _: SenderId, ntp: u64, rtp: u32, _: Instant) {
        self.notes.lock().unwrap().reports.push((ntp, rtp));
    }

    fn probe(&mut self, bits: u64, _: Instant) -> bool {
        let mut notes = self.notes.lock().unwrap();
        notes.probes.push(bits);
        notes.has_sent
    }

    fn request_keyframe(&mut self, _: u32, _: Instant) {}

    fn receive(&mut self, _: Datagram, _: Instant) {}

    fn next_timeout(&mut self) -> Option<Instant> {
        None
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_event(&mut self) -> Option<Event> {
        self.notes.lock().unwrap().events.pop_front()
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    fn close(&mut self, _: Instant) {
        assert!(!self.broken.load(Ordering::Relaxed), "as the stack may");
    }
}

/// How somebody joins who may do everything that participants may.
pub(crate) fn join_of(identity: &str) -> Join {
    Join {
        grants: Grants {
            identity: identity.to_owned(),
            name: String::new(),
            metadata: String::new(),
            attributes: std::collections::HashMap::new(),
            kind: 0,
            permission: proto::ParticipantPermission {
                can_publish: true,
                can_subscribe: true,
                can_publish_data: true,
                ..proto::ParticipantPermission::default()
            },
            room: "r".to_owned(),
            join: true,
            create: false,
            list: false,
            admin: false,
            since_s: 1_000,
        },
        auto_subscribe: true,
        adaptive_stream: false,
        single_connection: false,
        offer: None,
        tracks: Vec::new(),
        attributes: std::collections::HashMap::new(),
        metadata: String::new(),
        resume: None,
        sync: None,
        ice_servers: Vec::new(),
    }
}

/// A room, everything it said, and the clock.
pub(super) struct House {
    pub(super) room: Room,
    wires: Wires,
    pub(super) now: Now,
    sessions: Vec<Session>,
    events: Vec<String>,
}

#[derive(Default)]
struct Session {
    participant: Option<ParticipantKey>,
    heard: Vec<Message>,
    refusal: Option<proto::LeaveRequest>,
    hung_up: bool,
    grants: Option<Grants>,
    /// Places of the connections among the wires.
    wires: (usize, usize),
}

impl House {
    pub(super) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(super) fn with_limits(limits: Limits) -> Self {
        let wires = Wires::default();
        let now = Now {
            instant: origin(),
            unix_ms: 1_000_000,
        };
        let room = Room::new(
            "r".to_owned(),
            Arc::new(limits),
            Box::new(wires.clone()),
            StdRng::seed_from_u64(7),
            now,
        );
        Self {
            room,
            wires,
            now,
            sessions: Vec::new(),
            events: Vec::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.room.poll_output() {
            let session = |session: u64| usize::try_from(session).unwrap();
            match output {
                Output::Joined {
                    session: at,
                    participant,
                } => self.sessions[session(at)].participant = Some(participant),
                Output::Refused { session: at, leave } => {
                    self.sessions[session(at)].refusal = Some(leave);
                }
                Output::Signal {
                    session: at,
                    message,
                } => self.sessions[session(at)]
                    .heard
                    .push(Arc::unwrap_or_clone(message)),
                Output::Hangup { session: at } => self.sessions[session(at)].hung_up = true,
                Output::Grants {
                    session: at,
                    grants,
                } => self.sessions[session(at)].grants = Some(*grants),
                Output::Event(event) => self.events.push(event.event),
                Output::Transmit { .. } | Output::Route { .. } | Output::Unroute { .. } => {}
            }
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        self.room.handle(input, self.now);
        self.drain();
    }

    pub(super) fn join(&mut self, identity: &str) -> u64 {
        self.join_with(identity, |_| {})
    }

    pub(super) fn resume(&mut self, identity: &str, sid: &str) -> u64 {
        self.join_with(identity, |join| join.resume = Some(sid.to_owned()))
    }

    /// Joins; the media connection does not stand yet.
    pub(super) fn enter(&mut self, identity: &str, change: impl FnOnce(&mut Join)) -> u64 {
        let mut join = join_of(identity);
        change(&mut join);
        let session = self.sessions.len() as u64;
        let first = self.wires.0.lock().unwrap().len();
        let second = if join.single_connection {
            first
        } else {
            first + 1
        };
        self.sessions.push(Session {
            wires: (first, second),
            ..Session::default()
        });
        let join = Box::new(join);
        self.input(Input::Join { session, join });
        session
    }

    pub(super) fn join_with(&mut self, identity: &str, change: impl FnOnce(&mut Join)) -> u64 {
        let mut resumes = false;
        let session = self.enter(identity, |join| {
            change(join);
            resumes = join.resume.is_some();
        });
        if resumes {
            // It goes on over the connections it had.
            let participant = self.session(session).participant;
            let same = |one: &&Session| participant.is_some() && one.participant == participant;
            let wires = self.sessions.iter().find(same).map(|one| one.wires);
            self.session(session).wires = wires.unwrap_or_default();
            return session;
        }
        self.happens(session, Side::Publisher, Event::Connected);
        let (first, second) = self.session(session).wires;
        let mut sending = Side::Publisher;
        if first != second {
            sending = Side::Subscriber;
            self.happens(session, sending, Event::Connected);
        }
        let label = "_reliable".to_owned();
        self.happens(session, sending, Event::ChannelOpen { label });
        for one in &mut self.sessions {
            one.heard.retain(|message| !is_activation(message));
        }
        session
    }

    fn session(&mut self, session: u64) -> &mut Session {
        &mut self.sessions[usize::try_from(session).unwrap()]
    }

    fn participant(&mut self, session: u64) -> ParticipantKey {
        self.session(session).participant.expect("joined")
    }

    pub(super) fn says(&mut self, session: u64, message: signal_request::Message) {
        let from = self.participant(session);
        let message = Box::new(message);
        self.input(Input::Signal {
            from,
            session,
            message,
        });
    }

    pub(super) fn loses(&mut self, session: u64) {
        let from = self.participant(session);
        self.input(Input::SignalLost { from, session });
    }

    /// Something happens on a connection.
    pub(super) fn happens(&mut self, session: u64, side: Side, event: Event) {
        self.notes(session, side)
            .lock()
            .unwrap()
            .events
            .push_back(event);
        let connection = (self.participant(session), side);
        let address = "192.0.2.1:9".parse().unwrap();
        let datagram = Datagram {
            from: address,
            to: address,
            protocol: Protocol::Udp,
            bytes: bytes::BytesMut::new(),
        };
        self.input(Input::Datagram {
            connection,
            datagram,
        });
    }

    fn notes(&mut self, session: u64, side: Side) -> Arc<Mutex<Notes>> {
        let (publisher, subscriber) = self.session(session).wires;
        let at = if side == Side::Publisher {
            publisher
        } else {
            subscriber
        };
        Arc::clone(&self.wires.0.lock().unwrap()[at])
    }

    /// The messages since the last look.
    pub(super) fn heard(&mut self, session: u64) -> Vec<Message> {
        std::mem::take(&mut self.session(session).heard)
    }

    /// The number of the newest offer, everything before it being read.
    pub(super) fn offered(&mut self, session: u64) -> Option<u32> {
        self.heard(session)
            .into_iter()
            .filter_map(|message| match message {
                Message::Offer(offer) => Some(offer.id),
                _ => None,
            })
            .next_back()
    }

    /// The client answers the offer that it was sent last, and what follows from its answer.
    pub(super) fn accepts(&mut self, session: u64) {
        let number = self.offered(session).expect("an offer");
        self.answers(session, number);
    }

    /// Media of a publisher's first section comes.
    pub(super) fn streams(&mut self, session: u64, ssrc: u32, rid: &str, codec: Codec) {
        let stream = Event::Stream {
            ssrc,
            mid: "0".to_owned(),
            rid: rid.to_owned(),
            codec,
        };
        self.happens(session, Side::Publisher, stream);
    }

    /// The client answers, and answers again what follows from its answer.
    pub(super) fn answers(&mut self, session: u64, number: u32) {
        let answer = proto::SessionDescription {
            r#type: "answer".to_owned(),
            sdp: "answer".to_owned(),
            id: number,
            ..proto::SessionDescription::default()
        };
        self.says(session, signal_request::Message::Answer(answer));
        if let Some(next) = self.offered(session) {
            self.answers(session, next);
        }
    }

    pub(super) fn accepted_answers(&mut self, session: u64) -> u32 {
        self.notes(session, Side::Subscriber)
            .lock()
            .unwrap()
            .answers
    }

    pub(super) fn senders(&mut self, session: u64) -> Vec<SenderSpec> {
        let notes = self.notes(session, Side::Subscriber);
        let notes = notes.lock().unwrap();
        notes.senders.iter().flatten().cloned().collect()
    }

    pub(super) fn sent(&mut self, session: u64) -> Vec<OutgoingMedia> {
        let notes = self.notes(session, Side::Subscriber);
        std::mem::take(&mut notes.lock().unwrap().sent)
    }

    /// What was sent once more.
    pub(super) fn resent(&mut self, session: u64) -> Vec<OutgoingMedia> {
        let notes = self.notes(session, Side::Subscriber);
        std::mem::take(&mut notes.lock().unwrap().resent)
    }

    /// The sender reports: NTP time and RTP timestamp.
    pub(super) fn reports(&mut self, session: u64) -> Vec<(u64, u32)> {
        let notes = self.notes(session, Side::Subscriber);
        std::mem::take(&mut notes.lock().unwrap().reports)
    }

    /// From here on its path is one on which nothing was sent yet that a probe could send again.
    pub(super) fn forgets_what_was_sent(&mut self, session: u64) {
        let notes = self.notes(session, Side::Subscriber);
        notes.lock().unwrap().has_sent = false;
    }

    /// The rates that its path was probed for.
    pub(super) fn probes(&mut self, session: u64) -> Vec<u64> {
        let notes = self.notes(session, Side::Subscriber);
        std::mem::take(&mut notes.lock().unwrap().probes)
    }

    pub(super) fn data(&mut self, session: u64) -> Vec<(String, Vec<u8>)> {
        let notes = self.notes(session, Side::Subscriber);
        std::mem::take(&mut notes.lock().unwrap().data)
    }

    pub(super) fn refusal(&mut self, session: u64) -> Option<proto::LeaveRequest> {
        self.session(session).refusal.take()
    }

    pub(super) fn hung_up(&mut self, session: u64) -> bool {
        self.session(session).hung_up
    }

    /// What a fresh token says, if that has changed.
    pub(super) fn grants(&mut self, session: u64) -> Option<Grants> {
        self.session(session).grants.take()
    }

    pub(super) fn events(&self) -> &[String] {
        &self.events
    }

    pub(super) fn call(&mut self, call: ApiCall) -> Result<ApiReply, ApiError> {
        let reply = self.room.call(call, self.now);
        self.drain();
        reply
    }

    pub(super) fn sid(&mut self, identity: &str) -> String {
        match self.call(ApiCall::GetParticipant(identity.to_owned())) {
            Ok(ApiReply::Participant(participant)) => participant.sid,
            other => panic!("{other:?}"),
        }
    }

    /// Time passes.
    pub(super) fn wait(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.unix_ms += i64::try_from(time.as_millis()).unwrap();
        self.input(Input::Tick);
    }

    /// Time passes while one client pings.
    pub(super) fn stay(&mut self, session: u64, time: Duration) {
        for _ in 0..time.as_secs() {
            self.wait(Duration::from_secs(1));
            self.says(session, signal_request::Message::Ping(0));
        }
        let pong = |message: &Message| matches!(message, Message::Pong(_));
        self.session(session).heard.retain(|message| !pong(message));
    }
}

/// The update that says no more than that somebody's media connection stands.
fn is_activation(message: &Message) -> bool {
    matches!(message, Message::Update(update)
        if update.participants[0].state() == proto::participant_info::State::Active
            && update.participants[0].tracks.is_empty())
}
