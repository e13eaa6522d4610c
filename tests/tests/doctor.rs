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

/// Answers every STUN question: the sender is seen at this address (RFC 8489 §14.2), whoever it is.
async fn stun_server(seen: [u8; 4]) -> Result<String> {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
    let address = socket.local_addr()?.to_string();
    tokio::spawn(async move {
        let mut question = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut question).await {
            if length < 20 {
                continue;
            }
            let mut answer = vec![0x01, 0x01, 0, 12];
            answer.extend(&question[4..20]);
            answer.extend([0, 0x20, 0, 8, 0, 1, 0, 0]);
            answer.extend((0..4).map(|at| seen[at] ^ question[4 + at]));
            // Who asked may be gone.
            let _ = socket.send_to(&answer, from).await;
        }
    });
    Ok(address)
}

#[tokio::test]
async fn where_calls_are_reached_is_told_with_its_cure() -> Result<()> {
    let world = World::with_own_relay().await?;
    let config = world.dir().join("vorzimmer.toml");
    let near = until_sound(&config).await?;
    let told = "to send pictures and sound to 127.0.0.1, which nobody outside reaches";
    assert!(near.text.contains(told), "{}", near.text);
    assert!(near.text.contains("calls.embedded.public_ips"), "the cure");

    let text = std::fs::read_to_string(&config)?;
    let mut table: toml::Table = text.parse()?;
    let embedded = table["calls"]["embedded"].as_table_mut();
    let embedded = embedded.context("an embedded relay")?;
    embedded.insert("udp".to_owned(), "0.0.0.0:0".into());
    embedded.remove("tcp");
    for (server, sound, expected) in [
        (
            stun_server([93, 184, 215, 14]).await?,
            true,
            "browsers are told to send pictures and sound to 93.184.215.14",
        ),
        (
            "stun.invalid:3478".to_owned(),
            false,
            "the STUN server stun.invalid:3478 is not to be found",
        ),
    ] {
        let mut table = table.clone();
        let embedded = table["calls"]["embedded"].as_table_mut();
        let embedded = embedded.context("an embedded relay")?;
        embedded.insert("stun_server".to_owned(), server.into());
        let other = world.dir().join("discovering.toml");
        std::fs::write(&other, toml::to_string(&table)?)?;
        let diagnosis = doctor(&other).await?;
        assert!(diagnosis.text.contains(expected), "{}", diagnosis.text);
        assert_eq!(diagnosis.sound, sound, "{}", diagnosis.text);
        assert!(
            !diagnosis.text.contains("nobody outside"),
            "{}",
            diagnosis.text
        );
    }
    Ok(())
}
