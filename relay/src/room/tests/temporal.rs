//! VP9 in temporal layers: what is left out on a narrow path, and that everything sent can be decoded.

use std::{collections::BTreeSet, time::Duration};

use livekit_protocol as proto;
use proto::signal_request::Message as Request;

use super::{super::Side, fake::House, offer};
use crate::{
    forward::vp9,
    stack::{Codec, Event, Media, OutgoingMedia},
};

const OFFER: &str = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:0\r\na=sendonly\r\na=msid:s cam\r\n\
    a=rtpmap:98 VP9/90000\r\n";
const SSRC: u32 = 1;
/// Octets of a picture, of which 25 come a second: 400 kbit/s.
const SIZE: usize = 2_000;
const PICTURE: Duration = Duration::from_millis(40);
const A_SECOND: u16 = 25;

/// One place of the pattern that a publisher repeats: the temporal layer, whether it is a switching point, and how far
/// back the pictures are that it refers to.
type Place = (u8, bool, &'static [u8]);

/// Three layers, as libwebrtc sends them: a switching point everywhere.
const THREE: &[Place] = &[
    (0, true, &[4]),
    (2, true, &[1]),
    (1, true, &[2]),
    (2, true, &[1, 2]),
];

/// Two layers, of which the upper one builds on itself: one can go up at the first picture of eight. A picture of the
/// highest layer is a switching point whatever it refers to, because nothing is above it.
const BUILDING: &[Place] = &[
    (0, true, &[2]),
    (1, true, &[1]),
    (0, false, &[2]),
    (1, true, &[1, 2]),
    (0, false, &[2]),
    (1, true, &[1, 2]),
    (0, false, &[2]),
    (1, true, &[1, 2]),
];

/// Anna shows herself to Bert in VP9.
struct Film {
    house: House,
    anna: u64,
    bert: u64,
    pattern: &'static [Place],
    /// References stand in each picture (F), not in the structure of the group.
    flexible: bool,
    /// How many pictures there were.
    shown: u16,
    base_index: u8,
    decoder: Decoder,
}

impl Film {
    fn new(pattern: &'static [Place], flexible: bool) -> Self {
        let mut house = House::new();
        let (anna, bert) = (house.join("anna"), house.join("bert"));
        let camera = proto::AddTrackRequest {
            cid: "cam".to_owned(),
            r#type: proto::TrackType::Video.into(),
            source: proto::TrackSource::Camera.into(),
            width: 1280,
            height: 720,
            ..proto::AddTrackRequest::default()
        };
        house.says(anna, Request::AddTrack(camera));
        house.says(anna, offer(OFFER));
        house.streams(anna, SSRC, "", Codec::Vp9);
        house.accepts(bert);
        Self {
            house,
            anna,
            bert,
            pattern,
            flexible,
            shown: 0,
            base_index: 250,
            decoder: Decoder::default(),
        }
    }

    fn path_carries(&mut self, bits: u64) {
        let event = Event::Bandwidth(bits);
        self.house.happens(self.bert, Side::Subscriber, event);
    }

    /// Shows so many pictures; of which temporal layers Bert could show pictures.
    fn show(&mut self, pictures: u16) -> BTreeSet<u8> {
        let mut layers = BTreeSet::new();
        for _ in 0..pictures {
            for part in self.picture() {
                self.house
                    .happens(self.anna, Side::Publisher, Event::Media(part));
            }
            self.house.wait(PICTURE);
            for media in self.house.sent(self.bert) {
                layers.insert(self.decoder.take(&media, self.pattern));
            }
        }
        for session in [self.anna, self.bert] {
            self.house.says(session, Request::Ping(0));
        }
        layers
    }

    /// The next picture, in two packets, at whose ends its number stands.
    fn picture(&mut self) -> [Media; 2] {
        let number = self.shown;
        self.shown += 1;
        let key = number == 0;
        let (layer, point, back) = place(self.pattern, number);
        if layer == 0 {
            self.base_index = self.base_index.wrapping_add(1);
        }
        // The ids wrap on the way.
        let [high, low] = (number + 0x7ff0).to_be_bytes();
        [0, 1].map(|part| {
            let predicted = if key { 0 } else { 0x40 };
            let flexible = if self.flexible { 0x10 } else { 0 };
            let edge = if part == 0 { 0x08 } else { 0x04 };
            let indices = (layer << 5) | (u8::from(point) << 4);
            let mut payload = vec![
                0xa0 | predicted | flexible | edge,
                high | 0x80,
                low,
                indices,
            ];
            if !self.flexible {
                payload.push(self.base_index);
            } else if !key {
                let more = |at: usize| u8::from(at + 1 < back.len());
                let references = back.iter().enumerate();
                payload.extend(references.map(|(at, back)| (back << 1) | more(at)));
            }
            payload.resize(SIZE / 2 - 2, 0);
            payload.extend(number.to_be_bytes());
            Media {
                ssrc: SSRC,
                sequence: (number * 2 + part).wrapping_add(65_500),
                timestamp: u32::from(number) * 3_600,
                marker: part == 1,
                audio_level: None,
                dependency: None,
                payload: payload.into(),
            }
        })
    }
}

fn place(pattern: &[Place], number: u16) -> Place {
    pattern[usize::from(number) % pattern.len()]
}

/// Takes what is sent, as a client would that knows what every picture refers to.
#[derive(Default)]
struct Decoder {
    newest: Option<(OutgoingMedia, u16)>,
    shown: BTreeSet<u16>,
}

impl Decoder {
    /// The temporal layer of the picture.
    fn take(&mut self, media: &OutgoingMedia, pattern: &[Place]) -> u8 {
        let id = |media: &OutgoingMedia| vp9::inspect(&media.payload).unwrap().picture_id.unwrap();
        let &[.., high, low] = media.payload.as_ref() else {
            panic!("an empty packet")
        };
        let number = u16::from_be_bytes([high, low]);
        let (layer, _, back) = place(pattern, number);
        if let Some((before, of)) = &self.newest {
            assert_eq!(media.sequence, before.sequence.wrapping_add(1));
            let apart = id(media).value.wrapping_sub(id(before).value) & 0x7fff;
            assert_eq!(apart, number - of, "ids are as far apart as pictures");
        }
        for back in back.iter().filter(|_| number > 0) {
            let reference = number - u16::from(*back);
            assert!(
                self.shown.contains(&reference),
                "{number} refers to {reference}"
            );
        }
        self.shown.insert(number);
        self.newest = Some((media.clone(), number));
        layer
    }
}

fn layers<const N: usize>(layers: [u8; N]) -> BTreeSet<u8> {
    layers.into()
}

#[test]
fn temporal_layers_go_on_a_narrow_path_and_come_back_on_a_wide_one() {
    for flexible in [false, true] {
        let mut film = Film::new(THREE, flexible);
        assert_eq!(film.show(A_SECOND * 2), layers([0, 1, 2]));
        for _ in 0..2 {
            film.path_carries(200_000);
            film.show(A_SECOND);
            assert_eq!(film.show(A_SECOND * 4), layers([0]));
            film.path_carries(3_000_000);
            film.show(A_SECOND * 5);
            assert_eq!(film.show(A_SECOND), layers([0, 1, 2]));
        }
    }
}

#[test]
fn layers_come_back_behind_a_switching_point_of_a_lower_one_alone() {
    for flexible in [false, true] {
        // Wherever in the pattern the path widens.
        for later in 0..8 {
            let mut film = Film::new(BUILDING, flexible);
            assert_eq!(film.show(A_SECOND), layers([0, 1]));
            film.path_carries(250_000);
            film.show(A_SECOND);
            assert_eq!(film.show(A_SECOND * 3 + later), layers([0]));
            film.path_carries(3_000_000);
            film.show(A_SECOND * 2);
            assert_eq!(film.show(A_SECOND), layers([0, 1]));
        }
    }
}
