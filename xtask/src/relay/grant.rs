//! Access tokens as LiveKit reads them: JWT with HS256.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// Longer than any test.
const VALID: Duration = Duration::from_hours(1);

/// What a token allows.
#[derive(Debug, Clone)]
pub struct Grant {
    claims: Value,
}

impl Grant {
    /// Whoever has it joins `room` as `identity`, publishes, subscribes, and changes what is said of itself.
    #[must_use]
    pub fn join(room: &str, identity: &str) -> Self {
        Self::new(json!({
            "sub": identity,
            "name": format!("name of {identity}"),
            "video": {
                "roomJoin": true,
                "room": room,
                "canPublish": true,
                "canSubscribe": true,
                "canPublishData": true,
                "canUpdateOwnMetadata": true,
            },
        }))
    }

    /// Whoever has it administers `room` alone.
    #[must_use]
    pub fn admin(room: &str) -> Self {
        Self::new(json!({ "video": { "roomAdmin": true, "room": room } }))
    }

    /// Whoever has it creates, lists and deletes rooms.
    #[must_use]
    pub fn rooms() -> Self {
        Self::new(json!({ "video": { "roomCreate": true, "roomList": true } }))
    }

    fn new(mut claims: Value) -> Self {
        let now = now();
        claims["nbf"] = json!(now.saturating_sub(Duration::from_mins(1)).as_secs());
        claims["exp"] = json!((now + VALID).as_secs());
        Self { claims }
    }

    /// With one claim changed: `with("/video/room", …)`.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        if let Some(claim) = self.claims.pointer_mut(pointer) {
            *claim = value;
        }
        self
    }

    /// That ran out an hour ago.
    #[must_use]
    pub fn expired(self) -> Self {
        let hour_ago = now().saturating_sub(VALID);
        self.with("/exp", json!(hour_ago.as_secs()))
            .with("/nbf", json!(hour_ago.saturating_sub(VALID).as_secs()))
    }

    /// The token.
    pub fn signed(mut self, key: &str, secret: &str) -> Result<String> {
        self.claims["iss"] = json!(key);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let content = format!(
            "{}.{}",
            part(&json!({ "alg": "HS256", "typ": "JWT" })),
            part(&self.claims)
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
        mac.update(content.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Ok(format!("{content}.{signature}"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokens are read by servers that look at the machine's clock"
)]
fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
