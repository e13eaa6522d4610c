//! What a guest does in the call page: other devices, keys, something to show, a small window, a bad line. In a real
//! browser, with the real relay; what is sent is judged by who receives it.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use blackbox::{Caller, Engine, Picture, Talk, Weather, eventually};
use fantoccini::{Locator, key::Key};
use serde_json::{Value, json};

type TestResult = Result<()>;

/// Two of the cameras and of the microphones of [`Engine::Chromium`].
const CAMERAS: [&str; 2] = ["fake_device_0", "fake_device_2"];
const MICROPHONES: [&str; 2] = ["Fake Audio Input 1", "Fake Audio Input 2"];

const SHOW: &str = ".vz-control:nth-child(3)";
const MORE: &str = ".vz-control:nth-child(4)";

/// Keeps every device the page is given. Those whose names are in `__broken` do not start.
const WATCH_DEVICES: &str = "
window.__given = [];
window.__broken = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    const tracks = stream.getTracks();
    if (tracks.some((track) => window.__broken.includes(track.label))) {
        tracks.forEach((track) => track.stop());
        throw new DOMException('in use', 'NotReadableError');
    }
    window.__given.push(...tracks);
    return stream;
};";

/// The names of the devices that are on, and of those whose pictures or sound the page sends as they are.
const DEVICES: &str = "
const [kind] = arguments;
const of = (tracks) => tracks
    .filter((track) => track?.kind === kind && track.readyState === 'live')
    .map((track) => track.label);
const sent = window.__connections
    .filter((it) => it.connectionState === 'connected')
    .flatMap((it) => it.getSenders())
    .map((it) => it.track);
return { on: of(window.__given ?? sent), sent: of(sent) };";

/// A guest in front of two cameras, and Anna, who joins when the guest has chosen how to take part.
async fn in_call(way: &str) -> Result<(Talk, Caller)> {
    let talk = Talk::begin(Engine::Chromium).await?;
    let page = talk.citizen.browser.page();
    page.execute(WATCH_DEVICES, vec![]).await?;
    talk.citizen.chooses(way).await?;
    let anna = talk.anna_joins().await?;
    talk.citizen.reads("Sie sind verbunden mit anna.").await?;
    Ok((talk, anna))
}

/// Chooses a device in the settings, by its name.
async fn takes(talk: &Talk, kind: &str, name: &str) -> TestResult {
    let option = format!("//select[@id = 'device-{kind}']/option[normalize-space(.) = '{name}']");
    let waiting = talk.citizen.browser.page().wait();
    let found = waiting.for_element(Locator::XPath(&option)).await;
    found
        .with_context(|| format!("no {kind} {name}"))?
        .click()
        .await?;
    Ok(())
}

/// Waits until this device alone is on, and its pictures or sound are sent; none of the kind without a name.
async fn uses(talk: &Talk, kind: &str, name: Option<&str>) -> TestResult {
    let page = talk.citizen.browser.page();
    let wanted: Vec<&str> = name.into_iter().collect();
    let mut last = Value::Null;
    let found = eventually(&format!("{kind} of {name:?}"), async || {
        last = page.execute(DEVICES, vec![kind.into()]).await?;
        Ok((last["on"] == json!(wanted) && last["sent"] == json!(wanted)).then_some(()))
    })
    .await;
    found.with_context(|| format!("at last {last}"))
}

/// Waits until the settings show this device as the chosen one.
async fn has_chosen(talk: &Talk, kind: &str, name: &str) -> TestResult {
    let script = "const [kind, name] = arguments;
        return document.querySelector(`#device-${kind}`)?.selectedOptions[0]?.label === name";
    let (browser, what) = (&talk.citizen.browser, format!("{name} to be chosen"));
    browser
        .wait_until(&what, script, vec![kind.into(), name.into()])
        .await
}

/// Which devices no longer start.
async fn break_devices(talk: &Talk, names: &[&str]) -> TestResult {
    let page = talk.citizen.browser.page();
    page.execute("window.__broken = arguments[0]", vec![json!(names)])
        .await?;
    Ok(())
}

#[tokio::test]
async fn with_another_camera_and_another_microphone_the_call_goes_on() -> TestResult {
    let (talk, anna) = in_call("Mit Bild und Ton sprechen").await?;
    let citizen = &talk.citizen;
    uses(&talk, "video", Some(CAMERAS[0])).await?;
    talk.anna_sees_and_hears(&anna).await?;
    citizen.clicks(MORE).await?;
    takes(&talk, "camera", CAMERAS[1]).await?;
    uses(&talk, "video", Some(CAMERAS[1])).await?;
    talk.anna_sees_and_hears(&anna).await?;
    for name in MICROPHONES {
        takes(&talk, "microphone", name).await?;
        uses(&talk, "audio", Some(name)).await?;
        talk.anna_sees_and_hears(&anna).await?;
    }
    citizen.portrays("call-page-settings").await?;

    // What is off stays off, and begins with what was chosen meanwhile.
    for control in ["Kamera", "Mikrofon"] {
        citizen
            .clicks(&format!("[aria-keyshortcuts='Alt+{}']", &control[..1]))
            .await?;
        talk.control_is(control, false).await?;
    }
    takes(&talk, "camera", CAMERAS[0]).await?;
    takes(&talk, "microphone", MICROPHONES[0]).await?;
    uses(&talk, "video", None).await?;
    for control in ["Kamera", "Mikrofon"] {
        citizen
            .clicks(&format!("[aria-keyshortcuts='Alt+{}']", &control[..1]))
            .await?;
        talk.control_is(control, true).await?;
    }
    uses(&talk, "video", Some(CAMERAS[0])).await?;
    uses(&talk, "audio", Some(MICROPHONES[0])).await?;
    talk.anna_sees_and_hears(&anna).await?;

    // Of two quick choices the last one holds.
    takes(&talk, "camera", CAMERAS[1]).await?;
    takes(&talk, "camera", CAMERAS[0]).await?;
    takes(&talk, "camera", CAMERAS[1]).await?;
    uses(&talk, "video", Some(CAMERAS[1])).await?;
    talk.anna_sees_and_hears(&anna).await?;
    citizen.has_seen_no_fault().await?;

    citizen.reloads().await?;
    uses(&talk, "video", Some(CAMERAS[1])).await?;
    uses(&talk, "audio", Some(MICROPHONES[0])).await?;
    talk.anna_sees_and_hears(&anna).await
}

#[tokio::test]
async fn a_device_that_does_not_start_is_told_and_takes_nothing_away() -> TestResult {
    let (talk, anna) = in_call("Mit Bild und Ton sprechen").await?;
    let citizen = &talk.citizen;
    citizen.clicks(MORE).await?;
    takes(&talk, "microphone", MICROPHONES[0]).await?;
    uses(&talk, "audio", Some(MICROPHONES[0])).await?;
    break_devices(&talk, &[CAMERAS[1], MICROPHONES[1]]).await?;
    takes(&talk, "camera", CAMERAS[1]).await?;
    citizen
        .is_read_out("Diese Kamera funktioniert gerade nicht. Ihr Bild kommt von einer anderen.")
        .await?;
    has_chosen(&talk, "camera", CAMERAS[0]).await?;
    citizen.portrays("call-page-broken").await?;
    uses(&talk, "video", Some(CAMERAS[0])).await?;
    talk.anna_sees_and_hears(&anna).await?;
    takes(&talk, "microphone", MICROPHONES[1]).await?;
    citizen
        .is_read_out("Dieses Mikrofon funktioniert gerade nicht. Ihr Ton kommt von einem anderen.")
        .await?;
    has_chosen(&talk, "microphone", MICROPHONES[0]).await?;
    uses(&talk, "audio", Some(MICROPHONES[0])).await?;
    talk.anna_sees_and_hears(&anna).await?;

    // Chosen while the camera is off, it shows only later that it does not start: another one does.
    citizen.clicks("[aria-keyshortcuts='Alt+K']").await?;
    talk.control_is("Kamera", false).await?;
    takes(&talk, "camera", CAMERAS[1]).await?;
    citizen.clicks("[aria-keyshortcuts='Alt+K']").await?;
    uses(&talk, "video", Some(CAMERAS[0])).await?;
    talk.control_is("Kamera", true).await?;
    talk.anna_sees_and_hears(&anna).await?;

    // When none starts, the guest is told why, and may try again.
    break_devices(&talk, &CAMERAS).await?;
    takes(&talk, "camera", CAMERAS[0]).await?;
    citizen
        .is_read_out("Ein anderes Programm benutzt die Kamera.")
        .await?;
    talk.control_is("Kamera", false).await?;
    uses(&talk, "video", None).await?;
    anna.event("unpublished", |event| event["track"] == "camera")
        .await?;
    break_devices(&talk, &[]).await?;
    citizen.clicks("[aria-keyshortcuts='Alt+K']").await?;
    talk.control_is("Kamera", true).await?;
    talk.anna_sees_and_hears(&anna).await?;
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn choosing_a_camera_switches_none_on() -> TestResult {
    let (talk, anna) = in_call("Nur mit Ton sprechen").await?;
    let citizen = &talk.citizen;
    citizen.clicks(MORE).await?;
    takes(&talk, "camera", CAMERAS[1]).await?;
    // Done after the camera was chosen: what that would have begun has begun by now.
    takes(&talk, "microphone", MICROPHONES[1]).await?;
    uses(&talk, "audio", Some(MICROPHONES[1])).await?;
    uses(&talk, "video", None).await?;
    talk.control_is("Kamera", false).await?;
    ensure!(talk.track(&anna, "camera").await?.is_null(), "a camera");
    citizen.clicks("[aria-keyshortcuts='Alt+K']").await?;
    uses(&talk, "video", Some(CAMERAS[1])).await?;
    talk.anna_sees_and_hears(&anna).await?;
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn another_camera_is_out_of_focus_as_well() -> TestResult {
    let (talk, anna) = in_call("Mit Bild und Ton sprechen").await?;
    let citizen = &talk.citizen;
    citizen.clicks(MORE).await?;
    // Reckoning without a graphics processor leaves too little for the sound, so that the page would take the pictures
    // away, unless the guest has just wanted them.
    citizen.clicks("label[for=saving]").await?;
    citizen.reads("Es gibt nur Ton, keine Bilder.").await?;
    citizen.chooses("Bilder wieder einschalten").await?;
    talk.control_is("Kamera", true).await?;
    talk.anna_sees_and_hears(&anna).await?;
    citizen.clicks("label[for=blur]").await?;
    citizen.reads("Ihr Hintergrund ist jetzt unscharf.").await?;
    takes(&talk, "camera", CAMERAS[1]).await?;
    let script =
        "return window.__given.filter(it => it.kind === 'video' && it.readyState === 'live')
        .map(it => it.label).join() === arguments[0]";
    citizen
        .browser
        .wait_until("the other camera", script, vec![CAMERAS[1].into()])
        .await?;
    // Without a graphics processor a blurred picture takes seconds.
    let pictures = async || -> Result<u64> {
        let camera = talk.track(&anna, "camera").await?;
        Ok(camera["frames"].as_u64().unwrap_or_default())
    };
    let before = pictures().await?;
    eventually("pictures of the other camera", async || {
        Ok((pictures().await? >= before + 2).then_some(()))
    })
    .await?;
    // Nothing of the other camera has been sent as it is.
    let sent =
        "return window.__connections.flatMap(it => it.getSenders()).map(it => it.track?.label)";
    let sent = citizen.browser.page().execute(sent, vec![]).await?;
    let raw = |label: &Value| CAMERAS.iter().any(|camera| label == camera);
    ensure!(
        !sent.as_array().context("no senders")?.iter().any(raw),
        "{sent}"
    );
    citizen.has_seen_no_fault_while_blurred().await
}

#[tokio::test]
async fn keys_switch_microphone_and_camera_and_hang_up() -> TestResult {
    let (talk, anna) = in_call("Mit Bild und Ton sprechen").await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    talk.anna_sees_and_hears(&anna).await?;
    // Also while one writes, and then it is no letter.
    citizen.clicks("#message").await?;
    for (key, label, track, off, on) in [
        (
            'm',
            "Mikrofon",
            "microphone",
            "Mikrofon aus. Man hört Sie nicht.",
            "Mikrofon an. Man hört Sie.",
        ),
        (
            'k',
            "Kamera",
            "camera",
            "Kamera aus. Man sieht Sie nicht.",
            "Kamera an. Man sieht Sie.",
        ),
    ] {
        browser.press_with(Key::Alt, key).await?;
        talk.control_is(label, false).await?;
        citizen.is_read_out(off).await?;
        anna.event("muted", |event| event["track"] == track).await?;
        browser.press_with(Key::Alt, key).await?;
        talk.control_is(label, true).await?;
        citizen.is_read_out(on).await?;
        anna.event("unmuted", |event| event["track"] == track)
            .await?;
    }
    talk.anna_sees_and_hears(&anna).await?;
    let written = browser.find("#message").await?.prop("value").await?;
    ensure!(written.as_deref() == Some(""), "{written:?}");
    browser.press_with(Key::Alt, 'a').await?;
    citizen
        .reads("Möchten Sie sich auch sehen und hören?")
        .await?;
    anna.event("went", |event| event["who"] == talk.guest().as_str())
        .await?;
    let on = browser
        .page()
        .execute(
            "return window.__given.some(it => it.readyState === 'live')",
            vec![],
        )
        .await?;
    ensure!(on == json!(false), "a device is still on");
    citizen.has_seen_no_fault().await
}

/// Ends what the guest shows, and waits until Anna knows.
async fn shows_no_longer(talk: &Talk, anna: &Caller) -> TestResult {
    talk.citizen.chooses("Nicht mehr zeigen").await?;
    talk.citizen.is_read_out("Sie zeigen nichts mehr.").await?;
    anna.event("unpublished", |event| event["track"] == "screen_share")
        .await?;
    let gone = talk.track(anna, "screen_share").await?;
    ensure!(gone.is_null(), "{gone}");
    Ok(())
}

#[tokio::test]
async fn a_paper_is_shown_under_the_camera() -> TestResult {
    let (talk, anna) = in_call("Mit Bild und Ton sprechen").await?;
    let citizen = &talk.citizen;
    citizen.clicks(SHOW).await?;
    citizen.chooses("Dokument mit der Kamera zeigen").await?;
    citizen.is_read_out("Sie zeigen ein Dokument").await?;
    let mut first = None;
    let mut last = Value::Null;
    let found = eventually("the paper's moving picture", async || {
        last = talk.track(&anna, "screen_share").await?;
        let frames = last["frames"].as_u64().unwrap_or_default();
        let first = *first.get_or_insert(frames);
        Ok((frames >= first + 10).then_some(()))
    })
    .await;
    found.with_context(|| format!("at last {last}"))?;
    // On a computer the guest stays to be seen beside it.
    talk.anna_sees_and_hears(&anna).await?;
    citizen.portrays("call-page-paper").await?;
    shows_no_longer(&talk, &anna).await?;
    talk.anna_sees_and_hears(&anna).await?;
    citizen.has_seen_no_fault().await
}

/// Who is told from the strip of blocks in a photo, and which of its pictures this is (`tests/livekit/picture.py`).
const PHOTO: (u16, u16) = (7, 5);

/// Writes a photo that a receiver knows again.
fn take_photo(path: &Path) -> TestResult {
    const SIZE: (u32, u32) = (640, 360);
    let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
    let code = PHOTO.0 << 8 | PHOTO.1;
    let luma = |x: usize, y: usize| {
        if y < height / 4 {
            let block = x * 12 / width;
            if code >> (11 - block) & 1 == 1 {
                224
            } else {
                32
            }
        } else if x * 8 / width == usize::from(PHOTO.1) {
            224
        } else {
            96
        }
    };
    let octets = SIZE.0 * SIZE.1 * 3;
    let mut bitmap = b"BM".to_vec();
    for field in [
        54 + octets,
        0,
        54,
        40,
        SIZE.0,
        SIZE.1,
        1 | 24 << 16,
        0,
        octets,
        0,
        0,
        0,
        0,
    ] {
        bitmap.extend(field.to_le_bytes());
    }
    // From the lowest row to the highest.
    for y in (0..height).rev() {
        bitmap.extend((0..width).flat_map(|x| [luma(x, y); 3]));
    }
    Ok(fs::write(path, bitmap)?)
}

/// Waits until somebody sees the photo, whole.
async fn sees_photo(talk: &Talk, who: &Caller) -> TestResult {
    let mut last = Value::Null;
    let found = eventually(&format!("the photo, seen by {who}"), async || {
        last = talk.track(who, "screen_share").await?;
        Ok((last["who"] == json!(PHOTO.0)).then_some(()))
    })
    .await;
    found.with_context(|| format!("at last {last}"))
}

#[tokio::test]
async fn a_photo_is_shown_also_to_those_who_come_later() -> TestResult {
    let (talk, anna) = in_call("Mit Bild und Ton sprechen").await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    let photo = talk.world.dir().join("photo.bmp");
    take_photo(&photo)?;
    citizen.clicks(SHOW).await?;
    let input = browser.find("#call-show input[type=file]").await?;
    let path = photo.to_str().context("an odd path")?;
    input.send_keys(path).await?;
    citizen.is_read_out("Sie zeigen ein Foto").await?;
    sees_photo(&talk, &anna).await?;
    citizen.portrays("call-page-photo").await?;

    let bernd = talk.world.clerk("bernd")?;
    let invited = talk.anna.clerk.invite(&talk.room, bernd.user_id()).await?;
    invited.success("inviting")?;
    bernd.join(&talk.room).await?;
    let later = Caller::start(2, talk.world.dir()).await?;
    talk.connects(bernd, &later).await?;
    sees_photo(&talk, &later).await?;

    shows_no_longer(&talk, &anna).await?;
    talk.anna_sees_and_hears(&anna).await?;
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn the_clerks_picture_goes_into_a_window_of_its_own_and_back() -> TestResult {
    let (talk, anna) = in_call("Nur mit Ton sprechen").await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    citizen.clicks(MORE).await?;
    citizen.reads("Nur Ton, ohne Bilder").await?;
    let offered = "return document.querySelector('#call-more').innerText
        .includes('Bild in kleinem Fenster')";
    let before = browser.page().execute(offered, vec![]).await?;
    ensure!(
        before == json!(false),
        "without a picture there is no window"
    );
    anna.show("cam", Picture::SMALL).await?;
    browser.sees_and_hears(1, 0).await?;
    citizen.chooses("Bild in kleinem Fenster").await?;
    let floating = "return document.pictureInPictureElement?.closest('.vz-tile--clerk') != null
        && document.pictureInPictureElement.videoWidth === 320";
    browser
        .wait_until("the clerk's picture in a window", floating, vec![])
        .await?;
    browser.sees_and_hears(1, 0).await?;
    citizen.chooses("Bild in kleinem Fenster").await?;
    let back = "return document.pictureInPictureElement === null";
    browser
        .wait_until("the picture to be back", back, vec![])
        .await?;
    browser.sees_and_hears(1, 0).await?;
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn on_a_bad_line_pictures_rest_until_the_guest_wants_them_back() -> TestResult {
    let talk = Talk::begin_on_a_line().await?;
    let (citizen, browser) = (&talk.citizen, &talk.citizen.browser);
    let line = talk.world.line.as_ref().context("no line")?;
    citizen.chooses("Mit Bild und Ton sprechen").await?;
    let anna = talk.anna_meets_the_guest().await?;
    citizen.clicks(MORE).await?;

    let bad = Weather {
        lost: 300,
        delay: Duration::from_millis(100),
        ..Weather::default()
    };
    line.weathers(Weather::default(), bad);
    citizen.reads("Ihre Verbindung ist schwach.").await?;
    citizen.reads("Es gibt nur Ton, keine Bilder.").await?;
    citizen
        .reads("Ohne Bilder verstehen Sie sich besser.")
        .await?;
    talk.control_is("Kamera", false).await?;
    anna.event("muted", |event| event["track"] == "camera")
        .await?;
    citizen.portrays("call-page-saving").await?;
    // The sound goes on, both ways.
    browser.sees_and_hears(0, 1).await?;

    line.weathers(Weather::default(), Weather::default());
    citizen.chooses("Bilder wieder einschalten").await?;
    talk.control_is("Kamera", true).await?;
    talk.both_see_and_hear(&anna).await?;
    // Good or very good: that depends on who else is at work on the machine.
    citizen.reads("gut.").await?;
    citizen.has_seen_no_fault().await
}
