use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, Request},
};
use bridge::ids::Language;
use gateway::problem::{Fault, Kind};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use texts::Catalogue;
use tower::ServiceExt;

use crate::support::{ORIGIN, Stage, browser::form};

const DOOR: &str = "/api/v1/offices/gewerbe/visits";

#[tokio::test]
async fn only_own_pages_change_anything() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let visit = browser.knock().await;
    let paths = ["leave", "enter", "messages", "typing", "files", "rating"]
        .map(|path| format!("{visit}/{path}"));
    for origin in [
        None,
        Some("https://evil.test"),
        Some("null"),
        Some("http://buero.test.evil"),
    ] {
        browser.origin = origin;
        for path in paths.iter().map(String::as_str).chain([DOOR]) {
            let answer = browser.post(path, form()).await;
            answer.problem(403, "foreign-origin");
        }
    }
    for site in ["cross-site", "same-site", "none"] {
        browser.origin = None;
        browser.extra = vec![("sec-fetch-site", site.to_owned())];
        let answer = browser.post(&paths[0], json!({})).await;
        answer.problem(403, "foreign-origin");
    }
    browser.extra = vec![("sec-fetch-site", "same-origin".to_owned())];
    browser.post(&paths[0], json!({})).await.expect(204);
}

#[tokio::test]
async fn only_json_is_read() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let visit = browser.knock().await;
    let text = form().to_string();
    let paths =
        ["leave", "enter", "messages", "typing", "rating"].map(|path| format!("{visit}/{path}"));
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "json",
    ] {
        for path in paths.iter().map(String::as_str).chain([DOOR]) {
            let answer = browser
                .send(Method::POST, path, Some(kind), text.clone())
                .await;
            answer.problem(415, "unsupported-type");
        }
    }
    let none = browser.send(Method::POST, DOOR, None, text).await;
    none.problem(415, "unsupported-type");
}

#[tokio::test]
async fn broken_and_oversized_bodies_are_refused_without_repeating_them() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let kind = Some("application/json");
    for (body, status, slug) in [
        ("", 400, "malformed-json"),
        ("{\"concern\": \"geheim", 400, "malformed-json"),
        ("geheim", 400, "malformed-json"),
        ("\u{feff}{}", 400, "malformed-json"),
        ("{\"concern\": [\"geheim\"]}", 422, "invalid-fields"),
        ("[\"geheim\"]", 422, "invalid-fields"),
        ("null", 422, "invalid-fields"),
    ] {
        let answer = browser.send(Method::POST, DOOR, kind, body).await;
        answer.problem(status, slug);
        assert!(!String::from_utf8_lossy(&answer.body).contains("geheim"));
    }
    let deep = "[".repeat(10_000);
    let answer = browser.send(Method::POST, DOOR, kind, deep).await;
    assert!(answer.status.is_client_error());
    let invalid = browser.send(Method::POST, DOOR, kind, vec![0xff; 10]).await;
    invalid.problem(400, "malformed-json");
    let mut large = form();
    large["concern"] = json!("x".repeat(64 * 1024));
    browser.post(DOOR, large).await.problem(413, "too-large");
    assert!(stage.house.records().is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_problem() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/visits/",
        "/api/v2/offices",
        "/api/v1/%ff",
    ] {
        browser.get(path).await.problem(404, "not-found");
    }
    let method = browser.post("/api/v1/offices", json!({})).await;
    method.problem(405, "method-not-allowed");
    assert!(method.header("allow").contains("GET"));
    let delete = browser
        .send(Method::DELETE, "/api/v1/visits", None, "")
        .await;
    delete.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn every_answer_carries_the_policy() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let visit = browser.knock().await;
    let paths = [
        "/",
        "/nothing",
        "/einbettenx",
        "/api/v1/offices",
        "/api/v1/nothing",
        "/api/v1/openapi.json",
        &visit,
    ];
    for path in paths {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{path}: {policy}"
        );
        assert!(
            policy.ends_with("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert!(
            answer
                .header("permissions-policy")
                .contains("camera=(self), microphone=(self)")
        );
        assert!(answer.header("strict-transport-security").is_empty());
    }
    for path in ["/einbetten", "/en/einbetten"] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.ends_with("frame-ancestors *"), "{path}: {policy}");
        assert!(policy.starts_with("default-src 'none'"));
    }
    let secure = Stage::with(|config| "https://buero.test".clone_into(&mut config.public_url));
    let answer = secure.browser().get("/api/v1/offices").await;
    assert_eq!(
        answer.header("strict-transport-security"),
        "max-age=31536000"
    );
}

#[tokio::test]
async fn only_the_page_of_a_visit_may_connect_to_relays_and_run_webassembly() {
    for (public_url, relays) in [
        ("https://buero.test", "connect-src 'self' https: wss:;"),
        (
            "http://localhost:8080",
            "connect-src 'self' http: https: ws: wss:;",
        ),
    ] {
        let stage = Stage::with(|config| public_url.clone_into(&mut config.public_url));
        let mut browser = stage.browser();
        let visit = browser.get(&format!("/besuch/{}", "a".repeat(26))).await;
        let policy = visit.header("content-security-policy");
        assert!(policy.contains(relays), "{policy}");
        assert!(
            policy.starts_with(
                "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src"
            ),
            "{policy}"
        );
        assert!(!policy.contains("'unsafe"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        for path in ["/", "/buero/gewerbe", "/einbetten"] {
            let answer = browser.get(path).await;
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("connect-src 'self';"), "{path}: {policy}");
            assert!(policy.contains("script-src 'self';"), "{path}: {policy}");
            assert!(!policy.contains("worker-src"), "{path}: {policy}");
        }
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    tokio::time::pause();
    let stage = Stage::new();
    let body = Body::from_stream(futures_util::stream::pending::<
        Result<bytes::Bytes, std::io::Error>,
    >());
    let request = Request::post(DOOR)
        .header("origin", ORIGIN)
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    let response = stage.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 408);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
}

#[tokio::test]
async fn metrics_count_by_route_and_hold_nothing_of_visits() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    anna.get(&visit).await.expect(200);
    anna.post(DOOR, json!({})).await.faulty_fields();
    anna.get("/api/v1/nothing-secret")
        .await
        .problem(404, "not-found");
    let _events = anna.listen(&format!("{visit}/events")).await;
    let text = recorder.handle().render();
    for line in [
        "vorzimmer_http_requests_total{method=\"GET\",route=\"/api/v1/visits/{id}\",status=\"2xx\"} 1",
        "vorzimmer_knocks_total{result=\"accepted\"} 1",
        "vorzimmer_knocks_total{result=\"invalid\"} 1",
        "vorzimmer_event_streams{kind=\"visit\"} 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let id = visit.rsplit('/').next().unwrap();
    for secret in [id, "secret", "Anna", "192.0.2.1"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn every_problem_and_fault_has_words() {
    let texts = Catalogue::load();
    let spoken = |key: &str| {
        for language in Language::ALL {
            assert_ne!(texts.text(language, key, None), key);
        }
    };
    for kind in Kind::ALL {
        spoken(&format!("problem-{}-title", kind.slug()));
        spoken(&format!("problem-{}-detail", kind.slug()));
    }
    for fault in Fault::ALL {
        spoken(fault.key());
    }
}

#[tokio::test]
async fn health_is_told_to_the_operator_only() {
    let stage = Stage::new();
    assert_eq!(stage.browser().get("/healthz").await.status, 404);
    let health = |ready: Result<(), String>| {
        gateway::health_router(Arc::new(move || {
            let ready = ready.clone();
            Box::pin(async move { ready })
        }))
    };
    let ask = async |router: axum::Router, path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask(health(Ok(())), "/readyz").await, 200);
    assert_eq!(
        ask(health(Err("no database".to_owned())), "/readyz").await,
        503
    );
    assert_eq!(
        ask(health(Err("no database".to_owned())), "/healthz").await,
        200
    );
}
