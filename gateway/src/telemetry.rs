//! Metrics and traces of requests. They know route templates, never addresses: an address holds a visit's
//! id. The program installs the exporter and calls [`describe`] once.

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tracing::Instrument;

use crate::{limits::Limited, port::TokenError, state::Shell};

const REQUESTS: &str = "vorzimmer_http_requests_total";
const DURATION: &str = "vorzimmer_http_request_duration_seconds";
const STREAMS: &str = "vorzimmer_event_streams";
const KNOCKS: &str = "vorzimmer_knocks_total";
const MEDIA_TOKENS: &str = "vorzimmer_media_tokens_total";
const LIMITED: &str = "vorzimmer_rate_limited_total";

/// Tells the exporter what the gateway's metrics mean.
pub fn describe() {
    describe_counter!(REQUESTS, "Requests by method, route and class of status");
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time until the answer begins, by method and route"
    );
    describe_gauge!(STREAMS, "Open event streams by kind");
    describe_counter!(KNOCKS, "Knocks by result");
    describe_counter!(MEDIA_TOKENS, "Tokens for the relay by result");
    describe_counter!(LIMITED, "Requests refused by a limit");
}

/// Counts, times and traces a request.
pub(crate) async fn observe(State(shell): State<Shell>, request: Request, next: Next) -> Response {
    let method = method_label(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", method, route);
    let begun = (shell.clock)();
    async move {
        let response = next.run(request).await;
        let took: Duration = (shell.clock)().saturating_sub(begun);
        let status = response.status();
        let class = match status.as_u16() / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => class)
            .increment(1);
        histogram!(DURATION, "method" => method, "route" => route).record(took.as_secs_f64());
        tracing::debug!(
            status = status.as_u16(),
            took_ms = took.as_millis(),
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}

/// Methods are free text: only known ones become labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

pub(crate) fn limited(limit: Limited) {
    counter!(LIMITED, "limit" => limit.label()).increment(1);
}

pub(crate) fn knock(result: &'static str) {
    counter!(KNOCKS, "result" => result).increment(1);
}

pub(crate) fn media_token(error: Option<&TokenError>) {
    let result = match error {
        None => "granted",
        Some(TokenError::Unproven) => "unproven",
        Some(TokenError::NotInRoom) => "not_in_room",
        Some(TokenError::NotTaken) => "not_taken",
        Some(TokenError::Away) => "away",
        Some(TokenError::Internal) => "internal",
    };
    counter!(MEDIA_TOKENS, "result" => result).increment(1);
}

/// Counts an open event stream for as long as it lives.
pub(crate) struct StreamCount(&'static str);

impl StreamCount {
    pub(crate) fn new(kind: &'static str) -> Self {
        gauge!(STREAMS, "kind" => kind).increment(1.0);
        Self(kind)
    }
}

impl Drop for StreamCount {
    fn drop(&mut self) {
        gauge!(STREAMS, "kind" => self.0).decrement(1.0);
    }
}
