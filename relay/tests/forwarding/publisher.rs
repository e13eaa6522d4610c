//! A VP8 simulcast publisher: three layers of three temporal layers each, thirty frames a second, key frames on
//! request only. Behind the payload descriptor every packet tells the truth about itself, for the decoder to check.

use std::collections::BTreeMap;

use relay::forward::{MAX_LAYERS, rtp::Fields};

use crate::links::{Datagram, Rng};

pub(crate) const BITS: [u64; MAX_LAYERS] = [100_000, 350_000, 1_200_000];
pub(crate) const PAYLOAD_TYPE: u8 = 96;
const FRAME_MS: u64 = 33;
const MTU: u64 = 1000;
/// Key frames are so many times larger.
const KEY_FACTOR: u64 = 5;

/// What a packet says about itself behind its descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) layer: u8,
    pub(crate) frame: u32,
    pub(crate) part: u16,
    pub(crate) parts: u16,
    /// The frame it refers to, itself for key frames.
    pub(crate) reference: u32,
}

/// Octets of the descriptor that this publisher writes.
pub(crate) const DESCRIPTOR: usize = 6;

impl Truth {
    fn write(&self, key: bool, out: &mut Vec<u8>) {
        out.push(u8::from(!key));
        out.push(self.layer);
        out.extend_from_slice(&self.frame.to_be_bytes());
        out.extend_from_slice(&self.part.to_be_bytes());
        out.extend_from_slice(&self.parts.to_be_bytes());
        out.extend_from_slice(&self.reference.to_be_bytes());
    }

    pub(crate) fn read(payload: &[u8]) -> Self {
        let body = &payload[DESCRIPTOR + 1..];
        let word = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().unwrap());
        let half = |at: usize| u16::from_be_bytes(body[at..at + 2].try_into().unwrap());
        Self {
            layer: body[0],
            frame: word(1),
            part: half(5),
            parts: half(7),
            reference: word(9),
        }
    }
}

struct Layer {
    sequence: u16,
    timestamp: u32,
    picture: u16,
    base_index: u8,
    key_index: u8,
    /// Place in the pattern of temporal layers.
    place: u8,
    frame: u32,
    last_base: u32,
    wants_key: bool,
    on: bool,
    keyframes: u32,
    sent: BTreeMap<u16, Vec<u8>>,
}

pub(crate) struct Publisher {
    layers: Vec<Layer>,
}

pub(crate) fn ssrc(layer: usize) -> u32 {
    100 + u32::try_from(layer).unwrap()
}

impl Publisher {
    /// Every counter starts anywhere, near its end too.
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let layers = (0..MAX_LAYERS)
            .map(|_| Layer {
                sequence: u16::try_from(65_535 - rng.below(400)).unwrap(),
                timestamp: u32::MAX - u32::try_from(rng.below(1_000_000)).unwrap(),
                picture: u16::try_from(32_767 - rng.below(100)).unwrap(),
                base_index: u8::try_from(rng.below(256)).unwrap(),
                key_index: u8::try_from(rng.below(32)).unwrap(),
                place: 0,
                frame: 0,
                last_base: 0,
                wants_key: true,
                on: true,
                keyframes: 0,
                sent: BTreeMap::new(),
            })
            .collect();
        Self { layers }
    }

    pub(crate) fn ask(&mut self, layer: u8) {
        self.layers[usize::from(layer)].wants_key = true;
    }

    pub(crate) fn stop(&mut self, layer: u8) {
        self.layers[usize::from(layer)].on = false;
    }

    pub(crate) fn keyframes(&self, layer: u8) -> u32 {
        self.layers[usize::from(layer)].keyframes
    }

    pub(crate) fn again(&self, layer: u8, sequence: u16) -> Option<Datagram> {
        let bytes = self.layers[usize::from(layer)].sent.get(&sequence)?.clone();
        Some(Datagram {
            transport: 0,
            bytes,
        })
    }

    pub(crate) fn step(&mut self, now: u64) -> Vec<Datagram> {
        if !now.is_multiple_of(FRAME_MS) {
            return Vec::new();
        }
        let frames = self
            .layers
            .iter_mut()
            .enumerate()
            .filter(|(_, layer)| layer.on);
        frames
            .flat_map(|(index, layer)| layer.frame(index))
            .collect()
    }
}

impl Layer {
    fn frame(&mut self, index: usize) -> Vec<Datagram> {
        let key = std::mem::take(&mut self.wants_key);
        self.frame += 1;
        self.timestamp = self.timestamp.wrapping_add(2970);
        self.picture = (self.picture + 1) & 0x7fff;
        if key {
            self.place = 0;
            self.keyframes += 1;
            self.key_index = (self.key_index + 1) & 0x1f;
        }
        // 0 refers to the last 0; the first 2 and the 1 refer to the 0; the second 2 refers to the 1.
        let (temporal, sync, reference) = match self.place {
            0 => (0, false, self.last_base),
            1 => (2, true, self.last_base),
            2 => (1, true, self.last_base),
            _ => (2, false, self.frame - 1),
        };
        let reference = if key { self.frame } else { reference };
        if temporal == 0 {
            self.base_index = self.base_index.wrapping_add(1);
            self.last_base = self.frame;
        }
        self.place = (self.place + 1) % 4;

        let size = BITS[index] * FRAME_MS / 8000 * if key { KEY_FACTOR } else { 1 };
        let parts = u16::try_from(size.div_ceil(MTU)).unwrap();
        (0..parts)
            .map(|part| {
                let fields = Fields {
                    marker: part + 1 == parts,
                    payload_type: PAYLOAD_TYPE,
                    sequence: self.sequence,
                    timestamp: self.timestamp,
                    ssrc: ssrc(index),
                };
                let mut bytes = fields.header().to_vec();
                let [high, low] = self.picture.to_be_bytes();
                let start = if part == 0 { 0x90 } else { 0x80 };
                let last = (temporal << 6) | (u8::from(sync) << 5) | self.key_index;
                bytes.extend_from_slice(&[start, 0xf0, 0x80 | high, low, self.base_index, last]);
                let layer = u8::try_from(index).unwrap();
                Truth {
                    layer,
                    frame: self.frame,
                    part,
                    parts,
                    reference,
                }
                .write(key, &mut bytes);
                let length = usize::try_from(size / u64::from(parts)).unwrap();
                bytes.resize(bytes.len().max(length), 0);
                self.sent.insert(self.sequence, bytes.clone());
                self.sequence = self.sequence.wrapping_add(1);
                Datagram {
                    transport: 0,
                    bytes,
                }
            })
            .collect()
    }
}
