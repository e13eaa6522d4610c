//! What a guest's browser gets to see, picture by picture: whole ones that move, as large as they are shown, over
//! connections that are encrypted as they should be.

use anyhow::{Context as _, Result, ensure};
use blackbox::{Caller, Engine, Picture, Talk, Viewport, eventually};
use serde_json::Value;

type TestResult = Result<()>;

/// Judges every picture of a video element as `tests/livekit/picture.py` does. Counts for each width those that are
/// whole and show another number than the one before, and those that are not whole.
const JUDGE: &str = "
const [css] = arguments;
const canvas = document.createElement('canvas');
const context = canvas.getContext('2d', { willReadFrequently: true });
const report = (window.__judged = { moved: 0, broken: 0, widths: {} });
let last = null;
// Returns the number in the picture, or null when it is not whole.
const read = (width, height) => {
    const { data } = context.getImageData(0, 0, width, height);
    const level = (left, right, top, rows) => {
        const inset = Math.floor((right - left) / 4);
        let [sum, count] = [0, 0];
        for (let y = top; y < top + rows; y += 1) {
            for (let x = left + inset; x < right - inset; x += 1, count += 1) sum += data[(y * width + x) * 4];
        }
        return sum / count;
    };
    const strip = Math.floor(height / 4);
    let code = 0;
    for (let block = 0; block < 12; block += 1) {
        const [left, right] = [block, block + 1].map((at) => Math.floor((at * width) / 12));
        const found = level(left, right, Math.floor(strip / 4), Math.max(1, Math.floor(strip / 2)));
        if (found > 80 && found < 180) return null;
        code = code * 2 + Number(found >= 180);
    }
    const number = code % 256;
    for (let part = 0; part < 3; part += 1) {
        const top = strip + Math.floor(((height - strip) * (2 * part + 1)) / 6);
        const levels = [];
        for (let column = 0; column < 8; column += 1) {
            const [left, right] = [column, column + 1].map((at) => Math.floor((at * width) / 8));
            levels.push(level(left, right, top, 4));
        }
        const bars = levels.filter((found) => found > 156);
        if (bars.length !== 1 || levels[number % 8] < 180) return null;
    }
    return number;
};
let video = null;
const look = () => {
    const { videoWidth: width, videoHeight: height } = video;
    if (width > 0) {
        canvas.width = width;
        canvas.height = height;
        context.drawImage(video, 0, 0);
        const number = read(width, height);
        if (number === null) report.broken += 1;
        else if (number !== last) {
            report.moved += 1;
            report.widths[width] = (report.widths[width] ?? 0) + 1;
            last = number;
        }
    }
    video.requestVideoFrameCallback(look);
};
const find = () => {
    const found = document.querySelector(css);
    if (found !== null && found !== video) {
        video = found;
        video.requestVideoFrameCallback(look);
    }
};
clearInterval(window.__finding);
window.__finding = setInterval(find, 100);
find();";

async fn judge(talk: &Talk, css: &str) -> TestResult {
    let page = talk.citizen.browser.page();
    page.execute(JUDGE, vec![css.into()]).await?;
    Ok(())
}

async fn judged(talk: &Talk) -> Result<Value> {
    let page = talk.citizen.browser.page();
    Ok(page.execute("return window.__judged", vec![]).await?)
}

fn count(report: &Value, what: &str) -> u64 {
    report[what].as_u64().unwrap_or_default()
}

/// Waits until ten more pictures of that width were seen, whole and moving.
async fn sees_width(talk: &Talk, width: u32) -> Result<Value> {
    let before = judged(talk).await?;
    let of = |report: &Value| count(&report["widths"], &width.to_string());
    let mut last = Value::Null;
    let found = eventually(&format!("pictures {width} pixels wide"), async || {
        last = judged(talk).await?;
        Ok((of(&last) >= of(&before) + 10).then(|| last.clone()))
    })
    .await;
    found.with_context(|| format!("at first {before}, at last {last}"))
}

/// A guest in a call with Anna, who shows herself and says nothing.
async fn in_call(picture: Picture) -> Result<(Talk, Caller)> {
    let talk = Talk::begin(Engine::Chromium).await?;
    talk.citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_joins().await?;
    anna.show("cam", picture).await?;
    talk.citizen.reads("Sie sind verbunden mit anna.").await?;
    Ok((talk, anna))
}

#[tokio::test]
async fn a_tile_gets_the_layer_that_it_has_room_for_and_every_picture_is_whole() -> TestResult {
    let (talk, _anna) = in_call(Picture::LAYERED).await?;
    let browser = &talk.citizen.browser;
    judge(&talk, ".vz-tile--clerk video").await?;
    sees_width(&talk, 960).await?;
    for _ in 0..2 {
        browser.set_viewport(Viewport::NARROW).await?;
        sees_width(&talk, 320).await?;
        browser.set_viewport(Viewport::DESKTOP).await?;
        sees_width(&talk, 960).await?;
    }
    let report = judged(&talk).await?;
    ensure!(
        count(&report, "broken") * 50 <= count(&report, "moved"),
        "broken pictures: {report}"
    );
    talk.citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn the_clerks_screen_moves_and_is_whole() -> TestResult {
    let (talk, anna) = in_call(Picture::SMALL).await?;
    anna.show("screen", Picture::SCREEN).await?;
    talk.citizen.reads("anna zeigt etwas").await?;
    judge(&talk, ".vz-shown video").await?;
    let report = sees_width(&talk, 1280).await?;
    ensure!(
        count(&report, "broken") * 10 <= count(&report, "moved"),
        "broken pictures: {report}"
    );
    Ok(())
}

/// How each of the page's connections is encrypted.
const CIPHERS: &str = "
const done = arguments[arguments.length - 1];
(async () => {
    const found = [];
    for (const connection of window.__connections ?? []) {
        if (connection.connectionState !== 'connected') continue;
        for (const report of (await connection.getStats()).values()) {
            if (report.type !== 'transport') continue;
            const { dtlsCipher, srtpCipher, tlsVersion } = report;
            found.push({ dtlsCipher, srtpCipher, tlsVersion });
        }
    }
    return found;
})().then(done, (error) => done(String(error)));";

#[tokio::test]
async fn media_is_sealed_by_aes_gcm_after_a_handshake_of_dtls_1_2_with_ecdsa() -> TestResult {
    let (talk, _anna) = in_call(Picture::SMALL).await?;
    let browser = &talk.citizen.browser;
    browser.sees_and_hears(1, 0).await?;
    let found = browser.page().execute_async(CIPHERS, vec![]).await?;
    let transports = found.as_array().with_context(|| found.to_string())?;
    ensure!(!transports.is_empty(), "no connection");
    for transport in transports {
        let text = |field: &str| transport[field].as_str().unwrap_or_default();
        ensure!(text("tlsVersion") == "FEFD", "{transport}");
        let dtls = text("dtlsCipher");
        ensure!(
            dtls.starts_with("TLS_ECDHE_ECDSA_WITH_AES_") && dtls.contains("_GCM_"),
            "{transport}"
        );
        ensure!(text("srtpCipher").contains("AEAD_AES_"), "{transport}");
    }
    Ok(())
}

/// What the page has loaded so far, by path.
async fn loaded(talk: &Talk) -> Result<Vec<String>> {
    let script =
        "return performance.getEntriesByType('resource').map(it => new URL(it.name).pathname)";
    let found = talk.citizen.browser.page().execute(script, vec![]).await?;
    Ok(serde_json::from_value(found)?)
}

#[tokio::test]
async fn the_code_of_calls_is_loaded_when_one_begins_and_not_before() -> TestResult {
    let talk = Talk::begin(Engine::Chromium).await?;
    let citizen = &talk.citizen;
    citizen
        .reads("Möchten Sie sich auch sehen und hören?")
        .await?;
    let parts = ["livekit-client", "panel-"];
    let of_calls = |paths: &[String]| -> Vec<String> {
        let wanted = paths
            .iter()
            .filter(|path| parts.iter().any(|part| path.contains(part)));
        wanted.cloned().collect()
    };
    let before = loaded(&talk).await?;
    ensure!(!before.is_empty(), "the page has loaded nothing at all");
    ensure!(of_calls(&before).is_empty(), "{before:?}");
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    citizen
        .reads("Aus dem Büro ist noch niemand im Videogespräch.")
        .await?;
    let after = loaded(&talk).await?;
    for part in parts {
        ensure!(after.iter().any(|path| path.contains(part)), "{after:?}");
    }
    ensure!(
        !after
            .iter()
            .any(|path| path.contains("/blur-") || path.contains("pdf")),
        "what was not wanted: {after:?}"
    );
    Ok(())
}
