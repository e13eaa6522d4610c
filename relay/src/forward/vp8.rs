//! VP8 payload descriptor (RFC 7741 §4.2).
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     +-+-+-+-+-+-+-+-+
//!     |X|R|N|S|R| PID | (required)
//!     +-+-+-+-+-+-+-+-+
//! X:  |I|L|T|K| RSV   | (optional)
//!     +-+-+-+-+-+-+-+-+
//! I:  |M| PictureID   | (optional, two octets if M)
//!     +-+-+-+-+-+-+-+-+
//! L:  |   TL0PICIDX   | (optional)
//!     +-+-+-+-+-+-+-+-+
//! T/K:|TID|Y| KEYIDX  | (optional)
//!     +-+-+-+-+-+-+-+-+
//! ```

use crate::forward::payload::{Payload, PictureId, Small, Temporal, Up};

/// Reads the descriptor and the first octet of the frame behind it; `None` if the payload ends too early.
#[must_use]
pub fn inspect(payload: &[u8]) -> Option<Payload> {
    let required = *payload.first()?;
    let mut at = 1_u8;
    let mut read = Payload::default();
    if required & 0x80 != 0 {
        let flags = *payload.get(1)?;
        at = 2;
        if flags & 0x80 != 0 {
            let id = picture_id(payload, at)?;
            at += if id.wide { 2 } else { 1 };
            read.picture_id = Some(id);
        }
        if flags & 0x40 != 0 {
            read.base_index = Some(Small {
                at,
                value: *payload.get(usize::from(at))?,
            });
            at += 1;
        }
        if flags & 0x30 != 0 {
            let octet = *payload.get(usize::from(at))?;
            read.temporal = (flags & 0x20 != 0).then_some(Temporal {
                id: octet >> 6,
                up: if octet & 0x20 == 0 { Up::No } else { Up::Here },
            });
            read.key_index = (flags & 0x10 != 0).then_some(Small {
                at,
                value: octet & 0x1f,
            });
            at += 1;
        }
    }
    read.descriptor = usize::from(at);
    // §4.3: P, the lowest bit of the frame's first octet, is clear in key frames. S with partition 0 starts a frame.
    let starts = required & 0x17 == 0x10;
    read.keyframe = match payload.get(read.descriptor) {
        Some(octet) => starts && octet & 0x01 == 0,
        None => false,
    };
    Some(read)
}

/// The picture id of VP8 and VP9: seven bits, or fifteen when the first bit is set.
pub(crate) fn picture_id(payload: &[u8], at: u8) -> Option<PictureId> {
    let first = *payload.get(usize::from(at))?;
    if first & 0x80 == 0 {
        return Some(PictureId {
            at,
            value: u16::from(first),
            wide: false,
        });
    }
    let second = *payload.get(usize::from(at) + 1)?;
    Some(PictureId {
        at,
        value: u16::from_be_bytes([first & 0x7f, second]),
        wide: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::payload::Patch;

    #[test]
    fn shortest_descriptor() {
        let read = inspect(&[0x10, 0x00]).unwrap();
        assert_eq!((read.descriptor, read.keyframe), (1, true));
        assert!(!inspect(&[0x10, 0x01]).unwrap().keyframe);
        assert!(!inspect(&[0x00, 0x00]).unwrap().keyframe);
        assert!(!inspect(&[0x11, 0x00]).unwrap().keyframe);
        assert!(inspect(&[]).is_none());
    }

    #[test]
    fn everything_in_it() {
        let read = inspect(&[0x90, 0xf0, 0x92, 0x34, 0x55, 0xa7, 0x00]).unwrap();
        assert_eq!(read.descriptor, 6);
        assert!(read.keyframe);
        assert_eq!(
            read.picture_id,
            Some(PictureId {
                at: 2,
                value: 0x1234,
                wide: true
            })
        );
        assert_eq!(read.base_index, Some(Small { at: 4, value: 0x55 }));
        assert_eq!(
            read.temporal,
            Some(Temporal {
                id: 2,
                up: Up::Here
            })
        );
        assert_eq!(read.key_index, Some(Small { at: 5, value: 7 }));
    }

    #[test]
    fn short_picture_id_and_truncation() {
        let read = inspect(&[0x80, 0x80, 0x7f, 0x01]).unwrap();
        assert_eq!(
            read.picture_id,
            Some(PictureId {
                at: 2,
                value: 127,
                wide: false
            })
        );
        assert!(inspect(&[0x80, 0x80, 0xff]).is_none());
        assert!(inspect(&[0x80, 0xc0, 0x01]).is_none());
        assert!(inspect(&[0x80]).is_none());
    }

    #[test]
    fn a_patch_leaves_neighbouring_bits_alone() {
        let mut payload = [0x90, 0xf0, 0x92, 0x34, 0x55, 0xa7, 0x00];
        Patch {
            picture_id: Some(PictureId {
                at: 2,
                value: 0x7fff,
                wide: true,
            }),
            base_index: Some(Small { at: 4, value: 1 }),
            key_index: Some(Small { at: 5, value: 0x1f }),
        }
        .apply(&mut payload);
        assert_eq!(payload, [0x90, 0xf0, 0xff, 0xff, 0x01, 0xbf, 0x00]);
    }
}
