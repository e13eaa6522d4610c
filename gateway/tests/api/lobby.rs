use bridge::office::Status;
use gateway::port::{NextAppointment, OfficeLive};
use serde_json::{Value, json};

use crate::support::{
    Stage,
    browser::{Events, settle},
    house::noon,
};

fn waiting(number: u32) -> impl Fn(&mut OfficeLive) {
    move |office| office.occupancy.waiting = number
}

/// The next event's office.
async fn slug(events: &mut Events) -> String {
    let (name, data) = events.next().await;
    assert_eq!(name, "office");
    assert!(data["html"].as_str().unwrap().contains('<'));
    data["slug"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_live_state_is_public_and_open_to_other_sites() {
    let stage = Stage::new();
    let mut site = stage.browser();
    site.origin = Some("https://www.stadt.example");
    let answer = site.get("/api/v1/offices").await;
    let offices = answer.expect(200);
    assert_eq!(
        offices[0],
        json!({
            "slug": "gewerbe",
            "name": "Gewerbemeldestelle",
            "status": "busy",
            "waiting": 2,
            "in_conversation": 1,
            "desks_on_duty": 1,
            "estimated_wait_s": {"low": 300, "high": 900},
            "next_opening": null,
            "closes_at": "2026-11-23T15:00:00Z",
            "accepting": true,
            "notice": null,
            "next_appointment": null,
            "as_of": noon().to_string(),
        })
    );
    assert_eq!(offices[1]["slug"], "fundbuero");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "public, max-age=1");
    let one = site
        .get("/api/v1/offices/fundbuero?lang=en")
        .await
        .expect(200);
    assert_eq!(one["name"], "Lost property");
    let private = site.get("/api/v1/visits").await;
    assert!(private.header("access-control-allow-origin").is_empty());
}

#[tokio::test]
async fn the_next_free_appointment_stands_beside_the_waiting_time() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let mut events = browser.listen("/api/v1/lobby/events?lang=en").await;
    slug(&mut events).await;
    slug(&mut events).await;
    for (appointment, api, shown) in [
        (
            NextAppointment::At("2026-11-24T08:20:00Z".parse().unwrap()),
            json!("2026-11-24T08:20:00Z"),
            "Next free appointment: tomorrow at 9:20",
        ),
        (
            NextAppointment::FullyBooked,
            Value::Null,
            "All appointments are taken",
        ),
    ] {
        stage
            .house
            .change_lobby(|lobby| lobby.offices[0].appointment = appointment);
        let (_, data) = events.next().await;
        let html = data["html"].as_str().unwrap();
        assert!(html.contains(shown), "{html}");
        let link = html.contains("href=\"/en/buero/gewerbe/termin\"");
        assert_eq!(link, api.is_string(), "{html}");
        let office = browser.get("/api/v1/offices/gewerbe").await.expect(200);
        assert_eq!(office["next_appointment"], api);
        for page in ["/en", "/en/buero/gewerbe", "/en/einbetten"] {
            let page = browser.get(page).await;
            assert!(String::from_utf8_lossy(&page.body).contains(shown));
        }
    }
}

#[tokio::test]
async fn every_status_has_its_word() {
    let stage = Stage::new();
    for (status, word) in [
        (Status::Free, "free"),
        (Status::Busy, "busy"),
        (Status::Paused, "paused"),
        (Status::Closed, "closed"),
    ] {
        stage
            .house
            .change_lobby(|lobby| lobby.offices[0].occupancy.status = status);
        let office = stage.browser().get("/api/v1/offices/gewerbe").await;
        assert_eq!(office.expect(200)["status"], word);
    }
}

#[tokio::test]
async fn wrong_offices_and_languages_are_told() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let unknown = browser.get("/api/v1/offices/nirgendwo").await;
    unknown.problem(404, "unknown-office");
    assert_eq!(unknown.header("access-control-allow-origin"), "*");
    assert_eq!(unknown.header("cache-control"), "no-store");
    for path in ["/api/v1/offices?lang=fr", "/api/v1/lobby/events?lang="] {
        browser.get(path).await.problem(400, "invalid-query");
    }
}

#[tokio::test]
async fn watchers_get_all_offices_and_then_those_that_change() {
    let stage = Stage::new();
    let browser = stage.browser();
    let mut german = browser.listen("/api/v1/lobby/events?lang=de").await;
    let mut english = browser.listen("/api/v1/lobby/events?lang=en").await;
    for events in [&mut german, &mut english] {
        assert_eq!(slug(events).await, "gewerbe");
        assert_eq!(slug(events).await, "fundbuero");
        assert!(events.is_quiet().await);
    }
    stage
        .house
        .change_lobby(|lobby| waiting(9)(&mut lobby.offices[1]));
    for events in [&mut german, &mut english] {
        assert_eq!(slug(events).await, "fundbuero");
        assert!(events.is_quiet().await);
    }
}

#[tokio::test]
async fn what_looks_the_same_is_not_sent_again() {
    let stage = Stage::new();
    let mut events = stage.browser().listen("/api/v1/lobby/events").await;
    slug(&mut events).await;
    slug(&mut events).await;
    stage.house.change_lobby(|_| ());
    settle().await;
    assert!(events.is_quiet().await);
}

#[tokio::test]
async fn a_slow_watcher_skips_to_the_newest_state() {
    let stage = Stage::new();
    let mut slow = stage.browser().listen("/api/v1/lobby/events").await;
    slug(&mut slow).await;
    slug(&mut slow).await;
    for number in 10..20 {
        stage
            .house
            .change_lobby(|lobby| waiting(number)(&mut lobby.offices[0]));
        settle().await;
    }
    stage
        .house
        .change_lobby(|lobby| waiting(7)(&mut lobby.offices[1]));
    settle().await;
    let (_, first) = slow.next().await;
    assert_eq!(first["slug"], "gewerbe");
    assert!(first["html"].as_str().unwrap().contains("19"), "{first}");
    assert_eq!(slug(&mut slow).await, "fundbuero");
    assert!(slow.is_quiet().await);
}

#[tokio::test]
async fn a_lobby_left_and_entered_again_is_up_to_date() {
    let stage = Stage::new();
    let browser = stage.browser();
    drop(browser.listen("/api/v1/lobby/events").await);
    settle().await;
    stage
        .house
        .change_lobby(|lobby| waiting(42)(&mut lobby.offices[0]));
    settle().await;
    let mut events = browser.listen("/api/v1/lobby/events").await;
    let (_, data): (_, Value) = events.next().await;
    assert!(data["html"].as_str().unwrap().contains("42"), "{data}");
    slug(&mut events).await;
    stage
        .house
        .change_lobby(|lobby| waiting(43)(&mut lobby.offices[0]));
    assert_eq!(slug(&mut events).await, "gewerbe");
}
