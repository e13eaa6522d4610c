//! Who is sent which track.

use std::collections::{HashMap, HashSet};

use livekit_protocol as proto;
use proto::signal_response::Message;
use rand::RngExt as _;

use super::{
    Now, ParticipantKey, Room,
    participant::{Audience, Participant, Share},
    refusals::limit_exceeded,
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
/// So many tracks can be named in one message, and so many are kept as chosen or declined: more than a room has for one
/// participant.
const MOST_NAMED: usize = 4096;

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

/// Whom a publisher lets have its tracks.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    by_sid: HashMap<String, Tracks>,
    by_identity: HashMap<String, Tracks>,
}

/// Some of a publisher's tracks.
#[derive(Clone, Debug, Default)]
struct Tracks {
    all: bool,
    sids: HashSet<String>,
}

impl Tracks {
    fn have(&self, sid: &str) -> bool {
        self.all || self.sids.contains(sid)
    }
}

impl Chosen {
    /// As the publisher wrote it, and whether that was all of it: whoever is named after too many others is not let.
    fn read(permissions: Vec<proto::TrackPermission>) -> (Self, bool) {
        let mut chosen = Self::default();
        let mut named = 0;
        for permission in permissions {
            named += 1 + permission.track_sids.len();
            if named > MOST_NAMED {
                return (chosen, false);
            }
            let sids = permission.track_sids;
            for (name, named) in [
                (permission.participant_sid, &mut chosen.by_sid),
                (permission.participant_identity, &mut chosen.by_identity),
            ] {
                if !name.is_empty() {
                    let tracks = named.entry(name).or_default();
                    tracks.all |= permission.all_tracks;
                    tracks.sids.extend(sids.iter().cloned());
                }
            }
        }
        (chosen, true)
    }

    fn let_in(&self, participant: &Participant, track_sid: &str) -> bool {
        let by_sid = self.by_sid.get(&participant.sid);
        let by_identity = self.by_identity.get(&participant.identity);
        let mut tracks = by_sid.into_iter().chain(by_identity);
        tracks.any(|tracks| tracks.have(track_sid))
    }
}

impl Audience {
    /// Whether a participant may have a track of whose publisher this is.
    fn lets(&self, participant: &Participant, track_sid: &str) -> bool {
        match self {
            Self::Unchosen | Self::Everybody => true,
            Self::Only(chosen) => chosen.let_in(participant, track_sid),
        }
    }
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
        owner.is_none_or(|owner| owner.audience.lets(participant, &track.info.sid))
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
            metrics::counter!("relay_subscriptions_refused_total").increment(1);
            // LiveKit's protocol has no error for this one. It is tried again when another track ends.
            let refusal = proto::SubscriptionResponse {
                track_sid: track.info.sid.clone(),
                err: proto::SubscriptionError::SeUnknown.into(),
            };
            self.send(key, Message::SubscriptionResponse(refusal));
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
        for sid in self.named(key, update.track_sids.iter().chain(listed)) {
            if let Some(participant) = self.participants.get_mut(&key) {
                let kept = participant.declined.len() + participant.wanted.len();
                if kept >= MOST_NAMED && !self.sids.contains_key(sid) {
                    continue;
                }
                if update.subscribe {
                    participant.declined.remove(sid);
                    participant.wanted.insert(sid.clone());
                } else {
                    participant.wanted.remove(sid);
                    participant.declined.insert(sid.clone());
                }
            }
            let Some(track) = self.track_by_sid(sid).map(|track| track.key) else {
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
                        track_sid: sid.clone(),
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

    /// The tracks that a message names, each once. Too many are told and left out.
    fn named<'a>(
        &mut self,
        key: ParticipantKey,
        sids: impl Iterator<Item = &'a String>,
    ) -> Vec<&'a String> {
        let mut seen = HashSet::new();
        let mut named = Vec::new();
        for sid in sids.filter(|sid| sid.len() <= MAX_SID) {
            if named.len() == MOST_NAMED {
                self.send(key, limit_exceeded("too many tracks in one message"));
                break;
            }
            if seen.insert(sid) {
                named.push(sid);
            }
        }
        named
    }

    /// The client told how it shows tracks.
    pub(super) fn update_track_settings(
        &mut self,
        key: ParticipantKey,
        settings: &proto::UpdateTrackSettings,
        now: Now,
    ) {
        for sid in self.named(key, settings.track_sids.iter()) {
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
        let tracks: Vec<(TrackKey, String)> = self
            .tracks
            .values()
            .filter(|t| t.owner == key && t.published)
            .map(|t| (t.key, t.info.sid.clone()))
            .collect();
        let (audience, whole) = if permission.all_participants {
            (Audience::Everybody, true)
        } else {
            let (chosen, whole) = Chosen::read(permission.track_permissions);
            (Audience::Only(chosen), whole)
        };
        if !whole {
            self.send(key, limit_exceeded("too many permissions in one message"));
        }
        let Some(participant) = self.participants.get_mut(&key) else {
            return;
        };
        let before = std::mem::replace(&mut participant.audience, audience);
        let participant_sid = participant.sid.clone();
        for other in self.keys() {
            for (track, sid) in &tracks {
                let allowed = self.may_hear(other, *track);
                let was = |other| before.lets(other, sid);
                if other == key
                    || self
                        .participants
                        .get(&other)
                        .is_none_or(|it| was(it) == allowed)
                {
                    continue;
                }
                if self.wants(other, *track) {
                    self.subscribe(other, *track, now);
                } else {
                    self.unsubscribe(other, *track, now);
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
