//! `POST /visits/{id}/call`, `DELETE /visits/{id}/call`: the guest in the call.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, visits::show_problem};
use crate::{
    extract::{NoBody, Seat},
    port::{self, CallRole, HouseError},
    problem::{Kind, Problem, ProblemDetails},
};

/// A call with the right to take part in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Call {
    /// The relays to connect to; the own one first.
    transports: Vec<Transport>,
    /// Everybody in the call, the guest too.
    participants: Vec<Participant>,
}

/// A relay.
#[derive(Serialize, ToSchema)]
#[schema(as = CallTransport)]
pub(crate) struct Transport {
    /// Its WebSocket address.
    #[schema(example = "wss://buero.example.de/relay")]
    url: String,
    /// The LiveKit access token, good for an hour from now.
    token: String,
    /// Whether to send here. Connect to the others to receive.
    own: bool,
}

/// Somebody in the call.
#[derive(Serialize, ToSchema)]
#[schema(as = CallParticipant)]
pub(crate) struct Participant {
    /// The LiveKit identity.
    identity: String,
    /// The name to show.
    name: String,
    /// What they are there for.
    role: CallRole,
}

impl From<port::CallView> for Call {
    fn from(view: port::CallView) -> Self {
        Self {
            transports: view
                .transports
                .into_iter()
                .map(|port::Transport { url, token, own }| Transport { url, token, own })
                .collect(),
            participants: view
                .participants
                .into_iter()
                .map(
                    |port::CallParticipant {
                         identity,
                         name,
                         role,
                     }| Participant {
                        identity,
                        name,
                        role,
                    },
                )
                .collect(),
        }
    }
}

/// The guest joins the call, or renews it after a `call` event. The clerk's client shows the guest as in the call until
/// the guest hangs up, no page shows the visit any more, or the visit ends.
#[utoipa::path(
    post,
    path = "/visits/{id}/call",
    operation_id = "join_call",
    tag = "calls",
    params(("id" = String, Path, description = "The visit")),
    responses(
        (status = 200, description = "In the call", body = Call),
        (status = 409, description = "The visit is not in conversation, or (`call-not-ready`) its room is being made: \
            try again after `Retry-After`", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 503, description = "There are no calls at the moment", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn join(
    State(api): State<Arc<Api>>,
    seat: Seat,
    _: NoBody,
) -> Result<Json<Call>, Problem> {
    let Seat { guest, visit } = seat;
    let seat = (guest, visit);
    api.limiter.call(&seat)?;
    let call = api.gateway.house.join_call(&seat.0, &seat.1).await;
    Ok(Json(call.map_err(|error| join_problem(&error))?.into()))
}

pub(super) fn join_problem(error: &HouseError) -> Problem {
    match error {
        HouseError::NoConversation => Kind::NoConversation.into(),
        HouseError::CallNotReady => Kind::CallNotReady.into(),
        HouseError::CallsUnavailable => Kind::CallsUnavailable.into(),
        HouseError::HomeserverAway => Kind::HomeserverAway.into(),
        HouseError::UnknownVisit
        | HouseError::Busy
        | HouseError::Internal
        | HouseError::UnknownOffice
        | HouseError::UnknownService
        | HouseError::Refused(_)
        | HouseError::UnknownFile
        | HouseError::NotRatable => show_problem(error),
    }
}

/// The guest hangs up; the visit goes on. Again is fine.
#[utoipa::path(
    delete,
    path = "/visits/{id}/call",
    operation_id = "leave_call",
    tag = "calls",
    params(("id" = String, Path, description = "The visit")),
    responses(
        (status = 204, description = "Not in the call"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn leave(
    State(api): State<Arc<Api>>,
    seat: Seat,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    let left = api.gateway.house.leave_call(&seat.guest, &seat.visit).await;
    left.map_err(|error| show_problem(&error))?;
    Ok(StatusCode::NO_CONTENT)
}
