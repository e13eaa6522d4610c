//! What a call needs of a homeserver and the stable specification does not have yet: delayed events (MSC4140), sticky
//! events (MSC4354), OpenID tokens, and a timeline by types.

use bridge::ids::MatrixUser;
use jiff::SignedDuration;
use reqwest::Method;
use ruma::{OwnedEventId, RoomId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{As, Matrix, MatrixError};

/// Answers of these endpoints are small, timelines apart.
const ANSWER: usize = 4 << 20;
/// Events of a timeline that are looked through.
const LOOK_BACK: &str = "100";

/// An event that the homeserver will send by itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DelayedEvent {
    /// Whoever has it can restart or cancel the event.
    pub delay_id: String,
    /// Where it will be sent.
    pub room_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
}

/// Proves to others who a user is (Client-Server API, OpenID).
#[derive(Clone, Deserialize)]
pub struct OpenIdToken {
    /// The secret.
    pub access_token: String,
    /// Where it is checked.
    pub matrix_server_name: String,
    /// `Bearer`.
    pub token_type: String,
    /// In seconds.
    pub expires_in: u64,
}

/// What is done with a delayed event.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    Restart,
    Cancel,
    Send,
}

/// One request without a type of its own.
struct Plain<'a> {
    /// For metrics.
    endpoint: &'static str,
    method: Method,
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    body: Option<&'a Value>,
}

impl Matrix {
    /// Restarts the time of a delayed event; whether it was still waiting.
    pub async fn restart_delayed(
        &self,
        ghost: &MatrixUser,
        delay_id: &str,
    ) -> Result<bool, MatrixError> {
        self.act_on_delayed(ghost, delay_id, Action::Restart).await
    }

    /// Restarts the time of a delayed event that its user has handed over; whether it was still waiting.
    pub async fn restart_delegated(&self, delay_id: &str) -> Result<bool, MatrixError> {
        self.act(As::Bot, delay_id, Action::Restart).await
    }

    /// Has a delayed event sent at once that its user has handed over; whether it was still waiting.
    pub async fn send_delegated(&self, delay_id: &str) -> Result<bool, MatrixError> {
        self.act(As::Bot, delay_id, Action::Send).await
    }

    pub(crate) async fn act_on_delayed(
        &self,
        ghost: &MatrixUser,
        delay_id: &str,
        action: Action,
    ) -> Result<bool, MatrixError> {
        self.act(As::Ghost(ghost), delay_id, action).await
    }

    /// Whoever knows the id may act, whose event it is notwithstanding (MSC4140).
    async fn act(&self, who: As<'_>, delay_id: &str, action: Action) -> Result<bool, MatrixError> {
        let action = match action {
            Action::Restart => "restart",
            Action::Cancel => "cancel",
            Action::Send => "send",
        };
        let acted = self
            .plain(
                who,
                Plain {
                    endpoint: "/_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delay_id}",
                    method: Method::POST,
                    path: &["unstable", "org.matrix.msc4140", "delayed_events", delay_id],
                    query: &[],
                    body: Some(&json!({ "action": action })),
                },
            )
            .await;
        match acted {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the homeserver will send by itself for the ghost.
    pub(crate) async fn delayed_events(
        &self,
        ghost: &MatrixUser,
    ) -> Result<Vec<DelayedEvent>, MatrixError> {
        let answer = self
            .plain(
                As::Ghost(ghost),
                Plain {
                    endpoint: "/_matrix/client/unstable/org.matrix.msc4140/delayed_events",
                    method: Method::GET,
                    path: &["unstable", "org.matrix.msc4140", "delayed_events"],
                    query: &[],
                    body: None,
                },
            )
            .await?;
        let events = answer["delayed_events"].as_array();
        Ok(events
            .into_iter()
            .flatten()
            .filter_map(|event| DelayedEvent::deserialize(event).ok())
            .collect())
    }

    /// Lets the homeserver write state later, unless it is restarted or cancelled before.
    pub(crate) async fn put_state_later(
        &self,
        ghost: &MatrixUser,
        room: &RoomId,
        (event_type, state_key): (&str, &str),
        content: &Value,
        after: SignedDuration,
    ) -> Result<String, MatrixError> {
        let delay = after.as_millis().to_string();
        let answer = self
            .plain(
                As::Ghost(ghost),
                Plain {
                    endpoint: "/_matrix/client/v3/rooms/{room_id}/state/{type}/{key}",
                    method: Method::PUT,
                    path: &["v3", "rooms", room.as_str(), "state", event_type, state_key],
                    query: &[("org.matrix.msc4140.delay", &delay)],
                    body: Some(content),
                },
            )
            .await?;
        text(&answer, "delay_id")
    }

    /// Sends a sticky event, at once or `after` a time; its event id or delay id.
    pub(crate) async fn send_sticky(
        &self,
        ghost: &MatrixUser,
        room: &RoomId,
        (event_type, txn): (&str, &str),
        content: &Value,
        (sticks, after): (SignedDuration, Option<SignedDuration>),
    ) -> Result<String, MatrixError> {
        let sticks = sticks.as_millis().to_string();
        let after = after.map(|after| after.as_millis().to_string());
        let mut query = vec![("org.matrix.msc4354.sticky_duration_ms", sticks.as_str())];
        query.extend(
            after
                .as_deref()
                .map(|after| ("org.matrix.msc4140.delay", after)),
        );
        let answer = self
            .plain(
                As::Ghost(ghost),
                Plain {
                    endpoint: "/_matrix/client/v3/rooms/{room_id}/send/{type}/{txn}",
                    method: Method::PUT,
                    path: &["v3", "rooms", room.as_str(), "send", event_type, txn],
                    query: &query,
                    body: Some(content),
                },
            )
            .await?;
        text(
            &answer,
            if after.is_some() {
                "delay_id"
            } else {
                "event_id"
            },
        )
    }

    /// Sends an event of any type as a ghost.
    pub(crate) async fn send_event(
        &self,
        ghost: &MatrixUser,
        room: &RoomId,
        (event_type, txn): (&str, &str),
        content: &Value,
    ) -> Result<OwnedEventId, MatrixError> {
        let answer = self
            .plain(
                As::Ghost(ghost),
                Plain {
                    endpoint: "/_matrix/client/v3/rooms/{room_id}/send/{type}/{txn}",
                    method: Method::PUT,
                    path: &["v3", "rooms", room.as_str(), "send", event_type, txn],
                    query: &[],
                    body: Some(content),
                },
            )
            .await?;
        text(&answer, "event_id")?
            .try_into()
            .map_err(|_| malformed("send"))
    }

    /// The newest events of this type in a room's timeline, as the bot sees it; the newest first.
    pub async fn newest_of_type(
        &self,
        room: &RoomId,
        event_type: &str,
    ) -> Result<Vec<Value>, MatrixError> {
        let filter = json!({ "types": [event_type] }).to_string();
        let mut answer = self
            .plain(
                As::Bot,
                Plain {
                    endpoint: "/_matrix/client/v3/rooms/{room_id}/messages",
                    method: Method::GET,
                    path: &["v3", "rooms", room.as_str(), "messages"],
                    query: &[("dir", "b"), ("limit", LOOK_BACK), ("filter", &filter)],
                    body: None,
                },
            )
            .await?;
        match answer["chunk"].take() {
            Value::Array(events) => Ok(events),
            _ => Err(malformed("messages")),
        }
    }

    /// A token by which a ghost proves to a stranger who it is.
    pub async fn openid_token(&self, ghost: &MatrixUser) -> Result<OpenIdToken, MatrixError> {
        let answer = self
            .plain(
                As::Ghost(ghost),
                Plain {
                    endpoint: "/_matrix/client/v3/user/{user_id}/openid/request_token",
                    method: Method::POST,
                    path: &["v3", "user", ghost.as_str(), "openid", "request_token"],
                    query: &[],
                    body: Some(&json!({})),
                },
            )
            .await?;
        OpenIdToken::deserialize(&answer).map_err(|_| malformed("request_token"))
    }

    /// Whose OpenID token this is, as this homeserver says; `None` when it is nobody's.
    pub async fn openid_subject(&self, token: &str) -> Result<Option<MatrixUser>, MatrixError> {
        const ENDPOINT: &str = "/_matrix/federation/v1/openid/userinfo";
        let mut url = self.config.homeserver.clone();
        url.path_segments_mut()
            .map_err(|()| MatrixError::Invalid { what: "homeserver" })?
            .pop_if_empty()
            .extend(ENDPOINT[1..].split('/'));
        url.query_pairs_mut().append_pair("access_token", token);
        let request = reqwest::Request::new(Method::GET, url);
        let answer = match self.exchange(ENDPOINT, request, ANSWER).await {
            Err(MatrixError::Refused { status: 401, .. }) => return Ok(None),
            other => other?,
        };
        let answer: Value =
            serde_json::from_slice(answer.body()).map_err(|_| malformed(ENDPOINT))?;
        Ok(answer["sub"].as_str().and_then(|user| user.parse().ok()))
    }

    /// Where this homeserver's users are told to send their calls (MSC4143, MSC4519); empty when nobody is told.
    pub async fn rtc_transports(&self) -> Result<Vec<Value>, MatrixError> {
        let mut answer = match self
            .plain(
                As::Bot,
                Plain {
                    endpoint: "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports",
                    method: Method::GET,
                    path: &["unstable", "org.matrix.msc4143", "rtc", "transports"],
                    query: &[],
                    body: None,
                },
            )
            .await
        {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            other => other?,
        };
        match answer["rtc_transports"].take() {
            Value::Array(transports) => Ok(transports),
            _ => Ok(Vec::new()),
        }
    }

    async fn plain(&self, actor: As<'_>, plain: Plain<'_>) -> Result<Value, MatrixError> {
        let mut url = self.config.homeserver.clone();
        url.path_segments_mut()
            .map_err(|()| MatrixError::Invalid { what: "homeserver" })?
            .pop_if_empty()
            .extend(["_matrix", "client"])
            .extend(plain.path);
        if let As::Ghost(ghost) = actor {
            url.query_pairs_mut().append_pair("user_id", ghost.as_str());
        }
        if !plain.query.is_empty() {
            url.query_pairs_mut().extend_pairs(plain.query);
        }
        let request = self
            .http
            .request(plain.method, url)
            .bearer_auth(&self.config.as_token);
        let request = match plain.body {
            Some(body) => request.json(body),
            None => request,
        };
        let request = request
            .build()
            .map_err(|_| MatrixError::Invalid { what: "request" })?;
        let answer = self.exchange(plain.endpoint, request, ANSWER).await?;
        serde_json::from_slice(answer.body()).map_err(|_| malformed(plain.endpoint))
    }
}

fn text(answer: &Value, field: &'static str) -> Result<String, MatrixError> {
    answer[field]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| malformed(field))
}

fn malformed(what: &str) -> MatrixError {
    MatrixError::Malformed {
        what: what.to_owned(),
    }
}
