//! The homeserver at its worst: a scripted one that refuses, stalls, dies and babbles. What a healthy
//! homeserver does is tested against a real one.

mod scripted;

use std::time::Duration;

use crate::{
    As, MatrixError, Membership, Retry,
    content::Text,
    jobs::{Effect, Erasure, Job, Published, Speaker, execute},
    rooms::{ConsultationSpec, DoorSpec, HouseSpec, KnownRooms, Mode, SpaceSpec, reconcile},
};
use bridge::{
    ids::{MatrixUser, VisitId},
    office::{Occupancy, Status},
};
use ruma::{OwnedRoomId, owned_event_id, owned_room_id};
use scripted::{Answer, Homeserver};
use serde_json::json;

fn user(id: &str) -> MatrixUser {
    id.parse().expect("a user id")
}

fn door() -> OwnedRoomId {
    owned_room_id!("!door")
}

fn say() -> Job {
    Job::Say {
        room: door(),
        speaker: Speaker::Bot,
        text: Text::plain("Guten Tag"),
    }
}

#[tokio::test]
async fn every_fault_says_whether_to_try_again() {
    let slow = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "slow", "retry_after_ms": 1234 });
    for (answer, retry) in [
        (
            Answer::json(429, &slow),
            Some(Retry::After(Duration::from_millis(1234))),
        ),
        (Answer::json(429, &json!({})), Some(Retry::Later)),
        (
            Answer::text(502, "<h1>Bad Gateway</h1>"),
            Some(Retry::Later),
        ),
        (
            Answer::json(500, &json!({ "errcode": "M_UNKNOWN" })),
            Some(Retry::Later),
        ),
        (Answer::text(200, "<h1>Wartung</h1>"), Some(Retry::Later)),
        (
            Answer::json(200, &json!({ "event": 7 })),
            Some(Retry::Later),
        ),
        (
            Answer::json(401, &json!({ "errcode": "M_UNKNOWN_TOKEN" })),
            Some(Retry::Later),
        ),
        (
            Answer::json(403, &json!({ "errcode": "M_FORBIDDEN" })),
            None,
        ),
        (
            Answer::json(413, &json!({ "errcode": "M_TOO_LARGE" })),
            None,
        ),
        (Answer::text(301, ""), None),
        (Answer::Stall, Some(Retry::Later)),
        (Answer::BreakOff, Some(Retry::Later)),
    ] {
        let shown = format!("{answer:?}");
        let homeserver = Homeserver::answering([answer]).await;
        let error = execute(&homeserver.matrix(), &say(), "1")
            .await
            .expect_err(&shown);
        assert_eq!(error.retry(), retry, "{shown}: {error}");
    }
}

#[tokio::test]
async fn nobody_listening_is_away() {
    let homeserver = Homeserver::answering([]).await;
    let matrix = homeserver.matrix();
    homeserver.stop().await;
    let error = execute(&matrix, &say(), "1")
        .await
        .expect_err("nobody there");
    assert!(matches!(error, MatrixError::Away { .. }), "{error}");
    // Addresses carry room ids and must not get into logs by way of an error.
    assert!(!error.to_string().contains("door"), "{error}");
}

#[tokio::test]
async fn the_bot_and_ghosts_are_told_apart() {
    let sent = || Answer::json(200, &json!({ "event_id": "$1" }));
    let homeserver = Homeserver::answering([sent(), sent()]).await;
    let ghost = user("@_vorzimmer_1:city.example");
    let as_ghost = Job::Say {
        room: door(),
        speaker: Speaker::Ghost(ghost),
        text: Text::plain("Hallo"),
    };
    execute(&homeserver.matrix(), &say(), "a/b")
        .await
        .expect("sent");
    execute(&homeserver.matrix(), &as_ghost, "2")
        .await
        .expect("sent");
    assert_eq!(
        homeserver.asked(),
        [
            "PUT /_matrix/client/v3/rooms/!door/send/m.room.message/a%2Fb?user_id=%40vorzimmer%3Acity.example&device_id=VORZIMMER",
            "PUT /_matrix/client/v3/rooms/!door/send/m.room.message/2?user_id=%40_vorzimmer_1%3Acity.example&device_id=VORZIMMER",
        ]
    );
    assert!(homeserver.every_request_had_the_token());
}

#[tokio::test]
async fn registering_twice_is_once() {
    let homeserver =
        Homeserver::answering([Answer::json(400, &json!({ "errcode": "M_USER_IN_USE" }))]).await;
    let matrix = homeserver.matrix();
    assert_eq!(matrix.register(matrix.bot()).await, Ok(false));
    assert_eq!(
        matrix.register(&user("@a:elsewhere.example")).await,
        Err(MatrixError::Invalid {
            what: "user of this homeserver"
        })
    );
}

#[tokio::test]
async fn a_refusal_is_a_success_only_when_it_is_so_already() {
    let refused = || {
        Answer::json(
            403,
            &json!({ "errcode": "M_FORBIDDEN", "error": "is already in the room" }),
        )
    };
    let member = |membership: &str| Answer::json(200, &json!({ "membership": membership }));
    let clerk = user("@anna:city.example");

    let homeserver = Homeserver::answering([refused(), member("join")]).await;
    assert_eq!(homeserver.matrix().invite(&door(), &clerk).await, Ok(()));

    let homeserver = Homeserver::answering([refused(), member("ban")]).await;
    let error = homeserver
        .matrix()
        .invite(&door(), &clerk)
        .await
        .expect_err("banned");
    assert!(error.is("M_FORBIDDEN"));

    let homeserver = Homeserver::answering([refused(), member("leave")]).await;
    assert_eq!(
        homeserver.matrix().kick(&door(), &clerk, None).await,
        Ok(())
    );

    // Looking fails as well: the refusal stands.
    let homeserver = Homeserver::answering([refused(), Answer::text(502, "")]).await;
    let error = homeserver
        .matrix()
        .kick(&door(), &clerk, None)
        .await
        .expect_err("refused");
    assert!(error.is("M_FORBIDDEN"));
}

fn place_knock() -> Job {
    Job::PlaceKnock {
        door: door(),
        ghost: user("@_vorzimmer_1:city.example"),
        display_name: "G-017".to_owned(),
        reason: "G-017 · Gewerbe anmelden".to_owned(),
    }
}

/// The last part of each address asked for.
fn steps(homeserver: &Homeserver) -> Vec<String> {
    let last = |asked: &String| {
        let path = asked.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default().to_owned()
    };
    homeserver.asked().iter().map(last).collect()
}

fn refusal(code: &str) -> Answer {
    Answer::json(403, &json!({ "errcode": code }))
}

#[tokio::test]
async fn a_ghost_knocks_at_once_and_under_its_ticket() {
    let ok = || Answer::json(200, &json!({ "event_id": "$1" }));
    let homeserver = Homeserver::answering([ok()]).await;
    assert_eq!(
        execute(&homeserver.matrix(), &place_knock(), "1").await,
        Ok(Effect::Nothing)
    );
    assert_eq!(steps(&homeserver), ["@_vorzimmer_1:city.example"]);
    assert_eq!(
        homeserver.bodies()[0],
        json!({
            "membership": "knock",
            "displayname": "G-017",
            "reason": "G-017 · Gewerbe anmelden",
        })
    );
}

#[tokio::test]
async fn a_ghost_that_was_not_in_stock_is_made() {
    let ok = || {
        Answer::json(
            200,
            &json!({ "user_id": "@a:city.example", "event_id": "$1" }),
        )
    };
    let nothing_there = Answer::json(404, &json!({ "errcode": "M_NOT_FOUND" }));
    let homeserver =
        Homeserver::answering([refusal("M_FORBIDDEN"), nothing_there, ok(), ok()]).await;
    assert_eq!(
        execute(&homeserver.matrix(), &place_knock(), "1").await,
        Ok(Effect::Nothing)
    );
    let ghost = "@_vorzimmer_1:city.example";
    assert_eq!(steps(&homeserver), [ghost, ghost, "register", ghost]);
}

#[tokio::test]
async fn a_ghost_that_was_let_in_meanwhile_has_knocked() {
    let homeserver = Homeserver::answering([
        refusal("M_FORBIDDEN"),
        Answer::json(200, &json!({ "membership": "invite" })),
    ])
    .await;
    assert_eq!(
        execute(&homeserver.matrix(), &place_knock(), "1").await,
        Ok(Effect::Nothing)
    );
    assert!(homeserver.asked()[1].starts_with("GET "));
    assert_eq!(homeserver.asked().len(), 2);
}

#[tokio::test]
async fn a_knock_that_is_refused_stays_refused() {
    let out = Answer::json(200, &json!({ "membership": "ban" }));
    let made_before = Answer::json(400, &json!({ "errcode": "M_USER_IN_USE" }));
    let homeserver = Homeserver::answering([refusal("M_FORBIDDEN"), out, made_before]).await;
    let error = execute(&homeserver.matrix(), &place_knock(), "1")
        .await
        .expect_err("refused");
    assert!(error.is("M_FORBIDDEN"));
}

/// A device's transaction ids outlive a restart of the homeserver.
#[tokio::test]
async fn who_has_no_device_gets_one_and_sends_from_it() {
    let homeserver = Homeserver::answering([
        Answer::json(400, &json!({ "errcode": "M_UNKNOWN_DEVICE" })),
        Answer::json(201, &json!({})),
        Answer::json(200, &json!({ "event_id": "$1" })),
    ])
    .await;
    execute(&homeserver.matrix(), &say(), "7")
        .await
        .expect("sent");
    let message =
        "PUT /_matrix/client/v3/rooms/!door/send/m.room.message/7?user_id=%40vorzimmer%3Acity.example&device_id=VORZIMMER".to_owned();
    let device = "PUT /_matrix/client/v3/devices/VORZIMMER".to_owned();
    assert_eq!(homeserver.asked(), [message.clone(), device, message]);
}

#[tokio::test]
async fn an_announcement_cut_off_goes_on_with_the_same_transactions() {
    let job = Job::Announce {
        door: door(),
        line: Text::plain("G-017 wartet"),
        concern: Some(Text::plain("Ich möchte …")),
    };
    let homeserver = Homeserver::answering([
        Answer::json(200, &json!({ "event_id": "$line" })),
        Answer::text(502, ""),
        Answer::json(200, &json!({ "event_id": "$line" })),
        Answer::json(200, &json!({ "event_id": "$concern" })),
    ])
    .await;
    let error = execute(&homeserver.matrix(), &job, "9")
        .await
        .expect_err("cut off");
    assert_eq!(error.retry(), Some(Retry::Later));
    assert_eq!(
        execute(&homeserver.matrix(), &job, "9").await,
        Ok(Effect::Announced {
            line: owned_event_id!("$line"),
            concern: Some(owned_event_id!("$concern")),
        })
    );
    let asked = homeserver.asked();
    assert_eq!(asked[..2], asked[2..]);
    assert_eq!(steps(&homeserver)[..2], ["9", "9.concern"]);
}

#[tokio::test]
async fn everybody_is_cleared_from_the_door_in_their_own_way() {
    for (visitor, membership, steps) in [
        ("@_vorzimmer_1:city.example", "join", vec!["leave"]),
        ("@_vorzimmer_1:city.example", "leave", vec![]),
        ("@native:city.example", "knock", vec!["kick"]),
        ("@native:city.example", "ban", vec![]),
        // A rejected knock does not federate; an invite taken back does.
        ("@far:elsewhere.example", "knock", vec!["invite", "kick"]),
        ("@far:elsewhere.example", "invite", vec!["kick"]),
    ] {
        let ok = || Answer::json(200, &json!({}));
        let member = Answer::json(200, &json!({ "membership": membership }));
        let homeserver = Homeserver::answering([member, ok(), ok()]).await;
        let job = Job::ClearDoor {
            door: door(),
            visitor: user(visitor),
            reason: None,
        };
        assert_eq!(
            execute(&homeserver.matrix(), &job, "1").await,
            Ok(Effect::Nothing)
        );
        let taken: Vec<String> = homeserver
            .asked()
            .iter()
            .skip(1)
            .map(|asked| {
                let path = asked.split('?').next().unwrap_or_default();
                path.rsplit('/').next().unwrap_or_default().to_owned()
            })
            .collect();
        assert_eq!(taken, steps, "{visitor} {membership}");
    }
}

#[tokio::test]
async fn the_door_is_cleared_though_the_far_homeserver_takes_no_invite() {
    let homeserver = Homeserver::answering([
        Answer::json(200, &json!({ "membership": "knock" })),
        Answer::json(
            502,
            &json!({ "errcode": "M_UNKNOWN", "error": "rate limited over there" }),
        ),
        Answer::json(200, &json!({})),
    ])
    .await;
    let job = Job::ClearDoor {
        door: door(),
        visitor: user("@far:elsewhere.example"),
        reason: None,
    };
    assert_eq!(
        execute(&homeserver.matrix(), &job, "1").await,
        Ok(Effect::Nothing)
    );
    assert!(homeserver.asked()[2].ends_with("/kick"));
}

#[tokio::test]
async fn a_consultation_made_before_a_crash_is_found_again() {
    let spec = ConsultationSpec {
        visit: VisitId::from_random([7; 16]),
        name: "G-017 · Gewerbemeldestelle".to_owned(),
        clerk: user("@anna:city.example"),
        visitor: user("@far:elsewhere.example"),
    };
    let job = Job::OpenConsultation {
        spec,
        guest_name: None,
        first: Text::plain("Anliegen"),
    };
    let event = |event_type: &str, key: &str, content: serde_json::Value| json!({ "type": event_type, "state_key": key, "content": content, "sender": "@vorzimmer:city.example" });
    // The room was made and the clerk invited; then the power went.
    let state = json!([
        event("m.room.create", "", json!({ "room_version": "12" })),
        event(
            "m.room.member",
            "@vorzimmer:city.example",
            json!({ "membership": "join" })
        ),
        event(
            "m.room.member",
            "@anna:city.example",
            json!({ "membership": "invite" })
        ),
    ]);
    let homeserver = Homeserver::answering([
        Answer::json(400, &json!({ "errcode": "M_ROOM_IN_USE" })),
        Answer::json(200, &json!({ "room_id": "!found", "servers": [] })),
        Answer::json(200, &state),
    ])
    .await;
    homeserver.then_always(Answer::json(200, &json!({ "event_id": "$1" })));
    assert_eq!(
        execute(&homeserver.matrix(), &job, "1").await,
        Ok(Effect::Opened {
            room: owned_room_id!("!found")
        })
    );
    let asked = homeserver.asked();
    let invites: Vec<_> = homeserver
        .bodies()
        .into_iter()
        .filter_map(|body| body["user_id"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(invites, ["@far:elsewhere.example"]);
    assert!(
        asked
            .last()
            .is_some_and(|asked| asked.contains("/send/m.room.message/1?"))
    );
}

#[tokio::test]
async fn a_guest_comes_in_under_their_name_after_the_first_message() {
    let job = Job::OpenConsultation {
        spec: ConsultationSpec {
            visit: VisitId::from_random([7; 16]),
            name: "G-017 · Gewerbemeldestelle".to_owned(),
            clerk: user("@anna:city.example"),
            visitor: user("@_vorzimmer_1:city.example"),
        },
        guest_name: Some("Frau Öz".to_owned()),
        first: Text::plain("Anliegen"),
    };
    let sent = || Answer::json(200, &json!({ "event_id": "$1" }));
    let member = |content: serde_json::Value| Answer::json(200, &content);
    let made = Answer::json(200, &json!({ "room_id": "!new" }));
    let invited = member(json!({ "membership": "invite", "displayname": "G-017" }));
    let homeserver = Homeserver::answering([made, sent(), invited, sent()]).await;
    assert_eq!(
        execute(&homeserver.matrix(), &job, "1").await,
        Ok(Effect::Opened {
            room: owned_room_id!("!new")
        })
    );
    let bodies = homeserver.bodies();
    assert_eq!(
        bodies[0]["invite"],
        json!(["@_vorzimmer_1:city.example", "@anna:city.example"])
    );
    assert_eq!(bodies[1]["body"], "Anliegen");
    assert_eq!(
        bodies[3],
        json!({ "membership": "join", "displayname": "Frau Öz" })
    );

    // A homeserver that accepts invites by itself puts the global name back: it is corrected, once, and
    // never brings a ghost back that has left.
    let name = Job::NameGuest {
        room: owned_room_id!("!new"),
        ghost: user("@_vorzimmer_1:city.example"),
        name: "Frau Öz".to_owned(),
    };
    for (content, requests) in [
        (json!({ "membership": "join", "displayname": "G-017" }), 2),
        (json!({ "membership": "join", "displayname": "Frau Öz" }), 1),
        (json!({ "membership": "leave" }), 1),
    ] {
        let homeserver = Homeserver::answering([member(content), sent()]).await;
        assert_eq!(
            execute(&homeserver.matrix(), &name, "2").await,
            Ok(Effect::Nothing)
        );
        assert_eq!(homeserver.asked().len(), requests);
    }
}

#[tokio::test]
async fn only_what_changed_is_published() {
    let occupancy = |waiting, at: &str| Occupancy {
        status: Status::Busy,
        waiting,
        in_conversation: 0,
        desks_on_duty: 1,
        estimated_wait_s: None,
        next_opening: None,
        as_of: at.parse().expect("an instant"),
    };
    let published = |waiting, at, topic: &str| Published {
        occupancy: occupancy(waiting, at),
        queue: vec![],
        topic: topic.to_owned(),
    };
    let first = published(1, "2026-11-23T08:00:00Z", "Offen");
    let later = published(1, "2026-11-23T08:05:00Z", "Offen");
    let busier = published(2, "2026-11-23T08:06:00Z", "Offen");
    for (last, next, written, remembered) in [
        (
            None,
            &first,
            vec![
                "org.vorzimmer.occupancy",
                "org.vorzimmer.queue",
                "m.room.topic",
            ],
            &first,
        ),
        // Time alone is no news; what stands in the room keeps its moment.
        (Some(&first), &later, vec![], &first),
        (
            Some(&first),
            &busier,
            vec!["org.vorzimmer.occupancy"],
            &busier,
        ),
    ] {
        let homeserver = Homeserver::answering([]).await;
        homeserver.then_always(Answer::json(200, &json!({ "event_id": "$1" })));
        let job = Job::Publish {
            door: door(),
            last: last.cloned(),
            next: next.clone(),
        };
        assert_eq!(
            execute(&homeserver.matrix(), &job, "1").await,
            Ok(Effect::Published(remembered.clone()))
        );
        let types: Vec<String> = homeserver
            .asked()
            .iter()
            .filter_map(|asked| asked.split('/').nth(7).map(str::to_owned))
            .collect();
        assert_eq!(types, written);
    }
}

#[tokio::test]
async fn without_a_deletion_credential_a_room_is_left_and_forgotten() {
    let homeserver = Homeserver::answering([
        Answer::json(200, &json!({ "membership": "join" })),
        Answer::json(200, &json!({ "chunk": [] })),
        Answer::json(200, &json!({})),
        Answer::json(200, &json!({})),
    ])
    .await;
    let job = Job::EraseRoom { room: door() };
    assert_eq!(
        execute(&homeserver.matrix(), &job, "1").await,
        Ok(Effect::Erased(Erasure::Left))
    );
    let asked = homeserver.asked();
    assert!(
        asked[2].ends_with("/leave") && asked[3].ends_with("/forget"),
        "{asked:?}"
    );
}

/// `(answers to: inside? members, media, DELETE, status …)` and what comes of it.
#[tokio::test]
async fn an_erasure_is_done_only_when_the_homeserver_says_so() {
    let gone = || Answer::json(403, &json!({ "errcode": "M_FORBIDDEN" }));
    let no_media = || Answer::json(404, &json!({ "errcode": "M_NOT_FOUND" }));
    let started = || Answer::json(200, &json!({ "delete_id": "x" }));
    let refused = || Answer::json(400, &json!({ "errcode": "M_UNKNOWN" }));
    let unknown = || Answer::json(404, &json!({ "errcode": "M_NOT_FOUND" }));
    let status = |status: &[&str]| {
        let results: Vec<_> = status
            .iter()
            .map(|status| json!({ "status": status }))
            .collect();
        Answer::json(200, &json!({ "results": results }))
    };
    let purged = Ok(Effect::Erased(Erasure::Purged));
    for (answers, outcome) in [
        (
            vec![started(), status(&["active"]), status(&["complete"])],
            purged.clone(),
        ),
        // An earlier attempt is at work.
        (
            vec![
                refused(),
                status(&["failed", "active"]),
                status(&["failed", "complete"]),
            ],
            purged,
        ),
        // Refused, and nothing is at work.
        (vec![refused(), unknown()], Err(None)),
        (
            vec![started(), status(&["failed"])],
            Err(Some(Retry::Later)),
        ),
    ] {
        let homeserver =
            Homeserver::answering([gone(), no_media()].into_iter().chain(answers)).await;
        let job = Job::EraseRoom { room: door() };
        let result = execute(&homeserver.matrix_that_purges(), &job, "1").await;
        assert_eq!(result.map_err(|error| error.retry()), outcome);
    }
}

#[tokio::test]
async fn what_was_lost_with_its_room_needs_no_clearing() {
    let gone = || Answer::json(403, &json!({ "errcode": "M_FORBIDDEN" }));
    let visitor = user("@native:city.example");
    let clear = Job::ClearDoor {
        door: door(),
        visitor,
        reason: None,
    };
    let homeserver = Homeserver::answering([gone()]).await;
    assert_eq!(
        execute(&homeserver.matrix(), &clear, "1").await,
        Ok(Effect::Nothing)
    );

    let redact = Job::Redact {
        room: door(),
        event: owned_event_id!("$concern"),
    };
    let homeserver = Homeserver::answering([gone(), gone()]).await;
    assert_eq!(
        execute(&homeserver.matrix(), &redact, "1").await,
        Ok(Effect::Nothing)
    );

    // The room is there and the redaction was refused: a concern that stays must be seen.
    let inside = Answer::json(200, &json!({ "membership": "join" }));
    let homeserver = Homeserver::answering([gone(), inside]).await;
    let error = execute(&homeserver.matrix(), &redact, "1")
        .await
        .expect_err("refused");
    assert!(error.is("M_FORBIDDEN"));
}

#[tokio::test]
async fn a_download_ends_at_its_limit() {
    let homeserver = Homeserver::answering([Answer::text(200, &"x".repeat(5000))]).await;
    let file = "mxc://city.example/abc".into();
    assert_eq!(
        homeserver
            .matrix()
            .download(&ruma::OwnedMxcUri::clone(&file), 4999)
            .await,
        Err(MatrixError::TooLarge { limit: 4999 })
    );
}

#[tokio::test]
async fn one_lost_homeserver_answer_keeps_no_other_room_waiting() {
    let homeserver = Homeserver::answering([]).await;
    homeserver.then_always(Answer::text(503, ""));
    let door = |slug: &str| DoorSpec {
        slug: slug.parse().expect("a slug"),
        name: slug.to_owned(),
        topic: None,
        clerks: [user("@anna:city.example")].into(),
        office: json!({ "slug": slug }),
        listed: false,
    };
    let spec = HouseSpec {
        space: SpaceSpec {
            name: "Dormagen".to_owned(),
            topic: None,
            listed: false,
        },
        doors: vec![door("gewerbe"), door("fundbuero"), door("stadt")],
    };
    let report = reconcile(
        &homeserver.matrix(),
        &spec,
        &KnownRooms::default(),
        Mode::Look,
    )
    .await;
    let failed: Vec<_> = report
        .failed
        .iter()
        .map(|(room, _)| room.as_str())
        .collect();
    assert_eq!(failed, ["buero-gewerbe", "buero-fundbuero", "buero-stadt"]);
    // The office `stadt` would take the space's alias.
    assert_eq!(report.findings.len(), 1);
    assert!(report.findings[0].to_string().contains("another slug"));
}

#[tokio::test]
async fn hostile_member_lists_are_read_as_far_as_they_go() {
    let homeserver = Homeserver::answering([Answer::json(
        200,
        &json!({ "chunk": [
            { "type": "m.room.member", "state_key": "@a:b", "content": { "membership": "join" } },
            { "type": "m.room.member", "state_key": "nobody", "content": { "membership": "join" } },
            { "type": "m.room.member", "state_key": "@c:d", "content": { "membership": 7 } },
            { "type": "m.room.member", "state_key": "@e:f", "content": { "membership": "leave" } },
            7,
        ] }),
    )])
    .await;
    let members = homeserver.matrix().members(&door()).await.expect("a list");
    assert_eq!(members.len(), 1);
    assert_eq!(
        (members[0].user.as_str(), members[0].membership),
        ("@a:b", Membership::Join)
    );
}

/// The outbox worker runs jobs on any thread.
#[test]
fn jobs_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let check = |matrix: &crate::Matrix, job: &Job| is_send(&execute(matrix, job, "1"));
    let _: &dyn Fn(&crate::Matrix, &Job) = &check;
    let _ = As::Bot;
}
