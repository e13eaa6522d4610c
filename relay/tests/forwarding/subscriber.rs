//! A receiver as a browser's: it orders packets, asks for what is missing, builds frames by what headers say, and
//! decodes what looks continuous. Then it looks at the truth in the payload, and panics when it was deceived.

use std::collections::{BTreeMap, BTreeSet};

use relay::forward::{
    payload::{self, Codec, Payload},
    rtp::Rtp,
    rtx,
};

use crate::{
    links::Datagram,
    publisher::{PAYLOAD_TYPE, Truth},
    sfu::{RTX_SSRC, SSRC},
};

#[derive(Debug, Clone)]
struct Packet {
    timestamp: u32,
    marker: bool,
    payload: Vec<u8>,
    read: Payload,
}

impl Packet {
    fn starts_frame(&self) -> bool {
        self.payload
            .first()
            .is_some_and(|octet| octet & 0x17 == 0x10)
    }
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    timestamp: u32,
    picture: u16,
    base_index: u8,
    key_index: u8,
    layer: u8,
}

#[derive(Default)]
pub(crate) struct Subscriber {
    packets: BTreeMap<u64, Packet>,
    newest: Option<u64>,
    /// The number after the last frame shown.
    next: Option<u64>,
    /// Empty packets since then: each may stand for a picture that was left out late and kept its number.
    fills: u16,
    asked: BTreeMap<u64, (u64, u32)>,
    shown: Option<Shown>,
    decodable: BTreeSet<(u8, u32)>,
    count: u64,
    last_shown: u64,
    last_received: u64,
    last_lost: u64,
    arrived: BTreeMap<u64, u64>,
}

impl Subscriber {
    pub(crate) fn decoded(&self) -> u64 {
        self.count
    }

    pub(crate) fn newest_layer(&self) -> Option<u8> {
        self.shown.map(|shown| shown.layer)
    }

    pub(crate) fn feedback(&mut self) -> BTreeMap<u64, u64> {
        std::mem::take(&mut self.arrived)
    }

    pub(crate) fn receive(&mut self, datagram: &Datagram, now: u64) {
        self.arrived.entry(datagram.transport).or_insert(now);
        let mut bytes = datagram.bytes.clone();
        if Rtp::parse(&bytes).unwrap().ssrc() == RTX_SSRC {
            let Some(length) = rtx::restore(&mut bytes, SSRC, PAYLOAD_TYPE).unwrap() else {
                return;
            };
            bytes.truncate(length);
        }
        let rtp = Rtp::parse(&bytes).unwrap();
        assert_eq!((rtp.ssrc(), rtp.payload_type()), (SSRC, PAYLOAD_TYPE));
        let number = self.extend(rtp.sequence());
        self.last_received = now;
        self.asked.remove(&number);
        if self.next.is_some_and(|next| number < next) {
            return;
        }
        let packet = Packet {
            timestamp: rtp.timestamp(),
            marker: rtp.marker(),
            payload: rtp.payload().to_vec(),
            read: payload::inspect(Codec::Vp8, rtp.payload()),
        };
        if let Some(before) = self.packets.get(&number) {
            // The same number never carries two different things.
            assert_eq!(
                (before.timestamp, &before.payload),
                (packet.timestamp, &packet.payload),
                "number {number}"
            );
        }
        self.packets.insert(number, packet);
        for gap in self.newest.map_or(number, |newest| newest + 1)..number {
            self.asked.insert(gap, (now + 10, 0));
        }
        self.newest = self.newest.max(Some(number));
        while self.show_next(now) || self.show_keyframe(now) {}
    }

    fn extend(&self, sequence: u16) -> u64 {
        let Some(newest) = self.newest else {
            return (1 << 32) + u64::from(sequence);
        };
        let low = u16::try_from(newest & 0xffff).unwrap();
        let ahead = sequence.wrapping_sub(low);
        if ahead < 1 << 15 {
            newest + u64::from(ahead)
        } else {
            newest - u64::from(low.wrapping_sub(sequence))
        }
    }

    /// The frame right behind the last one, if it is there as a whole.
    fn show_next(&mut self, now: u64) -> bool {
        let Some(mut next) = self.next else {
            return false;
        };
        while self
            .packets
            .get(&next)
            .is_some_and(|packet| packet.payload.is_empty())
        {
            next += 1;
            self.next = Some(next);
            self.fills += 1;
        }
        self.show_at(next, true, now)
    }

    /// Any whole key frame further on: a decoder goes on there.
    fn show_keyframe(&mut self, now: u64) -> bool {
        let from = self.next.unwrap_or(0);
        let starts: Vec<u64> = self
            .packets
            .range(from..)
            .filter(|(_, packet)| packet.read.keyframe)
            .map(|(&number, _)| number)
            .collect();
        starts
            .into_iter()
            .any(|start| self.show_at(start, false, now))
    }

    fn show_at(&mut self, start: u64, continuous: bool, now: u64) -> bool {
        let Some(first) = self
            .packets
            .get(&start)
            .filter(|packet| packet.starts_frame())
            .cloned()
        else {
            return false;
        };
        let mut end = start;
        loop {
            match self.packets.get(&end) {
                Some(packet) if packet.payload.is_empty() => {}
                Some(packet) if packet.timestamp != first.timestamp => return false,
                Some(packet) if packet.marker => break,
                Some(_) => {}
                None => return false,
            }
            end += 1;
        }
        let frame: Vec<Packet> = self
            .packets
            .range(start..=end)
            .map(|(_, packet)| packet.clone())
            .filter(|packet| !packet.payload.is_empty())
            .collect();
        self.decode(&frame, continuous);
        self.packets = self.packets.split_off(&(end + 1));
        self.asked = self.asked.split_off(&(end + 1));
        self.next = Some(end + 1);
        self.count += 1;
        self.last_shown = now;
        true
    }

    /// Believes the headers, then checks them against the truth.
    fn decode(&mut self, frame: &[Packet], continuous: bool) {
        let first = &frame[0];
        let truth = Truth::read(&first.payload);
        assert_eq!(
            frame.len(),
            usize::from(truth.parts),
            "a frame is whole: {truth:?}"
        );
        for (part, packet) in (0u16..).zip(frame) {
            assert_eq!(
                Truth::read(&packet.payload),
                Truth { part, ..truth },
                "parts are of one frame, in order"
            );
            assert_eq!(packet.read.picture_id, first.read.picture_id);
        }
        assert!(
            first.read.keyframe || self.decodable.contains(&(truth.layer, truth.reference)),
            "the decoder has what this frame refers to: {truth:?} after {:?}",
            self.shown
        );
        let shown = Shown {
            timestamp: first.timestamp,
            picture: first.read.picture_id.unwrap().value,
            base_index: first.read.base_index.unwrap().value,
            key_index: first.read.key_index.unwrap().value,
            layer: truth.layer,
        };
        if let Some(before) = self.shown {
            let ahead = shown.timestamp.wrapping_sub(before.timestamp);
            assert!(
                ahead > 0 && ahead < 1 << 31,
                "time goes on: {before:?} {shown:?}"
            );
            assert!(
                shown.layer == before.layer || first.read.keyframe,
                "layers change at key frames"
            );
            if continuous {
                let ahead = shown.picture.wrapping_sub(before.picture + 1) & 0x7fff;
                assert!(
                    ahead <= self.fills,
                    "pictures leave no hole: {before:?} {shown:?}"
                );
                let base = u8::from(first.read.temporal.unwrap().id == 0);
                assert_eq!(
                    shown.base_index,
                    before.base_index.wrapping_add(base),
                    "{before:?} {shown:?}"
                );
                let key = u8::from(first.read.keyframe);
                assert_eq!(
                    shown.key_index,
                    (before.key_index + key) & 0x1f,
                    "{before:?} {shown:?}"
                );
            }
        }
        if first.read.keyframe {
            self.decodable.clear();
        }
        self.decodable.insert((truth.layer, truth.frame));
        self.shown = Some(shown);
        self.fills = 0;
    }

    /// What to report as lost.
    pub(crate) fn missing(&mut self, now: u64) -> Vec<u16> {
        let mut reported = Vec::new();
        self.asked.retain(|_, (_, tries)| *tries < 10);
        for (&number, (due, tries)) in &mut self.asked {
            if *due <= now {
                *due = now + 60;
                *tries += 1;
                reported.push(u16::try_from(number & 0xffff).unwrap());
            }
        }
        reported
    }

    /// Packets come, pictures do not.
    pub(crate) fn is_lost(&mut self, now: u64) -> bool {
        let lost = self.last_received + 100 > now
            && self.last_shown + 700 < now
            && self.last_lost + 700 < now;
        if lost {
            self.last_lost = now;
        }
        lost
    }
}
