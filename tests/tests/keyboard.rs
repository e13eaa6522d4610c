//! The whole visit without a mouse, in English.

use anyhow::{Context as _, Result, bail, ensure};
use blackbox::{Citizen, World, WorldOptions, city_open_all_day, free_slots};
use fantoccini::key::Key;
use serde_json::{Value, json};

/// So many steps no page may need to any of its controls.
const FAR: usize = 80;

#[tokio::test]
async fn the_whole_visit_works_by_keyboard_alone() -> Result<()> {
    let world = World::start().await?;
    let (mut desk, citizen) = tokio::try_join!(
        world.desk("anna", "gewerbe"),
        Citizen::speaking(&world, "en-GB")
    )?;
    desk.on_duty().await?;

    citizen.opens("/en").await?;
    citizen
        .browser
        .wait_for_text("[data-office-live=gewerbe]", "Free")
        .await?;
    // The first stop leads past the header.
    step(&citizen).await?;
    ensure!(
        is_focused(&citizen, ".vz-skip").await?,
        "the first stop is not the skip link"
    );
    press(&citizen, Key::Enter).await?;
    activates(&citizen, "[data-knock=gewerbe]").await?;
    citizen.sees_heading("Trade Office").await?;
    citizen
        .browser
        .find("[data-knock-form] [type=submit]:not(:disabled)")
        .await?;

    // Sent too early: the focus goes to what is wrong, and from there to the field.
    activates(&citizen, "[data-knock-form] [type=submit]").await?;
    citizen.browser.find("[data-knock-summary]:focus").await?;
    activates(&citizen, "[data-knock-summary] a").await?;
    citizen.browser.find("#concern:focus").await?;
    types(&citizen, "I want to open a shop").await?;
    walk_to(&citizen, "#privacy").await?;
    types(&citizen, " ").await?;
    activates(&citizen, "[data-knock-form] [type=submit]").await?;

    citizen.sees_heading("You are in the queue").await?;
    let ticket = citizen.ticket().await?;
    citizen.portrays("visit-waiting-en").await?;
    walk_to(&citizen, "#sound").await?;
    desk.sees_message(&desk.door.clone(), "I want to open a shop")
        .await?;
    desk.approves(&ticket).await?;
    citizen.is_told("It is your turn!").await?;
    has_visible_focus(&citizen).await?;
    citizen.portrays("visit-called-en").await?;
    activates(&citizen, ".vz-called button").await?;

    citizen.is_told("Your conversation").await?;
    let room = desk.consultation(&ticket).await?;
    walk_to(&citizen, "#message").await?;
    types(&citizen, "Good morning").await?;
    press(&citizen, Key::Enter).await?;
    desk.sees_message(&room, "Good morning").await?;
    ensure!(
        is_focused(&citizen, "#message").await?,
        "the focus has left the line"
    );
    desk.clerk.send_text(&room, "Good morning to you").await?;
    citizen.reads("Good morning to you").await?;
    citizen.portrays("visit-conversation-en").await?;

    // Asked whether to leave, one can go back by Escape.
    activates(&citizen, ".vz-section .kern-btn--tertiary").await?;
    citizen.browser.find("dialog[open] :focus").await?;
    press(&citizen, Key::Escape).await?;
    let closed = "return document.querySelector('dialog[open]') === null";
    citizen
        .browser
        .wait_until("the dialog to close", closed, vec![])
        .await?;

    desk.clerk.send_text(&room, "!end").await?;
    citizen.is_told("Thank you for your visit").await?;
    walk_to(&citizen, "input[name=stars]").await?;
    types(&citizen, " ").await?;
    press(&citizen, Key::Down).await?;
    activates(&citizen, "form [type=submit]").await?;
    citizen.reads("Thank you for your rating.").await?;
    citizen.portrays("visit-rated-en").await?;
    citizen.has_seen_no_fault().await
}

#[tokio::test]
async fn an_appointment_is_booked_by_keyboard_and_mail() -> Result<()> {
    let world = World::start_with(WorldOptions {
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let (mut desk, citizen) = tokio::try_join!(
        world.desk("anna", "gewerbe"),
        Citizen::speaking(&world, "en-GB")
    )?;
    // The lobby says beside the waiting time when one could have an appointment.
    citizen.opens("/en").await?;
    citizen
        .browser
        .wait_for_text("[data-office-live=gewerbe]", "Next free appointment:")
        .await?;
    citizen.portrays("lobby-appointment-en").await?;
    activates(&citizen, "[data-office-live=gewerbe] .vz-booking a").await?;
    citizen.sees_heading("What is it about?").await?;
    walk_to(&citizen, "#service-anmelden").await?;
    types(&citizen, " ").await?;
    citizen.portrays("book-service-en").await?;
    activates(&citizen, "#buchen [type=submit]").await?;

    // The grid is one stop; arrow keys move in it.
    citizen.is_told("When does it suit you?").await?;
    citizen.portrays("book-time-en").await?;
    walk_to(&citizen, "[role=grid] .vz-day").await?;
    press(&citizen, Key::Down).await?;
    citizen.browser.find("[role=grid] .vz-day:focus").await?;
    // Seven days later: the office takes appointments then as well, unless it is a holiday.
    for _ in 0..7 {
        if is_focused(&citizen, ".vz-day--free").await? {
            break;
        }
        press(&citizen, Key::Right).await?;
    }
    press(&citizen, Key::Enter).await?;
    activates(&citizen, ".vz-times__list button").await?;

    says_who_comes(&citizen).await?;
    citizen.portrays("book-contact-en").await?;
    activates(&citizen, "form [type=submit]").await?;
    citizen.is_told("Nearly done").await?;
    citizen.portrays("book-done-en").await?;

    let mail = world.mail("Please confirm").await?;
    ensure!(mail.calendar.is_none(), "nothing is booked yet");
    let link = mail.link().context("the mail has no link")?;
    citizen.opens(link).await?;
    citizen.is_told("Please confirm your appointment").await?;
    let address = citizen.browser.page().current_url().await?;
    ensure!(
        address.fragment().is_none(),
        "the secret stays in the address bar"
    );
    activates(&citizen, "#termin .kern-btn--primary").await?;
    citizen.is_told("Your appointment is booked").await?;
    citizen.portrays("booking-confirmed-en").await?;

    let invitation = world.mail("Your appointment on").await?;
    let (method, calendar) = invitation.calendar.context("no invitation")?;
    ensure!(
        method == "REQUEST" && calendar.contains("METHOD:REQUEST"),
        "{calendar}"
    );
    desk.reads("📅 Neuer Termin").await?;

    the_waiting_list_is_joined_and_left(&citizen).await?;

    activates(&citizen, ".vz-actions button:last-child").await?;
    citizen.browser.find("dialog[open] :focus").await?;
    activates(&citizen, "dialog[open] .kern-btn--primary").await?;
    citizen.is_told("The appointment is cancelled").await?;
    let cancelled = world.mail("Cancelled").await?;
    let (method, calendar) = cancelled.calendar.context("no cancellation")?;
    ensure!(
        method == "CANCEL" && calendar.contains("STATUS:CANCELLED"),
        "{calendar}"
    );
    desk.reads("abgesagt").await?;
    citizen.portrays("booking-cancelled-en").await?;
    citizen.has_seen_no_fault().await
}

/// One desk, a start every hour, day and night, into the month after the next one.
const HOURLY: &str = "mail = \"gewerbe@dormagen.example\"\ndesks = 1\nnotice_minutes = 0\n\
    grid_minutes = 60\nhorizon_days = 70\nconfirm_mail = false\n";

#[tokio::test]
async fn a_time_that_is_lost_is_replaced_and_moved_by_keyboard() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = World::start_with(WorldOptions {
        city: city_open_all_day(dir.path(), HOURLY)?,
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let citizen = Citizen::speaking(&world, "en-GB").await?;
    citizen.opens("/en/buero/gewerbe/termin").await?;
    citizen.sees_heading("What is it about?").await?;
    walk_to(&citizen, "#service-anmelden").await?;
    types(&citizen, " ").await?;
    activates(&citizen, "#buchen [type=submit]").await?;
    citizen.is_told("When does it suit you?").await?;

    // Pages turn the month, which is said, and the focus stays on a day.
    walk_to(&citizen, "[role=grid] .vz-day").await?;
    let day = citizen.browser.find("[role=grid] .vz-day:focus").await?;
    let first = day.attr("data-day").await?.context("no day")?;
    let this_month = citizen
        .browser
        .find("#month[aria-live]")
        .await?
        .text()
        .await?;
    press(&citizen, Key::PageDown).await?;
    shows_month(&citizen, "!==", &this_month).await?;
    press(&citizen, Key::PageUp).await?;
    shows_month(&citizen, "===", &this_month).await?;

    // The first day of the list is open: closed, the next one is one stop away.
    activates(&citizen, ".vz-picker > button").await?;
    activates(&citizen, ".vz-days summary").await?;
    activates(&citizen, ".vz-days details:nth-of-type(2) summary").await?;
    walk_to(
        &citizen,
        ".vz-days details:nth-of-type(2) .vz-times__list button",
    )
    .await?;

    let guest = world.stranger()?;
    let slots = free_slots(&guest).await?;
    // The page's first day: it may be about to end.
    let later = |slot: &&Value| slot["date"].as_str() > Some(first.as_str());
    let wanted = slots.iter().find(later);
    let start = &wanted.context("nothing is free later")?["start"];
    let wish = json!({ "services": ["anmelden"], "start": start });
    guest
        .call(http::Method::POST, "offices/gewerbe/holds", Some(&wish))
        .await?
        .success("being faster")?;
    press(&citizen, Key::Enter).await?;
    citizen.is_read_out("Somebody else was faster.").await?;
    citizen.browser.find("[role=alert]:focus").await?;
    activates(&citizen, "[aria-label=\"These times are nearest\"] button").await?;

    says_who_comes(&citizen).await?;
    activates(&citizen, "form [type=submit]").await?;
    citizen.is_told("Your appointment is booked").await?;
    activates(&citizen, "#buchen .kern-list a").await?;
    citizen.browser.find("#termin .vz-facts").await?;
    citizen.is_told("Your appointment is booked").await?;

    activates(&citizen, ".vz-actions button:nth-of-type(2)").await?;
    citizen
        .browser
        .find("[aria-label=Move] [role=grid]")
        .await?;
    walk_to(&citizen, "[role=grid] .vz-day").await?;
    press(&citizen, Key::Down).await?;
    citizen
        .browser
        .find("[role=grid] .vz-day--free:focus")
        .await?;
    press(&citizen, Key::Enter).await?;
    activates(&citizen, ".vz-times__list button").await?;
    citizen.is_told("Your appointment has been moved").await?;
    world.mail("Moved: your appointment is on").await?;
    // One answer was a refusal: the browser's console tells of it.
    let faults = citizen.browser.console_errors().await?;
    ensure!(
        faults.iter().all(|fault| fault.contains("409")),
        "{faults:?}"
    );
    Ok(())
}

/// Waits until the month that is said is another one, or the same again, with the focus on one of its days.
async fn shows_month(citizen: &Citizen, compared: &str, before: &str) -> Result<()> {
    let script = format!(
        "return document.querySelector('#month').textContent {compared} arguments[0]
            && document.activeElement.matches('[role=grid] .vz-day')"
    );
    let what = format!("a month {compared} {before}");
    citizen
        .browser
        .wait_until(&what, &script, vec![before.into()])
        .await
}

/// From the page of a booking, and back to it.
async fn the_waiting_list_is_joined_and_left(citizen: &Citizen) -> Result<()> {
    activates(citizen, "[aria-labelledby=earlier] a").await?;
    citizen
        .sees_heading("Waiting list for an earlier appointment")
        .await?;
    let address = citizen.browser.page().current_url().await?;
    ensure!(
        address.path() == "/en/warteliste" && address.fragment().is_none(),
        "the secret stays in the address bar"
    );
    activates(citizen, "#termin .kern-btn--primary").await?;
    citizen
        .browser
        .wait_for_text("[data-waiting=true]", "Your place: 1 of 1.")
        .await?;
    citizen.portrays("waiting-list-en").await?;
    activates(citizen, "#termin button.kern-btn--secondary").await?;
    citizen
        .browser
        .wait_for_text("[data-waiting=false]", "You are not on the waiting list.")
        .await?;
    activates(citizen, "#termin .vz-form > a").await?;
    citizen.sees_heading("Your appointment is booked").await
}

/// Fills in the second step of booking.
async fn says_who_comes(citizen: &Citizen) -> Result<()> {
    citizen.is_told("Who is coming?").await?;
    walk_to(citizen, "#name").await?;
    types(citizen, "Erika Example").await?;
    walk_to(citizen, "#mail").await?;
    types(citizen, "erika@example.org").await?;
    walk_to(citizen, "#privacy_accepted").await?;
    types(citizen, " ").await
}

/// Goes on to `css` and presses Enter there.
async fn activates(citizen: &Citizen, css: &str) -> Result<()> {
    walk_to(citizen, css).await?;
    press(citizen, Key::Enter).await
}

/// Goes on by Tab until the focus is on `css`. Every stop on the way has to be visible.
async fn walk_to(citizen: &Citizen, css: &str) -> Result<()> {
    for _ in 0..FAR {
        if is_focused(citizen, css).await? {
            return Ok(());
        }
        step(citizen).await?;
    }
    bail!("{FAR} steps do not lead to {css}")
}

async fn step(citizen: &Citizen) -> Result<()> {
    press(citizen, Key::Tab).await?;
    has_visible_focus(citizen).await
}

async fn press(citizen: &Citizen, key: Key) -> Result<()> {
    citizen.browser.press([char::from(key)]).await
}

async fn types(citizen: &Citizen, text: &str) -> Result<()> {
    citizen.browser.press(text.chars()).await
}

async fn is_focused(citizen: &Citizen, css: &str) -> Result<bool> {
    let script = "return document.activeElement?.matches(arguments[0]) ?? false";
    let answer = citizen
        .browser
        .page()
        .execute(script, vec![css.into()])
        .await?;
    Ok(answer == json!(true))
}

/// What has the focus has an outline or a shadow, itself or around it, and is on the screen.
async fn has_visible_focus(citizen: &Citizen) -> Result<()> {
    // Marks may fade in for an instant.
    let script = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => {
        const it = document.activeElement;
        if (!it || it === document.body || it === document.documentElement) return done(null);
        const box = it.getBoundingClientRect(), what = it.outerHTML.slice(0, 200);
        if (box.bottom <= 0 || box.top >= innerHeight || box.width === 0) return done('out of sight: ' + what);
        const marked = [it, it.parentElement]
            .flatMap(e => [null, '::before', '::after'].map(p => getComputedStyle(e, p)))
            .some(s => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none');
        done(marked ? null : 'unmarked (' + it.matches(':focus-visible') + ' ' + getComputedStyle(it).outline + '): ' + what);
    }));";
    let page = citizen.browser.page();
    let fault = page.execute_async(script, vec![]).await?;
    // Behind the last stop comes the browser's own frame.
    ensure!(fault.is_null(), "the focus is {fault}");
    Ok(())
}
