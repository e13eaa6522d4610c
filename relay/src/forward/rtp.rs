//! RTP packets (RFC 3550 §5.1) and their header extensions (RFC 8285), read and rewritten in place.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                           timestamp                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           synchronization source (SSRC) identifier            |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |        contributing sources, then X: profile, length, data    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use thiserror::Error;

/// Octets of a header without contributing sources and extensions.
pub const FIXED_HEADER: usize = 12;

/// Why octets are not an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RtpError {
    /// The packet ends inside its header or inside an extension.
    #[error("the packet ends inside its header")]
    Truncated,
    /// The first two bits are not 2.
    #[error("RTP version {0} instead of 2")]
    Version(u8),
    /// The last octet promises more padding than there is.
    #[error("{0} octets of padding are more than the packet holds")]
    Padding(u8),
}

/// A checked view of an RTP packet; every accessor is free of panics because [`Rtp::parse`] has measured the packet.
#[derive(Debug, Clone, Copy)]
pub struct Rtp<'a> {
    fixed: [u8; FIXED_HEADER],
    extension_profile: u16,
    extension_data: &'a [u8],
    payload: &'a [u8],
    padding: u8,
}

impl<'a> Rtp<'a> {
    /// Checks the lengths the header claims against the octets there are.
    pub fn parse(packet: &'a [u8]) -> Result<Self, RtpError> {
        let fixed: [u8; FIXED_HEADER] = *packet.first_chunk().ok_or(RtpError::Truncated)?;
        let version = fixed[0] >> 6;
        if version != 2 {
            return Err(RtpError::Version(version));
        }
        let sources = usize::from(fixed[0] & 0x0f) * 4;
        let mut rest = packet
            .get(FIXED_HEADER + sources..)
            .ok_or(RtpError::Truncated)?;
        let (mut extension_profile, mut extension_data) = (0, &packet[..0]);
        if fixed[0] & 0x10 != 0 {
            let head: [u8; 4] = *rest.first_chunk().ok_or(RtpError::Truncated)?;
            let length = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
            extension_profile = u16::from_be_bytes([head[0], head[1]]);
            extension_data = rest.get(4..4 + length).ok_or(RtpError::Truncated)?;
            rest = &rest[4 + length..];
        }
        let mut padding = 0;
        if fixed[0] & 0x20 != 0 {
            padding = *rest.last().ok_or(RtpError::Padding(0))?;
            let kept = rest.len().checked_sub(usize::from(padding));
            match kept {
                Some(kept) if padding > 0 => rest = &rest[..kept],
                _ => return Err(RtpError::Padding(padding)),
            }
        }
        Ok(Self {
            fixed,
            extension_profile,
            extension_data,
            payload: rest,
            padding,
        })
    }

    /// The marker bit: for video the last packet of a frame.
    #[must_use]
    pub fn marker(&self) -> bool {
        self.fixed[1] & 0x80 != 0
    }

    /// Payload type, 0 to 127.
    #[must_use]
    pub fn payload_type(&self) -> u8 {
        self.fixed[1] & 0x7f
    }

    /// Sequence number.
    #[must_use]
    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.fixed[2], self.fixed[3]])
    }

    /// Timestamp in units of the payload's clock.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        u32::from_be_bytes([self.fixed[4], self.fixed[5], self.fixed[6], self.fixed[7]])
    }

    /// Synchronization source.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        u32::from_be_bytes([self.fixed[8], self.fixed[9], self.fixed[10], self.fixed[11]])
    }

    /// The payload without padding; empty for packets that only pad.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Octets of padding at the end, the counting octet included.
    #[must_use]
    pub fn padding(&self) -> u8 {
        self.padding
    }

    /// Header extensions in the order of the packet (RFC 8285 §4.2 one-byte, §4.3 two-byte form). Malformed
    /// elements end the walk.
    #[must_use]
    pub fn extensions(&self) -> Extensions<'a> {
        let form = match self.extension_profile {
            0xbede => Form::OneByte,
            profile if profile & 0xfff0 == 0x1000 => Form::TwoByte,
            _ => Form::Unknown,
        };
        Extensions {
            form,
            rest: self.extension_data,
        }
    }

    /// The data of the extension with this negotiated id.
    #[must_use]
    pub fn extension(&self, id: u8) -> Option<&'a [u8]> {
        self.extensions()
            .find_map(|(found, data)| (found == id).then_some(data))
    }
}

#[derive(Debug, Clone, Copy)]
enum Form {
    OneByte,
    TwoByte,
    Unknown,
}

/// Iterator over `(id, data)`; see [`Rtp::extensions`].
#[derive(Debug, Clone)]
pub struct Extensions<'a> {
    form: Form,
    rest: &'a [u8],
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (&head, after) = self.rest.split_first()?;
            if head == 0 {
                self.rest = after;
                continue;
            }
            let (id, length, body) = match self.form {
                // Id 15 is reserved: everything behind it has to be ignored.
                Form::OneByte if head >> 4 == 15 => return None,
                Form::OneByte => (head >> 4, usize::from(head & 0x0f) + 1, after),
                Form::TwoByte => {
                    let (&length, body) = after.split_first()?;
                    (head, usize::from(length), body)
                }
                Form::Unknown => return None,
            };
            let data = body.get(..length)?;
            self.rest = &body[length..];
            return Some((id, data));
        }
    }
}

/// The header fields that a forwarding unit owns on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// Marker bit.
    pub marker: bool,
    /// Payload type, 0 to 127; the upper bit is ignored.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp.
    pub timestamp: u32,
    /// Synchronization source.
    pub ssrc: u32,
}

impl Fields {
    fn octets(&self) -> [u8; FIXED_HEADER - 1] {
        let mut out = [0; FIXED_HEADER - 1];
        out[0] = (u8::from(self.marker) << 7) | (self.payload_type & 0x7f);
        out[1..3].copy_from_slice(&self.sequence.to_be_bytes());
        out[3..7].copy_from_slice(&self.timestamp.to_be_bytes());
        out[7..11].copy_from_slice(&self.ssrc.to_be_bytes());
        out
    }

    /// A header without sources, extensions and padding.
    #[must_use]
    pub fn header(&self) -> [u8; FIXED_HEADER] {
        let mut out = [0x80; FIXED_HEADER];
        out[1..].copy_from_slice(&self.octets());
        out
    }
}

/// Overwrites the fields in a packet, leaving sources, extensions, payload and padding alone.
pub fn rewrite(packet: &mut [u8], fields: &Fields) -> Result<(), RtpError> {
    let fixed: &mut [u8; FIXED_HEADER] = packet.first_chunk_mut().ok_or(RtpError::Truncated)?;
    if fixed[0] >> 6 != 2 {
        return Err(RtpError::Version(fixed[0] >> 6));
    }
    fixed[1..].copy_from_slice(&fields.octets());
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![first, 0xe0, 0x12, 0x34, 0, 0, 0, 7, 0xde, 0xad, 0xbe, 0xef];
        packet.extend_from_slice(rest);
        packet
    }

    #[test]
    fn plain_header_is_read() {
        let bytes = packet(0x80, b"media");
        let rtp = Rtp::parse(&bytes).unwrap();
        assert!(rtp.marker());
        assert_eq!(rtp.payload_type(), 96);
        assert_eq!(rtp.sequence(), 0x1234);
        assert_eq!(rtp.timestamp(), 7);
        assert_eq!(rtp.ssrc(), 0xdead_beef);
        assert_eq!(rtp.payload(), b"media");
        assert_eq!(rtp.extensions().count(), 0);
    }

    #[test]
    fn one_byte_extensions_skip_padding_and_stop_at_fifteen() {
        let bytes = packet(
            0x90,
            &[
                0xbe, 0xde, 0, 3, 0x11, 1, 2, 0, 0x30, 9, 0xf0, 7, 0x40, 8, 0, 0, b'x',
            ],
        );
        let rtp = Rtp::parse(&bytes).unwrap();
        let found: Vec<_> = rtp.extensions().collect();
        assert_eq!(found, [(1, &[1u8, 2][..]), (3, &[9u8][..])]);
        assert_eq!(rtp.extension(3), Some(&[9u8][..]));
        assert_eq!(rtp.extension(4), None);
        assert_eq!(rtp.payload(), b"x");
    }

    #[test]
    fn two_byte_extensions_may_be_empty_or_long() {
        let bytes = packet(0x90, &[0x10, 0x00, 0, 2, 20, 0, 0, 21, 3, 1, 2, 3, b'x']);
        let rtp = Rtp::parse(&bytes).unwrap();
        assert_eq!(rtp.extension(20), Some(&[][..]));
        assert_eq!(rtp.extension(21), Some(&[1u8, 2, 3][..]));
    }

    #[test]
    fn sources_and_padding_are_measured() {
        let bytes = packet(0xa1, &[1, 2, 3, 4, b'h', b'i', 0, 0, 3]);
        let rtp = Rtp::parse(&bytes).unwrap();
        assert_eq!(rtp.payload(), b"hi");
        assert_eq!(rtp.padding(), 3);
    }

    #[test]
    fn lies_about_length_are_refused() {
        assert_eq!(Rtp::parse(&[0x80; 11]).unwrap_err(), RtpError::Truncated);
        assert_eq!(
            Rtp::parse(&packet(0x40, b"")).unwrap_err(),
            RtpError::Version(1)
        );
        assert_eq!(
            Rtp::parse(&packet(0x8f, b"abc")).unwrap_err(),
            RtpError::Truncated
        );
        assert_eq!(
            Rtp::parse(&packet(0x90, &[0xbe, 0xde, 0, 9, 0])).unwrap_err(),
            RtpError::Truncated
        );
        assert_eq!(
            Rtp::parse(&packet(0xa0, &[1, 9])).unwrap_err(),
            RtpError::Padding(9)
        );
        assert_eq!(
            Rtp::parse(&packet(0xa0, &[1, 0])).unwrap_err(),
            RtpError::Padding(0)
        );
        assert_eq!(
            Rtp::parse(&packet(0xa0, &[])).unwrap_err(),
            RtpError::Padding(0)
        );
    }

    proptest! {
        #[test]
        fn arbitrary_octets_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(rtp) = Rtp::parse(&bytes) {
                prop_assert!(rtp.payload().len() + FIXED_HEADER <= bytes.len());
                prop_assert!(rtp.extensions().count() <= bytes.len());
            }
        }

        #[test]
        fn rewriting_changes_the_five_fields_alone(
            tail in proptest::collection::vec(any::<u8>(), 0..40),
            marker: bool, payload_type in 0u8..128, sequence: u16, timestamp: u32, ssrc: u32,
        ) {
            let mut bytes = packet(0x80, &tail);
            let fields = Fields { marker, payload_type, sequence, timestamp, ssrc };
            rewrite(&mut bytes, &fields).unwrap();
            let rtp = Rtp::parse(&bytes).unwrap();
            prop_assert_eq!(
                fields,
                Fields {
                    marker: rtp.marker(),
                    payload_type: rtp.payload_type(),
                    sequence: rtp.sequence(),
                    timestamp: rtp.timestamp(),
                    ssrc: rtp.ssrc(),
                }
            );
            prop_assert_eq!(rtp.payload(), &tail[..]);
            prop_assert_eq!(&bytes[..FIXED_HEADER], &fields.header()[..]);
        }
    }
}
