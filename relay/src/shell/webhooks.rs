//! Tells others what happens, as LiveKit's server does.

use std::{sync::Arc, time::Duration};

use base64::Engine as _;
use livekit_protocol as proto;
use sha2::{Digest as _, Sha256};
use tokio::{sync::mpsc, task::JoinSet};

use super::clock;
use crate::{config::ApiKey, token};

/// A receiver answers within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How often a receiver that does not answer is tried.
const TRIES: u32 = 3;
/// Events that wait for a receiver before further ones are dropped.
const WAITING: usize = 1_024;

/// Sends events, to every receiver in order, for as long as the relay runs. A receiver that does not answer holds up no
/// other.
pub(crate) async fn deliver(
    mut events: mpsc::Receiver<Box<proto::WebhookEvent>>,
    receivers: Vec<String>,
    keys: Arc<[ApiKey]>,
    client: reqwest::Client,
) {
    // They end with this task.
    let mut tasks = JoinSet::new();
    let mut queues = Vec::new();
    if let Some(key) = keys.first() {
        for url in receivers {
            let (queue, bodies) = mpsc::channel(WAITING);
            queues.push(queue);
            let receiver = Receiver {
                url,
                key: key.clone(),
                client: client.clone(),
            };
            tasks.spawn(receiver.serve(bodies));
        }
    }
    while let Some(event) = events.recv().await {
        let Ok(body) = serde_json::to_vec(&event) else {
            continue;
        };
        let body = bytes::Bytes::from(body);
        for queue in &queues {
            if queue.try_send(body.clone()).is_err() {
                metrics::counter!("relay_webhooks_dropped_total").increment(1);
            }
        }
    }
}

/// Whom events are told.
struct Receiver {
    url: String,
    key: ApiKey,
    client: reqwest::Client,
}

impl Receiver {
    async fn serve(self, mut bodies: mpsc::Receiver<bytes::Bytes>) {
        while let Some(body) = bodies.recv().await {
            if !self.tell(body).await {
                metrics::counter!("relay_webhooks_dropped_total").increment(1);
            }
        }
    }

    /// Whether it has taken the event.
    async fn tell(&self, body: bytes::Bytes) -> bool {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(&body));
        for attempt in 0..TRIES {
            let now_s = clock::now().unix_ms / 1000;
            let Ok(token) = token::sign_webhook(&self.key, &hash, now_s) else {
                return false;
            };
            let answer = self
                .client
                .post(&self.url)
                .timeout(ANSWER_WITHIN)
                .header("Authorization", token)
                .header("Content-Type", "application/webhook+json")
                .body(body.clone())
                .send()
                .await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(500 << attempt)).await;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::post};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn who_does_not_answer_holds_up_nobody() {
        // It takes connections and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (heard, mut bodies) = mpsc::unbounded_channel();
        let take = post(async move |body: String| heard.send(body).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let receivers = vec![url(&silent), url(&listener)];
        let serving = axum::serve(listener, Router::new().route("/", take));
        tokio::spawn(serving.into_future());

        let (teller, events) = mpsc::channel(8);
        for number in 0..3 {
            let event = proto::WebhookEvent {
                id: number.to_string(),
                ..proto::WebhookEvent::default()
            };
            teller.send(Box::new(event)).await.unwrap();
        }
        let keys = Arc::from([ApiKey {
            key: "key".to_owned(),
            secret: "a secret that is long enough to be one".to_owned(),
        }]);
        let client = reqwest::Client::builder().build().unwrap();
        let delivering = tokio::spawn(deliver(events, receivers, keys, client));
        // Before the other has been given up even once.
        for number in 0..3 {
            let body = tokio::time::timeout(ANSWER_WITHIN, bodies.recv()).await;
            let body = body.unwrap().unwrap();
            assert!(body.contains(&format!("\"id\":\"{number}\"")), "{body}");
        }
        delivering.abort();
    }
}
