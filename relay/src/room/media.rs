//! Media on its way: from a publisher's stream to everybody who is sent it, and the feedback back.

use std::time::Duration;

use super::{ConnectionKey, Now, Output, ParticipantKey, Room, Side, track::TrackKey};
use crate::{
    forward::{
        downtrack::{Inbound, Verdict},
        payload,
        speakers::INTERVAL as SPEAKERS_EVERY,
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
            Event::Media(media) => self.media(connection, &media, now),
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
                metrics::counter!("relay_connections_lost_total").increment(1);
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
        use livekit_protocol::participant_info::State;
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
            self.retarget(key, track, now);
        }
    }

    /// Forwards one packet.
    fn media(&mut self, connection: ConnectionKey, media: &Media, now: Now) {
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
}
