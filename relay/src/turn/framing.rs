//! STUN messages and `ChannelData` on a stream (RFC 8656 §12.5, RFC 8489 §7.2.2): each tells its own length.
//!
//! ```text
//!  STUN         0 0 | type (14 bits) | length of the attributes (16) | … 20 bytes of header in all
//!  ChannelData  0 1 | channel        | length of the data (16)       | data, padded to four bytes
//! ```

/// Bytes from which a frame's length can be told.
pub(super) const PREFIX: usize = 4;

/// The largest frame taken from a stream, in bytes: an Ethernet packet, as with UDP.
pub(super) const MAX_FRAME: usize = 1500;

const STUN_HEADER: usize = 20;

/// The lengths of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lengths {
    /// Of the message itself, prefix included.
    pub(super) message: usize,
    /// Of what stands on the stream: the message and its padding.
    pub(super) padded: usize,
}

/// Why a stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FramingError {
    /// Neither STUN nor `ChannelData`: the stream is not TURN.
    #[error("the stream carries something else than TURN")]
    NotTurn,
    /// More than [`MAX_FRAME`].
    #[error("a frame of {0} bytes is too large")]
    TooLarge(usize),
}

/// The lengths of the frame that begins with `prefix`.
pub(super) fn lengths(prefix: [u8; PREFIX]) -> Result<Lengths, FramingError> {
    let body = usize::from(u16::from_be_bytes([prefix[2], prefix[3]]));
    let lengths = match prefix[0] >> 6 {
        0b00 if body.is_multiple_of(4) => Lengths {
            message: STUN_HEADER + body,
            padded: STUN_HEADER + body,
        },
        0b01 => Lengths {
            message: PREFIX + body,
            padded: (PREFIX + body).next_multiple_of(4),
        },
        _ => return Err(FramingError::NotTurn),
    };
    if lengths.padded > MAX_FRAME {
        return Err(FramingError::TooLarge(lengths.padded));
    }
    Ok(lengths)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_binding_request_without_attributes_has_twenty_bytes() {
        let lengths = lengths([0x00, 0x01, 0x00, 0x00]).expect("STUN");
        assert_eq!((lengths.message, lengths.padded), (20, 20));
    }

    #[test]
    fn channel_data_is_padded_to_four_bytes() {
        let lengths = lengths([0x40, 0x01, 0x00, 0x05]).expect("ChannelData");
        assert_eq!((lengths.message, lengths.padded), (9, 12));
    }

    #[test]
    fn other_protocols_and_giants_are_refused() {
        assert_eq!(lengths(*b"GET "), Err(FramingError::TooLarge(21_540)));
        assert_eq!(lengths([0x16, 3, 1, 2]), Err(FramingError::NotTurn));
        assert_eq!(lengths([0x80, 0, 0, 0]), Err(FramingError::NotTurn));
        assert_eq!(
            lengths([0x40, 1, 0xff, 0xff]),
            Err(FramingError::TooLarge(65_540))
        );
    }

    proptest! {
        #[test]
        fn a_frame_fits_the_buffer_and_holds_its_message(prefix: [u8; PREFIX]) {
            if let Ok(lengths) = lengths(prefix) {
                prop_assert!(lengths.message <= lengths.padded && lengths.padded <= MAX_FRAME);
                prop_assert!(lengths.padded.is_multiple_of(4) && lengths.message >= PREFIX);
            }
        }
    }
}
