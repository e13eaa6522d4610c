use std::time::Duration;

use gateway::{
    address::ProxyHeader,
    limits::{Limits, Rate},
    state::GatewayConfig,
};
use serde_json::json;

use crate::support::{
    Stage,
    browser::{Answer, form},
};

fn limited(limits: Limits) -> impl FnOnce(&mut GatewayConfig) {
    move |config| config.limits = limits
}

/// A fresh browser at this address knocks.
async fn knock_from(stage: &Stage, address: &str) -> Answer {
    let mut browser = stage.browser();
    browser.peer = address.parse().unwrap();
    browser.post("/api/v1/offices/gewerbe/visits", form()).await
}

#[tokio::test]
async fn one_address_may_not_knock_without_end() {
    let stage = Stage::with(limited(Limits {
        knocks_per_address: Rate::new(6, 2),
        ..Limits::default()
    }));
    for _ in 0..2 {
        knock_from(&stage, "192.0.2.1").await.expect(201);
    }
    let refused = knock_from(&stage, "192.0.2.1").await;
    refused.problem(429, "too-many-requests");
    assert_eq!(refused.header("retry-after"), "10");
    knock_from(&stage, "192.0.2.2").await.expect(201);
    stage.pass(Duration::from_secs(9));
    knock_from(&stage, "192.0.2.1")
        .await
        .problem(429, "too-many-requests");
    stage.pass(Duration::from_secs(1));
    knock_from(&stage, "192.0.2.1").await.expect(201);
    knock_from(&stage, "192.0.2.1")
        .await
        .problem(429, "too-many-requests");
}

#[tokio::test]
async fn one_ipv6_line_is_one_address() {
    let stage = Stage::with(limited(Limits {
        knocks_per_address: Rate::new(1, 1),
        ..Limits::default()
    }));
    knock_from(&stage, "2001:db8:0:1::1").await.expect(201);
    let neighbour = knock_from(&stage, "2001:db8:0:1:ffff::2").await;
    neighbour.problem(429, "too-many-requests");
    knock_from(&stage, "2001:db8:0:2::1").await.expect(201);
}

#[tokio::test]
async fn the_city_has_a_limit_and_one_address_cannot_use_it_up() {
    let stage = Stage::with(limited(Limits {
        knocks_per_address: Rate::new(1, 1),
        knocks_city: Rate::new(60, 3),
        ..Limits::default()
    }));
    knock_from(&stage, "192.0.2.1").await.expect(201);
    for _ in 0..10 {
        knock_from(&stage, "192.0.2.1")
            .await
            .problem(429, "too-many-requests");
    }
    for host in 2..4 {
        knock_from(&stage, &format!("192.0.2.{host}"))
            .await
            .expect(201);
    }
    knock_from(&stage, "192.0.2.4")
        .await
        .problem(429, "too-many-requests");
    stage.pass(Duration::from_secs(1));
    knock_from(&stage, "192.0.2.5").await.expect(201);
}

#[tokio::test]
async fn only_the_citys_own_proxy_names_clients() {
    let stage = Stage::with(|config| {
        config.limits.knocks_per_address = Rate::new(1, 1);
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        config.proxy_header = ProxyHeader::XForwardedFor;
    });
    let knock = async |peer: &str, client: &str| {
        let mut browser = stage.browser();
        browser.peer = peer.parse().unwrap();
        browser.extra = vec![("x-forwarded-for", client.to_owned())];
        let door = "/api/v1/offices/gewerbe/visits";
        browser.post(door, form()).await.status.as_u16()
    };
    assert_eq!(knock("10.0.0.1", "192.0.2.1").await, 201);
    assert_eq!(knock("10.0.0.1", "192.0.2.2").await, 201);
    assert_eq!(knock("10.0.0.1", "1.1.1.1, 192.0.2.1").await, 429);
    assert_eq!(knock("203.0.113.1", "192.0.2.3").await, 201);
    assert_eq!(knock("203.0.113.1", "192.0.2.4").await, 429);
}

#[tokio::test]
async fn messages_files_and_typing_are_limited_by_visit() {
    let stage = Stage::with(limited(Limits {
        messages_per_visit: Rate::new(60, 2),
        files_per_visit: Rate::new(60, 1),
        typing_per_visit: Rate::new(60, 1),
        ..Limits::default()
    }));
    let (mut anna, visit) = stage.talking().await;
    let message = json!({"client_id": "a", "body": "Hallo"});
    let path = format!("{visit}/messages");
    for status in [202, 202, 429] {
        anna.post(&path, message.clone()).await.expect(status);
    }
    for status in [202, 429] {
        anna.upload(&format!("{visit}/files"), "f", "a.pdf", b"%PDF-")
            .await
            .expect(status);
    }
    for status in [204, 429] {
        anna.post(&format!("{visit}/typing"), json!({"typing": true}))
            .await
            .expect(status);
    }
    stage.pass(Duration::from_secs(1));
    anna.post(&path, message).await.expect(202);
}

#[tokio::test]
async fn a_stranger_cannot_use_up_a_guests_quota() {
    let stage = Stage::with(limited(Limits {
        messages_per_visit: Rate::new(1, 1),
        ..Limits::default()
    }));
    let (mut anna, visit) = stage.talking().await;
    let message = json!({"client_id": "a", "body": "Hallo"});
    let path = format!("{visit}/messages");
    let mut mallory = stage.browser();
    mallory.knock().await;
    for status in [404, 429] {
        mallory.post(&path, message.clone()).await.expect(status);
    }
    anna.post(&path, message).await.expect(202);
}

#[tokio::test]
async fn the_city_limits_messages_too() {
    let stage = Stage::with(limited(Limits {
        messages_city: Rate::new(60, 1),
        ..Limits::default()
    }));
    let (mut anna, visit) = stage.talking().await;
    let message = json!({"client_id": "a", "body": "Hallo"});
    for status in [202, 429] {
        anna.post(&format!("{visit}/messages"), message.clone())
            .await
            .expect(status);
    }
}

#[tokio::test]
async fn too_many_files_at_once_are_put_off() {
    let stage = Stage::with(limited(Limits {
        uploads_at_once: 0,
        ..Limits::default()
    }));
    let (mut anna, visit) = stage.talking().await;
    let answer = anna
        .upload(&format!("{visit}/files"), "f", "a.pdf", b"%PDF-")
        .await;
    answer.problem(503, "busy");
    assert_eq!(answer.header("retry-after"), "5");
}
