//! AV1 payloads (RTP Payload Format For AV1 1.0 §4.4) and the dependency descriptor extension (its appendix A.8).
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! |Z|Y| W |N|-|-|-|   aggregation header
//! +-+-+-+-+-+-+-+-+
//! |S|E| template  |   dependency descriptor, then the frame number (16 bits),
//! +-+-+-+-+-+-+-+-+   then its extended fields, |T|…: template structure present
//! ```

/// Whether this is the first packet of a coded video sequence (N set, and no continuation of an OBU).
#[must_use]
pub fn starts_sequence(payload: &[u8]) -> bool {
    payload.first().is_some_and(|header| header & 0x88 == 0x08)
}

/// Whether a dependency descriptor announces a key frame: the first packet of a frame that brings a new template
/// structure. `extension` is the data of the header extension.
#[must_use]
pub fn descriptor_starts_keyframe(extension: &[u8]) -> bool {
    match extension {
        [first, _, _, extended, ..] => first & 0x80 != 0 && extended & 0x80 != 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_sequence_is_seen() {
        assert!(starts_sequence(&[0x18, 0x0a]));
        assert!(!starts_sequence(&[0x10, 0x32]));
        assert!(!starts_sequence(&[0x98]));
        assert!(!starts_sequence(&[]));
    }

    #[test]
    fn a_new_structure_is_seen_at_the_start_of_a_frame_alone() {
        assert!(descriptor_starts_keyframe(&[0x80, 0, 1, 0x80, 0x12]));
        assert!(!descriptor_starts_keyframe(&[0x00, 0, 1, 0x80, 0x12]));
        assert!(!descriptor_starts_keyframe(&[0xc1, 0, 1]));
        assert!(!descriptor_starts_keyframe(&[0xc1, 0, 1, 0x40]));
    }
}
