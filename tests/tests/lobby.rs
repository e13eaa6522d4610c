//! The pages that everybody sees: live numbers, all states, both languages, no secrets of others.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use blackbox::{Citizen, Knock, World, WorldOptions, copy_city};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use toml::{Table, Value};

const KNOCK: Knock<'static> = Knock {
    concern: "Eine Frage",
    name: "",
    service: "",
};

#[tokio::test]
async fn numbers_move_live_and_a_guest_sees_only_her_own_visit() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let city = city_with_a_closed_office(dir.path())?;
    let options = WorldOptions {
        city,
        always_open: false,
        ..WorldOptions::default()
    };
    let world = World::start_with(options).await?;
    let (mut trade, lost, watcher, first, second) = tokio::try_join!(
        world.desk("anna", "gewerbe"),
        world.desk("ceyda", "fundbuero"),
        Citizen::of(&world),
        Citizen::of(&world),
        Citizen::of(&world),
    )?;

    watcher.opens("/").await?;
    watcher
        .browser
        .page()
        .execute("window.loaded = 'once'", vec![])
        .await?;
    let live = "[data-office-live=gewerbe]";
    watcher
        .browser
        .wait_for_text(live, "Niemand wartet.")
        .await?;
    trade.on_duty().await?;
    watcher.browser.wait_for_text(live, "Frei").await?;
    let ticket = first.knocks("gewerbe", KNOCK).await?;
    watcher
        .browser
        .wait_for_text(live, "Eine Person wartet.")
        .await?;
    watcher
        .browser
        .wait_for_text(live, "Geöffnet, mit Wartezeit")
        .await?;
    second.knocks("gewerbe", KNOCK).await?;
    second.reads("Sie sind auf Platz 2.").await?;
    watcher
        .browser
        .wait_for_text(live, "2 Personen warten.")
        .await?;
    trade.write("!weiter").await?;
    first.is_told("Sie sind dran!").await?;
    second.reads("Sie sind als Nächstes dran.").await?;
    watcher
        .browser
        .wait_for_text(live, "Eine Person wartet.")
        .await?;
    trade.reads(&format!("✅ {ticket}")).await?;

    lost.write("!pause Wir sind um 14 Uhr zurück.").await?;
    watcher
        .browser
        .wait_for_text("[data-office-live=fundbuero]", "Wir sind um 14 Uhr zurück.")
        .await?;
    watcher
        .browser
        .wait_for_text("[data-office-live=fundbuero]", "Kurze Pause")
        .await?;
    watcher
        .browser
        .wait_for_text("[data-office-live=wahlamt]", "Geschlossen")
        .await?;
    let loaded = watcher
        .browser
        .page()
        .execute("return window.loaded", vec![])
        .await?;
    assert_eq!(loaded, json!("once"), "all that without a reload");
    watcher.has_seen_no_fault().await?;

    foreign_visits_are_unknown(&first, &second).await?;
    every_page_is_sound(&world, &watcher).await
}

/// Whoever has another cookie cannot see, follow or end the visit.
async fn foreign_visits_are_unknown(owner: &Citizen, stranger: &Citizen) -> Result<()> {
    let visit = owner.visit_id().await?;
    let path = format!("/api/v1/visits/{visit}");
    for (method, rest, body) in [
        ("GET", "", None),
        ("GET", "/events", None),
        ("GET", "/messages", None),
        ("GET", "/files/1", None),
        ("POST", "/enter", None),
        ("POST", "/leave", None),
        ("POST", "/typing", Some(json!({ "typing": true }))),
        ("POST", "/rating", Some(json!({ "stars": 1 }))),
        (
            "POST",
            "/messages",
            Some(json!({ "client_id": "a", "body": "Hallo" })),
        ),
    ] {
        let (status, problem) = stranger
            .requests(method, &format!("{path}{rest}"), body)
            .await?;
        ensure!(
            status == 404,
            "{method} {rest} answers a stranger {status} {problem}"
        );
    }
    stranger.opens(&format!("/besuch/{visit}")).await?;
    stranger
        .sees_heading("Diesen Besuch gibt es hier nicht")
        .await?;
    stranger.portrays("visit-unknown").await?;
    owner.has_seen_no_fault().await
}

/// Every page, in both languages: pictures, axe, policy, no fault in the console.
async fn every_page_is_sound(world: &World, citizen: &Citizen) -> Result<()> {
    citizen.portrays("lobby-de").await?;
    for (path, name) in [
        ("/buero/wahlamt", "office-closed-de"),
        ("/buero/fundbuero", "office-paused-de"),
        ("/seite/impressum", "page-imprint-de"),
        ("/seite/datenschutz", "page-privacy-de"),
        ("/seite/barrierefreiheit", "page-accessibility-de"),
        ("/einbetten", "embed-de"),
        ("/en", "lobby-en"),
        ("/en/buero/gewerbe", "office-en"),
        ("/en/seite/datenschutz", "page-privacy-en"),
        ("/en/einbetten", "embed-en"),
    ] {
        citizen.opens(path).await?;
        citizen.portrays(name).await?;
        citizen.has_seen_no_fault().await?;
        has_a_strict_policy(world, path).await?;
    }
    citizen.opens("/gibt-es-nicht").await?;
    citizen.sees_heading("Seite nicht gefunden").await?;
    citizen.portrays("page-missing-de").await?;
    has_a_strict_policy(world, "/gibt-es-nicht").await?;
    has_a_strict_policy(world, "/besuch/unbekannt").await
}

async fn has_a_strict_policy(world: &World, path: &str) -> Result<()> {
    let answer = reqwest::get(world.url(path)).await?;
    let policy = answer
        .headers()
        .get("content-security-policy")
        .context("no policy")?
        .to_str()?;
    ensure!(policy.contains("default-src 'none'"), "{path}: {policy}");
    ensure!(!policy.contains("unsafe"), "{path}: {policy}");
    for source in policy
        .split([' ', ';'])
        .filter(|word| word.contains('.') || word.contains("//"))
    {
        ensure!(source.is_empty(), "{path} lets {source} in: {policy}");
    }
    let page = answer.text().await?;
    ensure!(
        !page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="),
        "{path} has inline style or script"
    );
    Ok(())
}

/// The demo city, open around the clock, with an election office that opens in two days.
#[expect(
    clippy::disallowed_methods,
    reason = "the office has to be closed today, whenever today is"
)]
fn city_with_a_closed_office(dir: &Path) -> Result<PathBuf> {
    let file = copy_city(dir)?;
    let mut city: Table = fs::read_to_string(&file)?.parse()?;
    city.remove("exceptions");
    let offices = city
        .get_mut("offices")
        .and_then(Value::as_table_mut)
        .context("no offices")?;
    for (_, office) in offices.iter_mut() {
        let office = office.as_table_mut().context("no office")?;
        office.insert("hours".to_owned(), "always".into());
    }
    let now = Timestamp::now().in_tz("Europe/Berlin")?;
    let day = now
        .checked_add(2.days())?
        .strftime("%A")
        .to_string()
        .to_lowercase();
    let election = offices
        .get_mut("wahlamt")
        .and_then(Value::as_table_mut)
        .context("no wahlamt")?;
    election.insert(
        "hours".to_owned(),
        Table::from_iter([(day, "08:00-12:00".into())]).into(),
    );
    fs::write(&file, toml::to_string(&city)?)?;
    Ok(file)
}
