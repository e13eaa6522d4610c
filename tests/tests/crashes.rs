//! The program is killed at every point of a visit: nothing is lost, nothing happens twice.

#![expect(
    clippy::too_many_lines,
    reason = "a scenario is read from top to bottom"
)]

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use blackbox::{Client, Guest, World, eventually};
use http::Method;
use serde_json::{Value, json};
use tokio::time::sleep;
use xtask::process::Signal;

type TestResult = Result<()>;

/// How long the program is left to live after each start: from "has done nothing" to "has nearly done everything".
const LIVES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(30),
    Duration::from_millis(90),
    Duration::from_millis(250),
];

/// Starts the program and kills it again, each time a little later; at last it stays.
async fn storm(world: &mut World) -> Result<()> {
    for life in LIVES {
        world.vorzimmer.resume().await?;
        sleep(life).await;
        world.vorzimmer.kill()?;
    }
    world.vorzimmer.resume().await
}

/// The program is killed while all it has sent to the homeserver is still unanswered.
async fn kill_with_requests_under_way(world: &mut World) -> Result<()> {
    // The job has been started when nothing is due any more that has not been tried: the homeserver hangs, so it
    // stays in flight.
    sleep(Duration::from_millis(200)).await;
    world.vorzimmer.kill()?;
    world.site.homeserver.signal(Signal::SIGCONT)?;
    storm(world).await
}

/// Events of a room that `wanted` picks, the oldest first.
async fn events(clerk: &Client, room: &str, wanted: impl Fn(&Value) -> bool) -> Result<Vec<Value>> {
    let mut events = clerk.messages(room, 200).await?;
    events.reverse();
    events.retain(|event| wanted(event));
    Ok(events)
}

fn says<'e>(event: &'e Value, words: &'e str) -> bool {
    event["type"] == "m.room.message"
        && event["content"]["m.relates_to"].is_null()
        && event["content"]["body"]
            .as_str()
            .is_some_and(|body| body.contains(words))
}

fn memberships(event: &Value, membership: &str) -> bool {
    event["type"] == "m.room.member"
        && event["content"]["membership"] == membership
        && event["state_key"]
            .as_str()
            .is_some_and(|user| user.starts_with("@_vorzimmer_"))
}

/// The rooms that the homeserver has for the visit: its number is in their names.
async fn rooms(world: &World) -> Result<Vec<Value>> {
    let found = world
        .site
        .admin
        .request(Method::GET, "v1/rooms?search_term=G-001", &Value::Null)
        .await?;
    found["rooms"].as_array().cloned().context("rooms")
}

/// What is true of the one visit after whatever has happened.
async fn still_the_same(guest: &Guest, visit: &Value, state: &str) -> Result<()> {
    let visits = guest.visits().await?;
    ensure!(visits.len() == 1, "one visit: {visits:?}");
    ensure!(visits[0]["ticket"] == visit["ticket"] && visits[0]["id"] == visit["id"]);
    ensure!(visits[0]["state"] == state, "{state}: {}", visits[0]);
    Ok(())
}

#[tokio::test]
async fn a_visit_survives_thirty_kills() -> TestResult {
    let mut world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    world.settled().await?;
    clerk.send_text(&door, "!dienst an").await?;
    let guest = world.guest()?;

    // The knock is accepted, and nobody in Matrix knows.
    world.site.homeserver.signal(Signal::SIGSTOP)?;
    let visit = guest.knock("gewerbe", "Eisdiele am Marktplatz").await?;
    let id = visit["id"].as_str().context("an id")?;
    kill_with_requests_under_way(&mut world).await?;
    world.settled().await?;
    still_the_same(&guest, &visit, "waiting").await?;
    ensure!(guest.visit(id).await?["position"] == 1);
    ensure!(guest.office("gewerbe").await?["waiting"] == 1);
    let knocks = events(&clerk, &door, |event| memberships(event, "knock")).await?;
    ensure!(knocks.len() == 1, "one knock: {knocks:#?}");
    let lines = events(&clerk, &door, |event| says(event, "🔔 G-001")).await?;
    ensure!(lines.len() == 1, "one line: {lines:#?}");
    let concerns = events(&clerk, &door, |event| says(event, "Eisdiele")).await?;
    ensure!(concerns.len() == 1, "one concern: {concerns:#?}");

    // The clerk approves; the event may be stored, processed, or on its way when the program dies.
    let ghost = knocks[0]["state_key"].as_str().context("a ghost")?;
    clerk.invite(&door, ghost).await?.success("approving")?;
    world.vorzimmer.kill()?;
    storm(&mut world).await?;
    guest.until(id, "called").await?;
    world.settled().await?;
    let made = rooms(&world).await?;
    ensure!(made.len() == 1, "one room: {made:#?}");
    let room = world
        .database()
        .texts("consultation_room FROM visit_matrix")
        .await?;
    let [room] = room.as_slice() else {
        anyhow::bail!("one consultation room: {room:?}");
    };
    let welcomes = events(&clerk, room, |event| says(event, "Eisdiele")).await?;
    ensure!(welcomes.len() == 1, "one welcome: {welcomes:#?}");

    // The guest has entered.
    guest.enter(id).await?;
    world.vorzimmer.kill()?;
    storm(&mut world).await?;
    still_the_same(&guest, &visit, "in_conversation").await?;

    // A message is stored and not delivered; the page repeats it, because it has got no answer.
    world.site.homeserver.signal(Signal::SIGSTOP)?;
    let message = guest
        .say_as(id, "first", "Guten Tag!")
        .await?
        .success("saying")?;
    ensure!(message["delivery"] == "sending");
    kill_with_requests_under_way(&mut world).await?;
    let again = guest
        .say_as(id, "first", "Guten Tag!")
        .await?
        .success("saying")?;
    ensure!(again["id"] == message["id"], "the same message");
    guest.until_delivery(id, &message, "delivered").await?;

    // A file is on its way to the homeserver; then one is on its way from the browser.
    let pdf = [b"%PDF-1.7\n".as_slice(), &vec![b'x'; 3_000_000]].concat();
    world.site.homeserver.signal(Signal::SIGSTOP)?;
    let file = guest.send_file_as(id, "file", "Antrag.pdf", &pdf).await?;
    let file = file.success("sending a file")?;
    kill_with_requests_under_way(&mut world).await?;
    guest.until_delivery(id, &file, "delivered").await?;
    let (sender, bytes, own) = (guest.clone(), pdf.clone(), id.to_owned());
    let upload =
        tokio::spawn(async move { sender.send_file_as(&own, "file-2", "B.pdf", &bytes).await });
    sleep(Duration::from_millis(10)).await;
    world.vorzimmer.kill()?;
    // Answered or broken off: the page cannot know, and sends it again.
    drop(upload.await?);
    storm(&mut world).await?;
    let file = guest.send_file_as(id, "file-2", "B.pdf", &pdf).await?;
    guest
        .until_delivery(id, &file.success("sending it again")?, "delivered")
        .await?;

    // The clerk has answered while the program was away.
    world.vorzimmer.kill()?;
    clerk.send_text(room, "Schön, dass Sie da sind.").await?;
    storm(&mut world).await?;
    let conversation = eventually("the clerk's words on the page", || async {
        let messages = guest.messages(id).await?;
        Ok((messages.len() >= 4).then_some(messages))
    })
    .await?;
    world.settled().await?;
    let said: Vec<&str> = conversation
        .iter()
        .map(|message| {
            message["file"]["name"]
                .as_str()
                .or(message["body"].as_str())
                .unwrap_or_default()
        })
        .collect();
    ensure!(
        said == [
            "Guten Tag!",
            "Antrag.pdf",
            "B.pdf",
            "Schön, dass Sie da sind."
        ],
        "{said:?}"
    );
    for words in ["Guten Tag!", "Antrag.pdf", "B.pdf"] {
        let sent = events(&clerk, room, |event| says(event, words)).await?;
        ensure!(sent.len() == 1, "one {words}: {sent:#?}");
    }
    let url = conversation[1]["file"]["url"].as_str().context("a url")?;
    ensure!(guest.download(url).await? == pdf, "the file as it was");

    // The end.
    clerk.send_text(room, "!ende").await?;
    world.vorzimmer.kill()?;
    storm(&mut world).await?;
    guest.until(id, "ended").await?;
    world.settled().await?;
    still_the_same(&guest, &visit, "ended").await?;
    ensure!(guest.visit(id).await?["ending"] == "served");
    let goodbyes = events(&clerk, room, |event| {
        says(event, "Das Gespräch ist beendet")
    })
    .await?;
    ensure!(goodbyes.len() == 1, "one goodbye: {goodbyes:#?}");
    let left = events(&clerk, room, |event| memberships(event, "leave")).await?;
    ensure!(left.len() == 1, "the ghost has left once: {left:#?}");
    let concerns = events(&clerk, &door, |event| says(event, "Eisdiele")).await?;
    ensure!(
        concerns.is_empty(),
        "the concern is redacted: {concerns:#?}"
    );
    let office = guest.office("gewerbe").await?;
    ensure!(office["waiting"] == 0 && office["in_conversation"] == 0);

    // The erasure.
    world.vorzimmer.kill()?;
    let database = world.database();
    database.let_a_week_pass().await?;
    storm(&mut world).await?;
    database.until_erased().await?;
    let left = rooms(&world).await?;
    ensure!(left.is_empty(), "the room {room} is gone: {left:#?}");
    for table in [
        "visit_private",
        "visit_matrix",
        "messages",
        "blobs",
        "outbox",
    ] {
        ensure!(database.count(table).await? == 0, "{table} is empty");
    }

    // The house is as good as new.
    let next = guest.knock("gewerbe", "Noch etwas").await?;
    ensure!(
        next["ticket"] == json!("G-002") && next["position"] == 1,
        "{next}"
    );
    world.settled().await
}

/// The visit ends before the program knows that its room stands.
#[tokio::test]
async fn a_room_that_nobody_noted_goes_with_its_visit() -> TestResult {
    let mut world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    world.settled().await?;
    let guest = world.guest()?;
    let visit = guest.knock("gewerbe", "Eisdiele am Marktplatz").await?;
    let id = visit["id"].as_str().context("an id")?;
    clerk.send_text(&door, "!weiter").await?;
    guest.until(id, "called").await?;
    world.settled().await?;
    let made = rooms(&world).await?;
    let room = made[0]["room_id"].as_str().context("a room")?;

    world.vorzimmer.kill()?;
    let database = world.database();
    database.forget_rooms().await?;
    world.vorzimmer.resume().await?;
    guest.leave(id).await?;
    world.settled().await?;
    let goodbyes = events(&clerk, room, |event| says(event, "verlassen")).await?;
    ensure!(goodbyes.len() == 1, "one goodbye: {goodbyes:#?}");

    world.vorzimmer.kill()?;
    database.let_a_week_pass().await?;
    world.vorzimmer.resume().await?;
    database.until_erased().await?;
    let left = rooms(&world).await?;
    ensure!(left.is_empty(), "the room is gone: {left:#?}");
    Ok(())
}

/// Both die at once between sending and remembering: nobody but the homeserver's database knows what was sent.
#[tokio::test]
async fn nothing_is_said_twice_when_the_homeserver_dies_as_well() -> TestResult {
    let mut world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    world.settled().await?;
    let guest = world.guest()?;

    world.site.homeserver.signal(Signal::SIGSTOP)?;
    let visit = guest.knock("gewerbe", "Eisdiele am Marktplatz").await?;
    let id = visit["id"].as_str().context("an id")?;
    both_die_when_it_is_said(&mut world, &clerk, &door, "Eisdiele").await?;
    for words in ["🔔 G-001", "Eisdiele"] {
        let said = events(&clerk, &door, |event| says(event, words)).await?;
        ensure!(said.len() == 1, "once: {said:#?}");
    }

    clerk.send_text(&door, "!weiter").await?;
    guest.until(id, "called").await?;
    guest.enter(id).await?;
    world.settled().await?;
    let room = world
        .database()
        .texts("consultation_room FROM visit_matrix")
        .await?
        .remove(0);
    world.site.homeserver.signal(Signal::SIGSTOP)?;
    guest.say(id, "Mit Waffeln").await?;
    both_die_when_it_is_said(&mut world, &clerk, &room, "Waffeln").await?;
    let said = events(&clerk, &room, |event| says(event, "Waffeln")).await?;
    ensure!(said.len() == 1, "once: {said:#?}");
    Ok(())
}

/// The homeserver hangs and the program has something to say: lets it say so, lets it not remember it, and cuts the
/// power of both.
async fn both_die_when_it_is_said(
    world: &mut World,
    clerk: &Client,
    room: &str,
    words: &str,
) -> Result<()> {
    let held = world.database().hold().await?;
    world.site.homeserver.signal(Signal::SIGCONT)?;
    eventually(words, || async {
        let said = events(clerk, room, |event| says(event, words)).await?;
        Ok((!said.is_empty()).then_some(()))
    })
    .await?;
    world.vorzimmer.kill()?;
    world.site.homeserver.kill()?;
    held.release().await?;
    world.site.homeserver.resume().await?;
    world.vorzimmer.resume().await?;
    world.settled().await
}
