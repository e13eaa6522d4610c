//! Strings from strangers.

/// At most `limit` characters, without control characters apart from line ends and tabs, trimmed.
pub(super) fn lines(text: &str, limit: usize) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .take(limit)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The same on one line.
pub(super) fn line(text: &str, limit: usize) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !is_direction_mark(*c))
        .take(limit)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Marks that let `gpj.exe` read as `exe.jpg`.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}
