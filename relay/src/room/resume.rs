//! A participant whose signalling connection broke comes back to its place.
//!
//! What was said while it was away is lost, and so is what was on its way when the connection broke, of which nobody
//! knows how much that was. So it is told how everything stands. Clients compare with what they know.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use livekit_protocol as proto;
use proto::signal_response::Message;

use super::{
    Join, Now, Output, ParticipantKey, Room, participant::Audience, reports::quality_info,
    server_info,
};

/// Who left longer ago was told of before any connection broke that is resumed.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Departures that are remembered.
const MOST: usize = 256;

/// Who left lately.
#[derive(Debug, Default)]
pub(super) struct Departures(VecDeque<(Instant, proto::ParticipantInfo)>);

impl Departures {
    /// Notes who has left, without what they told of themselves.
    pub(super) fn note(&mut self, mut who: proto::ParticipantInfo, now: Instant) {
        who.metadata.clear();
        who.attributes.clear();
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((now, who));
    }

    pub(super) fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.0.front()
            && now.saturating_duration_since(*at) > REMEMBERED
        {
            self.0.pop_front();
        }
    }
}

impl Room {
    pub(super) fn resume(&mut self, key: ParticipantKey, session: u64, join: Join, now: Now) {
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        if let Some(old) = participant.session.replace(session) {
            self.out.push_back(Output::Hangup { session: old });
        }
        participant.heard = now.instant;
        // What it may was perhaps changed since the token was made, so only the token's age is taken from it.
        participant.since_s = join.grants.since_s;
        // The client's network is a new one: what it is sent must find a new path as well.
        if let Some(link) = participant.subscriber.as_mut() {
            link.offered = None;
            link.stale = true;
            link.restart = true;
        } else {
            // What it was asked for and has not offered.
            let link = &mut participant.publisher;
            link.stale |= link.vacating;
            for subscription in participant.subscriptions.values_mut() {
                if link.connection.sender_mid(subscription.sender).is_none() {
                    subscription.asked = false;
                    link.stale = true;
                }
            }
        }
        self.out.push_back(Output::Joined {
            session,
            participant: key,
        });
        let reconnect = proto::ReconnectResponse {
            ice_servers: join.ice_servers,
            server_info: Some(server_info()),
            ..proto::ReconnectResponse::default()
        };
        // Clients expect it first.
        self.send(key, Message::Reconnect(reconnect));
        self.tell_grants(key);
        self.repeat_participants(key, now);
        let room = Some(self.info());
        self.send(key, Message::RoomUpdate(proto::RoomUpdate { room }));
        if let Some(sync) = join.sync {
            self.sync_state(key, &sync, now);
        }
        if let Some(offer) = join.offer {
            self.take_offer(key, &offer, now);
        }
        self.repeat_published(key);
        self.repeat_subscribed(key);
        self.repeat_reports(key);
        self.negotiate(key, now);
    }

    /// Who is there, and who has left. Clients go by identity: who is back has not left.
    fn repeat_participants(&mut self, key: ParticipantKey, now: Now) {
        self.departures.forget(now.instant);
        let joined = self.participants.get(&key).map(|p| p.joined.instant);
        let left = self.departures.0.iter().filter(|(at, gone)| {
            let back = |p: &super::Participant| p.identity == gone.identity;
            joined.is_some_and(|joined| *at >= joined) && !self.participants.values().any(back)
        });
        let there = self.participants.values();
        let there = there
            .filter(|p| p.key == key || !p.permission.hidden)
            .filter_map(|p| self.participant_info(p.key));
        let participants = there.chain(left.map(|(_, gone)| gone.clone())).collect();
        let update = proto::ParticipantUpdate { participants };
        self.send(key, Message::Update(update));
    }

    /// What is wanted of its own tracks, and which were muted for it.
    fn repeat_published(&mut self, key: ParticipantKey) {
        let own: Vec<_> = self
            .tracks
            .values()
            .filter(|track| track.owner == key && track.published)
            .map(|track| (track.key, track.dynacast.told()))
            .collect();
        for (track, ceiling) in own {
            self.tell_dynacast(track, ceiling);
        }
        let silenced: Vec<_> = self
            .tracks
            .values()
            .filter(|track| track.owner == key && track.silenced)
            .map(|track| track.info.sid.clone())
            .collect();
        for sid in silenced {
            self.send(
                key,
                Message::Mute(proto::MuteTrackRequest { sid, muted: true }),
            );
        }
    }

    /// Which tracks of others it may have, and which pictures come.
    fn repeat_subscribed(&mut self, key: ParticipantKey) {
        let of_choosers: Vec<_> = self
            .tracks
            .values()
            .filter(|track| track.owner != key && track.published)
            .filter_map(|track| {
                let owner = self.participants.get(&track.owner)?;
                if matches!(owner.audience, Audience::Unchosen) {
                    return None;
                }
                Some(proto::SubscriptionPermissionUpdate {
                    participant_sid: owner.sid.clone(),
                    track_sid: track.info.sid.clone(),
                    allowed: self.may_hear(key, track.key),
                })
            })
            .collect();
        for update in of_choosers {
            self.send(key, Message::SubscriptionPermissionUpdate(update));
        }
        let Some(participant) = self.participants.get(&key) else {
            return;
        };
        let states = participant
            .subscriptions
            .iter()
            .filter_map(|(track, subscription)| {
                let track = self.tracks.get(track).filter(|track| !track.is_audio())?;
                Some((track.owner, track.info.sid.clone(), subscription.paused))
            })
            .collect();
        self.tell_stream_states(key, states);
    }

    /// Who speaks, and how good everybody's connection is.
    fn repeat_reports(&mut self, key: ParticipantKey) {
        let speakers = self.speaker_infos(self.speakers.standing());
        if !speakers.is_empty() {
            let changed = proto::SpeakersChanged { speakers };
            self.send(key, Message::SpeakersChanged(changed));
        }
        let updates: Vec<_> = self
            .participants
            .values()
            .filter_map(|p| Some(quality_info(p, p.quality.told()?)))
            .collect();
        if !updates.is_empty() {
            let update = proto::ConnectionQualityUpdate { updates };
            self.send(key, Message::ConnectionQuality(update));
        }
    }
}
