//! Headers that every answer carries.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use crate::state::GatewayConfig;

/// Everything comes from here, nothing inline. `data:` and `blob:` are for pictures only: the style sheet's
/// icons, and the preview of a picture about to be sent.
macro_rules! policy {
    ($connect:literal, $ancestors:literal) => {
        policy!("'self'", $connect, $ancestors)
    };
    ($script:literal, $connect:literal, $ancestors:literal) => {
        concat!(
            "default-src 'none'; script-src ",
            $script,
            "; style-src 'self'; ",
            "img-src 'self' data: blob:; font-src 'self'; media-src 'self'; connect-src ",
            $connect,
            "; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors ",
            $ancestors
        )
    };
}

const POLICY: HeaderValue = HeaderValue::from_static(policy!("'self'", "'none'"));

/// For the page of a visit, which connects to the relays of its call: the city's own, and one of each city whose
/// people have joined. Which ones these are is known only when they have come, long after this header.
/// `'wasm-unsafe-eval'` lets it compile the WebAssembly that blurs a background, which comes from here as well, and no
/// text as script (CSP 3, 4.4); `blob:` the worker by which that goes on where the page is not in sight. Another worker
/// draws PDFs.
const POLICY_CALLS: HeaderValue = HeaderValue::from_static(policy!(
    "'self' 'wasm-unsafe-eval'; worker-src 'self' blob:",
    "'self' https: wss:",
    "'none'"
));

/// The same where the city itself is not reached by TLS: on a developer's machine.
const POLICY_CALLS_PLAIN: HeaderValue = HeaderValue::from_static(policy!(
    "'self' 'wasm-unsafe-eval'; worker-src 'self' blob:",
    "'self' http: https: ws: wss:",
    "'none'"
));

/// For the small page that the city's own website shows in a frame.
const POLICY_EMBEDDED: HeaderValue = HeaderValue::from_static(policy!("'self'", "*"));

/// For the guest client's files. Of them only workers heed it (CSP 3, 4.2.1): the one that draws PDFs decodes pictures
/// in WebAssembly, and fetches what a document needs from here.
pub(crate) const POLICY_ASSET: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'",
);

/// For files of strangers: shown alone, without scripts, without an origin.
pub(crate) const POLICY_FILE: HeaderValue =
    HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// The policy of pages on which calls take place.
pub(crate) fn policy_for_calls(config: &GatewayConfig) -> HeaderValue {
    if config.is_https() {
        POLICY_CALLS
    } else {
        POLICY_CALLS_PLAIN
    }
}

/// Pages that may stand in a frame anywhere.
const EMBEDDED: [&str; 2] = ["/einbetten", "/en/einbetten"];

/// Headers with one value everywhere.
const FIXED: [(HeaderName, &str); 4] = [
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Adds the headers. A policy that the handler has set stays.
pub(crate) async fn secure(
    State(config): State<Arc<GatewayConfig>>,
    request: Request,
    next: Next,
) -> Response {
    let embedded = EMBEDDED.contains(&request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(if embedded { POLICY_EMBEDDED } else { POLICY });
    if config.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}

/// What the API answers is for this moment and this guest, unless the handler says otherwise.
pub(crate) async fn not_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
