//! A stream to a subscriber: its packets, its retransmissions (RFC 4588), and what is known of their fate.

use std::time::{Duration, Instant};

use bytes::{BufMut as _, BytesMut};
use rtc::{
    rtcp::{
        reception_report::ReceptionReport, transport_feedbacks::transport_layer_nack::NackPair,
    },
    rtp,
    rtp_transceiver::rtp_sender::RTCRtpParameters,
};

use super::{
    Codec, OutgoingMedia, SenderSpec,
    downlink::{Leaving, octet},
    sdp,
};
use crate::forward::{
    nack::{self, Allowance, Answered},
    payload::Patch,
    reports::SentReports,
};

/// Items of one report of loss that are heeded, of seventeen packets each.
const MAX_LOST: usize = 64;

/// What packets of a sender bear, as negotiated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    pub(super) payload_type: u8,
    /// The payload type of retransmissions.
    pub(super) repair: Option<u8>,
    pub(super) audio_level: Option<u8>,
    pub(super) dependency: Option<u8>,
    /// Of the transport-wide sequence number.
    pub(super) transport: Option<u8>,
}

impl Numbers {
    /// The numbers in a sender's parameters; `None` as long as the codec is not negotiated.
    pub(super) fn negotiated(parameters: &RTCRtpParameters, codec: Codec) -> Option<Self> {
        let found = parameters.codecs.iter().find(|negotiated| {
            let name = negotiated.rtp_codec.mime_type.split_once('/');
            name.and_then(|(_, name)| Codec::from_name(name)) == Some(codec)
        })?;
        let repairs = format!("apt={}", found.payload_type);
        let repair = parameters.codecs.iter().find(|repair| {
            repair.rtp_codec.mime_type.eq_ignore_ascii_case("video/rtx")
                && repair.rtp_codec.sdp_fmtp_line == repairs
        });
        let extension = |uri: &str| {
            let extension = parameters.header_extensions.iter().find(|e| e.uri == uri)?;
            u8::try_from(extension.id).ok().filter(|id| *id != 0)
        };
        Some(Self {
            payload_type: found.payload_type,
            repair: repair.map(|repair| repair.payload_type),
            audio_level: extension(sdp::AUDIO_LEVEL),
            dependency: extension(sdp::DEPENDENCY),
            transport: extension(sdp::TRANSPORT_CC),
        })
    }
}

#[derive(Debug)]
pub(super) struct Sender {
    pub(super) spec: SenderSpec,
    pub(super) numbers: Option<Numbers>,
    /// The next number of the retransmission stream.
    repair: u16,
    /// Packets and octets of payload, as sender reports count them.
    counted: (u32, u32),
    reports: SentReports,
    /// Made with the first report of loss.
    answered: Option<Answered>,
}

impl Sender {
    pub(super) fn new(spec: SenderSpec) -> Self {
        Self {
            spec,
            numbers: None,
            repair: 0,
            counted: (0, 0),
            reports: SentReports::default(),
            answered: None,
        }
    }

    pub(super) fn is_audio(&self) -> bool {
        self.spec.codec.is_audio()
    }

    /// Whether its packets can go once more without harm, and are reported on: fit for a probe.
    pub(super) fn probes(&self) -> bool {
        self.numbers
            .is_some_and(|numbers| numbers.repair.is_some() && numbers.transport.is_some())
    }

    /// A packet of the stream; `None` before it is negotiated.
    pub(super) fn packet(&mut self, media: OutgoingMedia) -> Option<Leaving> {
        let numbers = self.numbers?;
        let octets = u32::try_from(media.payload.len()).unwrap_or(u32::MAX);
        self.counted = (
            self.counted.0.wrapping_add(1),
            self.counted.1.wrapping_add(octets),
        );
        let mut header = header(&media, self.spec.ssrc, numbers.payload_type, media.sequence);
        extend(&mut header, &numbers, &media);
        Some(Leaving {
            packet: rtp::Packet {
                header,
                payload: media.payload,
            },
            patch: media.patch,
            extension: numbers.transport,
        })
    }

    /// A packet once more: over the retransmission stream, its number before its payload; without one as it was.
    pub(super) fn repeated(&mut self, media: OutgoingMedia) -> Option<Leaving> {
        let numbers = self.numbers?;
        let Some(payload_type) = numbers.repair else {
            return self.packet(media);
        };
        let mut header = header(&media, self.spec.rtx_ssrc, payload_type, self.repair);
        self.repair = self.repair.wrapping_add(1);
        extend(&mut header, &numbers, &media);
        let mut payload = BytesMut::with_capacity(2 + media.payload.len());
        payload.put_u16(media.sequence);
        payload.put_slice(&media.payload);
        media.patch.apply(&mut payload[2..]);
        Some(Leaving {
            packet: rtp::Packet {
                header,
                payload: payload.freeze(),
            },
            patch: Patch::default(),
            extension: numbers.transport,
        })
    }

    /// A sender report leaves; the counts of packets and octets for it.
    pub(super) fn reported(&mut self, ntp: u64, now: Instant) -> (u32, u32) {
        self.reports.sent(ntp, now);
        self.counted
    }

    /// The round trip that a report about this stream tells of.
    pub(super) fn round_trip(&self, report: &ReceptionReport, now: Instant) -> Option<Duration> {
        self.reports
            .round_trip(report.last_sender_report, report.delay, now)
    }

    /// Of the packets reported lost, those that are to be sent again.
    pub(super) fn missing(
        &mut self,
        lost: &[NackPair],
        allowance: &mut Allowance,
        round_trip: Duration,
        now: Instant,
    ) -> Vec<u16> {
        let answered = self.answered.get_or_insert_default();
        lost.iter()
            .take(MAX_LOST)
            .flat_map(|pair| nack::lost(pair.packet_id, pair.lost_packets))
            .filter(|sequence| answered.due(*sequence, round_trip, now) && allowance.spend())
            .collect()
    }
}

fn header(media: &OutgoingMedia, ssrc: u32, payload_type: u8, sequence: u16) -> rtp::Header {
    rtp::Header {
        version: 2,
        marker: media.marker,
        payload_type,
        sequence_number: sequence,
        timestamp: media.timestamp,
        ssrc,
        ..rtp::Header::default()
    }
}

/// An extension that does not fit is left out; the media goes all the same.
fn extend(header: &mut rtp::Header, numbers: &Numbers, media: &OutgoingMedia) {
    if let (Some(id), Some(level)) = (numbers.audio_level, media.audio_level) {
        let _ = header.set_extension(id, octet(level));
    }
    if let (Some(id), Some(dependency)) = (numbers.dependency, &media.dependency) {
        let _ = header.set_extension(id, dependency.clone());
    }
}
