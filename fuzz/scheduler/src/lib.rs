//! What must hold for any bytes; shared by the fuzz targets and the test that replays their corpus.

use jiff::{Timestamp, tz::TimeZone};
use scheduler::{
    ics::{Response, read_busy},
    mail::{Bounce, Mail, Received},
    slots::Span,
};

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC)
}

fn is_clean(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.contains(|char: char| char.is_control() && char != '\n')
}

fn is_sound(response: &Response) {
    assert!(!response.uid.is_empty() && is_clean(&response.uid, 255));
    assert!(response.attendee.contains('@') && is_clean(&response.attendee, 254));
    assert!(
        response
            .comment
            .as_deref()
            .is_none_or(|comment| is_clean(comment, 500))
    );
}

/// An answer is complete and clean, or refused.
///
/// # Panics
/// If it is not.
pub fn response(bytes: &[u8]) {
    if let Ok(response) = Response::read(bytes, &berlin()) {
        is_sound(&response);
    }
}

/// Busy times lie in the window, in order, apart.
///
/// # Panics
/// If they do not.
pub fn busy(bytes: &[u8]) {
    let window = Span {
        start: Timestamp::constant(1_796_000_000, 0),
        end: Timestamp::constant(1_804_000_000, 0),
    };
    let Ok(times) = read_busy(bytes, window, &berlin()) else {
        return;
    };
    for span in &times.spans {
        assert!(window.start <= span.start && span.start < span.end && span.end <= window.end);
    }
    for pair in times.spans.windows(2) {
        assert!(pair[0].end < pair[1].start);
    }
}

/// As an answer; a bounce names an address and a status. The addresses it was sent to are few and clean.
///
/// # Panics
/// If it does not.
pub fn mail(bytes: &[u8]) {
    let Ok(Received { to, mail }) = Received::read(bytes, &berlin()) else {
        return;
    };
    assert!(to.len() <= 16 && to.iter().all(|address| is_clean(address, 254)));
    match mail {
        Mail::Answer { from, response } => {
            assert!(from.as_deref().is_none_or(|from| is_clean(from, 254)));
            is_sound(&response);
        }
        Mail::Bounce(Bounce {
            recipient,
            status,
            message_id,
        }) => {
            assert!(is_clean(&recipient, 254) && is_clean(&status, 11));
            assert!(message_id.as_deref().is_none_or(|id| is_clean(id, 255)));
        }
    }
}
