//! What a relay tells by webhook, as LiveKit signs it.

use anyhow::{Context as _, Result, ensure};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The event in a webhook's body, if `authorization` is a token of `key` that vouches for this very body.
pub fn webhook(authorization: &str, body: &[u8], key: &str, secret: &str) -> Result<Value> {
    let (content, signature) = authorization.rsplit_once('.').context("no token")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(content.as_bytes());
    mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature)?)
        .context("a webhook's signature")?;
    let (_, claims) = content.split_once('.').context("no claims")?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
    ensure!(claims["iss"] == key, "another key: {claims}");
    let hash = STANDARD.encode(Sha256::digest(body));
    ensure!(claims["sha256"] == hash, "another body: {claims}");
    Ok(serde_json::from_slice(body)?)
}
