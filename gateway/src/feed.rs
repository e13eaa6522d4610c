//! An office's appointments for clerks' calendar programs, at an address with a secret. Logs and metrics name the route
//! and never the address.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest as _, Sha256};
use tower_http::timeout::TimeoutLayer;

use crate::{
    TIMEOUT,
    api::{Api, bookings::problem},
    appointments::{BookingError, Token},
    extract::Client,
    problem::{Kind, Problem},
};

/// `/kalender/<secret>.ics`.
pub(crate) fn routes(api: Arc<Api>) -> Router {
    Router::new()
        .route("/kalender/{file}", get(show))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            TIMEOUT,
        ))
        .with_state(api)
}

async fn show(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Path(file): Path<String>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    api.limiter.booking(&address)?;
    let unknown = || Problem::from(Kind::NotFound);
    let token = file
        .strip_suffix(".ics")
        .and_then(Token::parse)
        .ok_or_else(unknown)?;
    let appointments = api.gateway.appointments.as_deref().ok_or_else(unknown)?;
    let calendar = found(appointments.feed(&token.hash()).await)?;
    Ok(answer(&calendar, request.get(header::IF_NONE_MATCH)))
}

/// A calendar that cannot be read at this moment is asked for again; clients give up one that is broken.
fn found(calendar: Result<Option<String>, BookingError>) -> Result<String, Problem> {
    calendar
        .map_err(problem)?
        .ok_or_else(|| Kind::NotFound.into())
}

/// The calendar, unless the program has it already (RFC 9110 §13.1.2).
fn answer(calendar: &str, known: Option<&HeaderValue>) -> Response {
    let digest = Sha256::digest(calendar.as_bytes());
    let tag = digest
        .iter()
        .take(16)
        .fold(String::new(), |tag, byte| format!("{tag}{byte:02x}"));
    let known = known
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value == "*" || value.contains(&tag));
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::ETAG, &format!("\"{tag}\"")),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    if known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, calendar.to_owned()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_busy_is_no_broken_calendar() {
        let kind = |calendar| found(calendar).unwrap_err().kind();
        assert_eq!(kind(Ok(None)), Kind::NotFound);
        assert_eq!(kind(Err(BookingError::Busy)), Kind::Busy);
        assert_eq!(kind(Err(BookingError::Internal)), Kind::Internal);
    }
}
