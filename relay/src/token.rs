//! LiveKit's access tokens: JWTs signed with HS256 by somebody who knows the secret of a key.

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use livekit_protocol as proto;
use serde::{Deserialize, Serialize};

use crate::config::ApiKey;

/// Clocks of two machines differ by so many seconds at most.
const LEEWAY_S: i64 = 60;

/// Why a token is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    /// There is none.
    #[error("no permissions to access the room")]
    Missing,
    /// It cannot be read, is signed by nobody we know, or with another algorithm.
    #[error("invalid token")]
    Invalid,
    /// Its time is over.
    #[error("token is expired")]
    Expired,
    /// Its time has not come.
    #[error("token is not valid yet")]
    TooEarly,
    /// It does not allow this.
    #[error("permissions denied")]
    Denied,
}

/// What a token allows.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a grant of its own in LiveKit's tokens"
)]
#[derive(Clone, Debug)]
pub struct Grants {
    /// Who the holder is.
    pub identity: String,
    /// What others read.
    pub name: String,
    /// Free text of the issuer.
    pub metadata: String,
    /// Free pairs of the issuer.
    pub attributes: HashMap<String, String>,
    /// LiveKit's kind of participant.
    pub kind: i32,
    /// What the holder may do in the room.
    pub permission: proto::ParticipantPermission,
    /// The room, where the token names one.
    pub room: String,
    /// May join `room`.
    pub join: bool,
    /// May create and delete rooms.
    pub create: bool,
    /// May list rooms.
    pub list: bool,
    /// May administer `room`.
    pub admin: bool,
    /// From when on the token is good (seconds since 1970), which is about when it was made: removals are told by it.
    pub since_s: i64,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a grant of its own in LiveKit's tokens"
)]
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Video {
    room_create: bool,
    room_list: bool,
    room_admin: bool,
    room_join: bool,
    room: String,
    can_publish: Option<bool>,
    can_subscribe: Option<bool>,
    can_publish_data: Option<bool>,
    can_publish_sources: Vec<String>,
    can_update_own_metadata: Option<bool>,
    can_subscribe_metrics: Option<bool>,
    hidden: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
    sub: String,
    name: String,
    metadata: String,
    attributes: HashMap<String, String>,
    kind: String,
    video: Option<Video>,
}

#[derive(Deserialize)]
struct Issuer {
    #[serde(default)]
    iss: String,
}

/// Reads a token at a moment (seconds since 1970).
pub fn verify(token: &str, keys: &[ApiKey], now_s: i64) -> Result<Grants, TokenError> {
    if token.is_empty() {
        return Err(TokenError::Missing);
    }
    let issuer = jsonwebtoken::dangerous::insecure_decode::<Issuer>(token)
        .map_err(|_| TokenError::Invalid)?
        .claims
        .iss;
    let key = keys
        .iter()
        .find(|key| key.key == issuer)
        .ok_or(TokenError::Invalid)?;
    let mut validation = Validation::new(Algorithm::HS256);
    // Time is an argument, checked below.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let secret = DecodingKey::from_secret(key.secret.as_bytes());
    let claims = jsonwebtoken::decode::<Claims>(token, &secret, &validation)
        .map_err(|_| TokenError::Invalid)?
        .claims;
    // A token without an end would be good for ever.
    if claims.exp.ok_or(TokenError::Invalid)? + LEEWAY_S < now_s {
        return Err(TokenError::Expired);
    }
    if claims.nbf.is_some_and(|nbf| nbf - LEEWAY_S > now_s) {
        return Err(TokenError::TooEarly);
    }
    let video = claims.video.ok_or(TokenError::Denied)?;
    let since_s = claims.nbf.or(claims.iat).unwrap_or(0);
    Ok(grants(
        since_s,
        claims.sub,
        claims.name,
        claims.metadata,
        claims.attributes,
        &claims.kind,
        &video,
    ))
}

fn grants(
    since_s: i64,
    identity: String,
    name: String,
    metadata: String,
    attributes: HashMap<String, String>,
    kind: &str,
    video: &Video,
) -> Grants {
    use proto::{TrackSource, participant_info::Kind};
    let can_publish = video.can_publish.unwrap_or(true);
    let sources = video
        .can_publish_sources
        .iter()
        .filter_map(|source| {
            Some(match source.as_str() {
                "camera" => TrackSource::Camera,
                "microphone" => TrackSource::Microphone,
                "screen_share" => TrackSource::ScreenShare,
                "screen_share_audio" => TrackSource::ScreenShareAudio,
                _ => return None,
            })
        })
        .map(i32::from)
        .collect();
    let permission = proto::ParticipantPermission {
        can_subscribe: video.can_subscribe.unwrap_or(true),
        can_publish,
        can_publish_data: video.can_publish_data.unwrap_or(can_publish),
        can_publish_sources: sources,
        hidden: video.hidden,
        can_update_metadata: video.can_update_own_metadata.unwrap_or(false),
        can_subscribe_metrics: video.can_subscribe_metrics.unwrap_or(false),
        ..proto::ParticipantPermission::default()
    };
    let kind = Kind::from_str_name(&kind.to_ascii_uppercase()).unwrap_or(Kind::Standard);
    Grants {
        identity,
        name,
        metadata,
        attributes,
        kind: kind.into(),
        permission,
        room: video.room.clone(),
        join: video.room_join,
        create: video.room_create,
        list: video.room_list,
        admin: video.room_admin,
        since_s,
    }
}

/// The claims that sign a webhook: who sends it, until when, and the hash of the body.
#[derive(Serialize)]
struct WebhookClaims<'a> {
    iss: &'a str,
    nbf: i64,
    exp: i64,
    sha256: &'a str,
}

/// Signs a webhook's body by its SHA-256 (base64) as LiveKit's receivers expect it.
pub fn sign_webhook(key: &ApiKey, sha256: &str, now_s: i64) -> Result<String, TokenError> {
    let claims = WebhookClaims {
        iss: &key.key,
        nbf: now_s,
        exp: now_s + 300,
        sha256,
    };
    let secret = EncodingKey::from_secret(key.secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &secret)
        .map_err(|_| TokenError::Invalid)
}

/// A fresh token for a participant whose old one will end while the call goes on: the same rights, one hour. It is as
/// old as the one it replaces, so that it does not outlive its holder's removal.
pub fn refresh(key: &ApiKey, grants: &Grants, now_s: i64) -> Result<String, TokenError> {
    use proto::participant_info::Kind;
    let permission = &grants.permission;
    let names = [
        "unknown",
        "camera",
        "microphone",
        "screen_share",
        "screen_share_audio",
    ];
    let sources: Vec<&str> = permission
        .can_publish_sources
        .iter()
        .filter_map(|source| names.get(usize::try_from(*source).ok()?).copied())
        .collect();
    let kind = Kind::try_from(grants.kind).unwrap_or(Kind::Standard);
    let claims = serde_json::json!({
        "iss": key.key,
        "sub": grants.identity,
        "kind": kind.as_str_name().to_ascii_lowercase(),
        "nbf": grants.since_s,
        "exp": now_s + 3600,
        "name": grants.name,
        "metadata": grants.metadata,
        "attributes": grants.attributes,
        "video": {
            "roomJoin": true,
            "room": grants.room,
            "canPublish": permission.can_publish,
            "canSubscribe": permission.can_subscribe,
            "canPublishData": permission.can_publish_data,
            "canPublishSources": sources,
            "canUpdateOwnMetadata": permission.can_update_metadata,
            "canSubscribeMetrics": permission.can_subscribe_metrics,
            "hidden": permission.hidden,
        },
    });
    let secret = EncodingKey::from_secret(key.secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &secret)
        .map_err(|_| TokenError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<ApiKey> {
        vec![ApiKey {
            key: "devkey".to_owned(),
            secret: "0123456789abcdef0123456789abcdef".to_owned(),
        }]
    }

    fn token(secret: &str, claims: &serde_json::Value) -> String {
        let secret = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &secret).unwrap()
    }

    fn claims(now: i64) -> serde_json::Value {
        serde_json::json!({
            "iss": "devkey", "sub": "anna", "exp": now + 60,
            "video": {"roomJoin": true, "room": "r", "canPublishSources": ["camera"]},
        })
    }

    #[test]
    fn a_good_token_tells_who_may_do_what() {
        let token = token(&keys()[0].secret, &claims(1_000));
        let grants = verify(&token, &keys(), 1_000).unwrap();
        assert_eq!(
            (grants.identity.as_str(), grants.room.as_str()),
            ("anna", "r")
        );
        assert!(grants.join && !grants.admin);
        assert!(grants.permission.can_publish && grants.permission.can_subscribe);
        assert_eq!(
            grants.permission.can_publish_sources,
            [i32::from(proto::TrackSource::Camera)]
        );
    }

    #[test]
    fn what_is_wrong_with_a_token_is_told() {
        let good = token(&keys()[0].secret, &claims(1_000));
        assert_eq!(
            verify(&good, &keys(), 2_000).unwrap_err(),
            TokenError::Expired
        );
        assert_eq!(verify("", &keys(), 1_000).unwrap_err(), TokenError::Missing);
        assert_eq!(
            verify("a.b.c", &keys(), 1_000).unwrap_err(),
            TokenError::Invalid
        );
        let forged = token("another secret, as long as ours", &claims(1_000));
        assert_eq!(
            verify(&forged, &keys(), 1_000).unwrap_err(),
            TokenError::Invalid
        );
        let mut early = claims(1_000);
        early["nbf"] = 1_500.into();
        let early = token(&keys()[0].secret, &early);
        assert_eq!(
            verify(&early, &keys(), 1_000).unwrap_err(),
            TokenError::TooEarly
        );
        let mut endless = claims(1_000);
        endless["exp"] = serde_json::Value::Null;
        let endless = token(&keys()[0].secret, &endless);
        assert_eq!(
            verify(&endless, &keys(), 1_000).unwrap_err(),
            TokenError::Invalid
        );
    }

    #[test]
    fn a_token_without_signature_is_refused() {
        use base64::Engine as _;
        let part = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        let none = format!(
            "{}.{}.",
            part(r#"{"alg":"none","typ":"JWT"}"#.to_owned()),
            part(claims(1_000).to_string())
        );
        assert_eq!(
            verify(&none, &keys(), 1_000).unwrap_err(),
            TokenError::Invalid
        );
    }

    #[test]
    fn a_refreshed_token_allows_the_same() {
        let mut claims = claims(1_000);
        claims["kind"] = "agent".into();
        claims["video"]["canSubscribeMetrics"] = true.into();
        let old = verify(&token(&keys()[0].secret, &claims), &keys(), 1_000).unwrap();
        let fresh = refresh(&keys()[0], &old, 1_050).unwrap();
        let new = verify(&fresh, &keys(), 4_000).unwrap();
        assert_eq!(new.since_s, old.since_s, "a removal in between counts");
        assert_eq!(new.permission, old.permission);
        assert_eq!((new.identity, new.kind), (old.identity, old.kind));
    }
}
