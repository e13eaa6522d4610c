//! `gateway` speaks to people's browsers: pages, REST, server-sent events.
//!
//! It holds no state of visits: it checks what comes from outside, limits how often it comes, asks the house
//! ([`port::FrontOffice`]), and words what goes wrong.

pub mod address;
mod api;
pub mod appointments;
pub mod clean;
mod extract;
mod feed;
mod guard;
mod guest;
mod headers;
mod health;
mod language;
pub mod limits;
mod lobby;
pub mod media;
pub mod pages;
pub mod participants;
mod places;
pub mod port;
pub mod problem;
mod rtc;
mod sse;
pub mod state;
pub mod telemetry;

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, middleware};
use tower_http::timeout::TimeoutLayer;

pub use crate::{
    api::openapi,
    health::{Readiness, health_router},
};

use crate::{api::Api, state::Gateway};

/// A page or an answer that takes longer than this is given up. Files have more time.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Everything the public listener serves: pages, guest client and API.
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: limits count by the peer's address.
pub fn router(gateway: Gateway) -> Router {
    let shell = gateway.shell.clone();
    let config = gateway.config.clone();
    let pages = pages::routes()
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            TIMEOUT,
        ))
        .with_state(gateway.clone());
    let api = Api::new(gateway);
    pages
        .merge(api::routes(Arc::clone(&api)))
        .merge(feed::routes(Arc::clone(&api)))
        .merge(rtc::routes(api))
        .layer(middleware::from_fn_with_state(config, headers::secure))
        .layer(middleware::from_fn_with_state(shell, telemetry::observe))
}
