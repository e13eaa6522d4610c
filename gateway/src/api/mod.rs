//! The REST API under `/api/v1`. One file per verb or noun: what comes in, the handler, and one map from the
//! house's errors to problems, without a catch-all arm.

pub(crate) mod bookings;
mod calls;
mod events;
mod files;
mod knock;
mod messages;
mod model;
mod offices;
mod participants;
mod rating;
mod visits;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode, header},
    middleware,
    routing::get,
};
use bridge::ids::{GuestId, Language, VisitId};
use tokio::sync::Semaphore;
use tower_http::{
    compression::{
        CompressionLayer, Predicate,
        predicate::{DefaultPredicate, NotForContentType},
    },
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    TIMEOUT, guard, headers,
    limits::{Limited, Limiter, Open},
    lobby::{Boards, OfficeEvent},
    pages::render_office_live,
    places::Places,
    port::Lobby,
    problem::{self, Kind, Problem},
    state::Gateway,
};

/// Largest body of a request without a file.
const BODY: usize = 64 * 1024;

/// A file may come over a slow line.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(2);

/// What the API's handlers share.
pub(crate) struct Api {
    pub(crate) gateway: Gateway,
    pub(crate) limiter: Limiter,
    pub(crate) places: Places,
    streams_of_address: Open<IpAddr>,
    streams_of_visit: Open<(GuestId, VisitId)>,
    uploads: Semaphore,
    boards: Arc<Boards>,
}

impl Api {
    pub(crate) fn new(gateway: Gateway) -> Arc<Self> {
        let limits = &gateway.config.limits;
        Arc::new(Self {
            limiter: Limiter::new(limits, &gateway.shell),
            places: Places::new(limits.places_per_address, &gateway.shell.now),
            streams_of_address: Open::new(Limited::StreamsOfAddress, limits.streams_per_address),
            streams_of_visit: Open::new(Limited::StreamsOfVisit, limits.streams_per_visit),
            uploads: Semaphore::new(limits.uploads_at_once as usize),
            boards: Boards::new(gateway.clone(), render_office_live),
            gateway,
        })
    }

    /// The lobby at this moment.
    fn lobby(&self) -> Arc<Lobby> {
        Arc::clone(&self.gateway.house.lobby().borrow())
    }

    /// The language of last resort.
    pub(crate) fn first_language(&self) -> Language {
        let first = self.lobby().city.languages.first().copied();
        first.unwrap_or_default()
    }
}

fn described() -> OpenApiRouter<Arc<Api>> {
    let info = InfoBuilder::new()
        .title("Vorzimmer")
        .version("1")
        .description(Some(
            "The virtual front office of a city: live state of its offices, visits, conversations. Refusals \
             are problem details (RFC 9457). Requests that change something must come from the office's own \
             origin; the cookie set by a knock lets the browser back to its visits. An appointment is opened by the \
             secret of its link, shown as a bearer token.",
        ))
        .build();
    // The data of events is named nowhere else.
    let events = ComponentsBuilder::new()
        .schema_from::<OfficeEvent>()
        .schema_from::<model::Typing>()
        .build();
    let open = OpenApiBuilder::new()
        .info(info)
        .components(Some(events))
        .build();
    let public = OpenApiRouter::new()
        .routes(routes!(offices::list))
        .routes(routes!(offices::show))
        .layer(SetResponseHeaderLayer::overriding(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        ));
    let usual = OpenApiRouter::new()
        .routes(routes!(events::lobby))
        .routes(routes!(knock::knock))
        .routes(routes!(visits::list))
        .routes(routes!(visits::show))
        .routes(routes!(events::visit))
        .routes(routes!(visits::leave))
        .routes(routes!(visits::enter))
        .routes(routes!(messages::list, messages::say))
        .routes(routes!(messages::typing))
        .routes(routes!(files::show))
        .routes(routes!(calls::join, calls::leave))
        .routes(routes!(participants::invite))
        .routes(routes!(participants::claim))
        .routes(routes!(participants::events))
        .routes(routes!(participants::join, participants::leave))
        .routes(routes!(rating::rate))
        .merge(bookings::described())
        .merge(public)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(timeout(TIMEOUT));
    let uploads = OpenApiRouter::new()
        .routes(routes!(files::send))
        .layer(DefaultBodyLimit::max(files::BODY))
        .layer(timeout(UPLOAD_TIMEOUT));
    OpenApiRouter::with_openapi(open).nest("/api/v1", usual.merge(uploads))
}

fn timeout(after: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, after)
}

/// The description of the API. `gateway/openapi.json` is this, and clients are generated from it.
#[must_use]
pub fn openapi() -> OpenApi {
    described().into_openapi()
}

/// Everything under `/api`.
pub(crate) fn routes(api: Arc<Api>) -> Router {
    let (routes, description) = described().split_for_parts();
    // The description is made of our own types, which all have a JSON form.
    let description = Bytes::from(description.to_json().unwrap_or_default());
    let json = [(header::CONTENT_TYPE, "application/json")];
    routes
        .route(
            "/api/v1/openapi.json",
            get(move || async move { (json, description) }),
        )
        .route("/api/{*rest}", axum::routing::any(nothing_here))
        .route("/api", axum::routing::any(nothing_here))
        .route("/api/", axum::routing::any(nothing_here))
        .layer(CompressionLayer::new().compress_when(worth_compressing()))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&api),
            guard::own_pages_only,
        ))
        .layer(middleware::from_fn(headers::not_stored))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&api),
            problem::write_out,
        ))
        .with_state(api)
}

/// Event streams and pictures are left alone by the usual rule, documents by ours.
fn worth_compressing() -> impl Predicate {
    DefaultPredicate::new()
        .and(NotForContentType::const_new("application/pdf"))
        .and(NotForContentType::const_new("application/octet-stream"))
}

async fn nothing_here() -> Problem {
    Kind::NotFound.into()
}
