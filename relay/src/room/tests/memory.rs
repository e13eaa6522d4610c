//! Whatever a client says, it fills the memory of nobody.

use std::collections::HashMap;

use livekit_protocol as proto;
use proto::{
    request_response::Reason, signal_request::Message as Request, signal_response::Message,
};

use super::{anna_speaks_to_bert, fake::House};

/// Why the last request was refused, if it was.
fn reason(house: &mut House, session: u64) -> Option<Reason> {
    let heard = house.heard(session).into_iter();
    heard
        .filter_map(|message| match message {
            Message::RequestResponse(response) => Some(response.reason()),
            _ => None,
        })
        .next_back()
}

#[test]
fn names_of_tracks_that_are_not_there_are_few_and_short() {
    let mut house = House::new();
    let one = house.join("one");
    for subscribe in [true, false] {
        for round in 0..3 {
            let long = |number: u32| format!("TR_{round}{number}{}", "x".repeat(500));
            let short = |number: u32| format!("TR_{subscribe}{round}{number}");
            let track_sids = (0..3_000).flat_map(|number| [long(number), short(number)]);
            let update = proto::UpdateSubscription {
                track_sids: track_sids.collect(),
                subscribe,
                ..proto::UpdateSubscription::default()
            };
            house.says(one, Request::Subscription(update));
        }
    }
    for participant in house.room.participants.values() {
        let kept = participant.wanted.iter().chain(&participant.declined);
        let octets: usize = kept.map(String::len).sum();
        assert!(octets < 300_000, "{octets} octets of names");
    }
}

#[test]
fn a_track_whose_description_is_a_book_is_not_taken() {
    let mut house = House::new();
    let one = house.join("one");
    let request = proto::AddTrackRequest {
        cid: "camera".to_owned(),
        name: "x".repeat(200_000),
        r#type: proto::TrackType::Video.into(),
        ..proto::AddTrackRequest::default()
    };
    house.says(one, Request::AddTrack(request));
    assert_eq!(reason(&mut house, one), Some(Reason::LimitExceeded));
    assert!(house.room.tracks.is_empty());
}

#[test]
fn descriptions_of_tracks_are_short_together() {
    let mut house = House::new();
    let one = house.join("one");
    let mut announce = |cid: &str, length: usize| {
        let request = proto::AddTrackRequest {
            cid: cid.to_owned(),
            name: "x".repeat(length),
            r#type: proto::TrackType::Video.into(),
            ..proto::AddTrackRequest::default()
        };
        house.says(one, Request::AddTrack(request));
        reason(&mut house, one)
    };
    assert_eq!(announce("camera", 40_000), None);
    assert_eq!(announce("screen", 40_000), Some(Reason::LimitExceeded));
    assert_eq!(announce("screen", 400), None);
}

#[test]
fn what_is_said_of_a_voice_is_short_however_often_it_is_said() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let sid = house.room.tracks.values().next().unwrap().info.sid.clone();
    let features = [0, 1, 5, 77, -3].repeat(100_000);
    let update = proto::UpdateLocalAudioTrack {
        track_sid: sid,
        features,
    };
    house.says(anna, Request::UpdateAudioTrack(update));
    let heard = house.heard(bert);
    let [Message::Update(update)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(update.participants[0].tracks[0].audio_features, [0, 1, 5]);
}

#[test]
fn whoever_is_named_after_too_many_others_may_not_hear() {
    let (mut house, anna, bert) = anna_speaks_to_bert();
    let named = |identity: &str| proto::TrackPermission {
        participant_identity: identity.to_owned(),
        all_tracks: true,
        ..proto::TrackPermission::default()
    };
    let nobody = vec![proto::TrackPermission::default(); 200_000];
    let hears = |house: &mut House, track_permissions| {
        let permission = proto::SubscriptionPermission {
            all_participants: false,
            track_permissions,
        };
        house.says(anna, Request::SubscriptionPermission(permission));
        let told = house
            .heard(bert)
            .into_iter()
            .find_map(|message| match message {
                Message::SubscriptionPermissionUpdate(update) => Some(update.allowed),
                _ => None,
            });
        (told, reason(house, anna))
    };
    let late = [nobody, vec![named("bert")]].concat();
    let refused = (Some(false), Some(Reason::LimitExceeded));
    assert_eq!(hears(&mut house, late), refused);
    assert_eq!(hears(&mut house, vec![named("bert")]), (Some(true), None));
    assert_eq!(hears(&mut house, vec![named("bert")]), (None, None));
}

#[test]
fn one_track_named_often_is_named_once() {
    let (mut house, _, bert) = anna_speaks_to_bert();
    let sid = house.room.tracks.values().next().unwrap().info.sid.clone();
    let all = |subscribe| {
        Request::Subscription(proto::UpdateSubscription {
            track_sids: vec![sid.clone(); 30_000],
            subscribe,
            ..proto::UpdateSubscription::default()
        })
    };
    house.says(bert, all(false));
    house.accepts(bert);
    assert!(house.senders(bert).is_empty());
    house.says(bert, all(true));
    assert_eq!(house.senders(bert).len(), 1);
    assert_eq!(reason(&mut house, bert), None);
}

#[test]
fn attributes_do_not_pile_up() {
    let mut house = House::new();
    let one = house.join_with("one", |join| {
        join.grants.permission.can_update_metadata = true;
    });
    let write = |house: &mut House, key: &str, length: usize| {
        let attribute = (key.to_owned(), "x".repeat(length));
        let update = proto::UpdateParticipantMetadata {
            attributes: HashMap::from([attribute]),
            ..proto::UpdateParticipantMetadata::default()
        };
        house.says(one, Request::UpdateMetadata(update));
        reason(house, one)
    };
    assert_eq!(write(&mut house, "a", 40_000), Some(Reason::Ok));
    let more = write(&mut house, "b", 40_000);
    assert_eq!(more, Some(Reason::LimitExceeded));
    // One that goes makes room for another.
    assert_eq!(write(&mut house, "a", 0), Some(Reason::Ok));
    assert_eq!(write(&mut house, "b", 40_000), Some(Reason::Ok));
}
