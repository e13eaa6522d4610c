//! Media on its way: from a publisher's stream to everybody who is sent it, and the feedback back.

use std::time::Duration;

use livekit_protocol as proto;
use proto::signal_response::Message;

use super::{ConnectionKey, Now, Output, ParticipantKey, Room, Side, track::TrackKey};
use crate::{
    forward::{
        MAX_LAYERS,
        allocate::Demand,
        downtrack::{Inbound, Target, Verdict},
        payload,
        quality::{self, Window},
        speakers::{INTERVAL as SPEAKERS_EVERY, Speaker},
        wanted::Quality,
    },
    stack::{Event, Media, OutgoingMedia},
};

/// How often layers are chosen anew for what comes and goes by itself.
const TARGETS_EVERY: Duration = Duration::from_millis(500);
/// How often connections are judged.
const QUALITY_EVERY: Duration = Duration::from_secs(5);

impl Room {
    /// Takes everything out of a connection after it was changed.
    pub(super) fn pump(&mut self, connection: ConnectionKey, now: Now) {
        while let Some(event) = self
            .link(connection)
            .and_then(|link| link.connection.poll_event())
        {
            self.connection_event(connection, event, now);
        }
        self.flush(connection);
    }

    /// Takes only what is to be sent out of a connection.
    fn flush(&mut self, connection: ConnectionKey) {
        let (key, side) = connection;
        let Some(link) = self
            .participants
            .get_mut(&key)
            .and_then(|participant| participant.link_mut(side))
        else {
            return;
        };
        while let Some(transmit) = link.connection.poll_transmit() {
            self.out.push_back(Output::Transmit {
                connection,
                transmit,
            });
        }
    }

    fn connection_event(&mut self, connection: ConnectionKey, event: Event, now: Now) {
        let (key, side) = connection;
        match event {
            Event::Media(media) => self.media(connection, media, now),
            Event::Stream {
                ssrc,
                mid,
                rid,
                codec,
            } => {
                if let Some(link) = self.link(connection) {
                    link.known.insert(ssrc, (mid.clone(), rid.clone(), codec));
                }
                self.stream_opened(connection, ssrc, &mid, &rid, codec, now);
            }
            Event::KeyframeWanted { ssrc } => {
                let wanted = self.participants.get(&key).and_then(|participant| {
                    let (track, subscription) = participant
                        .subscriptions
                        .iter()
                        .find(|(_, subscription)| subscription.ssrc == ssrc)?;
                    Some((*track, subscription.downtrack.picture_lost()?))
                });
                if let Some((track, layer)) = wanted {
                    self.ask_keyframe(track, Some(layer), now);
                }
            }
            Event::Connected => self.connected(connection, now),
            Event::Lost => {
                if let Some(link) = self.link(connection) {
                    link.connected = false;
                }
            }
            Event::SenderReport { ssrc, ntp, rtp } => {
                let Some(&(track, layer)) = self
                    .link(connection)
                    .and_then(|link| link.streams.get(&ssrc))
                else {
                    return;
                };
                self.sender_report(track, layer, ntp, rtp);
            }
            Event::Data { label, bytes } => {
                if self.hears_data((key, side)) {
                    self.data(key, &label, &bytes, now);
                }
            }
            Event::Bandwidth(bandwidth) => {
                if let Some(participant) = self.participants.get_mut(&key)
                    && participant.sending_side() == side
                {
                    participant.bandwidth = Some(bandwidth);
                }
            }
            Event::Reception { ssrc, lost, jitter } => {
                if let Some(participant) = self.participants.get_mut(&key)
                    && participant.receptions.len() < 1_024
                {
                    let reception = participant.receptions.entry(ssrc).or_default();
                    reception.reports += 1;
                    reception.lost += lost;
                    reception.jitter = reception.jitter.max(jitter);
                }
            }
            Event::ChannelOpen { .. } => {}
        }
    }

    fn connected(&mut self, (key, side): ConnectionKey, now: Now) {
        use proto::participant_info::State;
        let Some(link) = self.link((key, side)) else {
            return;
        };
        link.connected = true;
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        if participant.state != State::Active {
            participant.state = State::Active;
            self.broadcast(key, None);
        }
        let subscribed: Vec<TrackKey> = self
            .participants
            .get(&key)
            .filter(|participant| participant.sending_side() == side)
            .map(|participant| participant.subscriptions.keys().copied().collect())
            .unwrap_or_default();
        for track in subscribed {
            self.ask_keyframe(track, None, now);
        }
    }

    /// Forwards one packet.
    fn media(&mut self, connection: ConnectionKey, media: Media, now: Now) {
        let key = connection.0;
        let Some(link) = self.link(connection) else {
            return;
        };
        let Some(&(track_key, layer)) = link.streams.get(&media.ssrc) else {
            // The section was given to another track, or media came before its announcement.
            if let Some((mid, rid, codec)) = link.known.get(&media.ssrc).cloned() {
                self.stream_opened(connection, media.ssrc, &mid, &rid, codec, now);
            }
            return;
        };
        let Self {
            participants,
            tracks,
            speakers,
            out,
            ..
        } = self;
        let Some(track) = tracks.get_mut(&track_key) else {
            return;
        };
        let Some(codec) = track.codec else { return };
        if let Some(level) = media.audio_level {
            speakers.observe(
                &key,
                if track.info.muted { 127 } else { level },
                media.timestamp,
                codec.clock_rate(),
                now.instant,
            );
        }
        if let Some(layer) = track.layers.get_mut(layer)
            && !media.payload.is_empty()
        {
            layer.liveness.packet(now.instant);
            layer
                .meter
                .add(media.payload.len(), media.marker, now.instant);
        }
        let inbound = Inbound {
            layer: u8::try_from(layer).unwrap_or(u8::MAX),
            sequence: media.sequence,
            timestamp: media.timestamp,
            marker: media.marker,
            empty: media.payload.is_empty(),
            payload: payload::inspect(codec.into(), &media.payload),
        };
        let mut keyframe_of = None;
        for subscriber in &track.subscribers {
            let Some(participant) = participants.get_mut(subscriber) else {
                continue;
            };
            let Some(subscription) = participant.subscriptions.get_mut(&track_key) else {
                continue;
            };
            let verdict = subscription.downtrack.forward(&inbound, now.instant);
            keyframe_of = keyframe_of.or(subscription.downtrack.wants_keyframe());
            let (outbound, payload) = match verdict {
                Verdict::Forward(outbound) => (outbound, media.payload.clone()),
                Verdict::Fill(outbound) => (outbound, bytes::Bytes::new()),
                Verdict::Drop(_) => continue,
            };
            let payload = if outbound.patch.is_empty() {
                payload
            } else {
                let mut copy = bytes::BytesMut::from(payload.as_ref());
                outbound.patch.apply(&mut copy);
                copy.freeze()
            };
            let outgoing = OutgoingMedia {
                sequence: outbound.sequence,
                timestamp: outbound.timestamp,
                marker: outbound.marker,
                audio_level: media.audio_level,
                dependency: media.dependency.clone(),
                payload,
            };
            let sender = subscription.sender;
            let connection = (*subscriber, participant.sending_side());
            let link = participant.sending_link();
            link.connection.send_media(sender, outgoing, now.instant);
            while let Some(transmit) = link.connection.poll_transmit() {
                out.push_back(Output::Transmit {
                    connection,
                    transmit,
                });
            }
        }
        if keyframe_of.is_some() {
            self.ask_keyframe(track_key, keyframe_of, now);
        }
    }

    /// Asks the publisher for a key frame of one layer, or of all that are wanted; not more often than it may be.
    pub(super) fn ask_keyframe(&mut self, track_key: TrackKey, layer: Option<u8>, now: Now) {
        let Some(track) = self.tracks.get_mut(&track_key) else {
            return;
        };
        if track.is_audio() {
            return;
        }
        let mut asked = Vec::new();
        for (at, of) in track.layers.iter().enumerate() {
            let at = u8::try_from(at).unwrap_or(u8::MAX);
            if let Some(ssrc) = of.ssrc
                && layer.is_none_or(|layer| layer == at)
                && track.keyframes.ask(at, now.instant)
            {
                asked.push(ssrc);
            }
        }
        let owner = (track.owner, Side::Publisher);
        if asked.is_empty() {
            return;
        }
        metrics::counter!("relay_keyframes_asked_total").increment(asked.len() as u64);
        if let Some(link) = self.link(owner) {
            for ssrc in asked {
                link.connection.request_keyframe(ssrc, now.instant);
            }
        }
        self.flush(owner);
    }

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
        let subscription = participants
            .get_mut(&key)
            .and_then(|participant| participant.subscriptions.get_mut(&track_key));
        let wanted = subscription
            .as_ref()
            .and_then(|subscription| track.publication.quality(&subscription.request));
        if let Some(subscription) = subscription {
            let wanted = wanted
                .filter(|_| subscription.negotiated)
                .map(|quality| Target::layer(present(track, quality, now)));
            let target = match (wanted, subscription.limit) {
                (Some(wanted), Some(Some(limit))) => Some(Target {
                    layer: wanted.layer.min(limit.layer),
                    temporal: wanted.temporal.min(limit.temporal),
                }),
                (Some(_), Some(None)) => None,
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
    fn tell_dynacast(&mut self, track_key: TrackKey, ceiling: crate::forward::dynacast::Ceiling) {
        let Some(track) = self.tracks.get(&track_key) else {
            return;
        };
        if track.is_audio() || !track.published {
            return;
        }
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

    fn sender_report(&mut self, track_key: TrackKey, layer: usize, ntp: u64, timestamp: u32) {
        let Some(track) = self.tracks.get(&track_key) else {
            return;
        };
        let layer = u8::try_from(layer).unwrap_or(u8::MAX);
        for subscriber in &track.subscribers {
            if let Some(subscription) = self
                .participants
                .get_mut(subscriber)
                .and_then(|participant| participant.subscriptions.get_mut(&track_key))
            {
                // The stack's own reports go out by arrival; this keeps layers aligned at a switch.
                let _ = subscription.downtrack.sender_report(layer, ntp, timestamp);
            }
        }
    }

    pub(super) fn media_tick(&mut self, now: Now) {
        if now.instant.saturating_duration_since(self.speakers_told) >= SPEAKERS_EVERY {
            self.speakers_told = now.instant;
            self.tell_speakers(now);
        }
        if now.instant.saturating_duration_since(self.quality_told) >= QUALITY_EVERY {
            self.quality_told = now.instant;
            self.tell_quality();
        }
        if now.instant.saturating_duration_since(self.targets_set) >= TARGETS_EVERY {
            self.targets_set = now.instant;
            for key in self.keys() {
                self.allocate(key, now);
            }
            let pairs: Vec<(ParticipantKey, TrackKey)> = self
                .tracks
                .values()
                .filter(|track| !track.is_audio())
                .flat_map(|track| track.subscribers.iter().map(|key| (*key, track.key)))
                .collect();
            for (key, track) in pairs {
                self.retarget(key, track, now);
            }
            let ceilings: Vec<_> = self
                .tracks
                .values_mut()
                .filter_map(|track| Some((track.key, track.dynacast.poll(now.instant)?)))
                .collect();
            for (track, ceiling) in ceilings {
                self.tell_dynacast(track, ceiling);
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
        let Some(available) = participant.bandwidth else {
            return;
        };
        let mut audio = 0;
        let mut demands: Vec<Demand<TrackKey>> = Vec::new();
        for (track_key, subscription) in &participant.subscriptions {
            let Some(track) = tracks.get_mut(track_key) else {
                continue;
            };
            let mut layers = [None; MAX_LAYERS];
            for (rate, layer) in layers.iter_mut().zip(&mut track.layers) {
                if layer.liveness.is_live(now.instant) {
                    *rate = Some(layer.meter.rates(now.instant).bits);
                }
            }
            if track.is_audio() {
                audio += layers[0].unwrap_or(0);
                continue;
            }
            let wanted = track
                .publication
                .quality(&subscription.request)
                .filter(|_| subscription.negotiated)
                .map(|quality| Target::layer(present(track, quality, now)));
            demands.push(Demand {
                track: *track_key,
                screen: track.info.source == i32::from(proto::TrackSource::ScreenShare),
                priority: 0,
                wanted,
                current: subscription.downtrack.target(),
                layers,
                temporal_layers: 1,
            });
        }
        let allocation = participant
            .allocator
            .allocate(available, audio, &demands, now.instant);
        let mut states = Vec::new();
        for choice in allocation.choices {
            let Some(subscription) = participant.subscriptions.get_mut(&choice.track) else {
                continue;
            };
            subscription.limit = choice.limited.then_some(choice.target);
            let paused = choice.limited && choice.target.is_none();
            if std::mem::replace(&mut subscription.paused, paused) != paused
                && let Some(track) = tracks.get(&choice.track)
            {
                states.push((track.owner, track.info.sid.clone(), paused));
            }
        }
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

    /// Tells everybody how well participants receive, where that has changed.
    fn tell_quality(&mut self) {
        let mut updates = Vec::new();
        for participant in self.participants.values_mut() {
            let receptions = std::mem::take(&mut participant.receptions);
            let windows: Vec<Window> = participant
                .subscriptions
                .iter()
                .filter_map(|(track, subscription)| {
                    let reception = receptions.get(&subscription.ssrc)?;
                    let track = self.tracks.get(track)?;
                    Some(window(reception, track))
                })
                .collect();
            if let Some(quality) = participant.quality.update(windows) {
                updates.push(proto::ConnectionQualityInfo {
                    participant_sid: participant.sid.clone(),
                    quality: match quality {
                        quality::Quality::Lost => proto::ConnectionQuality::Lost,
                        quality::Quality::Poor => proto::ConnectionQuality::Poor,
                        quality::Quality::Good => proto::ConnectionQuality::Good,
                        quality::Quality::Excellent => proto::ConnectionQuality::Excellent,
                    }
                    .into(),
                    score: 0.0,
                });
            }
        }
        if updates.is_empty() {
            return;
        }
        let update = proto::ConnectionQualityUpdate { updates };
        for key in self.keys() {
            self.send(key, Message::ConnectionQuality(update.clone()));
        }
    }

    fn tell_speakers(&mut self, now: Now) {
        let speakers: Vec<proto::SpeakerInfo> = self
            .speakers
            .changes(now.instant)
            .into_iter()
            .filter_map(
                |Speaker {
                     participant,
                     level,
                     active,
                 }| {
                    Some(proto::SpeakerInfo {
                        sid: self.participants.get(&participant)?.sid.clone(),
                        level,
                        active,
                    })
                },
            )
            .collect();
        if speakers.is_empty() {
            return;
        }
        let changed = proto::SpeakersChanged { speakers };
        for key in self.keys() {
            self.send(key, Message::SpeakersChanged(changed.clone()));
        }
    }
}

/// A subscriber's reports of one track, of one second each, as a window of a thousand packets a second.
fn window(reception: &super::participant::Reception, track: &super::track::Track) -> Window {
    const A_SECOND: u64 = 1_000;
    let clock_rate = track.codec.map_or(90_000, crate::stack::Codec::clock_rate);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares from 0 to 1"
    )]
    let lost = (reception.lost.max(0.0) * 1_000.0) as u64;
    Window {
        audio: track.is_audio(),
        expected: u64::from(reception.reports) * A_SECOND,
        lost,
        jitter: Duration::from_secs(1) * reception.jitter.min(clock_rate) / clock_rate,
        ..Window::default()
    }
}

/// The layer that carries a quality, or the nearest that comes.
fn present(track: &super::track::Track, quality: Quality, now: Now) -> u8 {
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
