//! What a connection sends: its streams, when each packet's turn comes, and what the peer says about them.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use rtc::{
    peer_connection::RTCPeerConnection, rtcp::sender_report::SenderReport,
    rtp_transceiver::RTCRtpSenderId,
};

use super::{
    Event, OutgoingMedia, SenderId, SenderSpec,
    downlink::{Downlink, Leaving},
    sender::{Numbers, Sender},
    uplink::Arrival,
};
use crate::forward::nack::Allowance;

/// A round trip is taken to last so long before it was measured.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(50);
/// Payloads shorter than this are no padding worth a packet.
const PADDING: usize = 200;

/// See the module's text.
pub(super) struct Outgoing {
    senders: HashMap<SenderId, Sender>,
    downlink: Downlink,
    /// What a probe sends again: the last packet of video.
    padding: Option<(SenderId, OutgoingMedia)>,
    /// What may be sent once more.
    allowance: Allowance,
    /// How long a packet and the answer to it take.
    round_trip: Duration,
    /// Packets whose turn has come.
    ready: VecDeque<Leaving>,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            senders: HashMap::new(),
            downlink: Downlink::new(),
            padding: None,
            allowance: Allowance::default(),
            round_trip: FIRST_ROUND_TRIP,
            ready: VecDeque::new(),
        }
    }

    pub(super) fn add(&mut self, id: SenderId, spec: SenderSpec) {
        self.senders.insert(id, Sender::new(spec));
    }

    pub(super) fn remove(&mut self, id: SenderId) {
        self.senders.remove(&id);
        self.padding.take_if(|(of, _)| *of == id);
    }

    pub(super) fn len(&self) -> usize {
        self.senders.len()
    }

    /// The senders, as the stack names them.
    pub(super) fn ids(&self) -> impl Iterator<Item = RTCRtpSenderId> {
        self.senders.keys().map(|id| RTCRtpSenderId::from(id.0))
    }

    /// Reads from the stack which numbers the packets of each sender bear.
    pub(super) fn learn_numbers(&mut self, peer: &mut RTCPeerConnection) {
        for (id, sender) in &mut self.senders {
            if let Some(mut negotiated) = peer.rtp_sender(RTCRtpSenderId::from(id.0)) {
                let parameters = &negotiated.get_parameters().rtp_parameters;
                sender.numbers = Numbers::negotiated(parameters, sender.spec.codec);
            }
        }
    }

    /// Media leaves: a voice at once, because a packet of it makes no burst and must not wait; a picture in its turn.
    pub(super) fn send(&mut self, id: SenderId, media: OutgoingMedia, now: Instant) {
        let Some(sender) = self.senders.get_mut(&id) else {
            return;
        };
        if sender.probes() && media.payload.len() >= PADDING {
            self.padding = Some((id, media.clone()));
        }
        let Some(leaving) = sender.packet(media) else {
            return;
        };
        self.allowance.earn();
        if sender.is_audio() {
            self.ready.push_back(self.downlink.number(leaving, now));
        } else {
            self.downlink.push(leaving);
            self.release(now);
        }
    }

    /// Media leaves once more.
    pub(super) fn resend(&mut self, id: SenderId, media: OutgoingMedia, now: Instant) {
        let sender = self.senders.get_mut(&id);
        if let Some(leaving) = sender.and_then(|sender| sender.repeated(media)) {
            self.downlink.push_first(leaving);
            self.release(now);
        }
    }

    /// The report that this RTP timestamp of a sender stands for this NTP time.
    pub(super) fn report(
        &mut self,
        id: SenderId,
        ntp_time: u64,
        rtp_time: u32,
        now: Instant,
    ) -> Option<SenderReport> {
        let sender = self.senders.get_mut(&id)?;
        let (packet_count, octet_count) = sender.reported(ntp_time, now);
        Some(SenderReport {
            ssrc: sender.spec.ssrc,
            ntp_time,
            rtp_time,
            packet_count,
            octet_count,
            ..SenderReport::default()
        })
    }

    /// Sends at this rate for a moment; `false` if there is nothing to do it with.
    pub(super) fn probe(&mut self, bits: u64, now: Instant) -> bool {
        if self.padding.is_some() {
            self.downlink.probe(bits, now);
        }
        self.padding.is_some()
    }

    /// Takes in what the peer says about what it was sent; what the room needs to know of it.
    pub(super) fn arrived(&mut self, arrival: Arrival, now: Instant) -> Option<Event> {
        match arrival {
            Arrival::Event(event) => Some(event),
            Arrival::Feedback(feedback) => {
                let bandwidth = self.downlink.feedback(&feedback, now)?;
                Some(Event::Bandwidth(bandwidth))
            }
            Arrival::Missing(nack) => {
                let ssrc = nack.media_ssrc;
                let sender = self.senders.values_mut().find(|s| s.spec.ssrc == ssrc)?;
                let allowance = &mut self.allowance;
                let sequences = sender.missing(&nack.nacks, allowance, self.round_trip, now);
                (!sequences.is_empty()).then_some(Event::Missing { ssrc, sequences })
            }
            Arrival::Reception(report) => {
                let ssrc = report.ssrc;
                let sender = self.senders.values().find(|s| s.spec.ssrc == ssrc)?;
                let round_trip = sender.round_trip(&report, now);
                if let Some(measured) = round_trip {
                    self.round_trip = (self.round_trip * 3 + measured) / 4;
                }
                Some(Event::Reception {
                    ssrc,
                    lost: f32::from(report.fraction_lost) / 256.0,
                    jitter: report.jitter,
                    round_trip,
                })
            }
        }
    }

    /// When [`Outgoing::handle_timeout`] is wanted.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.downlink.deadline()
    }

    /// Lets time pass.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.release(now);
        self.pad(now);
    }

    /// A packet whose turn has come.
    pub(super) fn poll(&mut self) -> Option<Leaving> {
        self.ready.pop_front()
    }

    fn release(&mut self, now: Instant) {
        while let Some(leaving) = self.downlink.pop(now) {
            self.ready.push_back(leaving);
        }
    }

    /// Sends what a running probe wants beside the media: known pictures once more, which every receiver drops.
    fn pad(&mut self, now: Instant) {
        while self.downlink.wants_padding(now) {
            let Some((sender, media)) = &self.padding else {
                return;
            };
            let Some(leaving) = self
                .senders
                .get_mut(sender)
                .filter(|sender| sender.probes())
                .and_then(|sender| sender.repeated(media.clone()))
            else {
                return;
            };
            self.ready.push_back(self.downlink.number(leaving, now));
        }
    }
}
