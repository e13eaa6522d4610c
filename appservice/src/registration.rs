//! What the homeserver is told about this service: `registration.yaml`
//! (Application Service API, "Registration"; MSC3202, MSC4190).

use std::fmt;

use ruma::{
    ServerName,
    api::appservice::{Namespace, Namespaces, RegistrationInit},
};
use serde::{Deserialize, Serialize};

use crate::client::NAMESPACE;

/// The localpart of the service's bot.
pub const SENDER: &str = "vorzimmer";

/// Aliases of offices begin with this.
pub const OFFICE_ALIAS: &str = "buero-";

/// The registration as both sides keep it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Registration {
    #[serde(flatten)]
    standard: ruma::api::appservice::Registration,
    /// Device lists and key counts come with transactions (MSC3202).
    #[serde(rename = "org.matrix.msc3202", default)]
    device_lists: bool,
    /// Ghosts may have devices without logging in (MSC4190).
    #[serde(rename = "io.element.msc4190", default)]
    device_management: bool,
}

/// Why a registration cannot be read or used.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// Not YAML, or not a registration.
    #[error(
        "the registration cannot be read: {0}. Write a fresh one with `vorzimmer registration` and give \
         the homeserver the same file"
    )]
    Unreadable(#[from] serde_yaml_ng::Error),
    /// A sample was taken for the real thing.
    #[error(
        "the registration still has the sample's placeholder in `{field}`. Write a real one with \
         `vorzimmer registration`"
    )]
    Placeholder {
        /// Which field.
        field: &'static str,
    },
    /// A token that could be guessed.
    #[error(
        "`{field}` is shorter than 32 characters. Write a fresh one with `vorzimmer registration`"
    )]
    WeakToken {
        /// Which field.
        field: &'static str,
    },
    /// The two tokens are the same.
    #[error(
        "`as_token` and `hs_token` must differ. Write a fresh one with `vorzimmer registration`"
    )]
    SameTokens,
}

/// The random part of a registration.
#[derive(Clone)]
pub struct Tokens {
    /// 32 random bytes: what we show the homeserver.
    pub as_token: [u8; 32],
    /// 32 random bytes: what the homeserver shows us.
    pub hs_token: [u8; 32],
}

const AS_PLACEHOLDER: &str = "REPLACE-as-token-with-64-random-characters";
const HS_PLACEHOLDER: &str = "REPLACE-hs-token-with-64-other-random-characters";

impl Registration {
    /// A registration for the homeserver `server_name`, which reaches this service at `url`.
    #[must_use]
    pub fn generate(id: &str, url: &str, server_name: &ServerName, tokens: &Tokens) -> Self {
        Self::with_tokens(
            id,
            url,
            server_name,
            hex(&tokens.as_token),
            hex(&tokens.hs_token),
        )
    }

    /// The registration with placeholders for its tokens, to be read by people.
    #[must_use]
    pub fn sample(id: &str, url: &str, server_name: &ServerName) -> Self {
        Self::with_tokens(
            id,
            url,
            server_name,
            AS_PLACEHOLDER.to_owned(),
            HS_PLACEHOLDER.to_owned(),
        )
    }

    fn with_tokens(
        id: &str,
        url: &str,
        server_name: &ServerName,
        as_token: String,
        hs_token: String,
    ) -> Self {
        let server = escape_regex(server_name.as_str());
        // The homeserver matches from the start but not to the end: without `$`, `:city.example.evil` fits.
        let exclusive = |pattern: &str| Namespace::new(true, format!("^{pattern}:{server}$"));
        let mut namespaces = Namespaces::new();
        namespaces.users = vec![exclusive(&format!("@{NAMESPACE}.*"))];
        namespaces.aliases = vec![
            exclusive(&format!("#{NAMESPACE}.*")),
            exclusive(&format!("#{OFFICE_ALIAS}.*")),
        ];
        let mut standard = ruma::api::appservice::Registration::from(RegistrationInit {
            id: id.to_owned(),
            url: Some(url.to_owned()),
            as_token,
            hs_token,
            sender_localpart: SENDER.to_owned(),
            namespaces,
            rate_limited: Some(false),
            protocols: None,
        });
        standard.receive_ephemeral = true;
        Self {
            standard,
            device_lists: true,
            device_management: true,
        }
    }

    /// Reads a registration and refuses one that must not be used.
    pub fn from_yaml(text: &str) -> Result<Self, RegistrationError> {
        let registration: Self = serde_yaml_ng::from_str(text)?;
        for (field, token) in [
            ("as_token", registration.as_token()),
            ("hs_token", registration.hs_token()),
        ] {
            if token.starts_with("REPLACE") {
                return Err(RegistrationError::Placeholder { field });
            }
            if token.len() < 32 {
                return Err(RegistrationError::WeakToken { field });
            }
        }
        if registration.as_token() == registration.hs_token() {
            return Err(RegistrationError::SameTokens);
        }
        Ok(registration)
    }

    /// The text of `registration.yaml`.
    pub fn to_yaml(&self) -> Result<String, RegistrationError> {
        Ok(format!(
            "# The homeserver's contract with Vorzimmer. Synapse: list this file under app_service_config_files\n\
             # and restart. Both sides need the same file; its tokens are secrets.\n{}",
            serde_yaml_ng::to_string(self)?
        ))
    }

    /// The unique id of the service.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.standard.id
    }

    /// Where the homeserver reaches the service.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.standard.url.as_deref()
    }

    /// What we show the homeserver.
    #[must_use]
    pub fn as_token(&self) -> &str {
        &self.standard.as_token
    }

    /// What the homeserver shows us.
    #[must_use]
    pub fn hs_token(&self) -> &str {
        &self.standard.hs_token
    }

    /// The bot's localpart.
    #[must_use]
    pub fn sender_localpart(&self) -> &str {
        &self.standard.sender_localpart
    }

    /// Where this registration differs, tokens apart, from what this version of the program would
    /// write: the names of the fields. For `doctor`: such a file should be written anew.
    #[must_use]
    pub fn outdated_fields(&self, server_name: &ServerName) -> Vec<&'static str> {
        let fresh = Self::with_tokens(
            self.id(),
            self.url().unwrap_or_default(),
            server_name,
            String::new(),
            String::new(),
        );
        let (ours, theirs) = (&fresh.standard, &self.standard);
        let spaces = |list: &[Namespace]| -> Vec<(bool, String)> {
            list.iter()
                .map(|n| (n.exclusive, n.regex.clone()))
                .collect()
        };
        let differs = [
            (
                "sender_localpart",
                ours.sender_localpart != theirs.sender_localpart,
            ),
            (
                "namespaces.users",
                spaces(&ours.namespaces.users) != spaces(&theirs.namespaces.users),
            ),
            (
                "namespaces.aliases",
                spaces(&ours.namespaces.aliases) != spaces(&theirs.namespaces.aliases),
            ),
            ("rate_limited", ours.rate_limited != theirs.rate_limited),
            (
                "receive_ephemeral",
                ours.receive_ephemeral != theirs.receive_ephemeral,
            ),
            (
                "org.matrix.msc3202",
                fresh.device_lists != self.device_lists,
            ),
            (
                "io.element.msc4190",
                fresh.device_management != self.device_management,
            ),
        ];
        differs
            .into_iter()
            .filter_map(|(field, differs)| differs.then_some(field))
            .collect()
    }
}

impl fmt::Debug for Registration {
    /// Tokens never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("id", &self.standard.id)
            .field("url", &self.standard.url)
            .finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A server name has letters, digits and `.-:[]` (Matrix appendices, "Server name").
fn escape_regex(server_name: &str) -> String {
    let mut out = String::with_capacity(server_name.len() + 4);
    for c in server_name.chars() {
        if matches!(c, '.' | '[' | ']' | '-') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use ruma::server_name;

    use super::*;

    fn fresh() -> Registration {
        let tokens = Tokens {
            as_token: [0xab; 32],
            hs_token: [0x01; 32],
        };
        Registration::generate(
            "vorzimmer",
            "http://127.0.0.1:8009",
            server_name!("city.example:8448"),
            &tokens,
        )
    }

    #[test]
    fn what_is_written_can_be_read() {
        let text = fresh().to_yaml().expect("YAML");
        let read = Registration::from_yaml(&text).expect("a registration");
        assert_eq!(read.as_token(), "ab".repeat(32));
        assert_eq!(read.hs_token(), "01".repeat(32));
        assert_eq!(read.url(), Some("http://127.0.0.1:8009"));
        assert_eq!(read.sender_localpart(), "vorzimmer");
        assert_eq!(
            read.outdated_fields(server_name!("city.example:8448")),
            Vec::<&str>::new()
        );
        for flag in [
            "org.matrix.msc3202: true",
            "io.element.msc4190: true",
            "rate_limited: false",
            "receive_ephemeral: true",
        ] {
            assert!(text.contains(flag), "{flag}");
        }
    }

    #[test]
    fn namespaces_are_anchored_and_dots_are_dots() {
        let text = fresh().to_yaml().expect("YAML");
        assert!(text.contains(r"^@_vorzimmer_.*:city\.example:8448$"));
        assert!(text.contains(r"^#_vorzimmer_.*:city\.example:8448$"));
        assert!(text.contains(r"^#buero-.*:city\.example:8448$"));
        assert!(!text.contains("exclusive: false"));
    }

    #[test]
    fn a_file_for_another_server_is_outdated() {
        assert_eq!(
            fresh().outdated_fields(server_name!("other.example")),
            ["namespaces.users", "namespaces.aliases"]
        );
    }

    #[test]
    fn an_unusable_file_is_refused_with_the_cure() {
        let sample = Registration::sample("vorzimmer", "http://a", server_name!("a.example"));
        let good = fresh().to_yaml().expect("YAML");
        let cases = [
            (sample.to_yaml().expect("YAML"), "placeholder in `as_token`"),
            ("id: [".to_owned(), "cannot be read"),
            ("id: vorzimmer".to_owned(), "missing field"),
            (
                good.replace(&"ab".repeat(32), "short"),
                "`as_token` is shorter",
            ),
            (
                good.replace(&"ab".repeat(32), &"01".repeat(32)),
                "must differ",
            ),
        ];
        for (text, expected) in cases {
            let error = Registration::from_yaml(&text)
                .expect_err(expected)
                .to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.contains("vorzimmer registration"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_tokens() {
        assert!(!format!("{:?}", fresh()).contains("abab"));
    }

    /// `UPDATE_SAMPLES=1 cargo test -p appservice` writes the sample anew.
    #[test]
    fn the_sample_in_the_repository_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../registration.yaml");
        let sample = Registration::sample(
            "vorzimmer",
            "http://127.0.0.1:8009",
            server_name!("city.example"),
        )
        .to_yaml()
        .expect("YAML");
        if env::var_os("UPDATE_SAMPLES").is_some() {
            fs::write(&path, &sample).expect("the sample can be written");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == sample,
            "run UPDATE_SAMPLES=1 cargo test -p appservice"
        );
    }
}
