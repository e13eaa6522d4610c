//! `GET /visits`, `GET /visits/{id}`, `POST /visits/{id}/leave`, `POST /visits/{id}/enter`: the guest's own
//! visits.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use bridge::input::Refusal;

use super::{Api, model::Visit};
use crate::{
    extract::{Browser, NoBody, Seat, Wished},
    port::HouseError,
    problem::{Kind, Problem, ProblemDetails},
};

/// The guest's live visits, and those that ended in the last hour; the newest first.
#[utoipa::path(
    get,
    path = "/visits",
    operation_id = "list_visits",
    tag = "visits",
    responses(
        (status = 200, description = "Empty for a browser that has never knocked", body = Vec<Visit>),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    browser: Browser,
    Wished(language): Wished,
) -> Result<Json<Vec<Visit>>, Problem> {
    let Some(guest) = browser.guest() else {
        return Ok(Json(Vec::new()));
    };
    let views = api
        .gateway
        .house
        .visits(&guest)
        .await
        .map_err(|error| list_problem(&error))?;
    let lobby = api.lobby();
    let visits = views
        .into_iter()
        .map(|view| Visit::new(&lobby, view, language));
    Ok(Json(visits.collect()))
}

fn list_problem(error: &HouseError) -> Problem {
    match error {
        HouseError::Busy => Kind::Busy.into(),
        HouseError::Internal => Kind::Internal.into(),
        HouseError::UnknownOffice
        | HouseError::UnknownVisit
        | HouseError::UnknownService
        | HouseError::Refused(_)
        | HouseError::NoConversation
        | HouseError::UnknownFile
        | HouseError::NotRatable
        | HouseError::HomeserverAway
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected("visits", error),
    }
}

/// One visit.
#[utoipa::path(
    get,
    path = "/visits/{id}",
    operation_id = "get_visit",
    tag = "visits",
    params(("id" = String, Path, description = "The visit")),
    responses(
        (status = 200, description = "As it is at this moment", body = Visit),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    seat: Seat,
    Wished(language): Wished,
) -> Result<Json<Visit>, Problem> {
    let view = api.gateway.house.visit(&seat.guest, &seat.visit).await;
    Ok(Json(Visit::new(
        &api.lobby(),
        view.map_err(|error| show_problem(&error))?,
        language,
    )))
}

pub(super) fn show_problem(error: &HouseError) -> Problem {
    match error {
        HouseError::UnknownVisit | HouseError::Refused(Refusal::UnknownVisit) => {
            Kind::UnknownVisit.into()
        }
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
        | HouseError::NoConversation
        | HouseError::UnknownFile
        | HouseError::NotRatable
        | HouseError::HomeserverAway
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected("visit", error),
    }
}

/// The guest goes. Again is fine.
#[utoipa::path(
    post,
    path = "/visits/{id}/leave",
    operation_id = "leave",
    tag = "visits",
    params(("id" = String, Path, description = "The visit")),
    responses(
        (status = 204, description = "The visit has ended"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn leave(
    State(api): State<Arc<Api>>,
    seat: Seat,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    let left = api.gateway.house.leave(&seat.guest, &seat.visit).await;
    left.map_err(|error| leave_problem(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn leave_problem(error: &HouseError) -> Problem {
    match error {
        HouseError::UnknownVisit | HouseError::Refused(Refusal::UnknownVisit) => {
            Kind::UnknownVisit.into()
        }
        HouseError::Refused(Refusal::WrongState) => Kind::WrongState.into(),
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
        | HouseError::NoConversation
        | HouseError::UnknownFile
        | HouseError::NotRatable
        | HouseError::HomeserverAway
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected("leave", error),
    }
}

/// The called guest comes in. Again is fine.
#[utoipa::path(
    post,
    path = "/visits/{id}/enter",
    operation_id = "enter",
    tag = "visits",
    params(("id" = String, Path, description = "The visit")),
    responses(
        (status = 200, description = "As it is at this moment", body = Visit),
        (status = 409, description = "The visit is not called", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn enter(
    State(api): State<Arc<Api>>,
    seat: Seat,
    Wished(language): Wished,
    _: NoBody,
) -> Result<Json<Visit>, Problem> {
    let view = api.gateway.house.enter(&seat.guest, &seat.visit).await;
    Ok(Json(Visit::new(
        &api.lobby(),
        view.map_err(|error| enter_problem(&error))?,
        language,
    )))
}

fn enter_problem(error: &HouseError) -> Problem {
    match error {
        HouseError::UnknownVisit | HouseError::Refused(Refusal::UnknownVisit) => {
            Kind::UnknownVisit.into()
        }
        HouseError::Refused(Refusal::WrongState) => Kind::WrongState.into(),
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
        | HouseError::NoConversation
        | HouseError::UnknownFile
        | HouseError::NotRatable
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected("enter", error),
    }
}
