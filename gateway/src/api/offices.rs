//! `GET /offices`, `GET /offices/{slug}`: the public live state, also for the city's own website.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, header},
};

use super::{Api, model::Office};
use crate::{
    extract::{OfficePath, Wished},
    problem::{Kind, Problem, ProblemDetails},
};

type Headers = [(HeaderName, &'static str); 2];

/// A cache in between may keep the answer for as long as the house keeps its state.
const HEADERS: Headers = [
    (header::CACHE_CONTROL, "public, max-age=1"),
    (header::VARY, "accept-language"),
];

/// The live state of all offices.
#[utoipa::path(
    get,
    path = "/offices",
    operation_id = "list_offices",
    tag = "lobby",
    params(("lang" = Option<String>, Query, description = "`de` or `en`")),
    responses(
        (status = 200, description = "In the city's order", body = Vec<Office>),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Wished(language): Wished,
) -> (Headers, Json<Vec<Office>>) {
    let lobby = api.lobby();
    let office = |live| Office::new(&lobby, live, language);
    (HEADERS, Json(lobby.offices.iter().map(office).collect()))
}

/// The live state of one office.
#[utoipa::path(
    get,
    path = "/offices/{slug}",
    operation_id = "get_office",
    tag = "lobby",
    params(
        ("slug" = String, Path, description = "The office's name in addresses"),
        ("lang" = Option<String>, Query, description = "`de` or `en`"),
    ),
    responses(
        (status = 200, description = "As it is at this moment", body = Office),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    OfficePath(slug): OfficePath,
    Wished(language): Wished,
) -> Result<(Headers, Json<Office>), Problem> {
    let lobby = api.lobby();
    let live = lobby
        .offices
        .iter()
        .find(|office| office.slug == slug)
        .ok_or(Kind::UnknownOffice)?;
    Ok((HEADERS, Json(Office::new(&lobby, live, language))))
}
