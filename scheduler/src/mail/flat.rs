//! Makes a mail flat before a parser sees it: mails in it become text.
//!
//! Nothing that is read here stands in a mail in the mail, but a parser takes each for a part of the last, as deep as a
//! mail is long, and looks into encoded ones as well. So each `Content-Type` is looked at beforehand, and only types that
//! are known to open nothing are left. The parser is generous about what a header is: blanks in its name, and a header
//! in the middle of a line behind a boundary, are none the less headers to it. So every colon behind such a name counts,
//! wherever it stands; in a text, one letter more or less is no harm.

use super::MailError;

/// The most parts of a mail: each may make the parser look through all the rest for its end.
const MOST_PARTS: usize = 1000;

const NAME: &[u8] = b"content-type";

/// What mails in mails are called, and what they are instead, in as many letters.
const MAIL: &[u8] = b"message/rfc822";
/// Its type and subtype, as the parser tells them.
pub(super) const WAS_MAIL: (&str, &str) = ("text", "x-rfc822");
const TEXT: &[u8; MAIL.len()] = b"text/x-rfc822 ";

/// Types none of whose subtypes opens anything.
const PLAIN: [&[u8]; 7] = [
    b"text/",
    b"application/",
    b"image/",
    b"audio/",
    b"video/",
    b"font/",
    b"model/",
];

/// Subtypes that open nothing, of types that have others.
const KNOWN: [&[u8]; 14] = [
    b"multipart/mixed",
    b"multipart/alternative",
    b"multipart/related",
    b"multipart/report",
    b"multipart/signed",
    b"multipart/encrypted",
    b"multipart/appledouble",
    b"multipart/form-data",
    b"message/delivery-status",
    b"message/disposition-notification",
    b"message/feedback-report",
    b"message/global-delivery-status",
    b"message/global-disposition-notification",
    b"message/global-headers",
];

/// The mail with text in place of mails, as long as it was.
pub(super) fn flat(bytes: &[u8]) -> Result<Vec<u8>, MailError> {
    let mut flat = bytes.to_vec();
    let mut parts = 0;
    for (colon, byte) in bytes.iter().enumerate() {
        let name = (*byte == b':').then(|| name_before(bytes, colon));
        let Some(name) = name.flatten() else {
            continue;
        };
        parts += 1;
        if parts > MOST_PARTS {
            return Err(MailError::TooMuch);
        }
        let start = value_from(bytes, colon + 1);
        let value = &bytes[start..];
        if is(value, MAIL) {
            flat[start..start + MAIL.len()].copy_from_slice(TEXT);
        } else if !PLAIN.iter().any(|plain| begins(value, plain))
            && !KNOWN.iter().any(|known| is(value, known))
        {
            flat[name] = b'x';
        }
    }
    Ok(flat)
}

/// Where the name `Content-Type` before a colon begins, if that is what stands there.
fn name_before(bytes: &[u8], colon: usize) -> Option<usize> {
    let mut left = NAME.iter().rev();
    let mut wanted = left.next()?;
    for (at, byte) in bytes[..colon].iter().enumerate().rev() {
        if *byte == b'\n' {
            return None;
        }
        if byte.is_ascii_whitespace() {
            continue;
        }
        if byte.to_ascii_lowercase() != *wanted {
            return None;
        }
        match left.next() {
            Some(next) => wanted = next,
            None => return Some(at),
        }
    }
    None
}

/// Where a header's value begins behind blanks and folds.
fn value_from(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        let fold = *byte == b'\n' && matches!(bytes.get(at + 1), Some(b' ' | b'\t'));
        if !fold && !matches!(byte, b' ' | b'\t' | b'\r') {
            break;
        }
        at += 1;
    }
    at
}

fn begins(value: &[u8], word: &[u8]) -> bool {
    value
        .get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Whether the value is this type and nothing that a comment could turn into another.
fn is(value: &[u8], kind: &[u8]) -> bool {
    if !begins(value, kind) {
        return false;
    }
    let rest = &value[kind.len()..];
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    matches!(
        &rest[blanks..],
        [] | [b';' | b'\n', ..] | [b'\r', b'\n', ..]
    )
}
