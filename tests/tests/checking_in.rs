//! Whoever has the link of an appointment gets in: from any browser, and once more when the visit was lost.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use blackbox::{
    Appointment, Citizen, Engine, Guest, World, WorldOptions, city_open_all_day, free_slots,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// Appointments of today can be checked in for at once, and for hours after they began.
const BOOKING: &str = "mail = \"gewerbe@dormagen.example\"\ndesks = 3\nnotice_minutes = 0\n\
    grid_minutes = 5\nprepare_minutes = 60\ngrace_minutes = 120\nconfirm_mail = false\n";

async fn world(dir: &tempfile::TempDir) -> Result<World> {
    World::start_with(WorldOptions {
        city: city_open_all_day(dir.path(), BOOKING)?,
        mail: true,
        own_relay: true,
        ..WorldOptions::default()
    })
    .await
}

#[tokio::test]
async fn the_link_leads_to_the_visit_in_whichever_browser_opens_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = world(&dir).await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    let slots = free_slots(&world.guest()?).await?;
    let ole = Appointment::book(world.stranger()?, &slots[0], "ole").await?;

    // First in the browser of a mail program, then in the usual one.
    let (first, second) = (world.stranger()?, world.stranger()?);
    let visit = ole.check_in(&first).await?;
    ensure!(ole.check_in(&first).await? == visit, "not the same again");
    let mut page = first.events(&visit).await?;
    page.next().await?.context("the page shows nothing")?;
    ensure!(ole.check_in(&second).await? == visit, "another visit");
    let ticket = second.visit(&visit).await?["ticket"].clone();
    let lost = first
        .call(Method::GET, &format!("visits/{visit}"), None)
        .await?;
    ensure!(lost.problem() == Some("unknown-visit"), "{lost:?}");
    // The page that was open is not fed any longer.
    while page.next().await?.is_some() {}

    // Nothing has changed for the clerks, and the conversation is with whoever came last.
    let ticket = ticket.as_str().context("no ticket")?;
    let _page = second.events(&visit).await?;
    anna.until_ring(ticket).await?;
    anna.ask(&format!("!ruf {ticket}")).await?;
    let room = anna.consultation(ticket).await?;
    second.until(&visit, "called").await?;
    second.enter(&visit).await?;
    second.say(&visit, "Guten Morgen").await?;
    let refused = first.say_as(&visit, "m1", "Guten Morgen").await?;
    ensure!(refused.problem() == Some("unknown-visit"), "{refused:?}");
    ensure!(!room.is_empty());

    // In the middle of it, back to the first one; it reads what was said.
    ensure!(ole.check_in(&first).await? == visit, "another visit");
    ensure!(first.messages(&visit).await?.len() == 1);
    anna.ask("!ende").await?;
    first.until(&visit, "ended").await?;
    let over = ole.ask(&second, Method::POST, "/check-in", None).await?;
    ensure!(over.problem() == Some("booking-state"), "{over:?}");
    let shown = ole.show().await?;
    ensure!(
        shown["state"] == "arrived" && shown["visit"].is_null(),
        "what is over is offered: {shown}"
    );
    Ok(())
}

#[tokio::test]
async fn whoever_was_lost_can_check_in_again_while_the_grace_lasts() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = world(&dir).await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    let slots = free_slots(&world.guest()?).await?;
    let ole = Appointment::book(world.stranger()?, &slots[0], "ole").await?;
    let role = json!({ "role": "interpreter" });
    let link = ole.call(Method::POST, "/links", Some(&role)).await?;
    let link = link["token"].as_str().context("no link")?.to_owned();

    let first = ole.check_in(&ole.guest).await?;
    let interpreter = world.stranger()?;
    let beside = comes_along(&interpreter, &link).await?;
    let ticket = ole.guest.visit(&first).await?["ticket"].clone();
    ole.guest.leave(&first).await?;
    ole.guest.until(&first, "ended").await?;
    ensure!(ole.show().await?["visit"] == first.as_str());

    let second = ole.check_in(&ole.guest).await?;
    ensure!(second != first, "what has ended does not begin again");
    let visit = ole.guest.visit(&second).await?;
    ensure!(
        visit["state"] == "waiting" && visit["ticket"] != ticket,
        "{visit}"
    );
    // It is an appointment as before, and whoever comes along comes along to it.
    let ring = anna
        .until_ring(visit["ticket"].as_str().context("no ticket")?)
        .await?;
    let line = ring["content"]["body"].as_str().unwrap_or_default();
    ensure!(line.contains("📅 Termin um"), "{line}");
    let again = comes_along(&interpreter, &link).await?;
    ensure!(
        again["id"] == beside["id"] && again["ticket"] == visit["ticket"],
        "{again}"
    );

    // A clerk's word is the last one.
    let ticket = visit["ticket"].as_str().context("no ticket")?;
    anna.ask(&format!("!ablehnen {ticket}")).await?;
    ole.guest.until(&second, "ended").await?;
    let over = ole.ask(&ole.guest, Method::POST, "/check-in", None).await?;
    ensure!(
        over.status == StatusCode::CONFLICT && over.problem() == Some("booking-state"),
        "{over:?}"
    );
    world.settled().await
}

/// Whoever sees the citizen's calendar finds a way to the desk there, and nothing to change.
#[tokio::test]
async fn the_link_in_a_calendar_lets_one_arrive_and_changes_nothing() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = world(&dir).await?;
    let slots = free_slots(&world.guest()?).await?;
    let ole = Appointment::book(world.stranger()?, &slots[0], "ole").await?;
    let mail = world.mail("Ihr Termin am").await?;
    let (_, calendar) = mail.calendar.clone().context("no invitation")?;
    let file = ole
        .guest
        .request(Method::GET, "/api/v1/booking/calendar")
        .bearer_auth(&ole.token)
        .send()
        .await?
        .text()
        .await?;
    let secrets = secrets_in(&calendar);
    ensure!(
        secrets.len() == 1 && secrets == secrets_in(&file),
        "not one and the same: {secrets:?}"
    );
    let calendar = Appointment {
        guest: world.stranger()?,
        token: secrets.into_iter().next().context("no link")?,
        code: ole.code.clone(),
    };
    ensure!(
        calendar.token != ole.token && mail.text.contains(&ole.token),
        "the mail has the booker's own link"
    );

    let shown = calendar.show().await?;
    ensure!(
        shown["holder"] == "calendar" && shown["code"] == ole.code.as_str(),
        "{shown}"
    );
    ensure!(shown["name"].is_null(), "{shown}");
    let other = json!({ "start": slots[20]["start"] });
    let before = ole.show().await?;
    for (method, what, body) in [
        (Method::POST, "/cancel", Value::Null),
        (Method::POST, "/move", other),
        (Method::POST, "/confirm", Value::Null),
        (Method::POST, "/links", json!({ "role": "companion" })),
        (Method::POST, "/earlier", json!({ "wanted": true })),
        (Method::POST, "/turn-down", Value::Null),
        (Method::GET, "/calendar", Value::Null),
    ] {
        let body = Some(&body).filter(|body| !body.is_null());
        let answer = calendar.ask(&calendar.guest, method, what, body).await?;
        ensure!(
            answer.problem() == Some("not-the-booker"),
            "{what}: {answer:?}"
        );
    }
    ensure!(ole.show().await? == before, "it is as it was");

    // A colleague presses it first, and cannot keep it from the citizen; nor take it back.
    let visit = calendar.check_in(&calendar.guest).await?;
    ensure!(calendar.check_in(&calendar.guest).await? == visit);
    ensure!(ole.check_in(&ole.guest).await? == visit);
    let refused = calendar
        .ask(&calendar.guest, Method::POST, "/check-in", None)
        .await?;
    ensure!(
        refused.problem() == Some("arrived-elsewhere"),
        "{refused:?}"
    );
    ole.guest.visit(&visit).await?;
    // Its secret is no link of somebody who comes along either.
    let request = calendar
        .guest
        .request(Method::POST, "/api/v1/visits/participation");
    let beside = calendar
        .guest
        .send(request.bearer_auth(&calendar.token))
        .await?;
    ensure!(beside.problem() == Some("unknown-link"), "{beside:?}");
    let hashes = world.database().texts("arrival_hash FROM bookings").await?;
    ensure!(hashes.len() == 1 && !hashes[0].contains(&calendar.token));
    Ok(())
}

/// By the pages: the mail's link, a test of camera and microphone, and the queue; then the same in another browser.
#[tokio::test]
async fn the_link_leads_through_the_test_of_devices_to_the_queue() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = world(&dir).await?;
    let slots = free_slots(&world.guest()?).await?;
    Appointment::book(world.stranger()?, &slots[0], "ole").await?;
    let mail = world.mail("Ihr Termin am").await?;
    let link = mail.link().context("the mail has no link")?;
    let citizen = Citizen::equipped(&world, Engine::Chromium).await?;
    citizen.opens(link).await?;
    citizen.sees_heading("Ihr Termin ist gebucht").await?;
    citizen.clicks(".vz-check summary").await?;
    citizen.chooses("Kamera und Mikrofon einschalten").await?;
    citizen
        .reads("Sie können mit Bild und Ton sprechen.")
        .await?;
    citizen.portrays("booking-come-de").await?;
    citizen.chooses("Ich bin da").await?;
    citizen
        .sees_heading("Sie sind in der Warteschlange")
        .await?;
    let ticket = citizen.ticket().await?;
    citizen.reads("Kamera und Mikrofon testen").await?;

    let other = Citizen::of(&world).await?;
    other.opens(link).await?;
    other.sees_heading("Sie sind angemeldet").await?;
    other.portrays("booking-arrived-de").await?;
    other.chooses("Zum Gespräch").await?;
    other.sees_heading("Sie sind in der Warteschlange").await?;
    ensure!(other.ticket().await? == ticket, "another number");
    other.has_seen_no_fault().await?;
    citizen
        .is_told("Ihr Besuch ist jetzt in einem anderen Browser offen")
        .await?;
    citizen.portrays("visit-elsewhere-de").await
}

/// By the pages: a family with two appointments and one browser.
#[tokio::test]
async fn the_second_link_leads_to_the_visit_that_goes_on() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = world(&dir).await?;
    let slots = free_slots(&world.guest()?).await?;
    let ole = Appointment::book(world.stranger()?, &slots[0], "ole").await?;
    let eva = Appointment::book(world.stranger()?, &slots[1], "eva").await?;
    let citizen = Citizen::of(&world).await?;
    citizen.opens(&format!("/termin#{}", ole.token)).await?;
    citizen.chooses("Ich bin da").await?;
    citizen
        .sees_heading("Sie sind in der Warteschlange")
        .await?;
    let ticket = citizen.ticket().await?;
    citizen.opens(&format!("/termin#{}", eva.token)).await?;
    citizen.chooses("Ich bin da").await?;
    citizen
        .is_read_out("Ihr Termin verfällt nicht, solange der andere Besuch dauert.")
        .await?;
    citizen.portrays("booking-here-already-de").await?;
    citizen.chooses("Zum offenen Besuch").await?;
    citizen
        .sees_heading("Sie sind in der Warteschlange")
        .await?;
    ensure!(citizen.ticket().await? == ticket, "another number");
    ensure!(eva.show().await?["state"] == "confirmed");
    Ok(())
}

/// By the pages: the link in the calendar.
#[tokio::test]
async fn the_page_of_the_calendars_link_has_nothing_to_change() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = world(&dir).await?;
    let slots = free_slots(&world.guest()?).await?;
    Appointment::book(world.stranger()?, &slots[0], "ole").await?;
    let (_, calendar) = world
        .mail("Ihr Termin am")
        .await?
        .calendar
        .context("no invitation")?;
    let secrets = secrets_in(&calendar);
    let secret = secrets.first().context("no link")?;
    let citizen = Citizen::of(&world).await?;
    citizen.opens(&format!("/termin#{secret}")).await?;
    citizen.sees_heading("Ihr Termin ist gebucht").await?;
    citizen
        .reads("Zum Verschieben oder Absagen nutzen Sie den Link in unserer E-Mail.")
        .await?;
    citizen.reads("Kamera und Mikrofon testen").await?;
    citizen.portrays("booking-by-calendar-de").await?;
    let buttons = citizen
        .browser
        .page()
        .find_all(fantoccini::Locator::Css("#termin button"))
        .await?
        .len();
    ensure!(buttons == 1, "{buttons} buttons beside „Ich bin da“");
    citizen.chooses("Ich bin da").await?;
    citizen
        .sees_heading("Sie sind in der Warteschlange")
        .await?;
    citizen.has_seen_no_fault().await
}

/// The secrets of all links to bookings in a calendar object.
fn secrets_in(calendar: &str) -> BTreeSet<String> {
    let unfolded = calendar.replace('\r', "").replace("\n ", "");
    let secret = |rest: &str| {
        let end = rest.find(|char: char| !(char.is_ascii_alphanumeric() || "-_".contains(char)));
        rest[..end.unwrap_or(rest.len())].to_owned()
    };
    unfolded.split("/termin#").skip(1).map(secret).collect()
}

/// Opens the link of somebody who comes along.
async fn comes_along(guest: &Guest, link: &str) -> Result<Value> {
    let request = guest.request(Method::POST, "/api/v1/visits/participation");
    guest
        .send(request.bearer_auth(link))
        .await?
        .success("a place")
}
