//! How many packets a second the forwarding core decides about and rewrites, on one core, without sockets and SRTP:
//! `cargo run --release -p relay --example forward`
#![expect(clippy::print_stdout, reason = "a program that reports a number")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use relay::forward::{
    downtrack::{Downtrack, Inbound, Target, Verdict},
    payload::{self, Codec},
    rtp::{self, Fields, Rtp},
};

const SUBSCRIBERS: usize = 10;
const PACKETS: u16 = 50_000;
const PAYLOAD: usize = 1100;

/// A VP8 packet with picture id, TL0PICIDX and layers; ten packets make a frame.
fn packet(number: u16) -> Vec<u8> {
    let frame = number / 10;
    let fields = Fields {
        marker: number % 10 == 9,
        payload_type: 96,
        sequence: number,
        timestamp: u32::from(frame) * 3000,
        ssrc: 1,
    };
    let mut bytes = fields.header().to_vec();
    let [high, low] = frame.to_be_bytes();
    let start = if number.is_multiple_of(10) {
        0x90
    } else {
        0x80
    };
    bytes.extend_from_slice(&[
        start,
        0xf0,
        0x80 | high,
        low,
        0,
        0x20,
        u8::from(number != 0),
    ]);
    bytes.resize(rtp::FIXED_HEADER + PAYLOAD, 0);
    bytes
}

fn main() {
    let stream: Vec<_> = (0..PACKETS).map(packet).collect();
    for copies in [false, true] {
        let begun = Instant::now();
        let mut tracks: Vec<_> = (0..SUBSCRIBERS)
            .map(|_| Downtrack::new(Codec::Vp8, 7, 9))
            .collect();
        for track in &mut tracks {
            track.set_target(Some(Target::layer(0)));
        }
        let mut out = vec![0; rtp::FIXED_HEADER + PAYLOAD];
        let mut sent = 0_u32;
        for bytes in &stream {
            let Ok(rtp) = Rtp::parse(black_box(bytes)) else {
                continue;
            };
            let inbound = Inbound {
                layer: 0,
                sequence: rtp.sequence(),
                timestamp: rtp.timestamp(),
                marker: rtp.marker(),
                empty: rtp.payload().is_empty(),
                payload: payload::inspect(Codec::Vp8, rtp.payload()),
            };
            for track in &mut tracks {
                let Verdict::Forward(verdict) = track.forward(&inbound, begun) else {
                    continue;
                };
                sent += 1;
                if copies {
                    let fields = Fields {
                        marker: verdict.marker,
                        payload_type: 96,
                        sequence: verdict.sequence,
                        timestamp: verdict.timestamp,
                        ssrc: 2,
                    };
                    out[..rtp::FIXED_HEADER].copy_from_slice(&fields.header());
                    out[rtp::FIXED_HEADER..].copy_from_slice(rtp.payload());
                    verdict.patch.apply(&mut out[rtp::FIXED_HEADER..]);
                    black_box(&mut out);
                }
                black_box(verdict);
            }
        }
        let took: Duration = begun.elapsed();
        let what = if copies {
            "decided, copied and rewritten"
        } else {
            "decided"
        };
        let rate = f64::from(sent) / took.as_secs_f64() / 1e6;
        println!(
            "{sent} packets of {PAYLOAD} octets to {SUBSCRIBERS} subscribers {what}: {rate:.1} million a second"
        );
    }
    println!(
        "{} octets for each subscriber of a track",
        size_of::<Downtrack>()
    );
}
