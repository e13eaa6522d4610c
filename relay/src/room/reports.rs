//! What everybody is told regularly: who speaks, and how well participants receive.

use std::time::Duration;

use livekit_protocol as proto;
use proto::signal_response::Message;

use super::{
    Now, ParticipantKey, Room,
    participant::{Participant, Reception},
    track::Track,
};
use crate::{
    forward::{
        quality::{self, Window},
        speakers::Speaker,
    },
    stack::Codec,
};

impl Room {
    /// Tells everybody how well participants receive, where that has changed.
    pub(super) fn tell_quality(&mut self) {
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
            let measured = !windows.is_empty();
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
        for key in self.keys() {
            self.send(key, Message::ConnectionQuality(update.clone()));
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
        audio: track.is_audio(),
        expected: u64::from(reception.reports) * A_SECOND,
        lost,
        jitter: Duration::from_secs(1) * reception.jitter.min(clock_rate) / clock_rate,
        ..Window::default()
    }
}
