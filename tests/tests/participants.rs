//! An interpreter comes into the conversation: by a link that the citizen gives out, with a browser of their own. The
//! clerk is in the unmodified Element Call.

use anyhow::{Context as _, Result, ensure};
use blackbox::{
    Answer, Backend, CallServer, Caller, Citizen, Client, ElementCall, Engine, Guest, Joining,
    MEMBER, RelayAccess, Talk, World, WorldOptions, eventually, text,
};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

#[tokio::test]
async fn citizen_interpreter_and_clerk_see_and_hear_each_other() -> Result<()> {
    let (talk, link) = brings("Link zum Dolmetschen").await?;
    let citizen = &talk.citizen;
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

#[tokio::test]
async fn whom_a_clerk_puts_out_of_the_room_is_out_of_the_call_until_asked_back() -> Result<()> {
    out_until_asked_back(World::with_own_relay().await?, Backend::Vorzimmer).await
}

#[tokio::test]
async fn whom_a_clerk_puts_out_is_out_of_a_call_over_livekits_server() -> Result<()> {
    let Some(livekit) = CallServer::start(Backend::LiveKit).await? else {
        return Ok(());
    };
    let options = WorldOptions {
        relay: Some(RelayAccess::of(&livekit)),
        ..WorldOptions::default()
    };
    out_until_asked_back(World::start_with(options).await?, Backend::LiveKit).await
}

async fn out_until_asked_back(world: World, relay: Backend) -> Result<()> {
    let mut anna = world.desk("anna", "gewerbe").await?;
    anna.on_duty().await?;
    let citizen = world.guest()?;
    let visit = citizen.knock("gewerbe", "Ich eröffne ein Café.").await?;
    let visit = visit["id"].as_str().context("no id")?.to_owned();
    let _citizens_page = citizen.events(&visit).await?;
    let citizens_ghost = anna.approves("G-001").await?;
    let room = anna.consultation("G-001").await?;
    citizen.until(&visit, "called").await?;
    citizen.enter(&visit).await?;
    let path = format!("visits/{visit}/participants");
    let wish = json!({ "role": "companion" });
    let link = citizen.call(Method::POST, &path, Some(&wish)).await?;
    let link = link.success("a link")?;
    let secret = link["token"].as_str().context("no secret")?;
    let companion = world.stranger()?;
    let place = takes_part(&companion, secret).await?.success("a place")?;
    let id = place["id"].as_str().context("no id")?;
    let mut page = companion.events(&format!("participation/{id}")).await?;

    // Both are in the call, by its relay as by the room.
    let call = format!("visits/participation/{id}/call");
    let transport = in_the_call(&companion, &call).await?;
    let beside = joins(&world, 1, &transport).await?;
    let citizens_call = format!("visits/{visit}/call");
    let citizens_transport = in_the_call(&citizen, &citizens_call).await?;
    let own = joins(&world, 2, &citizens_transport).await?;
    let shown = |number: usize| {
        let (anna, room) = (&anna.clerk, &room);
        eventually("those in the call", async move || {
            let there = in_call(anna, room).await?;
            Ok((there.len() == number).then_some(there))
        })
    };
    let mut there = shown(2).await?;
    there.retain(|user| *user != citizens_ghost);
    let ghost = there.pop().context("no companion in the call")?;

    anna.clerk
        .kick(&room, &ghost)
        .await?
        .success("putting out")?;
    beside
        .event("out", |event| event["reason"] == "PARTICIPANT_REMOVED")
        .await?;
    page.until("the word of it", |name, _| {
        (name == "turned_out").then_some(())
    })
    .await?;
    ensure!(page.next().await?.is_none(), "the page's events go on");
    shown(1).await?;
    world.settled().await?;

    // There is no way back, by the relay, by the page or by another browser.
    match relay {
        Backend::Vorzimmer => ensure!(
            joins(&world, 3, &transport).await.is_err(),
            "the relay lets the token in"
        ),
        // LiveKit's server does let the token in.
        Backend::LiveKit => {
            let back = joins(&world, 3, &transport).await?;
            back.event("out", |event| event["reason"] == "PARTICIPANT_REMOVED")
                .await?;
        }
    }
    for guest in [&companion, &world.stranger()?] {
        let refused = takes_part(guest, secret).await?;
        ensure!(refused.problem() == Some("turned-out"), "{refused:?}");
    }
    let refused = companion.call(Method::POST, &call, None).await?;
    ensure!(refused.problem() == Some("turned-out"), "{refused:?}");
    let late = companion.events(&format!("participation/{id}")).await?;
    let late = { late }.next().await?.context("no word for the page")?;
    ensure!(late.0 == "turned_out", "{late:?}");
    ensure!(own.events("out").is_empty(), "the citizen is out as well");
    let state = citizen.visit(&visit).await?;
    ensure!(state["state"] == "in_conversation", "{state}");

    // Invited again in Element, the same link leads back.
    anna.clerk
        .invite(&room, &ghost)
        .await?
        .success("asking back")?;
    eventually("the place", async || {
        let answer = takes_part(&companion, secret).await?;
        Ok(answer.status.is_success().then_some(()))
    })
    .await?;
    let _page = companion.events(&format!("participation/{id}")).await?;
    let transport = in_the_call(&companion, &call).await?;
    joins(&world, 4, &transport).await?;
    shown(2).await?;
    world.settled().await
}

/// The first relay that the guest is told of, as soon as the conversation has its call.
async fn in_the_call(guest: &Guest, path: &str) -> Result<Value> {
    let call = eventually("the call", async || {
        let answer = guest.call(Method::POST, path, None).await?;
        Ok(answer.status.is_success().then_some(answer.body))
    })
    .await?;
    Ok(call["transports"][0].clone())
}

/// Somebody who joins with what the page was told.
async fn joins(world: &World, number: u8, transport: &Value) -> Result<Caller> {
    let caller = Caller::start(number, world.dir()).await?;
    let (url, token) = (text(transport, "url")?, text(transport, "token")?);
    caller.join(&url, &token, &Joining::default()).await?;
    Ok(caller)
}

#[tokio::test]
async fn the_page_of_whom_a_clerk_puts_out_says_so_and_stays_out() -> Result<()> {
    let (talk, link) = brings("Link für Begleitung").await?;
    let citizen = &talk.citizen;
    let companion = Citizen::equipped(&talk.world, Engine::Chromium).await?;
    companion.browser.goto(&link).await?;
    companion.chooses("Mit Bild und Ton sprechen").await?;
    tokio::try_join!(
        citizen.browser.sees_and_hears(1, 1),
        companion.browser.sees_and_hears(1, 1),
    )?;
    let mut there = in_call(&talk.anna.clerk, &talk.room).await?;
    there.retain(|user| *user != talk.ghost);
    let ghost = there.pop().context("no companion in the call")?;

    talk.anna
        .clerk
        .kick(&talk.room, &ghost)
        .await?
        .success("putting out")?;
    companion
        .sees_heading("Sie sind nicht mehr im Gespräch")
        .await?;
    companion.reads("Das Büro hat Ihre Teilnahme").await?;
    companion.portrays("beside-4-put-out").await?;
    companion.reloads().await?;
    companion
        .sees_heading("Sie sind nicht mehr im Gespräch")
        .await?;
    eventually("the citizen to be alone in the call", async || {
        let there = in_call(&talk.anna.clerk, &talk.room).await?;
        Ok((there == [talk.ghost.clone()]).then_some(()))
    })
    .await?;
    citizen.has_seen_no_fault().await
}

/// A citizen in the call, who has made a link for somebody who comes along; the button that makes it says `label`.
async fn brings(label: &str) -> Result<(Talk, String)> {
    let talk = Talk::begin(Engine::Chromium).await?;
    let citizen = &talk.citizen;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    talk.until_shown(true).await?;
    citizen.clicks("#bring summary").await?;
    citizen.chooses(label).await?;
    let link = citizen.browser.find("#bring-0").await?;
    let link = link.prop("value").await?.context("the link is empty")?;
    Ok((talk, link))
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
