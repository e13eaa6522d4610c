//! A client's websocket: LiveKit's signalling messages in protobuf, or in JSON for clients that send text.

use std::{error::Error as _, time::Duration};

use axum::extract::ws::{Message as Frame, WebSocket};
use livekit_protocol as proto;
use prost::Message as _;
use proto::{signal_request, signal_response};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite;

use super::{
    clock,
    http::State,
    rates::Rate,
    shard::{ShardInput, ToClient},
};
use crate::{
    config::Limits,
    room::{
        Join,
        refusals::{leave, limit_exceeded},
    },
    token::{self, Grants},
};

/// Messages that wait for a slow client before it is let go: several times as many as there are answers to all that one
/// may usually say in ten seconds. They can come before a busy machine gets to sending the first.
const WAITING: usize = 4_096;
/// A client takes a message within this time, or it reads no more. Its window is full then, and what waits in the
/// system for it is what it would need a minute for on a slow line.
const WRITE_WITHIN: Duration = Duration::from_secs(15);
/// A join is answered within this time, or the server is in trouble.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A client gets a fresh token this often; tokens last an hour.
const REFRESH_EVERY: Duration = Duration::from_mins(10);
/// The first one soon, so that a token that was nearly over does not keep a client from coming back.
const FIRST_REFRESH_AFTER: Duration = Duration::from_secs(30);

/// Serves one websocket to its end.
pub(crate) async fn serve(mut socket: WebSocket, state: State, join: Join) {
    let session = state.next_session();
    let mut grants = join.grants.clone();
    let now = clock::now().instant;
    let rate = state.rates.of(&grants.room, &grants.identity, now);
    if !rate.join(state.limits.signals_in_ten_seconds, now) {
        metrics::counter!("relay_signal_floods_total").increment(1);
        // For now: clients try again after a while.
        let leave = leave(proto::DisconnectReason::JoinFailure, true);
        end(socket, &signal_response::Message::Leave(leave), false).await;
        return;
    }
    let shard = state.shards.of_room(&grants.room);
    let (client, mut messages) = mpsc::channel(WAITING);
    let input = ShardInput::Join {
        room: grants.room.clone(),
        session,
        join: Box::new(join),
        client,
    };
    state.shards.tell(shard, input).await;
    match tokio::time::timeout(ANSWER_WITHIN, messages.recv()).await {
        Ok(Some(ToClient::Joined)) => {}
        Ok(Some(ToClient::Message(message, _))) => {
            // Why not, and then the end.
            end(socket, &message, false).await;
            return;
        }
        _ => {
            close(socket).await;
            return;
        }
    }
    let mut json = false;
    let first = tokio::time::Instant::now() + FIRST_REFRESH_AFTER;
    let mut refresh = tokio::time::interval_at(first, REFRESH_EVERY);
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(ToClient::Message(message, _space)) => {
                    if !send(&mut socket, &message, json).await {
                        break;
                    }
                }
                Some(ToClient::Joined) => {}
                Some(ToClient::Grants(changed)) => {
                    grants = *changed;
                    if !send_token(&mut socket, &state, &grants, json).await {
                        break;
                    }
                }
                Some(ToClient::Hangup) | None => {
                    close(socket).await;
                    return;
                }
            },
            frame = socket.recv() => {
                let message = match heard(frame, &rate, &state.limits, &mut json) {
                    Heard::Message(message) => message,
                    Heard::Nothing => continue,
                    // The connection ends, the stay does not: a client that comes back resumes it.
                    Heard::TooMuch(why) => {
                        end(socket, &limit_exceeded(&why), json).await;
                        break;
                    }
                    Heard::End => break,
                };
                let leaves = matches!(*message, signal_request::Message::Leave(_));
                let input = ShardInput::Signal { session, message };
                state.shards.tell(shard, input).await;
                if leaves {
                    close(socket).await;
                    return;
                }
            }
            _ = refresh.tick() => {
                if !send_token(&mut socket, &state, &grants, json).await {
                    break;
                }
            }
        }
    }
    state
        .shards
        .tell(shard, ShardInput::SignalLost { session })
        .await;
}

/// What came of a client.
enum Heard {
    Message(Box<signal_request::Message>),
    /// Nothing that says something.
    Nothing,
    /// More than may be, in words.
    TooMuch(String),
    /// Its last.
    End,
}

/// Reads a frame. From its first text on, a client is spoken to in JSON.
fn heard(
    frame: Option<Result<Frame, axum::Error>>,
    rate: &Rate,
    limits: &Limits,
    json: &mut bool,
) -> Heard {
    let frame = match frame {
        Some(Ok(frame)) => frame,
        Some(Err(fault)) if is_too_long(&fault) => {
            metrics::counter!("relay_signals_too_long_total").increment(1);
            let most = limits.signal_bytes;
            return Heard::TooMuch(format!("a message of more than {most} bytes"));
        }
        _ => return Heard::End,
    };
    let bytes = match &frame {
        Frame::Text(text) => text.len(),
        Frame::Binary(bytes) | Frame::Ping(bytes) | Frame::Pong(bytes) => bytes.len(),
        Frame::Close(_) => return Heard::End,
    };
    let most = limits.signals_in_ten_seconds;
    if !rate.message(bytes, most, clock::now().instant) {
        metrics::counter!("relay_signal_floods_total").increment(1);
        return Heard::TooMuch(format!("more than {most} messages in ten seconds"));
    }
    let request = match &frame {
        Frame::Binary(bytes) => proto::SignalRequest::decode(bytes.as_ref()).ok(),
        Frame::Text(text) => {
            *json = true;
            serde_json::from_str::<proto::SignalRequest>(text.as_str()).ok()
        }
        Frame::Ping(_) | Frame::Pong(_) | Frame::Close(_) => return Heard::Nothing,
    };
    if let Some(message) = request.and_then(|request| request.message) {
        Heard::Message(Box::new(message))
    } else {
        metrics::counter!("relay_signals_unreadable_total").increment(1);
        Heard::Nothing
    }
}

/// Whether a client's message was longer than one may be.
fn is_too_long(fault: &axum::Error) -> bool {
    let cause = fault.source().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}

/// Gives the client a fresh token; whether the client is there.
async fn send_token(socket: &mut WebSocket, state: &State, grants: &Grants, json: bool) -> bool {
    let now_s = clock::now().unix_ms / 1000;
    let fresh = state
        .keys
        .first()
        .and_then(|key| token::refresh(key, grants, now_s).ok());
    match fresh {
        Some(token) => {
            let message = signal_response::Message::RefreshToken(token);
            send(socket, &message, json).await
        }
        None => true,
    }
}

/// Whether a message has gone. A client that does not take it would hold the connection for ever, and its messages.
async fn send(socket: &mut WebSocket, message: &signal_response::Message, json: bool) -> bool {
    let frame = if json {
        let response = proto::SignalResponse {
            message: Some(message.clone()),
        };
        match serde_json::to_string(&response) {
            Ok(text) => Frame::Text(text.into()),
            Err(_) => return false,
        }
    } else {
        // The field of `SignalResponse`, which is all that there is in one.
        let mut bytes = Vec::with_capacity(message.encoded_len());
        message.encode(&mut bytes);
        Frame::Binary(bytes.into())
    };
    in_time(socket.send(frame)).await
}

async fn in_time<E>(sending: impl Future<Output = Result<(), E>>) -> bool {
    let sent = tokio::time::timeout(WRITE_WITHIN, sending).await;
    if sent.is_err() {
        metrics::counter!("relay_signals_untaken_total").increment(1);
    }
    matches!(sent, Ok(Ok(())))
}

/// Says why, and closes. A client that does not take the one is not offered the other.
async fn end(mut socket: WebSocket, why: &signal_response::Message, json: bool) {
    if send(&mut socket, why, json).await {
        close(socket).await;
    }
}

async fn close(mut socket: WebSocket) {
    // The client may be gone already.
    let _ = in_time(socket.send(Frame::Close(None))).await;
}
