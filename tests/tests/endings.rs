//! How visits end that do not end well: declined, not come, gone.

use anyhow::Result;
use blackbox::{Citizen, Knock, World};

const KNOCK: Knock<'static> = Knock {
    concern: "Ich brauche einen Parkausweis.",
    name: "",
    service: "",
};

#[tokio::test]
async fn a_citizen_learns_why_a_visit_ended_and_can_knock_again() -> Result<()> {
    let world = World::start().await?;
    let (mut desk, citizen) = tokio::try_join!(world.desk("anna", "gewerbe"), Citizen::of(&world))?;
    desk.on_duty().await?;

    // Declined with the clerk's words.
    let ticket = citizen.knocks("gewerbe", KNOCK).await?;
    desk.sees_knock(&ticket).await?;
    desk.write(&format!(
        "!ablehnen {ticket} Das macht die <Straßenverkehrsbehörde>."
    ))
    .await?;
    citizen
        .is_told("Wir können Ihnen hier nicht helfen")
        .await?;
    citizen
        .reads("Das macht die <Straßenverkehrsbehörde>.")
        .await?;
    citizen.portrays("ending-declined").await?;
    desk.reads(&format!("⛔ {ticket}")).await?;

    // Element's *Deny*.
    citizen.chooses("Erneut anklopfen").await?;
    let ticket = citizen.knocks("gewerbe", KNOCK).await?;
    let knock = desk.sees_knock(&ticket).await?;
    let ghost = knock["state_key"].as_str().unwrap_or_default();
    desk.clerk
        .kick(&desk.door, ghost)
        .await?
        .success("denying")?;
    citizen
        .is_told("Wir können Ihnen hier nicht helfen")
        .await?;
    citizen
        .reads("Das Büro kann Ihr Anliegen hier leider nicht bearbeiten.")
        .await?;
    desk.reads(&format!("⛔ {ticket}")).await?;

    // Called, but not come.
    let ticket = citizen.knocks("gewerbe", KNOCK).await?;
    desk.approves(&ticket).await?;
    citizen.is_told("Sie sind dran!").await?;
    desk.write(&format!("!ende {ticket}")).await?;
    citizen.is_told("Ihre Nummer ist verfallen").await?;
    citizen.portrays("ending-no-show").await?;
    desk.reads(&format!("⌛ {ticket}")).await?;

    // Gone from the queue, asked before.
    let ticket = citizen.knocks("gewerbe", KNOCK).await?;
    desk.sees_knock(&ticket).await?;
    citizen.chooses("Warteschlange verlassen").await?;
    citizen.browser.find("dialog[open]").await?;
    citizen.portrays("ending-leave-dialog").await?;
    citizen.chooses("Weiter warten").await?;
    citizen.chooses("Warteschlange verlassen").await?;
    citizen.clicks("dialog[open] .kern-btn--primary").await?;
    citizen.is_told("Sie sind gegangen").await?;
    citizen.portrays("ending-left").await?;
    desk.reads(&format!("🚪 {ticket}")).await?;

    // Gone from the conversation.
    let ticket = citizen.knocks("gewerbe", KNOCK).await?;
    desk.approves(&ticket).await?;
    citizen.is_told("Sie sind dran!").await?;
    citizen.enters().await?;
    let room = desk.consultation(&ticket).await?;
    citizen.chooses("Gespräch verlassen").await?;
    citizen.clicks("dialog[open] .kern-btn--primary").await?;
    citizen.is_told("Vielen Dank für Ihren Besuch").await?;
    desk.sees_message(&room, "Das Gespräch ist beendet").await?;
    citizen.has_seen_no_fault().await
}
