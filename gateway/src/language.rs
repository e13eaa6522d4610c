//! Which language to answer in.

use axum::http::{HeaderMap, header};
use bridge::ids::Language;

/// The language the browser likes best among those the product speaks (RFC 9110, section 12.5.4).
#[must_use]
pub(crate) fn of_headers(headers: &HeaderMap) -> Option<Language> {
    let mut best: Option<(u16, Language)> = None;
    let ranges = headers
        .get_all(header::ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(1000, weight);
        let primary = tag.split('-').next().unwrap_or_default();
        let known = primary.to_ascii_lowercase().parse::<Language>();
        if let Ok(language) = known
            && weight > 0
            && best.is_none_or(|(before, _)| weight > before)
        {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// A weight in thousandths; what is not a weight counts as none.
fn weight(text: &str) -> u16 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let thousandths = || -> Option<u16> {
        let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
        let part: u16 = format!("{part:0<3}").get(..3)?.parse().ok()?;
        Some((whole * 1000 + part).min(1000))
    };
    thousandths().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wished(text: &str) -> Option<Language> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, text.parse().unwrap());
        of_headers(&headers)
    }

    #[test]
    fn the_heaviest_known_language_wins() {
        assert_eq!(wished("fr, en-GB;q=0.8, de;q=0.9"), Some(Language::De));
        assert_eq!(wished("EN-us,de;q=0.5"), Some(Language::En));
        assert_eq!(wished("de;q=0, en;q=0.001"), Some(Language::En));
        assert_eq!(wished("de,en"), Some(Language::De));
        assert_eq!(wished("fr;q=1, *;q=0.1"), None);
        assert_eq!(wished(";;;q=9,=,de;q=nonsense"), None);
        assert_eq!(of_headers(&HeaderMap::new()), None);
    }
}
