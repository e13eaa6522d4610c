//! The harness itself: homeservers that federate, and a browser.

use std::sync::Arc;

use blackbox::{Browser, Site, Viewport};
use serde_json::{Value, json};
use xtask::synapse::Authority;

type TestResult = anyhow::Result<()>;

/// Somebody of another town knocks at an alias here, sees the office's public state, is let in, and is heard.
#[tokio::test]
async fn a_knock_crosses_federation() -> TestResult {
    let dir = tempfile::tempdir()?;
    let authority = Arc::new(Authority::in_dir(dir.path())?);
    let (here, there) = tokio::try_join!(Site::neighbour(&authority), Site::neighbour(&authority))?;
    let (clerk, citizen) = (here.clerk("anna").await?, there.user("emma").await?);

    let room_id = clerk
        .create_room(&json!({
            "preset": "private_chat",
            "room_alias_name": "gewerbe",
            "initial_state": [
                { "type": "m.room.join_rules", "content": { "join_rule": "knock" } },
                { "type": "org.vorzimmer.occupancy", "content": { "status": "free" } },
            ],
        }))
        .await?;
    let mut at_the_desk = clerk.syncing();
    let mut at_home = citizen.syncing();
    let alias = format!("#gewerbe:{}", here.homeserver.server_name());
    assert_eq!(citizen.knock(&alias, "G-001").await?, room_id);

    let knock = at_the_desk
        .until("the knock", |sync| {
            sync.membership(&room_id, citizen.user_id(), "knock")
                .cloned()
        })
        .await?;
    assert_eq!(knock["content"]["reason"], "G-001");
    let seen = at_home
        .until("the room's state", |sync| {
            sync.knock_state(&room_id).map(cloned)
        })
        .await?;
    let occupancy = seen
        .iter()
        .find(|event| event["type"] == "org.vorzimmer.occupancy");
    assert_eq!(
        occupancy.map(|event| &event["content"]["status"]),
        Some(&json!("free"))
    );

    clerk
        .invite(&room_id, citizen.user_id())
        .await?
        .success("approving")?;
    at_home
        .until("the invitation", |sync| {
            sync.invite_state(&room_id).map(cloned)
        })
        .await?;
    citizen.join(&alias).await?;
    citizen.send_text(&room_id, "Guten Tag").await?;
    at_the_desk
        .until("the greeting", |sync| {
            sync.timeline(&room_id)
                .any(|event| event["content"]["body"] == "Guten Tag")
                .then_some(())
        })
        .await
}

fn cloned(events: Vec<&Value>) -> Vec<Value> {
    events.into_iter().cloned().collect()
}

/// What was there before a homeserver was killed is there when it is back.
#[tokio::test]
async fn a_killed_homeserver_comes_back() -> TestResult {
    let dir = tempfile::tempdir()?;
    let mut site = Site::neighbour(&Arc::new(Authority::in_dir(dir.path())?)).await?;
    let clerk = site.clerk("anna").await?;
    let room_id = clerk.create_room(&json!({ "name": "Fundbüro" })).await?;
    site.homeserver.kill()?;
    assert!(clerk.state(&room_id, "m.room.name", "").await.is_err());
    site.homeserver.resume().await?;
    let name = clerk.state(&room_id, "m.room.name", "").await?;
    assert_eq!(name, Some(json!({ "name": "Fundbüro" })));
    Ok(())
}

#[tokio::test]
async fn a_browser_shows_a_page() -> TestResult {
    let browser = Browser::start().await?;
    let page = "<!doctype html><html lang=de><title>Lobby</title><main><h1>Willkommen</h1></main>\
                <script>document.querySelector('h1').after(navigator.language); console.error('a fault')</script>";
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("page.html");
    std::fs::write(&file, page)?;
    browser.goto(&format!("file://{}", file.display())).await?;
    browser.wait_for_text("main", "de-DE").await?;
    assert_eq!(browser.page().title().await?, "Lobby");

    browser.set_viewport(Viewport::NARROW).await?;
    assert_eq!(
        browser.page().execute("return innerWidth", vec![]).await?,
        json!(Viewport::NARROW.width)
    );
    let picture = std::fs::read(browser.screenshot("harness-narrow").await?)?;
    assert!(picture.starts_with(b"\x89PNG"));

    let errors = browser.console_errors().await?;
    assert!(
        errors.iter().any(|error| error.contains("a fault")),
        "{errors:?}"
    );
    assert_eq!(browser.console_errors().await?, [""; 0]);
    Ok(())
}
