//! Media as it is on the network: RTP sealed and opened under a connection's keys (RFC 3711, RFC 7714).
//!
//! The stack has contexts of its own for the same keys and seals RTCP with them. RTP goes through these alone, so that
//! no packet index is used twice. What the peer seals, RTP and RTCP, is opened here.

use bytes::{Buf as _, BytesMut};
use rtc::{
    crypto::{RTCCrypto, SecretVec},
    rtcp, rtp,
    shared::{
        error::Error,
        marshal::{Marshal as _, MarshalSize as _, Unmarshal as _},
    },
    srtp::{
        config::Config,
        context::Context,
        option::{srtcp_replay_protection, srtp_replay_protection},
        protection_profile::ProtectionProfile,
    },
};

use super::uplink::Control;
use crate::forward::payload::Patch;

/// How far a packet may come behind the newest one of its stream.
const REPLAY_WINDOW: usize = 1_024;

/// Whether a datagram is SRTP (RFC 7983 §7), and not SRTCP (RFC 5761 §4).
pub(super) fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !matches!(second, 192..=223))
}

/// Whether a datagram is SRTCP.
pub(super) fn is_control(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, 192..=223, ..])
}

/// Whether a datagram may end a handshake or choose another path: a check or a part of DTLS, and neither RTP nor RTCP.
pub(super) fn steers(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=63, ..])
}

/// Both directions of a connection's media.
pub(super) struct Srtp {
    outbound: Context,
    inbound: Context,
    /// A packet that is about to be sealed; kept for its memory.
    plain: Vec<u8>,
}

impl Srtp {
    /// From the handshake's keying material (RFC 5764 §4.2), the profile that it agreed on, and our part in it.
    pub(super) fn new(
        material: &SecretVec,
        profile: ProtectionProfile,
        is_client: bool,
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, Error> {
        let mut config = Config {
            profile,
            ..Config::default()
        };
        let material = material
            .as_ref()
            .get(..config.keying_material_len())
            .ok_or(Error::ErrShortBuffer)?;
        config.set_session_keys_from_keying_material(material, is_client)?;
        let keys = &config.keys;
        Ok(Self {
            outbound: Context::new(
                &keys.local_master_key,
                &keys.local_master_salt,
                profile,
                None,
                None,
                crypto,
            )?,
            inbound: Context::new(
                &keys.remote_master_key,
                &keys.remote_master_salt,
                profile,
                Some(srtp_replay_protection(REPLAY_WINDOW)),
                Some(srtcp_replay_protection(REPLAY_WINDOW)),
                crypto,
            )?,
            plain: Vec::new(),
        })
    }

    /// The datagram of a packet whose payload is patched.
    pub(super) fn seal(&mut self, packet: &rtp::Packet, patch: &Patch) -> Result<BytesMut, Error> {
        let header = packet.header.marshal_size();
        self.plain.resize(packet.marshal_size(), 0);
        packet.marshal_to(&mut self.plain)?;
        patch.apply(&mut self.plain[header..]);
        self.outbound
            .encrypt_rtp_with_header(&self.plain, &packet.header)
    }

    /// The packet of a datagram; an error unless the peer sealed it, and sent it once.
    pub(super) fn open(&mut self, datagram: BytesMut) -> Result<rtp::Packet, Error> {
        let datagram = datagram.freeze();
        let mut rest = datagram.clone();
        let header = rtp::Header::unmarshal(&mut rest)?;
        let plain = self.inbound.decrypt_rtp_with_header(&datagram, &header)?;
        let mut payload = plain.freeze();
        let begins = datagram.len() - rest.len();
        if begins > payload.len() {
            return Err(Error::ErrShortPacket);
        }
        payload.advance(begins);
        if header.padding {
            // Its last octet says how much of it is padding (RFC 3550 §5.1).
            let padding = payload.last().copied().map(usize::from);
            let length = padding.and_then(|padding| payload.len().checked_sub(padding));
            payload.truncate(length.ok_or(Error::ErrShortPacket)?);
        }
        Ok(rtp::Packet { header, payload })
    }

    /// The packets of an RTCP datagram; an error unless the peer sealed it, and sent it once.
    pub(super) fn open_control(&mut self, datagram: &[u8]) -> Result<Control, Error> {
        let mut plain = self.inbound.decrypt_rtcp(datagram)?;
        rtcp::packet::unmarshal(&mut plain)
    }
}

/// The profile that the stack's statistics name.
pub(super) fn profile(name: &str) -> Option<ProtectionProfile> {
    Some(match name {
        "SRTP_AEAD_AES_128_GCM" => ProtectionProfile::AeadAes128Gcm,
        "SRTP_AEAD_AES_256_GCM" => ProtectionProfile::AeadAes256Gcm,
        "SRTP_AES128_CM_HMAC_SHA1_80" => ProtectionProfile::Aes128CmHmacSha1_80,
        "SRTP_AES128_CM_HMAC_SHA1_32" => ProtectionProfile::Aes128CmHmacSha1_32,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rtc::crypto::default_provider;

    use super::*;
    use crate::forward::payload::Small;

    const PROFILES: [ProtectionProfile; 4] = [
        ProtectionProfile::AeadAes128Gcm,
        ProtectionProfile::AeadAes256Gcm,
        ProtectionProfile::Aes128CmHmacSha1_80,
        ProtectionProfile::Aes128CmHmacSha1_32,
    ];

    fn packet(sequence_number: u16) -> rtp::Packet {
        rtp::Packet {
            header: rtp::Header {
                version: 2,
                payload_type: 96,
                sequence_number,
                ssrc: 5,
                ..rtp::Header::default()
            },
            payload: Bytes::from_static(b"a picture's part"),
        }
    }

    #[test]
    fn what_one_end_seals_only_the_other_opens_and_once() {
        let provider = default_provider().unwrap();
        let material = SecretVec::new((0..88).collect());
        for profile in PROFILES {
            let end = |is_client| Srtp::new(&material, profile, is_client, provider.crypto());
            let (mut client, mut server) = (end(true).unwrap(), end(false).unwrap());
            let mut sealed = |number| client.seal(&packet(number), &Patch::default()).unwrap();
            let (first, second, mut forged) = (sealed(65_535), sealed(0), sealed(1));
            let patch = Patch {
                key_index: Some(Small { value: 3, at: 0 }),
                ..Patch::default()
            };
            let patched = client.seal(&packet(2), &patch).unwrap();
            assert!(is_media(&first));
            assert_eq!(server.open(first).unwrap(), packet(65_535));
            assert_eq!(server.open(second.clone()).unwrap(), packet(0));
            for length in 0..second.len() {
                assert!(server.open(BytesMut::from(&second[..length])).is_err());
            }
            assert!(server.open(second).is_err(), "{profile:?}: a second time");
            assert!(client.open(forged.clone()).is_err(), "{profile:?}: its own");
            forged[14] ^= 1;
            assert!(server.open(forged).is_err(), "{profile:?}: forged");
            let expected = rtp::Packet {
                payload: Bytes::from_static(b"c picture's part"),
                ..packet(2)
            };
            assert_eq!(server.open(patched).unwrap(), expected, "{profile:?}");
        }
    }

    #[test]
    fn padding_is_no_payload() {
        let provider = default_provider().unwrap();
        let material = SecretVec::new((0..88).collect());
        let end =
            |is_client| Srtp::new(&material, PROFILES[0], is_client, provider.crypto()).unwrap();
        let (mut client, mut server) = (end(true), end(false));
        // Twelve octets of header, of which the first says that there is padding, and the last octet how much.
        let mut sent = |number: u8, payload: &[u8]| {
            let mut plain = vec![0xa0, 96, 0, number, 0, 0, 0, 0, 0, 0, 0, 5];
            plain.extend_from_slice(payload);
            server.open(client.outbound.encrypt_rtp(&plain).unwrap())
        };
        assert_eq!(sent(1, b"voice\0\x02").unwrap().payload, b"voice"[..]);
        assert_eq!(sent(2, b"\0\0\x03").unwrap().payload, b""[..]);
        for (number, malformed) in [(3, &b""[..]), (4, b"\x02"), (5, b"voice\x07")] {
            assert!(sent(number, malformed).is_err(), "{malformed:?}");
        }
    }

    #[test]
    fn media_and_control_are_told_from_everything_else() {
        assert!(is_media(&[0x80, 96]) && is_media(&[0x90, 0xe0]));
        for other in [
            &[0x80, 200][..],
            &[0x81, 0xcd],
            &[0x80],
            &[],
            &[0, 1],
            &[22, 254],
        ] {
            assert!(!is_media(other), "{other:?}");
        }
        assert!(is_control(&[0x80, 200]) && is_control(&[0x81, 0xcd]));
        for other in [&[0x80, 96][..], &[0x90, 0xe0], &[0x80], &[], &[22, 200]] {
            assert!(!is_control(other), "{other:?}");
        }
    }
}
