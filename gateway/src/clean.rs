//! Text from strangers, made fit to be stored and shown. Lengths are counted in characters.

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// Nothing visible is left.
    Empty,
    /// Longer than this many characters.
    TooLong {
        /// The limit.
        max: usize,
    },
}

/// Several lines: line ends become `\n`, control characters other than newline and tab vanish, the edges
/// are trimmed. Markup stays as it was written: it is text, and whoever shows it escapes it.
pub fn paragraphs(text: &str, max: usize) -> Result<String, TextFault> {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = unified
        .chars()
        .filter(|&c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect();
    checked(kept.trim(), max)
}

/// One line, as for a name: every run of white space becomes one space; control characters and marks that
/// turn the reading direction vanish, since they would change how the words around the name are read.
pub fn line(text: &str, max: usize) -> Result<String, TextFault> {
    let kept: String = text
        .chars()
        .filter(|&c| c.is_whitespace() || !(c.is_control() || turns_direction(c)))
        .collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    checked(&words.join(" "), max)
}

fn checked(text: &str, max: usize) -> Result<String, TextFault> {
    if text.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        Err(TextFault::Empty)
    } else if text.chars().count() > max {
        Err(TextFault::TooLong { max })
    } else {
        Ok(text.to_owned())
    }
}

/// Whether a text is a mail address as people have them (RFC 5321 §4.1.2): no quoted local part, no address
/// literal, nothing that could be read as a second recipient.
#[must_use]
pub fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let atom = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
    };
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 254
        && local.len() <= 64
        && local.split('.').all(atom)
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// The `Bidi_Control` characters of Unicode (UAX #9).
pub(crate) fn turns_direction(c: char) -> bool {
    matches!(
        c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

/// Characters that leave nothing on the screen when they stand alone.
fn is_invisible(c: char) -> bool {
    turns_direction(c)
        || matches!(
            c,
            '\u{00AD}'
                | '\u{034F}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{180B}'..='\u{180E}'
                | '\u{200B}'..='\u{200D}'
                | '\u{2060}'..='\u{2065}'
                | '\u{206A}'..='\u{206F}'
                | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_what_people_write() {
        assert_eq!(
            paragraphs("  Ich möchte ein\r\nGewerbe\tanmelden.\u{0}\u{7}\r ", 1000).unwrap(),
            "Ich möchte ein\nGewerbe\tanmelden."
        );
        assert_eq!(paragraphs("<b>1 < 2</b>", 20).unwrap(), "<b>1 < 2</b>");
        assert_eq!(line(" Jürgen\n\t Müller ", 80).unwrap(), "Jürgen Müller");
        assert_eq!(line("an\u{202E}na\u{2066}", 80).unwrap(), "anna");
        assert_eq!(line("محمد", 80).unwrap(), "محمد");
    }

    #[test]
    fn mail_addresses_are_what_people_have() {
        for mail in ["a@b.de", "erika.mustermann+amt@stadt.example"] {
            assert!(is_mail(mail), "{mail}");
        }
        for bad in [
            "",
            "a",
            "@b.de",
            "a@b",
            "a@b.de,c@d.de",
            "a b@c.de",
            "<a@b.de>",
            "a@b.de\r\nBcc: c@d.de",
            ".a@b.de",
            "a..b@c.de",
            "a@-b.de",
            "a@b..de",
            "\"a\"@b.de",
            "a@[127.0.0.1]",
            "a@b.de>",
            "jürgen@b.de",
        ] {
            assert!(!is_mail(bad), "{bad:?}");
        }
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert!(paragraphs(&"ä".repeat(1000), 1000).is_ok());
        assert_eq!(
            paragraphs(&"ä".repeat(1001), 1000),
            Err(TextFault::TooLong { max: 1000 })
        );
    }

    #[test]
    fn nothing_visible_is_empty() {
        for text in [
            "",
            " \n\t",
            "\u{200B}\u{200B}",
            "\u{0}\u{1b}",
            "\u{2060} \u{FEFF}",
        ] {
            assert_eq!(paragraphs(text, 10), Err(TextFault::Empty), "{text:?}");
            assert_eq!(line(text, 10), Err(TextFault::Empty), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn paragraphs_hold_no_controls_and_are_stable(text in any::<String>(), max in 1..200_usize) {
            if let Ok(clean) = paragraphs(&text, max) {
                prop_assert!(clean.chars().count() <= max);
                prop_assert!(!clean.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
                prop_assert_eq!(clean.trim(), clean.as_str());
                prop_assert_eq!(paragraphs(&clean, max), Ok(clean.clone()));
            }
        }

        #[test]
        fn a_line_is_one_line_and_stable(text in any::<String>(), max in 1..200_usize) {
            if let Ok(clean) = line(&text, max) {
                prop_assert!((1..=max).contains(&clean.chars().count()));
                prop_assert!(!clean.chars().any(|c| c.is_control() || turns_direction(c)));
                prop_assert!(!clean.contains("  "));
                prop_assert_eq!(line(&clean, max), Ok(clean.clone()));
            }
        }
    }
}
