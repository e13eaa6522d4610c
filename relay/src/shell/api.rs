//! `RoomService` over Twirp: protobuf or JSON, as the caller sends it.

use axum::{
    body::Bytes,
    extract::{Path, State as Extracted},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use livekit_protocol as proto;
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;

use super::{
    clock,
    http::{self, State},
    shard::ShardInput,
};
use crate::{
    removals::LEEWAY_S,
    room::{ApiCall, ApiError, ApiReply},
    token::{Grants, TokenError},
};

/// Why a call fails, as Twirp tells it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{0}")]
    Token(#[from] TokenError),
    #[error("{0}")]
    Room(#[from] ApiError),
    #[error("the request could not be read")]
    Malformed,
    #[error("no such method")]
    NoMethod,
    #[error("the server is stopping")]
    Stopping,
}

impl IntoResponse for CallError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::Room(ApiError::NoUnmute) => (StatusCode::FORBIDDEN, "permission_denied"),
            Self::Token(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::Room(ApiError::NoRoom | ApiError::NoParticipant | ApiError::NoTrack) => {
                (StatusCode::NOT_FOUND, "not_found")
            }
            Self::Room(ApiError::TooLarge | ApiError::TooManyRooms) => {
                (StatusCode::TOO_MANY_REQUESTS, "resource_exhausted")
            }
            Self::Room(ApiError::Crashed) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed"),
            Self::NoMethod => (StatusCode::NOT_FOUND, "bad_route"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        let body = serde_json::json!({"code": code, "msg": self.to_string()});
        (status, axum::Json(body)).into_response()
    }
}

/// How the caller writes.
#[derive(Clone, Copy)]
struct Wire {
    json: bool,
}

impl Wire {
    fn read<M: Message + Default + DeserializeOwned>(self, body: &Bytes) -> Result<M, CallError> {
        if self.json {
            serde_json::from_slice(body).map_err(|_| CallError::Malformed)
        } else {
            M::decode(body.as_ref()).map_err(|_| CallError::Malformed)
        }
    }

    fn write<M: Message + Serialize>(self, message: &M) -> Response {
        if self.json {
            axum::Json(message).into_response()
        } else {
            let kind = [(header::CONTENT_TYPE, "application/protobuf")];
            (kind, message.encode_to_vec()).into_response()
        }
    }
}

/// `POST /twirp/livekit.RoomService/{method}`.
pub(crate) async fn call(
    Extracted(state): Extracted<State>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json"));
    let wire = Wire { json };
    let grants = match http::grants(&state, &headers, None) {
        Ok(grants) => grants,
        Err(error) => return CallError::from(error).into_response(),
    };
    dispatch(&state, &method, &grants, wire, &body)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

async fn dispatch(
    state: &State,
    method: &str,
    grants: &Grants,
    wire: Wire,
    body: &Bytes,
) -> Result<Response, CallError> {
    let admin = |room: &str| {
        if grants.admin && grants.room == room {
            Ok(())
        } else {
            Err(TokenError::Denied)
        }
    };
    let allowed = |allowed: bool| allowed.then_some(()).ok_or(TokenError::Denied);
    let (room, call) = match method {
        "ListRooms" => {
            allowed(grants.list)?;
            let request: proto::ListRoomsRequest = wire.read(body)?;
            return list_rooms(state, wire, request.names).await;
        }
        "CreateRoom" => {
            allowed(grants.create)?;
            let request: proto::CreateRoomRequest = wire.read(body)?;
            (request.name.clone(), ApiCall::Configure(Box::new(request)))
        }
        "DeleteRoom" => {
            allowed(grants.create)?;
            let request: proto::DeleteRoomRequest = wire.read(body)?;
            (request.room, ApiCall::Delete)
        }
        "ListParticipants" => {
            let request: proto::ListParticipantsRequest = wire.read(body)?;
            admin(&request.room)?;
            (request.room, ApiCall::ListParticipants)
        }
        "GetParticipant" => {
            let request: proto::RoomParticipantIdentity = wire.read(body)?;
            admin(&request.room)?;
            (request.room, ApiCall::GetParticipant(request.identity))
        }
        "RemoveParticipant" => {
            let request: proto::RoomParticipantIdentity = wire.read(body)?;
            admin(&request.room)?;
            let now_s = clock::now().unix_ms / 1000;
            let from_s = match request.revoke_token_ts {
                0 => now_s + LEEWAY_S,
                from_s => from_s,
            };
            let identity = request.identity;
            (
                request.room,
                ApiCall::RemoveParticipant { identity, from_s },
            )
        }
        "MutePublishedTrack" => {
            let request: proto::MuteRoomTrackRequest = wire.read(body)?;
            admin(&request.room)?;
            (request.room.clone(), ApiCall::Mute(request))
        }
        "UpdateParticipant" => {
            let request: proto::UpdateParticipantRequest = wire.read(body)?;
            admin(&request.room)?;
            let room = request.room.clone();
            (room, ApiCall::UpdateParticipant(Box::new(request)))
        }
        "UpdateSubscriptions" => {
            let request: proto::UpdateSubscriptionsRequest = wire.read(body)?;
            admin(&request.room)?;
            (request.room.clone(), ApiCall::UpdateSubscriptions(request))
        }
        "SendData" => {
            let request: proto::SendDataRequest = wire.read(body)?;
            admin(&request.room)?;
            (request.room.clone(), ApiCall::SendData(request))
        }
        "UpdateRoomMetadata" => {
            let request: proto::UpdateRoomMetadataRequest = wire.read(body)?;
            admin(&request.room)?;
            (request.room, ApiCall::UpdateMetadata(request.metadata))
        }
        _ => return Err(CallError::NoMethod),
    };
    let reply = ask(state, room, call).await?;
    Ok(match reply {
        ApiReply::Room(room) => wire.write(&room),
        ApiReply::Participants(participants) => {
            wire.write(&proto::ListParticipantsResponse { participants })
        }
        ApiReply::Participant(participant) => wire.write(participant.as_ref()),
        ApiReply::Track(track) => wire.write(&proto::MuteRoomTrackResponse { track: Some(track) }),
        // Every other answer is an empty message.
        ApiReply::Done => wire.write(&proto::DeleteRoomResponse {}),
    })
}

pub(crate) async fn ask(state: &State, room: String, call: ApiCall) -> Result<ApiReply, CallError> {
    if room.is_empty() || room.len() > 256 {
        return Err(CallError::Malformed);
    }
    let (answer, reply) = oneshot::channel();
    let shard = state.shards.of_room(&room);
    let call = Box::new(call);
    let input = ShardInput::Call { room, call, answer };
    state.shards.tell(shard, input).await;
    Ok(reply.await.map_err(|_| CallError::Stopping)??)
}

async fn list_rooms(state: &State, wire: Wire, names: Vec<String>) -> Result<Response, CallError> {
    let mut rooms = Vec::new();
    for shard in 0..state.shards.count() {
        let (answer, reply) = oneshot::channel();
        let names = names.clone();
        let input = ShardInput::ListRooms { names, answer };
        state.shards.tell(shard, input).await;
        rooms.extend(reply.await.map_err(|_| CallError::Stopping)?);
    }
    Ok(wire.write(&proto::ListRoomsResponse { rooms }))
}
