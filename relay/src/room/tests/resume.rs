//! What somebody is told who comes back after the signalling broke.

use std::time::Duration;

use livekit_protocol as proto;
use proto::{VideoQuality, signal_request::Message as Request, signal_response::Message};

use super::{
    super::{ApiCall, Side},
    anna_speaks_to_bert, packet,
    video::{A_SECOND, Call},
};
use crate::stack::Event;

#[test]
fn a_publisher_learns_what_was_wanted_meanwhile() {
    let mut call = Call::new();
    call.wants(VideoQuality::Low);
    call.show(A_SECOND * 6);
    assert_eq!(call.told_high(), Some(false));
    let sid = call.house.sid("anna");
    call.house.loses(call.anna);
    call.wants(VideoQuality::High);
    call.anna = call.house.resume("anna", &sid);
    assert_eq!(call.told_high(), Some(true));
}

#[test]
fn a_subscriber_learns_which_pictures_are_paused() {
    let mut call = Call::new();
    call.show(A_SECOND);
    let sid = call.house.sid("bert");
    call.house.loses(call.bert);
    call.path_carries(10_000);
    call.house.wait(Duration::from_millis(200));
    call.house.heard(call.bert);
    call.bert = call.house.resume("bert", &sid);
    let paused = call.house.heard(call.bert).into_iter().any(|message| {
        matches!(message, Message::StreamStateUpdate(update)
            if update.stream_states[0].state() == proto::StreamState::Paused)
    });
    assert!(paused);
}

#[test]
fn whoever_came_and_went_meanwhile_is_told() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let (sid, of_bert) = (house.sid("anna"), house.sid("bert"));
    house.loses(anna);
    house.says(bert, Request::Leave(proto::LeaveRequest::default()));
    house.join("carl");
    let dora = house.join("dora");
    house.says(dora, Request::Leave(proto::LeaveRequest::default()));
    house.join("dora");
    let anna = house.resume("anna", &sid);
    let heard = house.heard(anna);
    let Some(Message::Update(update)) = heard.get(1) else {
        panic!("{heard:?}");
    };
    let gone = proto::participant_info::State::Disconnected;
    let mut told: Vec<_> = update
        .participants
        .iter()
        .map(|one| (one.identity.as_str(), one.state() == gone))
        .collect();
    told.sort_unstable();
    let expected = [
        ("anna", false),
        ("bert", true),
        ("carl", false),
        ("dora", false),
    ];
    assert_eq!(told, expected, "who is back has not left");
    assert!(update.participants.iter().any(|one| one.sid == of_bert));
}

#[test]
fn who_speaks_who_may_be_heard_and_how_well_is_told_again() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let sid = house.sid("bert");
    let of_anna = house.sid("anna");
    house.loses(bert);
    for sequence in 0..50 {
        house.happens(anna, Side::Publisher, packet(1, sequence));
        house.wait(Duration::from_millis(20));
    }
    let reception = Event::Reception {
        ssrc: house.senders(bert)[0].ssrc,
        lost: 0.5,
        jitter: 0,
        round_trip: None,
    };
    house.happens(bert, Side::Subscriber, reception);
    house.stay(anna, Duration::from_secs(5));
    for sequence in 50..100 {
        house.happens(anna, Side::Publisher, packet(1, sequence));
        house.wait(Duration::from_millis(20));
    }
    house.says(
        anna,
        Request::SubscriptionPermission(proto::SubscriptionPermission::default()),
    );
    house.heard(bert);
    let bert = house.resume("bert", &sid);
    let heard = house.heard(bert);
    let speaks = heard.iter().any(|message| {
        matches!(message, Message::SpeakersChanged(changed)
            if changed.speakers[0].sid == of_anna && changed.speakers[0].active)
    });
    let denied = heard.iter().any(|message| {
        matches!(message, Message::SubscriptionPermissionUpdate(update)
            if update.participant_sid == of_anna && !update.allowed)
    });
    let poor = heard.iter().any(|message| {
        matches!(message, Message::ConnectionQuality(update)
            if update.updates.iter().any(|one| one.participant_sid == sid
                && one.quality() == proto::ConnectionQuality::Poor))
    });
    assert!(speaks && denied && poor, "{heard:?}");
}

#[test]
fn over_a_single_connection_sections_are_asked_for_again() {
    let mut house = super::House::new();
    let anna = house.join("anna");
    let bert = house.join_with("bert", |join| join.single_connection = true);
    house.says(anna, super::microphone());
    house.says(anna, super::offer(super::OFFER));
    house.happens(anna, Side::Publisher, super::stream(1));
    let sid = house.sid("bert");
    house.loses(bert);
    let bert = house.join_with("bert", |join| {
        join.single_connection = true;
        join.resume = Some(sid);
    });
    let heard = house.heard(bert);
    let Some(Message::MediaSectionsRequirement(sections)) = heard.last() else {
        panic!("{heard:?}");
    };
    assert_eq!(sections.num_audios, 1);
}

#[test]
fn what_was_changed_since_the_token_was_made_stays_changed() {
    let (mut house, anna, _) = anna_speaks_to_bert();
    let permission = proto::ParticipantPermission {
        can_subscribe: true,
        ..proto::ParticipantPermission::default()
    };
    let update = proto::UpdateParticipantRequest {
        identity: "anna".to_owned(),
        permission: Some(permission.clone()),
        name: "Anna".to_owned(),
        ..proto::UpdateParticipantRequest::default()
    };
    house
        .call(ApiCall::UpdateParticipant(Box::new(update)))
        .unwrap();
    let fresh = house.grants(anna).expect("a fresh token");
    assert_eq!(fresh.permission, permission);
    assert_eq!((fresh.name.as_str(), fresh.room.as_str()), ("Anna", "r"));
    let sid = house.sid("anna");
    house.loses(anna);
    // With the token of the beginning.
    let anna = house.resume("anna", &sid);
    assert_eq!(house.grants(anna).unwrap().permission, permission);
    house.heard(anna);
    house.says(anna, super::microphone());
    let heard = house.heard(anna);
    let [Message::RequestResponse(response)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    let reason = proto::request_response::Reason::NotAllowed;
    assert_eq!(response.reason(), reason);
}

#[test]
fn a_track_that_the_city_muted_is_not_forwarded_until_its_user_unmutes_it() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    house.happens(anna, Side::Publisher, packet(1, 1));
    let before = house.sent(bert)[0].sequence;
    let track_sid = house.senders(bert)[0].track_id.clone();
    let mute = proto::MuteRoomTrackRequest {
        room: "r".to_owned(),
        identity: "anna".to_owned(),
        track_sid: track_sid.clone(),
        muted: true,
    };
    house.call(ApiCall::Mute(mute)).unwrap();
    house.happens(anna, Side::Publisher, packet(1, 2));
    assert!(house.sent(bert).is_empty());

    let sid = house.sid("anna");
    house.loses(anna);
    let again = house.resume("anna", &sid);
    let told = house.heard(again).into_iter().any(
        |message| matches!(message, Message::Mute(mute) if mute.muted && mute.sid == track_sid),
    );
    assert!(told, "it may have missed that");
    house.happens(anna, Side::Publisher, packet(1, 3));
    assert!(house.sent(bert).is_empty());

    let unmute = proto::MuteTrackRequest {
        sid: track_sid,
        muted: false,
    };
    house.says(again, Request::Mute(unmute));
    house.happens(anna, Side::Publisher, packet(1, 4));
    let sent = house.sent(bert);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].sequence, before.wrapping_add(1), "nothing to miss");
}

#[test]
fn what_may_no_longer_be_published_ends() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let mut update = proto::UpdateParticipantRequest {
        identity: "anna".to_owned(),
        permission: Some(proto::ParticipantPermission {
            can_publish: true,
            can_publish_sources: vec![proto::TrackSource::Microphone.into()],
            ..proto::ParticipantPermission::default()
        }),
        ..proto::UpdateParticipantRequest::default()
    };
    let call = |update: &_| ApiCall::UpdateParticipant(Box::new(Clone::clone(update)));
    house.call(call(&update)).unwrap();
    assert_eq!(house.senders(bert).len(), 1);
    let camera = proto::TrackSource::Camera.into();
    update.permission.as_mut().unwrap().can_publish_sources = vec![camera];
    house.call(call(&update)).unwrap();
    assert!(house.senders(bert).is_empty());
    assert!(
        house
            .heard(anna)
            .iter()
            .any(|m| matches!(m, Message::TrackUnpublished(_)))
    );
}
