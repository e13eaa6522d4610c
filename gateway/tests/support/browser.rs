//! A browser: keeps its cookie, names its origin, reads answers and event streams.

use std::net::{IpAddr, SocketAddr};

use axum::{
    Router,
    body::{Body, BodyDataStream, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::ORIGIN;

pub(crate) struct Browser {
    router: Router,
    pub(crate) cookie: Option<String>,
    pub(crate) origin: Option<&'static str>,
    pub(crate) language: &'static str,
    pub(crate) peer: IpAddr,
    pub(crate) extra: Vec<(&'static str, String)>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts the status and gives the body.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// Asserts a problem of this status and type, complete and in words, and gives its body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, slug: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["type"], format!("/problems/{slug}"));
        assert_eq!(body["status"], status);
        for text in ["title", "detail"] {
            let text = body[text].as_str().unwrap();
            assert!(
                text.contains(' ') && !text.starts_with("problem-"),
                "{text}"
            );
        }
        body
    }

    /// The fields a problem names.
    #[track_caller]
    pub(crate) fn faulty_fields(&self) -> Vec<String> {
        let body = self.problem(422, "invalid-fields");
        let errors = body["errors"].as_array().unwrap();
        let field = |error: &Value| {
            assert!(error["detail"].as_str().unwrap().contains(' '));
            error["field"].as_str().unwrap().to_owned()
        };
        errors.iter().map(field).collect()
    }
}

impl Browser {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            cookie: None,
            origin: Some(ORIGIN),
            language: "de",
            peer: [192, 0, 2, 1].into(),
            extra: Vec::new(),
        }
    }

    fn request(&self, method: Method, path: &str, kind: Option<&str>, body: Body) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, self.language)
            .extension(ConnectInfo(SocketAddr::from((self.peer, 4711))));
        for (name, value) in &self.extra {
            request = request.header(*name, value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(origin) = self.origin {
            request = request.header(header::ORIGIN, origin);
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(body).unwrap()
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: impl Into<Body>,
    ) -> Answer {
        let request = self.request(method, path, kind, body.into());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(set) = parts.headers.get(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
        }
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Body::empty()).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(
            Method::POST,
            path,
            Some("application/json"),
            body.to_string(),
        )
        .await
    }

    /// Knocks at the trade office with a plain form and gives the visit's address.
    pub(crate) async fn knock(&mut self) -> String {
        let answer = self.post("/api/v1/offices/gewerbe/visits", form()).await;
        answer.expect(201);
        answer.header("location").to_owned()
    }

    /// Sends a file as a form does.
    pub(crate) async fn upload(
        &mut self,
        path: &str,
        id: &str,
        name: &str,
        bytes: &[u8],
    ) -> Answer {
        let mut body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\n{id}\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/html\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--x--\r\n");
        self.send(
            Method::POST,
            path,
            Some("multipart/form-data; boundary=x"),
            body,
        )
        .await
    }

    /// Opens an event stream.
    pub(crate) async fn listen(&self, path: &str) -> Events {
        let request = self.request(Method::GET, path, None, Body::empty());
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"));
        Events(response.into_body().into_data_stream())
    }
}

/// A plain form.
pub(crate) fn form() -> Value {
    json!({
        "concern": "Ich möchte ein Gewerbe anmelden.",
        "name": "Anna",
        "language": "de",
        "service": "anmelden",
        "interpreter": null,
        "privacy_accepted": true,
    })
}

/// An open event stream.
pub(crate) struct Events(BodyDataStream);

impl Events {
    /// The next frame as it came; `None` at the end.
    pub(crate) async fn raw(&mut self) -> Option<String> {
        let frame = self.0.next().await?.unwrap();
        Some(String::from_utf8(frame.to_vec()).unwrap())
    }

    /// The next event: its name and data.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        let raw = self.raw().await.unwrap();
        let lines: Vec<&str> = raw.strip_suffix("\n\n").unwrap().lines().collect();
        let [name, data] = lines[..] else {
            panic!("{raw:?}")
        };
        (
            name.strip_prefix("event: ").unwrap().to_owned(),
            serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap(),
        )
    }

    /// Whether nothing has come yet.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        tokio::select! {
            biased;
            frame = self.0.next() => panic!("{frame:?}"),
            () = settle() => true,
        }
    }
}

/// Lets every task that can go on do so.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
