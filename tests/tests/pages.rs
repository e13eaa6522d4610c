//! What pages can do besides the visit: the search in the questions, and the dark colours.

use anyhow::{Context as _, Result, ensure};
use blackbox::{Citizen, Knock, World, eventually};

#[tokio::test]
async fn questions_are_found_without_asking_anybody() -> Result<()> {
    let world = World::start().await?;
    let citizen = Citizen::of(&world).await?;
    citizen.opens("/").await?;
    let general = shown(&citizen).await?;
    ensure!(
        !general.is_empty()
            && !general
                .iter()
                .any(|question| question.contains("Finderlohn")),
        "the offices' own questions wait for a search: {general:?}"
    );
    let asked = "return performance.getEntriesByType('resource').map(entry => entry.name)
        .filter(name => !name.endsWith('/favicon.svg'))";
    let page = citizen.browser.page();
    let before = page.execute(asked, vec![]).await?;

    types(&citizen, "bekomme FINDERLOHN").await?;
    citizen.is_read_out("Eine Frage passt dazu.").await?;
    let found = shown(&citizen).await?;
    ensure!(
        found.len() == 1 && found[0].starts_with("Bekomme ich Finderlohn?"),
        "{found:?}"
    );
    ensure!(
        found[0].contains("Fundbüro"),
        "it says whose question it is: {found:?}"
    );
    citizen.portrays("faq-found-de").await?;
    citizen
        .clicks("[data-faq-entry]:not([hidden]) summary")
        .await?;
    citizen.reads("Bei einem Wert bis 500 Euro").await?;

    // Without umlauts, as people without the keys for them write.
    types(&citizen, "gebuehr").await?;
    citizen.is_read_out("Fragen passen dazu.").await?;
    ensure!(shown(&citizen).await?.len() > 1);
    types(&citizen, "Drachenflug").await?;
    citizen.is_read_out("Keine Frage passt dazu.").await?;
    ensure!(shown(&citizen).await?.is_empty());
    citizen.portrays("faq-none-de").await?;
    types(&citizen, "").await?;
    ensure!(shown(&citizen).await? == general, "all is as it was");

    let after = page.execute(asked, vec![]).await?;
    ensure!(
        page.current_url().await?.query().is_none() && before == after,
        "the words stay in the page: {before} {after}"
    );

    // A link to an office's question leads to it, although nobody has searched.
    let id = "return [...document.querySelectorAll('[data-faq-entry]')]
        .find(entry => entry.textContent.includes('Bekomme ich Finderlohn?')).id";
    let id = page.execute(id, vec![]).await?;
    let id = id.as_str().context("an id")?;
    citizen.opens("/seite/impressum").await?;
    citizen.opens(&format!("/#{id}")).await?;
    citizen.reads("Bei einem Wert bis 500 Euro").await?;
    citizen.has_seen_no_fault().await
}

/// The questions one can see, each with the name of its office.
async fn shown(citizen: &Citizen) -> Result<Vec<String>> {
    let script = "return [...document.querySelectorAll('[data-faq-entry] summary')]
        .filter(it => it.checkVisibility()).map(it => it.innerText)";
    let shown = citizen.browser.page().execute(script, vec![]).await?;
    Ok(serde_json::from_value(shown)?)
}

/// Writes into the search, in place of what stands there.
async fn types(citizen: &Citizen, words: &str) -> Result<()> {
    let search = citizen.browser.find("[data-faq-search]").await?;
    // Clearing by script would not be typing: nobody would hear of it.
    search.click().await?;
    let select = "document.activeElement.select()";
    citizen.browser.page().execute(select, vec![]).await?;
    let delete = char::from(fantoccini::key::Key::Delete);
    citizen
        .browser
        .press(std::iter::once(delete).chain(words.chars()))
        .await
}

#[tokio::test]
async fn every_state_of_a_visit_is_legible_in_the_dark() -> Result<()> {
    let world = World::start().await?;
    let (mut desk, citizen) = tokio::try_join!(world.desk("anna", "gewerbe"), Citizen::of(&world))?;
    desk.on_duty().await?;
    citizen.opens("/").await?;
    let light = brightness(&citizen).await?;
    ensure!(light > 700, "{light} in the light");
    citizen.browser.prefer_dark(true).await?;
    // The browser tells the page a moment later.
    eventually("dark colours", || async {
        Ok((brightness(&citizen).await? < 150).then_some(()))
    })
    .await?;
    citizen.portrays("dark-lobby").await?;
    citizen.opens("/einbetten").await?;
    citizen.portrays("dark-embed").await?;

    citizen.opens("/buero/gewerbe").await?;
    citizen
        .clicks("[data-knock-form] [type=submit]:not(:disabled)")
        .await?;
    citizen.reads("Bitte prüfen Sie Ihre Angaben").await?;
    citizen.portrays("dark-form-errors").await?;
    let knock = Knock {
        concern: "Eine Frage",
        ..Knock::default()
    };
    let ticket = citizen.knocks("gewerbe", knock).await?;
    citizen.portrays("dark-waiting").await?;
    desk.sees_knock(&ticket).await?;
    desk.approves(&ticket).await?;
    citizen.is_told("Sie sind dran!").await?;
    citizen.portrays("dark-called").await?;
    citizen.enters().await?;
    let room = desk.consultation(&ticket).await?;
    citizen.says("Guten Tag").await?;
    desk.clerk.send_text(&room, "Auch Ihnen").await?;
    citizen.reads("Auch Ihnen").await?;
    citizen.portrays("dark-conversation").await?;
    desk.clerk.send_text(&room, "!ende").await?;
    citizen.is_told("Vielen Dank für Ihren Besuch").await?;
    citizen.portrays("dark-ended").await?;
    citizen.has_seen_no_fault().await
}

/// How bright the colour behind everything is: the sum of its three parts, 0 to 765.
async fn brightness(citizen: &Citizen) -> Result<u64> {
    // A colour can be written in many ways; on a canvas it becomes bytes.
    let script = "const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
        pen.fillStyle = getComputedStyle(document.body).backgroundColor;
        pen.fillRect(0, 0, 1, 1);
        const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
        return red + green + blue;";
    let sum = citizen.browser.page().execute(script, vec![]).await?;
    sum.as_u64().context("a number")
}
