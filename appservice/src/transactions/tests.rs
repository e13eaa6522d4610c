use std::sync::Mutex;

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, header::AUTHORIZATION},
};
use proptest::prelude::*;
use serde_json::Value;
use tower::ServiceExt;

use super::*;

const TOKEN: &str = "hs-token-of-more-than-thirty-two-characters";

/// Keeps what it gets, unless it is broken.
#[derive(Default)]
struct Desk {
    got: Mutex<Vec<Transaction>>,
    broken: bool,
}

#[async_trait]
impl Inbox for Desk {
    async fn receive(&self, transaction: Transaction) -> Result<(), InboxError> {
        if self.broken {
            return Err(InboxError("the disk is full".into()));
        }
        self.got
            .lock()
            .expect("no panic elsewhere")
            .push(transaction);
        Ok(())
    }

    async fn user_exists(&self, user: &MatrixUser) -> bool {
        user.as_str() == "@_vorzimmer_1:city.example"
    }

    async fn alias_exists(&self, alias: &str) -> bool {
        alias == "#buero-gewerbe:city.example"
    }
}

async fn ask(desk: &Arc<Desk>, request: Request<Body>) -> (u16, Value) {
    let answer = router(TOKEN, desk.clone())
        .oneshot(request)
        .await
        .expect("an answer");
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

fn request(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("/_matrix/app/v1{path}"))
        .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
        .body(body.into())
        .expect("a request")
}

fn put_transaction(body: impl Into<Body>) -> Request<Body> {
    request(Method::PUT, "/transactions/7", body)
}

#[tokio::test]
async fn a_transaction_reaches_the_inbox_in_order() {
    let desk = Arc::new(Desk::default());
    let body = json!({
        "events": [
            { "event_id": "$1", "room_id": "!a", "type": "m.room.message", "content": {} },
            { "event_id": "$2", "room_id": "!b", "type": "m.room.member" },
        ],
        "ephemeral": [
            { "type": "m.typing", "room_id": "!a", "content": { "user_ids": ["@a:b", 3] } },
            { "type": "m.receipt", "room_id": "!a", "content": { "$1": { "m.read": { "@a:b": { "ts": 1 } } } } },
            { "type": "m.presence", "sender": "@a:b", "content": {} },
        ],
        "de.sorunome.msc2409.to_device": [],
    });
    assert_eq!(
        ask(&desk, put_transaction(body.to_string())).await,
        (200, json!({}))
    );

    let got = desk.got.lock().expect("no panic elsewhere");
    let [transaction] = got.as_slice() else {
        panic!("{got:?}");
    };
    let ids: Vec<_> = transaction
        .events
        .iter()
        .map(|event| (event.event_id.as_str(), event.room_id.as_str()))
        .collect();
    assert_eq!(ids, [("$1", "!a"), ("$2", "!b")]);
    assert!(transaction.events[0].json.contains("m.room.message"));
    let user: MatrixUser = "@a:b".parse().expect("a user id");
    let room: OwnedRoomId = "!a".try_into().expect("a room id");
    assert_eq!(
        transaction.ephemeral,
        [
            Ephemeral::Typing {
                room: room.clone(),
                users: vec![user.clone()]
            },
            Ephemeral::Receipt {
                room,
                event: "$1".try_into().expect("an event id"),
                user
            },
        ]
    );
}

#[tokio::test]
async fn an_event_that_cannot_be_read_does_not_stall_the_others() {
    let desk = Arc::new(Desk::default());
    let body =
        json!({ "events": [7, {}, { "event_id": "$1" }, { "event_id": "$2", "room_id": "!a" }] });
    assert_eq!(ask(&desk, put_transaction(body.to_string())).await.0, 200);
    let got = desk.got.lock().expect("no panic elsewhere");
    assert_eq!(got[0].events.len(), 1);
    assert_eq!(got[0].events[0].event_id, "$2");
}

#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_stored() {
    let desk = Arc::new(Desk {
        broken: true,
        ..Desk::default()
    });
    let (status, body) = ask(&desk, put_transaction(r#"{"events":[]}"#)).await;
    assert_eq!((status, body["errcode"].as_str()), (503, Some("M_UNKNOWN")));
    assert!(!body.to_string().contains("disk"));
}

#[tokio::test]
async fn what_is_no_transaction_is_refused() {
    let desk = Arc::new(Desk::default());
    for (body, errcode) in [
        ("", "M_NOT_JSON"),
        ("{\"events\":[", "M_NOT_JSON"),
        ("\u{feff}{}", "M_NOT_JSON"),
        ("[]", "M_BAD_JSON"),
        ("{}", "M_BAD_JSON"),
        ("{\"events\":{}}", "M_BAD_JSON"),
    ] {
        let (status, answer) = ask(&desk, put_transaction(body)).await;
        assert_eq!(
            (status, answer["errcode"].as_str()),
            (400, Some(errcode)),
            "{body}"
        );
    }
    let huge = vec![b' '; BODY_LIMIT + 1];
    let (status, answer) = ask(&desk, put_transaction(huge)).await;
    assert_eq!(
        (status, answer["errcode"].as_str()),
        (413, Some("M_TOO_LARGE"))
    );
    assert!(desk.got.lock().expect("no panic elsewhere").is_empty());
}

#[tokio::test]
async fn a_hundred_events_of_full_size_fit() {
    let desk = Arc::new(Desk::default());
    let event =
        json!({ "event_id": "$1", "room_id": "!a", "content": { "body": "ü".repeat(32_000) } });
    let body = json!({ "events": vec![event; 100] });
    assert_eq!(ask(&desk, put_transaction(body.to_string())).await.0, 200);
}

#[tokio::test]
async fn only_the_homeserver_comes_in() {
    let desk = Arc::new(Desk::default());
    let shown = |header: Option<&str>, query: &str| {
        let mut request = Request::builder()
            .method(Method::PUT)
            .uri(format!("/_matrix/app/v1/transactions/7{query}"));
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        request
            .body(Body::from(r#"{"events":[]}"#))
            .expect("a request")
    };
    let in_query = format!("?access_token={TOKEN}");
    let basic = format!("Basic {TOKEN}");
    let longer = format!("Bearer {TOKEN}x");
    for (header, query, status, errcode) in [
        (None, "", 401, "M_MISSING_TOKEN"),
        (None, in_query.as_str(), 401, "M_MISSING_TOKEN"),
        (Some(""), "", 403, "M_FORBIDDEN"),
        (Some("Bearer "), "", 403, "M_FORBIDDEN"),
        (Some("Bearer wrong"), "", 403, "M_FORBIDDEN"),
        (Some(basic.as_str()), "", 403, "M_FORBIDDEN"),
        (Some(longer.as_str()), "", 403, "M_FORBIDDEN"),
    ] {
        let (got, body) = ask(&desk, shown(header, query)).await;
        assert_eq!(
            (got, body["errcode"].as_str()),
            (status, Some(errcode)),
            "{header:?}{query}"
        );
    }
    let lower = format!("bearer {TOKEN}");
    assert_eq!(ask(&desk, shown(Some(&lower), "")).await.0, 200);
}

#[tokio::test]
async fn an_empty_token_opens_nothing() {
    let answer = router("", Arc::new(Desk::default()))
        .oneshot(
            Request::builder()
                .method(Method::POST)
                .uri("/_matrix/app/v1/ping")
                .header(AUTHORIZATION, "Bearer ")
                .body(Body::empty())
                .expect("a request"),
        )
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn users_rooms_and_ping_are_answered() {
    let desk = Arc::new(Desk::default());
    for (method, path, status) in [
        (Method::GET, "/users/%40_vorzimmer_1%3Acity.example", 200),
        (Method::GET, "/users/%40_vorzimmer_2%3Acity.example", 404),
        (Method::GET, "/users/nobody", 404),
        (Method::GET, "/rooms/%23buero-gewerbe%3Acity.example", 200),
        (Method::GET, "/rooms/%23buero-nix%3Acity.example", 404),
        (Method::POST, "/ping", 200),
        (Method::GET, "/ping", 405),
        (Method::GET, "/thirdparty/protocol/x", 404),
    ] {
        let (got, _) = ask(&desk, request(method, path, "{}")).await;
        assert_eq!(got, status, "{path}");
    }
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = body::read(&bytes);
    }
}
