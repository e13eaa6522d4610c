//! A client's signalling connection, spoken by hand: what a real client neither says nor lets one see.

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use livekit_protocol::{
    SignalRequest, SignalResponse, signal_request::Message as Request,
    signal_response::Message as Response,
};
use prost::Message as _;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message},
};

use super::{CallServer, Grant};
use crate::wait::PATIENCE;

/// An open signalling connection of the older protocol (`/rtc`).
#[derive(Debug)]
pub struct Signals {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Whether its messages are JSON.
    json: bool,
}

impl Signals {
    /// Joins a room as somebody.
    pub async fn join(server: &CallServer, room: &str, identity: &str) -> Result<Self> {
        let token = server.sign(Grant::join(room, identity))?;
        Self::open(server, &token, "").await
    }

    /// With that token, and more of the address's parameters.
    pub async fn open(server: &CallServer, token: &str, more: &str) -> Result<Self> {
        let url = format!(
            "{}/rtc?access_token={token}&sdk=js&version=2.0.0&protocol=15{more}",
            server.url()
        );
        let (socket, _) = connect_async(&url).await.context("cannot join")?;
        Ok(Self {
            socket,
            json: false,
        })
    }

    /// Speaks JSON from now on.
    pub fn speak_json(&mut self) {
        self.json = true;
    }

    /// Says something.
    pub async fn say(&mut self, request: Request) -> Result<()> {
        let request = SignalRequest {
            message: Some(request),
        };
        let message = if self.json {
            Message::text(serde_json::to_string(&request)?)
        } else {
            Message::binary(request.encode_to_vec())
        };
        self.send(message).await
    }

    /// Sends any octets as a message.
    pub async fn send_octets(&mut self, octets: &[u8]) -> Result<()> {
        self.send(Message::binary(octets.to_vec())).await
    }

    /// Sends any text as a message.
    pub async fn send_text(&mut self, text: &str) -> Result<()> {
        self.send(Message::text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<()> {
        Ok(self.socket.send(message).await?)
    }

    /// Waits for an answer that is `wanted`.
    pub async fn hears<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(Response) -> Option<T>,
    ) -> Result<T> {
        let listening = async {
            loop {
                let Some(message) = self.next().await? else {
                    bail!("the relay ended the connection");
                };
                if let Some(found) = wanted(message) {
                    return Ok(found);
                }
            }
        };
        let heard = timeout(PATIENCE, listening).await;
        heard.with_context(|| format!("waited in vain for {what}"))?
    }

    /// Waits until the relay ends the connection.
    pub async fn ends(&mut self) -> Result<()> {
        let ending = async {
            while self.next().await?.is_some() {}
            anyhow::Ok(())
        };
        let ended = timeout(PATIENCE, ending).await;
        ended.context("waited in vain for the end of signalling")?
    }

    async fn next(&mut self) -> Result<Option<Response>> {
        loop {
            let message = match self.socket.next().await {
                None | Some(Err(Error::ConnectionClosed | Error::Protocol(_) | Error::Io(_))) => {
                    return Ok(None);
                }
                Some(message) => message?,
            };
            let response = match message {
                Message::Binary(octets) => SignalResponse::decode(octets)?,
                Message::Text(text) => {
                    ensure!(self.json, "JSON for who speaks protobuf: {text}");
                    serde_json::from_str(text.as_str())?
                }
                Message::Close(_) => return Ok(None),
                _ => continue,
            };
            if let Some(response) = response.message {
                return Ok(Some(response));
            }
        }
    }
}
