//! The relay as its users see it: tokens to join it, and its room service (LiveKit's `RoomService`, by Twirp).

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use crate::{config::LiveKit, shell};

/// How long a token lets somebody in, in seconds.
const TOKEN_S: i64 = 60 * 60;
/// Our clock may be ahead of the relay's by this much, in seconds.
const CLOCK_SKEW_S: i64 = 10;
/// A call without anybody is kept for this long, in seconds: as long as any token lasts that leads there, and a minute
/// that relays allow for clocks. Clients come back with the token they have, which begins no call; the end of the visit
/// ends it for them as well.
pub(super) const EMPTY_S: i64 = TOKEN_S + 60;
/// How long an answer may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Why the relay did not do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    /// It cannot be reached.
    #[error("the relay does not answer")]
    Away,
    /// It refused.
    #[error("the relay refused with status {0}")]
    Refused(u16),
    /// The secret cannot be used to sign.
    #[error("the relay's secret cannot be used")]
    Secret,
}

/// Where the relay is and how to prove that we may rule it.
pub(crate) struct RelayAccess {
    url: String,
    service: Url,
    key: String,
    secret: Vec<u8>,
    http: reqwest::Client,
    removed: Mutex<Removed>,
}

/// Who was taken out of which call, as long as tokens may be good that were made for them before.
#[derive(Debug, Default)]
struct Removed(HashMap<(String, String), Removal>);

#[derive(Debug)]
struct Removal {
    /// In seconds since 1970.
    second: i64,
    /// A token was made since: they may be inside.
    asked_back: bool,
}

impl Removed {
    fn note(&mut self, room: &str, identity: &str, second: i64) {
        self.0.retain(|_, removal| removal.counts(second));
        let removal = Removal {
            second,
            asked_back: false,
        };
        self.0
            .insert((room.to_owned(), identity.to_owned()), removal);
    }

    /// A token is made in this second. Whether they were taken out within the same: a token tells seconds alone, and this
    /// one must look younger than those made before.
    fn ask_back(&mut self, room: &str, identity: &str, second: i64) -> bool {
        let key = (room.to_owned(), identity.to_owned());
        self.0.get_mut(&key).is_some_and(|removal| {
            removal.asked_back = true;
            removal.second == second
        })
    }

    /// A call has ended: there is nothing to come back to.
    fn forget(&mut self, room: &str) {
        self.0.retain(|(of, _), _| of != room);
    }

    /// Somebody came back, and the relay gave them a younger token with that. Whether they have to be outside; then they
    /// are watched anew.
    fn renew(&mut self, room: &str, identity: &str, second: i64) -> bool {
        let key = (room.to_owned(), identity.to_owned());
        let removal = self.0.get_mut(&key);
        let removal = removal.filter(|removal| removal.keeps_out(second));
        removal.is_some_and(|removal| {
            removal.second = second;
            true
        })
    }

    fn outside(&self, second: i64) -> Vec<(String, String)> {
        let outside = self.0.iter();
        let outside = outside.filter(|(_, removal)| removal.keeps_out(second));
        outside.map(|(key, _)| key.clone()).collect()
    }
}

impl Removal {
    /// Whether tokens may be good that were made before.
    const fn counts(&self, second: i64) -> bool {
        second - self.second <= EMPTY_S
    }

    const fn keeps_out(&self, second: i64) -> bool {
        self.counts(second) && !self.asked_back
    }
}

impl RelayAccess {
    pub(crate) fn of(config: &LiveKit) -> Result<Self> {
        let scheme = match config.url.scheme() {
            "wss" | "https" => "https",
            "ws" | "http" => "http",
            other => anyhow::bail!("calls.livekit.url begins with {other}:; write wss://…"),
        };
        let path = &config.secret_file;
        let secret = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read calls.livekit.secret_file {}", path.display()))?;
        let secret = secret.trim().as_bytes().to_vec();
        ensure!(!secret.is_empty(), "{} is empty", path.display());
        let bare = config.url.as_str().trim_end_matches('/');
        let (_, rest) = bare
            .split_once(':')
            .context("calls.livekit.url is not an address")?;
        Self::new(
            format!("{}:{rest}", scheme.replace("http", "ws")),
            &format!("{scheme}:{rest}"),
            config.key.clone(),
            secret,
        )
    }

    /// `url`: where browsers connect to. `service`: where this process reaches the same relay.
    pub(super) fn new(url: String, service: &str, key: String, secret: Vec<u8>) -> Result<Self> {
        Ok(Self {
            url,
            service: format!("{service}/twirp/livekit.RoomService/").parse()?,
            key,
            secret,
            http: reqwest::Client::builder()
                .timeout(PATIENCE)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("vorzimmer/", env!("CARGO_PKG_VERSION")))
                .build()?,
            removed: Mutex::default(),
        })
    }

    /// Where browsers connect to.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Lets somebody into a call under this name.
    pub(crate) fn join_token(&self, room: &str, identity: &str) -> Result<String, RelayError> {
        let grant = json!({
            "room": room,
            "roomJoin": true,
            "canPublish": true,
            "canSubscribe": true,
            "canPublishData": true,
            "canUpdateOwnMetadata": true,
        });
        let second = shell::now().as_second();
        let removed = self.removed().ask_back(room, identity, second);
        let since = second - CLOCK_SKEW_S + i64::from(removed);
        self.token(identity, &grant, since..second + TOKEN_S)
    }

    /// Makes the call's room; twice is once.
    pub(crate) async fn create_room(&self, name: &str) -> Result<(), RelayError> {
        let request = json!({
            "name": name,
            "empty_timeout": EMPTY_S,
            "departure_timeout": EMPTY_S,
        });
        self.ask("CreateRoom", &json!({ "roomCreate": true }), &request)
            .await
    }

    /// Ends a call for everybody in it. One that there is not has ended.
    pub(crate) async fn delete_room(&self, name: &str) -> Result<(), RelayError> {
        let grant = json!({ "roomCreate": true });
        match self
            .ask("DeleteRoom", &grant, &json!({ "room": name }))
            .await
        {
            Err(RelayError::Refused(404)) => {}
            other => other?,
        }
        self.removed().forget(name);
        Ok(())
    }

    /// Takes somebody out of a call. One who is not there is out.
    pub(crate) async fn remove_participant(
        &self,
        room: &str,
        identity: &str,
    ) -> Result<(), RelayError> {
        let second = shell::now().as_second();
        self.removed().note(room, identity, second);
        self.remove(room, identity, second).await
    }

    /// The same of somebody who came back. `false`: they were asked back meanwhile, or are not there.
    pub(crate) async fn remove_again(
        &self,
        room: &str,
        identity: &str,
    ) -> Result<bool, RelayError> {
        let inside = self.has_participant(room, identity).await?;
        let second = shell::now().as_second();
        if !inside || !self.removed().renew(room, identity, second) {
            return Ok(false);
        }
        self.remove(room, identity, second).await?;
        Ok(true)
    }

    /// Tokens made until this second lead nowhere any more, those made later do: a token is good since some seconds before
    /// it was made.
    async fn remove(&self, room: &str, identity: &str, second: i64) -> Result<(), RelayError> {
        let grant = json!({ "roomAdmin": true, "room": room });
        let from = second - CLOCK_SKEW_S + 1;
        let request = json!({ "room": room, "identity": identity, "revoke_token_ts": from });
        match self.ask("RemoveParticipant", &grant, &request).await {
            Err(RelayError::Refused(404)) => Ok(()),
            other => other,
        }
    }

    /// Who was taken out of which call and was not given a token since.
    pub(crate) fn outside(&self) -> Vec<(String, String)> {
        self.removed().outside(shell::now().as_second())
    }

    /// Whether somebody is in a call. Who has just lost the connection still is, for a while.
    pub(crate) async fn has_participant(
        &self,
        room: &str,
        identity: &str,
    ) -> Result<bool, RelayError> {
        let grant = json!({ "roomAdmin": true, "room": room });
        let request = json!({ "room": room, "identity": identity });
        match self.ask("GetParticipant", &grant, &request).await {
            Ok(()) => Ok(true),
            Err(RelayError::Refused(404)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Whether the relay answers and knows our key.
    pub(crate) async fn probe(&self) -> Result<(), RelayError> {
        self.ask(
            "ListRooms",
            &json!({ "roomList": true }),
            &json!({ "names": ["-"] }),
        )
        .await
    }

    async fn ask(&self, method: &str, grant: &Value, request: &Value) -> Result<(), RelayError> {
        let url = self.service.join(method).map_err(|_| RelayError::Away)?;
        let second = shell::now().as_second();
        let lifetime = second - CLOCK_SKEW_S..second + TOKEN_S;
        let token = self.token("vorzimmer", grant, lifetime)?;
        let request = self.http.post(url).bearer_auth(token).json(request);
        let answer = request.send().await.map_err(|_| RelayError::Away)?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(RelayError::Refused(answer.status().as_u16()))
        }
    }

    fn removed(&self) -> MutexGuard<'_, Removed> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An access token as LiveKit reads it: a JWT signed with HMAC-SHA256 (RFC 7519, RFC 7518 § 3.2). `lifetime` in
    /// seconds since 1970.
    fn token(
        &self,
        identity: &str,
        grant: &Value,
        lifetime: Range<i64>,
    ) -> Result<String, RelayError> {
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let claims = json!({
            "iss": self.key,
            "sub": identity,
            "nbf": lifetime.start,
            "exp": lifetime.end,
            "video": grant,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).map_err(|_| RelayError::Secret)?;
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Ok(format!("{signed}.{signature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(url: &str) -> RelayAccess {
        let dir = std::env::temp_dir().join(format!("vorzimmer-relay-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let secret_file = dir.join("secret");
        std::fs::write(&secret_file, "s3cret\n").unwrap();
        RelayAccess::of(&LiveKit {
            url: url.parse().unwrap(),
            key: "devkey".to_owned(),
            secret_file,
        })
        .unwrap()
    }

    #[test]
    fn addresses_follow_from_one() {
        for url in ["wss://media.example/relay/", "https://media.example/relay"] {
            let relay = access(url);
            assert_eq!(relay.url(), "wss://media.example/relay");
            assert_eq!(
                relay.service.join("CreateRoom").unwrap().as_str(),
                "https://media.example/relay/twirp/livekit.RoomService/CreateRoom"
            );
        }
        assert_eq!(access("ws://127.0.0.1:7880").url(), "ws://127.0.0.1:7880");
    }

    #[test]
    fn a_token_names_whom_and_where_and_nothing_else() {
        let relay = access("ws://127.0.0.1:7880");
        let grant = json!({ "room": "r", "roomJoin": true });
        let token = relay.token("@a:b:C", &grant, 990..4600).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let read = |part: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(read(parts[0]), json!({ "alg": "HS256", "typ": "JWT" }));
        assert_eq!(
            read(parts[1]),
            json!({ "iss": "devkey", "sub": "@a:b:C", "nbf": 990, "exp": 4600, "video": grant })
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
        mac.update(format!("{}.{}", parts[0], parts[1]).as_bytes());
        mac.verify_slice(&URL_SAFE_NO_PAD.decode(parts[2]).unwrap())
            .unwrap();
    }

    #[test]
    fn who_is_asked_back_within_the_second_gets_a_younger_token() {
        let mut removed = Removed::default();
        removed.note("r", "anna", 7);
        assert!(removed.ask_back("r", "anna", 7));
        assert!(!removed.ask_back("r", "anna", 8) && !removed.ask_back("r", "bert", 7));
        assert!(!removed.ask_back("s", "anna", 7));
    }

    #[test]
    fn who_was_taken_out_stays_outside_until_asked_back() {
        let mut removed = Removed::default();
        let of = |room: &str| (room.to_owned(), "anna".to_owned());
        for room in ["r", "s", "t"] {
            removed.note(room, "anna", 7);
        }
        removed.ask_back("s", "anna", 8);
        removed.forget("t");
        assert_eq!(removed.outside(9), [of("r")]);
        removed.note("s", "anna", 10);
        assert_eq!(removed.outside(7 + EMPTY_S).len(), 2);
        assert_eq!(removed.outside(8 + EMPTY_S), [of("s")], "no token is good");
        removed.note("u", "anna", 11 + EMPTY_S);
        assert_eq!(removed.0.len(), 1, "what is over is not kept");
    }

    #[test]
    fn who_came_back_is_watched_anew() {
        let mut removed = Removed::default();
        removed.note("r", "anna", 7);
        removed.note("r", "bert", 7);
        removed.ask_back("r", "bert", 8);
        assert!(removed.renew("r", "anna", 9) && !removed.renew("r", "bert", 9));
        assert!(!removed.renew("r", "carl", 9), "was never put out");
        assert_eq!(removed.outside(9 + EMPTY_S).len(), 1);
        assert!(
            !removed.renew("r", "anna", 10 + EMPTY_S),
            "no token is good"
        );
    }
}
