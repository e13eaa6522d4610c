//! The stack against a whole WebRTC peer, in one process over a simulated network, in virtual time: what `rtc` 0.21
//! gets wrong for a relay stays got round.

mod handshake;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::forward::payload::Patch;
use crate::stack::{
    Codec, Connection, Datagram, Event, OutgoingMedia, Protocol, SenderSpec, Stack as _,
    WebrtcStack,
};
use bytes::Bytes;
use rtc::{
    interceptor::Registry,
    media_stream::MediaStreamTrack,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        configuration::{
            RTCOfferOptions,
            interceptor_registry::{
                configure_simulcast_extension_headers, register_default_interceptors,
            },
            media_engine::MediaEngine,
            setting_engine::SettingEngineBuilder,
        },
        message::{RTCMessage, TaggedRTCMessage},
        sdp::RTCSessionDescription,
        transport::{RTCDtlsRole, RTCIceCandidateInit},
    },
    rtp_transceiver::{
        RTCRtpSenderId,
        rtp_sender::{
            RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters,
            RtpCodecKind,
        },
    },
    sansio::Protocol as _,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};

const STEP: Duration = Duration::from_millis(5);
const LAYERS: [(&str, u32); 3] = [("q", 100), ("h", 200), ("f", 300)];

fn relay_address() -> SocketAddr {
    "192.0.2.1:7882".parse().unwrap()
}

fn client_address() -> SocketAddr {
    "192.0.2.2:5000".parse().unwrap()
}

fn vp8() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: "video/VP8".to_owned(),
        clock_rate: 90_000,
        ..RTCRtpCodec::default()
    }
}

/// A track that the relay sends.
fn shown() -> SenderSpec {
    SenderSpec {
        stream_id: "stream".to_owned(),
        track_id: "track".to_owned(),
        codec: Codec::Vp8,
        ssrc: 900,
        rtx_ssrc: 901,
    }
}

/// A packet of it.
fn picture(number: u16) -> OutgoingMedia {
    OutgoingMedia {
        sequence: number,
        timestamp: u32::from(number) * 3_000,
        marker: true,
        audio_level: None,
        dependency: None,
        payload: Bytes::from_static(&[0x10, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        patch: Patch::default(),
    }
}

/// A client and the relay's end of its connection.
struct Pair {
    client: RTCPeerConnection,
    relay: Box<dyn Connection>,
    now: Instant,
    /// Where the client is, and where it was before.
    at: SocketAddr,
    left: Option<SocketAddr>,
    /// The address that a router gives the client, if there is one.
    outside: Option<SocketAddr>,
    /// Drops every so manieth datagram from the client, once connected.
    drop_every: Option<u32>,
    datagrams: u32,
    connected: bool,
    lost: bool,
    channels: Vec<String>,
    too_many: bool,
    streams: BTreeMap<u32, String>,
    got: BTreeMap<u32, BTreeSet<u16>>,
    doubled: u32,
    /// Numbers of what the client got.
    delivered: Vec<u16>,
}

impl Pair {
    fn new() -> Self {
        Self::answering_as(RTCDtlsRole::Server)
    }

    /// With a client of that role wherever the relay leaves it the choice.
    fn answering_as(role: RTCDtlsRole) -> Self {
        let now = crate::forward::testing::origin();
        let mut engine = MediaEngine::default();
        engine.register_default_codecs().unwrap();
        configure_simulcast_extension_headers(&mut engine).unwrap();
        let registry = register_default_interceptors(Registry::new(), &mut engine).unwrap();
        let settings = SettingEngineBuilder::new()
            .with_answering_dtls_role(role)
            .build();
        let mut client = RTCPeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .build(now)
            .unwrap();
        client.create_data_channel("_reliable", None).unwrap();
        let relay = WebrtcStack::new(vec![(Protocol::Udp, relay_address())])
            .connection(false, now)
            .unwrap();
        Self {
            client,
            relay,
            now,
            at: client_address(),
            left: None,
            outside: None,
            drop_every: None,
            datagrams: 0,
            connected: false,
            lost: false,
            channels: Vec::new(),
            too_many: false,
            streams: BTreeMap::new(),
            got: BTreeMap::new(),
            doubled: 0,
            delivered: Vec::new(),
        }
    }

    fn publish(&mut self, id: &str, layers: &[(&str, u32)]) -> RTCRtpSenderId {
        let encodings = layers
            .iter()
            .map(|(rid, ssrc)| RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters {
                    rid: (*rid).to_owned(),
                    ssrc: Some(*ssrc),
                    rtx: Some(RTCRtpRtxParameters { ssrc: ssrc + 1 }),
                    fec: None,
                },
                active: true,
                codec: vp8(),
                ..RTCRtpEncodingParameters::default()
            })
            .collect();
        let track = MediaStreamTrack::new(
            "stream".to_owned(),
            id.to_owned(),
            id.to_owned(),
            RtpCodecKind::Video,
            encodings,
        );
        self.client.add_track(track).unwrap()
    }

    fn negotiate(&mut self, restart: bool) {
        let options = RTCOfferOptions {
            ice_restart: restart,
        };
        let offer = self.client.create_offer(Some(options)).unwrap();
        self.client.set_local_description(self.now, offer).unwrap();
        self.tell_where();
        let offer = self.client.local_description().unwrap().sdp;
        let answer = self.relay.accept_offer(&offer, self.now).unwrap();
        assert!(answer.contains("a=ice-lite"));
        let answer = RTCSessionDescription::answer(answer).unwrap();
        self.client
            .set_remote_description(self.now, answer)
            .unwrap();
    }

    /// As a client that is only sent something: the relay offers.
    fn be_offered(&mut self, restart: bool) {
        let offer = self.relay.make_offer(restart, self.now).unwrap();
        let offer = RTCSessionDescription::offer(offer).unwrap();
        self.client.set_remote_description(self.now, offer).unwrap();
        let answer = self.client.create_answer(None).unwrap();
        self.client.set_local_description(self.now, answer).unwrap();
        self.tell_where();
        let answer = self.client.local_description().unwrap().sdp;
        self.relay.accept_answer(&answer, self.now).unwrap();
    }

    fn tell_where(&mut self) {
        let (ip, port) = (self.at.ip(), self.at.port());
        let candidate = RTCIceCandidateInit {
            candidate: format!("candidate:1 1 udp 2130706431 {ip} {port} typ host"),
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: Some(0),
            ..RTCIceCandidateInit::default()
        };
        self.client.add_local_candidate(candidate).unwrap();
    }

    fn move_to(&mut self, address: SocketAddr) {
        self.left = Some(self.at);
        self.at = address;
    }

    /// The client's router has forgotten it and gives it another address, of which it knows nothing.
    fn rebind(&mut self, address: SocketAddr) {
        self.left = Some(self.outside());
        self.outside = Some(address);
    }

    fn outside(&self) -> SocketAddr {
        self.outside.unwrap_or(self.at)
    }

    /// Lets virtual time pass.
    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += STEP;
            let _ = self.client.handle_timeout(self.now);
            if self.relay.next_timeout().is_some_and(|at| at <= self.now) {
                self.relay.handle_timeout(self.now);
            }
            for _ in 0..4 {
                self.exchange();
            }
        }
    }

    fn exchange(&mut self) {
        while let Some(message) = self.client.poll_write() {
            if message.transport.local_addr != self.at {
                continue;
            }
            self.datagrams += 1;
            if self
                .drop_every
                .is_some_and(|every| self.datagrams.is_multiple_of(every))
            {
                continue;
            }
            let datagram = Datagram {
                from: self.outside(),
                to: relay_address(),
                protocol: Protocol::Udp,
                bytes: message.message,
            };
            self.relay.receive(datagram, self.now);
        }
        while self.client.poll_event().is_some() {}
        while let Some(message) = self.client.poll_read() {
            if let RTCMessage::RtpPacket(_, packet) = message.message {
                self.delivered.push(packet.header.sequence_number);
            }
        }
        while let Some(event) = self.relay.poll_event() {
            match event {
                Event::Connected => self.connected = true,
                Event::Lost => self.lost = true,
                Event::ChannelOpen { label } => self.channels.push(label),
                Event::TooManyChannels => self.too_many = true,
                Event::Stream { ssrc, rid, .. } => {
                    self.streams.insert(ssrc, rid);
                }
                Event::Media(media) => {
                    let first = self
                        .got
                        .entry(media.ssrc)
                        .or_default()
                        .insert(media.sequence);
                    self.doubled += u32::from(!first);
                }
                _ => {}
            }
        }
        while let Some(transmit) = self.relay.poll_transmit() {
            if Some(transmit.to) == self.left {
                continue;
            }
            assert_eq!(
                transmit.to,
                self.outside(),
                "the relay speaks to nobody else"
            );
            let message = TaggedBytesMut {
                now: self.now,
                transport: TransportContext {
                    local_addr: self.at,
                    peer_addr: relay_address(),
                    transport_protocol: TransportProtocol::UDP,
                    ecn: None,
                },
                message: transmit.bytes,
            };
            let _ = self.client.handle_read(message);
        }
    }

    fn connect(&mut self) {
        self.run(Duration::from_secs(3));
        assert!(self.connected, "ICE and DTLS are through");
    }

    /// Sends packets `from..to` of a stream; `named` ones say their section and layer, as a browser's first ones do.
    fn send(&mut self, sender: RTCRtpSenderId, ssrc: u32, rid: &str, named: bool, sequence: u16) {
        let mid = self
            .client
            .rtp_transceiver(usize::from(sender))
            .and_then(|transceiver| transceiver.mid().clone())
            .unwrap();
        let mut rtp_sender = self.client.rtp_sender(sender).unwrap();
        let parameters = rtp_sender.get_parameters().rtp_parameters.clone();
        let payload_type = parameters
            .codecs
            .iter()
            .find(|codec| codec.rtp_codec.mime_type.eq_ignore_ascii_case("video/VP8"))
            .unwrap()
            .payload_type;
        let mut header = rtc::rtp::Header {
            version: 2,
            payload_type,
            sequence_number: sequence,
            timestamp: u32::from(sequence) * 3_000,
            ssrc,
            ..rtc::rtp::Header::default()
        };
        if named {
            for (uri, value) in [
                (crate::stack::sdp::MID, mid.as_str()),
                (crate::stack::sdp::RID, rid),
            ] {
                let id = parameters
                    .header_extensions
                    .iter()
                    .find(|extension| extension.uri == uri)
                    .unwrap()
                    .id;
                let value = Bytes::copy_from_slice(value.as_bytes());
                header
                    .set_extension(u8::try_from(id).unwrap(), value)
                    .unwrap();
            }
        }
        let packet = rtc::rtp::Packet {
            header,
            payload: Bytes::from_static(&[0x10, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        };
        let message = TaggedRTCMessage {
            now: self.now,
            message: RTCMessage::RtpPacket(String::new(), packet),
        };
        self.client.handle_write(message).unwrap();
    }

    fn send_all(&mut self, sender: RTCRtpSenderId, named: bool, numbers: std::ops::Range<u16>) {
        for number in numbers {
            for (rid, ssrc) in LAYERS {
                self.send(sender, ssrc, rid, named, number);
            }
            self.run(Duration::from_millis(20));
        }
    }
}

#[test]
fn simulcast_lives_on_when_a_second_track_is_published() {
    let mut pair = Pair::new();
    let camera = pair.publish("camera", &LAYERS);
    pair.negotiate(false);
    pair.connect();
    pair.send_all(camera, true, 0..20);
    assert_eq!(pair.streams.len(), 3, "{:?}", pair.streams);
    assert_eq!(pair.streams[&300], "f");

    pair.publish("screen", &[("", 400)]);
    pair.negotiate(false);
    pair.run(Duration::from_millis(200));
    // A browser does not name its layers again.
    pair.send_all(camera, false, 20..60);
    for (rid, ssrc) in LAYERS {
        assert_eq!(pair.got[&ssrc].len(), 60, "layer {rid}");
    }
}

#[test]
fn what_is_lost_on_the_way_in_is_asked_for_and_comes_once() {
    let mut pair = Pair::new();
    let camera = pair.publish("camera", &[("", 100)]);
    pair.negotiate(false);
    pair.connect();
    pair.send(camera, 100, "", false, 0);
    pair.run(Duration::from_millis(50));
    pair.drop_every = Some(20);
    for number in 1..400 {
        pair.send(camera, 100, "", false, number);
        pair.run(Duration::from_millis(10));
    }
    pair.drop_every = None;
    for number in 400..410 {
        pair.send(camera, 100, "", false, number);
    }
    pair.run(Duration::from_secs(2));
    assert_eq!(pair.got[&100].len(), 410);
    assert_eq!(pair.doubled, 0);
}

#[test]
fn an_ice_restart_keeps_media_flowing() {
    let mut pair = Pair::new();
    let camera = pair.publish("camera", &[("", 100)]);
    pair.negotiate(false);
    pair.connect();
    let before = pair.relay.local_ufrag().map(str::to_owned);
    pair.send(camera, 100, "", false, 0);
    pair.run(Duration::from_millis(100));
    pair.negotiate(true);
    assert_ne!(pair.relay.local_ufrag().map(str::to_owned), before);
    pair.run(Duration::from_secs(1));
    for number in 1..20 {
        pair.send(camera, 100, "", false, number);
        pair.run(Duration::from_millis(20));
    }
    pair.run(Duration::from_millis(500));
    assert_eq!(pair.got[&100].len(), 20);
}

#[test]
fn media_follows_a_client_that_moves() {
    let mut pair = Pair::new();
    let sender = pair.relay.add_sender(&shown()).unwrap();
    pair.be_offered(false);
    pair.connect();
    let send = |pair: &mut Pair, numbers: std::ops::Range<u16>| {
        for number in numbers {
            pair.relay.send_media(sender, picture(number), pair.now);
            pair.run(Duration::from_millis(20));
        }
    };
    send(&mut pair, 0..20);
    assert_eq!(pair.delivered, (0..20).collect::<Vec<_>>());

    pair.move_to("192.0.2.3:6000".parse().unwrap());
    pair.be_offered(true);
    pair.run(Duration::from_secs(1));
    send(&mut pair, 20..40);
    assert_eq!(pair.delivered, (0..40).collect::<Vec<_>>());
}

#[test]
fn media_follows_a_client_that_does_not_know_of_its_new_address() {
    let mut pair = Pair::new();
    let sender = pair.relay.add_sender(&shown()).unwrap();
    pair.be_offered(false);
    pair.connect();
    for round in 0..4_u16 {
        pair.rebind(SocketAddr::new([192, 0, 2, 9].into(), 6_000 + round));
        pair.run(Duration::from_secs(20));
        assert!(!pair.lost, "round {round}");
        pair.delivered.clear();
        for number in 0..20 {
            pair.relay
                .send_media(sender, picture(round * 100 + number), pair.now);
            pair.run(Duration::from_millis(20));
        }
        assert_eq!(pair.delivered.len(), 20, "round {round}");
    }
}

#[test]
fn more_channels_than_anybody_needs_are_told() {
    let open = |labels: &[String]| {
        let mut pair = Pair::new();
        for label in labels {
            pair.client.create_data_channel(label, None).unwrap();
        }
        pair.negotiate(false);
        pair.connect();
        (pair.channels.len(), pair.too_many)
    };
    let labels: Vec<String> = (0..16).map(|number| number.to_string()).collect();
    // Beside the one that every client has.
    assert_eq!(open(&labels[1..]), (16, false));
    assert_eq!(open(&labels), (16, true));
    assert_eq!(open(&["x".repeat(10_000)]), (1, true));
}

#[test]
fn noise_changes_nothing() {
    let mut pair = Pair::new();
    let camera = pair.publish("camera", &[("", 100)]);
    pair.negotiate(false);
    pair.connect();
    let mut noise = 0x2545_f491_u32;
    for round in 0..2_000_usize {
        let mut bytes = bytes::BytesMut::zeroed(round % 200);
        for byte in bytes.iter_mut() {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            *byte = noise.to_le_bytes()[0];
        }
        // STUN, DTLS, RTP and RTCP by their first bytes, and none of them.
        if let Some(first) = bytes.first_mut() {
            *first = [0, 1, 22, 23, 0x80, 0x90, 0xff][round % 7];
        }
        if let (4, Some(second)) = (round % 7, bytes.get_mut(1)) {
            *second = 200 + u8::try_from(round % 8).unwrap();
        }
        let datagram = Datagram {
            from: client_address(),
            to: relay_address(),
            protocol: Protocol::Udp,
            bytes,
        };
        pair.relay.receive(datagram, pair.now);
        pair.exchange();
    }
    pair.send(camera, 100, "", false, 0);
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.got[&100].len(), 1);
}
