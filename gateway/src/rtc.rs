//! The token service for Matrix clients under `/livekit/jwt`, as clients of `MatrixRTC` (MSC4195) ask for it: whoever
//! is in a room may take part in its call, and gets a token for the relay.
//!
//! Any web client of any homeserver may ask: its browser is told so (CORS), and no cookie means anything here. What is
//! refused is worded as Matrix does, since Matrix clients read it.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tower_http::timeout::TimeoutLayer;

use crate::{
    TIMEOUT,
    api::Api,
    extract::Client,
    limits::OverLimit,
    port::{Claim, DelayedLeave, MediaTokens, OpenId, TokenError, TokenGrant, TokenRequest},
    telemetry,
};

/// Requests are small.
const BODY: usize = 16 * 1024;
/// No id and no token of Matrix is longer.
const LONGEST: usize = 1024;
/// The one call of a room, which is what the older endpoint means.
const SLOT: &str = "m.call#ROOM";

/// What every answer says to browsers.
const CORS: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token",
    ),
];

/// Everything under `/livekit/jwt`.
pub(crate) fn routes(api: Arc<Api>) -> Router {
    let service = Router::new()
        .route("/sfu/get", post(by_device))
        .route("/get_token", post(by_member))
        .route("/delegate_delayed_leave", post(delegate))
        .route("/healthz", get(async || StatusCode::OK))
        .fallback(async || Refusal::unknown())
        .method_not_allowed_fallback(async || Refusal::method())
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            TIMEOUT,
        ))
        .layer(middleware::from_fn(cors))
        .with_state(api);
    Router::new().nest("/livekit/jwt", service)
}

/// Answers preflights, and lets every page read every answer, also a refusal.
async fn cors(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in CORS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Deserialize)]
struct OpenIdBody {
    access_token: String,
    matrix_server_name: String,
}

/// What the older endpoint is asked.
#[derive(Deserialize)]
struct DeviceBody {
    room: String,
    openid_token: OpenIdBody,
    device_id: String,
    #[serde(flatten)]
    delegation: Delegation,
}

#[derive(Deserialize)]
struct MemberBody {
    room_id: String,
    slot_id: String,
    openid_token: OpenIdBody,
    member: Member,
    #[serde(flatten)]
    delegation: Delegation,
}

#[derive(Deserialize)]
struct Member {
    id: String,
    claimed_user_id: String,
    claimed_device_id: String,
}

/// A client that hands its delayed leave over. Which homeserver has it is known from the proof; what else clients name
/// (`delay_cs_api_url`) is not asked.
#[derive(Deserialize)]
struct Delegation {
    delay_id: Option<String>,
    /// In milliseconds.
    delay_timeout: Option<u64>,
}

impl Delegation {
    fn leave(self) -> Result<Option<DelayedLeave>, Refusal> {
        match (self.delay_id, self.delay_timeout) {
            (None, None) => Ok(None),
            (Some(delay_id), Some(timeout)) => Ok(Some(DelayedLeave {
                delay_id: filled(delay_id, "delay_id")?,
                timeout: Duration::from_millis(timeout),
            })),
            (Some(_), None) => Err(Refusal::bad("delay_timeout is missing")),
            (None, Some(_)) => Err(Refusal::bad("delay_id is missing")),
        }
    }
}

impl MemberBody {
    fn request(self) -> Result<(TokenRequest, Option<DelayedLeave>), Refusal> {
        let leave = self.delegation.leave()?;
        let request = TokenRequest {
            room_id: filled(self.room_id, "room_id")?,
            slot_id: filled(self.slot_id, "slot_id")?,
            openid: openid(self.openid_token)?,
            claim: Claim::Member {
                id: filled(self.member.id, "member.id")?,
                user_id: filled(self.member.claimed_user_id, "member.claimed_user_id")?,
                device_id: filled(self.member.claimed_device_id, "member.claimed_device_id")?,
            },
        };
        Ok((request, leave))
    }
}

async fn by_device(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    body: Bytes,
) -> Result<Json<Granted>, Refusal> {
    let service = service(&api)?;
    api.limiter.media_token(&address)?;
    let body: DeviceBody = read(&body)?;
    let leave = body.delegation.leave()?;
    let request = TokenRequest {
        room_id: filled(body.room, "room")?,
        slot_id: SLOT.to_owned(),
        openid: openid(body.openid_token)?,
        claim: Claim::Device {
            device_id: filled(body.device_id, "device_id")?,
        },
    };
    grant(service, request, leave).await
}

async fn by_member(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    body: Bytes,
) -> Result<Json<Granted>, Refusal> {
    let service = service(&api)?;
    api.limiter.media_token(&address)?;
    let body: MemberBody = read(&body)?;
    let (request, leave) = body.request()?;
    grant(service, request, leave).await
}

/// A client in a call hands its leave over. Clients find out whether this is offered by asking for nothing: any answer
/// but 404 says so.
async fn delegate(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    body: Bytes,
) -> Result<Json<serde_json::Value>, Refusal> {
    let service = service(&api)?;
    api.limiter.media_token(&address)?;
    let body: MemberBody = read(&body)?;
    let (request, leave) = body.request()?;
    let leave = leave.ok_or_else(|| Refusal::bad("delay_id is missing"))?;
    service.delegate(request, leave).await?;
    Ok(Json(serde_json::json!({})))
}

fn service(api: &Api) -> Result<&dyn MediaTokens, Refusal> {
    api.gateway
        .media_tokens
        .as_deref()
        .ok_or_else(Refusal::unknown)
}

async fn grant(
    service: &dyn MediaTokens,
    request: TokenRequest,
    leave: Option<DelayedLeave>,
) -> Result<Json<Granted>, Refusal> {
    let answer = service.token(request, leave).await;
    telemetry::media_token(answer.as_ref().err());
    let TokenGrant { url, jwt } = answer?;
    Ok(Json(Granted { url, jwt }))
}

#[derive(Serialize)]
struct Granted {
    url: String,
    jwt: String,
}

fn openid(body: OpenIdBody) -> Result<OpenId, Refusal> {
    Ok(OpenId {
        access_token: filled(body.access_token, "openid_token.access_token")?,
        server_name: filled(body.matrix_server_name, "openid_token.matrix_server_name")?,
    })
}

fn filled(text: String, field: &'static str) -> Result<String, Refusal> {
    if text.is_empty() {
        Err(Refusal::bad(format!("{field} is missing")))
    } else if text.len() > LONGEST {
        Err(Refusal::bad(format!("{field} is too long")))
    } else {
        Ok(text)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|_| Refusal {
        status: StatusCode::BAD_REQUEST,
        errcode: "M_NOT_JSON",
        error: "The body is not JSON".into(),
        retry_after_ms: None,
    })?;
    // The reader's own words are not passed on: they would repeat what was written.
    T::deserialize(value).map_err(|_| Refusal::bad("A field is missing or of the wrong type"))
}

/// A refusal in Matrix's words.
struct Refusal {
    status: StatusCode,
    errcode: &'static str,
    error: std::borrow::Cow<'static, str>,
    retry_after_ms: Option<u64>,
}

impl Refusal {
    fn new(status: StatusCode, errcode: &'static str, error: &'static str) -> Self {
        Self {
            status,
            errcode,
            error: error.into(),
            retry_after_ms: None,
        }
    }

    fn bad(error: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self {
            error: error.into(),
            ..Self::new(StatusCode::BAD_REQUEST, "M_BAD_JSON", "")
        }
    }

    fn unknown() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "M_UNRECOGNIZED",
            "Nothing is offered here",
        )
    }

    fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "M_UNRECOGNIZED",
            "This method is not offered here",
        )
    }
}

impl From<OverLimit> for Refusal {
    fn from(over: OverLimit) -> Self {
        telemetry::limited(over.limit);
        let wait = u64::try_from(over.retry_after.as_millis()).unwrap_or(u64::MAX);
        Self {
            retry_after_ms: Some(wait.max(1)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "M_LIMIT_EXCEEDED",
                "Too many requests",
            )
        }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unproven => Self::new(
                StatusCode::UNAUTHORIZED,
                "M_UNAUTHORIZED",
                "The request could not be authorised",
            ),
            TokenError::NotInRoom => Self::new(
                StatusCode::FORBIDDEN,
                "M_FORBIDDEN",
                "You are in no such room with a call",
            ),
            // Clients that hear this ask again without it.
            TokenError::NotTaken => Self::bad("The delayed leave is not taken over"),
            TokenError::Away => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "M_UNKNOWN",
                "The service cannot answer at the moment",
            ),
            TokenError::Internal => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "M_UNKNOWN",
                "A fault of ours",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            errcode: &'a str,
            error: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after_ms: Option<u64>,
        }
        let body = Json(Body {
            errcode: self.errcode,
            error: &self.error,
            retry_after_ms: self.retry_after_ms,
        });
        let mut response = (self.status, body).into_response();
        if let Some(wait) = self.retry_after_ms {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(wait.div_ceil(1000)));
        }
        response
    }
}
