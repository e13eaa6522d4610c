//! A tap on clients' signalling: what they and the relay say to each other on its way, and the means to cut it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use livekit_protocol::{
    SignalRequest, SignalResponse, signal_request::Message as Request,
    signal_response::Message as Response,
};
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::wait::eventually;

const CHUNK: usize = 16 * 1024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Passes connections on to a relay, and notes what is said on them.
#[derive(Debug)]
pub struct Tap {
    url: String,
    cuts: watch::Sender<u32>,
    said: Arc<Said>,
    keeper: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Said {
    requests: Mutex<Vec<Request>>,
    responses: Mutex<Vec<Response>>,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Tap {
    /// To the relay at `ws://…`.
    pub async fn to(relay: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("ws://{}", listener.local_addr()?);
        let (cuts, cut) = watch::channel(0);
        let said = Arc::new(Said::default());
        let (noted, relay) = (Arc::clone(&said), relay.replacen("ws://", "", 1));
        let keeper = tokio::spawn(async move {
            let mut carrying = JoinSet::new();
            loop {
                let Ok((client, _)) = listener.accept().await else {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let (said, relay, mut cut) = (Arc::clone(&noted), relay.clone(), cut.clone());
                cut.mark_unchanged();
                carrying.spawn(carry(client, relay, cut, said));
            }
        });
        Ok(Self {
            url,
            cuts,
            said,
            keeper,
        })
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends every connection. New ones come through: a client whose first try to come back fails joins anew.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// What clients have said so far that is `wanted`.
    pub fn requests<T>(&self, wanted: impl FnMut(&Request) -> Option<T>) -> Vec<T> {
        let requests = self.said.requests.lock();
        let requests = requests.unwrap_or_else(PoisonError::into_inner);
        requests.iter().filter_map(wanted).collect()
    }

    /// What the relay has said so far that is `wanted`.
    pub fn responses<T>(&self, wanted: impl FnMut(&Response) -> Option<T>) -> Vec<T> {
        let responses = self.said.responses.lock();
        let responses = responses.unwrap_or_else(PoisonError::into_inner);
        responses.iter().filter_map(wanted).collect()
    }

    /// Waits until the relay says something that is `wanted`, or has said it already.
    pub async fn hears<T>(&self, what: &str, wanted: impl Fn(&Response) -> Option<T>) -> Result<T> {
        let found = eventually(what, async || {
            Ok(self.responses(&wanted).into_iter().next())
        });
        found.await.context("at the tap on signalling")
    }
}

async fn carry(client: TcpStream, relay: String, mut cut: watch::Receiver<u32>, said: Arc<Said>) {
    let Ok(relay) = TcpStream::connect(relay).await else {
        return;
    };
    let ((from_client, to_client), (from_relay, to_relay)) =
        (client.into_split(), relay.into_split());
    let requests = |octets: &[u8]| {
        let request = SignalRequest::decode(octets).ok();
        note(&said.requests, request.and_then(|request| request.message));
    };
    let responses = |octets: &[u8]| {
        let response = SignalResponse::decode(octets).ok();
        note(
            &said.responses,
            response.and_then(|response| response.message),
        );
    };
    tokio::select! {
        _ = pass(from_client, to_relay, requests) => {}
        _ = pass(from_relay, to_client, responses) => {}
        _ = cut.changed() => {}
    }
}

fn note<T>(list: &Mutex<Vec<T>>, message: Option<T>) {
    list.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(message);
}

/// Carries one direction to its end, and notes its binary messages.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut note: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    let mut frames = Frames::default();
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = from.read(&mut chunk).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        // Noted before it arrives, so that whoever sees what comes of it finds it noted.
        frames.take(&chunk[..count], &mut note);
        to.write_all(&chunk[..count]).await?;
    }
}

/// The frames of one direction of a websocket (RFC 6455 §5.2), after the head of HTTP.
#[derive(Default)]
struct Frames {
    waiting: Vec<u8>,
    begun: bool,
    message: Vec<u8>,
}

impl Frames {
    fn take(&mut self, octets: &[u8], note: &mut impl FnMut(&[u8])) {
        self.waiting.extend_from_slice(octets);
        if !self.begun {
            let Some(end) = self.waiting.windows(4).position(|four| four == b"\r\n\r\n") else {
                return;
            };
            self.waiting.drain(..end + 4);
            self.begun = true;
        }
        while let Some((first, payload, length)) = frame(&self.waiting) {
            self.waiting.drain(..length);
            // Continued and binary; nobody here speaks by text or sends pings in between.
            if matches!(first & 0x0f, 0 | 2) {
                self.message.extend(payload);
                if first & 0x80 != 0 {
                    note(&std::mem::take(&mut self.message));
                }
            }
        }
    }
}

/// The first octet of a frame, its payload without the mask, and its length in all; `None` when more is to come.
fn frame(octets: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let [first, second, ..] = *octets else {
        return None;
    };
    let (length, mut at) = match second & 0x7f {
        126 => (
            u64::from(u16::from_be_bytes(octets.get(2..4)?.try_into().ok()?)),
            4,
        ),
        127 => (u64::from_be_bytes(octets.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let mask: [u8; 4] = if second & 0x80 == 0 {
        [0; 4]
    } else {
        at += 4;
        octets.get(at - 4..at)?.try_into().ok()?
    };
    let end = at + usize::try_from(length).ok()?;
    let payload = octets.get(at..end)?.iter().zip(mask.iter().cycle());
    Some((
        first,
        payload.map(|(octet, mask)| octet ^ mask).collect(),
        end,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_they_come() {
        let mut octets = b"GET / HTTP/1.1\r\n\r\n".to_vec();
        octets.extend([0x82, 0x83, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2, b'c' ^ 3]);
        octets.extend([0x89, 0]);
        octets.extend([0x02, 1, b'd', 0x80, 126, 0, 200]);
        octets.extend([b'e'; 200]);
        for step in [1, 7, octets.len()] {
            let (mut frames, mut noted) = (Frames::default(), Vec::new());
            for chunk in octets.chunks(step) {
                frames.take(chunk, &mut |message: &[u8]| noted.push(message.to_vec()));
            }
            let second = [&b"d"[..], &[b'e'; 200]].concat();
            assert_eq!(noted, [b"abc".to_vec(), second], "in steps of {step}");
        }
    }
}
