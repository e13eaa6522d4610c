//! Which layer of which track a subscriber gets, and what publishers need not send.

use livekit_protocol as proto;
use proto::signal_response::Message;

use super::{
    Now, ParticipantKey, Room,
    participant::Share,
    subscription::Limit,
    track::{Track, TrackKey},
};
use crate::forward::{
    allocate::Demand,
    downtrack::Target,
    dynacast::Ceiling,
    wanted::{Quality, Request, temporal_for},
};

impl Room {
    /// Chooses the layer of a track for a subscriber, and tells the publisher what is wanted.
    pub(super) fn retarget(&mut self, key: ParticipantKey, track_key: TrackKey, now: Now) {
        let Self {
            participants,
            tracks,
            ..
        } = self;
        let Some(track) = tracks.get_mut(&track_key) else {
            return;
        };
        let participant = participants.get_mut(&key);
        // Before the path stands everything would be lost, the first key frame above all.
        let connected = participant
            .as_ref()
            .is_some_and(|participant| participant.is_connected());
        let subscription =
            participant.and_then(|participant| participant.subscriptions.get_mut(&track_key));
        let wanted = subscription
            .as_ref()
            .and_then(|subscription| track.publication.quality(&subscription.request));
        if let Some(subscription) = subscription {
            let wanted = wanted
                .filter(|_| subscription.negotiated && connected && !track.silenced)
                .map(|quality| wanted_layers(track, quality, &subscription.request, now));
            let target = match (wanted, subscription.limit) {
                (Some(wanted), Limit::To(limit)) => Some(Target {
                    layer: wanted.layer.min(limit.layer),
                    temporal: wanted.temporal.min(limit.temporal),
                }),
                (Some(_), Limit::Nothing) => None,
                (wanted, _) => wanted,
            };
            subscription.downtrack.set_target(target);
        }
        let ceiling = track.dynacast.set(key, wanted, now.instant);
        let keyframe_of = self
            .participants
            .get(&key)
            .and_then(|p| p.subscriptions.get(&track_key))
            .and_then(|subscription| subscription.downtrack.wants_keyframe());
        if let Some(ceiling) = ceiling {
            self.tell_dynacast(track_key, ceiling);
        }
        if keyframe_of.is_some() {
            self.ask_keyframe(track_key, keyframe_of, now);
        }
    }

    /// Tells a publisher which qualities anybody wants.
    pub(super) fn tell_dynacast(&mut self, track_key: TrackKey, ceiling: Ceiling) {
        let Some(track) = self.tracks.get_mut(&track_key) else {
            return;
        };
        if track.is_audio() || !track.published {
            return;
        }
        track.watch.steady = false;
        let qualities: Vec<proto::SubscribedQuality> = ceiling
            .qualities()
            .into_iter()
            .map(|(quality, enabled)| proto::SubscribedQuality {
                quality: quality as i32,
                enabled,
            })
            .collect();
        let codec = track
            .info
            .mime_type
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let owner = track.owner;
        #[expect(deprecated, reason = "clients without codec lists read the qualities")]
        let update = proto::SubscribedQualityUpdate {
            track_sid: track.info.sid.clone(),
            subscribed_qualities: qualities.clone(),
            subscribed_codecs: vec![proto::SubscribedCodec { codec, qualities }],
        };
        self.send(owner, Message::SubscribedQualityUpdate(update));
    }

    /// Measures the tracks and says whose share is to be made anew for it.
    pub(super) fn measure(&mut self, now: Now) {
        let mut ceilings = Vec::new();
        for track in self.tracks.values_mut() {
            let changed = track.measure(now.instant);
            for subscriber in track.subscribers.iter().filter(|_| changed) {
                if let Some(participant) = self.participants.get_mut(subscriber) {
                    participant.share = Share::Stale;
                }
            }
            ceilings.extend(
                track
                    .dynacast
                    .poll(now.instant)
                    .map(|ceiling| (track.key, ceiling)),
            );
        }
        for participant in self.participants.values_mut() {
            if participant.share == Share::Limited {
                participant.share = Share::Stale;
            }
            for (key, subscription) in &mut participant.subscriptions {
                let Some(track) = self.tracks.get(key) else {
                    continue;
                };
                let wanted = track.publication.quality(&subscription.request);
                if let (Some(wanted), Some(current)) = (wanted, subscription.downtrack.current()) {
                    let missed = present(track, wanted, now).saturating_sub(current);
                    subscription.watch.missed.note(missed);
                }
            }
        }
        for (track, ceiling) in ceilings {
            self.tell_dynacast(track, ceiling);
        }
    }

    /// Shares out anew where that is called for.
    pub(super) fn settle(&mut self, now: Now) {
        let stale: Vec<ParticipantKey> = self
            .participants
            .values()
            .filter(|participant| participant.share == Share::Stale)
            .map(|participant| participant.key)
            .collect();
        for key in stale {
            self.allocate(key, now);
            let tracks: Vec<TrackKey> = self
                .participants
                .get(&key)
                .map(|participant| participant.subscriptions.keys().copied().collect())
                .unwrap_or_default();
            for track in tracks {
                self.retarget(key, track, now);
            }
        }
    }

    /// Shares out what a subscriber's path carries.
    fn allocate(&mut self, key: ParticipantKey, now: Now) {
        let Self {
            participants,
            tracks,
            ..
        } = self;
        let Some(participant) = participants.get_mut(&key) else {
            return;
        };
        participant.share = Share::Settled;
        let Some(available) = participant.bandwidth else {
            return;
        };
        let mut audio = 0;
        let mut demands: Vec<Demand<TrackKey>> = Vec::new();
        for (track_key, subscription) in &participant.subscriptions {
            let Some(track) = tracks.get(track_key) else {
                continue;
            };
            if track.is_audio() {
                audio += track.offered[0].unwrap_or(0);
                continue;
            }
            let wanted = track
                .publication
                .quality(&subscription.request)
                .filter(|_| subscription.negotiated && !track.silenced)
                .map(|quality| wanted_layers(track, quality, &subscription.request, now));
            demands.push(Demand {
                track: *track_key,
                screen: track.info.source == i32::from(proto::TrackSource::ScreenShare),
                priority: 0,
                wanted,
                current: subscription.downtrack.target(),
                layers: track.offered,
                temporal_layers: track.temporal_layers,
                shares: track.shares,
            });
        }
        let allocator = &mut participant.allocator;
        let mut allocation = allocator.allocate(available, audio, &demands, now.instant);
        if let Some(bits) = allocation.probe {
            metrics::counter!("relay_probes_total").increment(1);
            let link = participant.sending_link();
            if !link.connection.probe(bits, now.instant) {
                let allocator = &mut participant.allocator;
                allocator.try_out(now.instant);
                allocation = allocator.allocate(available, audio, &demands, now.instant);
            }
        }
        if allocation.choices.iter().any(|choice| choice.limited) {
            participant.share = Share::Limited;
        }
        let mut states = Vec::new();
        for choice in allocation.choices {
            let Some(subscription) = participant.subscriptions.get_mut(&choice.track) else {
                continue;
            };
            subscription.limit = match choice.target {
                _ if !choice.limited => Limit::None,
                Some(target) => Limit::To(target),
                None => Limit::Nothing,
            };
            let paused = choice.limited && choice.target.is_none();
            if std::mem::replace(&mut subscription.paused, paused) != paused
                && let Some(track) = tracks.get(&choice.track)
            {
                states.push((track.owner, track.info.sid.clone(), paused));
            }
        }
        self.tell_stream_states(key, states);
    }

    /// Tells a subscriber which pictures come: of whom, which, and whether that is paused.
    pub(super) fn tell_stream_states(
        &mut self,
        key: ParticipantKey,
        states: Vec<(ParticipantKey, String, bool)>,
    ) {
        let stream_states: Vec<proto::StreamStateInfo> = states
            .into_iter()
            .filter_map(|(owner, track_sid, paused)| {
                let state = if paused {
                    proto::StreamState::Paused
                } else {
                    proto::StreamState::Active
                };
                Some(proto::StreamStateInfo {
                    participant_sid: self.participants.get(&owner)?.sid.clone(),
                    track_sid,
                    state: state.into(),
                })
            })
            .collect();
        if !stream_states.is_empty() {
            let update = proto::StreamStateUpdate { stream_states };
            self.send(key, Message::StreamStateUpdate(update));
        }
    }
}

/// The layers that carry a quality with as many pictures a second as were asked for.
fn wanted_layers(track: &Track, quality: Quality, request: &Request, now: Now) -> Target {
    let layer = present(track, quality, now);
    let full = track.frames.get(usize::from(layer)).copied();
    Target {
        layer,
        temporal: temporal_for(request.frames, full.unwrap_or(0), track.temporal_layers),
    }
}

/// The layer that carries a quality, or the nearest that comes.
fn present(track: &Track, quality: Quality, now: Now) -> u8 {
    if track.layers.len() < 2 {
        return 0;
    }
    let wanted = track.publication.layer(quality);
    let live = |at: &u8| {
        track
            .layers
            .get(usize::from(*at))
            .is_some_and(|layer| layer.ssrc.is_some() && layer.liveness.is_live(now.instant))
    };
    let last = u8::try_from(track.layers.len() - 1).unwrap_or(0);
    (0..=wanted.min(last))
        .rev()
        .find(live)
        .or_else(|| (wanted..=last).find(live))
        .unwrap_or(wanted.min(last))
}
