//! The test of devices where it is about what one hears, and for whoever has no device at all.

use anyhow::{Context as _, Result};
use blackbox::{Citizen, Engine, Knock, World, eventually};
use serde_json::{Value, json};

type TestResult = Result<()>;

/// Records what the page plays, and notes the pitch of each twentieth of a second: shorter than the silence between two
/// tones. A recording misses nothing while the page itself is busy.
const LISTEN: &str = "
window.__heard = [];
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
    if (this.srcObject?.getAudioTracks().length > 0) {
        const recorder = new MediaRecorder(this.srcObject);
        recorder.ondataavailable = async ({ data }) => {
            const sound = await new AudioContext().decodeAudioData(await data.arrayBuffer());
            const samples = sound.getChannelData(0);
            const length = sound.sampleRate / 20;
            const rises = [...samples.keys()]
                .filter((at) => at > 0 && samples[at - 1] < 0.02 && samples[at] >= 0.02);
            for (let from = 0; from < samples.length; from += length) {
                const here = rises.filter((at) => at >= from && at < from + length);
                if (here.length < 10) continue;
                const waves = here.length - 1;
                window.__heard.push((waves * sound.sampleRate) / (here.at(-1) - here[0]));
            }
        };
        recorder.start();
        // Before the page lets go of its sound.
        setTimeout(() => recorder.stop(), 1_300);
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
