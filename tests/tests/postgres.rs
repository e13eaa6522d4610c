//! A visit on PostgreSQL, from the knock to the erasure, with the power of the program and of the database cut on the
//! way.

use anyhow::{Context as _, Result, ensure};
use blackbox::{Postgres, World, WorldOptions, eventually};
use http::StatusCode;
use xtask::process::Signal;

#[tokio::test]
async fn a_visit_survives_the_deaths_of_program_and_database() -> Result<()> {
    let Some(mut postgres) = Postgres::start().await? else {
        return Ok(());
    };
    let mut world = World::start_with(WorldOptions {
        database_url: Some(postgres.url()),
        ..WorldOptions::default()
    })
    .await?;
    ensure!(
        !world.vorzimmer.data_dir().join("vorzimmer.sqlite").exists(),
        "there is no other database"
    );
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    world.settled().await?;
    clerk.send_text(&door, "!dienst an").await?;
    let guest = world.guest()?;

    // The knock is accepted, and nobody in Matrix knows when the program dies.
    world.site.homeserver.signal(Signal::SIGSTOP)?;
    let visit = guest.knock("gewerbe", "Eisdiele am Marktplatz").await?;
    let id = visit["id"].as_str().context("an id")?;
    world.vorzimmer.kill()?;
    world.site.homeserver.signal(Signal::SIGCONT)?;
    world.vorzimmer.resume().await?;
    world.settled().await?;
    ensure!(guest.visit(id).await?["position"] == 1);
    let rung: Vec<_> = clerk
        .messages(&door, 100)
        .await?
        .into_iter()
        .filter(|event| {
            let body = event["content"]["body"].as_str().unwrap_or_default();
            event["content"]["m.relates_to"].is_null() && body.contains("🔔 G-001")
        })
        .collect();
    ensure!(rung.len() == 1, "it rings once: {rung:#?}");

    // Called while the program is down, and in conversation before it dies again.
    world.vorzimmer.kill()?;
    clerk.send_text(&door, "!weiter").await?;
    world.vorzimmer.resume().await?;
    guest.until(id, "called").await?;
    guest.enter(id).await?;
    let first = guest
        .say_as(id, "first", "Guten Tag!")
        .await?
        .success("saying")?;
    world.vorzimmer.kill()?;
    world.vorzimmer.resume().await?;
    guest.until_delivery(id, &first, "delivered").await?;

    // The database goes and comes back under the running program. The page repeats what was not accepted.
    world.settled().await?;
    let database = world.database();
    let rooms = database.texts("consultation_room FROM visit_matrix");
    let room = rooms.await?.pop().context("a consultation room")?;
    postgres.kill()?;
    let refused = guest.say_as(id, "second", "Mit Waffeln").await?;
    ensure!(
        refused.status == StatusCode::SERVICE_UNAVAILABLE
            && refused.header("retry-after").is_some(),
        "{refused:?}"
    );
    clerk.send_text(&room, "Schön, dass Sie da sind.").await?;
    postgres.resume().await?;
    let second = eventually("the page's next attempt", || async {
        let answer = guest.say_as(id, "second", "Mit Waffeln").await?;
        Ok(answer.status.is_success().then_some(answer.body))
    })
    .await?;
    guest.until_delivery(id, &second, "delivered").await?;
    eventually("the clerk's words on the page", || async {
        let messages = guest.messages(id).await?;
        let heard = messages
            .iter()
            .any(|message| message["body"] == "Schön, dass Sie da sind.");
        Ok(heard.then_some(()))
    })
    .await?;
    ensure!(guest.messages(id).await?.len() == 3, "nothing twice");

    // The end and the erasure.
    clerk.send_text(&room, "!ende").await?;
    guest.until(id, "ended").await?;
    world.settled().await?;
    world.vorzimmer.kill()?;
    database.let_a_week_pass().await?;
    world.vorzimmer.resume().await?;
    database.until_erased().await?;
    for table in ["visit_private", "visit_matrix", "messages", "outbox"] {
        ensure!(database.count(table).await? == 0, "{table} is empty");
    }
    let next = guest.knock("gewerbe", "Noch etwas").await?;
    ensure!(next["ticket"] == "G-002" && next["position"] == 1, "{next}");
    world.settled().await
}
