use proptest::prelude::*;
use serde_json::json;

use super::*;

const CLERK: &str = "@anna:city.example";
const GUEST: &str = "@_vorzimmer_1:city.example";

/// An event of `sender` with the rest laid over it.
fn event(sender: &str, rest: Value) -> Option<RoomEventKind> {
    let mut event = json!({
        "event_id": "$1",
        "room_id": "!door",
        "sender": sender,
        "origin_server_ts": 1_795_379_432_362_i64,
        "content": {},
    });
    if let (Some(event), Value::Object(rest)) = (event.as_object_mut(), rest) {
        event.extend(rest);
    }
    read(&event.to_string()).map(|event| event.kind)
}

/// `sender` makes `user` a `membership` who was `before`.
fn member(sender: &str, user: &str, before: &str, membership: &str) -> RoomEventKind {
    event(
        sender,
        json!({
            "type": "m.room.member",
            "state_key": user,
            "content": { "membership": membership, "reason": "G-017 · Gewerbe\nanmelden" },
            "unsigned": { "prev_content": { "membership": before } },
        }),
    )
    .expect("an event")
}

fn message(content: &Value) -> RoomEventKind {
    event(
        CLERK,
        json!({ "type": "m.room.message", "content": content }),
    )
    .expect("an event")
}

fn text(body: &str) -> RoomEventKind {
    RoomEventKind::Message {
        kind: MessageKind::Text,
        body: body.to_owned(),
        mentions: vec![],
    }
}

fn user(id: &str) -> MatrixUser {
    id.parse().expect("a user id")
}

#[test]
fn a_knock_is_answered_in_four_ways() {
    assert_eq!(
        member(GUEST, GUEST, "leave", "knock"),
        RoomEventKind::Knocked {
            user: user(GUEST),
            reason: Some("G-017 · Gewerbe anmelden".to_owned()),
        }
    );
    assert_eq!(
        member(CLERK, GUEST, "knock", "invite"),
        RoomEventKind::Invited {
            user: user(GUEST),
            by: user(CLERK),
            was_knocking: true,
        }
    );
    assert_eq!(
        member(CLERK, GUEST, "knock", "leave"),
        RoomEventKind::KnockRejected {
            user: user(GUEST),
            by: user(CLERK),
        }
    );
    assert_eq!(
        member(GUEST, GUEST, "knock", "leave"),
        RoomEventKind::KnockWithdrawn { user: user(GUEST) }
    );
    assert_eq!(
        member(CLERK, GUEST, "knock", "ban"),
        RoomEventKind::KnockRejected {
            user: user(GUEST),
            by: user(CLERK),
        }
    );
}

#[test]
fn coming_and_going_without_a_knock() {
    assert_eq!(
        member(CLERK, GUEST, "leave", "invite"),
        RoomEventKind::Invited {
            user: user(GUEST),
            by: user(CLERK),
            was_knocking: false,
        }
    );
    assert_eq!(
        member(GUEST, GUEST, "invite", "join"),
        RoomEventKind::Joined { user: user(GUEST) }
    );
    assert_eq!(
        member(GUEST, GUEST, "join", "join"),
        RoomEventKind::Renamed { user: user(GUEST) }
    );
    assert_eq!(
        member(GUEST, GUEST, "join", "leave"),
        RoomEventKind::Left {
            user: user(GUEST),
            by: None,
        }
    );
    assert_eq!(
        member(CLERK, GUEST, "join", "leave"),
        RoomEventKind::Left {
            user: user(GUEST),
            by: Some(user(CLERK)),
        }
    );
}

#[test]
fn words_without_their_quotation() {
    assert_eq!(
        message(&json!({ "msgtype": "m.text", "body": "!weiter" })),
        text("!weiter")
    );
    assert_eq!(
        message(&json!({
            "msgtype": "m.text",
            "body": "> <@a:b> Guten Tag\n> und so\n\nJa",
            "m.relates_to": { "m.in_reply_to": { "event_id": "$0" } },
        })),
        text("Ja")
    );
    // Somebody quotes by hand: their words.
    assert_eq!(
        message(&json!({ "msgtype": "m.text", "body": "> so\n\nJa" })),
        text("> so\n\nJa")
    );
}

#[test]
fn corrections_and_redactions() {
    assert_eq!(
        message(&json!({
            "msgtype": "m.text",
            "body": "* Nein",
            "m.new_content": { "msgtype": "m.text", "body": "Nein" },
            "m.relates_to": { "rel_type": "m.replace", "event_id": "$0" },
        })),
        RoomEventKind::Edited {
            target: "$0".try_into().expect("an event id"),
            body: "Nein".to_owned(),
        }
    );
    let redacted = Some(RoomEventKind::Redacted {
        target: "$0".try_into().expect("an event id"),
    });
    let old = json!({ "type": "m.room.redaction", "redacts": "$0" });
    let new = json!({ "type": "m.room.redaction", "content": { "redacts": "$0" } });
    assert_eq!(event(CLERK, old), redacted);
    assert_eq!(event(CLERK, new), redacted);
    assert_eq!(message(&json!({})), RoomEventKind::Other);
}

#[test]
fn a_file_has_a_harmless_name() {
    let RoomEventKind::Message {
        kind: MessageKind::File(file),
        body,
        mentions,
    } = message(&json!({
        "msgtype": "m.file",
        "body": "Bitte prüfen",
        "filename": "../../\u{202e}fdp.exe",
        "url": "mxc://city.example/abc",
        "info": { "mimetype": "Application/PDF", "size": 12 },
        "m.mentions": { "user_ids": ["@b:c", 7, "nobody"] },
    }))
    else {
        panic!("no file");
    };
    assert_eq!(file.name, "fdp.exe");
    assert_eq!(file.media_type.as_deref(), Some("application/pdf"));
    assert_eq!(file.size, Some(12));
    assert_eq!(body, "Bitte prüfen");
    assert_eq!(mentions, [user("@b:c")]);
}

#[test]
fn a_file_without_an_address_is_none() {
    for url in [
        json!("https://evil.example/x"),
        json!(null),
        json!("mxc://"),
    ] {
        let content = json!({ "msgtype": "m.file", "body": "x.pdf", "url": url });
        assert_eq!(message(&content), RoomEventKind::Other);
    }
}

#[test]
fn state_of_ours_and_others() {
    let state = |event_type: &str| {
        event(
            CLERK,
            json!({ "type": event_type, "state_key": "", "content": {} }),
        )
    };
    assert_eq!(
        state("m.room.join_rules"),
        Some(RoomEventKind::StateChanged {
            event_type: "m.room.join_rules".to_owned(),
            state_key: String::new(),
        })
    );
    assert_eq!(state("m.room.pinned_events"), Some(RoomEventKind::Other));
    assert_eq!(
        state("m.room.tombstone"),
        Some(RoomEventKind::Tombstone { replacement: None })
    );
    // A message that only calls itself state.
    assert_eq!(
        event(CLERK, json!({ "type": "m.room.join_rules" })),
        Some(RoomEventKind::Other)
    );
    assert_eq!(
        event(CLERK, json!({ "type": "m.room.encrypted" })),
        Some(RoomEventKind::RoomEncrypted)
    );
}

#[test]
fn long_words_are_cut_and_control_characters_dropped() {
    let body = format!("a\u{0}\u{1b}[31m{}", "ü".repeat(BODY_LIMIT * 2));
    let RoomEventKind::Message { body, .. } =
        message(&json!({ "msgtype": "m.text", "body": body }))
    else {
        panic!("no message");
    };
    assert_eq!(body.chars().count(), BODY_LIMIT);
    assert!(body.starts_with("a[31m"));
}

#[test]
fn what_lacks_the_essentials_is_no_event() {
    assert_eq!(event("anna", json!({ "type": "m.room.message" })), None);
    assert_eq!(event(CLERK, json!({ "room_id": 7 })), None);
    assert_eq!(event(CLERK, json!({ "event_id": "1" })), None);
    assert_eq!(read("[]"), None);
    assert_eq!(read("{"), None);
    // An absurd time is no reason to lose an event.
    assert!(event(CLERK, json!({ "origin_server_ts": i64::MAX })).is_some());
}

#[test]
fn debug_shows_no_words() {
    let shown = format!("{:?}", text("geheim"));
    assert_eq!(shown, "Message");
}

/// Any JSON, with the words that matter strewn in.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        prop::sample::select(vec![
            "m.room.member",
            "m.room.message",
            "knock",
            "m.replace",
            "m.file",
            "@a:b",
            "$e",
            "mxc://a/b",
            "> ",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let key = prop_oneof![
            prop::sample::select(vec![
                "type",
                "content",
                "state_key",
                "unsigned",
                "prev_content",
                "membership",
                "body",
                "msgtype",
                "url",
                "info",
                "m.relates_to",
                "rel_type",
                "m.new_content",
                "m.mentions",
                "user_ids",
                "m.in_reply_to",
                "event_id",
                "filename",
            ])
            .prop_map(str::to_owned),
            ".{0,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_event_makes_the_reader_panic(json in any_json(), kind in any_json(), content in any_json()) {
        let _ = read(&json.to_string());
        let mut event = json!({ "event_id": "$1", "room_id": "!r", "sender": CLERK });
        event["type"] = kind;
        event["content"] = content.clone();
        prop_assert!(read(&event.to_string()).is_some());
        event["type"] = json!("m.room.message");
        prop_assert!(read(&event.to_string()).is_some());
        event["type"] = json!("m.room.member");
        event["state_key"] = json!("@a:b");
        event["unsigned"] = content;
        prop_assert!(read(&event.to_string()).is_some());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn what_is_read_is_bounded(body in ".{0,400}", name in ".{0,400}", reason in ".{0,900}") {
        if let RoomEventKind::Message { kind: MessageKind::File(file), .. } = message(&json!({
            "msgtype": "m.file", "body": body, "filename": name, "url": "mxc://a/b",
        })) {
            prop_assert!(!file.name.is_empty());
            prop_assert!(file.name.chars().count() <= NAME_LIMIT);
            prop_assert!(!file.name.contains(['/', '\\']));
            prop_assert!(!file.name.contains(char::is_control));
        }
        if let Some(RoomEventKind::Knocked { reason: Some(reason), .. }) = event(GUEST, json!({
            "type": "m.room.member", "state_key": GUEST,
            "content": { "membership": "knock", "reason": reason },
        })) {
            prop_assert!(reason.chars().count() <= REASON_LIMIT);
            prop_assert!(!reason.contains(char::is_control));
        }
    }
}
