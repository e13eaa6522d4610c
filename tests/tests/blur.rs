//! The guest's background out of focus: in a real browser, with the real network, judged by who receives the picture.
//!
//! In front of the browser's camera is nobody, so that all of its picture is background: its edges go when it is
//! blurred. Without a graphics processor that takes about a second for each picture.

use anyhow::{Context as _, Result, ensure};
use blackbox::{Caller, Engine, Talk, eventually};
use serde_json::{Value, json};

type TestResult = Result<()>;

/// Sharpness by width.
type Sharpness = serde_json::Map<String, Value>;

#[tokio::test]
async fn a_guest_takes_the_background_out_of_focus() -> TestResult {
    let talk = Talk::begin(Engine::Chromium).await?;
    let citizen = &talk.citizen;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_joins().await?;
    talk.anna_sees_and_hears(&anna).await?;
    let sharp = sharpness(&talk, &anna).await?;
    ensure!(
        loaded(&talk).await?.is_empty(),
        "loaded before it was wanted"
    );

    citizen.clicks(".vz-control:nth-child(4)").await?;
    citizen.clicks("label[for=blur]").await?;
    is_told(&talk, "Ihr Hintergrund ist jetzt unscharf.").await?;
    until(&talk, &anna, "a picture without edges", |width, now| {
        before(&sharp, width).is_some_and(|before| now < before / 2.0)
    })
    .await?;
    let files = loaded(&talk).await?;
    for name in [".wasm", ".tflite"] {
        ensure!(files.iter().any(|file| file.ends_with(name)), "{files:?}");
    }
    citizen.has_seen_no_fault_while_blurred().await
}

#[tokio::test]
async fn when_the_blur_cannot_be_loaded_the_call_goes_on() -> TestResult {
    let talk = Talk::begin(Engine::Chromium).await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_joins().await?;
    talk.anna_sees_and_hears(&anna).await?;
    let none = json!({ "urls": ["*.tflite"] });
    browser.devtools("Network.enable", json!({})).await?;
    browser.devtools("Network.setBlockedURLs", none).await?;
    citizen.clicks(".vz-control:nth-child(4)").await?;
    citizen.clicks("label[for=blur]").await?;
    is_told(
        &talk,
        "Der Hintergrund lässt sich gerade nicht unscharf machen.",
    )
    .await?;
    browser
        .wait_until(
            "the switch to be off",
            "return document.querySelector('#blur').checked === false",
            vec![],
        )
        .await?;
    citizen.portrays("call-not-blurred").await?;
    talk.anna_sees_and_hears(&anna).await
}

/// Waits for a message that a screen reader says.
async fn is_told(talk: &Talk, message: &str) -> TestResult {
    let script = "return [...document.querySelectorAll('[role=status]')]
        .some(it => it.textContent.includes(arguments[0]))";
    let page = talk.citizen.browser.page();
    eventually(&format!("{message:?}"), async || {
        let told = page.execute(script, vec![message.into()]).await?;
        Ok((told == true).then_some(()))
    })
    .await
}

/// What the page has loaded to blur.
async fn loaded(talk: &Talk) -> Result<Vec<String>> {
    let script = "return performance.getEntriesByType('resource').map(entry => entry.name)
        .filter(name => name.includes('/assets/blur-'))";
    let page = talk.citizen.browser.page();
    Ok(serde_json::from_value(page.execute(script, vec![]).await?)?)
}

/// How sharp it was in this width, or in the one most like it: the smaller, the sharper.
fn before(sharp: &Sharpness, width: &str) -> Option<f64> {
    let values = sharp.values().filter_map(Value::as_f64);
    sharp
        .get(width)
        .map_or_else(|| values.min_by(f64::total_cmp), Value::as_f64)
}

/// How sharp the guest's picture was lately, in each of its widths so far.
async fn sharpness(talk: &Talk, anna: &Caller) -> Result<Sharpness> {
    let camera = talk.track(anna, "camera").await?;
    let known = camera["sharpness"].as_object();
    Ok(known.context("no sharpness")?.clone())
}

/// Waits until the guest's picture in its present width is as `wanted` says.
async fn until(
    talk: &Talk,
    anna: &Caller,
    what: &str,
    wanted: impl Fn(&str, f64) -> bool,
) -> TestResult {
    let mut last = Value::Null;
    let found = eventually(what, async || {
        last = talk.track(anna, "camera").await?;
        let width = last["width"].to_string();
        let now = last["sharpness"][&width].as_f64();
        Ok(now.is_some_and(|now| wanted(&width, now)).then_some(()))
    })
    .await;
    found.with_context(|| format!("at last {last}"))
}
