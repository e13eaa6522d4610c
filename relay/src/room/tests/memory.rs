//! Whatever a client says, it fills the memory of nobody.

use std::collections::HashMap;

use livekit_protocol as proto;
use proto::{
    request_response::Reason, signal_request::Message as Request, signal_response::Message,
};

use super::fake::House;

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
