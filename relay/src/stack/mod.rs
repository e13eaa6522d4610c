//! What the relay wants of a WebRTC stack: a connection that speaks ICE, DTLS, SRTP, SCTP and SDP, and nothing of
//! rooms.
//!
//! **Driving contract.** A connection does no I/O and asks no clock. After each call that changes it (a method with
//! `&mut self` other than the two `poll_…`), drain [`Connection::poll_event`] and [`Connection::poll_transmit`]
//! until both are empty. Time passes by [`Connection::handle_timeout`], wanted at [`Connection::next_timeout`].

pub mod sdp;

mod downlink;
mod engine;
mod exporter;
mod flights;
mod outgoing;
mod path;
mod preference;
mod roaming;
mod sender;
mod srtp;
#[cfg(test)]
mod tests;
mod uplink;
mod webrtc;

use std::{
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};

pub use self::webrtc::WebrtcStack;
use crate::forward::payload::Patch;

/// What a datagram travels on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP with the framing of RFC 4571.
    Tcp,
}

/// A datagram from the network.
#[derive(Debug)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// The candidate address of ours that it came to.
    pub to: SocketAddr,
    /// What it came by.
    pub protocol: Protocol,
    /// Its bytes.
    pub bytes: BytesMut,
}

/// A datagram for the network.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// By what.
    pub protocol: Protocol,
    /// Its bytes.
    pub bytes: BytesMut,
}

/// Media codecs the relay forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus.
    Opus,
    /// VP8.
    Vp8,
    /// H.264.
    H264,
    /// VP9.
    Vp9,
    /// AV1.
    Av1,
}

impl Codec {
    /// The codec of an `a=rtpmap` name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "opus" => Self::Opus,
            "vp8" => Self::Vp8,
            "h264" => Self::H264,
            "vp9" => Self::Vp9,
            "av1" => Self::Av1,
            _ => return None,
        })
    }

    /// The media type as LiveKit writes it.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Opus => "audio/opus",
            Self::Vp8 => "video/VP8",
            Self::H264 => "video/H264",
            Self::Vp9 => "video/VP9",
            Self::Av1 => "video/AV1",
        }
    }

    /// Whether it is an audio codec.
    #[must_use]
    pub fn is_audio(self) -> bool {
        self == Self::Opus
    }

    /// RTP clock rate in Hz.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        if self.is_audio() { 48_000 } else { 90_000 }
    }
}

impl From<Codec> for crate::forward::payload::Codec {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Opus => Self::Opus,
            Codec::Vp8 => Self::Vp8,
            Codec::H264 => Self::H264,
            Codec::Vp9 => Self::Vp9,
            Codec::Av1 => Self::Av1,
        }
    }
}

/// A media packet from a publisher, decrypted, retransmissions already put back into their stream, each once.
#[derive(Clone, Debug)]
pub struct Media {
    /// The stream it belongs to, as announced by [`Event::Stream`].
    pub ssrc: u32,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp, in ticks of the codec's clock.
    pub timestamp: u32,
    /// RTP marker bit.
    pub marker: bool,
    /// Loudness in -dBov (0 loudest, 127 silence), RFC 6464.
    pub audio_level: Option<u8>,
    /// The AV1 dependency descriptor, where the publisher sends one.
    pub dependency: Option<Bytes>,
    /// The codec's payload.
    pub payload: Bytes,
}

impl AsRef<[u8]> for Media {
    fn as_ref(&self) -> &[u8] {
        &self.payload
    }
}

/// A media packet for a subscriber.
#[derive(Clone, Debug)]
pub struct OutgoingMedia {
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// RTP marker bit.
    pub marker: bool,
    /// Loudness in -dBov.
    pub audio_level: Option<u8>,
    /// The AV1 dependency descriptor.
    pub dependency: Option<Bytes>,
    /// The codec's payload, shared with the other subscribers.
    pub payload: Bytes,
    /// What stands in this subscriber's payload instead.
    pub patch: Patch,
}

/// What happened on a connection.
#[derive(Debug)]
pub enum Event {
    /// ICE and DTLS are through.
    Connected,
    /// The peer opens more channels than any client needs. The stack keeps something of each, also of closed ones.
    TooManyChannels,
    /// The path to the peer is lost: ICE heard nothing for too long, or DTLS failed.
    Lost,
    /// The first packet of a stream came in.
    Stream {
        /// Its SSRC.
        ssrc: u32,
        /// The media section.
        mid: String,
        /// The simulcast layer's RID, empty without simulcast.
        rid: String,
        /// The codec of that packet.
        codec: Codec,
    },
    /// Media of an announced stream.
    Media(Media),
    /// An announced stream is forgotten, since its media section sends no more. If it sends again it is announced again.
    StreamEnded {
        /// Its SSRC.
        ssrc: u32,
    },
    /// The subscriber cannot decode the stream that we send with this SSRC and asks for a key frame.
    KeyframeWanted {
        /// Our SSRC.
        ssrc: u32,
    },
    /// The subscriber did not get these packets of the stream that we send with this SSRC, and has not asked for them
    /// within the last round trip.
    Missing {
        /// Our SSRC.
        ssrc: u32,
        /// Their sequence numbers.
        sequences: Vec<u16>,
    },
    /// How the subscriber receives the stream that we send with this SSRC.
    Reception {
        /// Our SSRC.
        ssrc: u32,
        /// Share of packets lost since the last report, 0 to 1.
        lost: f32,
        /// Interarrival jitter in ticks of the stream's clock.
        jitter: u32,
        /// How long a packet and the answer to it take, where the report tells.
        round_trip: Option<Duration>,
    },
    /// A publisher's sender report.
    SenderReport {
        /// The publisher's SSRC.
        ssrc: u32,
        /// NTP time, 32.32 fixed point.
        ntp: u64,
        /// The RTP timestamp that belongs to it.
        rtp: u32,
    },
    /// What the path to the subscriber carries, in bit/s.
    Bandwidth(u64),
    /// A data channel opened.
    ChannelOpen {
        /// Its label.
        label: String,
    },
    /// A message came over a data channel.
    Data {
        /// The channel's label.
        label: String,
        /// The message.
        bytes: BytesMut,
    },
}

/// What a stream to a subscriber is to be.
#[derive(Clone, Debug)]
pub struct SenderSpec {
    /// The media stream id in SDP; LiveKit's clients read `<participant sid>|<track sid>`.
    pub stream_id: String,
    /// The media track id in SDP.
    pub track_id: String,
    /// The codec sent.
    pub codec: Codec,
    /// Our SSRC.
    pub ssrc: u32,
    /// Our SSRC for retransmissions.
    pub rtx_ssrc: u32,
}

/// A sender of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderId(pub usize);

/// Why the stack refused.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The peer's description is malformed or does not fit the state of the negotiation.
    #[error("session description refused: {0}")]
    Description(String),
    /// The stack could not do it in this state.
    #[error("the WebRTC stack refused: {0}")]
    Refused(String),
    /// There is no open data channel of that name.
    #[error("no open data channel {0}")]
    NoChannel(String),
}

/// A peer connection.
pub trait Connection: Send + fmt::Debug {
    /// Takes the peer's offer and gives the answer.
    fn accept_offer(&mut self, sdp: &str, now: Instant) -> Result<String, StackError>;

    /// Makes an offer; with `restart_ice` with fresh ICE credentials.
    fn make_offer(&mut self, restart_ice: bool, now: Instant) -> Result<String, StackError>;

    /// Takes the peer's answer to the last offer.
    fn accept_answer(&mut self, sdp: &str, now: Instant) -> Result<(), StackError>;

    /// The ICE user name fragment that the peer must name, once a description of ours is in force.
    fn local_ufrag(&self) -> Option<&str>;

    /// Creates a data channel; `reliable` ones are ordered, the others neither ordered nor resent.
    fn open_channel(&mut self, label: &str, reliable: bool) -> Result<(), StackError>;

    /// Sends a binary message over the open channel of that name.
    fn send_data(&mut self, label: &str, bytes: &[u8], now: Instant) -> Result<(), StackError>;

    /// Adds a stream to the peer; the next offer (or answer) carries it.
    fn add_sender(&mut self, spec: &SenderSpec) -> Result<SenderId, StackError>;

    /// Ends a stream to the peer.
    fn remove_sender(&mut self, sender: SenderId) -> Result<(), StackError>;

    /// The media section of a sender, once it has one.
    fn sender_mid(&mut self, sender: SenderId) -> Option<String>;

    /// Sends media. Before the stream is negotiated and connected the packet is dropped.
    fn send_media(&mut self, sender: SenderId, media: OutgoingMedia, now: Instant);

    /// Sends a packet once more, as a retransmission (RFC 4588) where that was negotiated.
    fn resend_media(&mut self, sender: SenderId, media: OutgoingMedia, now: Instant);

    /// Tells the subscriber which moment (NTP time, 32.32 fixed point) an RTP timestamp of a sender stands for.
    fn report(&mut self, sender: SenderId, ntp: u64, rtp: u32, now: Instant);

    /// Sends at this rate for a moment, media and padding together, to learn whether the path carries it. `false`
    /// where no picture was sent that could be sent once more.
    fn probe(&mut self, bits: u64, now: Instant) -> bool;

    /// Asks the publisher for a key frame of one of its streams.
    fn request_keyframe(&mut self, ssrc: u32, now: Instant);

    /// Takes a datagram from the network.
    fn receive(&mut self, datagram: Datagram, now: Instant);

    /// When [`Connection::handle_timeout`] is wanted.
    fn next_timeout(&mut self) -> Option<Instant>;

    /// Lets time pass.
    fn handle_timeout(&mut self, now: Instant);

    /// What happened.
    fn poll_event(&mut self) -> Option<Event>;

    /// What to send.
    fn poll_transmit(&mut self) -> Option<Transmit>;

    /// Says good-bye to the peer; drain [`Connection::poll_transmit`] a last time.
    fn close(&mut self, now: Instant);
}

/// Makes connections.
pub trait Stack: Send + fmt::Debug {
    /// A new connection that has negotiated nothing. With `answers_only` the peer makes every offer, and what is sent
    /// to it finds its place in media sections that the peer offers to receive.
    fn connection(
        &mut self,
        answers_only: bool,
        now: Instant,
    ) -> Result<Box<dyn Connection>, StackError>;
}
