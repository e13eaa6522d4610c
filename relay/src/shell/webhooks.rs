//! Tells others what happens, as LiveKit's server does.

use std::{sync::Arc, time::Duration};

use base64::Engine as _;
use livekit_protocol as proto;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::clock;
use crate::{config::ApiKey, token};

/// A receiver answers within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How often a receiver that does not answer is tried.
const TRIES: u32 = 3;

/// Sends events, each to every receiver in order, for as long as the relay runs.
pub(crate) async fn deliver(
    mut events: mpsc::Receiver<Box<proto::WebhookEvent>>,
    receivers: Vec<String>,
    keys: Arc<[ApiKey]>,
    client: reqwest::Client,
) {
    while let Some(event) = events.recv().await {
        let Some(key) = keys.first().filter(|_| !receivers.is_empty()) else {
            continue;
        };
        let Ok(body) = serde_json::to_vec(&event) else {
            continue;
        };
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(&body));
        for receiver in &receivers {
            let mut delivered = false;
            for attempt in 0..TRIES {
                let now_s = clock::now().unix_ms / 1000;
                let Ok(token) = token::sign_webhook(key, &hash, now_s) else {
                    break;
                };
                let answer = client
                    .post(receiver)
                    .timeout(ANSWER_WITHIN)
                    .header("Authorization", token)
                    .header("Content-Type", "application/webhook+json")
                    .body(body.clone())
                    .send()
                    .await;
                delivered = answer.is_ok_and(|answer| answer.status().is_success());
                if delivered {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(500 << attempt)).await;
            }
            if !delivered {
                metrics::counter!("relay_webhooks_dropped_total").increment(1);
            }
        }
    }
}
