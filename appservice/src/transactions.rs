//! The homeserver's side door (Application Service API, "Homeserver -> Application Service API").
//!
//! A transaction is answered with 200 only when the [`Inbox`] has it durably. The homeserver repeats a
//! refused transaction forever and sends nothing else meanwhile, so one event that cannot be read is left
//! out and counted, and only what is no transaction at all is refused.

mod auth;
mod body;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use bridge::ids::MatrixUser;
use ruma::{OwnedEventId, OwnedRoomId};
use serde_json::json;

/// 100 events of 64 kB (as JSON in a transaction, with `unsigned`, somewhat more) and ephemeral data.
const BODY_LIMIT: usize = 16 << 20;

/// What the homeserver delivered. Without the transaction's id: Synapse may use one again for other events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Room events in the homeserver's order.
    pub events: Vec<IncomingEvent>,
    /// What is true at this moment and never stored.
    pub ephemeral: Vec<Ephemeral>,
}

/// One room event as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct IncomingEvent {
    /// Globally unique: the same event may come again in another transaction.
    pub event_id: OwnedEventId,
    /// Where.
    pub room_id: OwnedRoomId,
    /// All of it, for [`crate::event::read`].
    pub json: String,
}

impl std::fmt::Debug for IncomingEvent {
    /// Content never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IncomingEvent")
            .field("event_id", &self.event_id)
            .field("room_id", &self.room_id)
            .finish_non_exhaustive()
    }
}

/// Ephemeral data of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ephemeral {
    /// Who types in the room: all of them, each time.
    Typing {
        /// Where.
        room: OwnedRoomId,
        /// Who; empty when everybody stopped.
        users: Vec<MatrixUser>,
    },
    /// Somebody has read up to an event.
    Receipt {
        /// Where.
        room: OwnedRoomId,
        /// Up to which event.
        event: OwnedEventId,
        /// Who.
        user: MatrixUser,
    },
}

/// Why the inbox did not take a transaction. The homeserver sends it again.
#[derive(Debug, thiserror::Error)]
#[error("the transaction could not be stored")]
pub struct InboxError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where transactions go.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Stores a transaction durably, each event id once; `Ok` means committed.
    async fn receive(&self, transaction: Transaction) -> Result<(), InboxError>;

    /// Whether this ghost exists. Must answer quickly: transactions wait meanwhile.
    async fn user_exists(&self, user: &MatrixUser) -> bool;

    /// Whether this alias of our namespace (`#buero-…:server`) exists. Must answer quickly.
    async fn alias_exists(&self, alias: &str) -> bool;
}

#[derive(Clone)]
struct Door {
    inbox: Arc<dyn Inbox>,
}

/// The endpoints under `/_matrix/app/v1`, open to whoever shows `hs_token` as bearer.
pub fn router(hs_token: &str, inbox: Arc<dyn Inbox>) -> Router {
    let token = auth::HomeserverToken::new(hs_token);
    let endpoints = Router::new()
        .route("/transactions/{txn}", put(transaction))
        .route("/users/{user}", get(user))
        .route("/rooms/{alias}", get(alias))
        .route("/ping", post(ping))
        .fallback(unrecognized)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(token, auth::require))
        .with_state(Door { inbox });
    Router::new().nest("/_matrix/app/v1", endpoints)
}

async fn transaction(
    State(door): State<Door>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return matrix_error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "M_TOO_LARGE",
                "the body is too large",
            );
        }
        Err(_) => return matrix_error(StatusCode::BAD_REQUEST, "M_UNKNOWN", "the body broke off"),
    };
    let (transaction, skipped) = match body::read(&body) {
        Ok(read) => read,
        Err(body::Unreadable::NotJson) => {
            return matrix_error(
                StatusCode::BAD_REQUEST,
                "M_NOT_JSON",
                "the body is not JSON",
            );
        }
        Err(body::Unreadable::BadJson) => {
            return matrix_error(
                StatusCode::BAD_REQUEST,
                "M_BAD_JSON",
                "`events` must be a list",
            );
        }
    };
    if skipped > 0 {
        tracing::warn!(
            skipped,
            "events of a transaction cannot be read and were left out"
        );
        metrics::counter!("vorzimmer_matrix_events_skipped_total").increment(skipped);
    }
    metrics::counter!("vorzimmer_matrix_transactions_total").increment(1);
    let events = transaction.events.len();
    match door.inbox.receive(transaction).await {
        Ok(()) => {
            tracing::debug!(events, "transaction stored");
            Json(json!({})).into_response()
        }
        Err(error) => {
            tracing::error!(error = %error.0, "transaction not stored");
            matrix_error(
                StatusCode::SERVICE_UNAVAILABLE,
                "M_UNKNOWN",
                "the transaction could not be stored; send it again",
            )
        }
    }
}

async fn user(State(door): State<Door>, Path(user): Path<String>) -> Response {
    let known = match user.parse() {
        Ok(user) => door.inbox.user_exists(&user).await,
        Err(_) => false,
    };
    answer_existence(known, "there is no such user")
}

async fn alias(State(door): State<Door>, Path(alias): Path<String>) -> Response {
    answer_existence(
        door.inbox.alias_exists(&alias).await,
        "there is no such room",
    )
}

fn answer_existence(known: bool, error: &str) -> Response {
    if known {
        Json(json!({})).into_response()
    } else {
        matrix_error(StatusCode::NOT_FOUND, "M_NOT_FOUND", error)
    }
}

async fn ping() -> Json<serde_json::Value> {
    Json(json!({}))
}

async fn unrecognized() -> Response {
    matrix_error(
        StatusCode::NOT_FOUND,
        "M_UNRECOGNIZED",
        "there is no such endpoint",
    )
}

async fn wrong_method() -> Response {
    matrix_error(
        StatusCode::METHOD_NOT_ALLOWED,
        "M_UNRECOGNIZED",
        "the endpoint does not know this method",
    )
}

/// An error as the specification words it ("Standard error response").
fn matrix_error(status: StatusCode, errcode: &str, error: &str) -> Response {
    (status, Json(json!({ "errcode": errcode, "error": error }))).into_response()
}
