//! A guest's browser, known by the secret in its cookie. The secret itself is never stored: the house gets
//! a digest of it.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bridge::ids::GuestId;
use sha2::{Digest, Sha256};

use crate::state::{GatewayConfig, Shell};

/// How long a browser keeps the cookie: a visit is over by then.
const MAX_AGE_S: u32 = 24 * 60 * 60;

/// 256 random bits that let a browser back to its visits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    pub(crate) fn mint(shell: &Shell) -> Self {
        let mut bytes = [0; 32];
        (shell.random)(&mut bytes);
        Self(bytes)
    }

    /// The secret in the request's cookie, if there is a well-formed one.
    pub(crate) fn of_headers(headers: &HeaderMap, config: &GatewayConfig) -> Option<Self> {
        let name = cookie_name(config);
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(found, _)| *found == name)
            .find_map(|(_, value)| {
                let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
                bytes.try_into().ok().map(Self)
            })
    }

    pub(crate) fn guest(&self) -> GuestId {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        GuestId::from_digest(half)
    }

    /// `Set-Cookie` (RFC 6265). `SameSite=Strict` keeps it from requests other sites cause; the `__Host-`
    /// prefix keeps sibling hosts from planting one.
    pub(crate) fn set_cookie(&self, config: &GatewayConfig) -> Option<HeaderValue> {
        let name = cookie_name(config);
        let value = URL_SAFE_NO_PAD.encode(self.0);
        let secure = if config.is_https() { "; Secure" } else { "" };
        let cookie = format!(
            "{name}={value}; Path=/; Max-Age={MAX_AGE_S}; HttpOnly; SameSite=Strict{secure}"
        );
        let mut header = HeaderValue::from_str(&cookie).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

fn cookie_name(config: &GatewayConfig) -> &'static str {
    if config.is_https() {
        "__Host-vorzimmer_guest"
    } else {
        "vorzimmer_guest"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret_in(cookie: &str) -> Option<Secret> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        let config = GatewayConfig::new("http://localhost:8080", "");
        Secret::of_headers(&headers, &config)
    }

    #[test]
    fn a_cookie_comes_back() {
        let config = GatewayConfig::new("http://localhost:8080", "");
        let secret = Secret([7; 32]);
        let set = secret.set_cookie(&config).unwrap();
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        assert!(secret_in(&format!("a=b; {pair}; c=d")) == Some(secret));
    }

    #[test]
    fn what_is_not_a_secret_is_no_cookie() {
        let good = URL_SAFE_NO_PAD.encode([7; 32]);
        for bad in [
            "vorzimmer_guest=".to_owned(),
            "vorzimmer_guest=abc".to_owned(),
            format!("vorzimmer_guest={good}A"),
            format!("vorzimmer_guest={}", &good[1..]),
            format!("vorzimmer_guest=\"{good}\""),
            format!("other={good}"),
            format!("__Host-vorzimmer_guest={good}"),
            format!("vorzimmer_guest={}B", &good[..42]),
        ] {
            assert!(secret_in(&bad).is_none(), "{bad}");
        }
    }
}
