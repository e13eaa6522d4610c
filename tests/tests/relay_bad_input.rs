//! What comes to our relay from somebody who means no good, while others talk: it is refused and counted, and their
//! call goes on.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use blackbox::{Backend, CallServer, Caller, Picture, Reach, Signals, Weather, eventually};
use livekit_protocol::{
    AddTrackRequest, DisconnectReason, Ping, SessionDescription, SubscriptionPermission, SyncState,
    TrackPermission, TrackSource, TrackType, UpdateSubscription, UpdateTrackSettings, VideoLayer,
    request_response::Reason, signal_request::Message as Request,
    signal_response::Message as Response,
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpStream, UdpSocket},
};

type TestResult = anyhow::Result<()>;

const ROOM: &str = "consultation";

/// Two people who talk, and must not notice anything.
struct Bystanders([Caller; 2]);

impl Bystanders {
    async fn of(server: &CallServer) -> anyhow::Result<Self> {
        let callers = [server.caller(ROOM, 1).await?, server.caller(ROOM, 2).await?];
        for caller in &callers {
            caller.talk().await?;
            caller.show("cam", Picture::SMALL).await?;
        }
        let bystanders = Self(callers);
        bystanders.go_on().await?;
        Ok(bystanders)
    }

    /// From now on they see and hear each other, and nothing has happened to their connections.
    async fn go_on(&self) -> TestResult {
        let [one, other] = &self.0;
        tokio::try_join!(
            one.sees(other, "cam"),
            one.hears(other),
            other.sees(one, "cam"),
            other.hears(one),
        )?;
        for caller in &self.0 {
            for event in ["reconnecting", "out"] {
                ensure!(caller.events(event).is_empty(), "{caller}: {event}");
            }
        }
        Ok(())
    }
}

async fn server() -> anyhow::Result<CallServer> {
    let server = CallServer::start(Backend::Vorzimmer).await?;
    server.context("our own relay is always there")
}

async fn count_reaches(server: &CallServer, name: &str, least: f64) -> TestResult {
    let mut last = 0.0;
    let found = eventually(&format!("{name} at {least}"), async || {
        last = server.counted(name).await?;
        Ok((last >= least).then_some(()))
    })
    .await;
    found.with_context(|| format!("at last {last}"))
}

/// No room was given up to get rid of what came.
async fn nothing_crashed(server: &CallServer) -> TestResult {
    let crashed = server.counted("relay_rooms_crashed_total").await?;
    ensure!(crashed == 0.0, "{crashed} rooms crashed");
    Ok(())
}

/// The relay still listens to this client.
async fn is_answered(signals: &mut Signals, number: i64) -> TestResult {
    let ping = Ping {
        timestamp: number,
        rtt: 0,
    };
    signals.say(Request::PingReq(ping)).await?;
    signals
        .hears("a pong", |message| match message {
            Response::PongResp(pong) => (pong.last_ping_timestamp == number).then_some(()),
            _ => None,
        })
        .await
}

/// Why a request was refused.
fn refusal(response: Response) -> Option<Reason> {
    match response {
        Response::RequestResponse(refusal) => Some(refusal.reason()),
        _ => None,
    }
}

#[tokio::test]
async fn messages_that_cannot_be_read_are_passed_over_and_floods_end() -> TestResult {
    let server = server().await?;
    let bystanders = Bystanders::of(&server).await?;
    let mut signals = Signals::join(&server, ROOM, "stranger").await?;
    let unreadable: [&[u8]; 6] = [
        &[0xff; 40],
        &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x0a, 0x7f, 1, 2, 3],
        &[0x08],
        &[],
        &[0x1a, 0x03, 0x0a, 0x01, 0xff],
    ];
    for octets in unreadable {
        signals.send_octets(octets).await?;
    }
    is_answered(&mut signals, 1).await?;
    count_reaches(&server, "relay_signals_unreadable_total", 6.0).await?;
    bystanders.go_on().await?;

    for number in 0..2_000 {
        // The relay may have ended it by then.
        let ping = Request::Ping(number);
        if signals.say(ping).await.is_err() {
            break;
        }
    }
    let reason = signals.hears("the reason", refusal).await?;
    ensure!(reason == Reason::LimitExceeded, "{reason:?}");
    signals.ends().await?;
    count_reaches(&server, "relay_signal_floods_total", 1.0).await?;

    let mut signals = Signals::join(&server, ROOM, "shouter").await?;
    // Larger than any message may be.
    let _ = signals.send_octets(&vec![0x0a; 1024 * 1024]).await;
    let reason = signals.hears("the reason", refusal).await?;
    ensure!(reason == Reason::LimitExceeded, "{reason:?}");
    signals.ends().await?;
    count_reaches(&server, "relay_signals_too_long_total", 1.0).await?;

    let mut signals = Signals::join(&server, ROOM, "writer").await?;
    for text in ["", "{", "[]", "{\"offer\":7}", "\"ping\"", "nonsense"] {
        signals.send_text(text).await?;
    }
    count_reaches(&server, "relay_signals_unreadable_total", 12.0).await?;
    bystanders.go_on().await?;
    nothing_crashed(&server).await
}

fn offer(sdp: impl Into<String>) -> Request {
    Request::Offer(SessionDescription {
        r#type: "offer".to_owned(),
        sdp: sdp.into(),
        id: 1,
        ..SessionDescription::default()
    })
}

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n";
const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
    a=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=msid:s liar\r\n";

#[tokio::test]
async fn descriptions_that_are_none_are_refused() -> TestResult {
    let server = server().await?;
    let bystanders = Bystanders::of(&server).await?;
    let refused = [
        String::new(),
        "nonsense".to_owned(),
        "v=0\r\nm=video\r\n".to_owned(),
        HEAD.replace("v=0", "v=7"),
        format!("{HEAD}m=video x UDP/TLS/RTP/SAVPF 96\r\n"),
        // Without end: as many sections as fit.
        format!("{HEAD}{}", VIDEO.repeat(2_000)),
    ];
    let before = server.counted("relay_descriptions_refused_total").await?;
    for sdp in &refused {
        let mut signals = Signals::join(&server, ROOM, "stranger").await?;
        signals.say(offer(sdp.clone())).await?;
        let leave = signals
            .hears("why it was ended", |message| match message {
                Response::Leave(leave) => Some(leave),
                _ => None,
            })
            .await?;
        assert_eq!(leave.reason(), DisconnectReason::StateMismatch);
        signals.ends().await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let expected = before + refused.len() as f64;
    count_reaches(&server, "relay_descriptions_refused_total", expected).await?;
    bystanders.go_on().await?;
    nothing_crashed(&server).await
}

/// Whoever announces one thing and offers another gets an answer and nothing else from it.
#[tokio::test]
async fn whoever_lies_about_layers_harms_nobody() -> TestResult {
    let server = server().await?;
    let bystanders = Bystanders::of(&server).await?;
    let mut signals = Signals::join(&server, ROOM, "liar").await?;
    let layer = |quality, width, bitrate, rid: &str| VideoLayer {
        quality,
        width,
        height: width,
        bitrate,
        rid: rid.to_owned(),
        ..VideoLayer::default()
    };
    let lies = [
        vec![layer(2, u32::MAX, u32::MAX, "q"), layer(2, 0, 0, "q")],
        vec![
            layer(99, 1, 1, "x"),
            layer(-5, 1, 1, ""),
            layer(3, 1, 1, "f"),
        ],
        (0..1_000)
            .map(|quality| layer(quality, 1, 1, "h"))
            .collect(),
    ];
    for (number, layers) in lies.into_iter().enumerate() {
        let request = AddTrackRequest {
            cid: format!("liar-{number}"),
            r#type: TrackType::Video.into(),
            source: TrackSource::Camera.into(),
            width: u32::MAX,
            height: u32::MAX,
            layers,
            ..AddTrackRequest::default()
        };
        signals.say(Request::AddTrack(request)).await?;
    }
    let rids: Vec<String> = (0..100)
        .map(|rid| format!("a=rid:r{rid} send\r\n"))
        .collect();
    let rids = rids.concat();
    let simulcast = "a=simulcast:send r0;r1;r2;r3;r4;r5;r6;r7;r8;r9\r\n";
    signals
        .say(offer(format!("{HEAD}{VIDEO}{rids}{simulcast}")))
        .await?;
    is_answered(&mut signals, 1).await?;
    // So are those who name tracks and people that are not there.
    let nobody = || vec!["TR_nobody".to_owned(); 5_000];
    for request in [
        Request::Subscription(UpdateSubscription {
            track_sids: nobody(),
            subscribe: true,
            ..UpdateSubscription::default()
        }),
        Request::TrackSetting(UpdateTrackSettings {
            track_sids: nobody(),
            width: u32::MAX,
            fps: u32::MAX,
            ..UpdateTrackSettings::default()
        }),
        Request::SubscriptionPermission(SubscriptionPermission {
            all_participants: false,
            track_permissions: vec![TrackPermission::default(); 1_000],
        }),
        Request::SyncState(SyncState {
            track_sids_disabled: nobody(),
            ..SyncState::default()
        }),
    ] {
        signals.say(request).await?;
    }
    is_answered(&mut signals, 2).await?;
    bystanders.go_on().await?;
    nothing_crashed(&server).await
}

/// The longest lists that fit, in rooms on every core: the senders are told that it is too much, and nobody notices.
#[tokio::test]
async fn whoever_names_everybody_disturbs_no_other_room() -> TestResult {
    let server = server().await?;
    let bystanders = Bystanders::of(&server).await?;
    let mut strangers = Vec::new();
    for number in 0..4 {
        let room = format!("elsewhere-{number}");
        strangers.push(Signals::join(&server, &room, "stranger").await?);
    }
    let anybody = || (0..20_000).map(|number| format!("TR_{number}")).collect();
    let requests = [
        Request::Subscription(UpdateSubscription {
            track_sids: anybody(),
            subscribe: true,
            ..UpdateSubscription::default()
        }),
        Request::TrackSetting(UpdateTrackSettings {
            track_sids: anybody(),
            ..UpdateTrackSettings::default()
        }),
        Request::SubscriptionPermission(SubscriptionPermission {
            all_participants: false,
            track_permissions: vec![TrackPermission::default(); 100_000],
        }),
    ];
    for request in requests.iter().cycle().take(9) {
        for signals in &mut strangers {
            signals.say(request.clone()).await?;
        }
    }
    bystanders.go_on().await?;
    for signals in &mut strangers {
        let reason = signals.hears("the reason", refusal).await?;
        ensure!(reason == Reason::LimitExceeded, "{reason:?}");
        is_answered(signals, 1).await?;
    }
    bystanders.go_on().await?;
    nothing_crashed(&server).await
}

/// Whoever takes over an identity by a token of its own is who it says; the one before is told.
#[tokio::test]
async fn an_identity_is_one_persons_at_a_time() -> TestResult {
    let server = server().await?;
    let mut first = Signals::join(&server, ROOM, "somebody").await?;
    is_answered(&mut first, 1).await?;
    let mut second = Signals::join(&server, ROOM, "somebody").await?;
    is_answered(&mut second, 1).await?;
    let leave = first
        .hears("why it was ended", |message| match message {
            Response::Leave(leave) => Some(leave),
            _ => None,
        })
        .await?;
    assert_eq!(leave.reason(), DisconnectReason::DuplicateIdentity);
    first.ends().await?;
    assert_eq!(server.rooms(ROOM).identities().await?, ["somebody"]);
    Ok(())
}

fn check(user: &str) -> Vec<u8> {
    let mut check = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    check.extend([7; 12]);
    check.extend([0, 6, 0]);
    check.push(u8::try_from(user.len()).unwrap_or_default());
    check.extend(user.as_bytes());
    check.resize(check.len().next_multiple_of(4), 0);
    let length = u16::try_from(check.len() - 20).unwrap_or_default();
    check[2..4].copy_from_slice(&length.to_be_bytes());
    check
}

/// Datagrams of every kind that a media port knows, none of which is whole.
fn malformed() -> Vec<Vec<u8>> {
    let mut datagrams = vec![
        Vec::new(),
        vec![0],
        // RTP and RTCP, unsealed.
        vec![0x80; 12],
        vec![
            0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0xbe, 0xde, 0xff, 0xff,
        ],
        vec![0x81, 200, 0, 1],
        vec![0x8f, 206, 0xff, 0xff, 0, 0, 0, 1],
        // DTLS: an alert, a handshake that lies about its lengths, data, records of no kind.
        vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 9, 9],
        vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xff, 1, 0xff],
        vec![23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4],
        vec![25; 60],
        vec![63; 1_200],
        // STUN: unsigned, of nobody, without the end that it tells of.
        check("nobody:else"),
        check(""),
    ];
    let mut cut = check("nobody:else");
    cut[3] = 0xf0;
    datagrams.push(cut);
    for length in (0..40).step_by(3) {
        datagrams.push(check("nobody:else")[..length.min(32)].to_vec());
    }
    datagrams
}

#[tokio::test]
async fn a_flood_from_unknown_addresses_is_passed_over() -> TestResult {
    let server = server().await?;
    let bystanders = Bystanders::of(&server).await?;
    let flooding = async {
        let sockets = [
            UdpSocket::bind("127.0.0.1:0").await?,
            UdpSocket::bind("127.0.0.1:0").await?,
        ];
        let mut datagrams = malformed();
        datagrams.push(vec![0xa5; 1_000]);
        let mut sent = 0_u32;
        let mut due = tokio::time::interval(Duration::from_millis(2));
        loop {
            for socket in &sockets {
                for datagram in &datagrams {
                    // What does not fit the system's queue is lost.
                    sent += u32::from(socket.send_to(datagram, server.media()).await.is_ok());
                }
            }
            due.tick().await;
            if sent > 200_000 {
                break anyhow::Ok(sent);
            }
        }
    };
    let undisturbed = async {
        for _ in 0..3 {
            bystanders.go_on().await?;
        }
        anyhow::Ok(())
    };
    let (sent, ()) = tokio::try_join!(flooding, undisturbed)?;
    let name = "relay_datagrams_of_strangers_total";
    // Most arrived, and each was noticed as what it is.
    count_reaches(&server, name, f64::from(sent) / 2.0).await?;
    bystanders.go_on().await?;
    nothing_crashed(&server).await
}

#[tokio::test]
async fn what_is_forged_or_damaged_from_a_participants_own_address_is_passed_over() -> TestResult {
    let Some((server, network)) = CallServer::behind_network().await? else {
        return Ok(());
    };
    let bystanders = Bystanders::of(&server).await?;
    for _ in 0..20 {
        for datagram in malformed() {
            network.forge(&datagram);
        }
        tokio::task::yield_now().await;
    }
    bystanders.go_on().await?;
    let garbled = Weather {
        garbled: 500,
        ..Weather::default()
    };
    network.set(garbled, garbled);
    bystanders.go_on().await?;
    bystanders.go_on().await?;
    nothing_crashed(&server).await
}

/// A client that takes nothing more is let go, and what waits for it with it.
#[tokio::test]
async fn whoever_reads_no_more_is_let_go() -> TestResult {
    let server = server().await?;
    let bystanders = Bystanders::of(&server).await?;
    let mut sleeper = Signals::join(&server, ROOM, "sleeper").await?;
    is_answered(&mut sleeper, 1).await?;
    let mut awake = Signals::join(&server, ROOM, "awake").await?;
    is_answered(&mut awake, 1).await?;
    // More and more is said, until what the systems keep for a sleeper is full.
    let rooms = server.rooms(ROOM);
    let metadata = "x".repeat(60_000);
    let mut round = 0_u32;
    eventually("the sleeper to be let go", async || {
        round += 1;
        rooms
            .describe("awake", &format!("{round}{metadata}"))
            .await?;
        let untaken = server.counted("relay_signals_untaken_total").await?;
        Ok((untaken >= 1.0).then_some(()))
    })
    .await?;
    bystanders.go_on().await?;
    nothing_crashed(&server).await
}

/// Connections that say nothing, or name nobody, keep nobody else from coming by TCP.
#[tokio::test]
async fn connections_that_prove_nothing_make_room_for_others() -> TestResult {
    let server = CallServer::reached(Backend::Vorzimmer, Reach::Tcp).await?;
    let server = server.context("our own relay is always there")?;
    let bystanders = Bystanders::of(&server).await?;
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(TcpStream::connect(server.media_by_tcp()).await?);
    }
    // The first have had to go long ago.
    let mut nothing = [0; 1];
    let ended = tokio::time::timeout(Duration::from_secs(30), silent[0].read(&mut nothing));
    ensure!(matches!(ended.await?, Ok(0) | Err(_)), "it is still there");
    count_reaches(&server, "relay_streams_turned_away_total", 300.0).await?;
    let third = server.caller(ROOM, 3).await?;
    third.sees(&bystanders.0[0], "cam").await?;
    bystanders.go_on().await
}
