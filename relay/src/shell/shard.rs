//! Shards carry rooms, each on one core at a time: whoever has the shard locked. A room stays with its shard from its
//! beginning to its end.
//!
//! Each shard has a thread, which lets its time pass and takes what comes by signalling. Datagrams are mostly too few at
//! a time to be worth waking it: who reads the port carries them out at once, and leaves them to the thread only when
//! that is at work, or when more are waiting to be read.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use livekit_protocol as proto;
use proto::{signal_request, signal_response};
use tokio::sync::{mpsc, oneshot};

use super::{
    clock,
    egress::{Egress, Outbox},
    gauges,
    routes::{Route, Routes, acknowledges},
};
use crate::{
    config::Limits,
    removals::Removals,
    room::{ApiCall, ApiError, ApiReply, Input, Join, Now, Output, ParticipantKey, Room, TICK},
    stack::{Datagram, WebrtcStack},
    token::Grants,
};

/// Inputs that wait for a busy thread; then datagrams are dropped and signalling waits.
const WAITING: usize = 4_096;
/// Datagrams that wait for a busy thread, some ten megabytes; whoever sent more will send it again, or has newer ones.
const WAITING_DATAGRAMS: usize = 8_192;

/// Gauges are set once a second.
const TICKS_BETWEEN_GAUGES: u32 = 50;

/// What goes to a client's signalling connection.
#[derive(Debug)]
pub(crate) enum ToClient {
    /// The join is done.
    Joined,
    /// A message.
    Message(Box<signal_response::Message>),
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

/// A shard, as those who feed it see it.
struct Post {
    inputs: mpsc::Sender<ShardInput>,
    /// Datagrams among the inputs.
    waiting: Arc<AtomicUsize>,
    shard: Arc<Mutex<Shard>>,
}

/// The shards.
#[derive(Clone)]
pub(crate) struct Shards(Arc<[Post]>);

impl std::fmt::Debug for Shards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shards").field(&self.count()).finish()
    }
}

impl Shards {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The thread of a room of that name.
    pub(crate) fn of_room(&self, name: &str) -> usize {
        // FNV-1a: the same for the whole run, and nothing to gain for who chooses names.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        usize::try_from(hash % self.0.len() as u64).unwrap_or(0)
    }

    /// Carries datagrams out at once, unless the shard is at work; whether it did.
    pub(crate) fn carry_out(&self, shard: usize, datagrams: &mut Vec<(Route, Datagram)>) -> bool {
        let post = &self.0[shard];
        // What waits for the thread came before.
        if post.waiting.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let mut shard = match post.shard.try_lock() {
            Ok(shard) => shard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        shard.datagrams(datagrams.drain(..));
        shard.outbox.flush();
        true
    }

    /// Leaves datagrams to a thread, or drops them when it is far behind.
    pub(crate) fn leave(&self, shard: usize, datagrams: Vec<(Route, Datagram)>) {
        let post = &self.0[shard];
        let count = datagrams.len();
        let waiting = post.waiting.fetch_add(count, Ordering::Relaxed) + count;
        let input = ShardInput::Datagrams(datagrams);
        if waiting > WAITING_DATAGRAMS || post.inputs.try_send(input).is_err() {
            post.waiting.fetch_sub(count, Ordering::Relaxed);
            metrics::counter!("relay_inputs_dropped_total").increment(count as u64);
        }
    }

    /// Gives a thread an input, waiting for room.
    pub(crate) async fn tell(&self, shard: usize, input: ShardInput) {
        // The threads end with the relay; then nobody is left to be told.
        let _ = self.0[shard].inputs.send(input).await;
    }
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

/// Starts the threads.
pub(crate) fn start(count: usize, equipment: &Equipment) -> std::io::Result<Shards> {
    let mut posts = Vec::new();
    for index in 0..count.max(1) {
        let (inputs, receiver) = mpsc::channel(WAITING);
        let shard = Arc::new(Mutex::new(Shard::new(index, equipment.clone())));
        let waiting = Arc::default();
        posts.push(Post {
            inputs,
            waiting: Arc::clone(&waiting),
            shard: Arc::clone(&shard),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        thread::Builder::new()
            .name(format!("relay-{index}"))
            .spawn(move || runtime.block_on(run(&shard, receiver, &waiting)))?;
    }
    Ok(Shards(posts.into()))
}

/// What a shard's thread does.
async fn run(shard: &Mutex<Shard>, mut inputs: mpsc::Receiver<ShardInput>, waiting: &AtomicUsize) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut batch = Vec::with_capacity(64);
    loop {
        tokio::select! {
            biased;
            _ = tick.tick() => {
                let mut shard = lock(shard);
                shard.tick();
                shard.outbox.flush();
            }
            count = inputs.recv_many(&mut batch, 64) => {
                if count == 0 {
                    return;
                }
                let mut shard = lock(shard);
                let mut carried = 0;
                for input in batch.drain(..) {
                    if let ShardInput::Datagrams(datagrams) = &input {
                        carried += datagrams.len();
                    }
                    if shard.take(input) {
                        return;
                    }
                }
                // Not before they are carried out: the reader would overtake them.
                waiting.fetch_sub(carried, Ordering::Relaxed);
                shard.outbox.flush();
            }
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Session {
    room: u64,
    participant: Option<ParticipantKey>,
    client: mpsc::Sender<ToClient>,
}

struct Shard {
    index: usize,
    outbox: Outbox,
    equipment: Equipment,
    rooms: HashMap<u64, Room>,
    names: HashMap<String, u64>,
    sessions: HashMap<u64, Session>,
    removals: Removals,
    next_room: u64,
    ticks: u32,
}

impl Shard {
    fn new(index: usize, equipment: Equipment) -> Self {
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

    fn tick(&mut self) {
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

    fn datagrams(&mut self, datagrams: impl IntoIterator<Item = (Route, Datagram)>) {
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
    fn take(&mut self, input: ShardInput) -> bool {
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
                let leave = proto::LeaveRequest {
                    reason: reason.into(),
                    ..proto::LeaveRequest::default()
                };
                let message = Box::new(signal_response::Message::Leave(leave));
                let _ = client.try_send(ToClient::Message(message));
                let _ = client.try_send(ToClient::Hangup);
                return;
            }
        };
        self.sessions.insert(
            session,
            Session {
                room: id,
                participant: None,
                client,
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
        if over {
            self.end(id);
        }
        reply.unwrap_or(Err(ApiError::Crashed))
    }

    /// Gives a room an input.
    fn handle(&mut self, id: u64, input: Input) {
        self.enter(id, |room, now| room.handle(input, now));
    }

    /// The one way into a room: lets it do something, and does what it wants done. A room that panics ends, the others
    /// go on, and the answer is `None`; so it is where there is no such room.
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
                let leave = proto::LeaveRequest {
                    can_reconnect: true,
                    reason: proto::DisconnectReason::StateMismatch.into(),
                    action: proto::leave_request::Action::Reconnect.into(),
                    regions: None,
                };
                let message = Box::new(signal_response::Message::Leave(leave));
                let _ = session.client.try_send(ToClient::Message(message));
                let _ = session.client.try_send(ToClient::Hangup);
            }
        }
        self.end(id);
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
                Output::Signal { session, message } => {
                    self.post(session, ToClient::Message(message));
                }
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
                    let message = Box::new(signal_response::Message::Leave(leave));
                    self.post(session, ToClient::Message(message));
                    self.post(session, ToClient::Hangup);
                    self.sessions.remove(&session);
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

    fn post(&mut self, session: u64, message: ToClient) {
        if let Some(entry) = self.sessions.get(&session)
            && entry.client.try_send(message).is_err()
        {
            // It reads too slowly or is gone: without its messages it would be in a state of its own.
            self.sessions.remove(&session);
        }
    }
}

/// How long a stop may take.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
