//! VP9 payload descriptor (RFC 9628 §4.2), as far as forwarding needs it.
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     +-+-+-+-+-+-+-+-+
//!     |I|P|L|F|B|E|V|Z| (required)
//!     +-+-+-+-+-+-+-+-+
//! I:  |M| PICTURE ID  | (two octets if M)
//!     +-+-+-+-+-+-+-+-+
//! L:  | TID |U| SID |D|
//!     +-+-+-+-+-+-+-+-+
//!     |   TL0PICIDX   | (only without F)
//!     +-+-+-+-+-+-+-+-+
//! F,P:|   P_DIFF    |N| (up to three, while N)
//!     +-+-+-+-+-+-+-+-+
//! V:  scalability structure
//! ```

use crate::forward::{
    payload::{Payload, Small, Temporal, Up},
    vp8::picture_id,
};

/// Reads the descriptor up to and with the layer indices; `None` if the payload ends too early.
/// [`Payload::descriptor`] counts to the end of those fields, references and structure excluded.
#[must_use]
pub fn inspect(payload: &[u8]) -> Option<Payload> {
    let flags = *payload.first()?;
    let has = |bit: u8| flags & bit != 0;
    let mut at = 1_u8;
    let mut read = Payload::default();
    if has(0x80) {
        let id = picture_id(payload, at)?;
        at += if id.wide { 2 } else { 1 };
        read.picture_id = Some(id);
    }
    let mut spatial = 0;
    if has(0x20) {
        let layers = *payload.get(usize::from(at))?;
        at += 1;
        read.temporal = Some(Temporal {
            id: layers >> 5,
            up: if layers & 0x10 == 0 {
                Up::No
            } else {
                Up::Behind
            },
        });
        spatial = (layers >> 1) & 0x07;
        if !has(0x10) {
            read.base_index = Some(Small {
                at,
                value: *payload.get(usize::from(at))?,
            });
            at += 1;
        }
    }
    read.descriptor = usize::from(at);
    // Not predicted from another picture, begins a frame, lowest spatial layer: a decoder can start here.
    read.keyframe = !has(0x40) && has(0x08) && spatial == 0;
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::payload::PictureId;

    #[test]
    fn keyframe_with_layers() {
        let read = inspect(&[0xa8, 0x81, 0x02, 0x10, 0x09, 0xff]).unwrap();
        assert!(read.keyframe);
        assert_eq!(
            read.picture_id,
            Some(PictureId {
                at: 1,
                value: 0x102,
                wide: true
            })
        );
        assert_eq!(
            read.temporal,
            Some(Temporal {
                id: 0,
                up: Up::Behind
            })
        );
        assert_eq!(read.base_index, Some(Small { at: 4, value: 9 }));
        assert_eq!(read.descriptor, 5);
    }

    #[test]
    fn predicted_later_or_upper_layer_packets_start_nothing() {
        assert!(!inspect(&[0x48]).unwrap().keyframe);
        assert!(!inspect(&[0x00]).unwrap().keyframe);
        assert!(!inspect(&[0x28, 0x02, 0x00]).unwrap().keyframe);
        // Flexible mode carries no TL0PICIDX.
        assert_eq!(inspect(&[0x38, 0x40]).unwrap().base_index, None);
        assert!(inspect(&[0x80]).is_none());
    }
}
