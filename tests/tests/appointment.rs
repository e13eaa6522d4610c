//! The life of an appointment: booked, moved to a time that a clerk offers, expected, kept at the desk without
//! queueing; and what becomes of one that the office's calendar no longer carries.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use blackbox::{Guest, World, WorldOptions, city_open_all_day, eventually};
use http::Method;
use jiff::civil::Date;
use serde_json::{Value, json};

/// How the trade office takes appointments here.
const BOOKING: &str = "mail = \"gewerbe@dormagen.example\"\ndesks = 3\nnotice_minutes = 0\n\
    grid_minutes = 5\nprepare_minutes = 60\ngrace_minutes = 120\nconfirm_mail = false\n";

/// A booking, by its own secret.
struct Appointment {
    guest: Guest,
    token: String,
    code: String,
}

impl Appointment {
    /// Books a slot and needs no mail to be followed.
    async fn book(guest: Guest, slot: &Value, name: &str) -> Result<Self> {
        let hold = json!({ "services": ["anmelden"], "start": slot["start"] });
        let hold = guest
            .call(Method::POST, "offices/gewerbe/holds", Some(&hold))
            .await?
            .success("holding")?;
        let contact = json!({
            "name": name,
            "mail": format!("{name}@example.org"),
            "language": "de",
            "privacy_accepted": true,
        });
        let token = text(&hold, "token")?;
        let request = guest
            .request(Method::POST, "/api/v1/bookings")
            .bearer_auth(token)
            .json(&contact);
        let booked = guest.send(request).await?.success("booking")?;
        Ok(Self {
            token: text(&booked, "token")?,
            code: text(&booked["booking"], "code")?,
            guest,
        })
    }

    async fn call(&self, method: Method, what: &str, body: Option<&Value>) -> Result<Value> {
        let request = self
            .guest
            .request(method, &format!("/api/v1/booking{what}"))
            .bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.guest.send(request).await?.success(what)
    }

    async fn show(&self) -> Result<Value> {
        self.call(Method::GET, "", None).await
    }
}

#[tokio::test]
async fn an_appointment_is_expected_and_kept_at_the_desk() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let city = city_open_all_day(dir.path(), BOOKING)?;
    let world = World::start_with(WorldOptions {
        city: city.clone(),
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let mut anna = world.desk("anna", "gewerbe").await?;

    // Two slots of today, well within the hour in which the office prepares, and one of the day after tomorrow.
    let slots = world
        .guest()?
        .call(
            Method::GET,
            "offices/gewerbe/slots?services=anmelden&days=4",
            None,
        )
        .await?
        .success("slots")?;
    let slots = slots["slots"].as_array().context("slots")?.clone();
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

    let checked_in = ole.call(Method::POST, "/check-in", None).await?;
    let visit = text(&checked_in, "visit")?;
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
    let room = anna.until_consultation(&ticket).await?;
    ensure!(
        room == prepared,
        "another room than the one that stood ready"
    );
    ole.guest.until(&visit, "called").await?;
    ole.guest.enter(&visit).await?;
    ole.guest.say(&visit, "Guten Morgen").await?;
    anna.ask("!ende").await?;
    ole.guest.until(&visit, "ended").await?;

    // The office closes on the day of the other appointment: it stays, and the clerks learn of it.
    let exception = format!("\n[[exceptions]]\ndate = {later}\nclosed = true\n");
    fs::write(&city, fs::read_to_string(&city)? + &exception)?;
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
    world.settled().await
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

/// The demo city, with a trade office that is open at every hour of every day.
fn text(value: &Value, field: &str) -> Result<String> {
    let text = value[field]
        .as_str()
        .with_context(|| format!("no {field} in {value}"))?;
    Ok(text.to_owned())
}
