//! LiveKit's `RoomService`: what a server asks of a relay, by Twirp with JSON.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use xtask::relay::Grant;

use super::CallServer;

/// The administrator of one room.
#[derive(Debug)]
pub struct Rooms<'a> {
    server: &'a CallServer,
    room: &'a str,
}

impl<'a> Rooms<'a> {
    pub(super) fn new(server: &'a CallServer, room: &'a str) -> Self {
        Self { server, room }
    }

    /// Makes the room.
    pub async fn create(&self, metadata: &str) -> Result<Value> {
        let body = json!({ "name": self.room, "metadata": metadata });
        self.ask("CreateRoom", Grant::rooms(), body).await
    }

    /// The rooms there are, by name.
    pub async fn names(&self) -> Result<Vec<String>> {
        let answer = self.ask("ListRooms", Grant::rooms(), json!({})).await?;
        Ok(names(&answer["rooms"], "name"))
    }

    /// Ends the room and everybody's stay in it.
    pub async fn delete(&self) -> Result<Value> {
        let body = json!({ "room": self.room });
        self.ask("DeleteRoom", Grant::rooms(), body).await
    }

    /// Who is in the room, by identity.
    pub async fn identities(&self) -> Result<Vec<String>> {
        let answer = self.administer("ListParticipants", json!({})).await?;
        Ok(names(&answer["participants"], "identity"))
    }

    /// Turns somebody out.
    pub async fn remove(&self, identity: &str) -> Result<Value> {
        let body = json!({ "identity": identity });
        self.administer("RemoveParticipant", body).await
    }

    /// Mutes a track of somebody.
    pub async fn mute(&self, identity: &str, track_sid: &str) -> Result<Value> {
        let body = json!({ "identity": identity, "track_sid": track_sid, "muted": true });
        self.administer("MutePublishedTrack", body).await
    }

    /// Changes what is said of somebody.
    pub async fn describe(&self, identity: &str, metadata: &str) -> Result<Value> {
        let body = json!({ "identity": identity, "metadata": metadata });
        self.administer("UpdateParticipant", body).await
    }

    /// Sends a reliable message to those named.
    pub async fn send(&self, to: &[&str], topic: &str, data: &[u8]) -> Result<Value> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let body = json!({
            "data": STANDARD.encode(data),
            "kind": "RELIABLE",
            "topic": topic,
            "destination_identities": to,
        });
        self.administer("SendData", body).await
    }

    async fn administer(&self, method: &str, mut body: Value) -> Result<Value> {
        body["room"] = json!(self.room);
        self.ask(method, Grant::admin(self.room), body).await
    }

    async fn ask(&self, method: &str, grant: Grant, body: Value) -> Result<Value> {
        let (status, answer) = self.server.twirp(method, grant, &body).await?;
        ensure!(status == 200, "{method}: {status} {answer}");
        Ok(answer)
    }
}

impl CallServer {
    /// Asks `RoomService` for anything, with any rights: HTTP status and answer.
    pub async fn twirp(&self, method: &str, grant: Grant, body: &Value) -> Result<(u16, Value)> {
        let response = self
            .http()
            .post(format!(
                "{}/twirp/livekit.RoomService/{method}",
                self.http_url()
            ))
            .bearer_auth(self.sign(grant)?)
            .json(body)
            .send()
            .await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let answer = serde_json::from_str(&text)
            .with_context(|| format!("{method}: {status}, not JSON: {text}"))?;
        Ok((status, answer))
    }
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().into_iter().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry[field].as_str().map(ToOwned::to_owned))
        .collect();
    names.sort();
    names
}
