//! A guest's browser, by plain requests: each one as the guest client sends it, without the page.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, bail};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::timeout;
use xtask::http::http_client;

use crate::wait::{PATIENCE, eventually};

/// Between the parts of a form. No file of a test contains it.
const BOUNDARY: &str = "vorzimmer-form-boundary";

/// What the gateway said, whether it pleases or not.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null when it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The body of a success.
    pub fn success(self, what: &str) -> Result<Value> {
        if !self.status.is_success() {
            bail!("{what}: {} {}", self.status, self.body);
        }
        Ok(self.body)
    }

    /// The kind of a refusal, RFC 9457: `queue-full`.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.body["type"].as_str()?.strip_prefix("/problems/")
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// One browser: one citizen. Clones are the same browser. It keeps the visit's cookie as a browser would.
#[derive(Debug, Clone)]
pub struct Guest {
    http: reqwest::Client,
    origin: String,
    cookie: Arc<Mutex<Option<String>>>,
    messages: Arc<AtomicU64>,
}

impl Guest {
    /// A browser that has never been at `origin`, `http://localhost:8080`.
    pub fn new(origin: &str) -> Result<Self> {
        Ok(Self::sharing(http_client()?, origin))
    }

    /// A browser behind an address of its own, one of 127.0.0.0/8: for more knocks than one address may send.
    pub fn behind(address: Ipv4Addr, origin: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .local_address(IpAddr::V4(address))
            .timeout(PATIENCE)
            .no_proxy()
            .build()?;
        Ok(Self::sharing(http, origin))
    }

    /// Another browser that uses this one's connections: for crowds.
    #[must_use]
    pub fn neighbour(&self) -> Self {
        Self::sharing(self.http.clone(), &self.origin)
    }

    fn sharing(http: reqwest::Client, origin: &str) -> Self {
        Self {
            http,
            origin: origin.to_owned(),
            cookie: Arc::default(),
            messages: Arc::default(),
        }
    }

    /// `name=value` as the browser sends it back.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.cookie
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces the cookie, as somebody does who would like to be somebody else.
    pub fn set_cookie(&self, cookie: Option<&str>) {
        *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = cookie.map(str::to_owned);
    }

    /// A request with the browser's cookie and `Origin`, to be changed and given to [`Guest::send`]. `path` is
    /// everything behind the host.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let changes = method != Method::GET;
        let mut request = self.http.request(method, format!("{}{path}", self.origin));
        if changes {
            request = request.header(header::ORIGIN, &self.origin);
        }
        if let Some(cookie) = self.cookie() {
            request = request.header(header::COOKIE, cookie);
        }
        request
    }

    /// Sends a request and keeps the cookie that comes back.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if let Some(cookie) = headers
            .get(header::SET_COOKIE)
            .and_then(|value| value.to_str().ok())
        {
            self.set_cookie(cookie.split(';').next());
        }
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// A request below `/api/v1/` with or without a JSON body.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut request = self.request(method, &format!("/api/v1/{path}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await?.success(path)
    }

    /// Knocks with any form.
    pub async fn knock_with(&self, office: &str, form: &Value) -> Result<Answer> {
        self.call(
            Method::POST,
            &format!("offices/{office}/visits"),
            Some(form),
        )
        .await
    }

    /// Knocks in German. The visit: `id`, `ticket`, `state`, `position` …
    pub async fn knock(&self, office: &str, concern: &str) -> Result<Value> {
        let form = json!({ "concern": concern, "language": "de", "privacy_accepted": true });
        self.knock_with(office, &form).await?.success("knocking")
    }

    /// A public office: `status`, `waiting`, `desks_on_duty` …
    pub async fn office(&self, slug: &str) -> Result<Value> {
        self.get(&format!("offices/{slug}")).await
    }

    /// This browser's visits.
    pub async fn visits(&self) -> Result<Vec<Value>> {
        let visits = self.get("visits").await?;
        Ok(visits.as_array().cloned().unwrap_or_default())
    }

    /// One visit.
    pub async fn visit(&self, id: &str) -> Result<Value> {
        self.get(&format!("visits/{id}")).await
    }

    /// Waits until the visit is in this state: `waiting`, `called`, `in_conversation`, `ended`.
    pub async fn until(&self, id: &str, state: &str) -> Result<Value> {
        eventually(&format!("the visit to be {state}"), || async {
            let visit = self.visit(id).await?;
            Ok((visit["state"] == state).then_some(visit))
        })
        .await
    }

    /// Enters after the call.
    pub async fn enter(&self, id: &str) -> Result<Value> {
        let path = format!("visits/{id}/enter");
        self.call(Method::POST, &path, None)
            .await?
            .success("entering")
    }

    /// Goes away.
    pub async fn leave(&self, id: &str) -> Result<()> {
        let path = format!("visits/{id}/leave");
        self.call(Method::POST, &path, None)
            .await?
            .success("leaving")?;
        Ok(())
    }

    /// A new id for a message, as the page makes one.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("m-{}", self.messages.fetch_add(1, Ordering::Relaxed))
    }

    /// Says something. The message: `id`, `client_id`, `delivery` …
    pub async fn say(&self, id: &str, body: &str) -> Result<Value> {
        self.say_as(id, &self.message_id(), body)
            .await?
            .success("saying something")
    }

    /// Says something under an id of one's own: as the page repeats what it has got no answer to.
    pub async fn say_as(&self, id: &str, client_id: &str, body: &str) -> Result<Answer> {
        let message = json!({ "client_id": client_id, "body": body });
        self.call(
            Method::POST,
            &format!("visits/{id}/messages"),
            Some(&message),
        )
        .await
    }

    /// Sends a file under an id of one's own.
    pub async fn send_file_as(
        &self,
        id: &str,
        client_id: &str,
        name: &str,
        bytes: &[u8],
    ) -> Result<Answer> {
        let request = self
            .request(Method::POST, &format!("/api/v1/visits/{id}/files"))
            .header(
                header::CONTENT_TYPE,
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            // A refused file is not read to its end: nothing else can follow on this connection.
            .header(header::CONNECTION, "close")
            .body(form(client_id, name, bytes));
        self.send(request).await
    }

    /// Sends a file.
    pub async fn send_file(&self, id: &str, name: &str, bytes: &[u8]) -> Result<Value> {
        self.send_file_as(id, &self.message_id(), name, bytes)
            .await?
            .success("sending a file")
    }

    /// A file of the conversation, as the visit's message names it.
    pub async fn download(&self, url: &str) -> Result<Vec<u8>> {
        let response = self.request(Method::GET, url).send().await?;
        let status = response.status();
        if !status.is_success() {
            bail!("downloading: {status}");
        }
        Ok(response.bytes().await?.to_vec())
    }

    /// The conversation so far.
    pub async fn messages(&self, id: &str) -> Result<Vec<Value>> {
        let messages = self.get(&format!("visits/{id}/messages")).await?;
        Ok(messages.as_array().cloned().unwrap_or_default())
    }

    /// Waits until the message of this number has this delivery: `delivered`, `failed`.
    pub async fn until_delivery(&self, id: &str, message: &Value, delivery: &str) -> Result<Value> {
        eventually(&format!("the message to be {delivery}"), || async {
            let messages = self.messages(id).await?;
            Ok(messages.into_iter().find(|other| {
                other["id"] == message["id"] && other["delivery"].as_str() == Some(delivery)
            }))
        })
        .await
    }

    /// Opens the visit's page: from here on the guest is present.
    pub async fn events(&self, id: &str) -> Result<Events> {
        let path = format!("/api/v1/visits/{id}/events");
        let request = self.request(Method::GET, &path).timeout(PATIENCE * 10);
        let response = request.send().await?;
        let status = response.status();
        if !status.is_success() {
            bail!("opening the page's events: {status}");
        }
        Ok(Events {
            response,
            unread: Vec::new(),
        })
    }
}

/// A form with a file, RFC 7578.
fn form(client_id: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut form = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\n{client_id}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(bytes);
    form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    form
}

/// A visit's event stream. Dropping it closes the page.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    unread: Vec<u8>,
}

impl Events {
    /// The next event: its name and data. Comments are passed over; `None` when the stream has ended.
    pub async fn next(&mut self) -> Result<Option<(String, Value)>> {
        loop {
            while let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                if let Some(event) = read_event(std::str::from_utf8(&block)?)? {
                    return Ok(Some(event));
                }
            }
            match self.response.chunk().await? {
                Some(chunk) => self.unread.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    /// Follows until `found` finds what it looks for in an event's name and data. `what` names it in the error of the
    /// one who waits in vain.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&str, &Value) -> Option<T>,
    ) -> Result<T> {
        let follow = async {
            loop {
                let (name, data) = self
                    .next()
                    .await?
                    .with_context(|| format!("the page's events end before {what}"))?;
                if let Some(value) = found(&name, &data) {
                    return Ok(value);
                }
            }
        };
        match timeout(PATIENCE, follow).await {
            Ok(result) => result,
            Err(_) => bail!("the page has waited {} s for {what}", PATIENCE.as_secs()),
        }
    }
}

fn read_event(block: &str) -> Result<Option<(String, Value)>> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let (Some(name), Some(data)) = (field("event"), field("data")) else {
        return Ok(None);
    };
    let data = serde_json::from_str(data)
        .with_context(|| format!("the data of a {name} event is not JSON"))?;
    Ok(Some((name.to_owned(), data)))
}
