//! The homeserver's token, compared in constant time.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use subtle::ConstantTimeEq;

use super::matrix_error;

#[derive(Clone)]
pub(super) struct HomeserverToken(Arc<[u8]>);

impl HomeserverToken {
    pub(super) fn new(token: &str) -> Self {
        Self(token.as_bytes().into())
    }

    /// The length of a token is no secret; its bytes are. An empty token opens nothing.
    fn is(&self, shown: &[u8]) -> bool {
        !self.0.is_empty() && bool::from(self.0.ct_eq(shown))
    }
}

/// Lets only the homeserver in. The token in the query (`access_token`, deprecated since Matrix 1.4) would
/// end up in proxies' logs and is not read.
pub(super) async fn require(
    State(token): State<HomeserverToken>,
    request: Request,
    next: Next,
) -> Response {
    let shown = request
        .headers()
        .get(AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    match shown {
        None => matrix_error(
            StatusCode::UNAUTHORIZED,
            "M_MISSING_TOKEN",
            "show the hs_token as `Authorization: Bearer`",
        ),
        Some(value) => match bearer(value) {
            Some(shown) if token.is(shown) => next.run(request).await,
            _ => matrix_error(
                StatusCode::FORBIDDEN,
                "M_FORBIDDEN",
                "this is not the registration's hs_token",
            ),
        },
    }
}

/// The scheme's name is case-insensitive (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| rest.trim_ascii())
}
