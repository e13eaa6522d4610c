//! A shard: rooms that are carried on one core at a time ([`super::shards`]), and what they want done.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use livekit_protocol as proto;
use proto::{signal_request, signal_response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{
    clock,
    egress::{Egress, Outbox},
    gauges,
    routes::{Route, Routes, acknowledges},
};
use crate::{
    config::Limits,
    removals::Removals,
    room::{
        ApiCall, ApiError, ApiReply, Input, Join, Now, Output, ParticipantKey, Room,
        refusals::leave,
    },
    stack::{Datagram, WebrtcStack},
    token::Grants,
};

/// Gauges are set once a second.
const TICKS_BETWEEN_GAUGES: u32 = 50;

/// Bytes of messages that wait for a slow client before it is let go.
const WAITING_BYTES: u32 = 4 * 1024 * 1024;

/// What goes to a client's signalling connection.
#[derive(Debug)]
pub(crate) enum ToClient {
    /// The join is done.
    Joined,
    /// A message, and its share of what may wait.
    Message(Arc<signal_response::Message>, Option<OwnedSemaphorePermit>),
    /// What fresh tokens are to say from here on.
    Grants(Box<Grants>),
    /// The end.
    Hangup,
}

/// What a thread is told.
pub(crate) enum ShardInput {
    Datagrams(Vec<(Route, Datagram)>),
    Join {
        room: String,
        session: u64,
        join: Box<Join>,
        client: mpsc::Sender<ToClient>,
    },
    Signal {
        session: u64,
        message: Box<signal_request::Message>,
    },
    SignalLost {
        session: u64,
    },
    Call {
        room: String,
        call: Box<ApiCall>,
        answer: oneshot::Sender<Result<ApiReply, ApiError>>,
    },
    ListRooms {
        names: Vec<String>,
        answer: oneshot::Sender<Vec<proto::Room>>,
    },
    Stop {
        done: oneshot::Sender<()>,
    },
}

/// What a thread needs to carry rooms.
#[derive(Clone)]
pub(crate) struct Equipment {
    pub(crate) limits: Arc<Limits>,
    pub(crate) stack: WebrtcStack,
    pub(crate) routes: Arc<Routes>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) events: mpsc::Sender<Box<proto::WebhookEvent>>,
    /// Joins begin rooms.
    pub(crate) auto_create: bool,
    /// Rooms that all threads together may carry.
    pub(crate) places: Arc<Places>,
}

/// Places for rooms.
#[derive(Debug)]
pub(crate) struct Places(AtomicUsize);

impl Places {
    pub(crate) fn new(count: usize) -> Self {
        Self(AtomicUsize::new(count))
    }

    /// Takes one, if one is free.
    fn take(&self) -> bool {
        let one_less = |free: usize| free.checked_sub(1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
    }

    fn give_back(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Session {
    room: u64,
    participant: Option<ParticipantKey>,
    client: mpsc::Sender<ToClient>,
    /// Bytes that may wait besides those that do.
    space: Arc<Semaphore>,
}

pub(super) struct Shard {
    index: usize,
    pub(super) outbox: Outbox,
    equipment: Equipment,
    rooms: HashMap<u64, Room>,
    names: HashMap<String, u64>,
    sessions: HashMap<u64, Session>,
    removals: Removals,
    next_room: u64,
    ticks: u32,
}

impl Shard {
    pub(super) fn new(index: usize, equipment: Equipment) -> Self {
        Self {
            index,
            outbox: Outbox::new(Arc::clone(&equipment.egress)),
            equipment,
            rooms: HashMap::new(),
            names: HashMap::new(),
            sessions: HashMap::new(),
            removals: Removals::default(),
            next_room: 1,
            ticks: 0,
        }
    }

    pub(super) fn tick(&mut self) {
        let now = clock::now();
        let ids: Vec<u64> = self.rooms.keys().copied().collect();
        for id in ids {
            self.handle(id, Input::Tick);
            if self
                .rooms
                .get(&id)
                .is_some_and(|room| room.is_over(now.instant))
            {
                self.end(id);
            }
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(TICKS_BETWEEN_GAUGES) {
            gauges::set(self.index, &mut self.rooms);
            gauges::processor_time();
        }
    }

    fn end(&mut self, id: u64) {
        if let Some(room) = self.rooms.remove(&id) {
            self.equipment.places.give_back();
            self.names.retain(|_, of| *of != id);
            // A room that crashed has not said whom it no longer knows.
            self.equipment.routes.remove_room(self.index, id);
            gauges::ended(room, clock::now().instant);
        }
    }

    pub(super) fn datagrams(&mut self, datagrams: impl IntoIterator<Item = (Route, Datagram)>) {
        for (route, datagram) in datagrams {
            let connection = route.connection;
            self.handle(
                route.room,
                Input::Datagram {
                    connection,
                    datagram,
                },
            );
        }
    }

    /// Takes an input; whether it was the last.
    pub(super) fn take(&mut self, input: ShardInput) -> bool {
        match input {
            ShardInput::Datagrams(datagrams) => self.datagrams(datagrams),
            ShardInput::Join {
                room,
                session,
                join,
                client,
            } => self.join(&room, session, join, client),
            ShardInput::Signal { session, message } => {
                if let Some((room, from)) = self.session(session) {
                    self.handle(
                        room,
                        Input::Signal {
                            from,
                            session,
                            message,
                        },
                    );
                }
            }
            ShardInput::SignalLost { session } => {
                if let Some((room, from)) = self.session(session) {
                    self.handle(room, Input::SignalLost { from, session });
                }
                self.sessions.remove(&session);
            }
            ShardInput::Call { room, call, answer } => {
                // Whoever asked may be gone.
                let _ = answer.send(self.call(&room, *call));
            }
            ShardInput::ListRooms { names, answer } => {
                let wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
                let ids: Vec<u64> = self
                    .rooms
                    .iter()
                    .filter(|(_, room)| wanted(room.name()))
                    .map(|(id, _)| *id)
                    .collect();
                let describe = |room: &mut Room, now| room.call(ApiCall::Describe, now);
                let rooms = ids
                    .into_iter()
                    .filter_map(|id| match self.enter(id, describe)? {
                        Ok(ApiReply::Room(info)) => Some(info),
                        _ => None,
                    })
                    .collect();
                let _ = answer.send(rooms);
            }
            ShardInput::Stop { done } => {
                let ids: Vec<u64> = self.rooms.keys().copied().collect();
                for id in ids {
                    self.handle(id, Input::Close(proto::DisconnectReason::ServerShutdown));
                }
                self.outbox.flush();
                let _ = done.send(());
                return true;
            }
        }
        false
    }

    fn session(&self, session: u64) -> Option<(u64, ParticipantKey)> {
        let entry = self.sessions.get(&session)?;
        Some((entry.room, entry.participant?))
    }

    /// The room of that name, made if there is none; `None` if there are too many.
    fn room(&mut self, name: &str) -> Option<u64> {
        if let Some(id) = self.names.get(name) {
            return Some(*id);
        }
        let rng = clock::rng()
            .inspect_err(|error| tracing::error!(%error, "no randomness"))
            .ok()?;
        if !self.equipment.places.take() {
            return None;
        }
        let room = Room::new(
            name.to_owned(),
            Arc::clone(&self.equipment.limits),
            Box::new(self.equipment.stack.clone()),
            rng,
            clock::now(),
        );
        tracing::info!(room = name, "room started");
        Some(self.stand(name, room))
    }

    fn stand(&mut self, name: &str, room: Room) -> u64 {
        let id = self.next_room;
        self.next_room += 1;
        self.rooms.insert(id, room);
        self.names.insert(name.to_owned(), id);
        id
    }

    fn join(&mut self, name: &str, session: u64, join: Box<Join>, client: mpsc::Sender<ToClient>) {
        let id = match self.room_for(name, &join.grants) {
            Ok(id) => id,
            Err(reason) => {
                metrics::counter!("relay_joins_refused_total").increment(1);
                farewell(&client, leave(reason, false));
                return;
            }
        };
        self.sessions.insert(
            session,
            Session {
                room: id,
                participant: None,
                client,
                space: Arc::new(Semaphore::new(WAITING_BYTES as usize)),
            },
        );
        self.handle(id, Input::Join { session, join });
    }

    /// The room that a token leads to.
    fn room_for(&mut self, name: &str, grants: &Grants) -> Result<u64, proto::DisconnectReason> {
        use proto::DisconnectReason as Reason;
        if self
            .removals
            .refuses(name, &grants.identity, grants.since_s)
        {
            return Err(Reason::ParticipantRemoved);
        }
        let may_begin = self.equipment.auto_create || grants.create;
        if !may_begin && !self.names.contains_key(name) {
            return Err(Reason::RoomDeleted);
        }
        self.room(name).ok_or(Reason::JoinFailure)
    }

    fn call(&mut self, name: &str, call: ApiCall) -> Result<ApiReply, ApiError> {
        // Who is not there at this moment holds the token all the same.
        if let ApiCall::RemoveParticipant { identity, from_s } = &call {
            let now_s = clock::now().unix_ms / 1000;
            self.removals.note(name, identity, *from_s, now_s);
        }
        let id = match (&call, self.names.get(name)) {
            (_, Some(id)) => *id,
            (ApiCall::Configure(_), None) => self.room(name).ok_or(ApiError::TooManyRooms)?,
            (_, None) => return Err(ApiError::NoRoom),
        };
        let over = matches!(call, ApiCall::Delete);
        let reply = self.enter(id, |room, now| room.call(call, now));
        // One that failed on the way has a successor.
        if over && let Some(id) = self.names.get(name).copied() {
            self.end(id);
        }
        reply.unwrap_or(Err(ApiError::Crashed))
    }

    /// Gives a room an input.
    fn handle(&mut self, id: u64, input: Input) {
        self.enter(id, |room, now| room.handle(input, now));
    }

    /// The one way into a room: lets it do something, and does what it wants done. A room that panics is replaced by an
    /// empty one, the others go on, and the answer is `None`; so it is where there is no such room.
    fn enter<T>(&mut self, id: u64, act: impl FnOnce(&mut Room, Now) -> T) -> Option<T> {
        let room = self.rooms.get_mut(&id)?;
        let now = clock::now();
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| act(room, now))).ok();
        if done.is_some() {
            self.carry_out(id);
        } else {
            metrics::counter!("relay_rooms_crashed_total").increment(1);
            tracing::error!("a room crashed and is closed; its participants join anew");
            self.crash(id);
        }
        done
    }

    fn crash(&mut self, id: u64) {
        let sessions: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.room == id)
            .map(|(session, _)| *session)
            .collect();
        for session in sessions {
            if let Some(session) = self.sessions.remove(&session) {
                let reason = proto::DisconnectReason::StateMismatch;
                farewell(&session.client, leave(reason, true));
            }
        }
        let successor = self.successor(id);
        self.end(id);
        if let Some(room) = successor
            && self.equipment.places.take()
        {
            let name = room.name().to_owned();
            self.stand(&name, room);
        }
    }

    /// Those who join anew may not be able to begin a room.
    fn successor(&self, failed: u64) -> Option<Room> {
        let rng = clock::rng()
            .inspect_err(|error| tracing::error!(%error, "no randomness"))
            .ok()?;
        let stack = Box::new(self.equipment.stack.clone());
        self.rooms.get(&failed)?.anew(stack, rng, clock::now())
    }

    fn carry_out(&mut self, id: u64) {
        while let Some(output) = self.rooms.get_mut(&id).and_then(Room::poll_output) {
            match output {
                Output::Transmit {
                    connection,
                    transmit,
                } => {
                    self.outbox.send(&transmit);
                    if acknowledges(&transmit.bytes) {
                        let route = Route {
                            shard: self.index,
                            room: id,
                            connection,
                        };
                        let now = clock::now().instant;
                        self.equipment.routes.acknowledge(transmit.to, route, now);
                    }
                }
                Output::Signal { session, message } => self.post_message(session, message),
                Output::Joined {
                    session,
                    participant,
                } => {
                    if let Some(entry) = self.sessions.get_mut(&session) {
                        entry.participant = Some(participant);
                    }
                    self.post(session, ToClient::Joined);
                }
                Output::Refused { session, leave } => {
                    if let Some(session) = self.sessions.remove(&session) {
                        farewell(&session.client, leave);
                    }
                }
                Output::Grants { session, grants } => {
                    self.post(session, ToClient::Grants(grants));
                }
                Output::Hangup { session } => {
                    self.post(session, ToClient::Hangup);
                    self.sessions.remove(&session);
                }
                Output::Route { ufrag, connection } => {
                    let route = Route {
                        shard: self.index,
                        room: id,
                        connection,
                    };
                    self.equipment.routes.add_user(ufrag, route);
                }
                Output::Unroute { ufrag } => {
                    self.equipment.routes.remove_user(&ufrag);
                }
                Output::Event(event) => {
                    if self.equipment.events.try_send(event).is_err() {
                        metrics::counter!("relay_webhooks_dropped_total").increment(1);
                    }
                }
            }
        }
    }

    fn post_message(&mut self, session: u64, message: Arc<signal_response::Message>) {
        let Some(entry) = self.sessions.get(&session) else {
            return;
        };
        // One that is larger than all the space goes when nothing else waits.
        let bytes = u32::try_from(message.encoded_len()).unwrap_or(u32::MAX);
        let space = Arc::clone(&entry.space);
        match space.try_acquire_many_owned(bytes.min(WAITING_BYTES)) {
            Ok(space) => self.post(session, ToClient::Message(message, Some(space))),
            // As in `post`.
            Err(_) => {
                self.sessions.remove(&session);
            }
        }
    }

    fn post(&mut self, session: u64, message: ToClient) {
        if let Some(entry) = self.sessions.get(&session)
            && entry.client.try_send(message).is_err()
        {
            // It reads too slowly or is gone: without its messages it would be in a state of its own.
            self.sessions.remove(&session);
        }
    }
}

/// The last words to a client.
fn farewell(client: &mpsc::Sender<ToClient>, leave: proto::LeaveRequest) {
    let message = Arc::new(signal_response::Message::Leave(leave));
    // It may be gone already.
    let _ = client.try_send(ToClient::Message(message, None));
    let _ = client.try_send(ToClient::Hangup);
}

#[cfg(test)]
mod tests;
