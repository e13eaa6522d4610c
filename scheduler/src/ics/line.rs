//! Content lines (RFC 5545 §3.1): unfolding, names, parameters, values.

use super::read::ReadError;

/// The longest unfolded line that is read, in bytes.
pub(super) const LONGEST_LINE: usize = 64 * 1024;

/// The most parameters of one line.
const MOST_PARAMETERS: usize = 64;

/// One content line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The property's name in capitals.
    pub name: String,
    /// Parameters: names in capitals, values without quotation marks.
    pub parameters: Vec<(String, String)>,
    /// The value as it stands, escapes included.
    pub value: String,
}

impl Line {
    /// The first value of a parameter. `name` in capitals.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value as a TEXT (RFC 5545 §3.3.11) with its escapes undone.
    #[must_use]
    pub fn text(&self) -> String {
        unescape(&self.value)
    }

    /// Reads an unfolded line.
    pub(super) fn parse(text: &str) -> Result<Self, ReadError> {
        let end = text
            .find([':', ';'])
            .filter(|end| *end > 0)
            .ok_or(ReadError::Form)?;
        let name = &text[..end];
        if !is_name(name) {
            return Err(ReadError::Form);
        }
        let mut rest = &text[end..];
        let mut parameters = Vec::new();
        while let Some(parameter) = rest.strip_prefix(';') {
            let (key, after) = parameter.split_once('=').ok_or(ReadError::Form)?;
            if !is_name(key) {
                return Err(ReadError::Form);
            }
            rest = parameter_values(&key.to_ascii_uppercase(), after, &mut parameters)?;
        }
        let value = rest.strip_prefix(':').ok_or(ReadError::Form)?;
        Ok(Self {
            name: name.to_ascii_uppercase(),
            parameters,
            value: value.to_owned(),
        })
    }
}

/// Reads the values of a parameter, separated by commas, each plain or quoted; what follows them.
fn parameter_values<'a>(
    key: &str,
    text: &'a str,
    parameters: &mut Vec<(String, String)>,
) -> Result<&'a str, ReadError> {
    let mut rest = text;
    loop {
        let value = if let Some(quoted) = rest.strip_prefix('"') {
            let (value, after) = quoted.split_once('"').ok_or(ReadError::Form)?;
            rest = after;
            value
        } else {
            let end = rest.find([':', ';', ',', '"']).ok_or(ReadError::Form)?;
            let (value, after) = rest.split_at(end);
            rest = after;
            value
        };
        if parameters.len() >= MOST_PARAMETERS {
            return Err(ReadError::TooMuch);
        }
        parameters.push((key.to_owned(), value.to_owned()));
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with([';', ':']) => return Ok(rest),
            None => return Err(ReadError::Form),
        }
    }
}

/// `iana-token` and `x-name` are both letters, digits and hyphens.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Undoes folding; lines may end with CRLF or LF. Empty lines are left out.
pub(super) fn unfolded(text: &str) -> impl Iterator<Item = Result<String, ReadError>> + '_ {
    let mut physical = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .peekable();
    std::iter::from_fn(move || {
        let mut line = loop {
            let line = physical.next()?;
            if !line.is_empty() {
                break line.to_owned();
            }
        };
        while let Some(more) = physical
            .peek()
            .and_then(|next| next.strip_prefix([' ', '\t']))
        {
            if line.len() + more.len() > LONGEST_LINE {
                return Some(Err(ReadError::TooMuch));
            }
            line.push_str(more);
            physical.next();
        }
        if line.len() > LONGEST_LINE {
            return Some(Err(ReadError::TooMuch));
        }
        Some(Ok(line))
    })
}

/// Undoes the escapes of a TEXT. An unknown escape stays as it is.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => text.push('\n'),
            Some(escaped @ ('\\' | ';' | ',')) => text.push(escaped),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}
