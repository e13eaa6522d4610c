//! Identifiers. Each look-alike id is a type of its own; the docs say who mints it and how unique it is.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An id or name that does not have the required form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} is not valid: {cure}")]
pub struct InvalidId {
    /// What kind of id was read.
    pub what: &'static str,
    /// The refused text, shortened to 64 characters.
    pub value: String,
    /// What a valid one looks like.
    pub cure: &'static str,
}

impl InvalidId {
    fn new(what: &'static str, value: &str, cure: &'static str) -> Self {
        Self {
            what,
            value: value.chars().take(64).collect(),
            cure,
        }
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr, $cure:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId::new($what, text, $cure))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn is_slug(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_opaque(text: &str) -> bool {
    text.len() == 26
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
}

fn is_matrix_user(text: &str) -> bool {
    text.len() <= 255
        && text.starts_with('@')
        && text[1..].split_once(':').is_some_and(|(local, server)| {
            !server.is_empty()
                && !local.contains(char::is_control)
                && !server.contains(char::is_whitespace)
        })
}

text_id!(
    /// An office's name in addresses: `gewerbe`. Chosen by the city, unique in the city, public.
    OfficeSlug, "office slug", is_slug, "use 1 to 40 of a-z, 0-9 and inner hyphens"
);
text_id!(
    /// A service's name inside its office: `anmelden`. Chosen by the city, unique in the office, public.
    ServiceId, "service id", is_slug, "use 1 to 40 of a-z, 0-9 and inner hyphens"
);
text_id!(
    /// One visit: 128 random bits in lower-case base32, minted by the server at the knock, never reused.
    VisitId, "visit id", is_opaque, "it has 26 characters of a-z and 2-7"
);
text_id!(
    /// One booking of an appointment: 128 random bits in lower-case base32, minted by the server when a time is
    /// chosen, never reused. It names the booking and lets nobody in: that is the part of its link's secret.
    BookingId, "booking id", is_opaque, "it has 26 characters of a-z and 2-7"
);
text_id!(
    /// A guest's browser: base32 of the first 128 bits of the SHA-256 of the secret in its cookie.
    /// It says nothing about the person and does not let anybody in.
    GuestId, "guest id", is_opaque, "it has 26 characters of a-z and 2-7"
);
text_id!(
    /// Somebody who comes along to one visit: 128 random bits in lower-case base32, minted by the server with their
    /// link, never reused. It lets nobody in.
    ParticipantId, "participant id", is_opaque, "it has 26 characters of a-z and 2-7"
);
text_id!(
    /// A Matrix user id `@name:server`: a clerk, a ghost or a visitor with an own account.
    MatrixUser, "Matrix user id", is_matrix_user, "write it as @name:server"
);

impl VisitId {
    /// Mints an id from 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(bytes))
    }
}

impl BookingId {
    /// Mints an id from 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(bytes))
    }
}

impl ParticipantId {
    /// Mints an id from 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(base32(bytes))
    }
}

impl GuestId {
    /// The id that belongs to a cookie's secret, from the first 16 bytes of the secret's SHA-256.
    #[must_use]
    pub fn from_digest(bytes: [u8; 16]) -> Self {
        Self(base32(bytes))
    }
}

/// 16 bytes as 26 characters of RFC 4648 base32, lower case, without padding.
fn base32(bytes: [u8; 16]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bits = u128::from_be_bytes(bytes);
    let mut out = [0_u8; 26];
    // 26 × 5 = 130 bits: the last character carries three bits, followed by two of zero (RFC 4648 §6).
    out[25] = ALPHABET[usize::from((bits & 0b111) as u8) << 2];
    bits >>= 3;
    for place in out[..25].iter_mut().rev() {
        *place = ALPHABET[usize::from((bits & 0b1_1111) as u8)];
        bits >>= 5;
    }
    out.iter().copied().map(char::from).collect()
}

/// What the public queue shows of a visit: `G-017`. Unique per office and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ticket {
    /// The office's letter, `A` to `Z`.
    pub letter: char,
    /// Counts from 1 each day.
    pub number: u32,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:03}", self.letter, self.number)
    }
}

impl From<Ticket> for String {
    fn from(ticket: Ticket) -> Self {
        ticket.to_string()
    }
}

impl TryFrom<String> for Ticket {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl FromStr for Ticket {
    type Err = InvalidId;

    /// Reads a ticket as people write it: `G-017`, `g17`, `G 17`.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new("ticket", text, "write it like G-017");
        let mut chars = text.trim().chars();
        let letter = chars
            .next()
            .map(|c| c.to_ascii_uppercase())
            .filter(char::is_ascii_uppercase)
            .ok_or_else(invalid)?;
        let digits = chars
            .as_str()
            .trim_start_matches(['-', ' ', '\u{2011}', '\u{2013}']);
        if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let number = digits.parse().map_err(|_| invalid())?;
        if number == 0 {
            Err(invalid())
        } else {
            Ok(Self { letter, number })
        }
    }
}

/// A language the product speaks. German is the first one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// German.
    #[default]
    De,
    /// English.
    En,
}

impl Language {
    /// Every language, the first one first.
    pub const ALL: [Self; 2] = [Self::De, Self::En];

    /// The BCP 47 code, as it stands in `<html lang>`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|language| language.code() == text)
            .ok_or_else(|| InvalidId::new("language", text, "use de or en"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base32_agrees_with_rfc_4648() {
        // RFC 4648 §10, "foobar", lower case; the other ten bytes are zero.
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(b"foobar");
        assert_eq!(
            VisitId::from_random(bytes).as_str(),
            "mzxw6ytboiaaaaaaaaaaaaaaaa"
        );
        assert_eq!(base32([0xff; 16]), "77777777777777777777777774");
    }

    #[test]
    fn tickets_are_read_as_people_write_them() {
        let ticket = Ticket {
            letter: 'G',
            number: 17,
        };
        for text in ["G-017", "g17", "G 17", " G-17 ", "G\u{2013}017", "G-000017"] {
            assert_eq!(text.parse(), Ok(ticket), "{text:?}");
        }
        for text in [
            "",
            "G",
            "G-",
            "17",
            "G-0",
            "G-0000017",
            "G-1x",
            "Ä-1",
            "GG-1",
            "G-+1",
            "G-١",
        ] {
            assert!(text.parse::<Ticket>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn slugs_are_fit_for_addresses() {
        for slug in ["a", "gewerbe", "kfz-2", &"a".repeat(40)] {
            assert!(slug.parse::<OfficeSlug>().is_ok(), "{slug:?}");
        }
        for slug in [
            "",
            "-a",
            "a-",
            "Gewerbe",
            "a b",
            "a/b",
            "ä",
            &"a".repeat(41),
        ] {
            assert!(slug.parse::<OfficeSlug>().is_err(), "{slug:?}");
        }
    }

    #[test]
    fn matrix_users_have_a_server() {
        for user in ["@anna:city.example", "@a:localhost:8448", "@_vorzimmer_x:c"] {
            assert!(user.parse::<MatrixUser>().is_ok(), "{user:?}");
        }
        for user in ["", "anna:city", "@anna", "@anna:", "@a\n:city", "@a:ci ty"] {
            assert!(user.parse::<MatrixUser>().is_err(), "{user:?}");
        }
    }

    #[test]
    fn a_refused_text_is_shortened_in_the_error() {
        let error = "x".repeat(10_000).parse::<VisitId>().unwrap_err();
        assert_eq!(error.value.len(), 64);
    }

    proptest! {
        #[test]
        fn minted_ids_are_valid_and_as_different_as_their_bytes(
            bytes in prop::collection::hash_set(any::<[u8; 16]>(), 1..20)
        ) {
            let ids: HashSet<String> = bytes
                .iter()
                .map(|bytes| GuestId::from_digest(*bytes).to_string())
                .collect();
            prop_assert_eq!(ids.len(), bytes.len());
            for id in ids {
                prop_assert!(id.parse::<GuestId>().is_ok());
            }
        }

        #[test]
        fn a_ticket_survives_being_written_and_read(letter in prop::char::range('A', 'Z'), number in 1..=999_999_u32) {
            let ticket = Ticket { letter, number };
            prop_assert_eq!(ticket.to_string().parse(), Ok(ticket));
        }

        #[test]
        fn no_text_makes_an_id_panic(text in any::<String>()) {
            let _ = text.parse::<Ticket>();
            let _ = text.parse::<MatrixUser>();
            let _ = text.parse::<VisitId>();
        }
    }
}
