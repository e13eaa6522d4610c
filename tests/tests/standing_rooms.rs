//! The program is stopped while it makes a door room: the room is found again, and there is no second one.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use blackbox::{Guest, World, WorldOptions, copy_city, eventually};
use http::Method;
use serde_json::Value;

/// An office that the demo city does not have.
fn office(slug: &str, letter: char) -> String {
    format!(
        r#"
[offices.{slug}]
letter = "{letter}"
name = {{ de = "Probe {slug}", en = "Trial {slug}" }}
description = {{ de = "Zur Probe.", en = "For trial." }}
clerks = ["anna"]
address = {{ de = "Dormagen", en = "Dormagen" }}

[offices.{slug}.hours]
monday = "08:30-12:00"

[offices.{slug}.services.probe]
name = {{ de = "Probe", en = "Trial" }}
minutes = 10
place = "remote"
"#
    )
}

#[tokio::test]
async fn a_room_in_the_making_is_found_again() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = copy_city(dir.path())?;
    let mut world = World::start_with(WorldOptions {
        city: file.clone(),
        ..WorldOptions::default()
    })
    .await?;
    let clerk = world.clerk("anna")?.clone();
    let mut city = fs::read_to_string(&file)?;
    for (slug, letter) in [("eins", 'X'), ("zwei", 'Y')] {
        city += &office(slug, letter);
        fs::write(&file, &city)?;
        // The alias stands while the room is still being made.
        let alias = format!("#buero-{slug}:{}", world.site.homeserver.server_name());
        eventually(&alias, || async { Ok(clerk.resolve(&alias).await.ok()) }).await?;
        world.vorzimmer.kill()?;
        world.vorzimmer.resume().await?;
        world.door(slug, &clerk).await?;
        let rooms = format!("v1/rooms?search_term=Probe%20{slug}");
        let rooms = world
            .site
            .admin
            .request(Method::GET, &rooms, &Value::Null)
            .await?;
        ensure!(rooms["total_rooms"] == 1, "one room: {rooms}");
    }

    // Before there is a room, there is nothing to knock at.
    world.vorzimmer.kill()?;
    world.site.homeserver.kill()?;
    fs::write(&file, city + &office("drei", 'Z'))?;
    let internal = Guest::new(&world.vorzimmer.internal_url())?;
    let not_ready = async {
        eventually("the program to say that it is not ready", || async {
            let request = internal.request(Method::GET, "/readyz");
            let Ok(answer) = request.send().await else {
                return Ok(None);
            };
            let status = answer.status();
            let reason = answer.text().await?;
            Ok((status == 503 && reason.contains("drei")).then_some(()))
        })
        .await?;
        world.site.homeserver.resume().await
    };
    let (ready, not_ready) = tokio::join!(world.vorzimmer.resume(), not_ready);
    not_ready?;
    ready?;
    world
        .door("drei", &clerk)
        .await
        .context("the third office")?;
    Ok(())
}
