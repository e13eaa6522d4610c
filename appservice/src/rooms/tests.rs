//! A room is described as a town clerk would find it; the plan is what must be done about it.

use std::collections::{BTreeMap, BTreeSet};

use bridge::ids::MatrixUser;
use proptest::prelude::*;
use ruma::{RoomId, ServerName, room_id, server_name};
use serde_json::{Value, json};

use super::*;

const SERVER: &str = "city.example";

fn server() -> &'static ServerName {
    server_name!("city.example")
}

fn user(id: &str) -> MatrixUser {
    id.parse().expect("a user id")
}

fn bot() -> MatrixUser {
    user("@vorzimmer:city.example")
}

fn anna() -> MatrixUser {
    user("@anna:city.example")
}

fn ben() -> MatrixUser {
    user("@ben:city.example")
}

fn door(clerks: &[MatrixUser]) -> Desired {
    DoorSpec {
        slug: "gewerbe".parse().expect("a slug"),
        name: "Gewerbemeldestelle".to_owned(),
        topic: None,
        clerks: clerks.iter().cloned().collect(),
        office: json!({ "slug": "gewerbe" }),
        listed: false,
    }
    .desired(server(), Some(room_id!("!space")))
}

/// A room as the homeserver tells it.
#[derive(Clone)]
struct Room(BTreeMap<(String, String), Value>);

impl Room {
    /// As it is right after it was made for `desired`.
    fn made_for(desired: &Desired) -> Self {
        let creation = desired.creation(&bot());
        let mut room = Self(BTreeMap::new());
        room.put(
            "m.room.create",
            "",
            json!({ "room_version": creation.version }),
        );
        room.put(
            "m.room.member",
            bot().as_str(),
            json!({ "membership": "join" }),
        );
        room.put("m.room.power_levels", "", creation.power_levels);
        room.put("m.room.name", "", json!({ "name": creation.name }));
        let alias = format!("#{}:{SERVER}", creation.alias_localpart);
        room.put("m.room.canonical_alias", "", json!({ "alias": alias }));
        for (event_type, key, content) in creation.initial_state {
            room.put(&event_type, &key, content);
        }
        room
    }

    fn put(&mut self, event_type: &str, key: &str, content: Value) -> &mut Self {
        self.0
            .insert((event_type.to_owned(), key.to_owned()), content);
        self
    }

    fn is(&mut self, user: &MatrixUser, membership: &str) -> &mut Self {
        self.put(
            "m.room.member",
            user.as_str(),
            json!({ "membership": membership }),
        )
    }

    fn snapshot(&self) -> Snapshot {
        let events: Vec<Value> = self
            .0
            .iter()
            .map(|((event_type, key), content)| {
                json!({ "type": event_type, "state_key": key, "content": content, "sender": bot().as_str() })
            })
            .collect();
        Snapshot::new(&events)
    }

    fn plan(&self, desired: &Desired) -> Vec<Repair> {
        plan(&self.snapshot(), desired, &bot())
    }

    fn take(&mut self, repair: &Repair) {
        match repair {
            Repair::Put {
                event_type,
                state_key,
                content,
            } => {
                self.put(event_type, state_key, content.clone());
            }
            Repair::Invite(user) => {
                self.is(user, "invite");
            }
            Repair::Kick(user) => {
                self.is(user, "leave");
            }
            Repair::Report(_) => {}
        }
    }
}

fn put(event_type: &str, key: &str, content: Value) -> Repair {
    Repair::Put {
        event_type: event_type.to_owned(),
        state_key: key.to_owned(),
        content,
    }
}

#[test]
fn a_new_door_lacks_only_its_clerks() {
    let desired = door(&[anna(), ben()]);
    let mut room = Room::made_for(&desired);
    assert_eq!(
        room.plan(&desired),
        [Repair::Invite(anna()), Repair::Invite(ben())]
    );

    room.is(&anna(), "invite").is(&ben(), "join");
    assert_eq!(room.plan(&desired), []);
}

#[test]
fn an_altered_door_is_put_right() {
    let desired = door(&[anna()]);
    let mut room = Room::made_for(&desired);
    room.is(&anna(), "join")
        .put("m.room.join_rules", "", json!({ "join_rule": "invite" }))
        .put(
            "m.room.history_visibility",
            "",
            json!({ "history_visibility": "shared" }),
        )
        .put(
            "org.vorzimmer.office",
            "",
            json!({ "slug": "gewerbe", "more": 1 }),
        )
        .put("m.room.name", "", json!({ "name": "Anders" }));
    assert_eq!(
        room.plan(&desired),
        [
            put(
                "m.room.history_visibility",
                "",
                json!({ "history_visibility": "joined" })
            ),
            put("m.room.join_rules", "", json!({ "join_rule": "knock" })),
            put("m.room.name", "", json!({ "name": "Gewerbemeldestelle" })),
            put("org.vorzimmer.office", "", json!({ "slug": "gewerbe" })),
        ]
    );
}

#[test]
fn what_the_homeserver_adds_is_left_alone() {
    let desired = door(&[]);
    let mut room = Room::made_for(&desired);
    room.put(
        "m.room.name",
        "",
        json!({ "name": "Gewerbemeldestelle", "m.name": { "m.text": [] } }),
    );
    room.put("m.room.topic", "", json!({ "topic": "Offen" }));
    assert_eq!(room.plan(&desired), []);
}

#[test]
fn a_former_clerk_goes_before_her_power_does() {
    let desired = door(&[anna(), ben()]);
    let mut room = Room::made_for(&desired);
    room.is(&anna(), "join").is(&ben(), "join");

    let desired = door(&[anna()]);
    let repairs = room.plan(&desired);
    assert_eq!(repairs[0], Repair::Kick(ben()));
    assert_eq!(repairs[1].problem(), Problem::PowerLevels);
    assert_eq!(repairs.len(), 2);

    // Cut off after the first step: the second is still known, and afterwards nothing is.
    room.take(&repairs[0]);
    assert_eq!(room.plan(&desired), repairs[1..]);
    room.take(&repairs[1]);
    assert_eq!(room.plan(&desired), []);
}

#[test]
fn visitors_at_the_door_are_not_former_clerks() {
    let desired = door(&[anna()]);
    let mut room = Room::made_for(&desired);
    room.is(&anna(), "join")
        .is(&user("@visitor:elsewhere.example"), "join")
        .is(&user("@_vorzimmer_1:city.example"), "knock");
    assert_eq!(room.plan(&desired), []);
}

#[test]
fn what_cannot_be_repaired_is_reported() {
    let desired = door(&[anna(), ben()]);
    let mut room = Room::made_for(&desired);
    room.is(&anna(), "ban").is(&ben(), "join").put(
        "m.room.encryption",
        "",
        json!({ "algorithm": "m.megolm.v1.aes-sha2" }),
    );
    assert_eq!(
        room.plan(&desired),
        [
            Repair::Report(Problem::Encrypted),
            Repair::Report(Problem::ClerkBanned(anna())),
        ]
    );
}

#[test]
fn without_power_nothing_is_tried() {
    let desired = door(&[anna()]);
    let mut room = Room::made_for(&desired);
    room.put("m.room.create", "", json!({ "room_version": "11" }))
        .put("m.room.power_levels", "", json!({ "users": {} }));
    assert_eq!(room.plan(&desired), [Repair::Report(Problem::Powerless)]);
}

#[test]
fn in_older_rooms_the_bot_keeps_its_power() {
    let desired = door(&[]);
    let mut room = Room::made_for(&desired);
    room.put("m.room.create", "", json!({ "room_version": "10" }))
        .put(
            "m.room.power_levels",
            "",
            json!({ "users": { (bot().as_str()): 100 } }),
        );
    let repairs = room.plan(&desired);
    let [Repair::Put { content, .. }] = repairs.as_slice() else {
        panic!("{repairs:?}");
    };
    assert_eq!(content["users"][bot().as_str()], 100);
    room.take(&repairs[0]);
    assert_eq!(room.plan(&desired), []);
}

#[test]
fn admitted_guests_cannot_approve_knocks_or_talk_at_the_door() {
    let levels = door(&[anna()]).creation(&bot()).power_levels;
    assert_eq!(levels["users"], json!({ "@anna:city.example": 50 }));
    for action in ["invite", "kick", "ban", "redact", "events_default"] {
        assert_eq!(levels[action], 50, "{action}");
    }
    assert_eq!(levels["users_default"], 0);
    assert_eq!(levels["events"]["im.vector.modular.widgets"], 100);
    assert!(levels["events"]["org.matrix.msc3401.call.member"].is_null());
}

#[test]
fn a_consultation_room_is_private_and_can_carry_a_call() {
    let guest = user("@_vorzimmer_1:city.example");
    let spec = ConsultationSpec {
        visit: bridge::ids::VisitId::from_random([7; 16]),
        name: "G-017 · Gewerbemeldestelle".to_owned(),
        clerk: anna(),
        visitor: guest.clone(),
    };
    let desired = spec.desired(server());
    let creation = desired.creation(&bot());
    assert_eq!(
        creation.alias_localpart,
        format!("_vorzimmer_{}", spec.visit)
    );
    assert_eq!(
        creation.power_levels["events"]["org.matrix.msc3401.call.member"],
        0
    );
    assert_eq!(
        creation.power_levels["events"]["org.matrix.msc4143.rtc.member"],
        0
    );
    assert_eq!(creation.power_levels["events_default"], 0);
    let state: BTreeMap<_, _> = creation
        .initial_state
        .iter()
        .map(|(event_type, _, content)| (event_type.as_str(), content.clone()))
        .collect();
    assert_eq!(state["m.room.join_rules"], json!({ "join_rule": "invite" }));
    assert_eq!(
        state["m.room.guest_access"],
        json!({ "guest_access": "forbidden" })
    );
    assert_eq!(
        state["m.room.history_visibility"],
        json!({ "history_visibility": "invited" })
    );
    assert_eq!(
        Room::made_for(&desired).plan(&desired),
        [Repair::Invite(guest), Repair::Invite(anna())]
    );
}

#[test]
fn the_space_shows_the_doors_in_order_and_drops_closed_ones() {
    let spec = SpaceSpec {
        name: "Dormagen".to_owned(),
        topic: None,
        listed: true,
    };
    let (first, second, old) = (room_id!("!z"), room_id!("!a"), room_id!("!old"));
    let desired = spec.desired(server(), &[first.to_owned(), second.to_owned()]);
    let mut room = Room::made_for(&desired);
    assert_eq!(room.plan(&desired), []);
    let child = |room: &Room, door: &RoomId| {
        room.0[&("m.space.child".to_owned(), door.to_string())]["order"].clone()
    };
    assert_eq!(child(&room, first), "0000");
    assert_eq!(child(&room, second), "0001");

    room.put("m.space.child", old.as_str(), json!({ "via": [SERVER] }));
    assert_eq!(
        room.plan(&desired),
        [put("m.space.child", "!old", json!({}))]
    );
    let repair = room.plan(&desired).remove(0);
    room.take(&repair);
    assert_eq!(room.plan(&desired), []);
}

#[test]
fn a_replaced_or_left_room_is_not_usable() {
    let desired = door(&[]);
    let mut room = Room::made_for(&desired);
    assert!(room.snapshot().is_usable(&bot()));
    room.put(
        "m.room.tombstone",
        "",
        json!({ "replacement_room": "!new" }),
    );
    assert!(!room.snapshot().is_usable(&bot()));
    let mut room = Room::made_for(&desired);
    room.is(&bot(), "leave");
    assert!(!room.snapshot().is_usable(&bot()));
}

proptest! {
    /// Whatever was done to a door, one round of repairs makes it right, and a second finds nothing.
    #[test]
    fn one_round_of_repairs_is_enough(
        before in prop::collection::btree_set("[a-e]", 0..4),
        after in prop::collection::btree_set("[a-e]", 0..4),
        memberships in prop::collection::btree_map(
            "[a-e]",
            prop::sample::select(vec!["join", "invite", "leave", "knock"]),
            0..5,
        ),
        damage in prop::collection::btree_map(
            prop::sample::select(vec![
                "m.room.name", "m.room.join_rules", "m.room.history_visibility", "m.room.guest_access",
                "m.room.canonical_alias", "org.vorzimmer.office", "m.room.power_levels", "m.space.parent",
            ]),
            prop::sample::select(vec![json!({}), json!(7), json!({ "users": 3 }), json!({ "name": null })]),
            0..5,
        ),
    ) {
        let clerks = |names: &BTreeSet<String>| -> Vec<MatrixUser> {
            names.iter().map(|name| user(&format!("@{name}:city.example"))).collect()
        };
        let mut room = Room::made_for(&door(&clerks(&before)));
        for (name, membership) in &memberships {
            room.is(&user(&format!("@{name}:city.example")), membership);
        }
        for (event_type, content) in damage {
            room.put(event_type, if event_type == "m.space.parent" { "!stray" } else { "" }, content);
        }
        let desired = door(&clerks(&after));
        for repair in room.plan(&desired) {
            room.take(&repair);
        }
        prop_assert_eq!(room.plan(&desired), vec![]);
    }
}
