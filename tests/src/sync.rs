//! Following what a user gets to see.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::time::timeout;

use crate::{client::Client, wait::PATIENCE};

/// How long the homeserver may keep one request open.
const LONG_POLL: Duration = Duration::from_secs(10);

/// One answer of `/sync`.
#[derive(Debug, Clone)]
pub struct Sync(Value);

impl Sync {
    /// The whole answer.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// New events of a joined room, state events among them.
    pub fn timeline(&self, room_id: &str) -> impl Iterator<Item = &Value> {
        events(&self.0["rooms"]["join"][room_id]["timeline"])
    }

    /// State of a joined room that is not in its timeline. Empty in answers that follow without a gap.
    pub fn state(&self, room_id: &str) -> impl Iterator<Item = &Value> {
        events(&self.0["rooms"]["join"][room_id]["state"])
    }

    /// What passes in a joined room and is not kept: who types.
    pub fn ephemeral(&self, room_id: &str) -> impl Iterator<Item = &Value> {
        events(&self.0["rooms"]["join"][room_id]["ephemeral"])
    }

    /// What an invited user gets to see of a room; `None` without an invitation.
    #[must_use]
    pub fn invite_state(&self, room_id: &str) -> Option<Vec<&Value>> {
        let room = self.0["rooms"]["invite"].get(room_id)?;
        Some(events(&room["invite_state"]).collect())
    }

    /// What somebody who knocks gets to see of a room; `None` without a knock.
    #[must_use]
    pub fn knock_state(&self, room_id: &str) -> Option<Vec<&Value>> {
        let room = self.0["rooms"]["knock"].get(room_id)?;
        Some(events(&room["knock_state"]).collect())
    }

    /// Ids of joined rooms that appear in this answer.
    pub fn joined_rooms(&self) -> impl Iterator<Item = &str> {
        self.0["rooms"]["join"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(room_id, _)| room_id.as_str())
    }

    /// The membership event of `user_id` with this membership, if it is new in the room.
    #[must_use]
    pub fn membership(&self, room_id: &str, user_id: &str, membership: &str) -> Option<&Value> {
        self.timeline(room_id).find(|event| {
            event["type"] == "m.room.member"
                && event["state_key"] == user_id
                && event["content"]["membership"] == membership
        })
    }
}

fn events(part: &Value) -> impl Iterator<Item = &Value> {
    part["events"].as_array().into_iter().flatten()
}

/// A user's view from one answer to the next. The first answer is the whole of what there is; nothing is missed
/// between the answers.
#[derive(Debug)]
pub struct Syncing {
    client: Client,
    since: Option<String>,
}

impl Syncing {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            since: None,
        }
    }

    /// The next answer; without news it comes after ten seconds.
    pub async fn next(&mut self) -> Result<Sync> {
        let answer = self.client.sync(self.since.as_deref(), LONG_POLL).await?;
        let next = answer["next_batch"]
            .as_str()
            .context("a sync without next_batch")?;
        self.since = Some(next.to_owned());
        Ok(Sync(answer))
    }

    /// Follows until `found` finds what it looks for. `what` names it in the error of the one who waits in vain.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&Sync) -> Option<T>,
    ) -> Result<T> {
        let user_id = self.client.user_id().to_owned();
        let follow = async {
            loop {
                if let Some(value) = found(&self.next().await?) {
                    return Ok(value);
                }
            }
        };
        match timeout(PATIENCE, follow).await {
            Ok(result) => result,
            Err(_) => bail!("{user_id} has waited {} s for {what}", PATIENCE.as_secs()),
        }
    }
}
