//! Media on its way: from a publisher's stream to everybody who is sent it, and the feedback back.

use std::time::Duration;

use bytes::Bytes;
use livekit_protocol as proto;

use super::{
    ConnectionKey, Now, Output, ParticipantKey, Room, Side,
    data::RELIABLE,
    participant::{Participant, Share},
    track::TrackKey,
};
use crate::{
    forward::{
        downtrack::{Inbound, Outbound, Verdict},
        payload::{self, Patch},
        reports,
        speakers::INTERVAL as SPEAKERS_EVERY,
    },
    stack::{Codec, Event, Media, OutgoingMedia},
};

/// How often tracks are measured, for what comes and goes by itself.
const MEASURE_EVERY: Duration = Duration::from_millis(500);
/// How often what has changed is shared out anew.
const SETTLE_EVERY: Duration = Duration::from_millis(100);
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
            Event::StreamEnded { ssrc } => {
                if let Some(link) = self.link(connection) {
                    link.known.remove(&ssrc);
                    link.streams.remove(&ssrc);
                }
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
            Event::TooManyChannels => {
                metrics::counter!("relay_channel_floods_total").increment(1);
                self.remove(key, proto::DisconnectReason::ParticipantRemoved, now);
            }
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
                self.sender_report((track, layer), ntp, rtp, now);
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
                    participant.share = Share::Stale;
                }
            }
            Event::Missing { ssrc, sequences } => self.resend(connection, ssrc, &sequences, now),
            Event::Reception {
                ssrc,
                lost,
                jitter,
                round_trip,
            } => {
                if let Some(participant) = self.participants.get_mut(&key)
                    && participant.receptions.len() < 1_024
                {
                    let reception = participant.receptions.entry(ssrc).or_default();
                    reception.reports += 1;
                    reception.lost += lost;
                    reception.jitter = reception.jitter.max(jitter);
                    let round_trip = round_trip.unwrap_or_default();
                    reception.round_trip = reception.round_trip.max(round_trip);
                }
            }
            Event::ChannelOpen { label } => {
                if label == RELIABLE
                    && let Some(participant) = self.participants.get_mut(&key)
                    && participant.sending_side() == side
                {
                    participant.channel = true;
                    self.activate(key);
                }
            }
        }
    }

    fn connected(&mut self, (key, side): ConnectionKey, now: Now) {
        let Some(link) = self.link((key, side)) else {
            return;
        };
        link.connected = true;
        self.activate(key);
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
    fn media(&mut self, connection: ConnectionKey, media: Media, now: Now) {
        let key = connection.0;
        let Some(link) = self.link(connection) else {
            return;
        };
        let Some(&(track_key, layer)) = link.streams.get(&media.ssrc) else {
            // The section was given to another track, or media came before its announcement.
            let known = link.known.get(&media.ssrc).cloned();
            let opened = known.is_some_and(|(mid, rid, codec)| {
                self.stream_opened(connection, media.ssrc, &mid, &rid, codec, now)
            });
            self.account.whole.refused += u64::from(!opened);
            return;
        };
        let Self {
            participants,
            tracks,
            speakers,
            out,
            account,
            ..
        } = self;
        let Some(track) = tracks.get_mut(&track_key) else {
            return;
        };
        let Some(codec) = track.codec else { return };
        let allowed = participants.get_mut(&key).is_some_and(|owner| {
            let bits = media.payload.len() as u64 * 8;
            owner.bits.take(bits, now.instant)
        });
        if !allowed {
            account.whole.refused += 1;
            return;
        }
        // What somebody plays is not what they say.
        let speaks = track.info.source != i32::from(proto::TrackSource::ScreenShareAudio);
        if let Some(level) = media.audio_level.filter(|_| speaks) {
            speakers.observe(
                (&key, &track_key),
                if track.info.muted { 127 } else { level },
                media.timestamp,
                codec.clock_rate(),
                now.instant,
            );
        }
        let inbound = inbound(&media, layer, codec);
        if let Some(layer) = track.layers.get_mut(layer) {
            layer.note(&media, inbound.payload.temporal, now.instant);
        }
        account.whole.received += 1;
        let mut keyframe_of = None;
        let mut switched = Vec::new();
        for subscriber in &track.subscribers {
            let Some(participant) = participants.get_mut(subscriber) else {
                continue;
            };
            let Some(subscription) = participant.subscriptions.get_mut(&track_key) else {
                continue;
            };
            let downtrack = &mut subscription.downtrack;
            let switches = downtrack.switches();
            let verdict = downtrack.forward(&inbound, now.instant);
            keyframe_of = keyframe_of.or(downtrack.wants_keyframe());
            if downtrack.switches() != switches {
                account.whole.switches += 1;
                switched.push(*subscriber);
            }
            let outgoing = match verdict {
                Verdict::Forward(outbound) => outgoing(&media, &outbound),
                Verdict::Fill(outbound) => filler(&media, &outbound),
                Verdict::Drop(_) => continue,
            };
            account.whole.forwarded += 1;
            account.whole.octets += outgoing.payload.len() as u64;
            subscription.watch.sent = true;
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
        if !codec.is_audio()
            && !track.subscribers.is_empty()
            && let Some(layer) = track.layers.get_mut(layer)
        {
            layer.keep(media, now.instant);
        }
        for subscriber in switched {
            self.report_switch(subscriber, track_key, now);
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

    /// Sends packets once more to a subscriber that lost them.
    fn resend(&mut self, connection: ConnectionKey, ssrc: u32, sequences: &[u16], now: Now) {
        let Some(participant) = self.participants.get_mut(&connection.0) else {
            return;
        };
        let Participant {
            subscriptions,
            subscriber,
            publisher,
            ..
        } = participant;
        let Some((track, subscription)) = subscriptions
            .iter()
            .find(|(_, subscription)| subscription.ssrc == ssrc)
        else {
            return;
        };
        let Some(track) = self.tracks.get(track) else {
            return;
        };
        let link = subscriber.as_mut().unwrap_or(publisher);
        let mut resent = 0;
        for sequence in sequences {
            let found = subscription
                .downtrack
                .origin(*sequence)
                .and_then(|(layer, original)| {
                    let layer = usize::from(layer);
                    let media = track.layers.get(layer)?.history.as_ref()?.get(original)?;
                    let inbound = inbound(media, layer, track.codec?);
                    Some((media, subscription.downtrack.again(&inbound)?))
                });
            if let Some((media, outbound)) = found {
                let again = outgoing(media, &outbound);
                let connection = &mut link.connection;
                connection.resend_media(subscription.sender, again, now.instant);
                resent += 1;
            }
        }
        self.account.whole.resent += resent;
        self.account.whole.missing += sequences.len() as u64;
    }

    /// A publisher says which moment a timestamp stands for: everybody who is sent that layer learns it, in our
    /// clock and in their numbers.
    fn sender_report(&mut self, from: (TrackKey, usize), ntp: u64, timestamp: u32, now: Now) {
        let Self {
            participants,
            tracks,
            ..
        } = self;
        let Some(track) = tracks.get_mut(&from.0) else {
            return;
        };
        track.watch.reported = true;
        let arrived = ntp_now(now);
        let Some(ntp_here) = participants
            .get_mut(&track.owner)
            .map(|owner| owner.clock.translate(ntp, arrived, now.instant))
        else {
            return;
        };
        let layer = u8::try_from(from.1).unwrap_or(u8::MAX);
        let subscribers = track.subscribers.clone();
        for subscriber in subscribers {
            let Some(participant) = self.participants.get_mut(&subscriber) else {
                continue;
            };
            let reported = participant
                .subscriptions
                .get_mut(&from.0)
                .and_then(|subscription| {
                    let rtp = subscription
                        .downtrack
                        .sender_report(layer, ntp, timestamp)?;
                    Some((subscription.sender, rtp))
                });
            if let Some((sender, rtp)) = reported {
                let side = participant.sending_side();
                let link = participant.sending_link();
                link.connection.report(sender, ntp_here, rtp, now.instant);
                self.flush((subscriber, side));
            }
        }
    }

    /// After a start or a switch the subscriber learns from the last report which moment the timestamps stand for.
    fn report_switch(&mut self, key: ParticipantKey, track_key: TrackKey, now: Now) {
        let reported = self
            .participants
            .get(&key)
            .and_then(|participant| participant.subscriptions.get(&track_key))
            .and_then(|subscription| Some((subscription.sender, subscription.downtrack.report()?)));
        let owner = self.tracks.get(&track_key).map(|track| track.owner);
        let Some((sender, (ntp, rtp))) = reported else {
            return;
        };
        let Some(ntp) = owner
            .and_then(|owner| self.participants.get(&owner))
            .and_then(|owner| owner.clock.shifted(ntp))
        else {
            return;
        };
        if let Some(participant) = self.participants.get_mut(&key) {
            let side = participant.sending_side();
            let link = participant.sending_link();
            link.connection.report(sender, ntp, rtp, now.instant);
            self.flush((key, side));
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
        if now.instant.saturating_duration_since(self.measured) >= MEASURE_EVERY {
            self.measured = now.instant;
            self.measure(now);
        }
        if now.instant.saturating_duration_since(self.settled) >= SETTLE_EVERY {
            self.settled = now.instant;
            self.settle(now);
        }
    }
}

/// This moment as NTP time.
fn ntp_now(now: Now) -> reports::Ntp {
    let since_epoch = Duration::from_millis(u64::try_from(now.unix_ms).unwrap_or(0));
    reports::from_unix(since_epoch)
}

fn inbound(media: &Media, layer: usize, codec: Codec) -> Inbound {
    Inbound {
        layer: u8::try_from(layer).unwrap_or(u8::MAX),
        sequence: media.sequence,
        timestamp: media.timestamp,
        marker: media.marker,
        empty: media.payload.is_empty(),
        payload: payload::inspect(codec.into(), &media.payload),
    }
}

fn outgoing(media: &Media, outbound: &Outbound) -> OutgoingMedia {
    OutgoingMedia {
        sequence: outbound.sequence,
        timestamp: outbound.timestamp,
        marker: outbound.marker,
        audio_level: media.audio_level,
        dependency: media.dependency.clone(),
        payload: media.payload.clone(),
        patch: outbound.patch,
    }
}

/// A packet without payload, in the place of one that is left out.
fn filler(media: &Media, outbound: &Outbound) -> OutgoingMedia {
    OutgoingMedia {
        sequence: outbound.sequence,
        timestamp: outbound.timestamp,
        marker: outbound.marker,
        audio_level: media.audio_level,
        dependency: None,
        payload: Bytes::new(),
        patch: Patch::default(),
    }
}
