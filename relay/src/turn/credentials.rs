//! Time-limited TURN credentials that need no memory: the user name is the instant at which they lapse, the
//! password its HMAC (draft-uberti-behave-turn-rest-00, §2.2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// What a client shows to the TURN server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: String,
}

/// Credentials that lapse at `expires_at` (seconds since 1970). `label` is opaque and tells two clients apart.
pub(super) fn issue(secret: &[u8], expires_at: u64, label: &str) -> Credentials {
    let username = format!("{expires_at}:{label}");
    let password = sign(secret, &username);
    Credentials { username, password }
}

/// The password that belongs to `username`, if the name is well formed and has not lapsed at `now`
/// (seconds since 1970).
pub(super) fn password(secret: &[u8], username: &str, now: u64) -> Option<String> {
    let (expires_at, _) = username.split_once(':')?;
    let expires_at: u64 = expires_at.parse().ok()?;
    (now < expires_at).then(|| sign(secret, username))
}

/// The HMAC of a text.
pub(super) fn sign(secret: &[u8], text: &str) -> String {
    // HMAC takes a key of any length (RFC 2104 §3), so this never is `None`.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issued_credentials_hold_until_they_lapse() {
        let issued = issue(b"secret", 1000, "abc");
        assert_eq!(issued.username, "1000:abc");
        assert_eq!(
            password(b"secret", &issued.username, 999),
            Some(issued.password)
        );
        assert_eq!(password(b"secret", &issued.username, 1000), None);
    }

    #[test]
    fn a_longer_life_cannot_be_had_by_writing_another_name() {
        let issued = issue(b"secret", 1000, "abc");
        let forged = password(b"secret", "2000:abc", 1500).expect("well formed");
        assert_ne!(forged, issued.password);
    }

    #[test]
    fn other_names_have_no_password() {
        for name in [
            "",
            "abc",
            ":",
            "x:abc",
            "-1:abc",
            "99999999999999999999999:a",
        ] {
            assert_eq!(password(b"secret", name, 0), None, "{name}");
        }
    }
}
