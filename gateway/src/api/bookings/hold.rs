//! `POST /offices/{slug}/holds`: a chosen time is kept while the form is filled in. `DELETE /hold`: it is not.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Bearer, appointments, model, problem, slots};
use crate::{
    api::Api,
    extract::{Body, Client, OfficePath},
    problem::{Fault, Problem, ProblemDetails},
};

/// A chosen time.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ChosenTime {
    /// One to four service ids.
    services: Vec<String>,
    /// When the appointment begins, as told by the list of slots.
    #[schema(value_type = String, format = DateTime)]
    start: String,
}

/// A time that nobody else can take for a while.
#[derive(Serialize, ToSchema)]
pub(crate) struct Hold {
    /// Shown as a bearer token, it books the time.
    token: String,
    /// When the appointment begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Until when nobody else can take it.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The office's time zone (IANA), in which its clock is to be told.
    time_zone: String,
}

pub(super) fn instant(text: &str) -> Result<Timestamp, Problem> {
    text.parse()
        .map_err(|_| Problem::fields(vec![("start", Fault::UnknownChoice)]))
}

/// Takes a time for a while.
#[utoipa::path(
    post,
    path = "/offices/{slug}/holds",
    operation_id = "hold",
    tag = "appointments",
    params(("slug" = String, Path, description = "The office's name in addresses")),
    request_body = ChosenTime,
    responses(
        (status = 201, description = "Held", body = Hold),
        (status = 409, description = "The time cannot be had; `alternatives` are the nearest that can",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 429, description = "Too often (`too-many-requests`), or this address keeps too many times that nobody \
            has confirmed (`too-many-places`): try again after `Retry-After`", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn hold(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    OfficePath(office): OfficePath,
    Body(chosen): Body<ChosenTime>,
) -> Result<(StatusCode, Json<Hold>), Problem> {
    api.limiter.hold(&address)?;
    let services = slots::services(chosen.services.iter().map(String::as_str))?;
    let start = instant(&chosen.start)?;
    let asked = api.places.ask(address)?;
    let hold = appointments(&api)?
        .hold(&office, &services, start)
        .await
        .map_err(problem)?;
    asked.held(hold.token.hash(), hold.expires_at);
    let body = Hold {
        token: hold.token.secret().to_owned(),
        start: hold.start,
        end: hold.end,
        expires_at: hold.expires_at,
        time_zone: model::time_zone(&api.lobby(), &office),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Gives a held time back. Idempotent.
#[utoipa::path(
    delete,
    path = "/offices/{slug}/holds",
    operation_id = "let_go",
    tag = "appointments",
    params(("slug" = String, Path, description = "The office's name in addresses")),
    responses(
        (status = 204, description = "The time is free again"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn let_go(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    OfficePath(_): OfficePath,
    Bearer(token): Bearer,
) -> Result<StatusCode, Problem> {
    api.limiter.booking(&address)?;
    appointments(&api)?.let_go(&token).await.map_err(problem)?;
    api.places.let_go(&token);
    Ok(StatusCode::NO_CONTENT)
}
