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
    let address = value[7..].split('?').next()?.trim();
    (address.len() <= 254 && address.contains('@') && !address.contains(char::is_whitespace))
        .then(|| address.to_lowercase())
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
