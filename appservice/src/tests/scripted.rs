//! A homeserver that gives the answers it was told to give, in order.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Matrix, MatrixConfig, client::Timeouts};

#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// This status and body.
    Whole(u16, String),
    /// Nothing, for longer than anybody waits.
    Stall,
    /// A body that ends before it is complete.
    BreakOff,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::Whole(status, body.to_string())
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self::Whole(status, body.to_owned())
    }

    async fn give(self) -> Response {
        match self {
            Self::Whole(status, body) => {
                let status = StatusCode::from_u16(status).expect("a status");
                (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
            Self::Stall => std::future::pending().await,
            Self::BreakOff => {
                let broken = futures_util::stream::iter([
                    Ok(Bytes::from_static(b"{\"event_id\":")),
                    Err(std::io::Error::other("gone")),
                ]);
                Body::from_stream(broken).into_response()
            }
        }
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    rest: Option<Answer>,
    asked: Vec<(String, Option<String>, Value)>,
}

type Shared = Arc<Mutex<Script>>;

pub(super) struct Homeserver {
    script: Shared,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Homeserver {
    pub(super) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Shared::default();
        lock(&script).answers.extend(answers);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(answer).with_state(script.clone());
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serves");
        });
        Self {
            script,
            address,
            server,
        }
    }

    /// What is answered when the script is at its end; otherwise that is 500.
    pub(super) fn then_always(&self, answer: Answer) {
        lock(&self.script).rest = Some(answer);
    }

    pub(super) async fn stop(&self) {
        self.server.abort();
        while !self.server.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn matrix(&self) -> Matrix {
        self.matrix_with(None)
    }

    pub(super) fn matrix_that_purges(&self) -> Matrix {
        self.matrix_with(Some("deletion-token".to_owned()))
    }

    fn matrix_with(&self, deletion_token: Option<String>) -> Matrix {
        Matrix::new(MatrixConfig {
            homeserver: format!("http://{}", self.address)
                .parse()
                .expect("an address"),
            server_name: "city.example".try_into().expect("a server name"),
            appservice_id: "vorzimmer".to_owned(),
            as_token: "as-token".to_owned(),
            sender_localpart: "vorzimmer".to_owned(),
            deletion_token,
            timeouts: Timeouts {
                connect: Duration::from_secs(1),
                request: Duration::from_secs(1),
            },
        })
        .expect("a client")
    }

    /// Method and path of each request so far.
    pub(super) fn asked(&self) -> Vec<String> {
        lock(&self.script)
            .asked
            .iter()
            .map(|(line, _, _)| line.clone())
            .collect()
    }

    pub(super) fn bodies(&self) -> Vec<Value> {
        lock(&self.script)
            .asked
            .iter()
            .map(|(_, _, body)| body.clone())
            .collect()
    }

    pub(super) fn every_request_had_the_token(&self) -> bool {
        lock(&self.script)
            .asked
            .iter()
            .all(|(_, token, _)| token.as_deref() == Some("Bearer as-token"))
    }
}

impl Drop for Homeserver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(script): State<Shared>,
    method: Method,
    uri: Uri,
    headers: header::HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok().map(str::to_owned));
    let answer = {
        let mut script = lock(&script);
        let body = serde_json::from_slice(&body).unwrap_or_default();
        script.asked.push((format!("{method} {uri}"), token, body));
        script
            .answers
            .pop_front()
            .or_else(|| script.rest.clone())
            .unwrap_or_else(|| Answer::text(500, "the script is at its end"))
    };
    answer.give().await
}

fn lock(script: &Shared) -> std::sync::MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}
