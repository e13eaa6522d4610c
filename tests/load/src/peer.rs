//! One peer connection on a socket of its own.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use bytes::{Bytes, BytesMut};
use livekit_protocol::SessionDescription;
use rtc::{
    interceptor::Registry,
    media_stream::MediaStreamTrack,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        configuration::{
            interceptor_registry::{
                configure_nack, configure_rtcp_reports, configure_simulcast_extension_headers,
                configure_twcc,
            },
            media_engine::{MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine},
            setting_engine::SettingEngineBuilder,
        },
        event::RTCPeerConnectionEvent,
        message::RTCMessage,
        sdp::RTCSessionDescription,
        state::RTCPeerConnectionState,
        transport::RTCIceCandidateInit,
    },
    rtp_transceiver::{
        RTCRtpSenderId,
        rtp_sender::{
            RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
            RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
        },
    },
    sansio::Protocol as _,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};
use tokio::net::UdpSocket;

use crate::{
    client::now,
    inbox::Inbox,
    media::{LAYERS, Piece},
};

const OPUS: u8 = 111;
const VP8: u8 = 96;
const RTX: u8 = 97;
const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
/// Datagrams read before anything else gets its turn.
const AT_ONCE: usize = 64;
/// When nothing is due.
const LATER: Duration = Duration::from_secs(1);

/// A stream that is sent.
#[derive(Debug)]
struct Outgoing {
    sender: RTCRtpSenderId,
    ssrc: u32,
    sequence: u16,
    payload_type: u8,
    /// Header extensions of every packet, once negotiated.
    extensions: Vec<(u8, Bytes)>,
    rid: &'static str,
}

/// One peer connection.
pub(crate) struct Peer {
    rtc: Box<RTCPeerConnection>,
    socket: UdpSocket,
    inbox: Inbox,
    local: SocketAddr,
    candidates_given: bool,
    connected: bool,
    /// The layers of the camera, then the microphone.
    outgoing: Vec<Outgoing>,
}

impl Peer {
    pub(crate) async fn new() -> Result<Self> {
        let mut engine = media_engine()?;
        let registry = configure_nack(Registry::new(), &mut engine);
        configure_simulcast_extension_headers(&mut engine)?;
        let registry = configure_rtcp_reports(configure_twcc(registry, &mut engine)?);
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(true)
            .build();
        let rtc = RTCPeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_setting_engine(settings)
            .build(now())?;
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let inbox = Inbox::of(&socket)?;
        let local = socket.local_addr()?;
        Ok(Self {
            rtc: Box::new(rtc),
            socket,
            inbox,
            local,
            candidates_given: false,
            connected: false,
            outgoing: Vec::new(),
        })
    }

    /// Adds camera and microphone, with SSRCs from `first_ssrc` on.
    pub(crate) fn add_media(&mut self, first_ssrc: u32) -> Result<()> {
        let encoding = |ssrc: u32, rid: &str, codec: RTCRtpCodec| RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                rid: rid.to_owned(),
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            active: true,
            codec,
            ..RTCRtpEncodingParameters::default()
        };
        let mut ssrc = first_ssrc;
        let mut streams = Vec::new();
        for layer in LAYERS {
            streams.push((ssrc, layer.rid));
            ssrc += 1;
        }
        let encodings = streams
            .iter()
            .map(|(ssrc, rid)| encoding(*ssrc, rid, video()))
            .collect();
        let camera = self.add_track("camera", RtpCodecKind::Video, encodings)?;
        let encodings = vec![encoding(ssrc, "", audio())];
        let microphone = self.add_track("microphone", RtpCodecKind::Audio, encodings)?;
        let stream = |sender, ssrc, payload_type, rid| Outgoing {
            sender,
            ssrc,
            sequence: 0,
            payload_type,
            extensions: Vec::new(),
            rid,
        };
        self.outgoing = streams
            .into_iter()
            .map(|(ssrc, rid)| stream(camera, ssrc, VP8, rid))
            .collect();
        self.outgoing.push(stream(microphone, ssrc, OPUS, ""));
        Ok(())
    }

    fn add_track(
        &mut self,
        id: &str,
        kind: RtpCodecKind,
        encodings: Vec<RTCRtpEncodingParameters>,
    ) -> Result<RTCRtpSenderId> {
        let id = id.to_owned();
        let track = MediaStreamTrack::new("stream".to_owned(), id.clone(), id, kind, encodings);
        Ok(self.rtc.add_track(track)?)
    }

    pub(crate) fn offer(&mut self) -> Result<SessionDescription> {
        let offer = self.rtc.create_offer(None)?;
        self.settle(offer, "offer")
    }

    pub(crate) fn answer(&mut self, offer: SessionDescription) -> Result<SessionDescription> {
        let id = offer.id;
        self.rtc
            .set_remote_description(now(), RTCSessionDescription::offer(offer.sdp)?)?;
        let answer = self.rtc.create_answer(None)?;
        let mut answer = self.settle(answer, "answer")?;
        answer.id = id;
        Ok(answer)
    }

    pub(crate) fn answered(&mut self, answer: SessionDescription) -> Result<()> {
        let answer = RTCSessionDescription::answer(answer.sdp)?;
        self.rtc.set_remote_description(now(), answer)?;
        for outgoing in &mut self.outgoing {
            let transceiver = usize::from(outgoing.sender);
            let mid = self
                .rtc
                .rtp_transceiver(transceiver)
                .and_then(|transceiver| transceiver.mid().clone())
                .unwrap_or_default();
            let mut sender = self
                .rtc
                .rtp_sender(outgoing.sender)
                .context("a sender is gone")?;
            let negotiated = &sender.get_parameters().rtp_parameters.header_extensions;
            outgoing.extensions = [(MID, mid.as_str()), (RID, outgoing.rid)]
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .filter_map(|(uri, value)| {
                    let extension = negotiated.iter().find(|extension| extension.uri == uri)?;
                    let id = u8::try_from(extension.id).ok()?;
                    Some((id, Bytes::copy_from_slice(value.as_bytes())))
                })
                .collect();
        }
        Ok(())
    }

    fn settle(&mut self, own: RTCSessionDescription, kind: &str) -> Result<SessionDescription> {
        if !self.candidates_given {
            let candidate = format!(
                "candidate:1 1 udp 2130706431 {} {} typ host",
                self.local.ip(),
                self.local.port()
            );
            self.rtc.add_local_candidate(RTCIceCandidateInit {
                candidate,
                sdp_mid: Some("0".to_owned()),
                sdp_mline_index: Some(0),
                ..RTCIceCandidateInit::default()
            })?;
            self.candidates_given = true;
        }
        self.rtc.set_local_description(now(), own)?;
        let description = self.rtc.local_description();
        Ok(SessionDescription {
            r#type: kind.to_owned(),
            sdp: description.context("no local description")?.sdp,
            ..SessionDescription::default()
        })
    }

    /// A candidate of the server, as JSON. Others than UDP are left.
    pub(crate) fn add_candidate(&mut self, json: &str) -> Result<()> {
        let candidate: RTCIceCandidateInit = serde_json::from_str(json)?;
        if candidate.candidate.to_ascii_lowercase().contains(" udp ") {
            self.rtc.add_remote_candidate(candidate)?;
        }
        Ok(())
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    /// Where its datagrams come, to be waited for. (The stack itself is no `Sync`, so that nobody waits with it.)
    pub(crate) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// When it wants to be driven at the latest.
    pub(crate) fn due(&mut self) -> Instant {
        self.rtc.poll_timeout().unwrap_or_else(|| now() + LATER)
    }

    /// Sends a packet of media at once.
    pub(crate) fn send(&mut self, piece: Piece) -> Result<()> {
        let index = piece.layer.unwrap_or(LAYERS.len());
        let Some(outgoing) = self.outgoing.get_mut(index).filter(|_| self.connected) else {
            return Ok(());
        };
        outgoing.sequence = outgoing.sequence.wrapping_add(1);
        let mut header = rtc::rtp::Header {
            version: 2,
            marker: piece.marker,
            payload_type: outgoing.payload_type,
            sequence_number: outgoing.sequence,
            timestamp: piece.timestamp,
            ssrc: outgoing.ssrc,
            ..rtc::rtp::Header::default()
        };
        for (id, value) in &outgoing.extensions {
            // Both are shorter than the fifteen bytes that fit.
            let _ = header.set_extension(*id, value.clone());
        }
        let packet = rtc::rtp::Packet {
            header,
            payload: piece.payload.freeze(),
        };
        if let Some(mut sender) = self.rtc.rtp_sender(outgoing.sender) {
            // A packet that is refused is missing at the receivers, and seen there.
            let _ = sender.write_rtp(now(), packet);
        }
        self.flush()
    }

    /// Reads what has come, sends what is to go. `received` gets each media packet's payload, and when it came.
    pub(crate) fn drive(&mut self, mut received: impl FnMut(&[u8], Instant)) -> Result<()> {
        let mut buffer = [0; 2_048];
        for _ in 0..AT_ONCE {
            match self.inbox.receive(&self.socket, &mut buffer) {
                Ok(arrival) => {
                    self.take(&buffer[..arrival.length], arrival.from);
                    while let Some(message) = self.rtc.poll_read() {
                        if let RTCMessage::RtpPacket(_, packet) = message.message {
                            received(&packet.payload, arrival.at);
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The server is gone, or not there yet; what it does not hear is seen in the figures.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error.into()),
            }
        }
        if self.due() <= now() {
            self.rtc.handle_timeout(now())?;
        }
        while let Some(event) = self.rtc.poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                self.connected = state == RTCPeerConnectionState::Connected;
            }
        }
        self.flush()
    }

    /// Sends what is to go.
    fn flush(&mut self) -> Result<()> {
        while let Some(datagram) = self.rtc.poll_write() {
            match self
                .socket
                .try_send_to(&datagram.message, datagram.transport.peer_addr)
            {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
                // A full socket loses the packet, as a network would.
                _ => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], from: SocketAddr) {
        // What the stack cannot read is the network's noise.
        let _ = self.rtc.handle_read(TaggedBytesMut {
            now: now(),
            transport: TransportContext {
                local_addr: self.local,
                peer_addr: from,
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            },
            message: BytesMut::from(bytes),
        });
    }
}

fn audio() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: feedback(&[("transport-cc", "")]),
    }
}

fn video() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: feedback(&[
            ("transport-cc", ""),
            ("nack", ""),
            ("nack", "pli"),
            ("ccm", "fir"),
        ]),
    }
}

/// What browsers offer as well: without it no relay could probe a path with padding.
fn retransmissions() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.to_owned(),
        sdp_fmtp_line: format!("apt={VP8}"),
        rtcp_feedback: Vec::new(),
        ..video()
    }
}

fn feedback(kinds: &[(&str, &str)]) -> Vec<RTCPFeedback> {
    kinds
        .iter()
        .map(|(typ, parameter)| RTCPFeedback {
            typ: (*typ).to_owned(),
            parameter: (*parameter).to_owned(),
        })
        .collect()
}

fn media_engine() -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for (rtp_codec, payload_type, kind) in [
        (audio(), OPUS, RtpCodecKind::Audio),
        (video(), VP8, RtpCodecKind::Video),
        (retransmissions(), RTX, RtpCodecKind::Video),
    ] {
        let codec = RTCRtpCodecParameters {
            rtp_codec,
            payload_type,
        };
        engine.register_codec(codec, kind)?;
        engine.register_header_extension(
            RTCRtpHeaderExtensionCapability {
                uri: MID.to_owned(),
            },
            kind,
            None,
        )?;
    }
    Ok(engine)
}
