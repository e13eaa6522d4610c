//! Signalling: protobuf messages over a websocket, version 0 of LiveKit's protocol (two peer connections).

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use livekit_protocol::{
    SignalRequest, SignalResponse, signal_request::Message as Request,
    signal_response::Message as Response,
};
use prost::Message as _;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// An open signalling connection.
#[derive(Debug)]
pub(crate) struct Signal(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Signal {
    /// `url` as `ws://127.0.0.1:7880`.
    pub(crate) async fn open(url: &str, token: &str, subscribes: bool) -> Result<Self> {
        let url = format!(
            "{url}/rtc?access_token={token}&auto_subscribe={}&sdk=rust&version=1.0.0&protocol=15",
            u8::from(subscribes)
        );
        let (socket, _) = connect_async(&url).await.context("cannot join")?;
        Ok(Self(socket))
    }

    pub(crate) async fn send(&mut self, request: Request) -> Result<()> {
        let message = SignalRequest {
            message: Some(request),
        };
        let bytes = message.encode_to_vec();
        Ok(self.0.send(Message::Binary(bytes.into())).await?)
    }

    /// The next message. Safe to be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Response> {
        loop {
            let message = self.0.next().await.context("signalling ended")??;
            match message {
                Message::Binary(bytes) => {
                    if let Some(response) = SignalResponse::decode(bytes)?.message {
                        return Ok(response);
                    }
                }
                Message::Close(reason) => bail!("signalling was closed: {reason:?}"),
                _ => {}
            }
        }
    }
}
