//! Calls over our relay through a network that loses and delays datagrams and is narrow, with LiveKit's own clients.

use std::time::Duration;

use anyhow::Context as _;
use blackbox::{CallServer, Caller, Joining, Picture, RECOVERY, Weather, eventually, within};
use serde_json::Value;

type TestResult = anyhow::Result<()>;

const ROOM: &str = "consultation";

/// One datagram of twenty gets lost; there and back takes 150 ms.
const BAD: Weather = Weather {
    lost: 50,
    delay: Duration::from_millis(75),
    bottleneck: None,
    garbled: 0,
};
/// Enough for a voice and a small picture.
const NARROW: Weather = Weather {
    lost: 0,
    delay: Duration::from_millis(20),
    bottleneck: Some(300_000),
    garbled: 0,
};

/// Nearly a third is lost.
const STORM: Weather = Weather {
    lost: 300,
    delay: Duration::ZERO,
    bottleneck: None,
    garbled: 0,
};

fn count(report: &Value, what: &str) -> u64 {
    report[what].as_u64().unwrap_or_default()
}

/// Waits until WebRTC counts at least so many of something of a track.
async fn counts(caller: &Caller, of: Option<&Caller>, what: &str, least: u64) -> TestResult {
    let mut last = Value::Null;
    let found = eventually(&format!("{least} {what} at {caller}"), async || {
        last = caller.carried(of, "cam").await?;
        Ok((count(&last, what) >= least).then_some(()))
    })
    .await;
    found.with_context(|| format!("at last {last}"))
}

#[tokio::test]
async fn what_gets_lost_comes_again_both_ways_and_pictures_stay_whole() -> TestResult {
    let Some((server, network)) = CallServer::behind_network().await? else {
        return Ok(());
    };
    network.set(BAD, BAD);
    let camera = Picture {
        size: (640, 360),
        ..Picture::SMALL
    };
    let two_connections = Joining {
        single: false,
        ..Joining::default()
    };
    let callers = [
        server.caller(ROOM, 1).await?,
        server.caller_with(ROOM, 2, &two_connections).await?,
    ];
    for caller in &callers {
        caller.talk().await?;
        caller.show("cam", camera).await?;
    }
    for (one, other) in [(&callers[0], &callers[1]), (&callers[1], &callers[0])] {
        one.sees(other, "cam").await?;
        one.hears(other).await?;
        // What the publisher sent again, because the relay missed it; and what the relay sent again.
        counts(one, None, "repaired", 20).await?;
        counts(one, Some(other), "repaired", 20).await?;
        let seen = one.sees(other, "cam").await?;
        let (broken, frames) = (count(&seen, "broken"), count(&seen, "frames"));
        assert!(broken * 20 <= frames, "{one} sees of {other}: {seen}");
    }
    Ok(())
}

#[tokio::test]
async fn a_narrow_way_carries_the_voice_and_a_small_picture_and_a_wide_one_the_large_again()
-> TestResult {
    let Some((server, network)) = CallServer::behind_network().await? else {
        return Ok(());
    };
    let (one, two) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    let camera = Picture {
        busy: true,
        ..Picture::LAYERED
    };
    one.talk().await?;
    one.show("cam", camera).await?;
    let shown = async |width: u64| {
        let what = format!("pictures {width} pixels wide");
        let mut from = None;
        let mut last = Value::Null;
        // That size for a while, not in passing.
        let stays = within(RECOVERY, &what, async || {
            last = two.track(&one, "cam").await?;
            let frames = count(&last, "frames");
            if last["width"].as_u64() != Some(width) {
                from = None;
                return Ok(None);
            }
            Ok((frames >= *from.get_or_insert(frames) + 15).then_some(()))
        })
        .await;
        stays.with_context(|| format!("at last {last}"))?;
        two.hears(&one).await
    };
    shown(960).await?;
    network.set(Weather::default(), NARROW);
    shown(320).await?;
    let narrow = two.carried(Some(&one), "cam").await?;
    network.set(Weather::default(), Weather::default());
    shown(960).await?;
    // To learn of the room there is, the relay sent known packets once more.
    let wide = two.carried(Some(&one), "cam").await?;
    assert!(
        count(&wide, "repaired") > count(&narrow, "repaired"),
        "{narrow}, then {wide}"
    );
    Ok(())
}

/// What a line was found to carry while nothing but a voice went over it is no reason to show nothing.
#[tokio::test]
async fn a_picture_comes_also_where_the_line_was_bad_when_a_voice_was_all_there_was() -> TestResult
{
    let Some((server, network)) = CallServer::behind_network().await? else {
        return Ok(());
    };
    let one = server.caller(ROOM, 1).await?;
    one.talk().await?;
    one.show("cam", Picture::LAYERED).await?;
    let nothing = Joining {
        subscribe: false,
        ..Joining::default()
    };
    let two = server.caller_with(ROOM, 2, &nothing).await?;
    let announced = |_: &Value, now: &Value| now["subscribed"] == false;
    for name in ["mic", "cam"] {
        two.track_until("the track to be announced", &one, name, announced)
            .await?;
    }
    two.subscribe(&one, "mic", true).await?;
    two.hears(&one).await?;
    network.set(Weather::default(), STORM);
    // Not to wait for something: so long the line is bad.
    tokio::time::sleep(Duration::from_secs(4)).await;
    network.set(Weather::default(), Weather::default());
    two.subscribe(&one, "cam", true).await?;
    two.sees(&one, "cam").await.map(drop)
}
