use axum::http::Method;
use bridge::{input::Refusal, visit::Ending};
use gateway::port::{HouseError, VisitPhase};
use serde_json::json;

use crate::support::{Stage, house::noon};

#[tokio::test]
async fn a_browser_that_never_knocked_has_no_visits() {
    let stage = Stage::new();
    stage.browser().knock().await;
    let none = stage.browser().get("/api/v1/visits").await;
    assert_eq!(none.expect(200), json!([]));
}

#[tokio::test]
async fn own_visits_are_listed_newest_first() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    anna.knock().await;
    let form = crate::support::browser::form();
    anna.post("/api/v1/offices/fundbuero/visits", form)
        .await
        .expect(201);
    let visits = anna.get("/api/v1/visits").await.expect(200);
    let offices: Vec<_> = visits
        .as_array()
        .unwrap()
        .iter()
        .map(|v| &v["office"])
        .collect();
    assert_eq!(offices, ["fundbuero", "gewerbe"]);
}

#[tokio::test]
async fn the_office_is_named_in_the_language_of_the_page() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    for (language, name) in [("de", "Gewerbemeldestelle"), ("en", "Trade office")] {
        let answer = anna.get(&format!("{visit}?lang={language}")).await;
        assert_eq!(answer.expect(200)["office_name"], name);
    }
}

#[tokio::test]
async fn strangers_find_no_visit_behind_any_door() {
    let stage = Stage::new();
    let visit = stage.browser().knock().await;
    let mut nobody = stage.browser();
    let mut bob = stage.browser();
    bob.knock().await;
    let mut mallory = stage.browser();
    mallory.cookie = Some("vorzimmer_guest=\"; DROP TABLE".to_owned());
    for browser in [&mut nobody, &mut bob, &mut mallory] {
        for path in ["", "/messages", "/events", "/files/1"] {
            let answer = browser.get(&format!("{visit}{path}")).await;
            answer.problem(404, "unknown-visit");
        }
        for (path, body) in [
            ("/leave", json!({})),
            ("/enter", json!({})),
            ("/messages", json!({"client_id": "a", "body": "Hallo"})),
            ("/typing", json!({"typing": true})),
            ("/rating", json!({"stars": 5})),
        ] {
            let answer = browser.post(&format!("{visit}{path}"), body).await;
            answer.problem(404, "unknown-visit");
        }
        let file = browser
            .upload(&format!("{visit}/files"), "a", "a.pdf", b"%PDF-1")
            .await;
        file.problem(404, "unknown-visit");
    }
    assert_eq!(stage.house.records()[0].view.phase, VisitPhase::Waiting);
    let odd = bob.get("/api/v1/visits/..%2f..%2fetc").await;
    odd.problem(404, "unknown-visit");
}

#[tokio::test]
async fn a_called_visit_tells_who_calls_and_how_long() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    stage.house.change_visit(|view| {
        view.phase = VisitPhase::Called;
        view.position = None;
        view.enter_by = Some(noon());
        view.clerk_name = Some("Frau Yilmaz".to_owned());
    });
    let called = anna.get(&visit).await.expect(200);
    assert_eq!(called["state"], "called");
    assert_eq!(called["enter_by"], noon().to_string());
    assert_eq!(called["clerk_name"], "Frau Yilmaz");
    let entered = anna
        .post(&format!("{visit}/enter"), json!({}))
        .await
        .expect(200);
    assert_eq!(entered["state"], "in_conversation");
}

#[tokio::test]
async fn nobody_enters_uncalled() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    let answer = anna.post(&format!("{visit}/enter"), json!({})).await;
    answer.problem(409, "wrong-state");
}

#[tokio::test]
async fn leaving_needs_no_body_and_may_be_repeated() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let leave = format!("{}/leave", anna.knock().await);
    for _ in 0..2 {
        let answer = anna.send(Method::POST, &leave, None, "").await;
        answer.expect(204);
    }
    assert_eq!(stage.house.records()[0].view.ending, Some(Ending::Left));
}

#[tokio::test]
async fn every_ending_has_its_word() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    for (ending, word) in [
        (Ending::Served, "served"),
        (Ending::Left, "left"),
        (Ending::NoShow, "no_show"),
        (Ending::Declined, "declined"),
    ] {
        stage.house.change_visit(|view| {
            view.phase = VisitPhase::Ended;
            view.ending = Some(ending);
            view.decline_text = Some("Bitte kommen Sie <morgen>.".to_owned());
        });
        let ended = anna.get(&visit).await.expect(200);
        assert_eq!(ended["ending"], word);
        assert_eq!(ended["decline_text"], "Bitte kommen Sie <morgen>.");
    }
}

#[tokio::test]
async fn a_visit_is_rated_once_after_its_end() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    let rating = format!("{visit}/rating");
    let early = anna.post(&rating, json!({"stars": 4})).await;
    early.problem(409, "not-ratable");
    anna.post(&format!("{visit}/leave"), json!({}))
        .await
        .expect(204);
    for stars in [0, 6, -1, 256, i64::MAX] {
        let answer = anna.post(&rating, json!({"stars": stars})).await;
        assert_eq!(answer.faulty_fields(), ["stars"]);
    }
    let words = anna.post(&rating, json!({"stars": "five"})).await;
    words.problem(422, "invalid-fields");
    anna.post(&rating, json!({"stars": 4})).await.expect(204);
    let again = anna.post(&rating, json!({"stars": 5})).await;
    again.problem(409, "not-ratable");
    assert_eq!(*stage.house.stars.lock().unwrap(), [4]);
    assert_eq!(anna.get(&visit).await.expect(200)["rated"], true);
}

#[tokio::test]
async fn faults_of_the_house_are_told_as_ours() {
    let stage = Stage::new();
    let mut anna = stage.browser();
    let visit = anna.knock().await;
    let faults: [fn() -> HouseError; 4] = [
        || HouseError::Internal,
        || HouseError::UnknownOffice,
        || HouseError::UnknownService,
        || Refusal::Paused.into(),
    ];
    for fault in faults {
        stage.house.fail(fault);
        for path in ["/api/v1/visits", &visit, &format!("{visit}/messages")] {
            anna.get(path).await.problem(500, "internal");
        }
        anna.get(&format!("{visit}/events"))
            .await
            .problem(500, "internal");
        anna.get(&format!("{visit}/files/1"))
            .await
            .problem(500, "internal");
        for (path, body) in [
            ("leave", json!({})),
            ("enter", json!({})),
            ("messages", json!({"client_id": "a", "body": "Hallo"})),
            ("typing", json!({"typing": true})),
            ("rating", json!({"stars": 5})),
        ] {
            let answer = anna.post(&format!("{visit}/{path}"), body).await;
            answer.problem(500, "internal");
        }
    }
}
