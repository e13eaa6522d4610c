//! A relay made of the forwarding core alone: what the real one does between its sockets, without any.

use std::{collections::BTreeMap, time::Duration};

use relay::forward::{
    MAX_LAYERS,
    allocate::{Allocator, Demand},
    bitrate::{Liveness, Meter},
    bwe::{Acknowledged, Estimator},
    downtrack::{Downtrack, Inbound, Outbound, Target, Verdict},
    keyframe::Throttle,
    nack::{Answered, Bounds, History},
    pace::Pacer,
    payload::{self, Codec},
    rtp::{Fields, Rtp},
    rtx,
};

use crate::{
    at,
    links::{Datagram, Rng},
    publisher::{BITS, PAYLOAD_TYPE, ssrc},
};

pub(crate) const SSRC: u32 = 1;
pub(crate) const RTX_SSRC: u32 = 2;
const ROUND_TRIP: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Steering {
    By(Option<Target>),
    ByEstimate,
}

struct Layer {
    history: History<Vec<u8>>,
    meter: Meter,
    liveness: Liveness,
    newest: Option<u16>,
    missing: BTreeMap<u16, (u64, u32)>,
}

struct Peer {
    track: Downtrack,
    steering: Steering,
    estimator: Estimator,
    allocator: Allocator,
    pacer: Pacer<Vec<u8>>,
    answered: Answered,
    rtx: rtx::Sender,
    /// Sent packets by transport-wide number: when, size, probe.
    sent: BTreeMap<u64, (u64, u32, Option<u32>)>,
    transport: u64,
    probe: Option<Probe>,
    probes: u32,
    lost: bool,
    timestamp: u32,
}

struct Probe {
    bits: u64,
    since: u64,
    sent: u64,
}

pub(crate) struct Sfu {
    layers: Vec<Layer>,
    peers: Vec<Peer>,
    throttle: Throttle,
}

impl Sfu {
    pub(crate) fn new(peers: usize, rng: &mut Rng) -> Self {
        let layers = (0..MAX_LAYERS)
            .map(|_| Layer {
                history: History::new(Bounds {
                    packets: 1_024,
                    octets: 2_000_000,
                    age: Duration::from_secs(3),
                }),
                meter: Meter::new(),
                liveness: Liveness::new(Liveness::CAMERA),
                newest: None,
                missing: BTreeMap::new(),
            })
            .collect();
        let peers = (0..peers)
            .map(|_| Peer {
                track: Downtrack::new(
                    Codec::Vp8,
                    rng.next().to_le_bytes()[0].into(),
                    u32::MAX - 1000,
                ),
                steering: Steering::By(None),
                estimator: Estimator::new(500_000, 50_000, 50_000_000),
                allocator: Allocator::default(),
                pacer: Pacer::new(500_000),
                answered: Answered::default(),
                rtx: rtx::Sender::new(RTX_SSRC, 97, 65_500),
                sent: BTreeMap::new(),
                transport: 0,
                probe: None,
                probes: 0,
                lost: false,
                timestamp: 0,
            })
            .collect();
        Self {
            layers,
            peers,
            throttle: Throttle::default(),
        }
    }

    pub(crate) fn steer(&mut self, peer: usize, steering: Steering) {
        let peer = &mut self.peers[peer];
        peer.steering = steering;
        if let Steering::By(target) = steering {
            peer.track.set_target(target);
        }
    }

    pub(crate) fn switches(&self, peer: usize) -> u64 {
        self.peers[peer].track.switches()
    }

    pub(crate) fn estimate(&self, peer: usize) -> u64 {
        self.peers[peer].estimator.target()
    }

    pub(crate) fn inbound(&mut self, bytes: &[u8], now: u64) {
        let (index, packet) = read(bytes);
        let layer = &mut self.layers[index];
        layer.meter.add(bytes.len(), 0, packet.marker, at(now));
        layer.liveness.packet(at(now));
        layer
            .history
            .insert(packet.sequence, bytes.to_vec(), at(now));
        layer.note(packet.sequence, now);
        for peer in &mut self.peers {
            match peer.track.forward(&packet, at(now)) {
                Verdict::Forward(out) => {
                    let bytes = peer.write(&out, Rtp::parse(bytes).unwrap().payload());
                    peer.pacer.push(u32::try_from(bytes.len()).unwrap(), bytes);
                }
                Verdict::Fill(out) => {
                    let bytes = peer.write(&out, &[]);
                    peer.pacer.push(12, bytes);
                }
                Verdict::Drop(_) => {}
            }
        }
    }

    pub(crate) fn missing_upstream(&mut self, now: u64) -> Vec<(u8, u16)> {
        let mut asked = Vec::new();
        for (index, layer) in (0u8..).zip(&mut self.layers) {
            layer.missing.retain(|_, (_, tries)| *tries < 10);
            for (&sequence, (due, tries)) in &mut layer.missing {
                if *due <= now {
                    *due = now + 70;
                    *tries += 1;
                    asked.push((index, sequence));
                }
            }
        }
        asked
    }

    pub(crate) fn keyframes(&mut self, now: u64) -> Vec<u8> {
        let mut asked = Vec::new();
        for peer in &mut self.peers {
            let lost = if peer.lost {
                peer.track.picture_lost()
            } else {
                None
            };
            for layer in peer.track.wants_keyframe().into_iter().chain(lost) {
                if self.throttle.ask(layer, at(now)) {
                    asked.push(layer);
                    peer.lost = false;
                }
            }
        }
        asked
    }

    pub(crate) fn step(&mut self, now: u64) {
        if !now.is_multiple_of(200) {
            return;
        }
        let rates = std::array::from_fn(|index| {
            let layer = &mut self.layers[index];
            // The meter sees key frames too; a layer is not worth less than what it declares.
            layer
                .liveness
                .is_live(at(now))
                .then(|| layer.meter.rates(at(now)).bits.max(BITS[index]))
        });
        for peer in self
            .peers
            .iter_mut()
            .filter(|peer| matches!(peer.steering, Steering::ByEstimate))
        {
            let demand = Demand {
                track: (),
                screen: false,
                priority: 0,
                wanted: Some(Target::layer(2)),
                current: peer.track.target(),
                layers: rates,
                temporal_layers: 3,
                shares: [40, 60, 100, 100],
            };
            let allocation =
                peer.allocator
                    .allocate(peer.estimator.target(), 0, &[demand], at(now));
            peer.track.set_target(allocation.choices[0].target);
            peer.pacer.set_estimate(
                u32::try_from(peer.estimator.target()).unwrap(),
                peer.estimator.is_limited(),
            );
            if let Some(bits) = allocation.probe {
                peer.probes += 1;
                peer.probe = Some(Probe {
                    bits,
                    since: now,
                    sent: 0,
                });
            }
        }
    }

    pub(crate) fn outbound(&mut self, peer: usize, now: u64) -> Vec<Datagram> {
        self.peers[peer].outbound(now)
    }

    pub(crate) fn report_loss(&mut self, peer: usize, sequence: u16, now: u64) {
        let peer = &mut self.peers[peer];
        if !peer.answered.due(sequence, ROUND_TRIP, at(now)) {
            return;
        }
        let Some((layer, original)) = peer.track.origin(sequence) else {
            return;
        };
        let Some(bytes) = self.layers[usize::from(layer)].history.get(original) else {
            return;
        };
        let (_, packet) = read(bytes);
        let Some(out) = peer.track.again(&packet) else {
            return;
        };
        assert_eq!(
            out.sequence, sequence,
            "the way back leads to the same number"
        );
        let repeated = peer.write(&out, Rtp::parse(bytes).unwrap().payload());
        let mut wrapped = Vec::new();
        let fields = fields(&out);
        peer.rtx.packet(&fields, &repeated[12..], &mut wrapped);
        peer.pacer
            .push(u32::try_from(wrapped.len()).unwrap(), wrapped);
    }

    pub(crate) fn picture_lost(&mut self, peer: usize) {
        self.peers[peer].lost = true;
    }

    /// `arrived` are transport-wide numbers with the ms at which they arrived.
    pub(crate) fn feedback(&mut self, peer: usize, arrived: &BTreeMap<u64, u64>, now: u64) {
        let peer = &mut self.peers[peer];
        let Some((&newest, _)) = arrived.last_key_value() else {
            return;
        };
        let mut later = peer.sent.split_off(&(newest + 1));
        std::mem::swap(&mut later, &mut peer.sent);
        let packets: Vec<_> = later
            .into_iter()
            .map(|(number, (sent, size, probe))| Acknowledged {
                sent: at(sent),
                size,
                arrived: arrived.get(&number).map(|&ms| Duration::from_millis(ms)),
                probe,
            })
            .collect();
        peer.estimator.feedback(&packets, at(now));
    }
}

impl Layer {
    fn note(&mut self, sequence: u16, now: u64) {
        self.missing.remove(&sequence);
        let Some(newest) = self.newest else {
            self.newest = Some(sequence);
            return;
        };
        let ahead = sequence.wrapping_sub(newest);
        if ahead == 0 || ahead >= 1 << 15 {
            return;
        }
        for gap in 1..ahead {
            // Some patience for packets that are only late.
            self.missing.insert(newest.wrapping_add(gap), (now + 15, 0));
        }
        self.newest = Some(sequence);
    }
}

impl Peer {
    fn write(&mut self, out: &Outbound, payload: &[u8]) -> Vec<u8> {
        self.timestamp = out.timestamp;
        let mut bytes = fields(out).header().to_vec();
        bytes.extend_from_slice(payload);
        out.patch.apply(&mut bytes[12..]);
        bytes
    }

    fn outbound(&mut self, now: u64) -> Vec<Datagram> {
        let mut out = Vec::new();
        while let Some(bytes) = self.pacer.pop(at(now)) {
            out.push(self.label(bytes, now));
        }
        // A probe lasts 150 ms; padding makes up what media leaves of its rate.
        if let Some((bits, since)) = self.probe.as_ref().map(|probe| (probe.bits, probe.since)) {
            if now >= since + 150 {
                self.probe = None;
            }
            while self
                .probe
                .as_ref()
                .is_some_and(|probe| probe.sent * 8000 < bits * (now - since))
            {
                let mut padding = Vec::new();
                self.rtx.padding(self.timestamp, 255, &mut padding);
                out.push(self.label(padding, now));
            }
        }
        out
    }

    fn label(&mut self, bytes: Vec<u8>, now: u64) -> Datagram {
        let transport = self.transport;
        self.transport += 1;
        let size = u32::try_from(bytes.len()).unwrap();
        if let Some(probe) = &mut self.probe {
            probe.sent += u64::from(size);
        }
        let probe = self.probe.as_ref().map(|_| self.probes);
        self.sent.insert(transport, (now, size, probe));
        Datagram { transport, bytes }
    }
}

fn read(bytes: &[u8]) -> (usize, Inbound) {
    let rtp = Rtp::parse(bytes).unwrap();
    let index = (0..MAX_LAYERS)
        .find(|&index| ssrc(index) == rtp.ssrc())
        .unwrap();
    let packet = Inbound {
        layer: u8::try_from(index).unwrap(),
        sequence: rtp.sequence(),
        timestamp: rtp.timestamp(),
        marker: rtp.marker(),
        empty: rtp.payload().is_empty(),
        payload: payload::inspect(Codec::Vp8, rtp.payload()),
    };
    (index, packet)
}

fn fields(out: &Outbound) -> Fields {
    Fields {
        marker: out.marker,
        payload_type: PAYLOAD_TYPE,
        sequence: out.sequence,
        timestamp: out.timestamp,
        ssrc: SSRC,
    }
}
