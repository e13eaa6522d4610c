//! Values (RFC 5545 §3.3): dates, times, durations, periods, calendar addresses.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::Offset,
};

/// A DATE or one of the three forms of a DATE-TIME.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A whole civil day.
    Date(Date),
    /// A civil time, in the zone the line names or in the reader's.
    Civil(DateTime),
    /// An instant.
    Utc(Timestamp),
}

impl When {
    /// `20261207`, `20261207T090000` or `20261207T090000Z`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let date = Date::new(
            number::<i16>(date.get(..4)?)?,
            number::<i8>(date.get(4..6)?)?,
            number::<i8>(date.get(6..).filter(|day| day.len() == 2)?)?,
        )
        .ok()?;
        let Some(time) = time else {
            return Some(Self::Date(date));
        };
        let (time, utc) = match time.strip_suffix('Z') {
            Some(time) => (time, true),
            None => (time, false),
        };
        let time = Time::new(
            number::<i8>(time.get(..2)?)?,
            number::<i8>(time.get(2..4)?)?,
            // 60 is a positive leap second, which instants do not have.
            number::<i8>(time.get(4..).filter(|second| second.len() == 2)?)?.min(59),
            0,
        )
        .ok()?;
        let civil = date.to_datetime(time);
        if utc {
            Offset::UTC.to_timestamp(civil).ok().map(Self::Utc)
        } else {
            Some(Self::Civil(civil))
        }
    }
}

fn number<T: std::str::FromStr>(digits: &str) -> Option<T> {
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

/// A DURATION like `PT15M`, `-P1D`, `P2W`, `P1DT12H`. Days count 24 hours.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let (sign, text) = match text.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => (1, text),
    };
    let mut rest = text.strip_prefix('P')?;
    let mut seconds: i64 = 0;
    let mut in_time = false;
    let mut any = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            if in_time {
                return None;
            }
            (in_time, rest) = (true, time);
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|end| (1..=9).contains(end))?;
        let count: i64 = rest[..end].parse().ok()?;
        let unit = match (rest[end..].chars().next()?, in_time) {
            ('W', false) => 7 * 86_400,
            ('D', false) => 86_400,
            ('H', true) => 3_600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
        any = true;
    }
    any.then(|| SignedDuration::from_secs(sign * seconds))
}

/// A UTC-OFFSET like `+0100` or `-033000`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let hours = number::<i32>(digits.get(..2)?)?;
    let minutes = number::<i32>(digits.get(2..4)?)?;
    let seconds = match digits.get(4..)? {
        "" => 0,
        seconds if seconds.len() == 2 => number::<i32>(seconds)?,
        _ => return None,
    };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60 + seconds)).ok()
}

/// The address in a CAL-ADDRESS `mailto:anna@example.org`, in small letters, for comparing.
pub(super) fn address(value: &str) -> Option<String> {
    let value = value.trim();
    let scheme = value.get(..7)?;
    if !scheme.eq_ignore_ascii_case("mailto:") {
        return None;
    }
    let address = percent_decoded(value[7..].split('?').next()?.trim())?;
    let is_plain = !address.contains(|char: char| char.is_whitespace() || char.is_control());
    (address.len() <= 254 && address.contains('@') && is_plain).then(|| address.to_lowercase())
}

/// The CAL-ADDRESS of a mail address (RFC 6068 §2): what has another meaning in a URI is percent-encoded. `None` if it is
/// no address, or one with a quoted local part.
pub(super) fn mailto(mail: &str) -> Option<String> {
    let (local, domain) = mail.rsplit_once('@')?;
    let unfit =
        |char: char| char.is_whitespace() || char.is_control() || "\"()<>[],;:\\@".contains(char);
    if [local, domain]
        .iter()
        .any(|part| part.is_empty() || part.contains(unfit))
    {
        return None;
    }
    let mut uri = String::from("mailto:");
    for byte in mail.bytes() {
        if byte.is_ascii_alphanumeric() || b"@-._~!$'*+".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16)?;
                uri.push(digit.to_ascii_uppercase());
            }
        }
    }
    Some(uri)
}

/// Undoes percent-encoding. A sign that begins none stands for itself: not every calendar encodes.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let encoded = after
            .split_first_chunk()
            .filter(|_| *first == b'%')
            .and_then(|([high, low], after)| {
                Some(((hexadecimal(*high)? << 4) | hexadecimal(*low)?, after))
            });
        let (byte, after) = encoded.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        let civil = jiff::civil::date(2026, 12, 7).at(9, 0, 0, 0);
        assert_eq!(When::parse("20261207T090000"), Some(When::Civil(civil)));
        assert_eq!(When::parse("20261207"), Some(When::Date(civil.date())));
        assert!(matches!(
            When::parse("20261207T090000Z"),
            Some(When::Utc(_))
        ));
        assert!(When::parse("20161231T235960Z").is_some());
        for text in [
            "",
            "T",
            "2026",
            "20260230",
            "20261207T",
            "20261207T0900",
            "20261207T250000",
            "20261207T090000ZZ",
            "+0261207",
            "2026120٧",
            "20261207T09000٠",
            "202612070",
        ] {
            assert_eq!(When::parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs());
        assert_eq!(seconds("PT15M"), Some(900));
        assert_eq!(seconds("-P1DT1H"), Some(-90_000));
        assert_eq!(seconds("P2W"), Some(14 * 86_400));
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "P1H",
            "PT1D",
            "1D",
            "P-1D",
            "PTT1S",
            "P9999999999D",
            "PÄ",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_are_written_as_uris_and_read_back() {
        for (mail, uri) in [
            ("anna@example.org", "mailto:anna@example.org"),
            ("a.b+c_d-e@example.org", "mailto:a.b+c_d-e@example.org"),
            (
                "who?am&i=x@example.org",
                "mailto:who%3Fam%26i%3Dx@example.org",
            ),
            (
                "100%25/#{a}^`|~@example.org",
                "mailto:100%2525%2F%23%7Ba%7D%5E%60%7C~@example.org",
            ),
            ("j\u{fc}rgen@example.org", "mailto:j%C3%BCrgen@example.org"),
        ] {
            assert_eq!(mailto(mail).as_deref(), Some(uri));
            assert_eq!(address(uri).as_deref(), Some(mail));
        }
        for mail in [
            "",
            "anna",
            "@b.de",
            "anna@",
            "a b@c.de",
            "a@b@c.de",
            "\"a\"@b.de",
            "a@b.de,c@d.de",
            "a@b.de\nX:Y",
        ] {
            assert_eq!(mailto(mail), None, "{mail}");
        }
        // Calendars that do not encode.
        assert_eq!(address("mailto:50%/50@b.de"), Some("50%/50@b.de".into()));
        assert_eq!(
            address("mailto:a%3fb@c.de?subject=x"),
            Some("a?b@c.de".into())
        );
        for text in [
            "mailto:a%0D%0AX@b.de",
            "mailto:a%20b@c.de",
            "mailto:%FF@b.de",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_and_addresses() {
        assert_eq!(offset("-0330"), Offset::from_seconds(-12_600).ok());
        assert_eq!(offset("+002030"), Offset::from_seconds(1_230).ok());
        for text in ["", "0100", "+1", "+010", "+01000", "+0a00", "+9900"] {
            assert_eq!(offset(text), None, "{text}");
        }
        assert_eq!(
            address("MAILTO:Anna@Example.org"),
            Some("anna@example.org".into())
        );
        assert_eq!(address("mailto:a@b.de?subject=x"), Some("a@b.de".into()));
        for text in [
            "",
            "a@b.de",
            "mailto:",
            "mailto:anna",
            "mailto:a b@c.de",
            "http://a@b",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
