//! What everybody is told regularly: who speaks, and how well participants send and receive.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use livekit_protocol as proto;
use proto::signal_response::Message;

use super::{
    Now, ParticipantKey, Room,
    participant::{Participant, Reception},
    track::{Track, TrackKey},
};
use crate::{
    forward::{
        quality::{self, Window, score},
        speakers::Speaker,
    },
    stack::Codec,
};

impl Room {
    /// Tells everybody how well participants send and receive, where that has changed.
    pub(super) fn tell_quality(&mut self) {
        let mut published: BTreeMap<ParticipantKey, Vec<Window>> = BTreeMap::new();
        for track in self.tracks.values_mut() {
            let window = track.judge();
            published.entry(track.owner).or_default().extend(window);
        }
        let mut updates = Vec::new();
        for participant in self.participants.values_mut() {
            let mut windows = received(participant, &self.tracks);
            let round_trip = windows.iter().map(|window| window.round_trip).max();
            for mut window in published.remove(&participant.key).unwrap_or_default() {
                // Both ways are one.
                window.round_trip = round_trip.unwrap_or_default();
                windows.push(window);
            }
            let measured = windows.iter().any(|window| score(window).is_some());
            let changed = participant.quality.update(windows);
            if let Some(quality) = participant.quality.told().filter(|_| measured) {
                self.account.whole.judge(quality);
            }
            if let Some(bandwidth) = participant.bandwidth {
                #[expect(clippy::cast_precision_loss, reason = "bit/s")]
                metrics::histogram!("relay_bandwidth_estimate_bits_per_second")
                    .record(bandwidth as f64);
            }
            updates.extend(changed.map(|quality| quality_info(participant, quality)));
        }
        if updates.is_empty() {
            return;
        }
        let update = proto::ConnectionQualityUpdate { updates };
        let update = Arc::new(Message::ConnectionQuality(update));
        for key in self.keys() {
            self.send_shared(key, &update);
        }
    }

    /// Speakers as clients read them.
    pub(super) fn speaker_infos(
        &self,
        speakers: impl IntoIterator<Item = Speaker<ParticipantKey>>,
    ) -> Vec<proto::SpeakerInfo> {
        let info = |speaker: Speaker<ParticipantKey>| {
            Some(proto::SpeakerInfo {
                sid: self.participants.get(&speaker.participant)?.sid.clone(),
                level: speaker.level,
                active: speaker.active,
            })
        };
        speakers.into_iter().filter_map(info).collect()
    }

    pub(super) fn tell_speakers(&mut self, now: Now) {
        let changes = self.speakers.changes(now.instant);
        let speakers = self.speaker_infos(changes);
        if speakers.is_empty() {
            return;
        }
        let changed = proto::SpeakersChanged { speakers };
        for key in self.keys() {
            self.send(key, Message::SpeakersChanged(changed.clone()));
        }
    }
}

/// A judgement as clients read it.
pub(super) fn quality_info(
    participant: &Participant,
    quality: quality::Quality,
) -> proto::ConnectionQualityInfo {
    let told = match quality {
        quality::Quality::Lost => proto::ConnectionQuality::Lost,
        quality::Quality::Poor => proto::ConnectionQuality::Poor,
        quality::Quality::Good => proto::ConnectionQuality::Good,
        quality::Quality::Excellent => proto::ConnectionQuality::Excellent,
    };
    proto::ConnectionQualityInfo {
        participant_sid: participant.sid.clone(),
        quality: told.into(),
        score: 0.0,
    }
}

/// Windows without a word after which a path is lost: browsers report on voices every five seconds or so.
const UNHEARD: u32 = 2;

/// How a participant received what it was sent.
fn received(participant: &mut Participant, tracks: &BTreeMap<TrackKey, Track>) -> Vec<Window> {
    let receptions = std::mem::take(&mut participant.receptions);
    let sent = participant.subscriptions.values().any(|one| one.watch.sent);
    participant.unheard = if sent && receptions.is_empty() {
        participant.unheard.saturating_add(1)
    } else {
        0
    };
    let connected = participant.is_connected();
    let dead = participant.unheard >= UNHEARD || !connected;
    let mut windows = Vec::new();
    for (track, subscription) in &mut participant.subscriptions {
        let Some(track) = tracks.get(track) else {
            continue;
        };
        let watch = std::mem::take(&mut subscription.watch);
        let reception = receptions.get(&subscription.ssrc);
        windows.push(Window {
            audio: track.is_audio(),
            missed: watch.missed.average(),
            paused: subscription.paused,
            silent: watch.sent && dead,
            ..reception.map_or_else(Window::default, |reported| window(reported, track))
        });
    }
    windows
}

/// A subscriber's reports of one track, of one second each, as a window of a thousand packets a second.
fn window(reception: &Reception, track: &Track) -> Window {
    const A_SECOND: u64 = 1_000;
    let clock_rate = track.codec.map_or(90_000, Codec::clock_rate);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares from 0 to 1"
    )]
    let lost = (reception.lost.max(0.0) * 1_000.0) as u64;
    Window {
        expected: u64::from(reception.reports) * A_SECOND,
        lost,
        jitter: Duration::from_secs(1) * reception.jitter.min(clock_rate) / clock_rate,
        round_trip: reception.round_trip,
        ..Window::default()
    }
}
