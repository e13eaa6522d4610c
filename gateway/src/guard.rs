//! Keeps out changes that other sites cause in a citizen's browser.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    api::Api,
    problem::{Kind, Problem},
};

/// Lets a request that changes something pass only if the city's own pages sent it. The cookie's
/// `SameSite=Strict` does the same for browsers that know it; sibling hosts count as the same site there.
pub(crate) async fn own_pages_only(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if reads || from_own_pages(request.headers(), &api.gateway.config.public_url) {
        next.run(request).await
    } else {
        Problem::from(Kind::ForeignOrigin).into_response()
    }
}

/// An `Origin` decides. Where the browser leaves it out or hides it (`null`), `Sec-Fetch-Site` decides, which
/// no page can forge.
fn from_own_pages(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &axum::http::HeaderValue| value.to_str().unwrap_or("unreadable"))
    };
    // A browser sends one. Of two, somebody in between could mean the other.
    if headers.get_all(header::ORIGIN).iter().count() > 1 {
        return false;
    }
    match text(header::ORIGIN.as_str()) {
        Some(origin) if origin != "null" => origin.eq_ignore_ascii_case(public_url),
        Some(_) | None => text("sec-fetch-site") == Some("same-origin"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_origin_passes() {
        let passes = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().unwrap());
            }
            from_own_pages(&headers, "https://buero.example.de")
        };
        assert!(passes(&[("origin", "https://buero.example.de")]));
        assert!(passes(&[("sec-fetch-site", "same-origin")]));
        assert!(passes(&[
            ("origin", "null"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(!passes(&[]));
        assert!(!passes(&[("origin", "null")]));
        assert!(!passes(&[("origin", "http://buero.example.de")]));
        assert!(!passes(&[("origin", "https://buero.example.de.evil.test")]));
        assert!(!passes(&[
            ("origin", "https://buero.example.de"),
            ("origin", "https://evil.test")
        ]));
        assert!(!passes(&[("sec-fetch-site", "same-site")]));
        assert!(!passes(&[
            ("origin", "https://evil.test"),
            ("sec-fetch-site", "same-origin")
        ]));
    }
}
