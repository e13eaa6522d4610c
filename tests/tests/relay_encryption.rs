//! Media that is encrypted from end to end passes a relay as it is: who has the key sees and hears, who has not does
//! not. Against LiveKit's server and ours, with LiveKit's own clients.

use blackbox::{Backend, CallServer, Joining, Picture, eventually};
use serde_json::Value;

type TestResult = anyhow::Result<()>;

const ROOM: &str = "consultation";

async fn only_who_has_the_key_sees_and_hears(backend: Backend) -> TestResult {
    let Some(server) = CallServer::start(backend).await? else {
        return Ok(());
    };
    let initiated = Joining {
        key: Some("a key that everybody in the call has"),
        ..Joining::default()
    };
    let callers = [
        server.caller_with(ROOM, 1, &initiated).await?,
        server.caller_with(ROOM, 2, &initiated).await?,
    ];
    let outsider = server.caller(ROOM, 3).await?;
    for caller in &callers {
        caller.talk().await?;
        caller.show("cam", Picture::LAYERED).await?;
    }
    // What comes is there for all three.
    let count = |report: &Value, what: &str| report[what].as_u64().unwrap_or_default();
    for (one, other) in [(&callers[0], &callers[1]), (&callers[1], &callers[0])] {
        tokio::try_join!(one.sees(other, "cam"), one.hears(other))?;
        eventually("sound for who has no key", async || {
            let track = outsider.track(other, "mic").await?;
            let pieces = track["hertz"].as_object().into_iter().flatten();
            let pieces: u64 = pieces.filter_map(|(_, count)| count.as_u64()).sum();
            Ok((pieces + count(&track, "silent") >= 20).then_some(()))
        })
        .await?;
        tokio::try_join!(one.sees(other, "cam"), one.hears(other))?;
    }
    for other in &callers {
        let picture = outsider.track(other, "cam").await?;
        assert_eq!(count(&picture, "moved"), 0, "without a key: {picture}");
        let sound = outsider.track(other, "mic").await?;
        let tone = sound["hertz"][other.hertz().to_string()].as_u64();
        assert!(tone.unwrap_or_default() < 3, "without a key: {sound}");
    }
    Ok(())
}

#[tokio::test]
async fn livekit_carries_what_only_the_callers_can_read() -> TestResult {
    only_who_has_the_key_sees_and_hears(Backend::LiveKit).await
}

#[tokio::test]
async fn vorzimmer_carries_what_only_the_callers_can_read() -> TestResult {
    only_who_has_the_key_sees_and_hears(Backend::Vorzimmer).await
}
