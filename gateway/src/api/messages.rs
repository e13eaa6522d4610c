//! `GET`/`POST /visits/{id}/messages`, `POST /visits/{id}/typing`: the conversation in writing.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use bridge::input::Refusal;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Api, model::Message};
use crate::{
    clean,
    extract::{ApiQuery, Body, Client, Seat},
    port::HouseError,
    problem::{Fault, Kind, Problem, ProblemDetails},
};

/// Longest message, in characters.
const MESSAGE: usize = 4000;

/// Where to go on reading.
#[derive(Deserialize)]
pub(crate) struct After {
    #[serde(default)]
    after: i64,
}

/// Messages in order, at most 500; with `after` those that follow the message of that id.
#[utoipa::path(
    get,
    path = "/visits/{id}/messages",
    operation_id = "list_messages",
    tag = "conversation",
    params(
        ("id" = String, Path, description = "The visit"),
        ("after" = Option<i64>, Query, minimum = 0, description = "The id of the last known message"),
    ),
    responses(
        (status = 200, description = "As it is at this moment", body = Vec<Message>),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    seat: Seat,
    ApiQuery(After { after }): ApiQuery<After>,
) -> Result<Json<Vec<Message>>, Problem> {
    if after < 0 {
        return Err(Kind::InvalidQuery.into());
    }
    let house = &api.gateway.house;
    let views = house
        .messages(&seat.guest, &seat.visit, after)
        .await
        .map_err(|error| list_problem(&error))?;
    let messages = views
        .into_iter()
        .map(|view| Message::new(&seat.visit, view));
    Ok(Json(messages.collect()))
}

fn list_problem(error: &HouseError) -> Problem {
    match error {
        HouseError::UnknownVisit | HouseError::Refused(Refusal::UnknownVisit) => {
            Kind::UnknownVisit.into()
        }
        HouseError::NoConversation => Kind::NoConversation.into(),
        HouseError::Busy => Kind::Busy.into(),
        HouseError::Internal => Kind::Internal.into(),
        HouseError::UnknownOffice
        | HouseError::UnknownService
        | HouseError::Refused(
            Refusal::Closed { .. }
            | Refusal::Paused
            | Refusal::QueueFull
            | Refusal::AlreadyHere { .. }
            | Refusal::WrongState,
        )
        | HouseError::UnknownFile
        | HouseError::NotRatable
        | HouseError::HomeserverAway
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected("messages", error),
    }
}

/// A message of the guest.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewMessage {
    /// The page's own id of the message: sent again, it gives the same message.
    #[schema(required, nullable = false, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    client_id: Option<String>,
    /// Plain text.
    #[schema(required, nullable = false, min_length = 1, max_length = 4000)]
    body: Option<String>,
}

/// A page's own id of a message: 1 to 64 of `A-Z a-z 0-9 _ -`.
pub(super) fn client_id(text: Option<&str>) -> Result<String, Fault> {
    let text = text.filter(|text| !text.is_empty()).ok_or(Fault::Missing)?;
    let fits = text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Fault::NotAnId)
    }
}

/// The guest writes.
#[utoipa::path(
    post,
    path = "/visits/{id}/messages",
    operation_id = "say",
    tag = "conversation",
    params(("id" = String, Path, description = "The visit")),
    request_body = NewMessage,
    responses(
        (status = 202, description = "Stored, on its way", body = Message),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn say(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    seat: Seat,
    Body(new): Body<NewMessage>,
) -> Result<(StatusCode, Json<Message>), Problem> {
    let key = (seat.guest.clone(), seat.visit.clone());
    api.limiter.message(&address, &key)?;
    let mut faults = Vec::new();
    let id = client_id(new.client_id.as_deref()).map_err(|fault| faults.push(("client_id", fault)));
    let body = clean::paragraphs(new.body.as_deref().unwrap_or_default(), MESSAGE)
        .map_err(|fault| faults.push(("body", fault.into())));
    let (Ok(id), Ok(body)) = (id, body) else {
        return Err(Problem::fields(faults));
    };
    let house = &api.gateway.house;
    let view = house
        .say(&seat.guest, &seat.visit, &id, body)
        .await
        .map_err(|error| conversation_problem("say", &error))?;
    Ok((StatusCode::ACCEPTED, Json(Message::new(&seat.visit, view))))
}

/// Whether the guest types.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewTyping {
    /// Types, or has stopped.
    typing: bool,
}

/// The guest types, or stopped.
#[utoipa::path(
    post,
    path = "/visits/{id}/typing",
    operation_id = "set_typing",
    tag = "conversation",
    params(("id" = String, Path, description = "The visit")),
    request_body = NewTyping,
    responses(
        (status = 204, description = "Passed on"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn typing(
    State(api): State<Arc<Api>>,
    seat: Seat,
    Body(NewTyping { typing }): Body<NewTyping>,
) -> Result<StatusCode, Problem> {
    let key = (seat.guest.clone(), seat.visit.clone());
    api.limiter.typing(&key)?;
    let house = &api.gateway.house;
    house
        .typing(&seat.guest, &seat.visit, typing)
        .await
        .map_err(|error| conversation_problem("typing", &error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a guest is told who could not say, send or type something. `operation` names it in the log.
pub(super) fn conversation_problem(operation: &'static str, error: &HouseError) -> Problem {
    match error {
        HouseError::UnknownVisit | HouseError::Refused(Refusal::UnknownVisit) => {
            Kind::UnknownVisit.into()
        }
        HouseError::NoConversation | HouseError::Refused(Refusal::WrongState) => {
            Kind::NoConversation.into()
        }
        HouseError::HomeserverAway => Kind::HomeserverAway.into(),
        HouseError::Busy => Kind::Busy.into(),
        HouseError::Internal => Kind::Internal.into(),
        HouseError::UnknownOffice
        | HouseError::UnknownService
        | HouseError::Refused(
            Refusal::Closed { .. }
            | Refusal::Paused
            | Refusal::QueueFull
            | Refusal::AlreadyHere { .. },
        )
        | HouseError::UnknownFile
        | HouseError::NotRatable
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected(operation, error),
    }
}
