//! Publishers whose media is not what they announced, in the middle of a call: what they send is measured, refused or
//! passed on within bounds, and what others send comes as it came.

use std::collections::HashMap;

use livekit_protocol as proto;
use proto::{VideoQuality, signal_request::Message as Request, signal_response::Message};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    super::Side,
    OFFER as VOICE, microphone, offer, packet,
    video::{A_SECOND, Call, PICTURE, sizes},
};
use crate::stack::{Codec, Event, Media, OutgoingMedia};

/// Anna lies, Bert looks at her and hears Carl.
struct Scene {
    call: Call,
    carl: u64,
    spoken: u16,
    shown: u16,
    /// The newest number of each of Anna's streams.
    sequences: HashMap<u32, u16>,
}

impl Scene {
    fn new() -> Self {
        let mut call = Call::new();
        let house = &mut call.house;
        let carl = house.join("carl");
        house.says(carl, microphone());
        house.says(carl, offer(VOICE));
        house.streams(carl, 900, "", Codec::Opus);
        house.accepts(call.bert);
        Self {
            call,
            carl,
            spoken: 0,
            shown: 0,
            sequences: HashMap::new(),
        }
    }

    /// A picture's time passes, in which Anna sends these packets (SSRC and payload). What Bert gets of them; Carl he
    /// hears whatever they are.
    fn passes(&mut self, lies: &[(u32, Vec<u8>)]) -> Vec<OutgoingMedia> {
        self.shown += 1;
        for (ssrc, payload) in lies {
            let sequence = self.sequences.entry(*ssrc).or_default();
            *sequence = sequence.wrapping_add(1);
            let sequence = *sequence;
            self.sends(*ssrc, sequence, payload.clone());
        }
        self.spoken += 1;
        let house = &mut self.call.house;
        house.happens(self.carl, Side::Publisher, packet(900, self.spoken));
        house.wait(PICTURE);
        if self.shown.is_multiple_of(A_SECOND) {
            for session in [self.call.anna, self.call.bert, self.carl] {
                house.says(session, Request::Ping(0));
            }
        }
        let mut sent = house.sent(self.call.bert);
        let voice = |media: &OutgoingMedia| media.payload.as_ref() == VOICE_PAYLOAD;
        assert_eq!(sent.iter().filter(|media| voice(media)).count(), 1);
        sent.retain(|media| !voice(media));
        sent
    }

    fn sends(&mut self, ssrc: u32, sequence: u16, payload: Vec<u8>) {
        let media = Media {
            ssrc,
            sequence,
            timestamp: u32::from(self.shown) * 3_600,
            marker: true,
            audio_level: None,
            dependency: None,
            payload: payload.into(),
        };
        let event = Event::Media(media);
        self.call
            .house
            .happens(self.call.anna, Side::Publisher, event);
    }

    /// So many pictures' time, in which Anna sends the same again and again.
    fn shows(&mut self, pictures: u16, lies: &[(u32, Vec<u8>)]) -> Vec<OutgoingMedia> {
        let rounds = 0..pictures;
        rounds.flat_map(|_| self.passes(lies)).collect()
    }

    fn refused(&mut self) -> u64 {
        self.call.house.room.traffic().refused
    }

    /// Whether Bert was told last that the picture pauses.
    fn paused(&mut self) -> Option<bool> {
        let heard = self.call.house.heard(self.call.bert).into_iter();
        let states = heard.filter_map(|message| match message {
            Message::StreamStateUpdate(update) => Some(update.stream_states),
            _ => None,
        });
        let last = states.flatten().next_back()?;
        Some(last.state() == proto::StreamState::Paused)
    }
}

/// What [`packet`] carries.
const VOICE_PAYLOAD: &[u8] = b"voice";

/// A VP8 key frame of so many octets.
fn key(octets: usize) -> Vec<u8> {
    let mut payload = vec![0; octets];
    payload[0] = 0x10;
    payload
}

/// The same, in a temporal layer.
fn layered(octets: usize, temporal: u8) -> Vec<u8> {
    let mut payload = vec![0; octets];
    // With a picture of the base the stream begins anew, with others it goes on.
    payload[..3].copy_from_slice(&[0x90, 0x20, temporal << 6]);
    payload[3] = u8::from(temporal > 0);
    payload
}

/// The numbers of what was sent follow on each other.
fn assert_continuous(sent: &[OutgoingMedia]) {
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        let passed = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert!(passed < 90_000 * 60, "{passed}");
    }
}

#[test]
fn layers_are_chosen_by_what_they_carry_and_not_by_what_they_are_called() {
    let mut scene = Scene::new();
    // 1.2 Mbit/s in the lowest of three, 400 kbit/s in the middle, 100 kbit/s in the highest.
    let lies = [(1, key(6_000)), (2, key(2_000)), (3, key(500))];
    scene.shows(A_SECOND, &lies);
    scene.call.path_carries(300_000);
    scene.shows(A_SECOND * 2, &lies);
    assert_eq!(sizes(&scene.shows(A_SECOND * 2, &lies)), [500]);
    // Whoever wants it small gets nothing rather than more than the path carries.
    scene.call.wants(VideoQuality::Low);
    scene.shows(A_SECOND * 2, &lies);
    assert!(scene.shows(A_SECOND * 2, &lies).is_empty());
    assert_eq!(scene.paused(), Some(true));
}

#[test]
fn of_three_announced_layers_the_only_one_that_comes_is_shown_or_pauses() {
    let mut scene = Scene::new();
    let lies = [(3, key(6_000))];
    scene.call.wants(VideoQuality::Low);
    scene.shows(A_SECOND, &lies);
    assert_eq!(scene.shows(A_SECOND, &lies).len(), usize::from(A_SECOND));
    scene.call.path_carries(300_000);
    scene.shows(A_SECOND, &lies);
    assert!(scene.shows(A_SECOND * 2, &lies).is_empty());
    assert_eq!(scene.paused(), Some(true));
    scene.call.path_carries(3_000_000);
    scene.shows(A_SECOND * 3, &lies);
    assert_eq!(scene.shows(A_SECOND, &lies).len(), usize::from(A_SECOND));
    assert_eq!(scene.paused(), Some(false));
}

#[test]
fn a_temporal_layer_that_hardly_comes_saves_hardly_anything() {
    let mut scene = Scene::new();
    let base = [(1, layered(500, 0))];
    let above = [(1, layered(20, 3))];
    let shows = |scene: &mut Scene, seconds: u16| -> usize {
        let rounds = 0..seconds * A_SECOND;
        let sent = rounds.flat_map(|at| {
            let lies = if at % A_SECOND == 7 { &above } else { &base };
            scene.passes(lies)
        });
        sent.map(|media| media.payload.len() * 8).sum()
    };
    assert!(shows(&mut scene, 3) > 250_000, "100 kbit/s");
    // A quarter of what comes would fit, if the base were a quarter.
    scene.call.path_carries(50_000);
    shows(&mut scene, 2);
    assert_eq!(shows(&mut scene, 2), 0);
    assert_eq!(scene.paused(), Some(true));
}

#[test]
fn one_stream_at_a_time_is_a_layer() {
    let mut scene = Scene::new();
    let mut sent = scene.shows(A_SECOND, &[(3, key(600))]);
    let again = Event::Stream {
        ssrc: 33,
        mid: "0".to_owned(),
        rid: "f".to_owned(),
        codec: Codec::Vp8,
    };
    scene
        .call
        .house
        .happens(scene.call.anna, Side::Publisher, again);
    // Both go on; the second in numbers that the first had, and then in quite others.
    for number in 0..A_SECOND * 2 {
        let sequence = 5 + if number < A_SECOND {
            number
        } else {
            number + 20_000
        };
        scene.sends(33, sequence, key(700));
        sent.extend(scene.passes(&[(3, key(600))]));
        if number < A_SECOND {
            assert_eq!(sent.len(), usize::from(A_SECOND + number + 1));
        }
    }
    assert_eq!(sizes(&sent), [600, 700]);
    assert_continuous(&sent);
    assert_eq!(scene.refused(), u64::from(A_SECOND) * 2);

    // What was sent of the first is not repeated from the second.
    let missing = Event::Missing {
        ssrc: scene.call.house.senders(scene.call.bert)[0].ssrc,
        sequences: sent.iter().map(|media| media.sequence).collect(),
    };
    let bert = scene.call.bert;
    scene.call.house.happens(bert, Side::Subscriber, missing);
    let resent = scene.call.house.resent(bert);
    assert!(!resent.is_empty());
    for media in resent {
        let first = sent.iter().find(|one| one.sequence == media.sequence);
        assert_eq!(first.map(|one| &one.payload), Some(&media.payload));
    }
}

#[test]
fn a_second_codec_of_a_track_goes_to_nobody_and_is_counted() {
    let mut scene = Scene::new();
    scene.shows(A_SECOND, &[(3, key(600))]);
    let other = Event::Stream {
        ssrc: 44,
        mid: "0".to_owned(),
        rid: "f".to_owned(),
        codec: Codec::H264,
    };
    let anna = scene.call.anna;
    scene.call.house.happens(anna, Side::Publisher, other);
    let sent = scene.shows(A_SECOND, &[(44, vec![0x65; 900]), (3, key(600))]);
    assert_eq!(sizes(&sent), [600]);
    assert_eq!(sent.len(), usize::from(A_SECOND));
    assert_eq!(scene.refused(), u64::from(A_SECOND));
}

#[test]
fn whatever_stands_in_payloads_others_are_heard() {
    let mut scene = Scene::new();
    let mut rng = StdRng::seed_from_u64(11);
    let mut came = 0;
    for _ in 0..2_000 {
        let lies: Vec<(u32, Vec<u8>)> = (1..=3)
            .map(|ssrc| {
                let mut payload = vec![0; rng.random_range(0..40)];
                rng.fill(payload.as_mut_slice());
                // Often enough something that begins a layer.
                if rng.random_range(0..4) == 0 && !payload.is_empty() {
                    payload[0] = [0x10, 0x90][rng.random_range(0..2)];
                }
                (ssrc, payload)
            })
            .collect();
        // Numbers jump as well.
        if rng.random_range(0..20) == 0 {
            let sequence = rng.random();
            scene.sends(rng.random_range(1..=3), sequence, key(30));
        }
        came += scene.passes(&lies).len();
    }
    assert!(came > 0 && came <= 2_000 * 4);
    assert_eq!(scene.refused(), 0);
}

#[test]
fn more_than_one_may_send_is_dropped_and_counted_and_others_go_on() {
    let mut scene = Scene::new();
    // 240 Mbit/s in the lowest layer, of which 30 are let through.
    let lies: Vec<_> = (0..8).map(|_| (1, key(150_000))).collect();
    let sent: u64 = scene
        .shows(A_SECOND * 4, &lies)
        .iter()
        .map(|media| media.payload.len() as u64 * 8)
        .sum();
    assert!(sent <= 30_000_000 * 6, "{sent}");
    assert!(scene.refused() > u64::from(A_SECOND) * 4);
}
