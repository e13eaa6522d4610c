use super::*;
use crate::forward::{
    payload::{PictureId, Small, Temporal, Up},
    testing::at,
};

/// A VP8 packet; one picture a packet unless told otherwise.
fn vp8(
    layer: u8,
    sequence: u16,
    timestamp: u32,
    picture: u16,
    temporal: u8,
    keyframe: bool,
) -> Inbound {
    Inbound {
        layer,
        sequence,
        timestamp,
        marker: true,
        empty: false,
        payload: Payload {
            descriptor: 6,
            keyframe,
            temporal: Some(Temporal {
                id: temporal,
                up: if temporal > 0 { Up::Here } else { Up::No },
            }),
            picture_id: Some(PictureId {
                at: 2,
                value: picture,
                wide: true,
            }),
            base_index: Some(Small { at: 4, value: 0 }),
            key_index: None,
        },
    }
}

fn sent(verdict: Verdict) -> (u16, u16) {
    match verdict {
        Verdict::Forward(out) => (out.sequence, out.patch.picture_id.unwrap().value),
        other => panic!("{other:?}"),
    }
}

fn track() -> Downtrack {
    let mut track = Downtrack::new(Codec::Vp8, 1000, 0);
    track.set_target(Some(Target::layer(0)));
    track
}

#[test]
fn nothing_is_sent_before_a_keyframe_and_one_is_asked_for() {
    let mut track = track();
    assert_eq!(track.wants_keyframe(), Some(0));
    assert_eq!(
        track.forward(&vp8(0, 1, 0, 1, 0, false), at(0)),
        Verdict::Drop(Reason::AwaitingKeyframe)
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 2, 3000, 2, 0, true), at(33))),
        (1000, 2)
    );
    assert_eq!(track.wants_keyframe(), None);
    assert_eq!(track.picture_lost(), Some(0));
}

#[test]
fn up_only_at_a_keyframe_of_the_target_and_the_old_layer_goes_on() {
    let mut track = track();
    track.forward(&vp8(0, 1, 0, 1, 0, true), at(0));
    track.set_target(Some(Target::layer(2)));
    assert_eq!(track.wants_keyframe(), Some(2));
    assert_eq!(
        track.forward(&vp8(2, 50, 9, 70, 0, false), at(1)),
        Verdict::Drop(Reason::OtherLayer)
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 2, 3000, 2, 0, false), at(33))),
        (1001, 2)
    );
    assert_eq!(
        sent(track.forward(&vp8(2, 51, 3009, 71, 0, true), at(34))),
        (1002, 3)
    );
    assert_eq!(
        track.forward(&vp8(0, 3, 6000, 3, 0, false), at(66)),
        Verdict::Drop(Reason::OtherLayer)
    );
    assert_eq!(
        sent(track.forward(&vp8(2, 52, 6009, 72, 0, false), at(67))),
        (1003, 4)
    );
    assert_eq!(track.switches(), 2);
}

#[test]
fn a_layer_on_the_way_up_is_taken_and_one_below_is_not() {
    let mut track = track();
    track.forward(&vp8(0, 1, 0, 1, 0, true), at(0));
    track.set_target(Some(Target::layer(2)));
    track.forward(&vp8(1, 9, 0, 9, 0, true), at(1));
    assert_eq!(track.current(), Some(1));
    assert_eq!(track.wants_keyframe(), Some(2));
    track.forward(&vp8(0, 2, 0, 2, 0, true), at(2));
    assert_eq!(track.current(), Some(1));
}

#[test]
fn down_at_a_keyframe_too() {
    let mut track = track();
    track.set_target(Some(Target::layer(2)));
    track.forward(&vp8(2, 1, 0, 1, 0, true), at(0));
    track.set_target(Some(Target::layer(0)));
    assert_eq!(
        sent(track.forward(&vp8(2, 2, 3000, 2, 0, false), at(33))),
        (1001, 2)
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 7, 1, 900, 0, true), at(34))),
        (1002, 3)
    );
    assert_eq!(track.current(), Some(0));
}

#[test]
fn pause_stops_at_once_and_resuming_continues_the_numbers() {
    let mut track = track();
    track.forward(&vp8(0, 1, 0, 1, 0, true), at(0));
    track.set_target(None);
    for sequence in 2..2000 {
        assert_eq!(
            track.forward(&vp8(0, sequence, 9, sequence, 0, false), at(5)),
            Verdict::Drop(Reason::Paused)
        );
    }
    assert_eq!(track.wants_keyframe(), None);
    track.set_target(Some(Target::layer(0)));
    assert_eq!(
        track.forward(&vp8(0, 2000, 10, 2000, 0, false), at(6)),
        Verdict::Drop(Reason::AwaitingKeyframe)
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 2001, 11, 2001, 0, true), at(7))),
        (1001, 2)
    );
}

#[test]
fn temporal_layers_leave_no_hole_and_come_back_one_by_one() {
    let mut track = track();
    track.set_target(Some(Target {
        layer: 0,
        temporal: 0,
    }));
    assert_eq!(
        sent(track.forward(&vp8(0, 1, 0, 1, 0, true), at(0))),
        (1000, 1)
    );
    assert_eq!(
        track.forward(&vp8(0, 2, 1, 2, 2, false), at(1)),
        Verdict::Drop(Reason::TemporalLayer)
    );
    assert_eq!(
        track.forward(&vp8(0, 3, 2, 3, 1, false), at(2)),
        Verdict::Drop(Reason::TemporalLayer)
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 4, 3, 4, 0, false), at(3))),
        (1001, 2)
    );
    track.set_target(Some(Target::layer(0)));
    assert_eq!(
        track.forward(&vp8(0, 5, 4, 5, 2, false), at(4)),
        Verdict::Drop(Reason::TemporalLayer)
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 6, 5, 6, 1, false), at(5))),
        (1002, 3)
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 7, 6, 7, 2, false), at(6))),
        (1003, 4)
    );
}

#[test]
fn a_late_packet_of_a_picture_left_out_is_filled() {
    let mut track = track();
    track.set_target(Some(Target {
        layer: 0,
        temporal: 0,
    }));
    track.forward(&vp8(0, 1, 0, 1, 0, true), at(0));
    track.forward(&vp8(0, 2, 1, 2, 1, false), at(1));
    track.forward(&vp8(0, 4, 1, 2, 1, false), at(1));
    assert_eq!(
        sent(track.forward(&vp8(0, 5, 2, 3, 0, false), at(2))),
        (1002, 2)
    );
    let Verdict::Fill(out) = track.forward(&vp8(0, 3, 1, 2, 1, false), at(3)) else {
        panic!()
    };
    assert_eq!(out.sequence, 1001);
}

#[test]
fn padding_closes_up() {
    let mut track = track();
    track.forward(&vp8(0, 1, 0, 1, 0, true), at(0));
    let padding = Inbound {
        empty: true,
        payload: Payload::default(),
        ..vp8(0, 2, 0, 0, 0, false)
    };
    assert_eq!(
        track.forward(&padding, at(1)),
        Verdict::Drop(Reason::Padding)
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 3, 1, 2, 0, false), at(2))),
        (1001, 2)
    );
}

#[test]
fn an_old_keyframe_that_was_retransmitted_starts_nothing() {
    let mut track = track();
    for sequence in 100..300 {
        track.forward(
            &vp8(0, sequence, u32::from(sequence), sequence, 0, false),
            at(0),
        );
    }
    assert_eq!(
        track.forward(&vp8(0, 120, 0, 120, 0, true), at(1)),
        Verdict::Drop(Reason::AwaitingKeyframe)
    );
    assert_eq!(track.current(), None);
}

#[test]
fn a_packet_that_overtook_its_keyframe_is_found_by_its_report() {
    let mut track = track();
    let second = Inbound {
        timestamp: 5,
        ..vp8(0, 11, 5, 1, 0, false)
    };
    track.forward(&second, at(0));
    track.forward(
        &Inbound {
            marker: false,
            ..vp8(0, 10, 5, 1, 0, true)
        },
        at(0),
    );
    assert_eq!(
        sent(track.forward(&vp8(0, 12, 6, 2, 0, false), at(1))).0,
        1002
    );
    assert_eq!(track.origin(1001), Some((0, 11)));
    let again = track.again(&second).unwrap();
    assert_eq!(
        (again.sequence, again.patch.picture_id.unwrap().value),
        (1001, 1)
    );
}

#[test]
fn a_restarted_source_waits_for_its_keyframe() {
    let mut track = track();
    track.forward(&vp8(0, 1, 0, 1, 0, true), at(0));
    track.forward(&vp8(0, 30_000, 0, 1, 0, false), at(1));
    assert_eq!(
        track.forward(&vp8(0, 30_001, 0, 1, 0, false), at(1)),
        Verdict::Drop(Reason::AwaitingKeyframe)
    );
    assert_eq!(track.wants_keyframe(), Some(0));
    assert_eq!(
        sent(track.forward(&vp8(0, 30_002, 0, 1, 0, true), at(2))),
        (1001, 2)
    );
}

#[test]
fn audio_needs_no_keyframe() {
    let mut track = Downtrack::new(Codec::Opus, 5, 50);
    track.set_target(Some(Target::layer(0)));
    assert_eq!(track.wants_keyframe(), None);
    let packet = Inbound {
        payload: Payload::default(),
        ..vp8(0, 77, 960, 0, 0, false)
    };
    let Verdict::Forward(out) = track.forward(&packet, at(0)) else {
        panic!()
    };
    assert_eq!((out.sequence, out.timestamp), (5, 50));
    assert!(out.patch.is_empty());
}

#[test]
fn sender_reports_make_the_switch_exact_and_are_rewritten() {
    let mut track = track();
    track.forward(&vp8(0, 1, 1000, 1, 0, true), at(0));
    // Both layers tell of the same moment: 1000 of the one is 500_000 of the other.
    assert_eq!(track.sender_report(0, 1 << 32, 1000), Some(0));
    assert_eq!(track.sender_report(2, 1 << 32, 500_000), None);
    track.set_target(Some(Target::layer(2)));
    // It arrives 40 ms later, but was taken 33 ms after the other.
    let Verdict::Forward(out) = track.forward(&vp8(2, 9, 503_000, 1, 0, true), at(40)) else {
        panic!()
    };
    assert_eq!(out.timestamp, 3000);
    assert_eq!(track.sender_report(2, 2 << 32, 590_000), Some(90_000));
}

#[test]
fn a_source_does_not_begin_again_at_a_packet_it_has_a_place_for() {
    let mut track = track();
    track.forward(&vp8(0, 1, 0, 1, 0, true), at(0));
    track.forward(&vp8(0, 3, 6000, 3, 0, false), at(66));
    track.set_target(None);
    track.set_target(Some(Target::layer(0)));
    assert_eq!(
        sent(track.forward(&vp8(0, 2, 3000, 2, 0, true), at(70))),
        (1001, 2)
    );
    assert_eq!(track.current(), None);
    assert_eq!(track.origin(1001), Some((0, 2)));
}

#[test]
fn a_new_source_begins_behind_what_was_left_out_of_the_one_before() {
    let mut track = track();
    track.set_target(Some(Target {
        layer: 0,
        temporal: 0,
    }));
    track.forward(&vp8(0, 1, 0, 1, 0, true), at(30));
    track.forward(&vp8(0, 3, 6000, 3, 2, false), at(31));
    track.set_target(Some(Target::layer(1)));
    let Verdict::Forward(key) = track.forward(&vp8(1, 9, 77, 9, 0, true), at(32)) else {
        panic!()
    };
    let Verdict::Forward(late) = track.forward(&vp8(0, 2, 3000, 2, 0, false), at(33)) else {
        panic!()
    };
    assert_eq!((late.sequence, key.sequence), (1001, 1002));
    assert!(late.timestamp < key.timestamp);
}
