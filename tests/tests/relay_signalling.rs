//! Signalling in its finer points, seen on the line between LiveKit's own clients and a relay, LiveKit's and ours.

use anyhow::{Context as _, ensure};
use blackbox::{
    Backend, CallServer, Caller, Grant, Joining, Picture, RECOVERY, Signals, Tap, Weather,
    eventually, within,
};
use livekit_protocol::{
    AddTrackRequest, Ping, StreamState, TrackSource, TrackType, signal_request::Message as Request,
    signal_response::Message as Response,
};
use serde_json::Value;

type TestResult = anyhow::Result<()>;

const ROOM: &str = "consultation";

/// Somebody whose signalling goes through a tap.
async fn tapped(
    server: &CallServer,
    tap: &Tap,
    number: u8,
    single: bool,
) -> anyhow::Result<Caller> {
    let joining = Joining {
        single,
        ..Joining::default()
    };
    let caller = server.stranger(number).await?;
    let token = server.sign(Grant::join(ROOM, caller.identity()))?;
    caller.join(tap.url(), &token, &joining).await?;
    Ok(caller)
}

/// After signalling broke, what a client has chosen holds as before. (At LiveKit's server the same clients are sent
/// everything again.)
async fn choices_outlast_a_cut(single: bool) -> TestResult {
    let Some(server) = CallServer::start(Backend::Vorzimmer).await? else {
        return Ok(());
    };
    let tap = Tap::to(&server.url()).await?;
    let (one, two) = (
        tapped(&server, &tap, 1, single).await?,
        server.caller(ROOM, 2).await?,
    );
    for caller in [&one, &two] {
        caller.talk().await?;
        caller.show("cam", Picture::SMALL).await?;
    }
    tokio::try_join!(one.sees(&two, "cam"), one.hears(&two), two.hears(&one))?;
    one.subscribe(&two, "cam", false).await?;
    one.mute("mic", true).await?;
    eventually("no picture", async || {
        let track = one.track(&two, "cam").await?;
        Ok((track["subscribed"] == false).then_some(()))
    })
    .await?;
    two.hears_silence(&one).await?;

    let synced = |request: &Request| matches!(request, Request::SyncState(_)).then_some(());
    let before = tap.requests(synced).len();
    tap.cut();
    one.event("reconnecting", |_| true).await?;
    one.event("reconnected", |_| true).await?;
    if !single {
        // Over a single connection it tells with its request to come back.
        eventually("what the client has", async || {
            Ok((tap.requests(synced).len() > before).then_some(()))
        })
        .await?;
    }
    one.hears(&two).await?;
    two.sees(&one, "cam").await?;
    let track = one.track(&two, "cam").await?;
    ensure!(track["subscribed"] == false, "not wanted before: {track}");
    let track = two.track(&one, "mic").await?;
    ensure!(track["muted"] == true, "muted before: {track}");
    ensure!(two.events("went").is_empty(), "nobody had gone");
    // And it can choose again.
    one.mute("mic", false).await?;
    two.hears(&one).await?;
    Ok(())
}

/// Clients that send text are answered by text.
async fn json_is_spoken_with_who_speaks_it(backend: Backend) -> TestResult {
    let Some(server) = CallServer::start(backend).await? else {
        return Ok(());
    };
    let mut signals = Signals::join(&server, ROOM, "somebody").await?;
    // The first message comes before the client has shown what it speaks.
    signals
        .hears("that it has joined", |message| match message {
            Response::Join(join) => Some(join),
            _ => None,
        })
        .await?;
    signals.speak_json();
    let ping = Ping {
        timestamp: 7,
        rtt: 1,
    };
    signals.say(Request::PingReq(ping)).await?;
    signals
        .hears("a pong", |message| match message {
            Response::PongResp(pong) => (pong.last_ping_timestamp == 7).then_some(()),
            _ => None,
        })
        .await?;
    let request = AddTrackRequest {
        cid: "microphone".to_owned(),
        name: "mic".to_owned(),
        r#type: TrackType::Audio.into(),
        source: TrackSource::Microphone.into(),
        ..AddTrackRequest::default()
    };
    signals.say(Request::AddTrack(request)).await?;
    let track = signals
        .hears("its track", |message| match message {
            Response::TrackPublished(published) => Some(published),
            _ => None,
        })
        .await?;
    ensure!(track.cid == "microphone", "{track:?}");
    let info = track.track.context("no track")?;
    ensure!(
        info.name == "mic" && info.source() == TrackSource::Microphone,
        "{info:?}"
    );
    Ok(())
}

mod livekit {
    use super::*;

    #[tokio::test]
    async fn json_is_spoken_with_who_speaks_it() -> TestResult {
        super::json_is_spoken_with_who_speaks_it(Backend::LiveKit).await
    }
}

mod vorzimmer {
    use super::*;

    #[tokio::test]
    async fn choices_outlast_a_cut_over_one_connection() -> TestResult {
        super::choices_outlast_a_cut(true).await
    }

    #[tokio::test]
    async fn choices_outlast_a_cut_over_two_connections() -> TestResult {
        super::choices_outlast_a_cut(false).await
    }

    #[tokio::test]
    async fn json_is_spoken_with_who_speaks_it() -> TestResult {
        super::json_is_spoken_with_who_speaks_it(Backend::Vorzimmer).await
    }

    /// LiveKit sends the first fresh token after five minutes, ours after half of one.
    #[tokio::test]
    async fn a_client_gets_a_fresh_token_with_which_it_can_come_back() -> TestResult {
        let server = CallServer::start(Backend::Vorzimmer).await?;
        let server = server.context("our own relay is always there")?;
        let tap = Tap::to(&server.url()).await?;
        let caller = tapped(&server, &tap, 1, true).await?;
        let token = tap
            .hears("a fresh token", |message| match message {
                Response::RefreshToken(token) => Some(token.clone()),
                _ => None,
            })
            .await?;
        let (status, body) = server.validate("/rtc/validate", &token).await?;
        ensure!(status == 200, "{status} {body}");
        caller.leave().await?;
        let again = server.stranger(1).await?;
        again
            .join(&server.url(), &token, &Joining::default())
            .await?;
        ensure!(server.rooms(ROOM).identities().await? == [caller.identity()]);
        Ok(())
    }

    /// What a path cannot carry rests, and whoever watches is told so, and told when it goes on.
    #[tokio::test]
    async fn whoever_has_a_narrow_path_is_told_which_pictures_rest() -> TestResult {
        let Some((server, network)) = CallServer::behind_network().await? else {
            return Ok(());
        };
        let tap = Tap::to(&server.url()).await?;
        let (one, two) = (
            server.caller(ROOM, 1).await?,
            tapped(&server, &tap, 2, true).await?,
        );
        one.talk().await?;
        let busy = Picture {
            busy: true,
            ..Picture::SMALL
        };
        let sid = one.show("cam", busy).await?;
        tokio::try_join!(two.sees(&one, "cam"), two.hears(&one))?;
        let states = || {
            let of_track = |response: &Response| match response {
                Response::StreamStateUpdate(update) => {
                    let mut states = update.stream_states.iter();
                    let state = states.find(|state| state.track_sid == sid)?;
                    Some(state.state())
                }
                _ => None,
            };
            tap.responses(of_track)
        };
        let told = async |wanted: StreamState| {
            let what = format!("the state {wanted:?}");
            let found = within(RECOVERY, &what, async || {
                Ok((states().last() == Some(&wanted)).then_some(()))
            });
            found
                .await
                .with_context(|| format!("told so far: {:?}", states()))
        };
        let narrow = Weather {
            bottleneck: Some(90_000),
            ..Weather::default()
        };
        network.set(Weather::default(), narrow);
        told(StreamState::Paused).await?;
        two.hears(&one).await?;
        network.set(Weather::default(), Weather::default());
        told(StreamState::Active).await?;
        let report: Value = two.sees(&one, "cam").await?;
        ensure!(report["width"] == 320, "{report}");
        Ok(())
    }
}
