//! What the forwarding core has to know about a payload, whatever its codec: read once for each inbound packet,
//! used by every subscriber.
//!
//! With end-to-end encrypted frames the RTP payload descriptor stays in clear (it is added after encryption), and
//! so do the first octets of the frame that say whether it is a key frame. Nothing beyond them is read or changed.

use crate::forward::{av1, h264, vp8, vp9};

/// Codecs that are forwarded; anything else travels as [`Codec::Other`], untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184.
    H264,
    /// AV1 RTP payload format 1.0.
    Av1,
    /// Anything that needs no key frame to be joined, other audio above all.
    Other,
}

impl Codec {
    /// Reads the subtype of a media type such as `video/VP8`, in any case.
    #[must_use]
    pub fn from_mime(mime: &str) -> Self {
        let subtype = mime.rsplit('/').next().unwrap_or_default();
        let known = [
            ("opus", Self::Opus),
            ("vp8", Self::Vp8),
            ("vp9", Self::Vp9),
            ("h264", Self::H264),
            ("av1", Self::Av1),
        ];
        known
            .iter()
            .find(|(name, _)| subtype.eq_ignore_ascii_case(name))
            .map_or(Self::Other, |&(_, codec)| codec)
    }

    /// Whether a decoder can only begin at a key frame.
    #[must_use]
    pub fn needs_keyframe(self) -> bool {
        !matches!(self, Self::Opus | Self::Other)
    }

    /// RTP clock rate in Hz.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Opus | Self::Other => 48_000,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => 90_000,
        }
    }
}

/// The picture id of VP8 or VP9 and where in the payload it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureId {
    /// Offset of its first octet.
    pub at: u8,
    /// The id, 15 or 7 bits.
    pub value: u16,
    /// Whether it takes two octets (15 bits).
    pub wide: bool,
}

impl PictureId {
    /// Width in bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        if self.wide { 15 } else { 7 }
    }
}

/// A number of at most one octet and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Small {
    /// Offset of its octet.
    pub at: u8,
    /// Its value.
    pub value: u8,
}

/// A frame's place in the temporal layering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporal {
    /// Temporal layer id, 0 is the base.
    pub id: u8,
    /// Whether whoever got fewer layers can get more from here on.
    pub up: Up,
}

/// What a frame says of going up to higher temporal layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Up {
    /// Nothing.
    No,
    /// This frame refers to the base layer only: one can go up to its layer with it (VP8's Y).
    Here,
    /// No frame of a higher layer behind this one refers to one of a higher layer before it: one can go up to all of
    /// them behind it (VP9's U). Of what this frame refers to, it says nothing.
    Behind,
}

/// What was read from a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payload {
    /// Octets of payload descriptor before the codec's own data.
    pub descriptor: usize,
    /// This packet begins a key frame, parameter sets included.
    pub keyframe: bool,
    /// Temporal layer, where the codec tells.
    pub temporal: Option<Temporal>,
    /// VP8 and VP9.
    pub picture_id: Option<PictureId>,
    /// TL0PICIDX of VP8 and VP9.
    pub base_index: Option<Small>,
    /// KEYIDX of VP8, five bits.
    pub key_index: Option<Small>,
}

/// Reads a payload. What cannot be read counts as a plain delta packet: it is forwarded unchanged and never
/// starts a layer.
#[must_use]
pub fn inspect(codec: Codec, payload: &[u8]) -> Payload {
    let read = match codec {
        Codec::Vp8 => vp8::inspect(payload),
        Codec::Vp9 => vp9::inspect(payload),
        Codec::H264 => Some(Payload {
            keyframe: h264::starts_keyframe(payload),
            ..Payload::default()
        }),
        Codec::Av1 => Some(Payload {
            keyframe: av1::starts_sequence(payload),
            descriptor: 1,
            ..Payload::default()
        }),
        Codec::Opus | Codec::Other => None,
    };
    read.unwrap_or_default()
}

/// Numbers to write into a copy of the payload before it is sent. It never changes a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patch {
    /// New picture id.
    pub picture_id: Option<PictureId>,
    /// New TL0PICIDX.
    pub base_index: Option<Small>,
    /// New KEYIDX.
    pub key_index: Option<Small>,
}

impl Patch {
    /// Whether the payload can be sent as it came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the numbers; places outside of `payload` are passed over.
    pub fn apply(&self, payload: &mut [u8]) {
        if let Some(id) = self.picture_id {
            let [high, low] = id.value.to_be_bytes();
            let at = usize::from(id.at);
            match payload.get_mut(at..) {
                Some([first, second, ..]) if id.wide => (*first, *second) = (0x80 | high, low),
                Some([first, ..]) if !id.wide => *first = low & 0x7f,
                _ => {}
            }
        }
        if let Some(index) = self.base_index
            && let Some(octet) = payload.get_mut(usize::from(index.at))
        {
            *octet = index.value;
        }
        if let Some(index) = self.key_index
            && let Some(octet) = payload.get_mut(usize::from(index.at))
        {
            *octet = (*octet & 0xe0) | (index.value & 0x1f);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn media_types_are_read_in_any_case() {
        assert_eq!(Codec::from_mime("video/VP8"), Codec::Vp8);
        assert_eq!(Codec::from_mime("audio/opus"), Codec::Opus);
        assert_eq!(Codec::from_mime("audio/red"), Codec::Other);
        assert_eq!(Codec::from_mime(""), Codec::Other);
    }

    proptest! {
        #[test]
        fn hostile_payloads_never_panic(
            codec in prop_oneof![Just(Codec::Vp8), Just(Codec::Vp9), Just(Codec::H264), Just(Codec::Av1), Just(Codec::Opus)],
            mut bytes in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let read = inspect(codec, &bytes);
            prop_assert!(read.descriptor <= bytes.len().max(1));
            // What was read patches back to the same octets.
            let patch = Patch { picture_id: read.picture_id, base_index: read.base_index, key_index: read.key_index };
            let before = bytes.clone();
            patch.apply(&mut bytes);
            prop_assert_eq!(before, bytes);
        }
    }
}
