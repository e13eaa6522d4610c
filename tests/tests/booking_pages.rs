//! An appointment on the pages, in German, with a pointer and without the grid of days: booked, moved, offered another
//! time, cancelled.

use anyhow::{Context as _, Result, ensure};
use blackbox::{Citizen, Desk, World, WorldOptions, city_open_all_day};
use http::{Method, StatusCode};
use jiff::civil::Date;
use serde_json::json;

/// Where the trade office's free times are told.
const FREE: &str = "offices/gewerbe/slots?services=anmelden";

#[tokio::test]
async fn an_appointment_is_booked_from_the_list_moved_and_cancelled() -> Result<()> {
    let world = World::start_with(WorldOptions {
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    let citizen = Citizen::of(&world).await?;
    citizen.opens("/buero/gewerbe/termin").await?;
    citizen.sees_heading("Worum geht es?").await?;
    citizen.chooses("Freie Zeiten zeigen").await?;
    citizen
        .is_read_out("Bitte wählen Sie mindestens ein Anliegen.")
        .await?;
    citizen.clicks("[for=service-anmelden]").await?;
    citizen.portrays("book-service-de").await?;
    citizen.chooses("Freie Zeiten zeigen").await?;
    citizen.is_told("Wann passt es Ihnen?").await?;
    citizen.portrays("book-time-de").await?;
    citizen.chooses("Als Liste zeigen").await?;
    ensure!(
        count(&citizen, "[role=grid]").await? == 0,
        "the grid is still there"
    );
    let days = count(&citizen, ".vz-days details").await?;
    ensure!(days > 10, "the list has {days} days");
    citizen.portrays("book-list-de").await?;

    somebody_else_is_faster(&world, &citizen).await?;
    citizen.is_told("Wer kommt?").await?;
    says_who_comes(&citizen).await?;
    citizen.chooses("Termin buchen").await?;
    citizen.is_told("Fast geschafft").await?;
    citizen.portrays("book-done-de").await?;

    let mail = world.mail("Bitte bestätigen").await?;
    citizen.opens(mail.link().context("no link")?).await?;
    citizen.is_told("Bitte bestätigen Sie Ihren Termin").await?;
    citizen.portrays("booking-unconfirmed-de").await?;
    citizen.chooses("Termin bestätigen").await?;
    citizen.is_told("Ihr Termin ist gebucht").await?;
    citizen.chooses("Link für Begleitperson").await?;
    citizen.browser.find("#link-0").await?;
    citizen.portrays("booking-confirmed-de").await?;

    citizen.chooses("Verschieben").await?;
    citizen.reads("Wann passt es Ihnen?").await?;
    citizen.portrays("booking-move-de").await?;
    citizen.chooses("Als Liste zeigen").await?;
    citizen
        .clicks(".vz-days details:nth-last-child(2) summary")
        .await?;
    citizen
        .clicks(".vz-days details:nth-last-child(2) button")
        .await?;
    citizen.is_told("Ihr Termin ist verschoben").await?;
    let moved = world.mail("Verschoben: Ihr Termin ist am").await?;
    let (method, calendar) = moved.calendar.context("no invitation")?;
    ensure!(
        method == "REQUEST" && calendar.contains("SEQUENCE:1"),
        "{calendar}"
    );

    a_clerk_offers_another_time(&world, &mut anna, &citizen).await?;
    citizen.chooses("Zur Warteliste").await?;
    citizen
        .sees_heading("Warteliste für einen früheren Termin")
        .await?;
    citizen.chooses("Auf die Warteliste setzen").await?;
    citizen.reads("Ihr Platz: 1 von 1.").await?;
    citizen.portrays("waiting-list-de").await?;
    citizen.chooses("Zu Ihrem Termin").await?;
    citizen.sees_heading("Ihr Termin ist gebucht").await?;
    citizen.chooses("Absagen").await?;
    citizen.browser.find("dialog[open]").await?;
    citizen.portrays("booking-cancel-de").await?;
    citizen.chooses("Ja, absagen").await?;
    citizen.is_told("Der Termin ist abgesagt").await?;
    citizen.portrays("booking-cancelled-de").await?;
    // One answer was a refusal: the browser's console tells of it.
    let faults = citizen.browser.console_errors().await?;
    ensure!(
        faults
            .iter()
            .all(|fault| fault.contains("409") || fault.contains("422")),
        "{faults:?}"
    );
    Ok(())
}

/// One desk, a start every hour, day and night, for five months.
const FAR: &str = "mail = \"gewerbe@dormagen.example\"\ndesks = 1\nnotice_minutes = 0\n\
    grid_minutes = 60\nhorizon_days = 150\nconfirm_mail = false\n";

#[tokio::test]
async fn days_far_ahead_are_asked_for_when_they_are_looked_at() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = World::start_with(WorldOptions {
        city: city_open_all_day(dir.path(), FAR)?,
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let citizen = Citizen::of(&world).await?;
    citizen.opens("/buero/gewerbe/termin").await?;
    citizen.clicks("[for=service-anmelden]").await?;
    citizen.chooses("Freie Zeiten zeigen").await?;
    citizen.is_told("Wann passt es Ihnen?").await?;

    citizen.chooses("Als Liste zeigen").await?;
    let known = count(&citizen, ".vz-days details").await?;
    ensure!((50..=62).contains(&known), "the list has {known} days");
    citizen.chooses("Weitere Tage zeigen").await?;
    let fresh = format!("details:nth-child({}) summary:focus", known + 1);
    citizen.browser.find(&fresh).await?;
    ensure!(count(&citizen, ".vz-days details").await? > 100, "no more");

    // What the calendar knows from the list it does not ask for again.
    citizen.chooses("Als Kalender zeigen").await?;
    while count(&citizen, NEXT_MONTH).await? == 1 {
        citizen.chooses("Nächster Monat").await?;
        citizen.is_read_out("etwas frei").await?;
    }
    citizen.clicks(".vz-day--free").await?;
    citizen.reads("00:00 Uhr").await?;
    citizen.portrays("book-time-far-de").await?;
    citizen.chooses("Als Liste zeigen").await?;
    citizen
        .is_read_out("Mehr freie Tage gibt es zurzeit nicht.")
        .await?;
    let days = count(&citizen, ".vz-days details").await?;
    ensure!((150..=151).contains(&days), "the list has {days} days");
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn what_is_refused_is_not_offered_again() -> Result<()> {
    let world = World::start_with(WorldOptions {
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let elsewhere = world.stranger()?;
    let slots = elsewhere
        .call(Method::GET, FREE, None)
        .await?
        .success("slots")?;
    let slots = slots["slots"].as_array().context("no slots")?;
    let slot = slots.last().context("nothing is free")?;
    let wish = json!({ "services": ["anmelden"], "start": slot["start"] });
    let held = elsewhere
        .call(Method::POST, "offices/gewerbe/holds", Some(&wish))
        .await?
        .success("holding")?;
    let contact = json!({
        "name": "Erika Musterfrau",
        "mail": "erika@example.org",
        "language": "de",
        "privacy_accepted": true,
    });
    let booking = elsewhere
        .request(Method::POST, "/api/v1/bookings")
        .bearer_auth(held["token"].as_str().context("no token")?)
        .json(&contact);
    elsewhere.send(booking).await?.success("booking")?;

    let mail = world.mail("Bitte bestätigen").await?;
    let link = mail.link().context("no link")?;
    let citizen = Citizen::of(&world).await?;
    citizen.opens(link).await?;
    citizen.is_told("Bitte bestätigen Sie Ihren Termin").await?;
    // Meanwhile it is cancelled in another window.
    let (_, token) = link.split_once('#').context("no secret")?;
    let cancelling = elsewhere
        .request(Method::POST, "/api/v1/booking/cancel")
        .bearer_auth(token);
    elsewhere.send(cancelling).await?.success("cancelling")?;
    citizen.chooses("Termin bestätigen").await?;
    citizen.sees_heading("Der Termin ist abgesagt").await?;
    citizen.browser.find("[role=alert]:focus").await?;
    citizen
        .browser
        .find(".kern-btn--primary[href$=\"/buero/gewerbe/termin\"]")
        .await?;
    citizen.portrays("booking-refused-de").await
}

/// The button that turns to the next month, where there is one to be booked.
const NEXT_MONTH: &str = ".vz-calendar__head button:last-child[aria-disabled=false]";

/// The first time of the last day of the list.
const LAST_DAY: &str = ".vz-days details:last-child button";

/// Takes every desk at a time of the last days, as the page says it: `08:00 Uhr, Montag, 30. November`.
async fn everything_is_held(world: &World, label: &str) -> Result<()> {
    let (time, day) = label.split_once(" Uhr, ").context("no time")?;
    let number = day.split([' ', '.']).nth(1).context("no day")?;
    let number: i8 = number.parse()?;
    let guest = world.stranger()?;
    let told = guest
        .call(Method::GET, &format!("{FREE}&days=62"), None)
        .await?
        .success("slots")?;
    let mut slots = told["slots"].as_array().context("no slots")?.iter().rev();
    let shown = slots.find(|slot| {
        let date: Option<Date> = slot["date"].as_str().and_then(|date| date.parse().ok());
        slot["time"] == time && date.is_some_and(|date| date.day() == number)
    });
    let start = &shown.context("the page's time is not free")?["start"];
    let wish = json!({ "services": ["anmelden"], "start": start });
    loop {
        let path = "offices/gewerbe/holds";
        let answer = guest.call(Method::POST, path, Some(&wish)).await?;
        if answer.status == StatusCode::CONFLICT {
            return Ok(());
        }
        answer.success("holding")?;
    }
}

/// Two minutes before it, by a clock that is put on.
async fn the_end_of_the_reservation_is_told(citizen: &Citizen) -> Result<()> {
    let put_on = "const { now } = Date; Date.now = () => now() + 9 * 60_000; window.__now = now";
    let page = citizen.browser.page();
    page.execute(put_on, vec![]).await?;
    citizen.is_read_out("Die Reservierung endet um").await?;
    citizen.portrays("book-held-ends-de").await?;
    page.execute("Date.now = window.__now", vec![]).await?;
    Ok(())
}

/// What is said to be wrong with a field leads there.
async fn leads_to_its_field(citizen: &Citizen, field: &str) -> Result<()> {
    let script = "const [field] = arguments;
        const link = [...document.querySelectorAll('[role=alert] a')]
            .find(link => link.textContent.startsWith(field + ': '));
        link?.click();
        return document.activeElement.id === link?.hash.slice(1)";
    let what = format!("the link to {field}");
    citizen
        .browser
        .wait_until(&what, script, vec![field.into()])
        .await
}

/// Far ahead, where no time runs out meanwhile.
async fn somebody_else_is_faster(world: &World, citizen: &Citizen) -> Result<()> {
    citizen
        .clicks(".vz-days details:last-child summary")
        .await?;
    let time = citizen.browser.find(LAST_DAY).await?;
    let label = time.attr("aria-label").await?.context("no label")?;
    everything_is_held(world, &label).await?;
    citizen.clicks(LAST_DAY).await?;
    citizen.is_read_out("Jemand anderes war schneller.").await?;
    citizen.reads("Diese Zeiten liegen am nächsten").await?;
    ensure!(
        is_in_sight(citizen, "[role=alert]").await?,
        "nobody sees why"
    );
    citizen.portrays("book-taken-de").await?;
    citizen.clicks(".vz-times__list button").await?;
    Ok(())
}

/// What was filled in stays with another time; what is missing is told.
async fn says_who_comes(citizen: &Citizen) -> Result<()> {
    let name = citizen.browser.find("#name").await?;
    name.send_keys("Erika").await?;
    citizen.clicks("#language-en").await?;
    a_time_is_given_back(citizen).await?;
    for kept in ["#name", "#language-en:checked"] {
        let kept = citizen.browser.find(kept).await?;
        let value = kept.prop("value").await?.context("no value")?;
        ensure!(["Erika", "en"].contains(&value.as_str()), "{value:?}");
    }
    citizen.clicks("#language-de").await?;
    citizen.browser.find("#name").await?.clear().await?;
    the_end_of_the_reservation_is_told(citizen).await?;

    citizen.chooses("Termin buchen").await?;
    citizen.browser.find("[role=alert]:focus").await?;
    for field in ["Name", "E-Mail-Adresse", "Datenschutz"] {
        leads_to_its_field(citizen, field).await?;
    }
    citizen.portrays("book-contact-wrong-de").await?;
    for (field, words) in [
        ("#name", "Erika Musterfrau"),
        ("#mail", "erika@example.org"),
    ] {
        citizen.browser.find(field).await?.send_keys(words).await?;
    }
    citizen.clicks("#privacy_accepted").await?;
    Ok(())
}

/// Looks for another time and takes the same one again, by a double click.
async fn a_time_is_given_back(citizen: &Citizen) -> Result<()> {
    let chosen = citizen
        .browser
        .find(".vz-form strong")
        .await?
        .text()
        .await?;
    let (day, time) = chosen.rsplit_once(", ").context("no time")?;
    citizen.chooses("Andere Zeit wählen").await?;
    citizen.is_told("Wann passt es Ihnen?").await?;
    citizen.chooses("Als Liste zeigen").await?;
    let own = format!(".vz-days button[aria-label=\"{time}, {day}\"]");
    citizen.browser.find(&own).await?;
    let twice = "performance.clearResourceTimings();
        const button = document.querySelector(arguments[0]);
        button.click();
        button.click();";
    let page = citizen.browser.page();
    page.execute(twice, vec![own.into()]).await?;
    citizen.is_told("Wer kommt?").await?;
    let asked = "return performance.getEntriesByType('resource')
        .filter(entry => entry.name.endsWith('/holds')).length";
    let asked = page.execute(asked, vec![]).await?;
    ensure!(asked == json!(1), "a double click asks {asked} times");
    Ok(())
}

async fn a_clerk_offers_another_time(
    world: &World,
    anna: &mut Desk,
    citizen: &Citizen,
) -> Result<()> {
    let line = anna.until_notice("verschoben auf").await?;
    let code = line
        .split_whitespace()
        .nth(2)
        .context("no code")?
        .to_owned();
    let told = world
        .guest()?
        .call(Method::GET, FREE, None)
        .await?
        .success("slots")?;
    let slots = told["slots"].as_array().context("no slots")?;
    let slot = slots.get(slots.len() / 2).context("nothing is free")?;
    let day: Date = slot["date"].as_str().context("no date")?.parse()?;
    let time = slot["time"].as_str().context("no time")?;
    let (date, month) = (day.day(), day.month());
    let offered = anna
        .ask(&format!("!anbieten {code} {date}.{month}. {time}"))
        .await?;
    ensure!(offered.contains("ist angeboten"), "{offered}");
    let mail = world.mail("Andere Zeit für Ihren Termin?").await?;
    // The same link as the page before it has: only what is behind `#` comes anew.
    citizen.opens(mail.link().context("no link")?).await?;
    citizen
        .reads("Wir bieten Ihnen eine andere Zeit an")
        .await?;
    citizen.portrays("booking-offer-de").await?;
    citizen.chooses("Diese Zeit nehmen").await?;
    citizen.is_told("Ihr Termin ist verschoben").await?;
    citizen.portrays("booking-moved-de").await
}

async fn count(citizen: &Citizen, css: &str) -> Result<usize> {
    Ok(citizen
        .browser
        .page()
        .find_all(fantoccini::Locator::Css(css))
        .await?
        .len())
}

/// Whether an element is on the screen, however far the page is scrolled.
async fn is_in_sight(citizen: &Citizen, css: &str) -> Result<bool> {
    let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight";
    let seen = citizen
        .browser
        .page()
        .execute(script, vec![css.into()])
        .await?;
    Ok(seen == json!(true))
}
