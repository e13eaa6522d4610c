//! The city's file is changed while the office is open.

use std::fs;

use anyhow::Result;
use blackbox::{Guest, World, WorldOptions, copy_city, eventually};

/// A good change is in force within seconds, a wrong one is told with its place and stays out of force, and in
/// neither case does the queue notice.
#[tokio::test]
async fn a_changed_city_file_takes_effect_and_the_queue_stays() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = copy_city(dir.path())?;
    let world = World::start_with(WorldOptions {
        city: file.clone(),
        ..WorldOptions::default()
    })
    .await?;
    let guest = Guest::new(world.vorzimmer.url())?;
    let page = guest
        .knock("gewerbe", "Ich möchte ein Café eröffnen")
        .await?;
    let id = page["id"].as_str().unwrap_or_default().to_owned();
    let before = fs::read_to_string(&file)?;

    fs::write(
        &file,
        before.replace("de = \"Gewerbemeldestelle\"", "de = \"Gewerbe und Märkte\""),
    )?;
    renamed(&guest, "Gewerbe und Märkte").await?;
    let waiting = guest.visit(&id).await?;
    assert_eq!(waiting["state"], "waiting");
    assert_eq!(waiting["ticket"], page["ticket"]);
    assert_eq!(waiting["position"], 1);
    assert_eq!(guest.office("gewerbe").await?["waiting"], 1);

    fs::write(
        &file,
        before.replace(
            "time_zone = \"Europe/Berlin\"",
            "time_zone = \"Europe/Dormagen\"",
        ),
    )?;
    let log = world.dir().join("vorzimmer.log");
    let told = eventually("the fault in the log", || async {
        let log = fs::read_to_string(&log)?;
        Ok(log.contains("stay out of force").then_some(log))
    })
    .await?;
    assert!(
        told.contains("city.toml:") && told.contains("Europe/Dormagen"),
        "line and value are told"
    );
    renamed(&guest, "Gewerbe und Märkte").await?;
    assert_eq!(guest.visit(&id).await?["position"], 1);

    fs::write(&file, &before)?;
    renamed(&guest, "Gewerbemeldestelle").await?;
    assert_eq!(guest.visit(&id).await?["state"], "waiting");
    Ok(())
}

async fn renamed(guest: &Guest, name: &str) -> Result<()> {
    eventually(&format!("the office to be called {name}"), || async {
        Ok((guest.office("gewerbe").await?["name"] == name).then_some(()))
    })
    .await
}
