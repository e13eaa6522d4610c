//! The one place that sends requests: authentication, limits, timeouts, metrics, errors.

use std::{borrow::Cow, collections::BTreeSet, time::Duration};

use ruma::{
    DeviceId,
    api::{
        AppserviceUserIdentity, IncomingResponseExt, MatrixVersion, OutgoingRequest,
        OutgoingRequestAppserviceExt, SupportedVersions,
        auth_scheme::{AuthScheme, SendAccessToken},
        path_builder::{PathBuilder, SinglePath, VersionHistory},
    },
    exports::http,
};
use tokio::time::Instant;

use super::{As, DEVICE, Matrix, MatrixError, user_id};

/// More than this of an answer is not read, files apart: the full state of a large room is some megabytes.
const ANSWER_LIMIT: usize = 32 << 20;

/// More than this of an error is not read.
const ERROR_LIMIT: usize = 64 << 10;

/// How long requests may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the answer is complete.
    pub request: Duration,
}

impl Default for Timeouts {
    /// Room creation takes seconds on a loaded homeserver; a file may take longer still.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_mins(1),
        }
    }
}

/// A path whose choice needs no more than the versions we speak.
pub(crate) trait KnownPath: PathBuilder {
    fn input(versions: &SupportedVersions) -> Self::Input<'_>;
}

impl KnownPath for VersionHistory {
    fn input(versions: &SupportedVersions) -> Cow<'_, SupportedVersions> {
        Cow::Borrowed(versions)
    }
}

impl KnownPath for SinglePath {
    fn input(_: &SupportedVersions) {}
}

/// The versions whose paths are used. Every homeserver with room version 12 has them.
pub(super) fn versions() -> SupportedVersions {
    SupportedVersions {
        versions: [MatrixVersion::V1_1, MatrixVersion::V1_12].into(),
        features: BTreeSet::new(),
    }
}

/// The configured HTTP client. It follows no redirects: a homeserver's API has none, and a token would go along.
pub(super) fn connections(timeouts: Timeouts) -> Result<reqwest::Client, MatrixError> {
    reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.request)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("vorzimmer/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| MatrixError::Away {
            detail: error.without_url().to_string(),
        })
}

impl Matrix {
    /// Sends a request of the client API.
    pub(crate) async fn call<R>(
        &self,
        actor: As<'_>,
        request: R,
    ) -> Result<R::IncomingResponse, MatrixError>
    where
        R: OutgoingRequest,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
        R::PathBuilder: KnownPath,
    {
        self.call_limited(actor, request, ANSWER_LIMIT).await
    }

    /// Sends a request of the client API from the actor's device (MSC4326): the homeserver keeps its transaction ids
    /// in the database with the event, those of an actor without a device in memory only.
    pub(super) async fn call_from_device<R>(
        &self,
        actor: As<'_>,
        request: R,
    ) -> Result<R::IncomingResponse, MatrixError>
    where
        R: OutgoingRequest,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
        R::PathBuilder: KnownPath,
    {
        self.call_as(actor, Some(DEVICE.into()), request, ANSWER_LIMIT)
            .await
    }

    /// Sends a request of the client API and reads at most `limit` bytes of its answer.
    pub(super) async fn call_limited<R>(
        &self,
        actor: As<'_>,
        request: R,
        limit: usize,
    ) -> Result<R::IncomingResponse, MatrixError>
    where
        R: OutgoingRequest,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
        R::PathBuilder: KnownPath,
    {
        self.call_as(actor, None, request, limit).await
    }

    async fn call_as<R>(
        &self,
        actor: As<'_>,
        device: Option<&DeviceId>,
        request: R,
        limit: usize,
    ) -> Result<R::IncomingResponse, MatrixError>
    where
        R: OutgoingRequest,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
        R::PathBuilder: KnownPath,
    {
        let unsendable = |_| MatrixError::Invalid { what: "request" };
        let endpoint = R::PATH_BUILDER
            .select_path(R::PathBuilder::input(&self.versions))
            .map_err(unsendable)?;
        let user = match (actor, device) {
            (As::Bot, None) => None,
            // Synapse 1.163 looks the device up by the sender it has in mind, and fails, unless the user is named.
            (As::Bot, Some(_)) => Some(user_id(&self.bot)?),
            (As::Ghost(ghost), _) => Some(user_id(ghost)?),
        };
        let mut identity = user
            .as_deref()
            .map(AppserviceUserIdentity::new)
            .unwrap_or_default();
        identity.device_id = device;
        let request: http::Request<Vec<u8>> = request
            .try_into_http_request_with_identity(
                self.config.homeserver.as_str(),
                SendAccessToken::Always(&self.config.as_token),
                identity,
                R::PathBuilder::input(&self.versions),
            )
            .map_err(unsendable)?;
        let request = reqwest::Request::try_from(request)
            .map_err(|_| MatrixError::Invalid { what: "request" })?;

        let (parts, body) = self.exchange(endpoint, request, limit).await?.into_parts();
        let answer = http::Response::from_parts(parts, body.as_slice());
        R::IncomingResponse::try_from_http_response(answer).map_err(|_| MatrixError::Malformed {
            what: endpoint.to_owned(),
        })
    }

    /// Sends one request, counts it, and turns everything that is no success into an error.
    pub(super) async fn exchange(
        &self,
        endpoint: &'static str,
        request: reqwest::Request,
        limit: usize,
    ) -> Result<http::Response<Vec<u8>>, MatrixError> {
        let start = Instant::now();
        let result = self.answer(endpoint, request, limit).await;
        let outcome = result
            .as_ref()
            .err()
            .map_or("ok", MatrixError::code)
            .to_owned();
        if outcome != "ok" {
            tracing::debug!(endpoint, outcome, "request to the homeserver failed");
        }
        metrics::histogram!("vorzimmer_matrix_request_seconds", "endpoint" => endpoint)
            .record(start.elapsed());
        metrics::counter!("vorzimmer_matrix_requests_total", "endpoint" => endpoint, "outcome" => outcome)
            .increment(1);
        result
    }

    async fn answer(
        &self,
        endpoint: &'static str,
        request: reqwest::Request,
        limit: usize,
    ) -> Result<http::Response<Vec<u8>>, MatrixError> {
        let mut answer = self.http.execute(request).await.map_err(away)?;
        let mut parts = http::Response::builder().status(answer.status());
        if let Some(headers) = parts.headers_mut() {
            headers.extend(answer.headers().clone());
        }
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get(http::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());

        // An error's words may be longer than the little that was asked for.
        let limit = if status.is_success() {
            limit
        } else {
            ERROR_LIMIT
        };
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > limit {
                if status.is_success() {
                    return Err(MatrixError::TooLarge { limit });
                }
                break;
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(MatrixError::from_answer(
                status.as_u16(),
                retry_after,
                &body,
            ));
        }
        parts.body(body).map_err(|_| MatrixError::Malformed {
            what: endpoint.to_owned(),
        })
    }
}

/// A transport fault in words without the address, which carries room and user ids.
fn away(error: reqwest::Error) -> MatrixError {
    let detail = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        error.without_url().to_string()
    };
    MatrixError::Away { detail }
}
