//! What is fuzzed, shared by the fuzz targets and by the test that replays the corpus.

mod sdp;
mod signalling;
mod stub;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use relay::forward::{
    av1,
    downtrack::{Downtrack, Inbound, Target, Verdict},
    payload::{self, Codec, Patch},
    rtp::{self, Fields, Rtp},
    rtx,
};

pub use self::{sdp::sdp, signalling::signalling};

/// Any octets as an RTP packet: read, rewritten, and taken for a retransmission.
///
/// # Panics
///
/// When what was read does not fit the octets.
pub fn rtp(octets: &[u8]) {
    let Ok(packet) = Rtp::parse(octets) else {
        return;
    };
    assert!(
        packet.payload().len() + usize::from(packet.padding()) + rtp::FIXED_HEADER <= octets.len()
    );
    for (id, data) in packet.extensions() {
        assert!(id > 0 && data.len() <= 255);
    }
    let fields = Fields {
        marker: true,
        payload_type: 1,
        sequence: 2,
        timestamp: 3,
        ssrc: 4,
    };
    let mut copy = octets.to_vec();
    rtp::rewrite(&mut copy, &fields).expect("it was parsed before");
    assert_eq!(
        Rtp::parse(&copy).expect("still a packet").payload(),
        packet.payload()
    );
    if let Ok(Some(length)) = rtx::restore(&mut copy, 5, 6) {
        let restored = Rtp::parse(&copy[..length]).expect("a restored packet is a packet");
        assert_eq!(restored.payload(), &packet.payload()[2..]);
    }
}

/// Some instant; what is fuzzed only ever looks at differences.
#[expect(
    clippy::disallowed_methods,
    reason = "an origin for virtual time, never compared with another reading"
)]
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

const CODECS: [Codec; 5] = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus];

/// Any octets as a payload of every codec; what was read patches back to the same octets.
///
/// # Panics
///
/// When it does not.
pub fn descriptors(octets: &[u8]) {
    let _ = av1::descriptor_starts_keyframe(octets);
    for codec in CODECS {
        let read = payload::inspect(codec, octets);
        let mut copy = octets.to_vec();
        let patch = Patch {
            picture_id: read.picture_id,
            base_index: read.base_index,
            key_index: read.key_index,
        };
        patch.apply(&mut copy);
        assert_eq!(copy, octets);
    }
}

/// A subscriber's view driven by a script: whatever comes, the way back from a sent number leads to the packet, and
/// sending it again, where that is possible, gives the same numbers.
///
/// # Panics
///
/// When it does not.
pub fn forwarding(octets: &[u8]) {
    let mut now = origin();
    let Some((&[codec, first_high, first_low], mut script)) = octets.split_first_chunk::<3>()
    else {
        return;
    };
    let codec = CODECS[usize::from(codec) % CODECS.len()];
    let mut track = Downtrack::new(codec, u16::from_be_bytes([first_high, first_low]), 0);
    while let Some((&[kind, layer, high, low, step, length], rest)) =
        script.split_first_chunk::<6>()
    {
        let (body, rest) = rest.split_at(rest.len().min(usize::from(length % 16)));
        script = rest;
        let sequence = u16::from_be_bytes([high, low]);
        now += Duration::from_millis(u64::from(step));
        match kind % 4 {
            0 => track.set_target((layer < 250).then_some(Target {
                layer: layer % 3,
                temporal: step % 8,
            })),
            1 => drop(track.sender_report(
                layer % 4,
                u64::from(sequence) << 28,
                u32::from(sequence) * 90,
            )),
            _ => {
                let packet = Inbound {
                    layer: layer % 4,
                    sequence,
                    timestamp: u32::from(sequence / 4) * 3000,
                    marker: step.is_multiple_of(2),
                    empty: body.is_empty(),
                    payload: payload::inspect(codec, body),
                };
                if let Verdict::Forward(out) = track.forward(&packet, now) {
                    assert_eq!(
                        track.origin(out.sequence),
                        Some((packet.layer, packet.sequence))
                    );
                    assert!(track.again(&packet).is_none_or(|again| again == out));
                }
            }
        }
        let _ = (
            track.wants_keyframe(),
            track.picture_lost(),
            track.origin(sequence),
        );
    }
}
