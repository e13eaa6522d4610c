//! The clerk's side of a call is Element Call itself, unmodified; the guest's is the guest page. A real homeserver and
//! the program's own relay, or LiveKit's server, stand between them.

use anyhow::{Context as _, Result, ensure};
use blackbox::{
    Backend, CallServer, ElementCall, Engine, MEMBER, RelayAccess, Talk, WorldOptions, eventually,
};
use http::Method;
use serde_json::json;

/// The clerk in Element Call, together with the guest in the page.
async fn together(talk: &Talk) -> Result<ElementCall> {
    talk.citizen.chooses("Mit Bild und Ton sprechen").await?;
    talk.until_shown(true).await?;
    let clerk = ElementCall::join(&talk.anna.clerk, &talk.room).await?;
    talk.citizen.reads("Sie sind verbunden mit anna.").await?;
    Ok(clerk)
}

#[tokio::test]
async fn guest_and_clerk_in_element_call_see_and_hear_each_other() -> Result<()> {
    see_and_hear_each_other(Talk::begin(Engine::Chromium).await?).await
}

#[tokio::test]
async fn guest_and_clerk_in_element_call_see_and_hear_each_other_over_livekits_server() -> Result<()>
{
    let Some(livekit) = CallServer::start(Backend::LiveKit).await? else {
        return Ok(());
    };
    see_and_hear_each_other(Talk::begin_over(&livekit).await?).await
}

async fn see_and_hear_each_other(talk: Talk) -> Result<()> {
    let clerk = together(&talk).await?;
    let (citizen, page) = (&talk.citizen, &talk.citizen.browser);
    tokio::try_join!(
        page.sees_and_hears(1, 1),
        clerk.browser.sees_and_hears(1, 1)
    )?;
    clerk.shows("Kim").await?;
    citizen.portrays("element-call-guest").await?;
    clerk.browser.screenshot("element-call-clerk").await?;

    clerk.press("incall_screenshare").await?;
    citizen.reads("anna zeigt etwas").await?;
    page.sees_and_hears(2, 1).await?;
    citizen.portrays("element-call-guest-shown").await?;
    clerk.press("incall_screenshare").await?;
    page.wait_until(
        "the end of the clerk's screen",
        "return document.querySelector('.vz-shown') === null",
        vec![],
    )
    .await?;

    // The guest shows something as well: the clerk sees a second picture that goes on.
    citizen.clicks(".vz-control:nth-child(3)").await?;
    citizen.chooses("Bildschirm teilen").await?;
    citizen.reads("Sie teilen Ihren Bildschirm").await?;
    clerk.browser.sees_and_hears(2, 1).await?;
    clerk.browser.screenshot("element-call-clerk-shown").await?;
    citizen.chooses("Nicht mehr zeigen").await?;

    clerk.press("incall_leave").await?;
    citizen
        .reads("Aus dem Büro ist noch niemand im Videogespräch.")
        .await?;
    citizen.has_seen_no_fault().await
}

/// Element Call in each of its modes meets a guest who is shown by room state, and by sticky events as well if `sticky`.
async fn in_each_mode(sticky: bool) -> Result<()> {
    let relay = CallServer::start(Backend::Vorzimmer).await?;
    let relay = relay.context("our relay")?;
    let access = RelayAccess {
        sticky,
        ..RelayAccess::of(&relay)
    };
    let options = WorldOptions {
        relay: Some(access),
        ..WorldOptions::default()
    };
    let talk = Talk::begin_in(Engine::Chromium, options).await?;
    let (citizen, anna) = (&talk.citizen, &talk.anna.clerk);
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    for sticks in [true, false] {
        let clerk = if sticks {
            ElementCall::join_by_sticky_events(anna, &talk.room).await?
        } else {
            ElementCall::join(anna, &talk.room).await?
        };
        citizen.reads("Sie sind verbunden mit anna.").await?;
        tokio::try_join!(
            citizen.browser.sees_and_hears(1, 1),
            clerk.browser.sees_and_hears(1, 1)
        )?;
        clerk.shows("Kim").await?;
        clerk.press("incall_leave").await?;
        citizen
            .reads("Aus dem Büro ist noch niemand im Videogespräch.")
            .await?;
    }
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn a_guest_in_room_state_is_found_in_each_mode() -> Result<()> {
    in_each_mode(false).await
}

#[tokio::test]
async fn a_guest_in_sticky_events_is_found_in_each_mode() -> Result<()> {
    in_each_mode(true).await
}

/// Element Call hands the delayed event that takes it out of the call over to the program, which watches the relay.
#[tokio::test]
async fn a_clerk_whose_browser_crashes_drops_out_of_the_call() -> Result<()> {
    drops_out_after_a_crash(Talk::begin(Engine::Chromium).await?).await
}

#[tokio::test]
async fn a_clerk_whose_browser_crashes_drops_out_of_a_call_over_livekits_server() -> Result<()> {
    let Some(livekit) = CallServer::start(Backend::LiveKit).await? else {
        return Ok(());
    };
    drops_out_after_a_crash(Talk::begin_over(&livekit).await?).await
}

async fn drops_out_after_a_crash(talk: Talk) -> Result<()> {
    let clerk = together(&talk).await?;
    let anna = &talk.anna.clerk;
    let key = format!("_{}_{}_m.call", anna.user_id(), anna.device_id());
    let membership = async || anna.state(&talk.room, MEMBER, &key).await;
    ensure!(
        membership().await?.is_some_and(|it| it != json!({})),
        "she is in the call"
    );
    let path = "unstable/org.matrix.msc4140/delayed_events";
    eventually("the leave to be handed over", async || {
        let waiting = anna.call(Method::GET, path, None).await?;
        let waiting = waiting.success("delayed events")?;
        let listed = waiting["delayed_events"].as_array().context("a list")?;
        // A client that restarts its own has the homeserver wait for seconds.
        let an_hour = listed.iter().any(|leave| leave["delay"] == 3_600_000);
        Ok(an_hour.then_some(()))
    })
    .await?;
    drop(clerk);
    talk.citizen
        .reads("Aus dem Büro ist noch niemand im Videogespräch.")
        .await?;
    eventually("the membership to be taken back", async || {
        Ok(membership().await?.filter(|it| *it == json!({})))
    })
    .await?;
    talk.citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn after_a_restart_of_the_program_guest_and_clerk_are_back_by_themselves() -> Result<()> {
    let mut talk = Talk::begin(Engine::Chromium).await?;
    let clerk = together(&talk).await?;
    clerk.browser.sees_and_hears(1, 1).await?;

    // As for an update, and as after a power cut.
    for orderly in [true, false] {
        if orderly {
            talk.world.vorzimmer.stop().await?;
        } else {
            talk.world.vorzimmer.kill()?;
        }
        let (citizen, page) = (&talk.citizen, &talk.citizen.browser);
        citizen.reads("Die Verbindung ist unterbrochen.").await?;
        talk.world.vorzimmer.resume().await?;
        citizen.reads("Die Verbindung ist wieder da.").await?;
        citizen.reads("Sie sind verbunden mit anna.").await?;
        tokio::try_join!(
            page.sees_and_hears(1, 1),
            clerk.browser.sees_and_hears(1, 1)
        )?;
    }
    clerk.shows("Kim").await?;
    clerk.browser.screenshot("element-call-restarted").await?;
    Ok(())
}
