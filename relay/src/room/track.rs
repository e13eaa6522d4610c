//! A track and its layers: what of it comes, how much that is, and how well it came.

use std::time::{Duration, Instant};

use livekit_protocol as proto;

use super::ParticipantKey;
use crate::{
    forward::{
        MAX_LAYERS, MAX_TEMPORAL,
        arrivals::Arrivals,
        bitrate::{Liveness, Meter},
        dynacast::Dynacast,
        keyframe::Throttle,
        nack::{Bounds, History},
        payload::Temporal,
        quality::{Missed, Window},
        temporal::Depth,
        wanted::{Publication, layer_of_rid},
    },
    stack::{Codec, Media},
};

/// A track in its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TrackKey(pub(super) u32);

/// A simulcast layer, or the only one.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) rid: String,
    /// The publisher's SSRC, once a packet came.
    pub(super) ssrc: Option<u32>,
    /// Whether packets come.
    pub(super) liveness: Liveness,
    /// What it carries.
    meter: Meter,
    /// Its temporal layers.
    depth: Depth,
    arrivals: Arrivals,
    /// What may be asked for again; made with the first packet of video.
    pub(super) history: Option<History<Media>>,
}

/// What of a layer may be asked for again: a second, at up to 12 Mbit/s.
const HISTORY: Bounds = Bounds {
    packets: 1_024,
    octets: 1_500_000,
    age: Duration::from_secs(1),
};

impl Layer {
    pub(super) fn new(rid: &str, screen: bool) -> Self {
        let silence = if screen {
            Liveness::SCREEN
        } else {
            Liveness::CAMERA
        };
        Self {
            rid: rid.to_owned(),
            ssrc: None,
            liveness: Liveness::new(silence),
            meter: Meter::new(),
            depth: Depth::default(),
            arrivals: Arrivals::default(),
            history: None,
        }
    }

    /// Packets of this SSRC are the layer's from here on. Which were until now: their numbers mean nothing any more.
    pub(super) fn take(&mut self, ssrc: u32) -> Option<u32> {
        let before = self.ssrc.replace(ssrc).filter(|before| *before != ssrc);
        if before.is_some() {
            self.arrivals = Arrivals::default();
            self.history = None;
        }
        before
    }

    /// A packet came.
    pub(super) fn note(&mut self, media: &Media, temporal: Option<Temporal>, now: Instant) {
        self.arrivals.packet(media.sequence);
        if media.payload.is_empty() {
            return;
        }
        self.liveness.packet(now);
        let of = temporal.map_or(0, |temporal| temporal.id);
        self.meter.add(media.payload.len(), of, media.marker, now);
        if let Some(temporal) = temporal {
            self.depth.note(temporal.id, now);
        }
    }

    /// Keeps a packet of video, to send it again to whoever lost it.
    pub(super) fn keep(&mut self, media: Media, now: Instant) {
        self.history
            .get_or_insert_with(|| History::new(HISTORY))
            .insert(media.sequence, media, now);
    }
}

/// A track.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) key: TrackKey,
    pub(super) owner: ParticipantKey,
    /// The client's own id of it.
    pub(super) cid: String,
    pub(super) info: proto::TrackInfo,
    /// The publisher's media section.
    pub(super) mid: Option<String>,
    pub(super) codec: Option<Codec>,
    /// From the lowest to the highest.
    pub(super) layers: Vec<Layer>,
    /// It was muted by the city's servers: nothing of it is forwarded, whatever the client sends, until its user
    /// unmutes it.
    pub(super) silenced: bool,
    /// Media came: the others know of it.
    pub(super) published: bool,
    /// What the publisher declared.
    pub(super) publication: Publication,
    pub(super) keyframes: Throttle,
    pub(super) dynacast: Dynacast<ParticipantKey>,
    pub(super) subscribers: Vec<ParticipantKey>,
    /// What the live layers carry, in bit/s, as it was shared out last.
    pub(super) offered: [Option<u64>; MAX_LAYERS],
    /// Pictures a second of each layer, as measured last.
    pub(super) frames: [u32; MAX_LAYERS],
    /// How many temporal layers the live layers have.
    pub(super) temporal_layers: u8,
    /// What the temporal layers 0 to n carry of a layer at most, in percent, as it was shared out last.
    pub(super) shares: [u64; MAX_TEMPORAL],
    pub(super) watch: Watch,
}

/// What was seen of a track since connections were judged last.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The publisher reported on it.
    pub(super) reported: bool,
    /// What is to come of it has been the same all the time.
    pub(super) steady: bool,
    /// Layers that came less than were wanted.
    missed: Missed,
}

impl Track {
    pub(super) fn is_audio(&self) -> bool {
        self.info.r#type == i32::from(proto::TrackType::Audio)
    }

    /// Measures what its layers carry. Whether that is another offer than before: a layer came or went, carries more or
    /// less by an eighth, or has other temporal layers or an eighth more or less in them.
    pub(super) fn measure(&mut self, now: Instant) -> bool {
        let mut offered = [None; MAX_LAYERS];
        let mut temporal_layers = 1;
        let mut shares = [0; MAX_TEMPORAL];
        let measures = offered.iter_mut().zip(&mut self.frames);
        for ((bits, frames), layer) in measures.zip(&mut self.layers) {
            if layer.liveness.is_live(now) {
                let rates = layer.meter.rates(now);
                *bits = Some(rates.bits);
                *frames = rates.frames;
                temporal_layers = temporal_layers.max(layer.depth.layers());
                for (share, below) in shares.iter_mut().zip(rates.below) {
                    let percent = below.saturating_mul(100).checked_div(rates.bits);
                    *share = percent.unwrap_or(0).max(*share);
                }
            }
        }
        let before = std::mem::replace(&mut self.temporal_layers, temporal_layers);
        if let Some(wanted) = self.wanted() {
            let highest = offered.iter().rposition(Option::is_some).unwrap_or(0);
            let highest = u8::try_from(highest).unwrap_or(u8::MAX);
            self.watch.missed.note(wanted.saturating_sub(highest));
        }
        let same = |(old, new): (&Option<u64>, &Option<u64>)| match (old, new) {
            (Some(old), Some(new)) => old.abs_diff(*new) <= old / 8,
            (old, new) => old == new,
        };
        let as_before = before == temporal_layers
            && self.offered.iter().zip(&offered).all(same)
            && self
                .shares
                .iter()
                .zip(&shares)
                .all(|(old, new)| old.abs_diff(*new) <= 100 / 8);
        if as_before {
            return false;
        }
        self.offered = offered;
        self.shares = shares;
        true
    }

    /// The highest layer that the publisher is to send, as it was told last; `None` while it is to send nothing.
    fn wanted(&self) -> Option<u8> {
        if self.info.muted || !self.published {
            return None;
        }
        let last = u8::try_from(self.layers.len().saturating_sub(1)).unwrap_or(u8::MAX);
        if self.is_audio() {
            return Some(last);
        }
        let quality = self.dynacast.told().0?;
        Some(self.publication.layer(quality).min(last))
    }

    /// How it came since this was last asked; `None` where nothing can be said.
    pub(super) fn judge(&mut self) -> Option<Window> {
        let mut window = Window {
            audio: self.is_audio(),
            ..Window::default()
        };
        for layer in &mut self.layers {
            let came = layer.arrivals.news();
            window.expected += came.expected;
            window.lost += came.lost;
        }
        let steady = Watch {
            steady: true,
            ..Watch::default()
        };
        let watch = std::mem::replace(&mut self.watch, steady);
        self.wanted()?;
        if window.expected > 0 {
            if watch.steady {
                window.missed = watch.missed.average();
            }
            return Some(window);
        }
        // A screen that stands still has nothing to send.
        let screen = self.info.source == i32::from(proto::TrackSource::ScreenShare);
        window.silent = !watch.reported;
        window.paused = watch.reported && !screen;
        Some(window).filter(|_| watch.steady)
    }

    /// The layer of that RID.
    pub(super) fn layer_of(&self, rid: &str) -> usize {
        let last = self.layers.len() - 1;
        self.layers
            .iter()
            .position(|layer| layer.rid == rid)
            .or_else(|| layer_of_rid(rid).map(usize::from))
            .unwrap_or(last)
            .min(last)
    }
}
