//! Retransmissions on a stream of their own (RFC 4588 §4): the payload is preceded by the original sequence number.
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |              RTP header: own SSRC, PT, sequence               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            OSN                |   original RTP payload …      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::forward::rtp::{self, Fields, Rtp, RtpError};

/// Octets of the original sequence number.
const OSN: usize = 2;

/// The retransmission stream towards one subscriber.
#[derive(Debug, Clone)]
pub struct Sender {
    ssrc: u32,
    payload_type: u8,
    next: u16,
}

impl Sender {
    /// `first` is drawn at random by the caller.
    #[must_use]
    pub fn new(ssrc: u32, payload_type: u8, first: u16) -> Self {
        Self {
            ssrc,
            payload_type,
            next: first,
        }
    }

    fn header(&mut self, timestamp: u32, marker: bool) -> Fields {
        let sequence = self.next;
        self.next = sequence.wrapping_add(1);
        Fields {
            marker,
            payload_type: self.payload_type,
            sequence,
            timestamp,
            ssrc: self.ssrc,
        }
    }

    /// Appends a retransmission of a packet to `out`.
    pub fn packet(&mut self, original: &Fields, payload: &[u8], out: &mut Vec<u8>) {
        let header = self.header(original.timestamp, original.marker).header();
        out.extend_from_slice(&header);
        out.extend_from_slice(&original.sequence.to_be_bytes());
        out.extend_from_slice(payload);
    }

    /// Appends a packet of `padding` octets of padding (1 to 255) and nothing else, for probing: it needs no
    /// place in the media stream's numbers.
    pub fn padding(&mut self, timestamp: u32, padding: u8, out: &mut Vec<u8>) {
        let padding = padding.max(1);
        let mut header = self.header(timestamp, false).header();
        header[0] |= 0x20;
        out.extend_from_slice(&header);
        out.resize(out.len() + usize::from(padding) - 1, 0);
        out.push(padding);
    }
}

/// Turns a retransmission back into the packet it repeats, in place. The packet then has `ssrc` and `payload_type`
/// of the primary stream; its extensions stay. Answers the new length, `None` for a packet that only pads.
pub fn restore(packet: &mut [u8], ssrc: u32, payload_type: u8) -> Result<Option<usize>, RtpError> {
    let rtp = Rtp::parse(packet)?;
    let (payload, padding) = (rtp.payload().len(), usize::from(rtp.padding()));
    let Some(&original) = rtp.payload().first_chunk::<OSN>() else {
        return Ok(None);
    };
    let fields = Fields {
        marker: rtp.marker(),
        payload_type,
        sequence: u16::from_be_bytes(original),
        timestamp: rtp.timestamp(),
        ssrc,
    };
    let start = packet.len() - padding - payload;
    rtp::rewrite(packet, &fields)?;
    packet.copy_within(start + OSN.., start);
    Ok(Some(packet.len() - OSN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn padding_is_valid_and_restores_to_nothing() {
        let mut out = Vec::new();
        let mut sender = Sender::new(9, 97, 65535);
        sender.padding(1, 200, &mut out);
        assert_eq!(out.len(), 212);
        let rtp = Rtp::parse(&out).unwrap();
        assert_eq!(
            (rtp.payload().len(), rtp.padding(), rtp.sequence()),
            (0, 200, 65535)
        );
        assert_eq!(restore(&mut out, 1, 96), Ok(None));
        out.clear();
        sender.padding(1, 0, &mut out);
        assert_eq!(Rtp::parse(&out).unwrap().sequence(), 0);
    }

    #[test]
    fn extensions_and_padding_survive() {
        let mut packet = vec![
            0xb0, 0xe1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0, 0x12, 0x34,
            b'h', b'i', 0, 2,
        ];
        let length = restore(&mut packet, 5, 96).unwrap().unwrap();
        let rtp = Rtp::parse(&packet[..length]).unwrap();
        assert_eq!(
            (rtp.sequence(), rtp.ssrc(), rtp.payload_type(), rtp.marker()),
            (0x1234, 5, 96, true)
        );
        assert_eq!(
            (rtp.payload(), rtp.extension(1)),
            (&b"hi"[..], Some(&[7u8][..]))
        );
    }

    proptest! {
        #[test]
        fn there_and_back(payload in proptest::collection::vec(any::<u8>(), 0..50), sequence: u16, timestamp: u32, marker: bool) {
            let original = Fields { marker, payload_type: 96, sequence, timestamp, ssrc: 1 };
            let mut out = Vec::new();
            Sender::new(2, 97, 0).packet(&original, &payload, &mut out);
            let length = restore(&mut out, 1, 96).unwrap().unwrap();
            let mut expected = original.header().to_vec();
            expected.extend_from_slice(&payload);
            prop_assert_eq!(&out[..length], &expected[..]);
        }

        #[test]
        fn hostile_octets_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let length = bytes.len();
            if let Ok(Some(kept)) = restore(&mut bytes, 1, 2) {
                prop_assert_eq!(kept + 2, length);
            }
        }
    }
}
