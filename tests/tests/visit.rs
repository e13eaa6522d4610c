//! The main job: a citizen knocks in the browser, a clerk lets her in from Element, they talk.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use blackbox::{Citizen, Desk, Happening, Knock, World, artifacts_dir};
use serde_json::{Value, json};

/// Words that nobody but the clerks of the office may ever see.
const CONCERN: &str = "Ich eröffne ein Café in der Kölner Straße.";
const NAME: &str = "Erika Mustermann";
const PERSONAL: [&str; 4] = ["Café", "Kölner", "Erika", "Mustermann"];

/// A small document; what makes a file a PDF are its first bytes.
const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n\
                     trailer<</Root 1 0 R>>\n%%EOF\n";

#[tokio::test]
async fn a_citizen_knocks_is_let_in_from_element_and_talks_until_the_clerk_ends() -> Result<()> {
    let world = World::start().await?;
    let (mut desk, citizen) = tokio::try_join!(world.desk("anna", "gewerbe"), Citizen::of(&world))?;
    desk.on_duty().await?;

    // The lobby says that somebody is there, the office's page what to say when knocking.
    citizen.opens("/").await?;
    let live = "[data-office-live=gewerbe]";
    citizen.browser.wait_for_text(live, "Frei").await?;
    citizen.clicks("[data-knock=gewerbe]").await?;
    citizen.sees_heading("Gewerbemeldestelle").await?;
    citizen.portrays("visit-1-office").await?;
    citizen
        .clicks("[data-knock-form] [type=submit]:not(:disabled)")
        .await?;
    citizen.reads("Bitte prüfen Sie Ihre Angaben").await?;
    citizen.portrays("visit-2-form-errors").await?;
    citizen
        .fills_in(Knock {
            concern: CONCERN,
            name: NAME,
            service: "anmelden",
        })
        .await?;
    citizen.clicks("[data-knock-form] [type=submit]").await?;
    citizen
        .sees_heading("Sie sind in der Warteschlange")
        .await?;
    citizen.reads("Sie sind als Nächstes dran.").await?;
    let ticket = citizen.ticket().await?;
    citizen.portrays("visit-3-waiting").await?;

    // The clerk's Element shows the knock, and rings.
    let knock = desk.sees_knock(&ticket).await?;
    assert_eq!(
        knock["content"]["reason"],
        format!("{ticket} · Gewerbe anmelden")
    );
    assert_eq!(knock["content"]["displayname"], json!(ticket));
    let announced = desk.sees_message(&desk.door.clone(), "Platz 1").await?;
    let heard_at = |event: &Value| desk.seen().iter().position(|heard| heard.event == *event);
    assert!(
        heard_at(&knock) < heard_at(&announced),
        "whom the line is about knocks first"
    );
    assert_eq!(
        announced["content"]["msgtype"], "m.text",
        "a notice does not ring"
    );
    assert_eq!(
        announced["content"]["m.mentions"]["user_ids"],
        json!([desk.clerk.user_id()])
    );
    let concern = desk.sees_message(&desk.door.clone(), CONCERN).await?;
    assert!(
        !announced.to_string().contains("Café"),
        "the line stays, the concern goes: {announced}"
    );

    // Approve.
    let ghost = desk.approves(&ticket).await?;
    citizen.is_told("Sie sind dran!").await?;
    wait_for_title(&citizen, "Sie sind dran!").await?;
    citizen.reads("anna ruft Sie.").await?;
    citizen.portrays("visit-4-called").await?;
    let room = desk.consultation(&ticket).await?;
    assert_ne!(room, desk.door);
    let welcome = desk.sees_message(&room, CONCERN).await?;
    assert!(
        welcome["content"]["body"]
            .as_str()
            .unwrap_or_default()
            .contains(NAME)
    );
    citizen.enters().await?;

    talk(&citizen, &mut desk, &room, &ghost).await?;
    let kept = exchange_files(&world, &citizen, &mut desk, &room).await?;
    citizen.portrays("visit-5-conversation").await?;

    // The end.
    desk.clerk.send_text(&room, "!ende").await?;
    citizen.is_told("Vielen Dank für Ihren Besuch").await?;
    citizen.portrays("visit-6-served").await?;
    rate(&citizen).await?;
    citizen.has_seen_no_fault().await?;

    nothing_personal_stays(&mut desk, &room, &ghost, &ticket, &concern).await?;
    for file in kept {
        let stranger = reqwest::get(world.url(&file)).await?;
        assert_eq!(stranger.status(), 404, "{file} without the cookie");
    }
    Ok(())
}

/// Each sees that the other writes, and then what.
async fn talk(citizen: &Citizen, desk: &mut Desk, room: &str, ghost: &str) -> Result<()> {
    desk.clerk.typing(room, true).await?;
    citizen.reads("anna schreibt").await?;
    desk.clerk.typing(room, false).await?;
    desk.clerk
        .send_text(room, "Guten Tag, Frau Mustermann!")
        .await?;
    citizen.reads("Guten Tag, Frau Mustermann!").await?;
    let silent = "return document.querySelector('.vz-typing').innerText.trim() === ''";
    citizen
        .browser
        .wait_until("the end of typing", silent, vec![])
        .await?;

    citizen
        .browser
        .find("#message")
        .await?
        .send_keys("Guten ")
        .await?;
    desk.sees(
        "the citizen to type",
        |Happening {
             room_id: here,
             event,
         }| { here == room && event["type"] == "m.typing" && says_who_types(event, ghost) },
    )
    .await?;
    citizen
        .says("Morgen! <b>Ich</b> habe alles dabei & warte.")
        .await?;
    let said = desk.sees_message(room, "Guten Morgen").await?;
    assert_eq!(said["sender"], ghost);
    let body = "Guten Morgen! <b>Ich</b> habe alles dabei & warte.";
    assert_eq!(said["content"]["body"], body);
    assert_eq!(said["content"].get("formatted_body"), None);
    Ok(())
}

/// A document and a picture go both ways unchanged. Returns where the page has them.
async fn exchange_files(
    world: &World,
    citizen: &Citizen,
    desk: &mut Desk,
    room: &str,
) -> Result<Vec<String>> {
    let dir = tempfile::tempdir()?;
    let (document, picture) = (
        dir.path().join("Ausweis.pdf"),
        dir.path().join("Schild.png"),
    );
    let png = fs::read(artifacts_dir("screenshots")?.join("visit-4-called-320.png"))?;
    fs::write(&document, PDF)?;
    fs::write(&picture, &png)?;
    for (file, content, kind) in [(&document, PDF, "m.file"), (&picture, &png, "m.image")] {
        citizen.sends_file(file).await?;
        let name = name_of(file);
        let event = desk.sees_message(room, &name).await?;
        assert_eq!(event["content"]["msgtype"], kind);
        let mxc = event["content"]["url"]
            .as_str()
            .context("a file without address")?;
        assert!(
            desk.clerk.download(mxc).await? == content,
            "{name} has changed on its way"
        );
        not_public(world, mxc).await?;
    }

    let client = &desk.clerk;
    let document = client
        .upload("Bescheid.pdf", "application/pdf", PDF.to_vec())
        .await?;
    let picture = client
        .upload("Muster.png", "image/png", png.clone())
        .await?;
    let file = |msgtype: &str, name: &str, url: &str, mimetype: &str, size: usize| {
        json!({ "msgtype": msgtype, "body": name, "filename": name, "url": url,
            "info": { "mimetype": mimetype, "size": size } })
    };
    let document = file(
        "m.file",
        "Bescheid.pdf",
        &document,
        "application/pdf",
        PDF.len(),
    );
    let picture = file("m.image", "Muster.png", &picture, "image/png", png.len());
    client.send(room, "m.room.message", &document).await?;
    client.send(room, "m.room.message", &picture).await?;
    let mut addresses = Vec::new();
    for (name, content) in [("Bescheid.pdf", PDF), ("Muster.png", &png)] {
        let link = citizen
            .browser
            .find(&format!("a[download=\"{name}\"]"))
            .await?;
        let href = link.attr("href").await?.context("a link to nowhere")?;
        assert!(
            citizen.downloads(&href).await? == content,
            "{name} has changed on its way"
        );
        addresses.push(href);
    }
    let shown = "const picture = document.querySelector('img[alt*=\"Muster.png\"]');
                 picture?.scrollIntoView(); return Boolean(picture?.complete && picture.naturalWidth > 0)";
    citizen
        .browser
        .wait_until("the clerk's picture", shown, vec![])
        .await?;
    Ok(addresses)
}

/// Whoever knows the address of a file but is not signed in gets nothing.
async fn not_public(world: &World, mxc: &str) -> Result<()> {
    let place = mxc.strip_prefix("mxc://").context("no mxc address")?;
    let homeserver = world.site.homeserver.url();
    for path in [
        "_matrix/client/v1/media/download",
        "_matrix/media/v3/download",
    ] {
        let status = reqwest::get(format!("{homeserver}/{path}/{place}"))
            .await?
            .status();
        assert!(
            status.is_client_error(),
            "{path} answers {status} to strangers"
        );
    }
    Ok(())
}

/// Rates the visit; it counts once, also after a reload.
async fn rate(citizen: &Citizen) -> Result<()> {
    let visit = citizen.visit_id().await?;
    citizen.chooses("Bewertung senden").await?;
    citizen.reads("Bitte wählen Sie eine Bewertung.").await?;
    citizen.portrays("visit-7-rating-error").await?;
    citizen.clicks("label[for=stars-4]").await?;
    citizen.chooses("Bewertung senden").await?;
    citizen.reads("Danke für Ihre Bewertung.").await?;
    citizen.portrays("visit-8-rated").await?;
    citizen.has_seen_no_fault().await?;
    let again = format!("/api/v1/visits/{visit}/rating");
    let (status, _) = citizen
        .requests("POST", &again, Some(json!({ "stars": 1 })))
        .await?;
    assert_eq!(status, 409);
    // The refusal is a line in the console.
    assert_eq!(citizen.browser.console_errors().await?.len(), 1);
    citizen.reloads().await?;
    citizen.reads("Danke für Ihre Bewertung.").await
}

/// After the end the ghost is gone, the concern as well, and the door room's state has never known a personal word.
async fn nothing_personal_stays(
    desk: &mut Desk,
    room: &str,
    ghost: &str,
    ticket: &str,
    concern: &Value,
) -> Result<()> {
    let (door, room) = (desk.door.clone(), room.to_owned());
    desk.sees("the ghost to leave the consultation room", |heard| {
        heard.room_id == room
            && heard.event["state_key"] == ghost
            && heard.event["content"]["membership"] == "leave"
    })
    .await?;
    let concern = concern["event_id"]
        .as_str()
        .context("an event without id")?;
    desk.sees("the concern to be taken back", |heard| {
        heard.room_id == door
            && heard.event["type"] == "m.room.redaction"
            && heard.event["content"]["redacts"] == concern
    })
    .await?;
    desk.sees_message(&door, &format!("☑️ {ticket} · Gewerbe anmelden · beendet"))
        .await?;
    let concern = desk.clerk.event(&door, concern).await?;
    assert_eq!(concern["content"], json!({}), "{concern}");
    let membership = desk.clerk.state(&door, "m.room.member", ghost).await?;
    assert_eq!(
        membership.context("a ghost that never was")?["membership"],
        "leave"
    );
    let clerk = desk.clerk.clone();
    let then = desk
        .seen()
        .iter()
        .filter(|heard| heard.room_id == door && heard.event.get("state_key").is_some());
    let states = then
        .map(|heard| heard.event.clone())
        .chain(clerk.full_state(&door).await?);
    for state in states {
        let text = state.to_string();
        for word in PERSONAL {
            assert!(
                !text.contains(word),
                "{word} stands in the door room's state: {text}"
            );
        }
    }
    Ok(())
}

fn says_who_types(event: &Value, user: &str) -> bool {
    let users = event["content"]["user_ids"].as_array();
    users.is_some_and(|users| users.iter().any(|typing| typing == user))
}

async fn wait_for_title(citizen: &Citizen, title: &str) -> Result<()> {
    let script = "return document.title.includes(arguments[0])";
    let what = format!("the title {title:?}");
    citizen
        .browser
        .wait_until(&what, script, vec![title.into()])
        .await
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
