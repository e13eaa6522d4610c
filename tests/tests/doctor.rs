//! `vorzimmer doctor`: finds nothing at a sound installation, and each fault with its cure.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use blackbox::World;
use serde_json::json;
use tokio::{process::Command, time::Instant};

/// What `doctor` said, and whether it found a fault.
struct Diagnosis {
    text: String,
    sound: bool,
}

#[tokio::test]
async fn a_sound_installation_is_sound_and_each_fault_has_its_cure() -> Result<()> {
    let mut world = World::start().await?;
    let config = world.dir().join("vorzimmer.toml");

    // The rooms are made in the background after the start.
    let sound = until_sound(&config).await?;
    assert!(sound.text.contains("0 faults"), "{}", sound.text);
    assert!(sound.text.contains("always_open is on"), "{}", sound.text);
    assert!(!sound.text.contains("REPLACE"), "no token is told");

    let anna = world.clerk("anna")?.user_id().to_owned();
    let path = format!(
        "v1/users/{}/override_ratelimit",
        anna.replace('@', "%40").replace(':', "%3A")
    );
    world
        .site
        .admin
        .request(reqwest::Method::DELETE, &path, &json!({}))
        .await?;
    let limited = doctor(&config).await?;
    assert!(!limited.sound);
    assert!(
        limited
            .text
            .contains(&format!("{anna} is not exempt from rate limits")),
        "{}",
        limited.text
    );
    assert!(
        limited.text.contains("override_ratelimit"),
        "the cure is told: {}",
        limited.text
    );
    world.site.admin.lift_rate_limit(&anna).await?;

    world.vorzimmer.stop().await?;
    let stopped = doctor(&config).await?;
    assert!(!stopped.sound);
    assert!(
        stopped.text.contains("is `vorzimmer serve` running"),
        "{}",
        stopped.text
    );

    let text = std::fs::read_to_string(&config)?;
    let wrong = world.dir().join("wrong.toml");
    std::fs::write(&wrong, text.replace("deletion-token", "no-such-file"))?;
    let missing = doctor(&wrong).await?;
    assert!(!missing.sound);
    assert!(
        missing.text.contains("deletion_token_file"),
        "{}",
        missing.text
    );

    world.site.homeserver.stop().await?;
    let alone = doctor(&config).await?;
    assert!(!alone.sound);
    assert!(
        alone.text.contains("check homeserver.url and that it runs"),
        "{}",
        alone.text
    );
    Ok(())
}

async fn until_sound(config: &Path) -> Result<Diagnosis> {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let diagnosis = doctor(config).await?;
        if diagnosis.sound && !diagnosis.text.contains("does not exist yet") {
            return Ok(diagnosis);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "doctor still finds:\n{}",
            diagnosis.text
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn doctor(config: &Path) -> Result<Diagnosis> {
    let program = blackbox::program().await?;
    let output = Command::new(program)
        .args(["doctor", "--config"])
        .arg(config)
        .output()
        .await
        .context("doctor was not started")?;
    Ok(Diagnosis {
        text: String::from_utf8(output.stdout)?,
        sound: output.status.success(),
    })
}
