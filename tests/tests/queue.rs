//! Several desks on one queue: order, estimate, limits, and a guest who does not come.

use std::time::Duration;

use blackbox::{Guest, World, WorldOptions, edit_city, eventually, text};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

type TestResult = anyhow::Result<()>;

#[tokio::test]
async fn two_desks_work_off_one_queue_in_order() -> TestResult {
    let dir = tempfile::tempdir()?;
    let world = World::start_with(WorldOptions {
        // Clerks wait for a called guest for one minute only.
        city: edit_city(dir.path(), "no_show_minutes = 3", "no_show_minutes = 1")?,
        ..WorldOptions::default()
    })
    .await?;
    // The minute of the guest who does not come runs while the others are served.
    tokio::try_join!(
        order_is_kept(&world),
        who_does_not_come_is_a_no_show(&world)
    )?;
    Ok(())
}

async fn order_is_kept(world: &World) -> TestResult {
    let (mut anna, mut ceyda) = tokio::try_join!(
        world.desk("anna", "kindertagespflege"),
        world.desk("ceyda", "kindertagespflege")
    )?;
    let mut visits: Vec<(Guest, String, String)> = Vec::new();
    for number in 1..=4 {
        let guest = world.stranger()?;
        let visit = guest.knock("kindertagespflege", "Ein Platz").await?;
        assert_eq!(visit["ticket"], format!("K-{number:03}"));
        assert_eq!(visit["position"], number);
        assert_eq!(visit["estimated_wait_s"], Value::Null, "nobody is on duty");
        visits.push((guest, text(&visit, "id")?, text(&visit, "ticket")?));
    }
    one_live_visit_each(world, &visits[0].0, &visits[0].1).await?;
    anna.until_ring("K-004").await?;
    ceyda.until_ring("K-004").await?;
    let office = world
        .until_office("kindertagespflege", "full of people", |office| {
            office["waiting"] == 4
        })
        .await?;
    assert_eq!(office["estimated_wait_s"], Value::Null);

    // An estimate stands as soon as somebody is on duty, and shrinks with a second desk.
    anna.ask("!dienst an").await?;
    let last = &visits[3];
    let alone = estimate(&last.0, &last.1).await?;
    ceyda.ask("!dienst an").await?;
    let together = estimate(&last.0, &last.1).await?;
    assert!(0 < alone.0 && alone.0 <= alone.1, "{alone:?}");
    assert!(together.1 < alone.1, "{together:?} after {alone:?}");
    let published = anna
        .until_state("org.vorzimmer.occupancy", "an estimate", |state| {
            state["desks_on_duty"] == 2 && state["estimated_wait_s"]["high"].is_u64()
        })
        .await?;
    assert_eq!(published["waiting"], 4);
    let queue = anna
        .until_state("org.vorzimmer.queue", "four tickets", |state| {
            state["tickets"]
                .as_array()
                .is_some_and(|queue| queue.len() == 4)
        })
        .await?;
    let tickets: Vec<&Value> = queue["tickets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| &entry["ticket"])
        .collect();
    assert_eq!(tickets, ["K-001", "K-002", "K-003", "K-004"]);

    // Alternately, and the last two at the same moment: nobody is left out, nobody is called twice.
    assert!(ceyda.ask("!weiter").await?.starts_with("ceyda hat K-001 "));
    assert!(anna.ask("!weiter").await?.starts_with("anna hat K-002 "));
    for (guest, id, _) in &visits[..2] {
        guest.until(id, "called").await?;
        guest.enter(id).await?;
    }
    let third = visits[2].0.visit(&visits[2].1).await?;
    assert_eq!(third["position"], 1);
    assert_eq!(ceyda.ask("!ende").await?, "K-001 ist beendet.");
    assert_eq!(anna.ask("!ende").await?, "K-002 ist beendet.");
    tokio::try_join!(anna.write("!weiter"), ceyda.write("!weiter"))?;
    let mut clerks = Vec::new();
    for (guest, id, _) in &visits[2..] {
        clerks.push(text(&guest.until(id, "called").await?, "clerk_name")?);
    }
    clerks.sort();
    assert_eq!(clerks, ["anna", "ceyda"]);

    // A guest who goes makes room behind.
    for (guest, id, _) in &visits[2..] {
        guest.leave(id).await?;
        assert_eq!(guest.until(id, "ended").await?["ending"], "left");
    }
    world
        .until_office("kindertagespflege", "empty", |office| {
            office["waiting"] == 0 && office["in_conversation"] == 0 && office["status"] == "free"
        })
        .await?;
    Ok(())
}

async fn one_live_visit_each(world: &World, guest: &Guest, visit: &str) -> TestResult {
    let form = json!({ "concern": "Noch einmal", "language": "de", "privacy_accepted": true });
    let again = guest.knock_with("kindertagespflege", &form).await?;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(again.body["visit"], visit, "the way back to the visit");
    // At another office the same guest may wait as well.
    let elsewhere = guest.knock("wahlamt", "Briefwahl").await?;
    assert_eq!(elsewhere["position"], 1);
    assert_eq!(guest.visits().await?.len(), 2);
    guest.leave(&text(&elsewhere, "id")?).await?;
    world
        .until_office("wahlamt", "empty", |office| office["waiting"] == 0)
        .await?;
    Ok(())
}

async fn estimate(guest: &Guest, id: &str) -> anyhow::Result<(u64, u64)> {
    eventually("an estimate", || async {
        let wait = guest.visit(id).await?["estimated_wait_s"].take();
        Ok(wait["low"].as_u64().zip(wait["high"].as_u64()))
    })
    .await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the call's end is told by the program's own clock"
)]
async fn who_does_not_come_is_a_no_show(world: &World) -> TestResult {
    let mut bernd = world.desk("bernd", "einwohnermeldeamt").await?;
    let (guest, next) = (world.stranger()?, world.stranger()?);
    let visit = guest.knock("einwohnermeldeamt", "Umzug").await?;
    let id = text(&visit, "id")?;
    let waiting = next.knock("einwohnermeldeamt", "Ausweis").await?;
    bernd.until_ring("E-002").await?;
    bernd.ask("!weiter").await?;
    let called = guest.until(&id, "called").await?;
    let room_id = bernd.consultation("E-001").await?;

    // The minute is what is tested: not before it has passed. It began with the call, and some of it is over.
    let enter_by: Timestamp = text(&called, "enter_by")?.parse()?;
    let shortly_before = enter_by - SignedDuration::from_secs(10);
    let left = shortly_before.duration_since(Timestamp::now());
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
    assert_eq!(guest.visit(&id).await?["state"], "called");
    assert_eq!(
        bernd.until_notice("E-001 ist nicht").await?,
        "E-001 ist nicht gekommen."
    );
    let over = guest.until(&id, "ended").await?;
    assert_eq!(over["ending"], "no_show");
    eventually("the goodbye in the consultation room", || async {
        let events = bernd.clerk.messages(&room_id, 10).await?;
        let said = events.iter().any(|event| {
            event["content"]["body"] == "Der Aufruf wurde beendet, weil niemand gekommen ist."
        });
        Ok(said.then_some(()))
    })
    .await?;
    // Too late.
    assert!(guest.enter(&id).await.is_err());
    // The next one has moved up, and the clerk is free to call.
    assert_eq!(next.visit(&text(&waiting, "id")?).await?["position"], 1);
    assert!(bernd.ask("!weiter").await?.starts_with("bernd hat E-002 "));
    Ok(())
}
