//! What a connection's peer sends, and what it is told about that.
//!
//! `rtc` 0.21 finds a packet's track through its own table of SSRCs, and forgets the SSRCs of simulcast layers at
//! each renegotiation, after which a browser does not name the layer again; it also throws retransmissions of such
//! layers away. So inbound media and RTCP end here instead: this keeps its own table, out of which streams go when
//! their media section sends no more and others need the place, puts retransmissions back into their stream, generates
//! the feedback (NACK, reception reports, transport-wide congestion control) from `rtc`'s parts bound by that table, and
//! hands packets over in a queue.

use std::{
    collections::{HashMap, VecDeque},
    iter,
    time::{Duration, Instant},
};

use bytes::Bytes;
use rtc::{
    interceptor::{
        AttributedPacket, Interceptor, NackGeneratorBuilder, NackGeneratorInterceptor, Packet,
        RTCPFeedback, RTPHeaderExtension, ReceiverReportBuilder, ReceiverReportInterceptor,
        StreamInfo, TaggedPacket, TwccReceiverBuilder, TwccReceiverInterceptor,
    },
    rtcp::{
        self,
        payload_feedbacks::{
            full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
        },
        receiver_report::ReceiverReport,
        reception_report::ReceptionReport,
        sender_report::SenderReport,
        transport_feedbacks::{
            transport_layer_cc::TransportLayerCc, transport_layer_nack::TransportLayerNack,
        },
    },
    sansio::Protocol,
    shared::{TransportContext, error::Error},
};

use super::{
    Codec, Event, Media,
    sdp::{self, Description},
};

/// More streams than a participant has layers, so that made-up SSRCs do not eat memory.
const MAX_STREAMS: usize = 96;
/// How long packets wait to be asked for, and between askings.
const NACK_INTERVAL: Duration = Duration::from_millis(40);
/// How often a packet is asked for; then the gap stays.
const MAX_NACKS: u16 = 10;

/// Reports and requests of one message that are heeded; nobody honest sends more.
const MAX_ENTRIES: usize = 32;

/// The packets of an RTCP message (RFC 3550 §6.1).
pub(super) type Control = Vec<Box<dyn rtcp::Packet>>;

/// What came in.
#[derive(Debug)]
pub(super) enum Arrival {
    /// For the room as it is.
    Event(Event),
    /// Feedback on what was sent.
    Feedback(Box<TransportLayerCc>),
    /// What was sent did not arrive.
    Missing(TransportLayerNack),
    /// How a stream of ours is received.
    Reception(ReceptionReport),
}

/// Which sequence numbers of a stream have come, the newest 1024.
#[derive(Debug)]
struct Seen {
    newest: Option<u16>,
    bits: [u64; 16],
}

impl Seen {
    fn new() -> Self {
        Self {
            newest: None,
            bits: [0; 16],
        }
    }

    fn bit(&mut self, sequence: u16) -> (&mut u64, u64) {
        let at = usize::from(sequence % 1024);
        (&mut self.bits[at / 64], 1 << (at % 64))
    }

    /// Whether the packet comes for the first time.
    fn insert(&mut self, sequence: u16) -> bool {
        match self.newest {
            Some(newest) => {
                let ahead = sequence.wrapping_sub(newest);
                if ahead == 0 {
                    return false;
                }
                if ahead < 0x8000 {
                    if ahead >= 1024 {
                        self.bits = [0; 16];
                    } else {
                        for step in 1..ahead {
                            let (word, mask) = self.bit(newest.wrapping_add(step));
                            *word &= !mask;
                        }
                    }
                    self.newest = Some(sequence);
                } else {
                    if newest.wrapping_sub(sequence) >= 1024 {
                        return false;
                    }
                    let (word, mask) = self.bit(sequence);
                    let first = *word & mask == 0;
                    *word |= mask;
                    return first;
                }
            }
            None => self.newest = Some(sequence),
        }
        let (word, mask) = self.bit(sequence);
        *word |= mask;
        true
    }
}

#[derive(Debug)]
struct Stream {
    /// The media section.
    mid: String,
    /// Of the media section: payload type to what it repairs.
    apt: HashMap<u8, u8>,
    /// What it carries.
    content: Content,
    seen: Seen,
}

#[derive(Clone, Copy, Debug)]
enum Content {
    /// Media, at first with this payload type.
    Media(Codec, u8),
    /// Repetitions of the stream with this SSRC.
    Repair(u32),
}

/// What a connection's peer sends. See the module's text.
pub(super) struct Uplink {
    description: Description,
    /// What came in, oldest first.
    pub(super) arrivals: VecDeque<Arrival>,
    streams: HashMap<u32, Stream>,
    layers: HashMap<(String, String), u32>,
    nack: NackGeneratorInterceptor,
    numbers: TwccReceiverInterceptor,
    /// The header extension whose numbers are reported as arrived.
    numbered: Option<u8>,
    reports: ReceiverReportInterceptor,
}

impl Uplink {
    pub(super) fn new() -> Self {
        Self {
            description: Description::default(),
            arrivals: VecDeque::new(),
            streams: HashMap::new(),
            layers: HashMap::new(),
            nack: NackGeneratorBuilder::new()
                .with_size(512)
                .with_interval(NACK_INTERVAL)
                .with_max_nacks_per_packet(MAX_NACKS)
                .build(),
            numbers: TwccReceiverBuilder::new().build(),
            numbered: None,
            reports: ReceiverReportBuilder::new().build(),
        }
    }

    /// From here on packets are read by this description of the peer.
    pub(super) fn describe(&mut self, description: Description) {
        self.description = description;
    }

    /// A packet of the peer's media came.
    pub(super) fn media(&mut self, packet: rtc::rtp::Packet, now: Instant) -> Result<(), Error> {
        let ssrc = packet.header.ssrc;
        if !self.streams.contains_key(&ssrc) {
            self.admit(&packet);
        }
        let mut message = TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(Packet::Rtp(packet)),
        };
        // Whatever bears a number is reported as arrived, also what belongs to nothing. To the publisher each gap
        // is loss, and it probes the path on retransmission streams before their media comes: unreported, its
        // estimate stays at the least, and so does its picture.
        self.number_arrivals();
        message = through(&mut self.numbers, message)?;
        let Packet::Rtp(packet) = &mut message.message.packet else {
            return Ok(());
        };
        let Some(stream) = self.streams.get_mut(&ssrc) else {
            return Ok(());
        };
        let repair = if let Content::Repair(primary) = stream.content {
            let Some(&payload_type) = stream.apt.get(&packet.header.payload_type) else {
                return Ok(());
            };
            // Less than a sequence number is padding that probes the path (RFC 4588 §4).
            if packet.payload.len() < 2 {
                return Ok(());
            }
            let number = packet.payload.split_to(2);
            packet.header.sequence_number = u16::from_be_bytes([number[0], number[1]]);
            packet.header.ssrc = primary;
            packet.header.payload_type = payload_type;
            true
        } else {
            false
        };
        let ssrc = packet.header.ssrc;
        let sequence = packet.header.sequence_number;
        let Some(stream) = self.streams.get_mut(&ssrc) else {
            return Ok(());
        };
        if !is_of(stream, packet.header.payload_type, &self.description) {
            refused();
            return Ok(());
        }
        // Browsers also resend what had arrived, to probe the path.
        if !stream.seen.insert(sequence) {
            return Ok(());
        }
        message = through(&mut self.nack, message)?;
        if !repair {
            message = through(&mut self.reports, message)?;
        }
        if let Packet::Rtp(packet) = message.message.packet {
            // Padding alone carries nothing; whoever forwards leaves no gap, because numbers are made anew.
            let media = read(packet, &self.description);
            self.arrivals.push_back(Arrival::Event(Event::Media(media)));
        }
        Ok(())
    }

    /// Says to the part that reports arrivals which extension bears the numbers: one for the whole connection.
    fn number_arrivals(&mut self) {
        let Some(&id) = self.description.extensions.get(sdp::TRANSPORT_CC) else {
            return;
        };
        if self.numbered == Some(id) {
            return;
        }
        self.numbered = Some(id);
        // No stream has the SSRC 0: this binding counts for those that have none of their own.
        self.numbers.bind_remote_stream(&StreamInfo {
            rtp_header_extensions: vec![RTPHeaderExtension {
                uri: sdp::TRANSPORT_CC.to_owned(),
                id: u16::from(id),
            }],
            ..StreamInfo::default()
        });
    }

    /// Forgets the streams of sections that send no more. Only for want of place: a section may send again, and
    /// browsers name a stream's layer in its first packets only.
    fn forget_ended(&mut self) {
        let sections = &self.description.sections;
        let sends = |mid: &str| sections.iter().any(|s| s.sends && s.mid == mid);
        let ended: Vec<u32> = self
            .streams
            .iter()
            .filter(|(_, stream)| !sends(&stream.mid))
            .map(|(ssrc, _)| *ssrc)
            .collect();
        for ssrc in ended {
            self.streams.remove(&ssrc);
            self.layers.retain(|_, of| *of != ssrc);
            let info = StreamInfo {
                ssrc,
                ..StreamInfo::default()
            };
            self.nack.unbind_remote_stream(&info);
            self.reports.unbind_remote_stream(&info);
            self.numbers.unbind_remote_stream(&info);
            let event = Event::StreamEnded { ssrc };
            self.arrivals.push_back(Arrival::Event(event));
        }
    }

    /// Makes a stream of an SSRC that belongs to something negotiated.
    fn admit(&mut self, packet: &rtc::rtp::Packet) {
        if self.streams.len() >= MAX_STREAMS {
            self.forget_ended();
            if self.streams.len() >= MAX_STREAMS {
                return;
            }
        }
        let description = &self.description;
        let text = |uri: &str| {
            let id = *description.extensions.get(uri)?;
            let value = packet.header.get_extension(id)?;
            String::from_utf8(value.to_vec()).ok()
        };
        let ssrc = packet.header.ssrc;
        let named = text(sdp::MID).and_then(|mid| description.section(&mid));
        let declared = || {
            description
                .sections
                .iter()
                .find(|s| s.ssrcs.contains(&ssrc) || s.repairs.contains_key(&ssrc))
        };
        let Some(section) = named.or_else(declared) else {
            return;
        };
        let payload_type = packet.header.payload_type;
        let content = if section.apt.contains_key(&payload_type) {
            let primary = section.repairs.get(&ssrc).copied().or_else(|| {
                let rid = text(sdp::REPAIRED_RID)?;
                self.layers.get(&(section.mid.clone(), rid)).copied()
            });
            let Some(primary) = primary.filter(|primary| self.streams.contains_key(primary)) else {
                return;
            };
            Content::Repair(primary)
        } else {
            let Some(&codec) = section.codecs.get(&payload_type) else {
                return;
            };
            Content::Media(codec, payload_type)
        };
        let codec = match content {
            Content::Media(codec, _) => Some(codec),
            Content::Repair(_) => None,
        };
        let rid = text(sdp::RID).unwrap_or_default();
        // Of a section with layers, a packet that does not say its layer, or names none of them, is nobody's.
        if codec.is_some() && !section.rids.is_empty() && !section.rids.contains(&rid) {
            return refused();
        }
        let info = StreamInfo {
            ssrc,
            payload_type,
            clock_rate: codec.map_or(90_000, Codec::clock_rate),
            rtp_header_extensions: description
                .extensions
                .iter()
                .map(|(uri, id)| RTPHeaderExtension {
                    uri: uri.clone(),
                    id: u16::from(*id),
                })
                .collect(),
            rtcp_feedback: vec![RTCPFeedback {
                typ: "nack".to_owned(),
                parameter: String::new(),
            }],
            ..StreamInfo::default()
        };
        self.numbers.bind_remote_stream(&info);
        let stream = Stream {
            mid: section.mid.clone(),
            apt: section.apt.clone(),
            content,
            seen: Seen::new(),
        };
        self.streams.insert(ssrc, stream);
        let Some(codec) = codec else { return };
        if !codec.is_audio() {
            self.nack.bind_remote_stream(&info);
        }
        self.reports.bind_remote_stream(&info);
        let mid = section.mid.clone();
        self.layers.insert((mid.clone(), rid.clone()), ssrc);
        self.arrivals.push_back(Arrival::Event(Event::Stream {
            ssrc,
            mid,
            rid,
            codec,
        }));
    }

    /// What the peer says of media came, its own and ours.
    pub(super) fn control(&mut self, packets: Control, now: Instant) -> Result<(), Error> {
        let message = TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(Packet::Rtcp(packets)),
        };
        let message = through(&mut self.reports, message)?;
        let Packet::Rtcp(packets) = &message.message.packet else {
            return Ok(());
        };
        let arrivals = &mut self.arrivals;
        for packet in packets {
            let packet = packet.as_any();
            let wanted = |ssrc| Arrival::Event(Event::KeyframeWanted { ssrc });
            let receptions = |reports: &[ReceptionReport]| -> Vec<Arrival> {
                let reports = reports.iter().take(MAX_ENTRIES).cloned();
                reports.map(Arrival::Reception).collect()
            };
            if let Some(feedback) = packet.downcast_ref::<TransportLayerCc>() {
                arrivals.push_back(Arrival::Feedback(Box::new(feedback.clone())));
            } else if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
                arrivals.push_back(Arrival::Missing(nack.clone()));
            } else if let Some(pli) = packet.downcast_ref::<PictureLossIndication>() {
                arrivals.push_back(wanted(pli.media_ssrc));
            } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
                let entries = fir.fir.iter().take(MAX_ENTRIES);
                arrivals.extend(entries.map(|entry| wanted(entry.ssrc)));
            } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
                arrivals.extend(receptions(&report.reports));
            } else if let Some(report) = packet.downcast_ref::<SenderReport>() {
                arrivals.push_back(Arrival::Event(Event::SenderReport {
                    ssrc: report.ssrc,
                    ntp: report.ntp_time,
                    rtp: report.rtp_time,
                }));
                arrivals.extend(receptions(&report.reports));
            }
        }
        Ok(())
    }

    /// When [`Uplink::feedback`] has something to say.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let parts = [
            self.nack.poll_timeout(),
            self.numbers.poll_timeout(),
            self.reports.poll_timeout(),
        ];
        parts.into_iter().flatten().min()
    }

    /// What the peer is to be told by now of what it sent: a message each.
    pub(super) fn feedback(&mut self, now: Instant) -> Result<Vec<Control>, Error> {
        self.nack.handle_timeout(now)?;
        self.numbers.handle_timeout(now)?;
        self.reports.handle_timeout(now)?;
        let messages = iter::from_fn(|| {
            let nack = self.nack.poll_write();
            nack.or_else(|| self.numbers.poll_write())
                .or_else(|| self.reports.poll_write())
        });
        let controls = messages.filter_map(|message| match message.message.packet {
            Packet::Rtcp(packets) => Some(packets),
            _ => None,
        });
        Ok(controls.collect())
    }
}

/// Whether a packet is of the codec that its stream began with. What others are sent is negotiated for that one.
fn is_of(stream: &Stream, payload_type: u8, description: &Description) -> bool {
    match stream.content {
        Content::Media(_, first) if payload_type == first => true,
        Content::Media(codec, _) => description
            .section(&stream.mid)
            .is_some_and(|section| section.codecs.get(&payload_type) == Some(&codec)),
        Content::Repair(_) => false,
    }
}

/// Counts a packet that claims a place it does not have.
fn refused() {
    metrics::counter!("relay_packets_misplaced_total").increment(1);
}

/// Leads a packet through one of `rtc`'s own interceptors.
fn through<I: Interceptor>(
    interceptor: &mut I,
    message: TaggedPacket,
) -> Result<TaggedPacket, Error> {
    interceptor.handle_read(message)?;
    interceptor
        .poll_read()
        .ok_or_else(|| Error::Other("an interceptor kept a packet".to_owned()))
}

fn read(packet: rtc::rtp::Packet, description: &Description) -> Media {
    let header = packet.header;
    let extension =
        |uri: &str| -> Option<Bytes> { header.get_extension(*description.extensions.get(uri)?) };
    Media {
        ssrc: header.ssrc,
        sequence: header.sequence_number,
        timestamp: header.timestamp,
        marker: header.marker,
        audio_level: extension(sdp::AUDIO_LEVEL)
            .and_then(|level| level.first().map(|level| level & 0x7f)),
        // A part of the datagram, all of which would be kept with it.
        dependency: extension(sdp::DEPENDENCY).map(|part| Bytes::copy_from_slice(&part)),
        payload: packet.payload,
    }
}

#[cfg(test)]
mod tests;
