//! The life of an appointment: booked, moved to a time that a clerk offers, expected, kept at the desk without
//! queueing; and what becomes of one that the office's calendar no longer carries.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use blackbox::{
    Answer, Appointment, Guest, World, WorldOptions, city_open_all_day, eventually, free_slots,
    text,
};
use http::Method;
use jiff::{Timestamp, civil::Date};
use serde_json::json;

/// How the trade office takes appointments here.
const BOOKING: &str = "mail = \"gewerbe@dormagen.example\"\ndesks = 3\nnotice_minutes = 0\n\
    grid_minutes = 5\nprepare_minutes = 60\ngrace_minutes = 120\nconfirm_mail = false\n";

#[tokio::test]
async fn an_appointment_is_expected_and_kept_at_the_desk() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let city = city_open_all_day(dir.path(), BOOKING)?;
    let world = World::start_with(WorldOptions {
        city: city.clone(),
        mail: true,
        own_relay: true,
        ..WorldOptions::default()
    })
    .await?;
    let mut anna = world.desk("anna", "gewerbe").await?;

    // Two slots of today, well within the hour in which the office prepares, and one of the day after tomorrow.
    let slots = free_slots(&world.guest()?).await?;
    let mut dates: Vec<&str> = slots
        .iter()
        .filter_map(|slot| slot["date"].as_str())
        .collect();
    dates.dedup();
    let later: Date = dates.get(2).context("three days with slots")?.parse()?;
    let far = slots
        .iter()
        .filter(|slot| slot["date"] == later.to_string())
        .nth(100)
        .context("a slot in two days")?;

    let mia = Appointment::book(world.stranger()?, far, "mia").await?;
    anna.until_notice(&format!("Neuer Termin {}", mia.code))
        .await?;
    the_clerk_offers_another_time(&world, &mut anna, &mia, later).await?;

    let slots = free_slots(&world.guest()?).await?;
    let ole = Appointment::book(world.stranger()?, &slots[0], "ole").await?;
    let code = ole.code.clone();
    // The reminder rings, and the room stands ready before anybody comes.
    let soon = anna
        .until("the reminder", |happening| {
            let content = &happening.event["content"];
            let body = content["body"].as_str()?;
            (body.starts_with("⏰") && body.contains(&code)).then(|| content.clone())
        })
        .await?;
    ensure!(
        soon["m.mentions"]["user_ids"]
            .as_array()
            .is_some_and(|users| !users.is_empty()),
        "nobody's client rings: {soon}"
    );
    let database = world.database();
    let prepared = eventually("the room to stand ready", || async {
        Ok(database.texts("room FROM booking_rooms").await?.pop())
    })
    .await?;

    let link = json!({ "role": "interpreter" });
    let link = ole.call(Method::POST, "/links", Some(&link)).await?;
    let (interpreter, link) = (world.stranger()?, text(&link, "token")?);
    let early = comes_along(&interpreter, &link).await?;
    ensure!(early.problem() == Some("not-yet"), "{early:?}");

    let day = agenda(&mut anna).await?;
    ensure!(day.contains(&code) && !day.contains("ist da"), "{day}");
    let visit = ole.check_in(&ole.guest).await?;
    let beside = comes_along(&interpreter, &link).await?.success("a place")?;
    ensure!(
        beside["role"] == "interpreter" && beside["state"] == "waiting",
        "{beside}"
    );
    // The citizen's own link is for the citizen.
    let own = comes_along(&interpreter, &ole.token).await?;
    ensure!(own.problem() == Some("unknown-link"), "{own:?}");
    let walk_in = world.stranger()?.knock("gewerbe", "Ohne Termin").await?;
    let ticket = text(&ole.guest.visit(&visit).await?, "ticket")?;
    let ring = anna.until_ring(&ticket).await?;
    let line = ring["content"]["body"].as_str().unwrap_or_default();
    ensure!(line.contains("📅 Termin um"), "{line}");
    let other = text(&walk_in, "ticket")?;
    anna.until_ring(&other).await?;
    let queue = anna.ask("!schlange").await?;
    ensure!(queue.contains(&format!("{ticket} · 📅 Termin")), "{queue}");
    ensure!(queue.contains(&format!("{other} · Deutsch")), "{queue}");

    anna.ask(&format!("!ruf {ticket}")).await?;
    let room = anna.consultation(&ticket).await?;
    ensure!(
        room == prepared,
        "another room than the one that stood ready"
    );
    ole.guest.until(&visit, "called").await?;
    ole.guest.enter(&visit).await?;
    ole.guest.say(&visit, "Guten Morgen").await?;
    anna.ask("!ende").await?;
    ole.guest.until(&visit, "ended").await?;
    let over = comes_along(&interpreter, &link).await?;
    ensure!(over.problem() == Some("conversation-over"), "{over:?}");
    let day = agenda(&mut anna).await?;
    let line = day.lines().find(|line| line.contains(&code));
    ensure!(line.is_some_and(|line| line.ends_with("ist da")), "{day}");
    ensure!(
        !day.contains("ole") && !day.contains("example.org"),
        "{day}"
    );

    the_office_closes(&world, &mut anna, &mia, &city, later).await?;
    nobody_stands_in_the_log(&world, &[&mia.token, &ole.token])?;
    world.settled().await
}

/// Opens the link of somebody who comes along.
async fn comes_along(guest: &Guest, link: &str) -> Result<Answer> {
    let request = guest.request(Method::POST, "/api/v1/visits/participation");
    guest.send(request.bearer_auth(link)).await
}

/// Which zone an office is in says what time it is there: at night no list of the day's appointments is written, in the
/// morning one is.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "it has to be night at the office, and then morning, whenever today is"
)]
async fn clerks_read_in_the_morning_who_comes() -> Result<()> {
    let (night, morning) = night_and_morning(Timestamp::now())?;
    let dir = tempfile::tempdir()?;
    let file = city_open_all_day(dir.path(), BOOKING)?;
    let at = |zone: &str| -> Result<()> {
        let mut city: toml::Table = fs::read_to_string(&file)?.parse()?;
        city.insert("time_zone".to_owned(), zone.into());
        Ok(fs::write(&file, toml::to_string(&city)?)?)
    };
    at(&night)?;
    let mut world = World::start_with(WorldOptions {
        city: file.clone(),
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    let mut lists = Vec::new();

    // Too far ahead to begin soon, and on the same day in both zones.
    let slots = free_slots(&world.guest()?).await?;
    let slot = slots.get(18).context("a slot in an hour and a half")?;
    let mia = Appointment::book(world.stranger()?, slot, "mia").await?;
    until_line(&mut anna, &mut lists, "📅 Neuer Termin", &mia.code).await?;
    at(&morning)?;
    until_line(&mut anna, &mut lists, "📅 Termine am", &mia.code).await?;
    let list = lists.first().context("no list")?.clone();
    ensure!(list.contains("Gewerbe anmelden · Deutsch"), "{list}");
    let start: Timestamp = text(slot, "start")?.parse()?;
    let clock = start.in_tz(&morning)?.strftime("%H:%M–").to_string();
    ensure!(list.contains(&clock), "not at {clock}: {list}");
    ensure!(!list.contains("mia"), "{list}");

    // Started again, the program says what begins soon, twice: between the two it would have written the list again.
    world.vorzimmer.stop().await?;
    world.vorzimmer.resume().await?;
    let slots = free_slots(&world.guest()?).await?;
    for (slot, name) in slots.iter().zip(["ole", "eva"]) {
        let soon = Appointment::book(world.stranger()?, slot, name).await?;
        until_line(&mut anna, &mut lists, "⏰ Gleich", &soon.code).await?;
    }
    assert_eq!(lists, [list]);
    Ok(())
}

/// Reads on to a line of the bot about a booking, and keeps the day's lists that it meets.
async fn until_line(
    desk: &mut blackbox::Desk,
    lists: &mut Vec<String>,
    start: &str,
    code: &str,
) -> Result<()> {
    desk.until(&format!("{start} … {code}"), |happening| {
        let body = happening.event["content"]["body"].as_str()?;
        if body.starts_with("📅 Termine am") {
            lists.push(body.to_owned());
        }
        (body.starts_with(start) && body.contains(code)).then_some(())
    })
    .await
}

/// Two zones: in one it is early in the night, in the other seven hours later on the same day.
fn night_and_morning(now: Timestamp) -> Result<(String, String)> {
    let name = |offset: i32| match offset {
        0.. => format!("Etc/GMT-{offset}"),
        _ => format!("Etc/GMT+{}", -offset),
    };
    for offset in -12..=7 {
        let night = now.in_tz(&name(offset))?;
        if (1..=5).contains(&night.hour()) {
            return Ok((name(offset), name(offset + 7)));
        }
    }
    bail!("it is night nowhere")
}

/// The office closes on the day of an appointment: it stays, and the clerks learn of it, and give it up with a reason.
async fn the_office_closes(
    world: &World,
    anna: &mut blackbox::Desk,
    mia: &Appointment,
    city: &Path,
    later: Date,
) -> Result<()> {
    let exception = format!("\n[[exceptions]]\ndate = {later}\nclosed = true\n");
    fs::write(city, fs::read_to_string(city)? + &exception)?;
    let code = mia.code.clone();
    let told = anna
        .until("the conflict", |happening| {
            let body = happening.event["content"]["body"].as_str()?;
            (body.starts_with("⚠️") && body.contains(&code)).then(|| body.to_owned())
        })
        .await?;
    ensure!(
        told.contains("geschlossen") && told.contains("!anbieten"),
        "{told}"
    );
    ensure!(mia.show().await?["state"] == "confirmed");
    let said = anna
        .ask(&format!("!absagen {} Wir haben geschlossen", mia.code))
        .await?;
    ensure!(said.contains(&mia.code), "{said}");
    let mail = world.mail("Abgesagt").await?;
    ensure!(mail.text.contains("Wir haben geschlossen"), "{}", mail.text);
    Ok(())
}

/// Whoever reads the log learns of nobody, and can open no booking.
fn nobody_stands_in_the_log(world: &World, secrets: &[&str]) -> Result<()> {
    let log = fs::read_to_string(world.dir().join("vorzimmer.log"))?;
    ensure!(!log.is_empty(), "there is no log");
    let personal = ["mia@", "ole@", "example.org", "Wir haben geschlossen"];
    for word in personal.iter().chain(secrets) {
        ensure!(!log.contains(word), "{word} stands in the log");
    }
    Ok(())
}

/// Today's appointments and tomorrow's, for midnight may be near.
async fn agenda(desk: &mut blackbox::Desk) -> Result<String> {
    let today = desk.ask("!termine").await?;
    let tomorrow = desk.ask("!termine morgen").await?;
    Ok(format!("{today}\n{tomorrow}"))
}

/// Without a time, what is free; with one, a mail. The citizen takes it by the link.
async fn the_clerk_offers_another_time(
    world: &World,
    anna: &mut blackbox::Desk,
    mia: &Appointment,
    day: Date,
) -> Result<()> {
    let free = anna.ask(&format!("!anbieten {}", mia.code)).await?;
    ensure!(free.contains("Diese Zeiten sind frei"), "{free}");
    let before = mia.show().await?;
    let time = "20:30";
    ensure!(before["time"] != time, "{before}");
    let command = format!(
        "!anbieten {} {}.{}. {time} Uhr",
        mia.code,
        day.day(),
        day.month()
    );
    let offered = anna.ask(&command).await?;
    ensure!(offered.contains("ist angeboten"), "{offered}");
    let mail = world.mail("Andere Zeit für Ihren Termin?").await?;
    ensure!(
        mail.text.contains("20:30 Uhr (für Sie reserviert"),
        "{}",
        mail.text
    );
    ensure!(mail.calendar.is_none(), "nothing has changed yet");

    let offer = mia.show().await?["offer"].clone();
    ensure!(
        offer["time"] == time && offer["by_office"] == true,
        "{offer}"
    );
    let body = json!({ "start": offer["start"] });
    let moved = mia.call(Method::POST, "/move", Some(&body)).await?;
    ensure!(moved["time"] == time && moved["offer"].is_null(), "{moved}");
    anna.until_notice(&format!("Termin {} verschoben", mia.code))
        .await?;
    Ok(())
}
