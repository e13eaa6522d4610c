//! An interpreter comes into the conversation: by a link that the citizen gives out, with a browser of their own. The
//! clerk is in the unmodified Element Call.

use anyhow::{Context as _, Result, ensure};
use blackbox::{Answer, Citizen, Client, ElementCall, Engine, Guest, Talk, World, eventually};
use http::{Method, StatusCode, header};
use serde_json::json;

const MEMBER: &str = "org.matrix.msc3401.call.member";

#[tokio::test]
async fn citizen_interpreter_and_clerk_see_and_hear_each_other() -> Result<()> {
    let talk = Talk::begin(Engine::Chromium).await?;
    let citizen = &talk.citizen;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    talk.until_shown(true).await?;
    citizen.clicks("#bring summary").await?;
    citizen.chooses("Link zum Dolmetschen").await?;
    let link = citizen
        .browser
        .find("#bring-0")
        .await?
        .prop("value")
        .await?;
    let link = link.context("the link is empty")?;
    citizen.portrays("beside-1-link").await?;

    let interpreter = Citizen::equipped(&talk.world, Engine::Chromium).await?;
    interpreter.browser.goto(&link).await?;
    interpreter.sees_heading("Sie kommen dazu").await?;
    interpreter.portrays("beside-2-offer").await?;
    interpreter.chooses("Mit Bild und Ton sprechen").await?;
    let clerk = ElementCall::join(&talk.anna.clerk, &talk.room).await?;
    tokio::try_join!(
        citizen.browser.sees_and_hears(2, 2),
        interpreter.browser.sees_and_hears(2, 2),
        clerk.browser.sees_and_hears(2, 2),
    )?;
    clerk.shows("Dolmetschende Person").await?;
    interpreter.portrays("beside-3-together").await?;

    // As closing the tab: the page is gone, and says no goodbye.
    interpreter.browser.goto("about:blank").await?;
    citizen.reads("Sie sind verbunden mit anna.").await?;
    eventually("the interpreter to be out of the call", async || {
        let there = in_call(&talk.anna.clerk, &talk.room).await?;
        Ok((there.len() == 2).then_some(()))
    })
    .await?;
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn a_link_opens_one_place_in_the_call_until_the_visit_ends() -> Result<()> {
    let world = World::with_own_relay().await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    anna.on_duty().await?;
    let citizen = world.guest()?;
    let visit = citizen.knock("gewerbe", "Ich eröffne ein Café.").await?;
    let visit = visit["id"].as_str().context("no id")?.to_owned();

    // Three come along, and whom the citizen does not ask has no link.
    let path = format!("visits/{visit}/participants");
    let wish = json!({ "role": "interpreter" });
    let mut secrets = Vec::new();
    for _ in 0..3 {
        let link = citizen.call(Method::POST, &path, Some(&wish)).await?;
        let link = link.success("a link")?;
        secrets.push(link["token"].as_str().context("no secret")?.to_owned());
    }
    let fourth = citizen.call(Method::POST, &path, Some(&wish)).await?;
    ensure!(
        fourth.problem() == Some("too-many-participants"),
        "{fourth:?}"
    );
    let (first, second) = (world.stranger()?, world.stranger()?);
    let foreign = first.call(Method::POST, &path, Some(&wish)).await?;
    ensure!(foreign.status == StatusCode::NOT_FOUND, "{foreign:?}");
    let made_up = takes_part(&first, &"A".repeat(43)).await?;
    ensure!(made_up.problem() == Some("unknown-link"), "{made_up:?}");

    // The place is the browser's that opened the link last, and opens nothing else of the visit.
    let place = takes_part(&first, &secrets[0]).await?.success("a place")?;
    ensure!(place["state"] == "waiting", "{place}");
    let id = place["id"].as_str().context("no id")?;
    let call = format!("visits/participation/{id}/call");
    takes_part(&second, &secrets[0])
        .await?
        .success("the place")?;
    let lost = first.call(Method::POST, &call, None).await?;
    ensure!(lost.problem() == Some("unknown-link"), "{lost:?}");
    let whole = format!("visits/{visit}");
    let peeking = second.call(Method::GET, &whole, None).await?;
    ensure!(peeking.status == StatusCode::NOT_FOUND, "{peeking:?}");
    let early = second.call(Method::POST, &call, None).await?;
    ensure!(early.problem() == Some("no-conversation"), "{early:?}");

    // The page waits until the conversation begins, and then its person is in the call.
    let mut page = second.events(&format!("participation/{id}")).await?;
    let _citizens_page = citizen.events(&visit).await?;
    anna.approves("G-001").await?;
    let room = anna.consultation("G-001").await?;
    citizen.until(&visit, "called").await?;
    citizen.enter(&visit).await?;
    page.until("the conversation", |name, data| {
        (name == "participation" && data["state"] == "in_conversation").then_some(())
    })
    .await?;
    eventually("the interpreter's way into the call", async || {
        let answer = second.call(Method::POST, &call, None).await?;
        Ok(answer.status.is_success().then_some(()))
    })
    .await?;
    let shown = |number: usize| {
        let (anna, room) = (&anna.clerk, &room);
        eventually("those in the call", async move || {
            Ok((in_call(anna, room).await?.len() == number).then_some(()))
        })
    };
    // The citizen, whose page is open as well, and the interpreter.
    shown(2).await?;
    drop(page);
    shown(1).await?;

    // With the visit ends the link, and the ghost goes.
    let _page = second.events(&format!("participation/{id}")).await?;
    eventually("the way back into the call", async || {
        let answer = second.call(Method::POST, &call, None).await?;
        Ok(answer.status.is_success().then_some(()))
    })
    .await?;
    shown(2).await?;
    citizen.leave(&visit).await?;
    shown(0).await?;
    let over = takes_part(&second, &secrets[0]).await?;
    ensure!(over.status == StatusCode::GONE, "{over:?}");
    eventually("the ghosts to be out of the room", async || {
        let state = anna.clerk.full_state(&room).await?;
        let ghosts = state.iter().filter(|event| {
            event["type"] == "m.room.member"
                && event["content"]["membership"] == "join"
                && event["state_key"]
                    .as_str()
                    .is_some_and(|user| user.starts_with("@_vorzimmer_"))
        });
        Ok((ghosts.count() == 0).then_some(()))
    })
    .await
}

/// Whose membership of the room's call is in force.
async fn in_call(clerk: &Client, room: &str) -> Result<Vec<String>> {
    let state = clerk.full_state(room).await?;
    let members = state
        .iter()
        .filter(|event| event["type"] == MEMBER && event["content"].get("application").is_some());
    Ok(members
        .filter_map(|event| event["sender"].as_str().map(str::to_owned))
        .collect())
}

async fn takes_part(guest: &Guest, secret: &str) -> Result<Answer> {
    let request = guest
        .request(Method::POST, "/api/v1/visits/participation")
        .header(header::AUTHORIZATION, format!("Bearer {secret}"));
    guest.send(request).await
}
