//! Video: which layer is sent, what the path carries, what is lost on it, and which moment a picture stands for.

use std::time::Duration;

use livekit_protocol as proto;
use proto::{VideoQuality, signal_request::Message as Request, signal_response::Message};

use super::{super::Side, fake::House, offer};
use crate::stack::{Codec, Event, Media, OutgoingMedia};

const OFFER: &str = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=sendonly\r\na=msid:s cam\r\n\
    a=rtpmap:96 VP8/90000\r\na=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n";
const LAYERS: [(u32, &str); 3] = [(1, "q"), (2, "h"), (3, "f")];
/// Octets of a picture in each layer: at 25 a second 100 kbit/s, 400 kbit/s and 1.2 Mbit/s.
const SIZES: [usize; 3] = [500, 2_000, 6_000];
pub(super) const PICTURE: Duration = Duration::from_millis(40);
pub(super) const A_SECOND: u16 = 25;

fn camera() -> Request {
    let layer = |quality: VideoQuality, height| proto::VideoLayer {
        quality: quality.into(),
        width: height * 16 / 9,
        height,
        ..proto::VideoLayer::default()
    };
    Request::AddTrack(proto::AddTrackRequest {
        cid: "cam".to_owned(),
        name: "camera".to_owned(),
        r#type: proto::TrackType::Video.into(),
        source: proto::TrackSource::Camera.into(),
        width: 1280,
        height: 720,
        layers: vec![
            layer(VideoQuality::Low, 180),
            layer(VideoQuality::Medium, 360),
            layer(VideoQuality::High, 720),
        ],
        ..proto::AddTrackRequest::default()
    })
}

/// Anna shows herself to Bert.
pub(super) struct Call {
    pub(super) house: House,
    pub(super) anna: u64,
    pub(super) bert: u64,
    sequence: u16,
}

impl Call {
    pub(super) fn new() -> Self {
        let mut house = House::new();
        let (anna, bert) = (house.join("anna"), house.join("bert"));
        house.says(anna, camera());
        house.says(anna, offer(OFFER));
        for (ssrc, rid) in LAYERS {
            house.streams(anna, ssrc, rid, Codec::Vp8);
        }
        house.accepts(bert);
        house.heard(anna);
        house.heard(bert);
        Self {
            house,
            anna,
            bert,
            sequence: 0,
        }
    }

    /// Shows so many pictures, each a key frame, in the lowest layers; what Bert was sent of them.
    fn show_layers(&mut self, pictures: u16, layers: usize) -> Vec<OutgoingMedia> {
        for _ in 0..pictures {
            self.sequence += 1;
            for ((ssrc, _), size) in LAYERS.into_iter().zip(SIZES).take(layers) {
                let mut payload = vec![0; size];
                payload[0] = 0x10;
                let media = Media {
                    ssrc,
                    sequence: self.sequence,
                    timestamp: timestamp(self.sequence),
                    marker: true,
                    audio_level: None,
                    dependency: None,
                    payload: payload.into(),
                };
                self.house
                    .happens(self.anna, Side::Publisher, Event::Media(media));
            }
            self.house.wait(PICTURE);
        }
        for session in [self.anna, self.bert] {
            self.house.says(session, Request::Ping(0));
        }
        self.house.sent(self.bert)
    }

    pub(super) fn show(&mut self, pictures: u16) -> Vec<OutgoingMedia> {
        self.show_layers(pictures, LAYERS.len())
    }

    pub(super) fn path_carries(&mut self, bits: u64) {
        self.house
            .happens(self.bert, Side::Subscriber, Event::Bandwidth(bits));
    }

    pub(super) fn wants(&mut self, quality: VideoQuality) {
        let settings = proto::UpdateTrackSettings {
            track_sids: vec![self.house.senders(self.bert)[0].track_id.clone()],
            quality: quality.into(),
            ..proto::UpdateTrackSettings::default()
        };
        self.house.says(self.bert, Request::TrackSetting(settings));
    }

    /// Whether the publisher was last told to send its best, if it was told anything.
    pub(super) fn told_high(&mut self) -> Option<bool> {
        self.house
            .heard(self.anna)
            .into_iter()
            .filter_map(|message| match message {
                Message::SubscribedQualityUpdate(update) => Some(update),
                _ => None,
            })
            .next_back()
            .map(|update| update.subscribed_codecs[0].qualities[2].enabled)
    }

    fn reports(&mut self, ssrc: u32, ntp: u64, rtp: u32) -> Vec<(u64, u32)> {
        let report = Event::SenderReport { ssrc, ntp, rtp };
        self.house.happens(self.anna, Side::Publisher, report);
        self.house.reports(self.bert)
    }
}

fn timestamp(sequence: u16) -> u32 {
    u32::from(sequence) * 3_600
}

pub(super) fn sizes(sent: &[OutgoingMedia]) -> Vec<usize> {
    let mut sizes: Vec<usize> = sent.iter().map(|media| media.payload.len()).collect();
    sizes.dedup();
    sizes
}

#[test]
fn who_asks_for_less_and_then_for_more_gets_both() {
    let mut call = Call::new();
    let sent = call.show(A_SECOND);
    assert_eq!(sizes(&sent).last(), Some(&SIZES[2]));

    call.wants(VideoQuality::Low);
    let sent = call.show(A_SECOND * 2);
    assert_eq!(sizes(&sent).last(), Some(&SIZES[0]));
    assert_eq!(call.told_high(), None, "it may be a moment only");
    call.show(A_SECOND * 4);
    assert_eq!(call.told_high(), Some(false));
    // The publisher spares the layers that nobody wants.
    call.show_layers(A_SECOND * 3, 1);

    call.wants(VideoQuality::High);
    assert_eq!(call.told_high(), Some(true));
    let sent = call.show(A_SECOND);
    assert_eq!(sizes(&sent).last(), Some(&SIZES[2]));
    call.wants(VideoQuality::Medium);
    let sent = call.show(A_SECOND);
    assert_eq!(sizes(&sent).last(), Some(&SIZES[1]));
}

#[test]
fn a_narrow_path_gets_the_low_layer_and_when_it_widens_the_high_again() {
    let mut call = Call::new();
    call.show(A_SECOND);
    call.path_carries(300_000);
    let sent = call.show(A_SECOND);
    assert_eq!(sizes(&sent).last(), Some(&SIZES[0]));
    assert!(call.house.probes(call.bert).is_empty(), "not at once");

    let sent = call.show(A_SECOND * 8);
    assert_eq!(sizes(&sent), [SIZES[0]]);
    let probes = call.house.probes(call.bert);
    assert!(
        probes.first().is_some_and(|bits| *bits > 400_000),
        "{probes:?}"
    );

    call.path_carries(3_000_000);
    let sent = call.show(A_SECOND * 2);
    assert_eq!(sizes(&sent).last(), Some(&SIZES[2]));
    call.show(A_SECOND * 8);
    assert!(
        call.house.probes(call.bert).is_empty(),
        "nothing more is wanted"
    );
}

/// What carries a voice alone is estimated to carry little more, and nothing was sent that a probe could send again.
#[test]
fn who_was_shown_nothing_yet_is_shown_something_on_trial() {
    let mut call = Call::new();
    call.show(A_SECOND);
    call.path_carries(60_000);
    call.show(A_SECOND);
    call.house.forgets_what_was_sent(call.bert);
    assert!(call.show(A_SECOND).is_empty(), "nothing at first");
    let sent = call.show(A_SECOND * 3);
    assert_eq!(sizes(&sent), [SIZES[0]]);
    assert_eq!(call.house.probes(call.bert).len(), 1, "could not be sent");

    // The probe that can be sent now finds no room: it was a trial.
    call.show(A_SECOND * 4);
    assert_eq!(call.house.probes(call.bert).len(), 1, "could be sent");
    assert!(call.show(A_SECOND).is_empty());
    call.path_carries(3_000_000);
    let sent = call.show(A_SECOND * 3);
    assert_eq!(sizes(&sent).last(), Some(&SIZES[2]));
}

#[test]
fn what_is_lost_is_sent_once_more_in_the_same_numbers() {
    let mut call = Call::new();
    let sent = call.show(A_SECOND);
    let lost = &sent[10];
    let ssrc = call.house.senders(call.bert)[0].ssrc;
    let missing = Event::Missing {
        ssrc,
        sequences: vec![lost.sequence, lost.sequence.wrapping_add(5_000)],
    };
    call.house.happens(call.bert, Side::Subscriber, missing);
    let resent = call.house.resent(call.bert);
    assert_eq!(resent.len(), 1, "what was never sent cannot come again");
    assert_eq!(
        (resent[0].sequence, resent[0].timestamp),
        (lost.sequence, lost.timestamp)
    );
    assert_eq!(resent[0].payload, lost.payload);
}

#[test]
fn the_subscriber_learns_which_moment_a_picture_stands_for() {
    const SECOND: u64 = 1 << 32;
    let mut call = Call::new();
    let sent = call.show(A_SECOND);
    let last = timestamp(call.sequence);
    assert!(
        call.reports(1, 7 * SECOND, last).is_empty(),
        "of a layer that is not sent"
    );
    let first = call.reports(3, 7 * SECOND, last);
    assert_eq!(first[0].1, sent.last().unwrap().timestamp);
    let sent = call.show(A_SECOND);
    let later = call.reports(3, 8 * SECOND, timestamp(call.sequence));
    assert_eq!(later[0].0 - first[0].0, SECOND);
    assert_eq!(later[0].1, sent.last().unwrap().timestamp);

    // Another layer: the moments go on as before, and are told at once.
    call.wants(VideoQuality::Low);
    let sent = call.show(2);
    assert_eq!(sizes(&sent).last(), Some(&SIZES[0]));
    let told = call.house.reports(call.bert);
    assert_eq!(told, [first[0]]);
}
