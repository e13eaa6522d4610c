//! From the test of camera and microphone into the conversation: who has chosen before how to take part sees herself
//! before she enters, and is in the call with one step.

use anyhow::Result;
use blackbox::{Citizen, Engine, Knock, Seat, World, WorldOptions};
use serde_json::json;

type TestResult = Result<()>;

#[tokio::test]
async fn who_was_tested_before_enters_the_call_in_one_step() -> TestResult {
    let world = World::start_with(WorldOptions {
        own_relay: true,
        ..WorldOptions::default()
    })
    .await?;
    let (mut anna, citizen) = tokio::try_join!(
        Seat::at(&world, "anna", "gewerbe"),
        Citizen::equipped(&world, Engine::Chromium)
    )?;
    anna.on_duty().await?;
    let browser = &citizen.browser;
    let given = json!({ "permissions": ["videoCapture", "audioCapture"] });
    browser.devtools("Browser.grantPermissions", given).await?;
    citizen.opens("/buero/gewerbe").await?;
    citizen.clicks("[data-device-check] summary").await?;
    citizen.chooses("Kamera und Mikrofon einschalten").await?;
    citizen
        .reads("Sie können mit Bild und Ton sprechen.")
        .await?;
    citizen.clicks("label[for=call-mode-video]").await?;

    let knock = Knock {
        concern: "Ich eröffne ein Café.",
        name: "Kim",
        ..Knock::default()
    };
    citizen.fills_in(knock).await?;
    citizen.clicks("[data-knock-form] [type=submit]").await?;
    citizen
        .sees_heading("Sie sind in der Warteschlange")
        .await?;
    let ticket = citizen.ticket().await?;
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
    let world = World::start_with(WorldOptions {
        own_relay: true,
        ..WorldOptions::default()
    })
    .await?;
    let (mut anna, citizen) = tokio::try_join!(
        Seat::at(&world, "anna", "gewerbe"),
        Citizen::equipped(&world, Engine::Chromium)
    )?;
    anna.on_duty().await?;
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
