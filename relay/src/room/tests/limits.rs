//! What is too much, and what is said of it.

use std::time::Duration;

use livekit_protocol as proto;
use prost::Message as _;
use proto::{signal_request::Message as Request, signal_response::Message};

use super::{
    super::Side, OFFER, anna_speaks_to_bert_in, fake::House, microphone, offer, packet, stream,
};
use crate::{Limits, stack::Event};

#[test]
fn one_participant_too_many_is_refused_with_a_reason() {
    let mut house = House::with_limits(Limits {
        participants: 2,
        ..Limits::default()
    });
    let (anna, _) = (house.join("anna"), house.join("bert"));
    let carl = house.enter("carl", |_| {});
    let leave = house.refusal(carl).expect("a refusal");
    assert_eq!(leave.reason(), proto::DisconnectReason::JoinFailure);
    assert_eq!(leave.action(), proto::leave_request::Action::Disconnect);
    house.says(anna, Request::Leave(proto::LeaveRequest::default()));
    let carl = house.enter("carl", |_| {});
    assert!(house.refusal(carl).is_none());
}

#[test]
fn one_subscription_too_many_is_refused_and_tried_again_when_there_is_room() {
    let (mut house, anna, bert) = anna_speaks_to_bert_in(House::with_limits(Limits {
        subscriptions: 1,
        ..Limits::default()
    }));
    let carl = house.join("carl");
    house.accepts(carl);
    house.says(carl, microphone());
    house.says(carl, offer(OFFER));
    house.happens(carl, Side::Publisher, stream(2));
    let refused = house
        .heard(bert)
        .into_iter()
        .find_map(|message| match message {
            Message::SubscriptionResponse(refused) => Some(refused.track_sid),
            _ => None,
        });
    let sid = refused.expect("a refusal");
    assert!(house.senders(bert).iter().all(|sent| sent.track_id != sid));

    house.says(anna, Request::Leave(proto::LeaveRequest::default()));
    house.accepts(bert);
    assert!(house.senders(bert).iter().any(|sent| sent.track_id == sid));
}

#[test]
fn whoever_sends_more_than_may_be_is_heard_in_part_and_the_rest_counted() {
    // The tests' voice has 40 bits.
    let (mut house, anna, bert) = anna_speaks_to_bert_in(House::with_limits(Limits {
        publish_bits_per_second: 400,
        ..Limits::default()
    }));
    for sequence in 0..100 {
        house.happens(anna, Side::Publisher, packet(1, sequence));
    }
    assert_eq!(house.sent(bert).len(), 20, "what two seconds allow");
    let traffic = house.room.traffic();
    assert_eq!((traffic.received, traffic.refused), (20, 80));
    house.stay(anna, Duration::from_secs(1));
    for sequence in 100..200 {
        house.happens(anna, Side::Publisher, packet(1, sequence));
    }
    assert_eq!(house.sent(bert).len(), 10);
}

#[test]
fn more_data_than_may_be_goes_to_nobody() {
    let mut house = House::with_limits(Limits {
        data_packets_per_second: 10,
        ..Limits::default()
    });
    let (anna, bert) = (house.join("anna"), house.join("bert"));
    let flood = |house: &mut House| {
        for _ in 0..100 {
            let event = Event::Data {
                label: "_lossy".to_owned(),
                bytes: proto::DataPacket::default()
                    .encode_to_vec()
                    .as_slice()
                    .into(),
            };
            house.happens(anna, Side::Publisher, event);
        }
        house.data(bert).len()
    };
    assert_eq!(flood(&mut house), 20);
    house.stay(anna, Duration::from_secs(1));
    assert_eq!(flood(&mut house), 10);
}

#[test]
fn who_opens_more_channels_than_anybody_needs_is_put_out() {
    let (mut house, anna, _) = anna_speaks_to_bert_in(House::new());
    house.happens(anna, Side::Publisher, Event::TooManyChannels);
    let heard = house.heard(anna);
    let Some(Message::Leave(leave)) = heard.last() else {
        panic!("{heard:?}");
    };
    let removed = proto::DisconnectReason::ParticipantRemoved;
    assert_eq!(leave.reason(), removed);
    assert_eq!(leave.action(), proto::leave_request::Action::Disconnect);
    assert_eq!(house.room.participants.len(), 1, "Bert stays");
}
