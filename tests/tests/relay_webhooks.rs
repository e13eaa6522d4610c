//! What a relay tells by webhook, with LiveKit's own clients, against LiveKit's server and ours.

use blackbox::{Backend, CallServer, Picture, Service, eventually};
use serde_json::{Value, json};

type TestResult = anyhow::Result<()>;

const ROOM: &str = "consultation";

/// The first event of this name about this participant, if any.
fn find<'e>(told: &'e [Value], event: &str, identity: Option<&str>) -> Option<&'e Value> {
    told.iter().find(|one| {
        let who = one["participant"]["identity"].as_str();
        one["event"] == event && who == identity
    })
}

/// Somebody joins, publishes, takes back and leaves; the room is deleted.
async fn a_call_is_told(backend: Backend) -> TestResult {
    let teller = Service::answering(json!({})).await?;
    let webhook = format!("http://{}/told", teller.address());
    let Some(server) = CallServer::telling(backend, webhook).await? else {
        return Ok(());
    };
    let told = async |event: &str, identity: Option<&str>| {
        eventually(&format!("{event} by webhook"), async || {
            let told = server.told(&teller, "/told")?;
            Ok(find(&told, event, identity).cloned())
        })
        .await
    };
    let one = server.caller(ROOM, 1).await?;
    let who = Some(one.identity());
    let begun = told("room_started", None).await?;
    assert_eq!(begun["room"]["name"], ROOM);
    let room_sid = begun["room"]["sid"].clone();
    assert!(room_sid.as_str().is_some_and(|sid| sid.starts_with("RM_")));

    let joined = told("participant_joined", who).await?;
    let participant_sid = joined["participant"]["sid"].clone();
    assert!(
        participant_sid
            .as_str()
            .is_some_and(|sid| sid.starts_with("PA_"))
    );
    assert_eq!(joined["participant"]["name"], "name of caller-1");

    let sid = one.show("cam", Picture::SMALL).await?;
    let published = told("track_published", who).await?;
    assert_eq!(published["track"]["sid"], sid);
    assert_eq!(published["track"]["type"], "VIDEO");
    assert_eq!(published["track"]["source"], "CAMERA");
    one.unpublish("cam").await?;
    let unpublished = told("track_unpublished", who).await?;
    assert_eq!(unpublished["track"]["sid"], sid);
    one.leave().await?;
    let left = told("participant_left", who).await?;
    assert_eq!(left["participant"]["sid"], participant_sid);
    server.rooms(ROOM).delete().await?;
    told("room_finished", None).await?;

    let all = server.told(&teller, "/told")?;
    for event in &all {
        assert_eq!(event["room"]["name"], ROOM, "{event}");
        assert_eq!(event["room"]["sid"], room_sid, "{event}");
        assert!(event["id"].as_str().is_some_and(|id| !id.is_empty()));
        let at = event["createdAt"].as_str().map(str::parse::<u64>);
        assert!(matches!(at, Some(Ok(1_700_000_000..))), "{event}");
        let again = all.iter().filter(|other| other["id"] == event["id"]);
        assert_eq!(again.count(), 1, "{event}");
    }
    Ok(())
}

#[tokio::test]
async fn livekit() -> TestResult {
    a_call_is_told(Backend::LiveKit).await
}

#[tokio::test]
async fn vorzimmer() -> TestResult {
    a_call_is_told(Backend::Vorzimmer).await
}
