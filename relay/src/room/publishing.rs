//! What is published: tracks from their announcement to their end.

use std::collections::{BTreeSet, HashMap};

use livekit_protocol as proto;
use prost::Message as _;
use proto::signal_response::Message;

use super::{
    Now, ParticipantKey, Room, Side, ids,
    refusals::refused,
    track::{Layer, Track, TrackKey, Watch},
};
use crate::{
    forward::{
        MAX_LAYERS, MAX_TEMPORAL,
        dynacast::Dynacast,
        keyframe::Throttle,
        wanted::{Declared, Publication, Quality},
    },
    stack::{Codec, sdp::Description},
};

impl Room {
    /// A client announces a track; `track_published` answers with the sid it will have.
    pub(super) fn add_track(
        &mut self,
        key: ParticipantKey,
        request: proto::AddTrackRequest,
        now: Now,
    ) {
        use proto::request_response::{Reason, Request};
        let Some(participant) = self.participants.get(&key) else {
            return;
        };
        let allowed = may_publish(&participant.permission, request.source)
            && request.r#type != i32::from(proto::TrackType::Data);
        let own = || self.tracks.values().filter(|track| track.owner == key);
        // Everybody is told of all of them, again with each change.
        let told: usize = own().map(|track| track.info.encoded_len()).sum();
        let large = told + request.encoded_len() > self.limits.metadata_bytes;
        if !allowed || large || own().count() >= self.limits.tracks as usize {
            let (reason, message) = if !allowed {
                (Reason::NotAllowed, "does not have permission to publish")
            } else if large {
                (
                    Reason::LimitExceeded,
                    "the tracks' descriptions are too large",
                )
            } else {
                (Reason::LimitExceeded, "too many tracks")
            };
            let request = Some(Request::AddTrack(request));
            self.send(key, refused(reason, message, request));
            return;
        }
        if let Some(known) = self
            .tracks
            .values()
            .find(|track| track.owner == key && track.cid == request.cid)
        {
            let response = proto::TrackPublishedResponse {
                cid: request.cid,
                track: Some(known.info.clone()),
            };
            self.send(key, Message::TrackPublished(response));
            return;
        }
        let track = self.announced(key, request, now);
        let response = proto::TrackPublishedResponse {
            cid: track.cid.clone(),
            track: Some(track.info.clone()),
        };
        self.sids.insert(track.info.sid.clone(), track.key);
        self.tracks.insert(track.key, track);
        self.send(key, Message::TrackPublished(response));
    }

    fn announced(
        &mut self,
        owner: ParticipantKey,
        request: proto::AddTrackRequest,
        now: Now,
    ) -> Track {
        let audio = request.r#type == i32::from(proto::TrackType::Audio);
        let mut layers = request.layers;
        if layers.is_empty()
            && let Some(codec) = request.simulcast_codecs.first()
        {
            layers.clone_from(&codec.layers);
        }
        layers.truncate(3);
        layers.sort_by_key(|layer| layer.quality);
        let names = ["q", "h", "f"];
        for (layer, name) in layers.iter_mut().zip(names) {
            if layer.rid.is_empty() {
                name.clone_into(&mut layer.rid);
            }
        }
        let screen = request.source == i32::from(proto::TrackSource::ScreenShare);
        let own = if layers.len() < 2 {
            vec![Layer::new("", screen)]
        } else {
            layers
                .iter()
                .map(|layer| Layer::new(&layer.rid, screen))
                .collect()
        };
        let publication = Publication {
            width: request.width,
            height: request.height,
            layers: if own.len() < 2 {
                Vec::new()
            } else {
                layers.iter().map(declared).collect()
            },
        };
        let mime = request
            .simulcast_codecs
            .first()
            .and_then(|codec| Codec::from_name(codec.codec.rsplit('/').next().unwrap_or_default()))
            .map(|codec| codec.mime().to_owned())
            .unwrap_or_default();
        let sid = ids::make(prefix(request.source), &mut self.rng);
        let key = TrackKey(self.next_track);
        self.next_track += 1;
        let simulcast = layers.len() > 1;
        #[expect(deprecated, reason = "clients still read the older fields")]
        let info = proto::TrackInfo {
            sid,
            r#type: request.r#type,
            name: request.name,
            muted: request.muted,
            width: request.width,
            height: request.height,
            simulcast,
            disable_dtx: request.disable_dtx,
            source: request.source,
            codecs: vec![proto::SimulcastCodecInfo {
                mime_type: mime.clone(),
                cid: request.cid.clone(),
                layers: layers.clone(),
                video_layer_mode: i32::from(!audio),
                ..proto::SimulcastCodecInfo::default()
            }],
            layers,
            mime_type: mime,
            stereo: request.stereo,
            disable_red: true,
            encryption: request.encryption,
            stream: request.stream,
            audio_features: distinct_features(&request.audio_features),
            version: Some(proto::TimedVersion {
                unix_micro: now.unix_ms * 1000,
                ticks: 0,
            }),
            ..proto::TrackInfo::default()
        };
        Track {
            key,
            owner,
            cid: request.cid,
            info,
            mid: None,
            codec: None,
            layers: own,
            silenced: false,
            published: false,
            publication,
            keyframes: Throttle::default(),
            dynacast: Dynacast::new(),
            subscribers: Vec::new(),
            offered: [None; MAX_LAYERS],
            frames: [0; MAX_LAYERS],
            temporal_layers: 1,
            shares: [0; MAX_TEMPORAL],
            watch: Watch::default(),
        }
    }

    /// Finds the announced tracks in an offer, and those that it no longer carries.
    pub(super) fn match_tracks(
        &mut self,
        key: ParticipantKey,
        offer: &Description,
        named: &HashMap<String, String>,
        now: Now,
    ) {
        let mut gone = Vec::new();
        for section in &offer.sections {
            let held = self
                .tracks
                .values()
                .find(|t| t.owner == key && t.mid.as_deref() == Some(section.mid.as_str()))
                .map(|t| (t.key, t.cid.clone()));
            if !section.sends {
                gone.extend(held.map(|(track, _)| track));
                continue;
            }
            let audio = section.kind == "audio";
            if section.kind == "application" {
                continue;
            }
            let cid = named.get(&section.mid).or(section.track_id.as_ref());
            if let Some((held, held_cid)) = held {
                if cid.is_none_or(|cid| *cid == held_cid)
                    || !self
                        .tracks
                        .values()
                        .any(|t| t.owner == key && Some(&t.cid) == cid && t.mid.is_none())
                {
                    continue;
                }
                // The section was given to another track.
                gone.push(held);
            }
            let mut waiting: Vec<&mut Track> = self
                .tracks
                .values_mut()
                .filter(|t| t.owner == key && t.mid.is_none() && t.is_audio() == audio)
                .collect();
            let at = waiting
                .iter()
                .position(|t| Some(&t.cid) == cid)
                .or((!waiting.is_empty()).then_some(0));
            if let Some(track) = at.map(|at| waiting.swap_remove(at)) {
                track.mid = Some(section.mid.clone());
                track.info.mid.clone_from(&section.mid);
                if let Some(codec) = track.info.codecs.first_mut() {
                    codec.mid.clone_from(&section.mid);
                }
                if section.rids.is_empty() && track.layers.len() > 1 {
                    track.layers.truncate(1);
                    track.layers[0].rid.clear();
                    track.publication.layers.clear();
                }
            }
        }
        for track in gone {
            self.unpublish(track, now);
        }
    }

    /// The first packet of a stream came. One stream at a time is a layer: the newest one, and never again one before.
    /// Whether it belongs to a track.
    pub(super) fn stream_opened(
        &mut self,
        (key, side): (ParticipantKey, Side),
        ssrc: u32,
        mid: &str,
        rid: &str,
        codec: Codec,
        now: Now,
    ) -> bool {
        let Some(track) = self
            .tracks
            .values_mut()
            .find(|t| t.owner == key && t.mid.as_deref() == Some(mid))
        else {
            return false;
        };
        if track.codec.is_some_and(|known| known != codec) {
            // A second codec of the same track would need a second set of subscriptions.
            return false;
        }
        let layer = track.layer_of(rid);
        tracing::debug!(sid = track.info.sid, rid, layer, ?codec, "a stream came");
        let displaced = track.layers[layer].take(ssrc);
        let first = !track.published;
        track.published = true;
        track.codec = Some(codec);
        codec.mime().clone_into(&mut track.info.mime_type);
        if let Some(info) = track.info.codecs.first_mut() {
            codec.mime().clone_into(&mut info.mime_type);
        }
        let (track_key, info) = (track.key, track.info.clone());
        let subscribers = displaced.map_or_else(Vec::new, |_| track.subscribers.clone());
        if let Some(link) = self.link((key, side)) {
            if let Some(displaced) = displaced {
                link.streams.remove(&displaced);
                link.known.remove(&displaced);
            }
            link.streams.insert(ssrc, (track_key, layer));
        }
        for subscriber in subscribers {
            let participant = self.participants.get_mut(&subscriber);
            let subscription = participant.and_then(|p| p.subscriptions.get_mut(&track_key));
            if let Some(subscription) = subscription {
                let layer = u8::try_from(layer).unwrap_or(u8::MAX);
                subscription.downtrack.begin_anew(layer);
            }
        }
        if first {
            self.broadcast(key, None);
            let owner = self.participant_info(key);
            self.event("track_published", owner, Some(info), now);
            for other in self.keys() {
                if other != key && self.wants(other, track_key) {
                    self.subscribe(other, track_key, now);
                    self.negotiate(other, now);
                }
            }
        }
        true
    }

    /// Ends a track.
    pub(super) fn unpublish(&mut self, track_key: TrackKey, now: Now) {
        let Some(track) = self.tracks.get(&track_key) else {
            return;
        };
        let (owner, published) = (track.owner, track.published);
        for other in self.keys() {
            if self.unsubscribe(other, track_key, now) {
                self.negotiate(other, now);
            }
        }
        let Some(track) = self.tracks.remove(&track_key) else {
            return;
        };
        self.sids.remove(&track.info.sid);
        for participant in self.participants.values_mut() {
            participant.wanted.remove(&track.info.sid);
            participant.declined.remove(&track.info.sid);
        }
        if let Some(participant) = self.participants.get_mut(&owner) {
            let streams = &mut participant.publisher.streams;
            streams.retain(|_, (of, _)| *of != track_key);
        }
        self.speakers.remove_track(&owner, &track_key);
        let response = proto::TrackUnpublishedResponse {
            track_sid: track.info.sid.clone(),
        };
        self.send(owner, Message::TrackUnpublished(response));
        if published {
            self.broadcast(owner, None);
            let info = self.participant_info(owner);
            self.event("track_unpublished", info, Some(track.info), now);
        }
    }

    /// A track by its sid.
    pub(super) fn track_by_sid(&self, sid: &str) -> Option<&Track> {
        self.tracks.get(self.sids.get(sid)?)
    }

    /// Forwards nothing of a track, or forwards it again.
    pub(super) fn silence(&mut self, track_key: TrackKey, silenced: bool, now: Now) {
        let Some(track) = self.tracks.get_mut(&track_key) else {
            return;
        };
        if track.silenced == silenced {
            return;
        }
        track.silenced = silenced;
        track.watch.steady = false;
        for subscriber in track.subscribers.clone() {
            self.retarget(subscriber, track_key, now);
        }
    }

    /// Mutes or unmutes a track and tells everybody.
    pub(super) fn set_muted(&mut self, track_key: TrackKey, muted: bool, now: Now) {
        let Some(track) = self.tracks.get_mut(&track_key) else {
            return;
        };
        if track.info.muted == muted {
            return;
        }
        track.info.muted = muted;
        track.watch.steady = false;
        let (owner, published) = (track.owner, track.published);
        if published {
            self.broadcast(owner, None);
            if !muted {
                self.ask_keyframe(track_key, None, now);
            }
        }
    }
}

/// Whether somebody may publish tracks from a source.
pub(super) fn may_publish(permission: &proto::ParticipantPermission, source: i32) -> bool {
    let sources = &permission.can_publish_sources;
    permission.can_publish && (sources.is_empty() || sources.contains(&source))
}

fn declared(layer: &proto::VideoLayer) -> Declared {
    Declared {
        quality: match layer.quality() {
            proto::VideoQuality::Low => Quality::Low,
            proto::VideoQuality::Medium => Quality::Medium,
            proto::VideoQuality::High | proto::VideoQuality::Off => Quality::High,
        },
        height: layer.height,
        bits: u64::from(layer.bitrate),
    }
}

/// What a track's sid begins with, by its source; people who read logs tell a camera from a screen by it.
fn prefix(source: i32) -> &'static str {
    match proto::TrackSource::try_from(source) {
        Ok(proto::TrackSource::Camera) => "TR_VC",
        Ok(proto::TrackSource::Microphone) => "TR_AM",
        Ok(proto::TrackSource::ScreenShare) => "TR_VS",
        Ok(proto::TrackSource::ScreenShareAudio) => "TR_AS",
        _ => "TR_",
    }
}

/// Each that there is once, so that a list of any length becomes a short one.
pub(super) fn distinct_features(features: &[i32]) -> Vec<i32> {
    let known = features
        .iter()
        .copied()
        .filter(|feature| proto::AudioTrackFeature::try_from(*feature).is_ok());
    known.collect::<BTreeSet<i32>>().into_iter().collect()
}
