//! Event streams (WHATWG HTML, section 9.2).

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use serde::Serialize;
use tokio::sync::watch;

/// A comment is sent after this long without an event: it keeps proxies from closing the connection, and
/// shows us a page that has vanished.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The comment.
pub(crate) const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// One event with JSON data, which is a single line. Values that JSON cannot say do not occur in our types;
/// such an event would be left empty.
pub(crate) fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_else(|error| {
        tracing::error!(%error, name, "an event has no JSON form");
        "null".to_owned()
    });
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

/// The answer whose body is the stream.
pub(crate) fn response(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would collect events before passing them on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Waits until the program stops. A shell that is gone has stopped.
pub(crate) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error says the sender is gone: closed as well.
    let _ = closing.wait_for(|closing| *closing).await;
}
