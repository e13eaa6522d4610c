//! Deletion, the one thing that needs a server admin (Synapse's admin API). The credential is its own, so
//! that the application service itself can never log in as anybody.

use bridge::ids::MatrixUser;
use ruma::{OwnedMxcUri, RoomId};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Matrix, MatrixError};

/// More than this of an admin answer is not read.
const ANSWER_LIMIT: usize = 8 << 20;

/// How far a room's deletion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionStatus {
    /// At work.
    Running,
    /// Done.
    Complete,
    /// Given up by the homeserver; ask again to start anew.
    Failed,
}

#[derive(Deserialize)]
struct Attempts {
    results: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Attempt {
    status: String,
}

impl Attempts {
    /// Earlier attempts may stand beside the one at work.
    fn status(&self) -> Option<DeletionStatus> {
        if self.results.is_empty() {
            return None;
        }
        let is = |status: &str| self.results.iter().any(|attempt| attempt.status == status);
        let finished = |attempt: &Attempt| matches!(attempt.status.as_str(), "complete" | "failed");
        Some(if !self.results.iter().all(finished) {
            DeletionStatus::Running
        } else if is("failed") && !is("complete") {
            DeletionStatus::Failed
        } else {
            DeletionStatus::Complete
        })
    }
}

#[derive(Deserialize)]
struct RoomMedia {
    #[serde(default)]
    local: Vec<OwnedMxcUri>,
}

impl Matrix {
    /// Starts removing every row of a room (`purge`). Refused with 400 when the homeserver is at it
    /// already. Needs [`Matrix::can_purge`].
    pub async fn delete_room(&self, room: &RoomId) -> Result<(), MatrixError> {
        self.admin(
            reqwest::Method::DELETE,
            "/_synapse/admin/v2/rooms/{room}",
            &["_synapse", "admin", "v2", "rooms", room.as_str()],
            Some(json!({ "purge": true })),
        )
        .await
        .map(drop)
    }

    /// How far a room's deletion is; `None` when the homeserver knows of none. It forgets finished ones
    /// after a day.
    pub async fn deletion(&self, room: &RoomId) -> Result<Option<DeletionStatus>, MatrixError> {
        let answer = self
            .admin(
                reqwest::Method::GET,
                "/_synapse/admin/v2/rooms/{room}/delete_status",
                &[
                    "_synapse",
                    "admin",
                    "v2",
                    "rooms",
                    room.as_str(),
                    "delete_status",
                ],
                None,
            )
            .await;
        let attempts: Attempts = match answer {
            Ok(body) => read(&body)?,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(attempts.status())
    }

    /// Deletes this homeserver's files that a room's (unencrypted) messages refer to. Purging a room
    /// keeps them, so this comes first. Returns how many there were.
    pub async fn delete_room_media(&self, room: &RoomId) -> Result<usize, MatrixError> {
        let answer = self
            .admin(
                reqwest::Method::GET,
                "/_synapse/admin/v1/room/{room}/media",
                &["_synapse", "admin", "v1", "room", room.as_str(), "media"],
                None,
            )
            .await;
        let media: RoomMedia = match answer {
            Ok(body) => read(&body)?,
            Err(error) if error.is_not_found() => return Ok(0),
            Err(error) => return Err(error),
        };
        for file in &media.local {
            let (server, id) = file.parts().map_err(|_| MatrixError::Malformed {
                what: "room media".to_owned(),
            })?;
            let deleted = self
                .admin(
                    reqwest::Method::DELETE,
                    "/_synapse/admin/v1/media/{server}/{media}",
                    &["_synapse", "admin", "v1", "media", server.as_str(), id],
                    None,
                )
                .await;
            match deleted {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(media.local.len())
    }

    /// Whether a user of this homeserver is exempt from its rate limits. Needs [`Matrix::can_purge`].
    pub async fn is_unlimited(&self, user: &MatrixUser) -> Result<bool, MatrixError> {
        let body = self
            .admin(
                reqwest::Method::GET,
                "/_synapse/admin/v1/users/{user}/override_ratelimit",
                &[
                    "_synapse",
                    "admin",
                    "v1",
                    "users",
                    user.as_str(),
                    "override_ratelimit",
                ],
                None,
            )
            .await?;
        let limit: Value = read(&body)?;
        // No override is an empty object; both numbers zero mean no limit.
        Ok(limit["messages_per_second"] == 0 && limit["burst_count"] == 0)
    }

    async fn admin(
        &self,
        method: reqwest::Method,
        endpoint: &'static str,
        path: &[&str],
        body: Option<Value>,
    ) -> Result<Vec<u8>, MatrixError> {
        let token = self
            .config
            .deletion_token
            .as_deref()
            .ok_or(MatrixError::Invalid {
                what: "deletion token",
            })?;
        let mut url: Url = self.config.homeserver.clone();
        url.path_segments_mut()
            .map_err(|()| MatrixError::Invalid {
                what: "homeserver address",
            })?
            .pop_if_empty()
            .extend(path);
        let mut request = self.http.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let request = request
            .build()
            .map_err(|_| MatrixError::Invalid { what: "request" })?;
        let answer = self.exchange(endpoint, request, ANSWER_LIMIT).await?;
        Ok(answer.into_body())
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, MatrixError> {
    serde_json::from_slice(body).map_err(|_| MatrixError::Malformed {
        what: "admin API".to_owned(),
    })
}
