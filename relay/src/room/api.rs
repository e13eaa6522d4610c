//! What the city's own servers ask of a room (LiveKit's `RoomService`).

use std::time::Duration;

use livekit_protocol as proto;
use proto::signal_response::Message;

use super::{Now, ParticipantKey, Room, publishing::may_publish};

/// A request to a room that exists.
#[derive(Debug)]
pub enum ApiCall {
    /// `CreateRoom`: settings of the room.
    Configure(Box<proto::CreateRoomRequest>),
    /// The room as `ListRooms` shows it.
    Describe,
    /// `DeleteRoom`.
    Delete,
    /// `ListParticipants`.
    ListParticipants,
    /// `GetParticipant`, by identity.
    GetParticipant(String),
    /// `RemoveParticipant`. Whoever holds the room refuses tokens that are good since before `from_s`.
    RemoveParticipant {
        /// Who.
        identity: String,
        /// Seconds since 1970.
        from_s: i64,
    },
    /// `MutePublishedTrack`.
    Mute(proto::MuteRoomTrackRequest),
    /// `UpdateParticipant`.
    UpdateParticipant(Box<proto::UpdateParticipantRequest>),
    /// `UpdateSubscriptions`.
    UpdateSubscriptions(proto::UpdateSubscriptionsRequest),
    /// `SendData`.
    SendData(proto::SendDataRequest),
    /// `UpdateRoomMetadata`.
    UpdateMetadata(String),
}

/// What a room answers.
#[derive(Debug)]
pub enum ApiReply {
    /// The room.
    Room(proto::Room),
    /// Participants.
    Participants(Vec<proto::ParticipantInfo>),
    /// One participant.
    Participant(Box<proto::ParticipantInfo>),
    /// A track.
    Track(proto::TrackInfo),
    /// It was done.
    Done,
}

/// Why a room refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No room of that name.
    #[error("requested room does not exist")]
    NoRoom,
    /// Nobody of that identity.
    #[error("participant does not exist")]
    NoParticipant,
    /// No such track of that participant.
    #[error("track is not published")]
    NoTrack,
    /// The client would have to be made to send what its user muted.
    #[error("remote unmute not enabled")]
    NoUnmute,
    /// Too large.
    #[error("the request exceeds a limit")]
    TooLarge,
    /// No place for one more room.
    #[error("the server carries as many rooms as it may")]
    TooManyRooms,
    /// The room failed while it did it, and is closed.
    #[error("the room failed and was closed")]
    Crashed,
}

impl Room {
    /// Carries out a request. Drain [`Room::poll_output`] afterwards.
    pub fn call(&mut self, call: ApiCall, now: Now) -> Result<ApiReply, ApiError> {
        match call {
            ApiCall::Configure(request) => {
                if request.empty_timeout > 0 {
                    self.empty_timeout = Duration::from_secs(u64::from(request.empty_timeout));
                }
                // Whoever asks for the room of a call expects somebody to come.
                self.empty_since = self.empty_since.map(|_| now.instant);
                if request.max_participants > 0 {
                    let most = self.limits.participants;
                    self.max_participants = if most == 0 {
                        request.max_participants
                    } else {
                        request.max_participants.min(most)
                    };
                }
                if !request.metadata.is_empty() {
                    return self.update_metadata(request.metadata);
                }
                Ok(ApiReply::Room(self.info()))
            }
            ApiCall::Describe => Ok(ApiReply::Room(self.info())),
            ApiCall::Delete => {
                self.close(proto::DisconnectReason::RoomDeleted, now);
                Ok(ApiReply::Done)
            }
            ApiCall::ListParticipants => {
                let keys = self.keys();
                let all = keys
                    .into_iter()
                    .filter_map(|key| self.participant_info(key));
                Ok(ApiReply::Participants(all.collect()))
            }
            ApiCall::GetParticipant(identity) => {
                let key = self.by_identity(&identity)?;
                let info = self.participant_info(key).ok_or(ApiError::NoParticipant)?;
                Ok(ApiReply::Participant(Box::new(info)))
            }
            ApiCall::RemoveParticipant { identity, .. } => {
                let key = self.by_identity(&identity)?;
                self.remove(key, proto::DisconnectReason::ParticipantRemoved, now);
                Ok(ApiReply::Done)
            }
            ApiCall::Mute(request) => self.mute_remotely(&request, now),
            ApiCall::UpdateParticipant(request) => self.update_participant(*request, now),
            ApiCall::UpdateSubscriptions(request) => {
                let key = self.by_identity(&request.identity)?;
                let update = proto::UpdateSubscription {
                    track_sids: request.track_sids,
                    subscribe: request.subscribe,
                    participant_tracks: request.participant_tracks,
                };
                self.update_subscription(key, &update, now);
                Ok(ApiReply::Done)
            }
            ApiCall::SendData(request) => {
                if request.data.len() > self.limits.data_bytes {
                    return Err(ApiError::TooLarge);
                }
                let kind = request.kind();
                #[expect(deprecated, reason = "older callers name sids")]
                let user = proto::UserPacket {
                    payload: request.data,
                    topic: request.topic,
                    destination_sids: request.destination_sids,
                    destination_identities: request.destination_identities,
                    nonce: request.nonce,
                    ..proto::UserPacket::default()
                };
                let packet = proto::DataPacket {
                    value: Some(proto::data_packet::Value::User(user)),
                    ..proto::DataPacket::default()
                };
                self.deliver(None, packet, kind, now);
                Ok(ApiReply::Done)
            }
            ApiCall::UpdateMetadata(metadata) => self.update_metadata(metadata),
        }
    }

    fn by_identity(&self, identity: &str) -> Result<ParticipantKey, ApiError> {
        self.participants
            .values()
            .find(|participant| participant.identity == identity)
            .map(|participant| participant.key)
            .ok_or(ApiError::NoParticipant)
    }

    fn update_metadata(&mut self, metadata: String) -> Result<ApiReply, ApiError> {
        if metadata.len() > self.limits.metadata_bytes {
            return Err(ApiError::TooLarge);
        }
        self.metadata = metadata;
        let info = self.info();
        for key in self.keys() {
            let update = proto::RoomUpdate {
                room: Some(info.clone()),
            };
            self.send(key, Message::RoomUpdate(update));
        }
        Ok(ApiReply::Room(info))
    }

    fn mute_remotely(
        &mut self,
        request: &proto::MuteRoomTrackRequest,
        now: Now,
    ) -> Result<ApiReply, ApiError> {
        let owner = self.by_identity(&request.identity)?;
        let track = self
            .track_by_sid(&request.track_sid)
            .filter(|track| track.owner == owner)
            .ok_or(ApiError::NoTrack)?;
        if track.info.muted && !request.muted {
            return Err(ApiError::NoUnmute);
        }
        let key = track.key;
        self.set_muted(key, request.muted, now);
        self.silence(key, request.muted, now);
        let mute = proto::MuteTrackRequest {
            sid: request.track_sid.clone(),
            muted: request.muted,
        };
        self.send(owner, Message::Mute(mute));
        let track = self.tracks.get(&key).ok_or(ApiError::NoTrack)?;
        Ok(ApiReply::Track(track.info.clone()))
    }

    fn update_participant(
        &mut self,
        request: proto::UpdateParticipantRequest,
        now: Now,
    ) -> Result<ApiReply, ApiError> {
        let key = self.by_identity(&request.identity)?;
        let Some(participant) = self.participants.get_mut(&key) else {
            return Err(ApiError::NoParticipant);
        };
        let attributes = participant.attributes_with(&request.attributes);
        let (name, metadata) = (&request.name, &request.metadata);
        if !self.limits.allow_description(name, metadata, &attributes) {
            return Err(ApiError::TooLarge);
        }
        participant.attributes = attributes;
        if !request.metadata.is_empty() {
            participant.metadata = request.metadata;
        }
        if !request.name.is_empty() {
            participant.name = request.name;
        }
        if let Some(permission) = request.permission {
            let tracks = self.tracks.values().filter(|track| track.owner == key);
            let not_allowed: Vec<_> = tracks
                .filter(|track| !may_publish(&permission, track.info.source))
                .map(|track| track.key)
                .collect();
            participant.permission = permission;
            for track in not_allowed {
                self.unpublish(track, now);
            }
            self.subscribe_to_all(key, now);
            self.negotiate(key, now);
        }
        self.broadcast(key, None);
        self.tell_grants(key);
        let info = self.participant_info(key).ok_or(ApiError::NoParticipant)?;
        Ok(ApiReply::Participant(Box::new(info)))
    }
}
