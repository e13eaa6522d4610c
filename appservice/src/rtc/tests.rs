use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_000_000_000_000;

fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW).expect("an instant")
}

fn user(id: &str) -> MatrixUser {
    id.parse().expect("a user id")
}

fn joined(id: &str) -> Value {
    json!({ "type": "m.room.member", "state_key": id, "sender": id, "content": { "membership": "join" } })
}

fn in_state(sender: &str, key: &str, device: &str, sent: i64) -> Value {
    json!({
        "type": types::CALL_MEMBER, "sender": sender, "state_key": key, "origin_server_ts": sent,
        "content": {
            "application": "m.call", "call_id": "", "device_id": device, "expires": 14_400_000,
            "focus_active": { "type": "livekit", "focus_selection": "multi_sfu" },
            "foci_preferred": [{ "type": "livekit", "livekit_service_url": format!("https://{device}.example/jwt/") }],
        },
    })
}

fn stuck(sender: &str, key: &str, sent: i64, content: &Value) -> Value {
    let mut content = content.clone();
    content["msc4354_sticky_key"] = json!(key);
    json!({
        "type": types::RTC_MEMBER, "sender": sender, "origin_server_ts": sent,
        "msc4354_sticky": { "duration_ms": 3_600_000 }, "content": content,
    })
}

fn identities(state: &[Value], timeline: &[Value]) -> Vec<String> {
    let members = members(state, timeline, now());
    members.into_iter().map(|member| member.identity).collect()
}

#[test]
fn names_are_those_of_the_specification() {
    // MSC4195: unpadded Base64 of the SHA-256 of the JSON array.
    assert_eq!(
        alias("!abc", SLOT),
        STANDARD_NO_PAD.encode(Sha256::digest(r#"["!abc","m.call#ROOM"]"#))
    );
    assert_eq!(
        identity_by_hash("@a:b", "DEV", "id"),
        STANDARD_NO_PAD.encode(Sha256::digest(r#"["@a:b","DEV","id"]"#))
    );
    assert!(!alias("!abc", SLOT).contains('='));
    let ghost = user("@_vorzimmer_1:city.example");
    assert_eq!(
        state_key(&ghost),
        "_@_vorzimmer_1:city.example_VORZIMMER_m.call"
    );
    assert_eq!(
        Form::State.identity(&ghost),
        "@_vorzimmer_1:city.example:VORZIMMER"
    );
}

#[test]
fn what_we_write_we_read() {
    let ghost = user("@_vorzimmer_1:city.example");
    let room = ruma::room_id!("!room:city.example");
    let state = json!({
        "type": types::CALL_MEMBER, "sender": ghost.as_str(), "state_key": state_key(&ghost),
        "origin_server_ts": NOW, "content": state_content(&ghost, room, "https://city.example/livekit/jwt"),
    });
    let sticky = stuck(
        ghost.as_str(),
        &state_key(&ghost),
        NOW,
        &sticky_content(&ghost, "https://city.example/livekit/jwt"),
    );
    let people = [joined(ghost.as_str()), state];
    let read = members(&people, &[], now());
    assert_eq!(read[0].identity, Form::State.identity(&ghost));
    assert_eq!(
        read[0].service_url.as_deref(),
        Some("https://city.example/livekit/jwt")
    );
    // With both, a ghost is one participant, by the name of the newer form.
    let read = members(&people, std::slice::from_ref(&sticky), now());
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].identity, Form::Sticky.identity(&ghost));
    // What takes it back hides the older state.
    let left = stuck(
        ghost.as_str(),
        &state_key(&ghost),
        NOW,
        &sticky_leave(&ghost),
    );
    assert!(members(&people, &[left, sticky], now()).is_empty());
}

#[test]
fn where_somebody_sends_to_is_read_of_this_draft_and_of_earlier_ones() {
    let url = |transports: &Value| {
        let mut content = json!({
            "slot_id": SLOT, "member": { "user_id": "@anna:city", "device_id": "A", "id": "x" },
        });
        let rest = transports.as_object().unwrap().clone();
        content.as_object_mut().unwrap().extend(rest);
        let event = stuck("@anna:city", "x", NOW, &content);
        members(&[joined("@anna:city")], &[event], now())[0]
            .service_url
            .clone()
    };
    let there = json!([{ "type": "livekit", "livekit_service_url": "https://city.example/jwt" }]);
    let found = Some("https://city.example/jwt".to_owned());
    let published = json!({ "transports": { "published": there, "can_subscribe": ["livekit"] } });
    assert_eq!(url(&published), found);
    assert_eq!(url(&json!({ "rtc_transports": there })), found);
    assert_eq!(url(&json!({ "transports": [], "rtc_transports": 7 })), None);
    assert_eq!(url(&json!({})), None);
}

#[test]
fn nobody_is_put_into_a_call_by_somebody_else() {
    let people = [joined("@anna:city"), joined("@eve:city")];
    let forged = in_state("@eve:city", "_@anna:city_A_m.call", "A", NOW);
    assert!(identities(&[&people[..], &[forged]].concat(), &[]).is_empty());
    let claimed = json!({
        "slot_id": SLOT, "member": { "user_id": "@anna:city", "device_id": "A", "id": "x" }, "rtc_transports": [],
    });
    let forged = stuck("@eve:city", "x", NOW, &claimed);
    assert!(identities(&people, &[forged]).is_empty());
}

#[test]
fn nobody_is_taken_out_of_a_call_by_somebody_else() {
    let key = "_@anna:city_A_m.call";
    let anna = in_state("@anna:city", key, "A", NOW);
    let people = [joined("@anna:city"), joined("@eve:city"), anna];
    let forged = stuck("@eve:city", key, NOW, &json!({}));
    assert_eq!(identities(&people, &[forged]), ["@anna:city:A"]);
}

#[test]
fn who_is_stale_or_gone_is_not_in_the_call() {
    let anna = in_state("@anna:city", "_@anna:city_A_m.call", "A", NOW - 14_400_000);
    assert!(identities(&[joined("@anna:city"), anna], &[]).is_empty());
    let anna = in_state("@anna:city", "_@anna:city_A_m.call", "A", NOW - 14_300_000);
    assert!(
        identities(std::slice::from_ref(&anna), &[]).is_empty(),
        "not in the room"
    );
    assert_eq!(
        identities(&[joined("@anna:city"), anna], &[]),
        ["@anna:city:A"]
    );
    let own = json!({
        "slot_id": SLOT, "member": { "user_id": "@anna:city", "device_id": "A", "id": "x" }, "rtc_transports": [],
    });
    let old = stuck("@anna:city", "x", NOW - 3_600_000, &own);
    assert!(identities(&[joined("@anna:city")], &[old]).is_empty());
}

#[test]
fn older_clients_send_to_the_relay_of_whoever_came_first() {
    let mut late = in_state("@anna:city", "_@anna:city_A_m.call", "A", NOW - 10);
    late["content"]["focus_active"]["focus_selection"] = json!("oldest_membership");
    let early = in_state("@bernd:city", "_@bernd:city_B_m.call", "B", NOW - 20);
    let state = [joined("@anna:city"), joined("@bernd:city"), late, early];
    let urls: Vec<_> = members(&state, &[], now())
        .into_iter()
        .map(|member| member.service_url)
        .collect();
    assert_eq!(
        urls,
        [
            Some("https://B.example/jwt".to_owned()),
            Some("https://B.example/jwt".to_owned())
        ]
    );
}

#[test]
fn a_ring_is_for_one_person() {
    let ring = ring(&user("@anna:city"), ruma::event_id!("$member"), now());
    assert_eq!(ring["m.mentions"], json!({ "user_ids": ["@anna:city"] }));
    assert_eq!(ring["m.relates_to"]["event_id"], "$member");
    assert_eq!(ring["sender_ts"], NOW);
}

proptest! {
    #[test]
    fn whatever_stands_there_is_read(kind in 0..3_usize, text in ".{0,40}", number in any::<i64>()) {
        let values = [json!(text), json!(number), json!({ "a": [text] })];
        let value = &values[kind];
        let mut state = in_state("@anna:city", "_@anna:city_A_m.call", "A", NOW);
        for field in ["application", "call_id", "device_id", "expires", "created_ts", "focus_active", "foci_preferred"] {
            let mut event = state.clone();
            event["content"][field] = value.clone();
            let _ = members(&[joined("@anna:city"), event], &[], now());
        }
        state["content"] = value.clone();
        let sticky = json!({ "type": types::RTC_MEMBER, "sender": "@anna:city", "origin_server_ts": value, "msc4354_sticky": value, "content": value });
        let _ = members(&[joined("@anna:city"), state], &[sticky], now());
    }
}
