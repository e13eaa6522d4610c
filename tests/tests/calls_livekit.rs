//! The guest page in a city whose calls go over LiveKit's server.

use anyhow::Result;
use blackbox::{Backend, CallServer, Engine, Picture, RelayAccess, Talk, WorldOptions, eventually};

#[tokio::test]
async fn guest_and_clerk_see_and_hear_each_other() -> Result<()> {
    let Some(relay) = CallServer::start(Backend::LiveKit).await? else {
        return Ok(());
    };
    let options = WorldOptions {
        relay: Some(RelayAccess::of(&relay)),
        ..WorldOptions::default()
    };
    let talk = Talk::begin_in(Engine::Chromium, options).await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_joins().await?;
    anna.talk().await?;
    anna.show("cam", Picture::SMALL).await?;
    citizen.reads("Sie sind verbunden mit anna.").await?;
    tokio::try_join!(
        browser.sees_and_hears(1, 1),
        talk.anna_sees_and_hears(&anna)
    )?;
    citizen.chooses("Auflegen").await?;
    eventually("the guest to be gone from the relay", async || {
        let there = anna.look().await?;
        Ok(there.get(talk.guest()).is_none().then_some(()))
    })
    .await?;
    talk.until_shown(false).await?;
    citizen.has_seen_no_fault().await
}
