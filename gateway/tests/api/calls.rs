use axum::{body::Body, http::Method};
use gateway::{
    limits::{Limits, Rate},
    port::{HouseError, VisitEvent, VisitPhase},
};
use serde_json::{Value, json};

use crate::support::{
    Stage,
    browser::{Answer, Browser},
};

const TOKEN: &str = "/livekit/jwt/get_token";
const LEGACY: &str = "/livekit/jwt/sfu/get";

fn asked(access_token: &str) -> Value {
    json!({
        "room_id": "!room:test",
        "slot_id": "m.call#ROOM",
        "openid_token": {
            "access_token": access_token, "token_type": "Bearer", "matrix_server_name": "test", "expires_in": 3600,
        },
        "member": { "id": "m", "claimed_user_id": "@anna:test", "claimed_device_id": "A" },
    })
}

fn asked_before(access_token: &str) -> Value {
    let mut body = asked(access_token);
    json!({ "room": "!room:test", "openid_token": body["openid_token"].take(), "device_id": "A" })
}

/// A Matrix client on a page of its own.
async fn client(stage: &Stage, path: &str, body: impl Into<Body>) -> Answer {
    let mut client = stage.browser();
    client.origin = Some("https://element.test");
    client
        .send(Method::POST, path, Some("application/json"), body)
        .await
}

fn readable_anywhere(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "no-store");
}

async fn in_conversation(stage: &Stage, browser: &mut Browser) -> String {
    let visit = browser.knock().await;
    stage
        .house
        .change_visit(|view| view.phase = VisitPhase::InConversation);
    format!("{visit}/call")
}

#[tokio::test]
async fn a_guest_joins_renews_and_leaves_the_call() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let visit = browser.knock().await;
    let call = format!("{visit}/call");
    let early = browser.post(&call, json!({})).await;
    early.problem(409, "no-conversation");
    let call = {
        stage
            .house
            .change_visit(|view| view.phase = VisitPhase::InConversation);
        call
    };
    for _ in 0..2 {
        let joined = browser.post(&call, json!({})).await.expect(200);
        assert_eq!(
            joined["transports"],
            json!([{ "url": "wss://buero.test/relay", "token": "t0ken", "own": true }])
        );
        assert_eq!(
            joined["participants"],
            json!([{ "identity": "@ghost:test:VORZIMMER", "name": "Gast G-001", "role": "guest" }])
        );
    }
    for _ in 0..2 {
        let left = browser.send(Method::DELETE, &call, None, Body::empty());
        left.await.expect(204);
    }
    let stranger = stage.browser().post(&call, json!({})).await;
    stranger.problem(404, "unknown-visit");
    stage.house.fail(|| HouseError::CallNotReady);
    let soon = browser.post(&call, json!({})).await;
    soon.problem(409, "call-not-ready");
    assert_eq!(soon.header("retry-after"), "1");
    stage.house.fail(|| HouseError::CallsUnavailable);
    let refused = browser.post(&call, json!({})).await;
    refused.problem(503, "calls-unavailable");
    assert_eq!(refused.header("retry-after"), "30");
}

#[tokio::test]
async fn a_page_learns_that_the_call_has_changed() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let visit = browser.knock().await;
    let mut events = browser.listen(&format!("{visit}/events")).await;
    assert_eq!(events.next().await.0, "visit");
    stage.house.tell(&VisitEvent::Call);
    assert_eq!(events.next().await, ("call".to_owned(), json!({})));
}

#[tokio::test]
async fn another_site_cannot_put_a_guest_into_a_call() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let call = in_conversation(&stage, &mut browser).await;
    browser.origin = Some("https://evil.test");
    browser
        .post(&call, json!({}))
        .await
        .problem(403, "foreign-origin");
}

#[tokio::test]
async fn the_call_of_one_visit_cannot_be_joined_without_end() {
    let stage = Stage::with(|config| {
        config.limits = Limits {
            calls_per_visit: Rate::new(1, 2),
            ..Limits::default()
        }
    });
    let mut browser = stage.browser();
    let call = in_conversation(&stage, &mut browser).await;
    browser.post(&call, json!({})).await.expect(200);
    browser.post(&call, json!({})).await.expect(200);
    browser
        .post(&call, json!({}))
        .await
        .problem(429, "too-many-requests");
}

#[tokio::test]
async fn who_is_in_the_room_gets_a_token_in_both_ways() {
    let stage = Stage::new();
    for (path, body) in [(TOKEN, asked("good")), (LEGACY, asked_before("good"))] {
        let answer = client(&stage, path, body.to_string()).await;
        readable_anywhere(&answer);
        assert_eq!(
            answer.expect(200),
            json!({ "url": "wss://buero.test/relay", "jwt": "t0ken" })
        );
    }
    let health = stage.browser().get("/livekit/jwt/healthz").await;
    assert_eq!(health.status, 200);
}

#[tokio::test]
async fn a_browser_may_ask_from_anywhere() {
    let stage = Stage::new();
    for path in [TOKEN, LEGACY, "/livekit/jwt/delegate_delayed_leave"] {
        let mut client = stage.browser();
        client.origin = Some("https://element.test");
        let answer = client
            .send(Method::OPTIONS, path, None, Body::empty())
            .await;
        assert_eq!(answer.status, 200, "{path}");
        readable_anywhere(&answer);
        assert_eq!(answer.header("access-control-allow-methods"), "POST");
        let allowed = answer.header("access-control-allow-headers");
        assert!(allowed.contains("Content-Type"), "{allowed}");
    }
}

#[tokio::test]
async fn refusals_are_worded_as_matrix_clients_read_them() {
    let stage = Stage::new();
    let with = |change: fn(&mut Value)| {
        let mut body = asked("good");
        change(&mut body);
        body.to_string()
    };
    let cases = [
        ("{".to_owned(), 400, "M_NOT_JSON"),
        ("[]".to_owned(), 400, "M_BAD_JSON"),
        (with(|body| body["room_id"] = json!("")), 400, "M_BAD_JSON"),
        (with(|body| body["member"] = json!(7)), 400, "M_BAD_JSON"),
        (
            with(|body| body["slot_id"] = json!("x".repeat(2000))),
            400,
            "M_BAD_JSON",
        ),
        (
            with(|body| body["delay_id"] = json!("syd_1")),
            400,
            "M_BAD_JSON",
        ),
        (
            with(|body| body["delay_timeout"] = json!(1000)),
            400,
            "M_BAD_JSON",
        ),
        // Whoever were given a token would believe that this service takes their membership back.
        (
            with(|body| {
                body["delay_id"] = json!("syd_bad");
                body["delay_timeout"] = json!(60_000);
            }),
            400,
            "M_BAD_JSON",
        ),
        (asked("forged").to_string(), 401, "M_UNAUTHORIZED"),
        (
            with(|body| body["member"]["claimed_user_id"] = json!("@bernd:test")),
            401,
            "M_UNAUTHORIZED",
        ),
        (
            with(|body| body["room_id"] = json!("!other:test")),
            403,
            "M_FORBIDDEN",
        ),
        (
            with(|body| body["slot_id"] = json!("m.call#OTHER")),
            403,
            "M_FORBIDDEN",
        ),
    ];
    for (body, status, errcode) in cases {
        let answer = client(&stage, TOKEN, body.clone()).await;
        readable_anywhere(&answer);
        assert_eq!(answer.expect(status)["errcode"], errcode, "{body}");
    }
    let unknown = client(&stage, "/livekit/jwt/nothing", "{}").await;
    readable_anywhere(&unknown);
    assert_eq!(unknown.expect(404)["errcode"], "M_UNRECOGNIZED");
    let method = stage.browser().get(TOKEN).await;
    assert_eq!(method.expect(405)["errcode"], "M_UNRECOGNIZED");
    let large = client(&stage, TOKEN, "x".repeat(20_000)).await;
    assert_eq!(large.status, 413);
    readable_anywhere(&large);
}

#[tokio::test]
async fn a_delayed_leave_is_handed_over_with_the_question_for_a_token_or_later() {
    let stage = Stage::new();
    let with_leave = |mut body: Value| {
        body["delay_id"] = json!("syd_good");
        body["delay_timeout"] = json!(60_000);
        body["delay_cs_api_url"] = json!("https://elsewhere.test");
        body.to_string()
    };
    for (path, body) in [(TOKEN, asked("good")), (LEGACY, asked_before("good"))] {
        let answer = client(&stage, path, with_leave(body)).await;
        assert_eq!(answer.expect(200)["jwt"], "t0ken");
    }
    let path = "/livekit/jwt/delegate_delayed_leave";
    let answer = client(&stage, path, with_leave(asked("good"))).await;
    readable_anywhere(&answer);
    assert_eq!(answer.expect(200), json!({}));
    // Asked for nothing, it says that it is there.
    let cases = [
        (String::new(), 400, "M_NOT_JSON"),
        (asked("good").to_string(), 400, "M_BAD_JSON"),
        (with_leave(asked("forged")), 401, "M_UNAUTHORIZED"),
    ];
    for (body, status, errcode) in cases {
        let answer = client(&stage, path, body.clone()).await;
        readable_anywhere(&answer);
        assert_eq!(answer.expect(status)["errcode"], errcode, "{body}");
    }
}

#[tokio::test]
async fn one_address_cannot_let_others_be_asked_without_end() {
    let stage = Stage::with(|config| {
        config.limits = Limits {
            tokens_per_address: Rate::new(1, 1),
            ..Limits::default()
        }
    });
    client(&stage, TOKEN, asked("good").to_string())
        .await
        .expect(200);
    let refused = client(&stage, TOKEN, asked("good").to_string()).await;
    readable_anywhere(&refused);
    let body = refused.expect(429);
    assert_eq!(body["errcode"], "M_LIMIT_EXCEEDED");
    assert_eq!(body["retry_after_ms"], 60_000);
    assert_eq!(refused.header("retry-after"), "60");
}
