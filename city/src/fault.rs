//! What is wrong with a city's files: every fault with its place, its reason and its cure.

use std::fmt;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, relative to the city's directory: `city.toml`, `faq/city.de.md`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The dotted path of the setting: `offices.gewerbe.hours.monday`. Empty in Markdown files.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub cure: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.problem, self.cure)
    }
}

/// Why a city's files were refused: all faults at once, ordered by file and line, at least one.
/// Shown with one fault a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CityErrors(pub Vec<Fault>);

impl fmt::Display for CityErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

/// Line and column, both from 1, of a byte offset. An offset inside a character counts as its start.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// `value` in quotation marks, shortened, fit for an error line.
pub(crate) fn quoted(value: &str) -> String {
    let short: String = value.chars().take(60).collect();
    let dots = if short.len() < value.len() { "…" } else { "" };
    format!("\"{}{dots}\"", short.escape_debug())
}

/// The candidate a mistyped `word` most likely means.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).clamp(1, 3))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        assert_eq!(place("ab\nüöx", 0), (1, 1));
        assert_eq!(place("ab\nüöx", 7), (2, 3));
        assert_eq!(place("ab\nüöx", 4), (2, 1), "inside a character");
        assert_eq!(place("ab\n", 99), (2, 1));
    }

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        let keys = ["minutes", "documents", "name"];
        assert_eq!(did_you_mean("minuets", keys), Some("minutes"));
        assert_eq!(did_you_mean("document", keys), Some("documents"));
        assert_eq!(did_you_mean("address", keys), None);
    }
}
