//! What a shard does with rooms that fail, and whom it lets in.

use rand::{SeedableRng as _, rngs::StdRng};
use tokio::net::UdpSocket;

use super::*;
use crate::{
    room::tests::fake::{Wires, join_of},
    shell::routes::tests::check,
};

struct Bench {
    shard: Shard,
    sessions: u64,
}

impl Bench {
    async fn new() -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let equipment = Equipment {
            limits: Arc::default(),
            stack: WebrtcStack::new(Vec::new()),
            routes: Arc::default(),
            egress: Arc::new(Egress::new(udp).unwrap()),
            events: mpsc::channel(1).0,
            auto_create: true,
            places: Arc::new(Places::new(2)),
        };
        let shard = Shard::new(0, equipment);
        Self { shard, sessions: 0 }
    }

    /// A room over connections that only note what they are told.
    fn stand(&mut self, name: &str, wires: &Wires) {
        let room = Room::new(
            name.to_owned(),
            Arc::default(),
            Box::new(wires.clone()),
            StdRng::seed_from_u64(1),
            clock::now(),
        );
        assert!(self.shard.equipment.places.take());
        self.shard.stand(name, room);
    }

    fn join(&mut self, room: &str, identity: &str) -> Vec<ToClient> {
        self.join_since(room, identity, 1_000)
    }

    /// Joins with a token that is good since then.
    fn join_since(&mut self, room: &str, identity: &str, since_s: i64) -> Vec<ToClient> {
        let (client, mut messages) = mpsc::channel(64);
        self.sessions += 1;
        let mut join = Box::new(join_of(identity));
        join.grants.since_s = since_s;
        self.shard.join(room, self.sessions, join, client);
        let mut heard = Vec::new();
        while let Ok(message) = messages.try_recv() {
            heard.push(message);
        }
        heard
    }

    fn call(&mut self, room: &str, call: ApiCall) -> Result<ApiReply, ApiError> {
        self.shard.call(room, call)
    }

    fn is_found(&self, user: &str) -> bool {
        let from = "192.0.2.1:9".parse().unwrap();
        let table = self.shard.equipment.routes.read();
        table.find(from, &check(user)).is_some()
    }
}

fn remove(identity: &str, from_s: i64) -> ApiCall {
    ApiCall::RemoveParticipant {
        identity: identity.to_owned(),
        from_s,
    }
}

/// Why a join was refused, or `None` if it was not.
fn refusal(heard: &[ToClient]) -> Option<proto::DisconnectReason> {
    match heard {
        [ToClient::Message(message, _), ToClient::Hangup] => match message.as_ref() {
            signal_response::Message::Leave(leave) => Some(leave.reason()),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test]
async fn who_was_taken_out_comes_back_with_a_later_token_only() {
    let mut bench = Bench::new().await;
    bench.stand("r", &Wires::default());
    assert_eq!(refusal(&bench.join_since("r", "anna", 1_000)), None);
    bench.call("r", remove("anna", 1_001)).unwrap();
    let removed = Some(proto::DisconnectReason::ParticipantRemoved);
    assert_eq!(refusal(&bench.join_since("r", "anna", 1_000)), removed);
    // Of the same name, but another room.
    bench.call("r", ApiCall::Delete).unwrap();
    bench.stand("r", &Wires::default());
    assert_eq!(refusal(&bench.join_since("r", "anna", 1_000)), removed);
    assert_eq!(refusal(&bench.join_since("r", "bert", 1_000)), None);
    assert_eq!(refusal(&bench.join_since("r", "anna", 1_001)), None);
    // Whoever is not there at the moment holds a token all the same.
    let absent = bench.call("r", remove("carl", 1_001)).unwrap_err();
    assert_eq!(absent, ApiError::NoParticipant);
    assert_eq!(refusal(&bench.join_since("r", "carl", 1_000)), removed);
}

#[tokio::test]
async fn a_token_begins_a_room_only_where_joins_may() {
    let mut bench = Bench::new().await;
    bench.shard.equipment.auto_create = false;
    let gone = Some(proto::DisconnectReason::RoomDeleted);
    assert_eq!(refusal(&bench.join("r", "anna")), gone);
    bench.stand("r", &Wires::default());
    assert_eq!(refusal(&bench.join("r", "anna")), None);
    bench.call("r", ApiCall::Delete).unwrap();
    assert_eq!(refusal(&bench.join("r", "anna")), gone);
}

#[tokio::test]
async fn one_room_too_many_is_refused_until_another_has_ended() {
    let mut bench = Bench::new().await;
    let create = |name: &str| {
        ApiCall::Configure(Box::new(proto::CreateRoomRequest {
            name: name.to_owned(),
            ..proto::CreateRoomRequest::default()
        }))
    };
    bench.call("one", create("one")).unwrap();
    assert_eq!(refusal(&bench.join("two", "anna")), None);
    let third = bench.call("three", create("three"));
    assert_eq!(third.unwrap_err(), ApiError::TooManyRooms);
    let refused = Some(proto::DisconnectReason::JoinFailure);
    assert_eq!(refusal(&bench.join("three", "bert")), refused);
    bench.call("one", ApiCall::Delete).unwrap();
    assert_eq!(refusal(&bench.join("three", "bert")), None);
}

#[tokio::test]
async fn a_room_that_fails_in_a_call_of_the_api_empties_and_the_others_go_on() {
    for fatal in [remove("anna", 0), ApiCall::Delete] {
        let mut bench = Bench::new().await;
        // What was configured goes on, and so the tokens that cannot begin a room lead somewhere.
        bench.shard.equipment.auto_create = false;
        let wires = Wires::default();
        bench.stand("broken", &wires);
        bench.stand("sound", &Wires::default());
        let lasting = proto::CreateRoomRequest {
            empty_timeout: 3_600,
            ..proto::CreateRoomRequest::default()
        };
        let lasting = ApiCall::Configure(Box::new(lasting));
        bench.call("broken", lasting).unwrap();
        bench.join("broken", "anna");
        bench.join("broken", "carl");
        bench.join("sound", "bert");
        wires.break_down();
        let deleted = matches!(fatal, ApiCall::Delete);
        assert_eq!(bench.call("broken", fatal).unwrap_err(), ApiError::Crashed);
        let left = bench.call("broken", ApiCall::Describe);
        if deleted {
            assert_eq!(left.unwrap_err(), ApiError::NoRoom);
            let gone = Some(proto::DisconnectReason::RoomDeleted);
            assert_eq!(refusal(&bench.join("broken", "carl")), gone);
        } else {
            assert!(matches!(left, Ok(ApiReply::Room(room))
                if room.num_participants == 0 && room.empty_timeout == 3_600));
            assert_eq!(refusal(&bench.join("broken", "carl")), None);
        }
        let sound = bench.call("sound", ApiCall::ListParticipants);
        assert!(matches!(sound, Ok(ApiReply::Participants(there)) if there.len() == 1));
    }
}

#[tokio::test]
async fn nothing_leads_to_a_room_that_failed() {
    let mut bench = Bench::new().await;
    let wires = Wires::default();
    bench.stand("broken", &wires);
    bench.join("broken", "anna");
    assert!(bench.is_found("user2"), "the subscriber's offer names it");
    wires.break_down();
    let _ = bench.call("broken", remove("anna", 0));
    assert!(!bench.is_found("user2"));
}

#[tokio::test]
async fn who_reads_nothing_is_let_go_when_too_many_bytes_wait() {
    let mut bench = Bench::new().await;
    bench.stand("r", &Wires::default());
    let (client, mut messages) = mpsc::channel(64);
    bench.shard.join("r", 1, Box::new(join_of("anna")), client);
    let large = || {
        Arc::new(signal_response::Message::RefreshToken(
            "x".repeat(1024 * 1024),
        ))
    };
    let is_there = |bench: &Bench| bench.shard.sessions.contains_key(&1);
    for _ in 0..3 {
        bench.shard.post_message(1, large());
    }
    assert!(is_there(&bench));
    // What is read makes room.
    while messages.try_recv().is_ok() {}
    for _ in 0..3 {
        bench.shard.post_message(1, large());
    }
    assert!(is_there(&bench));
    bench.shard.post_message(1, large());
    assert!(!is_there(&bench));
}
