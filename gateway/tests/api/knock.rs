use bridge::input::Refusal;
use gateway::port::HouseError;
use serde_json::{Value, json};

use crate::support::{Stage, browser::form, house::noon};

type Fault = fn() -> HouseError;

const DOOR: &str = "/api/v1/offices/gewerbe/visits";

fn form_with(field: &str, value: Value) -> Value {
    let mut form = form();
    form[field] = value;
    form
}

#[tokio::test]
async fn a_knock_makes_a_visit_and_lets_the_browser_back() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let answer = anna.post(DOOR, form()).await;
    let visit = answer.expect(201);
    assert_eq!(visit["ticket"], "G-001");
    assert_eq!(visit["office"], "gewerbe");
    assert_eq!(visit["office_name"], "Gewerbemeldestelle");
    assert_eq!(visit["state"], "waiting");
    assert_eq!(visit["position"], 1);
    assert_eq!(visit["estimated_wait_s"], json!({"low": 300, "high": 900}));
    assert_eq!(visit["knocked_at"], noon().to_string());
    for empty in ["ending", "enter_by", "clerk_name", "decline_text", "notice"] {
        assert_eq!(visit.get(empty), Some(&Value::Null), "{empty}");
    }
    assert_eq!(visit["rated"], false);
    let location = format!("/api/v1/visits/{}", visit["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), location);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("vorzimmer_guest="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=86400; HttpOnly; SameSite=Strict"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(anna.get(&location).await.expect(200), visit);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let stage = Stage::with(|config| "https://buero.test".clone_into(&mut config.public_url));
    let mut anna = stage.browser();
    anna.origin = Some("https://buero.test");
    let answer = anna.post(DOOR, form()).await;
    answer.expect(201);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-vorzimmer_guest="));
    assert!(cookie.ends_with("; Secure"));
}

#[tokio::test]
async fn the_house_gets_the_words_cleaned() {
    let stage = Stage::new();
    let mut form = form();
    form["concern"] = json!("  Erste Zeile\r\nzweite\u{0}\u{1b}[31m <script>alert(1)</script> ");
    form["name"] = json!(" An\u{202E}na\n\u{7} M\u{fc}ller ");
    form["interpreter"] = json!("\tGeb\u{e4}rdensprache ");
    form["service"] = json!("");
    stage.browser().post(DOOR, form).await.expect(201);
    let records = stage.house.records();
    let kept = &records[0].form;
    assert_eq!(
        kept.concern,
        "Erste Zeile\nzweite[31m <script>alert(1)</script>"
    );
    assert_eq!(kept.name.as_deref(), Some("Anna Müller"));
    assert_eq!(kept.interpreter.as_deref(), Some("Gebärdensprache"));
    assert_eq!(kept.service, None);
}

#[tokio::test]
async fn a_browser_stays_the_same_guest() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    anna.knock().await;
    let cookie = anna.cookie.clone();
    let second = anna.post("/api/v1/offices/fundbuero/visits", form()).await;
    second.expect(201);
    assert_eq!(anna.cookie, cookie);
    let records = stage.house.records();
    assert_eq!(records[0].guest, records[1].guest);
}

#[tokio::test]
async fn a_cookie_that_is_none_is_replaced() {
    let stage = Stage::new();
    let mut mallory = stage.browser();
    mallory.cookie = Some("vorzimmer_guest=admin".to_owned());
    mallory.knock().await;
    assert_ne!(mallory.cookie.as_deref(), Some("vorzimmer_guest=admin"));
}

#[tokio::test]
async fn who_is_here_already_is_led_back() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let location = anna.knock().await;
    let problem = anna.post(DOOR, form()).await.problem(409, "already-here");
    let visit = problem["visit"].as_str().unwrap();
    assert_eq!(location, format!("/api/v1/visits/{visit}"));
}

#[tokio::test]
async fn every_fault_of_the_form_is_told_at_once() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let nothing = anna.post(DOOR, json!({})).await;
    assert_eq!(
        nothing.faulty_fields(),
        ["concern", "language", "privacy_accepted"]
    );
    let long = json!({
        "concern": "ä".repeat(1001),
        "name": "n".repeat(81),
        "language": "tlh",
        "service": "../x",
        "interpreter": "i".repeat(61),
        "privacy_accepted": false,
    });
    let fields = [
        "concern",
        "name",
        "language",
        "service",
        "interpreter",
        "privacy_accepted",
    ];
    let answer = anna.post(DOOR, long).await;
    assert_eq!(answer.faulty_fields(), fields);
    let text = answer.json()["errors"][0]["detail"].to_string();
    assert!(text.contains("1000"), "{text}");
    let edge = form_with("concern", json!("ä".repeat(1000)));
    anna.post(DOOR, edge).await.expect(201);
}

#[tokio::test]
async fn a_service_the_office_does_not_have_is_a_fault_of_the_field() {
    let stage = Stage::new();
    let form = form_with("service", json!("heiraten"));
    assert_eq!(
        stage.browser().post(DOOR, form).await.faulty_fields(),
        ["service"]
    );
}

#[tokio::test]
async fn an_invisible_concern_is_missing() {
    let stage = Stage::new();
    let form = form_with("concern", json!("\u{200B}\u{2060} \n"));
    assert_eq!(
        stage.browser().post(DOOR, form).await.faulty_fields(),
        ["concern"]
    );
}

#[tokio::test]
async fn each_refusal_of_the_house_has_its_own_type() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let cases: [(Fault, u16, &str); 9] = [
        (|| HouseError::UnknownOffice, 404, "unknown-office"),
        (|| Refusal::Paused.into(), 409, "office-paused"),
        (|| Refusal::QueueFull.into(), 409, "queue-full"),
        (
            || Refusal::Closed { next_opening: None }.into(),
            409,
            "office-closed",
        ),
        (|| HouseError::HomeserverAway, 503, "homeserver-away"),
        (|| HouseError::Busy, 503, "busy"),
        (|| HouseError::Internal, 500, "internal"),
        (|| HouseError::NotRatable, 500, "internal"),
        (|| Refusal::WrongState.into(), 500, "internal"),
    ];
    for (fault, status, slug) in cases {
        stage.house.fail(fault);
        let answer = anna.post(DOOR, form()).await;
        answer.problem(status, slug);
        assert!(answer.header("set-cookie").is_empty());
        let says_when = !answer.header("retry-after").is_empty();
        assert_eq!(says_when, status == 503, "{slug}");
    }
    stage.house.fail(|| {
        Refusal::Closed {
            next_opening: Some(noon()),
        }
        .into()
    });
    let closed = anna.post(DOOR, form()).await.problem(409, "office-closed");
    assert_eq!(closed["next_opening"], noon().to_string());
}

#[tokio::test]
async fn an_office_that_cannot_be_is_unknown() {
    let stage = Stage::new();
    for slug in ["nirgendwo", "GEWERBE", "a%2Fb", "%00", "-"] {
        let path = format!("/api/v1/offices/{slug}/visits");
        stage
            .browser()
            .post(&path, form())
            .await
            .problem(404, "unknown-office");
    }
}

#[tokio::test]
async fn refusals_speak_the_language_of_the_form_then_of_the_browser() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    anna.language = "en-GB,en;q=0.9,de;q=0.5";
    stage.house.fail(|| Refusal::Paused.into());
    let german = anna.post(DOOR, form()).await;
    assert_eq!(german.json()["title"], "Das Büro macht eine Pause");
    assert_eq!(german.header("content-language"), "de");
    let english = anna.post(DOOR, form_with("language", json!("en"))).await;
    assert_eq!(english.json()["title"], "The office has paused");
    let missing = anna.get("/api/v1/nothing").await;
    assert_eq!(missing.json()["title"], "There is nothing here");
    anna.language = "fr";
    let first = anna.get("/api/v1/nothing").await;
    assert_eq!(first.json()["title"], "Hier gibt es nichts");
}
