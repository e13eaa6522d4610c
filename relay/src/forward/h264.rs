//! H.264 payloads (RFC 6184 §5): where a key frame begins.
//!
//! ```text
//! +---------------+
//! |F|NRI|  Type   |  1..23 one NAL unit, 24/25 STAP, 28/29 FU with an octet |S|E|R| Type |
//! +---------------+
//! ```
//!
//! A decoder needs the sequence parameter set before the first IDR slice, and senders put it right before, mostly in
//! one STAP-A. So the sequence parameter set counts as the beginning, not the IDR slice behind it: who starts at
//! the slice shows nothing.

const SPS: u8 = 7;
const STAP_A: u8 = 24;
const STAP_B: u8 = 25;
const FU_A: u8 = 28;
const FU_B: u8 = 29;

fn kind(octet: u8) -> u8 {
    octet & 0x1f
}

/// Whether this payload holds, or begins, a sequence parameter set.
#[must_use]
pub fn starts_keyframe(payload: &[u8]) -> bool {
    let Some((&first, rest)) = payload.split_first() else {
        return false;
    };
    match kind(first) {
        SPS => true,
        STAP_A => aggregate(rest),
        // STAP-B has a decoding order number before its units.
        STAP_B => rest.get(2..).is_some_and(aggregate),
        FU_A | FU_B => rest
            .first()
            .is_some_and(|&head| head & 0x80 != 0 && kind(head) == SPS),
        _ => false,
    }
}

fn aggregate(mut units: &[u8]) -> bool {
    while let [high, low, rest @ ..] = units {
        let size = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(unit) = rest.get(..size) else {
            return false;
        };
        if unit.first().is_some_and(|&octet| kind(octet) == SPS) {
            return true;
        }
        units = &rest[size..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_sets_start_a_keyframe() {
        assert!(starts_keyframe(&[0x67, 0x42]));
        assert!(starts_keyframe(&[0x78, 0, 2, 0x67, 0x42, 0, 1, 0x68]));
        assert!(starts_keyframe(&[0x78, 0, 1, 0x68, 0, 2, 0x67, 0x42]));
        assert!(starts_keyframe(&[0x79, 0, 0, 0, 1, 0x67]));
        assert!(starts_keyframe(&[0x7c, 0x87, 0x42]));
    }

    #[test]
    fn slices_and_fragments_do_not() {
        assert!(!starts_keyframe(&[0x65, 0x88]));
        assert!(!starts_keyframe(&[0x41]));
        assert!(!starts_keyframe(&[0x7c, 0x07]));
        assert!(!starts_keyframe(&[0x7c, 0x85]));
        assert!(!starts_keyframe(&[0x78, 0, 9, 0x67]));
        assert!(!starts_keyframe(&[0x78, 0, 0]));
        assert!(!starts_keyframe(&[]));
    }
}
