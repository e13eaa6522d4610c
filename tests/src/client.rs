//! A Matrix user's client, by plain requests: each one as Element sends it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use xtask::{http::http_client, synapse::Account};

use crate::{json::text, sync::Syncing};

/// What the homeserver said, whether it pleases or not.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body; null when it is not JSON.
    pub body: Value,
}

impl Reply {
    /// The body of a success.
    pub fn success(self, what: &str) -> Result<Value> {
        if !self.status.is_success() {
            bail!("{what}: {} {}", self.status, self.body);
        }
        Ok(self.body)
    }
}

/// A signed-in user. Clones are the same user with the same device.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    account: Account,
    transactions: Arc<AtomicU64>,
}

impl Client {
    /// The user of `account`, at the homeserver whose client API is at `url`.
    pub fn new(url: &str, account: Account) -> Result<Self> {
        Ok(Self {
            http: http_client()?,
            url: url.to_owned(),
            account,
            transactions: Arc::default(),
        })
    }

    /// Signs in by password. Homeservers allow about five of these in a row from one address.
    pub async fn login(url: &str, localpart: &str, password: &str) -> Result<Self> {
        let body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": localpart },
            "password": password,
            "initial_device_display_name": "test client",
        });
        let response = http_client()?
            .post(format!("{url}/_matrix/client/v3/login"))
            .json(&body)
            .send()
            .await?;
        let account = reply(response).await?.success("logging in")?;
        Self::new(url, serde_json::from_value(account)?)
    }

    /// `@anna:localhost`.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.account.user_id
    }

    /// Lets its holder act as the user.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.account.access_token
    }

    /// The device of the token.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.account.device_id
    }

    /// The homeserver's client API.
    #[must_use]
    pub fn homeserver_url(&self) -> &str {
        &self.url
    }

    /// Any request below `/_matrix/client/`; `path` is encoded already.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply> {
        let mut request = self
            .http
            .request(method, format!("{}/_matrix/client/{path}", self.url))
            .bearer_auth(self.access_token());
        if let Some(body) = body {
            request = request.json(body);
        }
        reply(request.send().await?).await
    }

    /// Follows what the user gets to see, from the beginning.
    #[must_use]
    pub fn syncing(&self) -> Syncing {
        Syncing::new(self.clone())
    }

    /// One `/sync`, with as many new events of each room as a homeserver gives.
    pub async fn sync(&self, since: Option<&str>, long_poll: Duration) -> Result<Value> {
        // Without this a busy room has gaps: ten events are usual.
        let filter = encode(r#"{"room":{"timeline":{"limit":100}}}"#);
        let path = match since {
            Some(since) => format!(
                "v3/sync?filter={filter}&timeout={}&since={}",
                long_poll.as_millis(),
                encode(since)
            ),
            // The first answer comes at once.
            None => format!("v3/sync?filter={filter}&timeout=0"),
        };
        self.get(&path).await
    }

    /// Makes a room; `request` as the specification has it. Returns its id.
    pub async fn create_room(&self, request: &Value) -> Result<String> {
        let body = self
            .call(Method::POST, "v3/createRoom", Some(request))
            .await?
            .success("creating a room")?;
        text(&body, "room_id")
    }

    /// The room an alias stands for.
    pub async fn resolve(&self, alias: &str) -> Result<String> {
        let body = self
            .get(&format!("v3/directory/room/{}", encode(alias)))
            .await?;
        text(&body, "room_id")
    }

    /// Sends a plain text; returns the event's id.
    pub async fn send_text(&self, room_id: &str, body: &str) -> Result<String> {
        let content = json!({ "msgtype": "m.text", "body": body, "m.mentions": {} });
        self.send(room_id, "m.room.message", &content).await
    }

    /// Sends any event; returns its id.
    pub async fn send(&self, room_id: &str, event_type: &str, content: &Value) -> Result<String> {
        let transaction = self.next_transaction();
        let path = format!(
            "v3/rooms/{}/send/{}/{transaction}",
            encode(room_id),
            encode(event_type)
        );
        let body = self
            .call(Method::PUT, &path, Some(content))
            .await?
            .success("sending")?;
        text(&body, "event_id")
    }

    /// Sets state; returns the event's id.
    pub async fn set_state(
        &self,
        room_id: &str,
        event_type: &str,
        key: &str,
        content: &Value,
    ) -> Result<String> {
        let path = state_path(room_id, event_type, key);
        let body = self
            .call(Method::PUT, &path, Some(content))
            .await?
            .success("setting state")?;
        text(&body, "event_id")
    }

    /// A state event's content; `None` when there is no such state.
    pub async fn state(&self, room_id: &str, event_type: &str, key: &str) -> Result<Option<Value>> {
        let reply = self
            .call(Method::GET, &state_path(room_id, event_type, key), None)
            .await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        reply.success("reading state").map(Some)
    }

    /// All state events of a room.
    pub async fn full_state(&self, room_id: &str) -> Result<Vec<Value>> {
        list(
            self.get(&format!("v3/rooms/{}/state", encode(room_id)))
                .await?,
        )
    }

    /// The newest events of a room, the newest first.
    pub async fn messages(&self, room_id: &str, limit: u32) -> Result<Vec<Value>> {
        let mut body = self
            .get(&format!(
                "v3/rooms/{}/messages?dir=b&limit={limit}",
                encode(room_id)
            ))
            .await?;
        list(body["chunk"].take())
    }

    /// One event.
    pub async fn event(&self, room_id: &str, event_id: &str) -> Result<Value> {
        self.get(&format!(
            "v3/rooms/{}/event/{}",
            encode(room_id),
            encode(event_id)
        ))
        .await
    }

    /// Knocks on a room, by id or alias. Returns its id.
    pub async fn knock(&self, room: &str, reason: &str) -> Result<String> {
        let path = format!("v3/knock/{}", encode(room));
        let body = self
            .call(Method::POST, &path, Some(&json!({ "reason": reason })))
            .await?;
        text(&body.success("knocking")?, "room_id")
    }

    /// Joins a room, by id or alias. Returns its id.
    pub async fn join(&self, room: &str) -> Result<String> {
        let path = format!("v3/join/{}", encode(room));
        let body = self
            .call(Method::POST, &path, Some(&json!({})))
            .await?
            .success("joining")?;
        text(&body, "room_id")
    }

    /// Accepts an invitation to a room of the server that `alias` names: a room's id alone leads nowhere.
    pub async fn join_via(&self, room_id: &str, alias: &str) -> Result<()> {
        let (_, server_name) = alias
            .split_once(':')
            .with_context(|| format!("{alias} is no alias"))?;
        let path = format!("v3/join/{}?via={}", encode(room_id), encode(server_name));
        let body = self.call(Method::POST, &path, Some(&json!({}))).await?;
        body.success("joining").map(drop)
    }

    /// Invites; of somebody who knocks, this is Element's *Approve*. The reply tells whether it was the first.
    pub async fn invite(&self, room_id: &str, user_id: &str) -> Result<Reply> {
        self.member_action(room_id, "invite", json!({ "user_id": user_id }))
            .await
    }

    /// Removes; of somebody who knocks, this is Element's *Deny*.
    pub async fn kick(&self, room_id: &str, user_id: &str) -> Result<Reply> {
        self.member_action(room_id, "kick", json!({ "user_id": user_id }))
            .await
    }

    /// Leaves a room, or withdraws a knock.
    pub async fn leave(&self, room_id: &str) -> Result<()> {
        self.member_action(room_id, "leave", json!({}))
            .await?
            .success("leaving")
            .map(drop)
    }

    /// Takes an event's content back.
    pub async fn redact(&self, room_id: &str, event_id: &str) -> Result<String> {
        let transaction = self.next_transaction();
        let path = format!(
            "v3/rooms/{}/redact/{}/{transaction}",
            encode(room_id),
            encode(event_id)
        );
        let body = self
            .call(Method::PUT, &path, Some(&json!({})))
            .await?
            .success("redacting")?;
        text(&body, "event_id")
    }

    /// Says that the user types, or no longer does.
    pub async fn typing(&self, room_id: &str, typing: bool) -> Result<()> {
        let path = format!(
            "v3/rooms/{}/typing/{}",
            encode(room_id),
            encode(self.user_id())
        );
        let body = if typing {
            json!({ "typing": true, "timeout": 30_000 })
        } else {
            json!({ "typing": false })
        };
        self.call(Method::PUT, &path, Some(&body))
            .await?
            .success("typing")
            .map(drop)
    }

    /// Says that the user has read up to an event.
    pub async fn read(&self, room_id: &str, event_id: &str) -> Result<()> {
        let path = format!(
            "v3/rooms/{}/receipt/m.read/{}",
            encode(room_id),
            encode(event_id)
        );
        self.call(Method::POST, &path, Some(&json!({})))
            .await?
            .success("marking as read")
            .map(drop)
    }

    /// Stores a file; returns its `mxc://` address.
    pub async fn upload(&self, name: &str, content_type: &str, content: Vec<u8>) -> Result<String> {
        let url = format!(
            "{}/_matrix/media/v3/upload?filename={}",
            self.url,
            encode(name)
        );
        let request = self
            .http
            .post(url)
            .bearer_auth(self.access_token())
            .header("content-type", content_type);
        let body = reply(request.body(content).send().await?)
            .await?
            .success("uploading")?;
        text(&body, "content_uri")
    }

    /// A stored file.
    pub async fn download(&self, mxc: &str) -> Result<Vec<u8>> {
        let place = mxc
            .strip_prefix("mxc://")
            .with_context(|| format!("{mxc} is no mxc address"))?;
        let url = format!("{}/_matrix/client/v1/media/download/{place}", self.url);
        let response = self
            .http
            .get(url)
            .bearer_auth(self.access_token())
            .send()
            .await?
            .error_for_status()?;
        Ok(response.bytes().await?.to_vec())
    }

    async fn member_action(&self, room_id: &str, action: &str, body: Value) -> Result<Reply> {
        self.call(
            Method::POST,
            &format!("v3/rooms/{}/{action}", encode(room_id)),
            Some(&body),
        )
        .await
    }

    async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await?.success(path)
    }

    fn next_transaction(&self) -> String {
        format!("t{}", self.transactions.fetch_add(1, Ordering::Relaxed))
    }
}

async fn reply(response: reqwest::Response) -> Result<Reply> {
    let status = response.status();
    let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
    Ok(Reply { status, body })
}

fn state_path(room_id: &str, event_type: &str, key: &str) -> String {
    format!(
        "v3/rooms/{}/state/{}/{}",
        encode(room_id),
        encode(event_type),
        encode(key)
    )
}

fn list(value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(items) => Ok(items),
        other => bail!("no list: {other}"),
    }
}

fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()
}
