//! HTTP: LiveKit's paths.

use std::{
    collections::HashMap,
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Query, State as Extracted, WebSocketUpgrade},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::Engine as _;
use livekit_protocol as proto;
use prost::Message as _;
use serde::Deserialize;

use super::{
    api::{self, CallError},
    clock,
    rates::Rates,
    shards::Shards,
    signalling,
};
use crate::{
    config::{ApiKey, Limits},
    room::{ApiCall, ApiError, Join},
    token::{self, Grants, TokenError},
    turn::Turn,
};

/// Octets that a client's connection reads ahead. Most messages are shorter, and the buffer is there as long as the
/// connection is.
const READ_BUFFER: usize = 4 * 1024;

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) shards: Shards,
    pub(crate) keys: Arc<[ApiKey]>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) rates: Arc<Rates>,
    pub(crate) auto_create: bool,
    pub(crate) sessions: Arc<AtomicU64>,
    pub(crate) turn: Option<Arc<Turn>>,
}

impl State {
    pub(crate) fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// TURN for one client, with credentials of its own.
    fn ice_servers(&self) -> Vec<proto::IceServer> {
        let now_s = u64::try_from(clock::now().unix_ms / 1000).unwrap_or_default();
        let turn = self.turn.iter();
        turn.map(|turn| turn.ice_server(&self.next_session().to_string(), now_s))
            .collect()
    }
}

/// The relay's paths, from the root.
pub(crate) fn router(state: State) -> Router {
    Router::new()
        .route("/", get(async || "OK"))
        .route("/rtc", get(connect))
        .route("/rtc/validate", get(validate))
        .route("/rtc/v1", get(connect_single))
        .route("/rtc/v1/validate", get(validate_single))
        .route("/twirp/livekit.RoomService/{method}", post(api::call))
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .layer(middleware::from_fn(allow_every_origin))
        .with_state(state)
}

/// Pages of every origin may ask: the token decides, not the page.
async fn allow_every_origin(request: Request<axum::body::Body>, next: Next) -> Response {
    let preflight = request.method() == Method::OPTIONS;
    let mut response = if preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    let any = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, any);
        let named = HeaderValue::from_static("*, Authorization");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, named);
    }
    response
}

/// Why a request is refused, in LiveKit's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    Token(#[from] TokenError),
    #[error("{0}")]
    Request(&'static str),
    #[error("{0}")]
    Room(#[from] CallError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::Room(CallError::Room(ApiError::NoRoom)) => StatusCode::NOT_FOUND,
            Self::Room(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        metrics::counter!("relay_requests_refused_total").increment(1);
        (status, self.to_string()).into_response()
    }
}

/// The token of a request: of the header, or of the address, because a browser's websocket sends no headers.
pub(crate) fn grants(
    state: &State,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Grants, TokenError> {
    let of_header = headers
        .get(HeaderName::from_static("authorization"))
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = of_header.or(query).unwrap_or_default();
    token::verify(token, &state.keys, clock::now().unix_ms / 1000)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    access_token: Option<String>,
    auto_subscribe: Option<String>,
    adaptive_stream: Option<String>,
    reconnect: Option<String>,
    sid: Option<String>,
    attributes: Option<String>,
    join_request: Option<String>,
}

fn is_true(value: Option<&String>, default: bool) -> bool {
    value.map_or(default, |value| value == "1" || value == "true")
}

async fn may_join(
    state: &State,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Grants, Refusal> {
    let grants = grants(state, headers, parameters.access_token.as_deref())?;
    if !grants.join || grants.room.is_empty() {
        return Err(TokenError::Denied.into());
    }
    if grants.identity.is_empty() || grants.identity.len() > 256 || grants.room.len() > 256 {
        return Err(Refusal::Request("identity cannot be empty or too long"));
    }
    is_small(
        &state.limits,
        &grants.name,
        &grants.metadata,
        &grants.attributes,
    )?;
    if !state.auto_create && !grants.create {
        api::ask(state, grants.room.clone(), ApiCall::Describe).await?;
    }
    Ok(grants)
}

async fn validate(
    Extracted(state): Extracted<State>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Result<&'static str, Refusal> {
    may_join(&state, &headers, &parameters).await?;
    attributes(parameters.attributes.as_deref(), &state.limits)?;
    Ok("success")
}

async fn connect(
    Extracted(state): Extracted<State>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    let grants = may_join(&state, &headers, &parameters).await?;
    let attributes = attributes(parameters.attributes.as_deref(), &state.limits)?;
    let resume = is_true(parameters.reconnect.as_ref(), false);
    let join = Join {
        grants,
        auto_subscribe: is_true(parameters.auto_subscribe.as_ref(), true),
        adaptive_stream: is_true(parameters.adaptive_stream.as_ref(), false),
        single_connection: false,
        offer: None,
        tracks: Vec::new(),
        attributes,
        metadata: String::new(),
        resume: resume.then(|| parameters.sid.unwrap_or_default()),
        sync: None,
        ice_servers: state.ice_servers(),
    };
    Ok(upgraded(upgrade, state, join))
}

/// The largest join request: an offer of many sections, and room.
const MAX_JOIN_REQUEST: u64 = 512 * 1024;

/// Reads the join request of `/rtc/v1`.
fn join_request(encoded: Option<&str>, limits: &Limits) -> Result<proto::JoinRequest, Refusal> {
    use proto::wrapped_join_request::Compression;
    let encoded = encoded.ok_or(Refusal::Request("join_request is required"))?;
    let wrapped = decode_base64(encoded)?;
    let wrapped = proto::WrappedJoinRequest::decode(wrapped.as_slice())
        .map_err(|_| Refusal::Request("cannot unmarshal wrapped join request"))?;
    let request = match wrapped.compression() {
        Compression::None => wrapped.join_request,
        Compression::Gzip => {
            let mut request = Vec::new();
            flate2::read::GzDecoder::new(wrapped.join_request.as_slice())
                .take(MAX_JOIN_REQUEST + 1)
                .read_to_end(&mut request)
                .map_err(|_| Refusal::Request("cannot read decompressed join request"))?;
            request
        }
    };
    if request.len() as u64 > MAX_JOIN_REQUEST {
        return Err(Refusal::Request("join request too large"));
    }
    let request = proto::JoinRequest::decode(request.as_slice())
        .map_err(|_| Refusal::Request("cannot unmarshal join request"))?;
    is_small(
        limits,
        "",
        &request.metadata,
        &request.participant_attributes,
    )?;
    Ok(request)
}

async fn validate_single(
    Extracted(state): Extracted<State>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Result<&'static str, Refusal> {
    may_join(&state, &headers, &parameters).await?;
    join_request(parameters.join_request.as_deref(), &state.limits)?;
    Ok("success")
}

async fn connect_single(
    Extracted(state): Extracted<State>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    let grants = may_join(&state, &headers, &parameters).await?;
    let request = join_request(parameters.join_request.as_deref(), &state.limits)?;
    let settings = request.connection_settings.unwrap_or_default();
    let join = Join {
        grants,
        auto_subscribe: settings.auto_subscribe,
        adaptive_stream: settings.adaptive_stream,
        single_connection: true,
        offer: request.publisher_offer,
        tracks: request.add_track_requests,
        attributes: request.participant_attributes,
        metadata: request.metadata,
        resume: request.reconnect.then_some(request.participant_sid),
        sync: request.sync_state,
        ice_servers: state.ice_servers(),
    };
    Ok(upgraded(upgrade, state, join))
}

fn upgraded(upgrade: WebSocketUpgrade, state: State, join: Join) -> Response {
    let limit = state.limits.signal_bytes;
    upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(move |socket| signalling::serve(socket, state, join))
}

/// Attributes come as base64 of a JSON object; what cannot be read is none.
fn attributes(encoded: Option<&str>, limits: &Limits) -> Result<HashMap<String, String>, Refusal> {
    let attributes: HashMap<String, String> = encoded
        .and_then(|encoded| decode_base64(encoded).ok())
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default();
    is_small(limits, "", "", &attributes)?;
    Ok(attributes)
}

/// What is told to everybody is little.
fn is_small(
    limits: &Limits,
    name: &str,
    metadata: &str,
    attributes: &HashMap<String, String>,
) -> Result<(), Refusal> {
    if limits.allow_description(name, metadata, attributes) {
        Ok(())
    } else {
        Err(Refusal::Request("name, metadata or attributes too large"))
    }
}

/// Base64 of either alphabet, padded or not.
fn decode_base64(text: &str) -> Result<Vec<u8>, Refusal> {
    let standard: String = text
        .trim_end_matches('=')
        .chars()
        .map(|character| match character {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(standard)
        .map_err(|_| Refusal::Request("cannot base64 decode"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    fn limits() -> Limits {
        Limits {
            metadata_bytes: 1_000,
            ..Limits::default()
        }
    }

    fn said(length: usize) -> HashMap<String, String> {
        HashMap::from([("a".to_owned(), "b".repeat(length - 1))])
    }

    /// As clients send it: packed, so that it is much longer than its address.
    fn packed(request: &proto::JoinRequest) -> String {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(&request.encode_to_vec()).unwrap();
        let mut wrapped = proto::WrappedJoinRequest {
            join_request: packer.finish().unwrap(),
            ..proto::WrappedJoinRequest::default()
        };
        wrapped.set_compression(proto::wrapped_join_request::Compression::Gzip);
        BASE64_URL_SAFE_NO_PAD.encode(wrapped.encode_to_vec())
    }

    #[test]
    fn whoever_joins_says_little_of_themselves() {
        let joins = |attributes, metadata: usize| {
            let request = proto::JoinRequest {
                participant_attributes: attributes,
                metadata: "m".repeat(metadata),
                ..proto::JoinRequest::default()
            };
            join_request(Some(&packed(&request)), &limits()).is_ok()
        };
        assert!(joins(said(1_000), 1_000));
        assert!(!joins(said(1_001), 0) && !joins(HashMap::new(), 1_001));
        let joins_by_the_older_protocol = |said: &HashMap<String, String>| {
            let encoded = BASE64_STANDARD.encode(serde_json::to_vec(said).unwrap());
            attributes(Some(&encoded), &limits()).is_ok_and(|read| read == *said)
        };
        assert!(joins_by_the_older_protocol(&said(1_000)));
        assert!(!joins_by_the_older_protocol(&said(1_001)));
    }
}
