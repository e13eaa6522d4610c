//! What clients say.

use livekit_protocol as proto;
use proto::{signal_request::Message as Request, signal_response::Message};

use super::{Now, ParticipantKey, Room, publishing::distinct_features, refusals::refused};

impl Room {
    /// Takes a message of a participant.
    pub(super) fn signal(&mut self, from: ParticipantKey, message: Request, now: Now) {
        match message {
            Request::Offer(offer) => self.take_offer(from, &offer, now),
            Request::Answer(answer) => self.take_answer(from, &answer, now),
            Request::AddTrack(request) => self.add_track(from, request, now),
            Request::Mute(mute) => {
                let own = self
                    .track_by_sid(&mute.sid)
                    .filter(|track| track.owner == from)
                    .map(|track| track.key);
                if let Some(track) = own {
                    self.set_muted(track, mute.muted, now);
                    if !mute.muted {
                        self.silence(track, false, now);
                    }
                }
            }
            Request::Subscription(update) => self.update_subscription(from, &update, now),
            Request::TrackSetting(settings) => self.update_track_settings(from, &settings, now),
            Request::SubscriptionPermission(permission) => {
                self.update_audience(from, permission, now);
            }
            Request::SyncState(sync) => {
                self.sync_state(from, &sync, now);
                self.negotiate(from, now);
            }
            Request::Leave(_) => {
                self.remove(from, proto::DisconnectReason::ClientInitiated, now);
            }
            Request::Ping(timestamp) => {
                self.send(from, Message::Pong(now.unix_ms));
                tracing::trace!(timestamp, "ping");
            }
            Request::PingReq(ping) => {
                let pong = proto::Pong {
                    last_ping_timestamp: ping.timestamp,
                    timestamp: now.unix_ms,
                };
                self.send(from, Message::PongResp(pong));
            }
            Request::UpdateMetadata(update) => self.update_own_metadata(from, update),
            Request::UpdateAudioTrack(update) => {
                self.change_own_track(from, &update.track_sid, |info| {
                    info.audio_features = distinct_features(&update.features);
                });
            }
            Request::UpdateVideoTrack(update) => {
                self.change_own_track(from, &update.track_sid, |info| {
                    info.width = update.width;
                    info.height = update.height;
                });
            }
            Request::PublishDataTrackRequest(request) => {
                use proto::request_response::{Reason, Request as About};
                let request = Some(About::PublishDataTrack(request));
                let reason = Reason::UnsupportedType;
                self.send(
                    from,
                    refused(reason, "not supported by this server", request),
                );
            }
            // ICE-lite: the client's candidates are not called. Layers follow from what arrives. Scenarios are
            // for servers under test, and the relay keeps no data for later.
            _ => {}
        }
    }

    fn change_own_track(
        &mut self,
        from: ParticipantKey,
        sid: &str,
        change: impl FnOnce(&mut proto::TrackInfo),
    ) {
        let own = |track: &&mut super::track::Track| track.owner == from && track.info.sid == sid;
        if let Some(track) = self.tracks.values_mut().find(own) {
            change(&mut track.info);
            self.broadcast(from, None);
        }
    }

    fn update_own_metadata(
        &mut self,
        from: ParticipantKey,
        update: proto::UpdateParticipantMetadata,
    ) {
        use proto::request_response::{Reason, Request as About};
        let limits = std::sync::Arc::clone(&self.limits);
        let Some(participant) = self.participants.get_mut(&from) else {
            return;
        };
        let attributes = participant.attributes_with(&update.attributes);
        let (reason, message) = if !participant.permission.can_update_metadata {
            (
                Reason::NotAllowed,
                "does not have permission to update own metadata",
            )
        } else if !limits.allow_description(&update.name, &update.metadata, &attributes) {
            (Reason::LimitExceeded, "metadata exceeds the size limit")
        } else {
            (Reason::Ok, "")
        };
        let request_id = update.request_id;
        if reason == Reason::Ok {
            if !update.metadata.is_empty() {
                participant.metadata.clone_from(&update.metadata);
            }
            if !update.name.is_empty() {
                participant.name.clone_from(&update.name);
            }
            participant.attributes = attributes;
        }
        let response = proto::RequestResponse {
            request_id,
            reason: reason.into(),
            message: message.to_owned(),
            request: Some(About::UpdateMetadata(update)),
        };
        self.send(from, Message::RequestResponse(response));
        if reason == Reason::Ok {
            self.broadcast(from, None);
            self.tell_grants(from);
        }
    }
}
