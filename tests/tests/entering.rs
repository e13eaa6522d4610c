//! From the test of camera and microphone into the conversation: who has chosen before how to take part sees herself
//! before she enters, and is in the call with one step.

use anyhow::Result;
use blackbox::{Citizen, Desk, Engine, Knock, World};
use serde_json::json;

type TestResult = Result<()>;

/// A clerk on duty, and a citizen with camera and microphone.
async fn anna_and_a_citizen() -> Result<(World, Desk, Citizen)> {
    let world = World::with_own_relay().await?;
    let (mut anna, citizen) = tokio::try_join!(
        world.desk("anna", "gewerbe"),
        Citizen::equipped(&world, Engine::Chromium)
    )?;
    anna.on_duty().await?;
    Ok((world, anna, citizen))
}

#[tokio::test]
async fn who_was_tested_before_enters_the_call_in_one_step() -> TestResult {
    let (_world, mut anna, citizen) = anna_and_a_citizen().await?;
    let browser = &citizen.browser;
    let given = json!({ "permissions": ["videoCapture", "audioCapture"] });
    browser.devtools("Browser.grantPermissions", given).await?;
    citizen.tests_devices("gewerbe").await?;
    citizen
        .reads("Sie können mit Bild und Ton sprechen.")
        .await?;
    citizen.clicks("label[for=call-mode-video]").await?;

    let knock = Knock {
        concern: "Ich eröffne ein Café.",
        name: "Kim",
        ..Knock::default()
    };
    let ticket = citizen.fills_in_and_knocks(knock).await?;
    anna.approves(&ticket).await?;
    citizen.sees_heading("Sie sind dran!").await?;
    citizen.reads("So sieht und hört man Sie gleich").await?;
    browser
        .wait_until(
            "her own picture",
            "return document.querySelector('.vz-preview video')?.videoWidth > 0",
            vec![],
        )
        .await?;
    citizen.portrays("called-own-picture").await?;
    citizen.enters().await?;
    citizen
        .reads("Aus dem Büro ist noch niemand im Videogespräch.")
        .await
}

#[tokio::test]
async fn who_was_not_tested_is_offered_it_and_nothing_is_switched_on() -> TestResult {
    let (_world, mut anna, citizen) = anna_and_a_citizen().await?;
    let knock = Knock {
        concern: "Ich eröffne ein Café.",
        ..Knock::default()
    };
    let ticket = citizen.knocks("gewerbe", knock).await?;
    anna.approves(&ticket).await?;
    citizen.sees_heading("Sie sind dran!").await?;
    citizen.chooses("Kamera und Mikrofon einschalten").await?;
    citizen
        .reads("Sie können mit Bild und Ton sprechen.")
        .await?;
    citizen.clicks("label[for=call-mode-audio]").await?;
    citizen.portrays("called-check").await?;
    citizen.enters().await?;
    citizen
        .reads("Aus dem Büro ist noch niemand im Videogespräch.")
        .await
}
