//! Calls in the guest page: a real browser, the program's own relay or LiveKit's server, and a clerk with LiveKit's
//! own client.
//!
//! The browser's camera shows a moving picture and its microphone beeps; whether anything arrives is measured in
//! pictures decoded and in the energy of the sound, on both sides.

use std::time::Duration;

use anyhow::{Result, ensure};
use blackbox::{
    Backend, BrowserOptions, CallServer, Caller, Citizen, Devices, Engine, Picture, Talk, World,
    eventually,
};
use fantoccini::key::Key;
use serde_json::{Value, json};

type TestResult = Result<()>;

/// How long a guest is without network.
const CUT: Duration = Duration::from_secs(10);
/// How long LiveKit's client waits for a connection on which to publish, and a little more.
const UNSENT: Duration = Duration::from_secs(16);
const LIVE_TEXT: &str = "org.vorzimmer.rtt";

#[tokio::test]
async fn guest_and_clerk_see_and_hear_each_other() -> TestResult {
    let talk = Talk::begin(Engine::Chromium).await?;
    let citizen = &talk.citizen;
    citizen.portrays("call-1-offer").await?;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    citizen
        .reads("Aus dem Büro ist noch niemand im Videogespräch.")
        .await?;
    talk.until_shown(true).await?;
    citizen.portrays("call-2-alone").await?;

    let anna = talk.anna_meets_the_guest().await?;
    citizen.portrays("call-3-together").await?;
    is_measured(&talk).await?;
    a_whole_call(&talk, &anna).await
}

#[tokio::test]
async fn guest_and_clerk_see_and_hear_each_other_over_livekits_server() -> TestResult {
    let Some(relay) = CallServer::start(Backend::LiveKit).await? else {
        return Ok(());
    };
    let talk = Talk::begin_over(&relay).await?;
    talk.citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_meets_the_guest().await?;
    a_whole_call(&talk, &anna).await
}

/// Devices are switched off and on, screens shown both ways, text comes letter by letter, the page is reloaded, and the
/// guest hangs up.
async fn a_whole_call(talk: &Talk, anna: &Caller) -> TestResult {
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    // By keyboard: with Alt, and on the button itself.
    browser.press_with(Key::Alt, 'm').await?;
    talk.control_is("Mikrofon", false).await?;
    citizen
        .is_read_out("Mikrofon aus. Man hört Sie nicht.")
        .await?;
    anna.event("muted", |event| event["track"] == "microphone")
        .await?;
    browser.press_with(Key::Alt, 'k').await?;
    talk.control_is("Kamera", false).await?;
    anna.event("muted", |event| event["track"] == "camera")
        .await?;
    citizen.portrays("call-4-switched-off").await?;
    for label in ["Mikrofon", "Kamera"] {
        let focus = "[...document.querySelectorAll('.vz-control')]
            .find(it => it.innerText.includes(arguments[0])).focus()";
        browser.page().execute(focus, vec![label.into()]).await?;
        browser.press([' ']).await?;
        talk.control_is(label, true).await?;
    }
    anna.event("unmuted", |event| event["track"] == "camera")
        .await?;
    talk.anna_sees_and_hears(anna).await?;

    shows_a_screen(talk, anna).await?;
    sees_a_screen(talk, anna).await?;
    types_letter_by_letter(talk, anna).await?;

    // A reload leads back into the call.
    citizen.reloads().await?;
    citizen.reads("Sie sind verbunden mit anna.").await?;
    talk.both_see_and_hear(anna).await?;

    // Hung up, one goes on in writing.
    browser.press_with(Key::Alt, 'a').await?;
    citizen
        .reads("Möchten Sie sich auch sehen und hören?")
        .await?;
    browser
        .wait_until(
            "the focus on the offer",
            "return document.activeElement?.innerText.includes('Mit Bild und Ton sprechen')",
            vec![],
        )
        .await?;
    talk.until_hung_up(anna).await?;
    citizen.says("Ich schreibe lieber.").await?;
    citizen.has_seen_no_fault().await
}

/// Whoever runs the program sees how the call goes, and not whose it is.
async fn is_measured(talk: &Talk) -> TestResult {
    let url = format!("{}/metrics", talk.world.vorzimmer.internal_url());
    eventually("the call's metrics", async || {
        let metrics = reqwest::get(&url).await?.text().await?;
        ensure!(!metrics.contains(&talk.guest()), "{metrics}");
        let sum = |name: &str| -> f64 {
            let lines = metrics.lines().filter(|line| line.starts_with(name));
            let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            values.sum()
        };
        let told = [
            "relay_packets_received_total ",
            "relay_packets_forwarded_total ",
            "relay_payload_octets_forwarded_total ",
            "relay_connections_judged_total{",
            "relay_cpu_microseconds_total{thread=\"relay-udp\"}",
        ]
        .into_iter()
        .all(|name| sum(name) > 0.0);
        Ok((told && (sum("relay_participants{") - 2.0).abs() < 0.5).then_some(()))
    })
    .await
}

async fn shows_a_screen(talk: &Talk, anna: &Caller) -> TestResult {
    let citizen = &talk.citizen;
    citizen.clicks(".vz-control:nth-child(3)").await?;
    citizen.reads("Was möchten Sie zeigen?").await?;
    citizen.portrays("call-5-show").await?;
    citizen.chooses("Bildschirm teilen").await?;
    citizen.reads("Sie teilen Ihren Bildschirm").await?;
    eventually("the guest's screen", async || {
        let screen = talk.track(anna, "screen_share").await?;
        Ok((screen["frames"].as_u64() >= Some(3)).then_some(()))
    })
    .await?;
    citizen.portrays("call-6-showing").await?;
    citizen.chooses("Nicht mehr zeigen").await?;
    anna.event("unpublished", |event| event["track"] == "screen_share")
        .await?;
    let gone =
        "return !document.querySelector('main').innerText.includes('Sie teilen Ihren Bildschirm')";
    citizen
        .browser
        .wait_until("the end of showing", gone, vec![])
        .await
}

async fn sees_a_screen(talk: &Talk, anna: &Caller) -> TestResult {
    let citizen = &talk.citizen;
    anna.show("screen", Picture::SCREEN).await?;
    citizen.reads("anna zeigt etwas").await?;
    citizen
        .browser
        .wait_until(
            "the whole screen of the clerk",
            "return document.querySelector('.vz-shown video')?.videoWidth === 1280",
            vec![],
        )
        .await?;
    citizen.chooses("Größer").await?;
    citizen.reads("150 Prozent").await?;
    citizen.portrays("call-7-shown").await?;
    anna.unpublish("screen").await?;
    citizen
        .browser
        .wait_until(
            "the end of the clerk's screen",
            "return document.querySelector('.vz-shown') === null",
            vec![],
        )
        .await
}

async fn types_letter_by_letter(talk: &Talk, anna: &Caller) -> TestResult {
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    let typed = |event: &Value, part: &str| {
        event["topic"] == LIVE_TEXT
            && event["text"]
                .as_str()
                .is_some_and(|text| text.contains(part))
    };
    citizen.clicks(".vz-control:nth-child(4)").await?;
    citizen.reads("Ihre Verbindung").await?;
    citizen.clicks("#live-text").await?;
    citizen.portrays("call-8-settings").await?;
    let line = browser.find("#message").await?;
    line.send_keys("Guten").await?;
    anna.event("heard", |event| typed(event, "G")).await?;
    line.send_keys(" Tag").await?;
    anna.event("heard", |event| typed(event, "g")).await?;

    let step = json!({ "id": "a", "seq": 0, "t140": "Sie brauchemn", "fresh": true });
    anna.send(LIVE_TEXT, &step.to_string()).await?;
    browser
        .wait_for_text(".vz-live-text", "Sie brauchemn")
        .await?;
    let step = json!({ "id": "a", "seq": 1, "t140": "\u{8}\u{8}n den Ausweis" });
    anna.send(LIVE_TEXT, &step.to_string()).await?;
    browser
        .wait_for_text(".vz-live-text", "Sie brauchen den Ausweis")
        .await?;
    citizen.portrays("call-9-typing").await?;
    let step = json!({ "id": "a", "seq": 2, "t140": "", "end": true });
    anna.send(LIVE_TEXT, &step.to_string()).await?;
    browser
        .wait_until(
            "the end of the line",
            "return document.querySelector('.vz-live-text') === null",
            vec![],
        )
        .await?;

    citizen.clicks(".vz-composer [type=submit]").await?;
    anna.event("heard", |event| typed(event, "\"end\":true"))
        .await?;
    citizen.sees_delivered("Guten Tag").await
}

#[tokio::test]
async fn after_network_or_server_were_gone_everybody_is_back_without_a_reload() -> TestResult {
    let mut talk = Talk::begin(Engine::Chromium).await?;
    talk.citizen.chooses("Nur mit Ton sprechen").await?;
    talk.control_is("Kamera", false).await?;
    let anna = talk.anna_joins().await?;
    anna.talk().await?;
    talk.citizen.reads("Sie sind verbunden mit anna.").await?;
    // A camera that was not wanted at first can be taken later.
    talk.citizen.clicks(".vz-control:nth-child(2)").await?;
    talk.control_is("Kamera", true).await?;
    talk.anna_sees_and_hears(&anna).await?;

    anna.show("cam", Picture::SMALL).await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    browser.sees_and_hears(1, 1).await?;
    browser.set_offline(true).await?;
    citizen.reads("Die Verbindung ist unterbrochen.").await?;
    citizen.portrays("call-lost").await?;
    // Not to wait for something: this is how long the network is away.
    tokio::time::sleep(CUT).await;
    browser.set_offline(false).await?;
    citizen.reads("Die Verbindung ist wieder da.").await?;
    citizen.reads("Sie sind verbunden mit anna.").await?;
    talk.both_see_and_hear(&anna).await?;

    talk.world.vorzimmer.kill()?;
    talk.citizen
        .reads("Die Verbindung ist unterbrochen.")
        .await?;
    talk.world.vorzimmer.resume().await?;
    talk.citizen.reads("Die Verbindung ist wieder da.").await?;
    // The clerk's client has the token that it came with.
    anna.event("reconnected", |_| true).await?;
    talk.citizen.reads("Sie sind verbunden mit anna.").await?;
    talk.both_see_and_hear(&anna).await
}

#[tokio::test]
async fn when_the_relay_alone_was_gone_everybody_is_back_without_a_reload() -> TestResult {
    back_when_the_relay_is(Backend::Vorzimmer).await
}

#[tokio::test]
async fn when_livekits_server_was_gone_everybody_is_back_without_a_reload() -> TestResult {
    back_when_the_relay_is(Backend::LiveKit).await
}

async fn back_when_the_relay_is(backend: Backend) -> TestResult {
    let Some(mut relay) = CallServer::start(backend).await? else {
        return Ok(());
    };
    let talk = Talk::begin_over(&relay).await?;
    let citizen = &talk.citizen;
    citizen.chooses("Nur mit Ton sprechen").await?;
    let anna = talk.anna_joins().await?;
    anna.talk().await?;
    anna.show("cam", Picture::SMALL).await?;
    citizen.reads("Sie sind verbunden mit anna.").await?;
    citizen.browser.sees_and_hears(1, 1).await?;

    relay.kill()?;
    citizen.reads("Die Verbindung ist unterbrochen.").await?;
    // What is switched on now is sent as soon as it can be.
    citizen.clicks(".vz-control:nth-child(2)").await?;
    talk.control_is("Kamera", true).await?;
    relay.resume().await?;
    citizen.reads("Die Verbindung ist wieder da.").await?;
    anna.event("reconnected", |_| true).await?;
    citizen.reads("Sie sind verbunden mit anna.").await?;
    talk.both_see_and_hear(&anna).await?;
    // Not to wait for something: after so long LiveKit's client stops what it could not send.
    tokio::time::sleep(UNSENT).await;
    talk.both_see_and_hear(&anna).await
}

#[tokio::test]
async fn a_guest_in_firefox_comes_in_writes_and_speaks() -> TestResult {
    let talk = Talk::begin(Engine::Firefox).await?;
    let citizen = &talk.citizen;
    citizen.says("Guten Tag").await?;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    citizen
        .reads("Aus dem Büro ist noch niemand im Videogespräch.")
        .await?;
    talk.anna_meets_the_guest().await.map(drop)
}

#[tokio::test]
async fn devices_are_tested_before_knocking_and_refusals_explained() -> TestResult {
    let world = World::with_own_relay().await?;
    let citizen = Citizen::equipped(&world, Engine::Chromium).await?;
    citizen.tests_devices("gewerbe").await?;
    citizen
        .reads("Sie können mit Bild und Ton sprechen.")
        .await?;
    citizen.reads("Ihr Mikrofon hört Sie.").await?;
    let moving = "return document.querySelector('.vz-preview video')?.videoWidth > 0";
    citizen
        .browser
        .wait_until("the camera's picture", moving, vec![])
        .await?;
    citizen.clicks("label[for=call-mode-audio]").await?;
    citizen.portrays("call-check").await?;
    // Closed, it leaves nothing switched on.
    let keep = "window.seen = document.querySelector('.vz-preview video').srcObject.getTracks()";
    citizen.browser.page().execute(keep, vec![]).await?;
    citizen.clicks("[data-device-check] summary").await?;
    let off = "return window.seen.every(track => track.readyState === 'ended')";
    citizen
        .browser
        .wait_until("the camera to be off", off, vec![])
        .await?;

    citizen.has_seen_no_fault().await?;

    let options = BrowserOptions {
        devices: Devices::Refused,
        ..BrowserOptions::default()
    };
    let citizen = Citizen::with(&world, options).await?;
    citizen.tests_devices("gewerbe").await?;
    citizen
        .reads("Die Kamera ist für diese Seite nicht erlaubt.")
        .await?;
    citizen.reads("Sie können schreiben.").await?;
    citizen.portrays("call-check-refused").await?;
    citizen.has_seen_no_fault().await
}
