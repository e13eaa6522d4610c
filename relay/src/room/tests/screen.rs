//! A shared screen in three temporal layers: pictures are left out before it gets smaller or pauses.

use std::time::Duration;

use livekit_protocol as proto;
use proto::signal_request::Message as Request;

use super::{super::Side, fake::House, offer};
use crate::stack::{Codec, Event, Media, OutgoingMedia};

const OFFER: &str = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=sendonly\r\na=msid:s screen\r\n\
    a=rtpmap:96 VP8/90000\r\n";
/// At 25 pictures a second 1 Mbit/s.
const SIZE: usize = 5_000;

struct Call {
    house: House,
    anna: u64,
    bert: u64,
    sequence: u16,
}

impl Call {
    fn new() -> Self {
        let mut house = House::new();
        let (anna, bert) = (house.join("anna"), house.join("bert"));
        house.says(
            anna,
            Request::AddTrack(proto::AddTrackRequest {
                cid: "screen".to_owned(),
                r#type: proto::TrackType::Video.into(),
                source: proto::TrackSource::ScreenShare.into(),
                width: 1920,
                height: 1080,
                ..proto::AddTrackRequest::default()
            }),
        );
        house.says(anna, offer(OFFER));
        house.streams(anna, 1, "", Codec::Vp8);
        house.accepts(bert);
        Self {
            house,
            anna,
            bert,
            sequence: 0,
        }
    }

    /// A second of pictures; what of them Bert was sent.
    fn show(&mut self) -> Vec<OutgoingMedia> {
        for _ in 0..24 {
            // Layers 0, 2, 1, 2; the upper ones refer to the base only.
            let temporal = [0, 2, 1, 2][usize::from(self.sequence % 4)];
            let mut payload = vec![0; SIZE];
            payload[..3].copy_from_slice(&[0x90, 0x20, temporal << 6 | 0x20]);
            payload[3] = u8::from(self.sequence > 0);
            let media = Media {
                ssrc: 1,
                sequence: self.sequence,
                timestamp: u32::from(self.sequence) * 3_600,
                marker: true,
                audio_level: None,
                dependency: None,
                payload: payload.into(),
            };
            self.sequence += 1;
            self.house
                .happens(self.anna, Side::Publisher, Event::Media(media));
            self.house.wait(Duration::from_millis(40));
        }
        for session in [self.anna, self.bert] {
            self.house.says(session, Request::Ping(0));
        }
        self.house.sent(self.bert)
    }

    fn path_carries(&mut self, bits: u64) {
        self.house
            .happens(self.bert, Side::Subscriber, Event::Bandwidth(bits));
    }

    fn wants(&mut self, fps: u32) {
        let settings = proto::UpdateTrackSettings {
            track_sids: vec![self.house.senders(self.bert)[0].track_id.clone()],
            quality: proto::VideoQuality::High.into(),
            fps,
            ..proto::UpdateTrackSettings::default()
        };
        self.house.says(self.bert, Request::TrackSetting(settings));
    }
}

#[test]
fn on_a_narrow_path_pictures_are_left_out_first() {
    let mut call = Call::new();
    assert_eq!(call.show().len(), 24);
    call.path_carries(700_000);
    call.show();
    let sent = call.show();
    assert_eq!(sent.len(), 12, "the lower two of three layers");
    assert!(sent.iter().all(|media| media.payload.len() == SIZE));
    let numbers = sent.windows(2);
    let gaps = numbers.filter(|two| two[1].sequence.wrapping_sub(two[0].sequence) != 1);
    assert_eq!(gaps.count(), 0, "nothing to ask for again");
    call.path_carries(450_000);
    call.show();
    assert_eq!(call.show().len(), 6);
}

#[test]
fn whoever_asks_for_fewer_pictures_gets_fewer() {
    let mut call = Call::new();
    call.show();
    call.wants(5);
    call.show();
    assert_eq!(call.show().len(), 6);
    call.wants(0);
    call.show();
    assert_eq!(call.show().len(), 24);
}
