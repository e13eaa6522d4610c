//! The whole visit without a mouse, in English.

use anyhow::{Result, bail, ensure};
use blackbox::{Citizen, Seat, World};
use fantoccini::key::Key;
use serde_json::json;

/// So many steps no page may need to any of its controls.
const FAR: usize = 80;

#[tokio::test]
async fn the_whole_visit_works_by_keyboard_alone() -> Result<()> {
    let world = World::start().await?;
    let (mut desk, citizen) = tokio::try_join!(
        Seat::at(&world, "anna", "gewerbe"),
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
    walk_to(&citizen, "[data-knock=gewerbe]").await?;
    press(&citizen, Key::Enter).await?;
    citizen.sees_heading("Trade Office").await?;
    citizen
        .browser
        .find("[data-knock-form] [type=submit]:not(:disabled)")
        .await?;

    // Sent too early: the focus goes to what is wrong, and from there to the field.
    walk_to(&citizen, "[data-knock-form] [type=submit]").await?;
    press(&citizen, Key::Enter).await?;
    citizen.browser.find("[data-knock-summary]:focus").await?;
    walk_to(&citizen, "[data-knock-summary] a").await?;
    press(&citizen, Key::Enter).await?;
    citizen.browser.find("#concern:focus").await?;
    types(&citizen, "I want to open a shop").await?;
    walk_to(&citizen, "#privacy").await?;
    types(&citizen, " ").await?;
    walk_to(&citizen, "[data-knock-form] [type=submit]").await?;
    press(&citizen, Key::Enter).await?;

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
    walk_to(&citizen, ".vz-called button").await?;
    press(&citizen, Key::Enter).await?;

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
    walk_to(&citizen, ".vz-section .kern-btn--tertiary").await?;
    press(&citizen, Key::Enter).await?;
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
    walk_to(&citizen, "form [type=submit]").await?;
    press(&citizen, Key::Enter).await?;
    citizen.reads("Thank you for your rating.").await?;
    citizen.portrays("visit-rated-en").await?;
    citizen.has_seen_no_fault().await
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
