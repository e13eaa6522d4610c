//! The way of media past the stack.
//!
//! `rtc` leads each packet through all of its parts, and looks through all of them for what there is to send and to
//! tell, which costs more than sealing it. Nearly all that comes and goes is RTP. So once the handshake is done media
//! goes between the network and the room without the stack, under the same keys and to the address that the stack has
//! chosen.

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use bytes::BytesMut;
use rtc::{
    crypto::RTCCryptoProvider as _,
    peer_connection::{
        RTCPeerConnection,
        transport::{RTCDtlsRole, RTCIceProtocol},
    },
    rtp,
    rtp_transceiver::RTCRtpSenderId,
    statistics::StatsSelector,
};

use super::{
    Protocol, Transmit,
    downlink::Leaving,
    exporter::Exporter,
    srtp::{self, Srtp},
    uplink::Control,
};

/// See the module's text.
pub(super) struct MediaPath {
    exporter: Exporter,
    srtp: Option<Srtp>,
    to: Option<(SocketAddr, Protocol)>,
    /// The stack may have chosen another address since.
    stale: bool,
    leaving: VecDeque<Transmit>,
}

impl MediaPath {
    /// For the connection whose cryptography this is.
    pub(super) fn new(exporter: Exporter) -> Self {
        Self {
            exporter,
            srtp: None,
            to: None,
            stale: true,
            leaving: VecDeque::new(),
        }
    }

    /// The stack has taken in what [steers](srtp::steers): a check, or a part of the handshake. Whether that was the
    /// handshake's end.
    pub(super) fn stack_heard(&mut self, peer: &mut RTCPeerConnection, now: Instant) -> bool {
        self.stale = true;
        let Some(material) = self.exporter.take() else {
            return false;
        };
        let report = peer.get_stats(now, StatsSelector::None);
        let agreed = report.transport().and_then(|transport| {
            let profile = srtp::profile(&transport.srtp_cipher)?;
            Some((profile, transport.dtls_role == RTCDtlsRole::Client))
        });
        self.srtp = agreed.and_then(|(profile, is_client)| {
            Srtp::new(&material, profile, is_client, self.exporter.crypto()).ok()
        });
        if self.srtp.is_none() {
            tracing::warn!(
                "a connection agreed on no SRTP that is known here: its media is dropped"
            );
        }
        true
    }

    /// The packet of a datagram of the peer's.
    pub(super) fn open(&mut self, datagram: BytesMut) -> Option<rtp::Packet> {
        self.srtp.as_mut()?.open(datagram).ok()
    }

    /// The packets of an RTCP datagram of the peer's.
    pub(super) fn open_control(&mut self, datagram: &[u8]) -> Option<Control> {
        self.srtp.as_mut()?.open_control(datagram).ok()
    }

    /// Looks where the stack sends to, if that may have changed. It tells only those who ask a sender's transport.
    pub(super) fn aim(
        &mut self,
        peer: &mut RTCPeerConnection,
        mut senders: impl Iterator<Item = RTCRtpSenderId>,
    ) {
        // While ICE starts anew there is none, and the old path serves on (RFC 8445 §9).
        if self.stale
            && let Some(to) = senders.find_map(|sender| selected(peer, sender))
        {
            self.to = Some(to);
            self.stale = false;
        }
    }

    /// Sends a packet, once there are keys and an address.
    pub(super) fn send(&mut self, leaving: &Leaving) {
        let (Some(srtp), Some((to, protocol))) = (&mut self.srtp, self.to) else {
            return;
        };
        if let Ok(bytes) = srtp.seal(&leaving.packet, &leaving.patch) {
            self.leaving.push_back(Transmit {
                to,
                protocol,
                bytes,
            });
        }
    }

    /// What to send.
    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.leaving.pop_front()
    }
}

fn selected(
    peer: &mut RTCPeerConnection,
    sender: RTCRtpSenderId,
) -> Option<(SocketAddr, Protocol)> {
    let sender = peer.rtp_sender(sender)?;
    let pair = sender
        .transport()?
        .ice_transport()
        .get_selected_candidate_pair()?;
    let (local, remote) = (pair.local(), pair.remote());
    let protocol = match local.protocol {
        RTCIceProtocol::Tcp => Protocol::Tcp,
        _ => Protocol::Udp,
    };
    let address = remote.address.parse().ok()?;
    Some((SocketAddr::new(address, remote.port), protocol))
}
