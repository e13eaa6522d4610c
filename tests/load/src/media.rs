//! Synthetic media at real rates: VP8 in three layers, as a 720p camera has it, and Opus.
//!
//! Descriptors, frame headers, picture ids and timestamps are those of real streams; the rest of a payload is filler.
//! Its last eight bytes are the moment it was sent, which no relay touches; [`Piece::stamp`] writes it.

use std::time::{Duration, Instant};

use bytes::{BufMut as _, BytesMut};

const FRAMES_PER_SECOND: u32 = 25;
const SOUND_EVERY: Duration = Duration::from_millis(20);
const SOUND_BYTES: usize = 80;
/// The moment a packet was sent, at its end.
const STAMP_BYTES: usize = size_of::<u64>();
/// What a packet carries at most.
const PACKET_BYTES: usize = 1_100;
const FILLER: u8 = 0x5a;
/// A key frame is that much larger than another.
const KEY_FRAME_FACTOR: usize = 3;
/// Key frames come by the clock instead of on request.
const KEY_FRAME_EVERY: u32 = 2 * FRAMES_PER_SECOND;

/// A layer of the camera.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer {
    pub(crate) rid: &'static str,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) bits_per_second: u32,
}

/// 720p and what goes with it.
pub(crate) const LAYERS: [Layer; 3] = [
    Layer {
        rid: "q",
        width: 320,
        height: 180,
        bits_per_second: 200_000,
    },
    Layer {
        rid: "h",
        width: 640,
        height: 360,
        bits_per_second: 600_000,
    },
    Layer {
        rid: "f",
        width: 1280,
        height: 720,
        bits_per_second: 2_000_000,
    },
];

/// A packet to send, without what the connection knows.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Which of [`LAYERS`]; `None` for sound.
    pub(crate) layer: Option<usize>,
    pub(crate) marker: bool,
    pub(crate) timestamp: u32,
    pub(crate) payload: BytesMut,
}

impl Piece {
    /// Notes in the payload that it is sent at this moment, as time since the zero of all clocks in payloads.
    pub(crate) fn stamp(&mut self, sent: Duration) {
        let nanoseconds = u64::try_from(sent.as_nanos()).unwrap_or(u64::MAX);
        let stamp = self.payload.len().saturating_sub(STAMP_BYTES);
        self.payload.truncate(stamp);
        self.payload.put_u64(nanoseconds);
    }
}

/// Everything one participant sends.
#[derive(Debug)]
pub(crate) struct Source {
    next_frame: Instant,
    next_sound: Instant,
    frame: u32,
    sound: u32,
}

impl Source {
    pub(crate) fn starting(now: Instant) -> Self {
        Self {
            next_frame: now,
            next_sound: now,
            frame: 0,
            sound: 0,
        }
    }

    /// When the next packet is due.
    pub(crate) fn due(&self) -> Instant {
        self.next_frame.min(self.next_sound)
    }

    /// What is due now, to be stamped.
    pub(crate) fn pieces(&mut self, now: Instant) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while self.next_sound <= now {
            self.next_sound += SOUND_EVERY;
            let mut payload = BytesMut::with_capacity(SOUND_BYTES);
            // The head of a packet of 20 ms, wide band, CELT only.
            payload.put_u8(0xf8);
            payload.resize(SOUND_BYTES, FILLER);
            pieces.push(Piece {
                layer: None,
                marker: self.sound == 0,
                timestamp: self.sound.wrapping_mul(960),
                payload,
            });
            self.sound += 1;
        }
        while self.next_frame <= now {
            self.next_frame += Duration::from_secs(1) / FRAMES_PER_SECOND;
            for layer in 0..LAYERS.len() {
                self.frame_of(layer, &mut pieces);
            }
            self.frame += 1;
        }
        pieces
    }

    fn frame_of(&self, index: usize, pieces: &mut Vec<Piece>) {
        let layer = LAYERS[index];
        let key = self.frame.is_multiple_of(KEY_FRAME_EVERY);
        let mut left = (layer.bits_per_second / 8 / FRAMES_PER_SECOND) as usize;
        if key {
            left *= KEY_FRAME_FACTOR;
        }
        let mut first = true;
        while left > 0 {
            let bytes = left.min(PACKET_BYTES);
            left -= bytes;
            let mut payload = BytesMut::with_capacity(PACKET_BYTES + 16);
            self.descriptor(first, &mut payload);
            if first {
                frame_header(layer, key, &mut payload);
            }
            let length = payload.len() + bytes.max(16);
            payload.resize(length, FILLER);
            pieces.push(Piece {
                layer: Some(index),
                marker: left == 0,
                timestamp: self.frame.wrapping_mul(90_000 / FRAMES_PER_SECOND),
                payload,
            });
            first = false;
        }
    }

    /// RFC 7741 §4.2: extended, with a picture id of 15 bits, `TL0PICIDX` and `TID`.
    fn descriptor(&self, first: bool, payload: &mut BytesMut) {
        payload.put_u8(if first { 0x90 } else { 0x80 });
        payload.put_u8(0xe0);
        payload.put_u16(0x8000 | u16::try_from(self.frame & 0x7fff).unwrap_or_default());
        payload.put_u8(self.frame.to_be_bytes()[3]);
        payload.put_u8(0);
    }
}

/// RFC 6386 §9.1.
fn frame_header(layer: Layer, key: bool, payload: &mut BytesMut) {
    payload.put_slice(&[if key { 0x10 } else { 0x11 }, 0, 0]);
    if key {
        payload.put_slice(&[0x9d, 0x01, 0x2a]);
        payload.put_u16_le(layer.width);
        payload.put_u16_le(layer.height);
    }
}

/// How long a packet was on its way; `None` when it is none of ours (padding, for instance).
pub(crate) fn travelled(payload: &[u8], epoch: Instant, now: Instant) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_mins(1);
    let sent = u64::from_be_bytes(*payload.last_chunk::<8>()?);
    let now = now.saturating_duration_since(epoch);
    let travelled = now.checked_sub(Duration::from_nanos(sent))?;
    (travelled < LONGEST).then_some(travelled)
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "instants have no other beginning"
)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_the_bits_it_should_have() {
        let epoch = Instant::now();
        let mut source = Source::starting(epoch);
        // The first frame is a large one.
        source.pieces(epoch);
        let second = source.pieces(epoch + Duration::from_secs(1));
        for (index, layer) in LAYERS.iter().enumerate() {
            let bytes: usize = second
                .iter()
                .filter(|piece| piece.layer == Some(index))
                .map(|piece| piece.payload.len())
                .sum();
            let wanted = layer.bits_per_second as usize / 8;
            assert!((wanted..wanted * 11 / 10).contains(&bytes), "{bytes}");
        }
        assert_eq!(
            second.iter().filter(|piece| piece.layer.is_none()).count(),
            50
        );
        assert!(second.iter().all(|piece| piece.payload.len() < 1_150));
    }

    #[test]
    fn a_packet_tells_how_long_it_travelled() {
        let epoch = Instant::now();
        let sent = epoch + Duration::from_millis(40);
        let mut piece = Source::starting(sent).pieces(sent).remove(0);
        let length = piece.payload.len();
        piece.stamp(sent - epoch);
        assert_eq!(piece.payload.len(), length);
        let arrived = sent + Duration::from_micros(250);
        let travelled = |payload: &[u8]| super::travelled(payload, epoch, arrived);
        assert_eq!(travelled(&piece.payload), Some(Duration::from_micros(250)));
        assert_eq!(travelled(&[0xff; 20]), None);
        assert_eq!(travelled(&[]), None);
    }
}
