//! Dialogues: a client says, expect messages; time passes, expect messages.

pub(crate) mod fake;
mod lies;
mod limits;
mod memory;
mod quality;
mod resume;
mod screen;
mod temporal;
mod video;

use std::time::Duration;

use livekit_protocol as proto;
use proto::{signal_request::Message as Request, signal_response::Message};

use self::fake::House;
use super::{ApiCall, ApiError, Input, Side};
use crate::stack::{Codec, Event, Media};

const OFFER: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\na=msid:s mic\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

fn microphone() -> Request {
    Request::AddTrack(proto::AddTrackRequest {
        cid: "mic".to_owned(),
        name: "microphone".to_owned(),
        r#type: proto::TrackType::Audio.into(),
        source: proto::TrackSource::Microphone.into(),
        ..proto::AddTrackRequest::default()
    })
}

fn offer(sdp: &str) -> Request {
    Request::Offer(proto::SessionDescription {
        r#type: "offer".to_owned(),
        sdp: sdp.to_owned(),
        id: 7,
        ..proto::SessionDescription::default()
    })
}

fn stream(ssrc: u32) -> Event {
    Event::Stream {
        ssrc,
        mid: "0".to_owned(),
        rid: String::new(),
        codec: Codec::Opus,
    }
}

fn packet(ssrc: u32, sequence: u16) -> Event {
    Event::Media(Media {
        ssrc,
        sequence,
        timestamp: u32::from(sequence) * 960,
        marker: false,
        audio_level: Some(20),
        dependency: None,
        payload: bytes::Bytes::from_static(b"voice"),
    })
}

/// Anna publishes her microphone; the messages that both got on the way are read.
fn anna_speaks_to_bert() -> (House, u64, u64) {
    anna_speaks_to_bert_in(House::new())
}

fn anna_speaks_to_bert_in(mut house: House) -> (House, u64, u64) {
    let anna = house.join("anna");
    let bert = house.join("bert");
    house.says(anna, microphone());
    house.says(anna, offer(OFFER));
    house.happens(anna, Side::Publisher, stream(1));
    house.accepts(bert);
    house.heard(anna);
    house.heard(bert);
    (house, anna, bert)
}

#[test]
fn the_first_message_is_the_join_and_the_second_an_offer() {
    let mut house = House::new();
    let anna = house.join("anna");
    let heard = house.heard(anna);
    let [Message::Join(join), Message::Offer(offer)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert!(!join.server_info.as_ref().unwrap().version.is_empty());
    assert!(join.subscriber_primary && join.ping_interval > 0);
    assert!(join.other_participants.is_empty());
    assert_eq!(offer.r#type, "offer");

    let bert = house.join("bert");
    let Some(Message::Join(join)) = house.heard(bert).into_iter().next() else {
        panic!("no join");
    };
    assert_eq!(join.other_participants[0].identity, "anna");
    let heard = house.heard(anna);
    let [Message::Update(update)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(update.participants[0].identity, "bert");
}

#[test]
fn a_track_is_announced_offered_and_then_sent() {
    let mut house = House::new();
    let anna = house.join("anna");
    let bert = house.join("bert");
    house.accepts(bert);
    house.heard(anna);

    house.says(anna, microphone());
    let heard = house.heard(anna);
    let [Message::TrackPublished(published)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(published.cid, "mic");
    let sid = published.track.as_ref().unwrap().sid.clone();
    assert!(sid.starts_with("TR_"));

    house.says(anna, offer(OFFER));
    let heard = house.heard(anna);
    let [Message::Answer(answer)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(answer.id, 7, "the answer names the offer");
    assert!(
        house.heard(bert).is_empty(),
        "nothing is there to be heard yet"
    );

    house.happens(anna, Side::Publisher, stream(1));
    let heard = house.heard(bert);
    let [Message::Update(update), Message::Offer(second)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(update.participants[0].tracks[0].sid, sid);
    let sent = house.senders(bert);
    assert_eq!(sent[0].track_id, sid);
    assert!(sent[0].stream_id.starts_with("PA_") && sent[0].stream_id.ends_with(&sid));

    house.happens(anna, Side::Publisher, packet(1, 100));
    assert!(house.sent(bert).is_empty(), "not before the answer");
    house.answers(bert, second.id);
    house.happens(anna, Side::Publisher, packet(1, 101));
    house.happens(anna, Side::Publisher, packet(1, 102));
    let sent = house.sent(bert);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].sequence.wrapping_sub(sent[0].sequence), 1);
    assert_eq!(sent[1].timestamp.wrapping_sub(sent[0].timestamp), 960);
}

#[test]
fn whoever_describes_what_cannot_be_joins_anew() {
    let refused = |house: &mut House, who: u64| {
        let heard = house.heard(who);
        let Some(Message::Leave(leave)) = heard.last() else {
            panic!("{heard:?}");
        };
        assert_eq!(leave.reason(), proto::DisconnectReason::StateMismatch);
        assert_eq!(leave.action(), proto::leave_request::Action::Reconnect);
    };
    let (mut house, anna, bert) = anna_speaks_to_bert();
    house.says(anna, offer(""));
    refused(&mut house, anna);
    let heard = house.heard(bert);
    let gone = |message: &Message| matches!(message, Message::Update(update) if update.participants[0].identity == "anna");
    assert!(heard.iter().any(gone), "{heard:?}");

    let carl = house.join("carl");
    let id = house.offered(carl).unwrap();
    let answer = proto::SessionDescription {
        r#type: "answer".to_owned(),
        id,
        ..proto::SessionDescription::default()
    };
    house.says(carl, Request::Answer(answer));
    refused(&mut house, carl);
}

#[test]
fn a_voice_is_sent_as_its_client_announced_it() {
    let stereo = vec![proto::AudioTrackFeature::TfStereo.into()];
    let no_dtx = vec![proto::AudioTrackFeature::TfNoDtx.into()];
    for (features, answered, offered) in [
        (vec![], "minptime=10;usedtx=1", "minptime=10"),
        (no_dtx, "minptime=10", "minptime=10"),
        (
            stereo,
            "minptime=10;usedtx=1;stereo=1;maxaveragebitrate=510000",
            "minptime=10;sprop-stereo=1",
        ),
    ] {
        let mut house = House::new();
        let (anna, bert) = (house.join("anna"), house.join("bert"));
        house.accepts(bert);
        let Request::AddTrack(mut request) = microphone() else {
            unreachable!();
        };
        request.audio_features = features;
        house.says(anna, Request::AddTrack(request));
        house.heard(anna);
        house.says(anna, offer(OFFER));
        let said = |heard: &[Message]| {
            heard.iter().find_map(|message| match message {
                Message::Answer(answer) => Some(answer.sdp.clone()),
                Message::Offer(offer) => Some(offer.sdp.clone()),
                _ => None,
            })
        };
        let parameters = |sdp: String| {
            let line = sdp
                .lines()
                .find_map(|line| line.strip_prefix("a=fmtp:111 "));
            line.map(str::to_owned)
        };
        let answer = said(&house.heard(anna)).and_then(parameters);
        assert_eq!(answer.as_deref(), Some(answered));
        house.happens(anna, Side::Publisher, stream(1));
        let offer = said(&house.heard(bert)).and_then(parameters);
        assert_eq!(offer.as_deref(), Some(offered));
    }
}

#[test]
fn what_is_carried_is_counted_and_a_call_summed_up() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    for sequence in 0..3 {
        house.happens(anna, Side::Publisher, packet(1, sequence));
    }
    let ssrc = house.senders(bert)[0].ssrc;
    let lost = Event::Reception {
        ssrc,
        lost: 0.5,
        jitter: 0,
        round_trip: None,
    };
    house.happens(bert, Side::Subscriber, lost);
    house.stay(bert, Duration::from_secs(6));
    let traffic = house.room.traffic();
    assert_eq!((traffic.received, traffic.forwarded), (3, 3));
    assert_eq!(traffic.octets, 15, "of payload");
    assert_eq!(traffic.judged, [0, 1, 0, 1], "Bert, and Anna");
    assert_eq!(house.room.traffic().forwarded, 0, "told once");
    let summary = house.room.summary(house.now.instant);
    assert_eq!((summary.most, summary.poor()), (2, Some(0.5)));
    assert!(summary.lasted >= Duration::from_secs(6));
}

#[test]
fn an_answer_to_an_older_offer_settles_nothing() {
    let mut house = House::new();
    let anna = house.join("anna");
    let number = house.offered(anna).unwrap();
    house.answers(anna, number + 1);
    assert_eq!(house.accepted_answers(anna), 0);
    house.answers(anna, number);
    house.answers(anna, number);
    assert_eq!(house.accepted_answers(anna), 1);
}

#[test]
fn muting_is_told_and_the_end_of_a_track_as_well() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let sid = house.senders(bert)[0].track_id.clone();
    house.says(
        anna,
        Request::Mute(proto::MuteTrackRequest {
            sid: sid.clone(),
            muted: true,
        }),
    );
    let heard = house.heard(bert);
    let [Message::Update(update)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert!(update.participants[0].tracks[0].muted);

    // Bert cannot mute for Anna by signalling.
    house.says(
        bert,
        Request::Mute(proto::MuteTrackRequest { sid, muted: false }),
    );
    assert!(
        house
            .heard(anna)
            .iter()
            .all(|m| matches!(m, Message::Update(_)))
    );

    house.says(anna, offer(&OFFER.replace("sendonly", "inactive")));
    let heard = house.heard(anna);
    assert!(
        heard
            .iter()
            .any(|message| matches!(message, Message::TrackUnpublished(_)))
    );
    assert!(house.senders(bert).is_empty());
}

#[test]
fn the_same_identity_again_replaces_the_first() {
    let mut house = House::new();
    let first = house.join("anna");
    house.heard(first);
    let second = house.join("anna");
    let heard = house.heard(first);
    let [Message::Leave(leave)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(leave.reason(), proto::DisconnectReason::DuplicateIdentity);
    assert!(house.hung_up(first) && !house.hung_up(second));
    assert_eq!(house.room.size().0, 1);
}

#[test]
fn a_relay_that_stops_asks_its_clients_back_and_takes_nothing_from_them() {
    let (mut house, anna, _) = anna_speaks_to_bert();
    house.heard(anna);
    house.input(Input::Close(proto::DisconnectReason::ServerShutdown));
    let heard = house.heard(anna);
    // Told that its microphone is not published any more, a client would not publish it again.
    let [Message::Leave(leave)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(leave.action(), proto::leave_request::Action::Reconnect);
    assert!(leave.can_reconnect);
    assert!(house.hung_up(anna));
}

#[test]
fn who_lost_the_signalling_comes_back_to_its_place() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let sid = house.sid("anna");
    house.loses(anna);
    house.wait(Duration::from_secs(10));
    assert!(
        house.heard(bert).is_empty(),
        "nobody is told of a short break"
    );
    let again = house.resume("anna", &sid);
    let heard = house.heard(again);
    let [
        Message::Reconnect(_),
        Message::Update(_),
        Message::RoomUpdate(_),
        Message::Offer(_),
    ] = heard.as_slice()
    else {
        panic!("{heard:?}");
    };
    assert_eq!(house.sid("anna"), sid);
    // What the broken connection still brings counts no more.
    house.loses(anna);
    house.wait(Duration::from_secs(15));
    assert_eq!(house.room.size().0, 2);
}

#[test]
fn who_stays_away_is_gone_and_told_to_begin_anew() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let sid = house.sid("anna");
    house.loses(anna);
    house.stay(bert, Duration::from_secs(25));
    let heard = house.heard(bert);
    assert!(heard.iter().any(|message| matches!(
        message,
        Message::Update(update)
            if update.participants[0].state() == proto::participant_info::State::Disconnected
    )));
    let again = house.resume("anna", &sid);
    let leave = house.refusal(again).expect("a refusal");
    assert_eq!(leave.action(), proto::leave_request::Action::Reconnect);
    assert_eq!(leave.reason(), proto::DisconnectReason::StateMismatch);
}

#[test]
fn who_may_not_publish_is_told_so() {
    let mut house = House::new();
    let guest = house.join_with("guest", |join| join.grants.permission.can_publish = false);
    house.heard(guest);
    house.says(guest, microphone());
    let heard = house.heard(guest);
    let [Message::RequestResponse(response)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(
        response.reason(),
        proto::request_response::Reason::NotAllowed
    );
}

#[test]
fn too_many_tracks_are_refused_with_a_reason() {
    let mut house = House::new();
    let anna = house.join("anna");
    house.heard(anna);
    for number in 0..=crate::Limits::default().tracks {
        let Request::AddTrack(mut request) = microphone() else {
            unreachable!();
        };
        request.cid = format!("mic{number}");
        house.says(anna, Request::AddTrack(request));
    }
    let heard = house.heard(anna);
    let Some(Message::RequestResponse(response)) = heard.last() else {
        panic!("{heard:?}");
    };
    assert_eq!(
        response.reason(),
        proto::request_response::Reason::LimitExceeded
    );
}

#[test]
fn data_bears_its_sender_whatever_it_claims() {
    use prost::Message as _;
    let mut house = House::new();
    let (anna, bert, carl) = (house.join("anna"), house.join("bert"), house.join("carl"));
    let packet = proto::DataPacket {
        participant_identity: "carl".to_owned(),
        destination_identities: vec!["bert".to_owned()],
        ..proto::DataPacket::default()
    };
    let event = Event::Data {
        label: "_reliable".to_owned(),
        bytes: packet.encode_to_vec().as_slice().into(),
    };
    house.happens(anna, Side::Publisher, event);
    let got = house.data(bert);
    let packet = proto::DataPacket::decode(got[0].1.as_slice()).unwrap();
    assert_eq!(packet.participant_identity, "anna");
    assert_eq!(got[0].0, "_reliable");
    assert!(house.data(carl).is_empty() && house.data(anna).is_empty());
}

#[test]
fn somebody_is_called_active_once_messages_reach_it() {
    let mut house = House::new();
    let anna = house.join("anna");
    let bert = house.enter("bert", |_| {});
    house.heard(anna);
    house.happens(bert, Side::Publisher, Event::Connected);
    house.happens(bert, Side::Subscriber, Event::Connected);
    assert!(house.heard(anna).is_empty(), "its channel is not open");
    let label = "_reliable".to_owned();
    house.happens(bert, Side::Subscriber, Event::ChannelOpen { label });
    let heard = house.heard(anna);
    let [Message::Update(update)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(
        update.participants[0].state(),
        proto::participant_info::State::Active
    );

    // Who has no channel is there all the same.
    let carl = house.enter("carl", |_| {});
    house.happens(carl, Side::Subscriber, Event::Connected);
    house.heard(anna);
    house.wait(Duration::from_secs(6));
    assert_eq!(house.heard(anna).len(), 1);
}

#[test]
fn nonsense_over_the_data_channel_goes_to_nobody() {
    let mut house = House::new();
    let (anna, bert) = (house.join("anna"), house.join("bert"));
    for (label, length) in [("_reliable", 70_000), ("_lossy", 3), ("other", 0)] {
        let event = Event::Data {
            label: label.to_owned(),
            bytes: vec![0xff; length].as_slice().into(),
        };
        house.happens(anna, Side::Publisher, event);
    }
    assert!(house.data(bert).is_empty());
}

#[test]
fn over_a_single_connection_the_client_is_asked_for_sections() {
    let mut house = House::new();
    let anna = house.join("anna");
    let bert = house.join_with("bert", |join| join.single_connection = true);
    let heard = house.heard(bert);
    let [Message::Join(join)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert!(!join.subscriber_primary);
    house.says(anna, microphone());
    house.says(anna, offer(OFFER));
    house.happens(anna, Side::Publisher, stream(1));
    let heard = house.heard(bert);
    let [
        Message::Update(_),
        Message::MediaSectionsRequirement(sections),
    ] = heard.as_slice()
    else {
        panic!("{heard:?}");
    };
    assert_eq!((sections.num_audios, sections.num_videos), (1, 0));
    house.says(
        bert,
        offer("v=0\r\nm=audio 9 X 111\r\na=mid:4\r\na=recvonly\r\n"),
    );
    let heard = house.heard(bert);
    let [Message::Answer(answer)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(answer.mid_to_track_id.len(), 1);
    house.happens(anna, Side::Publisher, packet(1, 1));
    assert_eq!(house.sent(bert).len(), 1);
}

#[test]
fn over_a_single_connection_a_track_chosen_later_is_sent() {
    let mut house = House::new();
    let anna = house.join("anna");
    let bert = house.join_with("bert", |join| {
        join.single_connection = true;
        join.auto_subscribe = false;
    });
    house.says(anna, microphone());
    house.says(anna, offer(OFFER));
    house.happens(anna, Side::Publisher, stream(1));
    let heard = house.heard(bert);
    let [Message::Join(_), Message::Update(update)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    let sid = update.participants[0].tracks[0].sid.clone();
    let choose = |subscribe| {
        Request::Subscription(proto::UpdateSubscription {
            track_sids: vec![sid.clone()],
            subscribe,
            ..proto::UpdateSubscription::default()
        })
    };
    for round in 1..3 {
        house.says(bert, choose(true));
        let heard = house.heard(bert);
        let [Message::MediaSectionsRequirement(_)] = heard.as_slice() else {
            panic!("{heard:?}");
        };
        house.says(
            bert,
            offer("v=0\r\nm=audio 9 X 111\r\na=mid:4\r\na=recvonly\r\n"),
        );
        house.happens(anna, Side::Publisher, packet(1, round));
        assert_eq!(house.sent(bert).len(), 1);
        house.says(bert, choose(false));
        house.says(
            bert,
            offer("v=0\r\nm=audio 9 X 111\r\na=mid:4\r\na=inactive\r\n"),
        );
        house.heard(bert);
        house.happens(anna, Side::Publisher, packet(1, 100 + round));
        assert!(house.sent(bert).is_empty());
    }
}

fn choose(sid: &str, subscribe: bool) -> Request {
    Request::Subscription(proto::UpdateSubscription {
        track_sids: vec![sid.to_owned()],
        subscribe,
        ..proto::UpdateSubscription::default()
    })
}

/// In a description that still carried a track where the next one begins, the client would find no news.
#[test]
fn a_track_chosen_again_at_once_comes_after_a_description_without_it() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let sid = house.senders(bert)[0].track_id.clone();
    house.says(bert, choose(&sid, false));
    house.says(bert, choose(&sid, true));
    assert!(house.senders(bert).is_empty());
    house.accepts(bert);
    assert_eq!(house.senders(bert).len(), 1);
    house.sent(bert);
    house.happens(anna, Side::Publisher, packet(1, 1));
    assert_eq!(house.sent(bert).len(), 1);
}

/// The offer on its way still carries the track: its answer ends nothing.
#[test]
fn a_track_given_up_while_an_offer_is_on_its_way_ends_with_the_next() {
    let mut house = House::new();
    let anna = house.join("anna");
    let bert = house.join("bert");
    house.accepts(bert);
    house.says(anna, microphone());
    house.says(anna, offer(OFFER));
    house.happens(anna, Side::Publisher, stream(1));
    let with_track = house.offered(bert).unwrap();
    let sid = house.senders(bert)[0].track_id.clone();
    house.says(bert, choose(&sid, false));
    house.says(bert, choose(&sid, true));
    house.says(
        bert,
        Request::Answer(proto::SessionDescription {
            sdp: "answer".to_owned(),
            id: with_track,
            ..proto::SessionDescription::default()
        }),
    );
    assert!(house.senders(bert).is_empty());
    let without = house.offered(bert).expect("an offer without the track");
    house.answers(bert, without);
    assert_eq!(house.senders(bert).len(), 1);
}

#[test]
fn over_a_single_connection_a_track_chosen_again_at_once_waits_for_an_answer_without_it() {
    let mut house = House::new();
    let anna = house.join("anna");
    let bert = house.join_with("bert", |join| join.single_connection = true);
    house.says(anna, microphone());
    house.says(anna, offer(OFFER));
    house.happens(anna, Side::Publisher, stream(1));
    let section = || offer("v=0\r\nm=audio 9 X 111\r\na=mid:4\r\na=recvonly\r\n");
    house.says(bert, section());
    let sid = house.senders(bert)[0].track_id.clone();
    house.heard(bert);
    house.says(bert, choose(&sid, false));
    house.says(bert, choose(&sid, true));
    house.heard(bert);
    for tracks in 0..=1 {
        house.says(bert, section());
        let heard = house.heard(bert);
        let Some(Message::Answer(answer)) = heard.first() else {
            panic!("{heard:?}");
        };
        assert_eq!(answer.mid_to_track_id.len(), tracks);
        let asks = matches!(heard.get(1), Some(Message::MediaSectionsRequirement(_)));
        assert_eq!(asks, tracks == 0, "{heard:?}");
    }
}

#[test]
fn a_city_removes_and_mutes_but_does_not_unmute() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let sid = house.senders(bert)[0].track_id.clone();
    let mute = |muted| {
        ApiCall::Mute(proto::MuteRoomTrackRequest {
            room: "r".to_owned(),
            identity: "anna".to_owned(),
            track_sid: sid.clone(),
            muted,
        })
    };
    house.call(mute(true)).unwrap();
    assert!(
        house
            .heard(anna)
            .iter()
            .any(|m| matches!(m, Message::Mute(_)))
    );
    assert_eq!(house.call(mute(false)).unwrap_err(), ApiError::NoUnmute);
    let remove = || ApiCall::RemoveParticipant {
        identity: "anna".to_owned(),
        from_s: 0,
    };
    house.call(remove()).unwrap();
    assert!(house.hung_up(anna));
    assert_eq!(house.call(remove()).unwrap_err(), ApiError::NoParticipant);
}

#[test]
fn what_begins_and_ends_is_an_event() {
    let (mut house, anna, _) = anna_speaks_to_bert();
    house.says(anna, Request::Leave(proto::LeaveRequest::default()));
    assert_eq!(
        house.events(),
        [
            "room_started",
            "participant_joined",
            "participant_joined",
            "track_published",
            "track_unpublished",
            "participant_left",
        ]
    );
}

#[test]
fn an_empty_room_stays_for_as_long_as_it_was_made_for_and_once_more_when_asked_for_anew() {
    const LASTS: Duration = Duration::from_hours(1);
    const NEARLY: Duration = Duration::from_secs(3_599);
    let create = || {
        ApiCall::Configure(Box::new(proto::CreateRoomRequest {
            empty_timeout: 3_600,
            ..proto::CreateRoomRequest::default()
        }))
    };
    let over = |house: &House| house.room.is_over(house.now.instant);
    let mut house = House::new();
    house.call(create()).unwrap();
    house.wait(NEARLY);
    let anna = house.join("anna");
    house.says(anna, Request::Leave(proto::LeaveRequest::default()));
    house.wait(NEARLY);
    assert!(!over(&house), "counted from when the last one left");
    house.call(create()).unwrap();
    house.wait(NEARLY);
    assert!(!over(&house));
    let anna = house.join("anna");
    assert!(house.refusal(anna).is_none());
    house.says(anna, Request::Leave(proto::LeaveRequest::default()));
    house.wait(LASTS);
    assert!(over(&house));
}
