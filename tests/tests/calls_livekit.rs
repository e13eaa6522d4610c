//! The guest page in a city whose calls go over LiveKit's server.

use anyhow::Result;
use blackbox::{Backend, CallServer, Talk};

#[tokio::test]
async fn guest_and_clerk_see_and_hear_each_other() -> Result<()> {
    let Some(relay) = CallServer::start(Backend::LiveKit).await? else {
        return Ok(());
    };
    let talk = Talk::begin_over(&relay).await?;
    let citizen = &talk.citizen;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_meets_the_guest().await?;
    citizen.chooses("Auflegen").await?;
    talk.until_hung_up(&anna).await?;
    citizen.has_seen_no_fault().await
}
