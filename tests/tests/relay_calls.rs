//! Calls over a relay, with LiveKit's own clients. Each test runs against LiveKit's server and against ours.

use anyhow::Context as _;
use blackbox::{Backend, CallServer, Caller, Joining, Picture, Way};
use serde_json::{Value, json};

type TestResult = anyhow::Result<()>;

const ROOM: &str = "consultation";

/// Each scenario as a test for each backend.
macro_rules! scenarios {
    ($($(#[$ours:meta])* $name:ident),* $(,)?) => {
        mod livekit {
            $(#[tokio::test]
            async fn $name() -> super::TestResult {
                match super::CallServer::start(super::Backend::LiveKit).await? {
                    Some(server) => super::$name(server).await,
                    None => Ok(()),
                }
            })*
        }

        mod vorzimmer {
            $(#[tokio::test]
            $(#[$ours])*
            async fn $name() -> super::TestResult {
                match super::CallServer::start(super::Backend::Vorzimmer).await? {
                    Some(server) => super::$name(server).await,
                    None => Ok(()),
                }
            })*
        }
    };
}

// What stands before a name is said of our relay only.
scenarios!(
    two_meet,
    three_meet_by_both_protocols,
    five_meet,
    both_sides_mute,
    messages_arrive,
    whoever_leaves_is_gone,
    whoever_is_turned_out_is_gone,
    a_deleted_room_ends_for_everybody,
    a_second_track_does_not_harm_simulcast,
    quality_follows_the_request,
    each_codec_arrives,
    an_identity_is_there_once,
    subscriptions_are_chosen,
    what_is_said_of_people_arrives,
);

const TWO_CONNECTIONS: Joining = Joining {
    subscribe: true,
    dynacast: true,
    single: false,
    way: Way::Any,
    key: None,
};

/// Everybody sees and hears everybody else, and most pictures are whole. Not all: with many encoders on few cores the
/// system drops packets between them. Scenarios with one publisher ask for every picture.
async fn all_meet(callers: &[Caller]) -> TestResult {
    for one in callers {
        for other in callers {
            if one.identity() != other.identity() {
                let (seen, _) = tokio::try_join!(one.sees(other, "cam"), one.hears(other))?;
                let count = |what: &str| seen[what].as_u64().context("a count of pictures");
                assert!(
                    count("broken")? * 4 <= count("frames")?,
                    "{one} sees of {other}: {seen}"
                );
            }
        }
    }
    Ok(())
}

async fn talk_and_show(caller: &Caller) -> TestResult {
    caller.talk().await?;
    caller.show("cam", Picture::SMALL).await?;
    Ok(())
}

/// The first publishes before the second is there, the second after the first.
async fn two_meet(server: CallServer) -> TestResult {
    let mut callers = Vec::new();
    for number in 1..=2 {
        let caller = server.caller_with(ROOM, number, &TWO_CONNECTIONS).await?;
        talk_and_show(&caller).await?;
        callers.push(caller);
    }
    all_meet(&callers).await?;
    // A message names those whose speaking changed: who came later need not learn of who spoke before.
    let last = callers[1].identity();
    let named = |event: &Value| {
        let who = event["who"].as_array();
        who.is_some_and(|who| who.iter().any(|one| one == last))
    };
    for listener in &callers {
        listener.event("speakers", named).await?;
    }
    Ok(())
}

async fn three_meet_by_both_protocols(server: CallServer) -> TestResult {
    let callers = [
        server.caller_with(ROOM, 1, &TWO_CONNECTIONS).await?,
        server.caller(ROOM, 2).await?,
        server.caller_with(ROOM, 3, &TWO_CONNECTIONS).await?,
    ];
    for caller in &callers {
        talk_and_show(caller).await?;
    }
    all_meet(&callers).await
}

async fn five_meet(server: CallServer) -> TestResult {
    let mut callers = Vec::new();
    for number in 1..=5 {
        let caller = server.caller(ROOM, number).await?;
        talk_and_show(&caller).await?;
        callers.push(caller);
    }
    all_meet(&callers).await
}

/// By the participant itself, and by the administrator of the room.
async fn both_sides_mute(server: CallServer) -> TestResult {
    let (one, two) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    let microphone = one.talk().await?;
    two.hears(&one).await?;

    one.mute("mic", true).await?;
    let of_one = |event: &Value| event["who"] == one.identity() && event["track"] == "mic";
    two.event("muted", of_one).await?;
    two.hears_silence(&one).await?;
    one.mute("mic", false).await?;
    two.event("unmuted", of_one).await?;
    two.hears(&one).await?;

    server.rooms(ROOM).mute(one.identity(), &microphone).await?;
    one.event("muted", of_one).await?;
    two.track_until("the track to be muted", &one, "mic", |_, now| {
        now["muted"] == true
    })
    .await?;
    two.hears_silence(&one).await?;
    // Nobody but the participant can open its microphone again.
    one.mute("mic", false).await?;
    two.hears(&one).await?;
    Ok(())
}

async fn messages_arrive(server: CallServer) -> TestResult {
    const COUNT: usize = 50;
    let one = server.caller(ROOM, 1).await?;
    let two = server.caller_with(ROOM, 2, &TWO_CONNECTIONS).await?;
    let three = server.caller(ROOM, 3).await?;
    let texts = |caller: &Caller, reliable: bool| -> Vec<String> {
        let heard = caller.events("heard").into_iter();
        heard
            .filter(|event| event["reliable"] == reliable && event["topic"] == "chat")
            .map(|event| event["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    };

    for caller in [&two, &three] {
        // From now on it gets what is sent.
        one.event("ready", |event| event["who"] == caller.identity())
            .await?;
    }
    // Reliable: all of them, in order, to everybody else.
    let sent: Vec<String> = (0..COUNT)
        .map(|number| format!("message {number}"))
        .collect();
    for text in &sent {
        one.say(text, true, &[]).await?;
    }
    let last = |event: &Value| event["text"] == sent[COUNT - 1];
    for caller in [&two, &three] {
        let event = caller.event("heard", last).await?;
        assert_eq!(event["who"], one.identity());
        assert_eq!(texts(caller, true), sent);
    }

    // To one alone; the later message to all says that nothing more comes before it.
    two.say("for three alone", true, &[three.identity()])
        .await?;
    two.say("for everybody", true, &[]).await?;
    let for_all = |event: &Value| event["text"] == "for everybody";
    for caller in [&one, &three] {
        caller.event("heard", for_all).await?;
    }
    assert_eq!(texts(&one, true), ["for everybody"]);
    assert!(texts(&three, true).contains(&"for three alone".to_owned()));

    // Lossy ones come over loopback too; how many is nobody's promise.
    for number in 0..COUNT {
        three.say(&format!("cursor {number}"), false, &[]).await?;
    }
    // LiveKit's server does not say who sent them.
    let lossy = |event: &Value| event["reliable"] == false && event["topic"] == "chat";
    one.event("heard", lossy).await?;
    two.event("heard", lossy).await?;

    // From the administrator.
    server
        .rooms(ROOM)
        .send(&[two.identity()], "notice", "Grüße".as_bytes())
        .await?;
    let notice = two
        .event("heard", |event| event["topic"] == "notice")
        .await?;
    assert_eq!(
        (&notice["text"], &notice["who"]),
        (&json!("Grüße"), &Value::Null)
    );
    Ok(())
}

async fn whoever_leaves_is_gone(server: CallServer) -> TestResult {
    let (one, two) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    talk_and_show(&one).await?;
    two.sees(&one, "cam").await?;
    one.unpublish("cam").await?;
    two.event("unpublished", |event| event["track"] == "cam")
        .await?;
    assert_eq!(two.track(&one, "cam").await?, Value::Null);
    two.hears(&one).await?;

    one.leave().await?;
    two.event("went", |event| event["who"] == one.identity())
        .await?;
    assert_eq!(two.look().await?, json!({}));
    assert_eq!(server.rooms(ROOM).identities().await?, [two.identity()]);
    Ok(())
}

async fn whoever_is_turned_out_is_gone(server: CallServer) -> TestResult {
    let (one, two) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    let rooms = server.rooms(ROOM);
    assert_eq!(rooms.identities().await?, [one.identity(), two.identity()]);
    rooms.remove(one.identity()).await?;
    let out = one.event("out", |_| true).await?;
    assert_eq!(out["reason"], "PARTICIPANT_REMOVED");
    two.event("went", |event| event["who"] == one.identity())
        .await?;
    assert_eq!(rooms.identities().await?, [two.identity()]);
    Ok(())
}

async fn a_deleted_room_ends_for_everybody(server: CallServer) -> TestResult {
    let rooms = server.rooms(ROOM);
    let made = rooms.create("for one visit").await?;
    assert_eq!(made["metadata"], "for one visit");
    assert_eq!(rooms.names().await?, [ROOM]);
    let (one, two) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    rooms.delete().await?;
    for caller in [&one, &two] {
        let out = caller.event("out", |_| true).await?;
        assert_eq!(out["reason"], "ROOM_DELETED");
    }
    assert_eq!(rooms.names().await?, [""; 0]);
    Ok(())
}

async fn a_second_track_does_not_harm_simulcast(server: CallServer) -> TestResult {
    let (one, two) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    one.show("cam", Picture::LAYERED).await?;
    two.sees(&one, "cam").await?;
    let screen = Picture {
        size: (640, 360),
        ..Picture::SCREEN
    };
    one.show("screen", screen).await?;
    two.sees(&one, "screen").await?;
    one.talk().await?;
    two.hears(&one).await?;
    // Again and again: both go on.
    for _ in 0..2 {
        for name in ["cam", "screen"] {
            let seen = two.sees(&one, name).await?;
            assert_eq!(seen["broken"], 0, "{name}: {seen}");
        }
    }
    one.unpublish("screen").await?;
    two.event("unpublished", |event| event["track"] == "screen")
        .await?;
    two.sees(&one, "cam").await?;
    Ok(())
}

async fn quality_follows_the_request(server: CallServer) -> TestResult {
    let (one, two) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    let camera = Picture {
        size: (1280, 720),
        ..Picture::LAYERED
    };
    one.show("cam", camera).await?;
    two.sees(&one, "cam").await?;
    for (quality, width) in [("low", 320), ("high", 1280), ("medium", 640)] {
        two.want(&one, "cam", quality).await?;
        let what = format!("a picture {width} pixels wide");
        two.track_until(&what, &one, "cam", |_, now| now["width"] == width)
            .await?;
        let seen = two.sees(&one, "cam").await?;
        assert_eq!(seen["width"], width, "it stays so: {seen}");
        assert_eq!(seen["broken"], 0, "{seen}");
    }
    Ok(())
}

async fn each_codec_arrives(server: CallServer) -> TestResult {
    let (one, two) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    for (codec, mime) in [
        ("h264", "video/H264"),
        ("vp9", "video/VP9"),
        ("av1", "video/AV1"),
    ] {
        let picture = Picture {
            codec,
            ..Picture::SMALL
        };
        one.show(codec, picture).await?;
        let seen = two.sees(&one, codec).await?;
        assert_eq!(seen["broken"], 0, "{codec}: {seen}");
        let carried = two.carried(Some(&one), codec).await?;
        assert_eq!(carried["mimes"], json!([mime]), "{codec}: {carried}");
        one.unpublish(codec).await?;
    }
    Ok(())
}

async fn an_identity_is_there_once(server: CallServer) -> TestResult {
    let (old, other) = (server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?);
    let new = server.caller(ROOM, 1).await?;
    let out = old.event("out", |_| true).await?;
    assert_eq!(out["reason"], "DUPLICATE_IDENTITY");
    talk_and_show(&new).await?;
    other.sees(&new, "cam").await?;
    assert_eq!(
        server.rooms(ROOM).identities().await?,
        [new.identity(), other.identity()]
    );
    assert_eq!(new.events("out"), [Value::Null; 0]);
    Ok(())
}

async fn subscriptions_are_chosen(server: CallServer) -> TestResult {
    let one = server.caller(ROOM, 1).await?;
    talk_and_show(&one).await?;
    let nothing = Joining {
        subscribe: false,
        ..Joining::default()
    };
    let two = server.caller_with(ROOM, 2, &nothing).await?;
    two.track_until("the track to be announced", &one, "cam", |_, now| {
        now["subscribed"] == false
    })
    .await?;
    two.subscribe(&one, "cam", true).await?;
    two.sees(&one, "cam").await?;
    assert_eq!(two.track(&one, "mic").await?["subscribed"], false);

    two.subscribe(&one, "cam", false).await?;
    two.track_until("the track to be let go", &one, "cam", |_, now| {
        now["subscribed"] == false
    })
    .await?;
    two.subscribe(&one, "cam", true).await?;
    two.sees(&one, "cam").await?;
    Ok(())
}

async fn what_is_said_of_people_arrives(server: CallServer) -> TestResult {
    let one = server.caller(ROOM, 1).await?;
    one.describe("hand raised").await?;
    let two = server.caller(ROOM, 2).await?;
    let known = two.look().await?;
    assert_eq!(known["caller-1"]["name"], "name of caller-1");
    metadata(&two, &one, "hand raised").await?;
    server.rooms(ROOM).describe(one.identity(), "clerk").await?;
    metadata(&two, &one, "clerk").await
}

async fn metadata(caller: &Caller, of: &Caller, expected: &str) -> TestResult {
    let what = format!("metadata {expected:?}");
    blackbox::eventually(&what, async || {
        let known = caller.look().await?;
        Ok((known[of.identity()]["metadata"] == expected).then_some(()))
    })
    .await
}
