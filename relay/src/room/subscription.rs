//! Who is sent which track.

use livekit_protocol as proto;
use proto::signal_response::Message;
use rand::RngExt as _;

use super::{
    Now, ParticipantKey, Room,
    participant::{Audience, Share},
    track::TrackKey,
};
use crate::{
    forward::{
        downtrack::{Downtrack, Target},
        quality::Missed,
        wanted::{Quality, Request},
    },
    stack::{SenderId, SenderSpec},
};

/// Longer than any track's sid.
const MAX_SID: usize = 64;

/// What the path leaves of what is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// All of it.
    None,
    /// No more than this.
    To(Target),
    /// Nothing.
    Nothing,
}

/// What was seen of a subscription since connections were judged last.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Something was sent.
    pub(super) sent: bool,
    /// Layers that it is sent less than it wants.
    pub(super) missed: Missed,
}

/// A track that a participant is sent.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) sender: SenderId,
    pub(super) ssrc: u32,
    /// The client has answered an offer that carries it.
    pub(super) negotiated: bool,
    /// The client was asked for a media section.
    pub(super) asked: bool,
    pub(super) limit: Limit,
    /// The client was told that nothing comes.
    pub(super) paused: bool,
    pub(super) downtrack: Downtrack,
    pub(super) watch: Watch,
    /// How the client shows it.
    pub(super) request: Request,
}

impl Room {
    /// Whether a participant is to be sent a track.
    pub(super) fn wants(&self, key: ParticipantKey, track_key: TrackKey) -> bool {
        let (Some(participant), Some(track)) =
            (self.participants.get(&key), self.tracks.get(&track_key))
        else {
            return false;
        };
        track.owner != key
            && track.published
            && participant.permission.can_subscribe
            && self.may_hear(key, track_key)
            && !participant.declined.contains(&track.info.sid)
            && (participant.auto_subscribe || participant.wanted.contains(&track.info.sid))
    }

    /// Whether the publisher lets a participant subscribe.
    pub(super) fn may_hear(&self, key: ParticipantKey, track_key: TrackKey) -> bool {
        let (Some(participant), Some(track)) =
            (self.participants.get(&key), self.tracks.get(&track_key))
        else {
            return false;
        };
        let owner = self.participants.get(&track.owner);
        let Some(Audience::Only(audience)) = owner.map(|owner| &owner.audience) else {
            return true;
        };
        audience.iter().any(|permission| {
            (permission.participant_sid == participant.sid
                || (!permission.participant_identity.is_empty()
                    && permission.participant_identity == participant.identity))
                && (permission.all_tracks || permission.track_sids.contains(&track.info.sid))
        })
    }

    /// Subscribes a participant to all that it wants and may have, and ends what it must not have any more.
    pub(super) fn subscribe_to_all(&mut self, key: ParticipantKey, now: Now) {
        let tracks: Vec<TrackKey> = self.tracks.keys().copied().collect();
        for track in tracks {
            if self.wants(key, track) {
                self.subscribe(key, track, now);
            } else {
                self.unsubscribe(key, track, now);
            }
        }
    }

    /// Adds a track to what a participant is sent; [`Room::negotiate`] makes it so. While the client has not seen the
    /// end of another track, it is left to [`Room::settled`].
    pub(super) fn subscribe(&mut self, key: ParticipantKey, track_key: TrackKey, now: Now) {
        let Some(track) = self.tracks.get(&track_key) else {
            return;
        };
        let Some(codec) = track.codec else { return };
        let Some(owner) = self.participants.get(&track.owner) else {
            return;
        };
        let owner_sid = owner.sid.clone();
        let limit = self.limits.subscriptions as usize;
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        if participant.subscriptions.contains_key(&track_key) {
            return;
        }
        if participant.subscriptions.len() >= limit {
            return;
        }
        let ssrc = self.rng.random_range(1..u32::MAX / 2) * 2;
        let spec = SenderSpec {
            stream_id: format!("{owner_sid}|{}", track.info.sid),
            track_id: track.info.sid.clone(),
            codec,
            ssrc,
            rtx_ssrc: ssrc + 1,
        };
        let adaptive = participant.adaptive_stream;
        let link = participant.sending_link();
        if link.vacating {
            return;
        }
        let sender = match link.connection.add_sender(&spec) {
            Ok(sender) => sender,
            Err(error) => {
                tracing::warn!(%error, "cannot subscribe");
                return;
            }
        };
        link.stale = true;
        let downtrack = Downtrack::new(
            codec.into(),
            self.rng.random::<u16>() >> 1,
            self.rng.random(),
        );
        participant.subscriptions.insert(
            track_key,
            Subscription {
                sender,
                ssrc,
                negotiated: false,
                asked: false,
                limit: Limit::None,
                paused: false,
                downtrack,
                watch: Watch::default(),
                request: Request {
                    disabled: false,
                    // A client that tells sizes starts with the least and asks for more.
                    quality: if adaptive {
                        Quality::Low
                    } else {
                        Quality::High
                    },
                    width: 0,
                    height: 0,
                    frames: 0,
                },
            },
        );
        if let Some(track) = self.tracks.get_mut(&track_key) {
            track.subscribers.push(key);
        }
        self.retarget(key, track_key, now);
    }

    /// Takes a track from what a participant is sent. Whether it was there.
    pub(super) fn unsubscribe(
        &mut self,
        key: ParticipantKey,
        track_key: TrackKey,
        now: Now,
    ) -> bool {
        let Some(participant) = self.participants.get_mut(&key) else {
            return false;
        };
        let Some(subscription) = participant.subscriptions.remove(&track_key) else {
            return false;
        };
        let link = participant.sending_link();
        link.vacating |= link.connection.sender_mid(subscription.sender).is_some();
        if let Err(error) = link.connection.remove_sender(subscription.sender) {
            tracing::debug!(%error, "a sender was gone already");
        }
        link.stale = true;
        if let Some(track) = self.tracks.get_mut(&track_key) {
            track.subscribers.retain(|other| *other != key);
        }
        self.retarget(key, track_key, now);
        true
    }

    /// The client chose tracks.
    pub(super) fn update_subscription(
        &mut self,
        key: ParticipantKey,
        update: &proto::UpdateSubscription,
        now: Now,
    ) {
        let listed = update
            .participant_tracks
            .iter()
            .flat_map(|tracks| &tracks.track_sids);
        let sids = update.track_sids.iter().chain(listed);
        let sids: Vec<String> = sids.filter(|sid| sid.len() <= MAX_SID).cloned().collect();
        for sid in sids {
            if let Some(participant) = self.participants.get_mut(&key) {
                // Bounded: a client cannot fill the memory with sids.
                if participant.declined.len() + participant.wanted.len() > 4096 {
                    break;
                }
                if update.subscribe {
                    participant.declined.remove(&sid);
                    participant.wanted.insert(sid.clone());
                } else {
                    participant.wanted.remove(&sid);
                    participant.declined.insert(sid.clone());
                }
            }
            let Some(track) = self.track_by_sid(&sid).map(|track| track.key) else {
                continue;
            };
            if update.subscribe {
                if self.wants(key, track) {
                    self.subscribe(key, track, now);
                } else {
                    let refused = proto::SubscriptionPermissionUpdate {
                        participant_sid: self
                            .tracks
                            .get(&track)
                            .and_then(|track| self.participants.get(&track.owner))
                            .map(|owner| owner.sid.clone())
                            .unwrap_or_default(),
                        track_sid: sid,
                        allowed: false,
                    };
                    self.send(key, Message::SubscriptionPermissionUpdate(refused));
                }
            } else {
                self.unsubscribe(key, track, now);
            }
        }
        self.negotiate(key, now);
    }

    /// The client told how it shows tracks.
    pub(super) fn update_track_settings(
        &mut self,
        key: ParticipantKey,
        settings: &proto::UpdateTrackSettings,
        now: Now,
    ) {
        for sid in &settings.track_sids {
            let Some(track) = self.track_by_sid(sid).map(|track| track.key) else {
                continue;
            };
            let Some(participant) = self.participants.get_mut(&key) else {
                return;
            };
            let Some(subscription) = participant.subscriptions.get_mut(&track) else {
                continue;
            };
            participant.share = Share::Stale;
            subscription.request = Request {
                disabled: settings.disabled,
                quality: match settings.quality() {
                    proto::VideoQuality::Low => Quality::Low,
                    proto::VideoQuality::Medium => Quality::Medium,
                    proto::VideoQuality::High | proto::VideoQuality::Off => Quality::High,
                },
                width: settings.width,
                height: settings.height,
                frames: settings.fps,
            };
            self.retarget(key, track, now);
        }
    }

    /// The publisher chose who may subscribe.
    pub(super) fn update_audience(
        &mut self,
        key: ParticipantKey,
        permission: proto::SubscriptionPermission,
        now: Now,
    ) {
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        participant.audience = if permission.all_participants {
            Audience::Everybody
        } else {
            Audience::Only(permission.track_permissions)
        };
        let tracks: Vec<(TrackKey, String)> = self
            .tracks
            .values()
            .filter(|t| t.owner == key && t.published)
            .map(|t| (t.key, t.info.sid.clone()))
            .collect();
        let participant_sid = self.participants[&key].sid.clone();
        for other in self.keys() {
            if other == key {
                continue;
            }
            for (track, sid) in &tracks {
                let allowed = self.may_hear(other, *track);
                if allowed && self.wants(other, *track) {
                    self.subscribe(other, *track, now);
                } else if !self.unsubscribe(other, *track, now) {
                    continue;
                }
                let update = proto::SubscriptionPermissionUpdate {
                    participant_sid: participant_sid.clone(),
                    track_sid: sid.clone(),
                    allowed,
                };
                self.send(other, Message::SubscriptionPermissionUpdate(update));
            }
            self.negotiate(other, now);
        }
    }
}
