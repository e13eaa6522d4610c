//! `POST /visits/{id}/rating`: one to five stars, once, after the end.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use bridge::input::Refusal;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Api;
use crate::{
    extract::{Body, Client, Seat},
    port::HouseError,
    problem::{Fault, Kind, Problem, ProblemDetails},
};

/// How it was.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Rating {
    /// Five is best.
    #[schema(minimum = 1, maximum = 5)]
    stars: i64,
}

/// The guest rates the visit.
#[utoipa::path(
    post,
    path = "/visits/{id}/rating",
    operation_id = "rate",
    tag = "visits",
    params(("id" = String, Path, description = "The visit")),
    request_body = Rating,
    responses(
        (status = 204, description = "Kept"),
        (status = 409, description = "Not ended yet, or rated already", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn rate(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    seat: Seat,
    Body(Rating { stars }): Body<Rating>,
) -> Result<StatusCode, Problem> {
    api.limiter.rating(&address)?;
    let stars = u8::try_from(stars)
        .ok()
        .filter(|stars| (1..=5).contains(stars))
        .ok_or_else(|| Problem::fields(vec![("stars", Fault::NotStars)]))?;
    let house = &api.gateway.house;
    house
        .rate(&seat.guest, &seat.visit, stars)
        .await
        .map_err(|error| problem(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn problem(error: &HouseError) -> Problem {
    match error {
        HouseError::UnknownVisit | HouseError::Refused(Refusal::UnknownVisit) => {
            Kind::UnknownVisit.into()
        }
        HouseError::NotRatable | HouseError::Refused(Refusal::WrongState) => {
            Kind::NotRatable.into()
        }
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
        | HouseError::HomeserverAway
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected("rate", error),
    }
}
