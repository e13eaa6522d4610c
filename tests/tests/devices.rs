//! The test of devices where it is about what one hears, and for whoever has no device at all.

use anyhow::{Context as _, Result};
use blackbox::{Citizen, Engine, Knock, World, eventually};
use serde_json::{Value, json};

type TestResult = Result<()>;

/// Notes the frequencies of whatever the page plays, 50 times a second.
const LISTEN: &str = "
window.__heard = [];
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
    if (this.srcObject?.getAudioTracks().length > 0) {
        const context = new AudioContext();
        const analyser = context.createAnalyser();
        analyser.fftSize = 8192;
        analyser.smoothingTimeConstant = 0;
        context.createMediaStreamSource(this.srcObject).connect(analyser);
        const bins = new Float32Array(analyser.frequencyBinCount);
        setInterval(() => {
            analyser.getFloatFrequencyData(bins);
            const loudest = bins.reduce((best, level, at) => (level > bins[best] ? at : best), 0);
            if (bins[loudest] < -50) return;
            window.__heard.push((loudest * context.sampleRate) / analyser.fftSize);
        }, 20);
    }
    return play.call(this);
};";

/// Those of the test's three tones, in Hz.
const TONES: [f64; 3] = [523.0, 659.0, 784.0];

#[tokio::test]
async fn the_speaker_is_tested_by_three_tones() -> TestResult {
    let world = World::with_own_relay().await?;
    let citizen = Citizen::equipped(&world, Engine::Chromium).await?;
    let page = citizen.browser.page();
    citizen.opens("/buero/gewerbe").await?;
    page.execute(LISTEN, vec![]).await?;
    citizen.clicks("[data-device-check] summary").await?;
    citizen.chooses("Kamera und Mikrofon einschalten").await?;
    citizen
        .reads("Wenn Sie drei Töne hören, ist Ihr Lautsprecher in Ordnung.")
        .await?;
    citizen.chooses("Testton abspielen").await?;
    let mut last = Value::Null;
    let heard = eventually("three tones", async || {
        last = page.execute("return window.__heard", vec![]).await?;
        let heard: Vec<f64> = serde_json::from_value(last.clone())?;
        let near = |tone: &f64| heard.iter().any(|hertz| (hertz - tone).abs() < 15.0);
        Ok(TONES.iter().all(near).then_some(()))
    })
    .await;
    heard.with_context(|| format!("heard, in Hz: {last}"))?;
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn whoever_has_no_device_at_all_writes() -> TestResult {
    let world = World::with_own_relay().await?;
    let (mut anna, citizen) = tokio::try_join!(world.desk("anna", "gewerbe"), Citizen::of(&world))?;
    anna.on_duty().await?;
    citizen.tests_devices("gewerbe").await?;
    for told in [
        "Wir finden keine Kamera.",
        "Wir finden kein Mikrofon.",
        "Sie können schreiben. Das geht immer, auch ohne Kamera und Mikrofon.",
    ] {
        citizen.reads(told).await?;
    }
    let modes = "return [...document.querySelectorAll('[id^=call-mode-]')]
        .filter(it => !it.disabled).map(it => it.id)";
    let offered = citizen.browser.page().execute(modes, vec![]).await?;
    assert_eq!(offered, json!([]), "nothing is to be chosen from");
    citizen.portrays("call-check-no-devices").await?;

    let knock = Knock {
        concern: "Ich eröffne ein Café.",
        ..Knock::default()
    };
    let ticket = citizen.fills_in_and_knocks(knock).await?;
    anna.approves(&ticket).await?;
    citizen.sees_heading("Sie sind dran!").await?;
    citizen.enters().await?;
    citizen.says("Ich habe weder Kamera noch Mikrofon.").await?;
    citizen.has_seen_no_fault().await
}
