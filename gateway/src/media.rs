//! Files people send: what they are, and what they may be called.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clean::turns_direction;

/// The longest name of a file, in characters.
pub const NAME_LIMIT: usize = 120;

/// What a file is, told by its first bytes; what the browser says of it counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// A PDF document.
    Pdf,
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A WebP picture.
    Webp,
}

impl Media {
    /// Every accepted kind.
    pub const ALL: [Self; 4] = [Self::Pdf, Self::Jpeg, Self::Png, Self::Webp];

    /// Tells the kind by its signature (WHATWG MIME Sniffing, section 6); `None` if it is not accepted.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                b'V',
                b'P',
                ..,
            ] => Some(Self::Webp),
            _ => None,
        }
    }

    /// The kind of a checked media type.
    #[must_use]
    pub fn of_type(media_type: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|media| media.media_type() == media_type)
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// Whether a browser may show it inside the page.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        match self {
            Self::Pdf => false,
            Self::Jpeg | Self::Png | Self::Webp => true,
        }
    }

    /// The endings its names have; the usual one first.
    const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Webp => &["webp"],
        }
    }
}

/// A name that is safe on every desk: no path, no control or direction characters, none that Windows
/// forbids, at most [`NAME_LIMIT`] characters, and an ending that says what the file is, since desks open
/// files by their endings.
#[must_use]
pub fn clean_name(name: &str, media: Media) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .filter(|&c| !turns_direction(c))
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            c if c.is_control() || c.is_whitespace() => ' ',
            c => c,
        })
        .collect();
    let kept = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept = kept.trim_matches(['.', ' ']);
    let (stem, ending) = match kept.rsplit_once('.') {
        Some((stem, ending))
            if media
                .endings()
                .iter()
                .any(|known| known.eq_ignore_ascii_case(ending)) =>
        {
            (stem, ending)
        }
        _ => (kept, media.endings()[0]),
    };
    let room = NAME_LIMIT - ending.len() - 1;
    let stem: String = stem.chars().take(room).collect();
    let stem = match stem.trim_matches(['.', ' ']) {
        "" => "datei",
        stem => stem,
    };
    format!("{stem}.{ending}")
}

/// `Content-Disposition` with the name in both forms (RFC 6266, RFC 8187): ASCII for old programs, UTF-8
/// for all others.
#[must_use]
pub fn content_disposition(name: &str, inline: bool) -> String {
    /// All but the `attr-char` of RFC 8187, section 3.2.1.
    const ATTR: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'!')
        .remove(b'#')
        .remove(b'$')
        .remove(b'&')
        .remove(b'+')
        .remove(b'-')
        .remove(b'.')
        .remove(b'^')
        .remove(b'_')
        .remove(b'`')
        .remove(b'|')
        .remove(b'~');
    let kind = if inline { "inline" } else { "attachment" };
    let ascii: String = name
        .chars()
        .map(|c| match c {
            // `%` is left out too: some programs decode it.
            '"' | '\\' | '%' => '_',
            ' '..='~' => c,
            _ => '_',
        })
        .collect();
    let utf8 = utf8_percent_encode(name, ATTR);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tells_files_by_their_first_bytes() {
        assert_eq!(Media::sniff(b"%PDF-1.7\n"), Some(Media::Pdf));
        assert_eq!(Media::sniff(&[0xFF, 0xD8, 0xFF, 0xE0]), Some(Media::Jpeg));
        assert_eq!(Media::sniff(b"\x89PNG\r\n\x1a\n...."), Some(Media::Png));
        assert_eq!(Media::sniff(b"RIFF\0\0\0\0WEBPVP8 "), Some(Media::Webp));
        for other in [
            &b""[..],
            b"<svg",
            b"GIF89a",
            b"MZ\x90\0",
            b"RIFF\0\0\0\0WAVE",
            b" %PDF-",
        ] {
            assert_eq!(Media::sniff(other), None);
        }
    }

    #[test]
    fn names_lose_paths_and_disguises() {
        let clean = |name| clean_name(name, Media::Pdf);
        assert_eq!(clean("../../etc/passwd"), "passwd.pdf");
        assert_eq!(
            clean(r"C:\Users\anna\Ausweis Rückseite.PDF"),
            "Ausweis Rückseite.PDF"
        );
        assert_eq!(clean("rechnung.pdf.exe"), "rechnung.pdf.exe.pdf");
        assert_eq!(clean("gpj.\u{202E}fdp.exe"), "gpj.fdp.exe.pdf");
        assert_eq!(clean("a\0b\r\nc.pdf"), "a b c.pdf");
        assert_eq!(clean(".."), "datei.pdf");
        assert_eq!(clean(""), "datei.pdf");
        assert_eq!(clean(".pdf"), "pdf.pdf");
        assert_eq!(clean_name("bild.jpeg", Media::Jpeg), "bild.jpeg");
    }

    #[test]
    fn the_name_is_written_in_both_forms() {
        assert_eq!(
            content_disposition("Größe \"1\" 100%.pdf", false),
            "attachment; filename=\"Gr__e _1_ 100_.pdf\"; \
             filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22%20100%25.pdf"
        );
    }

    fn any_media() -> impl Strategy<Value = Media> {
        prop::sample::select(Media::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn sniffing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(media) = Media::sniff(&bytes) {
                prop_assert_eq!(Media::of_type(media.media_type()), Some(media));
            }
        }

        #[test]
        fn cleaned_names_are_safe_and_stable(name in any::<String>(), media in any_media()) {
            let clean = clean_name(&name, media);
            prop_assert!(clean.chars().count() <= NAME_LIMIT);
            let forbidden = |c: char| {
                c.is_control() || turns_direction(c) || "/\\<>:\"|?*".contains(c)
            };
            prop_assert!(!clean.contains(forbidden), "{:?}", clean);
            prop_assert!(!clean.starts_with(['.', ' ']));
            let ending = clean.rsplit('.').next().unwrap().to_ascii_lowercase();
            prop_assert!(media.endings().contains(&ending.as_str()));
            prop_assert_eq!(clean_name(&clean, media), clean);
        }

        #[test]
        fn a_disposition_is_always_a_header(name in any::<String>(), inline in any::<bool>()) {
            let value = content_disposition(&name, inline);
            prop_assert!(value.is_ascii());
            prop_assert_eq!(value.matches('"').count(), 2);
            prop_assert!(HeaderValue::from_str(&value).is_ok());
        }
    }
}
