//! The stack on webrtc-rs' sans-IO core `rtc`.

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc::{
    data_channel::RTCDataChannelInit,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        configuration::setting_engine::SettingEngineBuilder,
        event::{RTCDataChannelEvent, RTCPeerConnectionEvent},
        message::{RTCMessage, TaggedRTCMessage},
        sdp::RTCSessionDescription,
        state::RTCPeerConnectionState,
        transport::{RTCDtlsRole, RTCIceCandidateInit},
    },
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp_transceiver::{RTCRtpSenderId, RTCRtpTransceiverDirection, RTCRtpTransceiverInit},
    sansio::Protocol as _,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol, error::Error},
};

use super::{
    Connection, Datagram, Event, OutgoingMedia, Protocol, SenderId, SenderSpec, Stack, StackError,
    Transmit, engine,
    exporter::Exporter,
    flights::Flights,
    outgoing::Outgoing,
    path::MediaPath,
    preference::Preference,
    roaming::Roaming,
    sdp,
    sdp::Description,
    srtp::{is_control, is_media, steers},
    uplink::{Control, Uplink},
};

/// No word from the peer for so long: the path is in doubt.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(5);
/// And for so long more: it is lost.
const FAILED_AFTER: Duration = Duration::from_secs(15);
/// The greatest data channel message taken (LiveKit's clients send at most 64 000 bytes in one).
const MAX_MESSAGE: usize = 256 * 1024;
/// As many channels as a connection may have had; clients have three.
const MOST_CHANNELS: u32 = 16;
/// Bytes of a channel's name.
const LONGEST_LABEL: usize = 256;
/// Bytes that may wait for a slow data channel; beyond, lossy messages are dropped and reliable ones refused.
const MAX_BUFFERED: usize = 4 * 1024 * 1024;

/// Makes `rtc` connections that all answer at the same addresses.
#[derive(Debug, Clone)]
pub struct WebrtcStack {
    candidates: Vec<(Protocol, SocketAddr)>,
}

impl WebrtcStack {
    /// A stack whose connections offer these addresses as their ICE candidates.
    #[must_use]
    pub fn new(candidates: Vec<(Protocol, SocketAddr)>) -> Self {
        Self { candidates }
    }
}

impl Stack for WebrtcStack {
    fn connection(
        &mut self,
        answers_only: bool,
        now: Instant,
    ) -> Result<Box<dyn Connection>, StackError> {
        let exporter = Exporter::new().map_err(|error| StackError::Refused(error.to_string()))?;
        let settings = SettingEngineBuilder::new()
            .with_lite(true)
            .with_answering_dtls_role(RTCDtlsRole::Server)
            .with_include_loopback_candidate(true)
            .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), None)
            .with_crypto_provider(Arc::new(exporter.clone()))
            .build();
        let peer = RTCPeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_media_engine(engine::media_engine().map_err(refused)?)
            .build(now)
            .map_err(refused)?;
        Ok(Box::new(WebrtcConnection {
            peer,
            path: MediaPath::new(exporter),
            flights: Flights::default(),
            roaming: Roaming::default(),
            preference: Preference::default(),
            unasked: Unasked::default(),
            due: None,
            uplink: Uplink::new(),
            candidates: self.candidates.clone(),
            ufrag: None,
            answers_only,
            sections: Description::default(),
            channels: HashMap::new(),
            opened: 0,
            outgoing: Outgoing::new(),
            now,
            connected: false,
        }))
    }
}

/// What the stack may have since it was last asked. Asking leads through all of its parts.
#[derive(Default)]
struct Unasked {
    events: bool,
    transmits: bool,
    timeout: bool,
}

struct WebrtcConnection {
    peer: RTCPeerConnection,
    path: MediaPath,
    flights: Flights,
    roaming: Roaming,
    preference: Preference,
    unasked: Unasked,
    /// When the stack wanted to be told the time when it was last asked.
    due: Option<Instant>,
    uplink: Uplink,
    /// Not given to the stack yet.
    candidates: Vec<(Protocol, SocketAddr)>,
    ufrag: Option<String>,
    answers_only: bool,
    /// The peer's last description.
    sections: Description,
    channels: HashMap<String, rtc::data_channel::RTCDataChannelId>,
    /// How many channels there have been.
    opened: u32,
    outgoing: Outgoing,
    /// When something last came, or time passed.
    now: Instant,
    connected: bool,
}

impl fmt::Debug for WebrtcConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebrtcConnection")
            .field("connected", &self.connected)
            .field("senders", &self.outgoing.len())
            .finish_non_exhaustive()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(error: Error) -> StackError {
    StackError::Refused(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn misdescribed(error: Error) -> StackError {
    StackError::Description(error.to_string())
}

fn candidate(protocol: Protocol, address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    match protocol {
        Protocol::Udp => format!("candidate:1 1 udp 2130706431 {ip} {port} typ host"),
        Protocol::Tcp => {
            format!("candidate:2 1 tcp 1671430143 {ip} {port} typ host tcptype passive")
        }
    }
}

impl WebrtcConnection {
    /// The stack, to change something about it: what comes of that is to be asked for.
    fn change(&mut self) -> &mut RTCPeerConnection {
        self.unasked.events = true;
        self.unasked.transmits = true;
        self.unasked.timeout = true;
        &mut self.peer
    }

    fn stack_due(&mut self) -> Option<Instant> {
        if std::mem::take(&mut self.unasked.timeout) {
            self.due = self.peer.poll_timeout();
        }
        self.due
    }

    fn describe(&mut self, sdp: &str) {
        self.sections = Description::parse(sdp);
        self.uplink.describe(self.sections.clone());
    }

    /// Whether the first section of a kind that nothing is sent in is one in which the peer wants to receive. `rtc`
    /// puts a track into that first section, be it one of the peer's own tracks.
    fn has_free_section(&mut self, kind: &str) -> bool {
        let transceivers: Vec<_> = self.peer.get_transceivers().collect();
        for id in transceivers {
            let Some(transceiver) = self.peer.rtp_transceiver(id) else {
                continue;
            };
            if transceiver.sender().is_some() {
                continue;
            }
            let mid = transceiver.mid().clone().unwrap_or_default();
            if let Some(section) = self.sections.section(&mid)
                && section.kind == kind
            {
                return section.receives && !section.sends;
            }
        }
        false
    }

    /// Puts a description of ours in force and gives it with our candidates.
    fn settle(&mut self, ours: RTCSessionDescription, now: Instant) -> Result<String, StackError> {
        for (protocol, address) in std::mem::take(&mut self.candidates) {
            let init = RTCIceCandidateInit {
                candidate: candidate(protocol, address),
                sdp_mid: Some("0".to_owned()),
                sdp_mline_index: Some(0),
                ..RTCIceCandidateInit::default()
            };
            self.change().add_local_candidate(init).map_err(refused)?;
        }
        self.change()
            .set_local_description(now, ours)
            .map_err(misdescribed)?;
        let sdp = self
            .peer
            .local_description()
            .map(|description| description.sdp)
            .ok_or_else(|| StackError::Description("no local description".to_owned()))?;
        let ufrag = sdp::first_attribute(&sdp, "ice-ufrag").map(str::to_owned);
        if self.ufrag != ufrag {
            let password = sdp::first_attribute(&sdp, "ice-pwd").unwrap_or_default();
            self.roaming.restart(password.to_owned());
            self.ufrag = ufrag;
        }
        Ok(sdp)
    }

    /// Hands the packets over whose turn has come.
    fn dispatch(&mut self) {
        while let Some(leaving) = self.outgoing.poll() {
            self.path.aim(&mut self.peer, self.outgoing.ids());
            self.path.send(&leaving);
        }
    }

    /// What the stack has to tell.
    fn stack_event(&mut self) -> Option<Event> {
        // What it tells may be followed by what it sends, and by what it waits for.
        self.unasked.transmits = true;
        self.unasked.timeout = true;
        while let Some(event) = self.peer.poll_event() {
            match event {
                RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) => match state {
                    RTCPeerConnectionState::Connected => {
                        self.connected = true;
                        return Some(Event::Connected);
                    }
                    RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => {
                        self.connected = false;
                        return Some(Event::Lost);
                    }
                    _ => {}
                },
                RTCPeerConnectionEvent::OnDataChannel(RTCDataChannelEvent::OnOpen(id)) => {
                    self.opened += 1;
                    let Some(channel) = self.peer.data_channel(id) else {
                        continue;
                    };
                    let label = channel.label().to_owned();
                    if self.opened > MOST_CHANNELS || label.len() > LONGEST_LABEL {
                        return Some(Event::TooManyChannels);
                    }
                    self.channels.insert(label.clone(), id);
                    return Some(Event::ChannelOpen { label });
                }
                RTCPeerConnectionEvent::OnDataChannel(RTCDataChannelEvent::OnClose(id)) => {
                    self.channels.retain(|_, open| *open != id);
                }
                _ => {}
            }
        }
        while let Some(message) = self.peer.poll_read() {
            if let RTCMessage::DataChannelMessage(id, message) = message.message
                && message.data.len() <= MAX_MESSAGE
                && let Some(channel) = self.peer.data_channel(id)
            {
                return Some(Event::Data {
                    label: channel.label().to_owned(),
                    bytes: message.data,
                });
            }
        }
        None
    }

    fn next_transmit(&mut self) -> Option<Transmit> {
        let media = self.path.poll_transmit();
        if media.is_some() {
            return media;
        }
        if !self.unasked.transmits {
            return self.flights.poll_transmit();
        }
        self.unasked.timeout = true;
        let Some(message) = self.peer.poll_write() else {
            self.unasked.transmits = false;
            return self.flights.poll_transmit();
        };
        let transmit = Transmit {
            to: message.transport.peer_addr,
            protocol: match message.transport.transport_protocol {
                TransportProtocol::TCP => Protocol::Tcp,
                _ => Protocol::Udp,
            },
            bytes: message.message,
        };
        self.flights.sent(&transmit, self.now);
        Some(transmit)
    }

    fn write_control(&mut self, packets: Control, now: Instant) {
        let _ = self.change().handle_write(TaggedRTCMessage {
            now,
            message: RTCMessage::RtcpPacket(String::new(), packets),
        });
    }
}

impl Connection for WebrtcConnection {
    fn accept_offer(&mut self, offer: &str, now: Instant) -> Result<String, StackError> {
        let offer = sdp::admissible(offer)?;
        let parsed = RTCSessionDescription::offer(offer.clone()).map_err(misdescribed)?;
        self.change()
            .set_remote_description(now, parsed)
            .map_err(misdescribed)?;
        self.describe(&offer);
        let answer = self.change().create_answer(None).map_err(misdescribed)?;
        let answer = self.settle(answer, now)?;
        self.outgoing.learn_numbers(&mut self.peer);
        Ok(answer)
    }

    fn make_offer(&mut self, restart_ice: bool, now: Instant) -> Result<String, StackError> {
        if restart_ice {
            self.change().restart_ice();
        }
        let offer = self.change().create_offer(None).map_err(refused)?;
        self.settle(offer, now)
    }

    fn accept_answer(&mut self, answer: &str, now: Instant) -> Result<(), StackError> {
        let answer = sdp::admissible(answer)?;
        let parsed = RTCSessionDescription::answer(answer.clone()).map_err(misdescribed)?;
        self.change()
            .set_remote_description(now, parsed)
            .map_err(misdescribed)?;
        self.describe(&answer);
        self.outgoing.learn_numbers(&mut self.peer);
        Ok(())
    }

    fn local_ufrag(&self) -> Option<&str> {
        self.ufrag.as_deref()
    }

    fn open_channel(&mut self, label: &str, reliable: bool) -> Result<(), StackError> {
        let init = RTCDataChannelInit {
            ordered: reliable,
            max_retransmits: (!reliable).then_some(0),
            ..RTCDataChannelInit::default()
        };
        self.change()
            .create_data_channel(label, Some(init))
            .map_err(refused)?;
        Ok(())
    }

    fn send_data(&mut self, label: &str, bytes: &[u8], now: Instant) -> Result<(), StackError> {
        let missing = || StackError::NoChannel(label.to_owned());
        let id = *self.channels.get(label).ok_or_else(missing)?;
        let mut channel = self.change().data_channel(id).ok_or_else(missing)?;
        if channel.outstanding_bytes() + bytes.len() > MAX_BUFFERED {
            return Err(StackError::Refused("the peer reads too slowly".to_owned()));
        }
        channel.send(now, BytesMut::from(bytes)).map_err(refused)
    }

    fn add_sender(&mut self, spec: &SenderSpec) -> Result<SenderId, StackError> {
        let track = engine::track(spec);
        let kind = if spec.codec.is_audio() {
            "audio"
        } else {
            "video"
        };
        let id = if self.answers_only && !self.has_free_section(kind) {
            let init = RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Sendonly,
                ..RTCRtpTransceiverInit::default()
            };
            self.change()
                .add_transceiver_from_track(track, Some(init))
                .map_err(refused)?
        } else {
            usize::from(self.change().add_track(track).map_err(refused)?)
        };
        let id = SenderId(id);
        self.outgoing.add(id, spec.clone());
        Ok(id)
    }

    fn remove_sender(&mut self, sender: SenderId) -> Result<(), StackError> {
        self.outgoing.remove(sender);
        self.change()
            .remove_track(RTCRtpSenderId::from(sender.0))
            .map_err(refused)
    }

    fn sender_mid(&mut self, sender: SenderId) -> Option<String> {
        self.peer.rtp_transceiver(sender.0)?.mid().clone()
    }

    fn send_media(&mut self, id: SenderId, media: OutgoingMedia, now: Instant) {
        if self.connected {
            self.outgoing.send(id, media, now);
            self.dispatch();
        }
    }

    fn resend_media(&mut self, id: SenderId, media: OutgoingMedia, now: Instant) {
        if self.connected {
            self.outgoing.resend(id, media, now);
            self.dispatch();
        }
    }

    fn report(&mut self, id: SenderId, ntp: u64, rtp: u32, now: Instant) {
        if self.connected
            && let Some(report) = self.outgoing.report(id, ntp, rtp, now)
        {
            self.write_control(vec![Box::new(report)], now);
        }
    }

    fn probe(&mut self, bits: u64, now: Instant) -> bool {
        self.connected && self.outgoing.probe(bits, now)
    }

    fn request_keyframe(&mut self, ssrc: u32, now: Instant) {
        let request = PictureLossIndication {
            sender_ssrc: 1,
            media_ssrc: ssrc,
        };
        self.write_control(vec![Box::new(request)], now);
    }

    fn receive(&mut self, mut datagram: Datagram, now: Instant) {
        self.now = now;
        if is_media(&datagram.bytes) {
            // What the peer did not seal, or a part of the stack cannot use, is the network's noise.
            if let Some(packet) = self.path.open(datagram.bytes) {
                self.flights.used();
                let _ = self.uplink.media(packet, now);
            }
            return;
        }
        if is_control(&datagram.bytes) {
            if let Some(packets) = self.path.open_control(&datagram.bytes) {
                self.flights.used();
                let _ = self.uplink.control(packets, now);
            }
            return;
        }
        if !self.roaming.incoming(&mut datagram, now) {
            return;
        }
        self.preference.apply(&mut datagram.bytes);
        let message = TaggedBytesMut {
            now,
            transport: TransportContext {
                local_addr: datagram.to,
                peer_addr: datagram.from,
                transport_protocol: match datagram.protocol {
                    Protocol::Udp => TransportProtocol::UDP,
                    Protocol::Tcp => TransportProtocol::TCP,
                },
                ecn: None,
            },
            message: datagram.bytes,
        };
        let steers = steers(&message.message);
        self.flights.hear(&message.message, now);
        // So is what the stack cannot read.
        let _ = self.change().handle_read(message);
        if steers && self.path.stack_heard(&mut self.peer, now) {
            self.flights.complete();
        }
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        let timers = [
            self.stack_due(),
            self.flights.deadline(),
            self.uplink.deadline(),
            self.outgoing.deadline(),
        ];
        timers.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.flights.handle_timeout(now);
        if self.stack_due().is_some_and(|due| due <= now) {
            let _ = self.change().handle_timeout(now);
        }
        // A part that fails says nothing this time.
        for packets in self.uplink.feedback(now).unwrap_or_default() {
            self.write_control(packets, now);
        }
        self.outgoing.handle_timeout(now);
        self.dispatch();
    }

    fn poll_event(&mut self) -> Option<Event> {
        if self.unasked.events {
            let told = self.stack_event();
            if told.is_some() {
                return told;
            }
            self.unasked.events = false;
        }
        loop {
            let arrival = self.uplink.arrivals.pop_front()?;
            if let Some(event) = self.outgoing.arrived(arrival, self.now) {
                return Some(event);
            }
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        let mut transmit = self.next_transmit()?;
        self.roaming.outgoing(&mut transmit, self.now);
        Some(transmit)
    }

    fn close(&mut self, _now: Instant) {
        // It is going either way; what cannot be said any more stays unsaid.
        let _ = self.change().close();
    }
}
