//! One subscriber's view of one published track.
//!
//! The allocator says which layer is wanted (*target*); what is sent (*current*) follows at the next key frame of that
//! layer, and until then the old one goes on, so that the picture neither freezes nor breaks. The temporal layer
//! follows at the next picture: down at once, up where a picture says that this is possible.

use std::time::Instant;

use crate::forward::{
    MAX_LAYERS,
    munge::{Generation, Munger, Number, Place},
    payload::{Codec, Patch, Payload},
    pictures::Pictures,
    temporal::Limits,
};

/// Temporal layers are numbered 0 to 7; this one takes them all.
pub const ALL_TEMPORAL: u8 = 7;

/// How far behind the newest packet of its layer a key frame's first packet may come and still be switched to. Those
/// that overtook it (a whole key frame, when it had to be retransmitted) are reported missing by the subscriber and
/// answered from [`crate::forward::nack::History`]; beyond that it is not worth it.
const MAX_REORDERING: u16 = 128;

/// An inbound packet of the track, read once for all subscribers.
#[derive(Debug, Clone, Copy)]
pub struct Inbound {
    /// Simulcast layer, 0 for tracks that have only one.
    pub layer: u8,
    /// The publisher's sequence number, of the primary stream.
    pub sequence: u16,
    /// The publisher's timestamp.
    pub timestamp: u32,
    /// The publisher's marker bit.
    pub marker: bool,
    /// The packet has no payload: it pads.
    pub empty: bool,
    /// What [`crate::forward::payload::inspect`] read.
    pub payload: Payload,
}

/// The layers to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Simulcast layer.
    pub layer: u8,
    /// The highest temporal layer, [`ALL_TEMPORAL`] for every frame.
    pub temporal: u8,
}

impl Target {
    /// All frames of a simulcast layer.
    #[must_use]
    pub fn layer(layer: u8) -> Self {
        Self {
            layer,
            temporal: ALL_TEMPORAL,
        }
    }
}

/// The packet to send: the subscriber's SSRC and payload type, these numbers, and the payload with the patch
/// written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outbound {
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp.
    pub timestamp: u32,
    /// Marker bit.
    pub marker: bool,
    /// Numbers in the payload.
    pub patch: Patch,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send it like this.
    Forward(Outbound),
    /// Send a packet without payload and extensions in its place, so that the subscriber stops asking for it.
    Fill(Outbound),
    /// Send nothing.
    Drop(Reason),
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The track is paused for this subscriber.
    Paused,
    /// Another simulcast layer is being sent.
    OtherLayer,
    /// The picture belongs to a temporal layer that is not sent.
    TemporalLayer,
    /// The packet holds nothing.
    Padding,
    /// It was seen before.
    Duplicate,
    /// It is older than anyone remembers.
    TooOld,
    /// Nothing can be sent before a key frame comes.
    AwaitingKeyframe,
}

/// See the module's text.
#[derive(Debug, Clone)]
pub struct Downtrack {
    codec: Codec,
    munger: Munger,
    pictures: Pictures,
    target: Option<Target>,
    current: Option<u8>,
    /// Temporal layers of the current source and of the one before.
    limits: [Limits; 2],
    /// Timestamp of the newest picture and whether it is left out: decided once for all its packets.
    picture: Option<(u32, bool)>,
    newest: [Option<u16>; MAX_LAYERS],
    reports: [Option<(u64, u32)>; MAX_LAYERS],
    switches: u64,
}

impl Downtrack {
    /// A paused downtrack. `sequence` and `timestamp`, drawn at random by the caller, are those of the first packet.
    #[must_use]
    pub fn new(codec: Codec, sequence: u16, timestamp: u32) -> Self {
        Self {
            codec,
            munger: Munger::new(codec.clock_rate(), sequence, timestamp),
            pictures: Pictures::new(codec),
            target: None,
            current: None,
            limits: [Limits::start(0, ALL_TEMPORAL); 2],
            picture: None,
            newest: [None; MAX_LAYERS],
            reports: [None; MAX_LAYERS],
            switches: 0,
        }
    }

    /// Says what is wanted from here on; `None` pauses at once.
    pub fn set_target(&mut self, target: Option<Target>) {
        self.target = target;
        if target.is_none() {
            self.current = None;
        }
    }

    /// Another stream is this layer from here on: nothing of it can be shown before a key frame, and its numbers and
    /// moments are its own.
    pub fn begin_anew(&mut self, layer: u8) {
        if self.current == Some(layer) {
            self.current = None;
        }
        self.munger.forget(layer);
        let at = usize::from(layer);
        if let (Some(newest), Some(report)) = (self.newest.get_mut(at), self.reports.get_mut(at)) {
            *newest = None;
            *report = None;
        }
    }

    /// What is wanted.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        self.target
    }

    /// The simulcast layer that is being sent.
    #[must_use]
    pub fn current(&self) -> Option<u8> {
        self.current
    }

    /// How often the layer has been switched, starts and resumptions included.
    #[must_use]
    pub fn switches(&self) -> u64 {
        self.switches
    }

    /// The layer whose key frame is being waited for; ask the publisher for it, as often as
    /// [`crate::forward::keyframe::Throttle`] permits.
    #[must_use]
    pub fn wants_keyframe(&self) -> Option<u8> {
        let target = self.target?;
        (self.codec.needs_keyframe() && self.current != Some(target.layer)).then_some(target.layer)
    }

    /// The layer to ask for a key frame because the subscriber cannot decode what it gets (its PLI or FIR).
    #[must_use]
    pub fn picture_lost(&self) -> Option<u8> {
        self.target.and_then(|target| {
            self.codec
                .needs_keyframe()
                .then_some(self.current.unwrap_or(target.layer))
        })
    }

    /// Decides about one packet. Every packet of every layer has to pass here, also while paused.
    pub fn forward(&mut self, packet: &Inbound, now: Instant) -> Verdict {
        let fresh = self.note_arrival(packet);
        let Some(target) = self.target else {
            return Verdict::Drop(Reason::Paused);
        };
        if fresh && self.switches_at(packet, target) {
            self.switch(packet, target, now);
        }
        match self.munger.locate(packet.layer, packet.sequence) {
            Place::New { number } if self.current.is_some() => {
                self.newest(packet, target, number, now)
            }
            Place::New { .. } => Verdict::Drop(Reason::AwaitingKeyframe),
            Place::Late { number } => self.late(packet, number, now),
            Place::Duplicate => Verdict::Drop(Reason::Duplicate),
            Place::Restarted => self.restarted(packet, target, now),
            Place::Unknown if self.current == Some(packet.layer) => Verdict::Drop(Reason::TooOld),
            Place::Unknown if self.current.is_none() => Verdict::Drop(Reason::AwaitingKeyframe),
            Place::Unknown => Verdict::Drop(Reason::OtherLayer),
        }
    }

    /// Remembers the newest number of the layer and says whether the packet is near it.
    fn note_arrival(&mut self, packet: &Inbound) -> bool {
        let Some(newest) = self.newest.get_mut(usize::from(packet.layer)) else {
            return false;
        };
        let Some(before) = *newest else {
            *newest = Some(packet.sequence);
            return true;
        };
        let behind = before.wrapping_sub(packet.sequence);
        if behind == 0 || behind >= 1 << 15 {
            *newest = Some(packet.sequence);
        }
        behind <= MAX_REORDERING || behind >= 1 << 15
    }

    fn switches_at(&self, packet: &Inbound, target: Target) -> bool {
        let held = self.munger.holds(packet.layer, packet.sequence);
        if packet.empty || held || self.current == Some(packet.layer) {
            return false;
        }
        // On the way up a layer in between is better than none, or than a lower one.
        let on_the_way = packet.layer < target.layer
            && self.current.is_none_or(|current| current < packet.layer);
        (packet.layer == target.layer || on_the_way)
            && (packet.payload.keyframe || !self.codec.needs_keyframe())
    }

    fn switch(&mut self, packet: &Inbound, target: Target, now: Instant) {
        let expected = self.expected_timestamp(packet);
        self.munger.switch(
            packet.layer,
            packet.sequence,
            packet.timestamp,
            expected,
            now,
        );
        self.pictures.switch(&packet.payload);
        self.current = Some(packet.layer);
        self.limits = [
            Limits::start(packet.timestamp, target.temporal),
            self.limits[0],
        ];
        self.picture = None;
        self.switches += 1;
    }

    fn restarted(&mut self, packet: &Inbound, target: Target, now: Instant) -> Verdict {
        self.current = None;
        if let Some(newest) = self.newest.get_mut(usize::from(packet.layer)) {
            *newest = Some(packet.sequence);
        }
        if !self.switches_at(packet, target) {
            return Verdict::Drop(Reason::AwaitingKeyframe);
        }
        self.switch(packet, target, now);
        match self.munger.locate(packet.layer, packet.sequence) {
            Place::New { number } => self.newest(packet, target, number, now),
            _ => Verdict::Drop(Reason::AwaitingKeyframe),
        }
    }

    fn newest(
        &mut self,
        packet: &Inbound,
        target: Target,
        number: Number,
        now: Instant,
    ) -> Verdict {
        if packet.empty {
            self.munger.skip(number, packet.timestamp, now);
            return Verdict::Drop(Reason::Padding);
        }
        let left_out = match self.picture {
            Some((timestamp, left_out)) if timestamp == packet.timestamp => left_out,
            _ => self.limits[0].leave_out(
                packet.timestamp,
                packet.payload.temporal,
                packet.payload.keyframe,
                target.temporal,
            ),
        };
        self.picture = Some((packet.timestamp, left_out));
        if left_out {
            self.munger.skip(number, packet.timestamp, now);
            self.pictures.skip(&packet.payload);
            return Verdict::Drop(Reason::TemporalLayer);
        }
        self.send(packet, number, now)
    }

    fn late(&mut self, packet: &Inbound, number: Number, now: Instant) -> Verdict {
        if !packet.empty && !self.was_left_out(packet, number.generation()) {
            return self.send(packet, number, now);
        }
        match self.munger.skip(number, packet.timestamp, now) {
            Some((sequence, timestamp)) => Verdict::Fill(Outbound {
                sequence,
                timestamp,
                marker: false,
                patch: Patch::default(),
            }),
            None => Verdict::Drop(Reason::TooOld),
        }
    }

    fn was_left_out(&self, packet: &Inbound, generation: Generation) -> bool {
        let limits = &self.limits[usize::from(generation == Generation::Previous)];
        self.pictures.was_skipped(generation, &packet.payload)
            || limits.left_out(packet.timestamp, packet.payload.temporal)
    }

    fn send(&mut self, packet: &Inbound, number: Number, now: Instant) -> Verdict {
        let Some((sequence, timestamp)) = self.munger.take(number, packet.timestamp, now) else {
            return Verdict::Drop(Reason::TooOld);
        };
        let patch = self.pictures.take(number.generation(), &packet.payload);
        Verdict::Forward(Outbound {
            sequence,
            timestamp,
            marker: packet.marker,
            patch,
        })
    }

    /// Which packet of the publisher the subscriber misses, by the sequence number it reports (RFC 4585 §6.2.1).
    #[must_use]
    pub fn origin(&self, sequence: u16) -> Option<(u8, u16)> {
        self.munger.origin(sequence)
    }

    /// The same numbers as when this packet was sent first, to answer a report of its loss.
    #[must_use]
    pub fn again(&self, packet: &Inbound) -> Option<Outbound> {
        let (generation, sequence, timestamp) =
            self.munger
                .again(packet.layer, packet.sequence, packet.timestamp)?;
        if self.was_left_out(packet, generation) {
            return None;
        }
        Some(Outbound {
            sequence,
            timestamp,
            marker: packet.marker,
            patch: self.pictures.again(generation, &packet.payload),
        })
    }

    /// Takes in a layer's sender report: NTP time (32.32 bits) and RTP timestamp of one moment (RFC 3550 §6.4.1).
    /// Answers the timestamp to report to the subscriber when this layer is the one being sent.
    pub fn sender_report(&mut self, layer: u8, ntp: u64, timestamp: u32) -> Option<u32> {
        *self.reports.get_mut(usize::from(layer))? = Some((ntp, timestamp));
        let offset = self
            .munger
            .timestamp_offset()
            .filter(|_| self.current == Some(layer))?;
        Some(timestamp.wrapping_add(offset))
    }

    /// The last report of the layer being sent: the publisher's NTP time and the timestamp to report to the
    /// subscriber. After a start or a switch nothing else tells the subscriber which moment a timestamp stands for.
    #[must_use]
    pub fn report(&self) -> Option<(u64, u32)> {
        let (ntp, timestamp) = (*self.reports.get(usize::from(self.current?))?)?;
        Some((ntp, timestamp.wrapping_add(self.munger.timestamp_offset()?)))
    }

    /// The outgoing timestamp of a packet that will start a new source, by what both layers reported.
    fn expected_timestamp(&self, packet: &Inbound) -> Option<u32> {
        let from = self.munger.layer()?;
        let (old_ntp, old) = (*self.reports.get(usize::from(from))?)?;
        let (new_ntp, new) = (*self.reports.get(usize::from(packet.layer))?)?;
        let between = i128::from(new_ntp) - i128::from(old_ntp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "timestamps wrap"
        )]
        let between = ((between * i128::from(self.codec.clock_rate())) >> 32) as u32;
        let since = packet.timestamp.wrapping_sub(new);
        Some(
            old.wrapping_add(between)
                .wrapping_add(since)
                .wrapping_add(self.munger.timestamp_offset()?),
        )
    }
}

#[cfg(test)]
mod tests;
