//! Reads what calendars of citizens answer: iTIP `REPLY` and `COUNTER` (RFC 5546 §3.2.3, §3.2.7).

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    tree::Component,
    value::{When, address, duration},
    zones::Zones,
};
use crate::slots::Span;

/// The largest calendar that is read as an answer, in bytes.
pub const LARGEST_RESPONSE: usize = 256 * 1024;

/// The longest comment that is kept, in characters.
const LONGEST_COMMENT: usize = 500;

/// Why a text is not read as a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Larger, deeper or fuller than allowed.
    #[error("is larger than a calendar may be")]
    TooMuch,
    /// A line is no content line.
    #[error("holds a line that is not iCalendar")]
    Form,
    /// Components are not nested as they should be.
    #[error("is not one whole calendar")]
    Structure,
    /// A property is missing.
    #[error("lacks {0}")]
    Missing(&'static str),
    /// A property stands there more than once.
    #[error("has {0} more than once")]
    Twice(&'static str),
    /// A property's value is wrong.
    #[error("has a wrong {0}")]
    Value(&'static str),
    /// The calendar is something else than what was asked for.
    #[error("is not an answer to an invitation")]
    Other,
}

/// An attendee's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Comes.
    Accepted,
    /// Comes perhaps.
    Tentative,
    /// Does not come.
    Declined,
    /// Wants another time; the answer is a `DECLINECOUNTER` with the link to move it.
    Counter {
        /// The time proposed, if it is a sensible one.
        proposed: Option<Span>,
    },
}

/// What an attendee's calendar sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The appointment's UID.
    pub uid: String,
    /// The version of the appointment that is answered.
    pub sequence: u32,
    /// When the answer was given.
    pub stamp: Timestamp,
    /// Who answers: a mail address in small letters.
    pub attendee: String,
    /// What.
    pub answer: Answer,
    /// A word with it: at most 500 characters, line breaks the only control characters.
    pub comment: Option<String>,
}

/// What the office knows of the appointment an answer may be about.
#[derive(Debug, Clone, Copy)]
pub struct Invitation<'a> {
    /// Its unguessable UID.
    pub uid: &'a str,
    /// Its version.
    pub sequence: u32,
    /// The mail address of the person who was invited.
    pub attendee: &'a str,
    /// When that person's last answer was given.
    pub last_answer: Option<Timestamp>,
}

/// Why an answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCounted {
    /// It is about something else. The UID is the secret that only those who were invited know.
    #[error("is about another appointment")]
    OtherAppointment,
    /// It is from somebody who was not invited.
    #[error("is from somebody who was not invited")]
    NotInvited,
    /// It answers a version before the last move (RFC 5546 §2.1.5).
    #[error("answers an earlier version")]
    Outdated,
    /// A newer answer has come already.
    #[error("is older than the last answer")]
    Overtaken,
}

impl Response {
    /// Reads a `REPLY` or `COUNTER` about one appointment. `zone` holds for times that name none.
    pub fn read(bytes: &[u8], zone: &TimeZone) -> Result<Self, ReadError> {
        let text = decode(bytes, LARGEST_RESPONSE)?;
        let calendar = Component::read(&text)?;
        let is_counter = match calendar.only("METHOD")?.value.trim() {
            method if method.eq_ignore_ascii_case("REPLY") => false,
            method if method.eq_ignore_ascii_case("COUNTER") => true,
            _ => return Err(ReadError::Other),
        };
        let mut events = calendar
            .children
            .iter()
            .filter(|child| child.name == "VEVENT");
        let (Some(event), None) = (events.next(), events.next()) else {
            return Err(ReadError::Other);
        };
        let uid = event.only("UID")?.text();
        if uid.is_empty() || uid.len() > 255 || uid.contains(char::is_control) {
            return Err(ReadError::Value("UID"));
        }
        let When::Utc(stamp) =
            When::parse(event.only("DTSTAMP")?.value.trim()).ok_or(ReadError::Value("DTSTAMP"))?
        else {
            return Err(ReadError::Value("DTSTAMP"));
        };
        let sequence = match event.first("SEQUENCE") {
            Some(_) => number(&event.only("SEQUENCE")?.value)?,
            None => 0,
        };
        // Of all attendees of a COUNTER, whoever sent it is known by the mail alone; one is what is usual.
        let attendee = event.only("ATTENDEE")?;
        let status = attendee.parameter("PARTSTAT").unwrap_or_default();
        let answer = if is_counter {
            let zones = Zones::of(&calendar, zone);
            Answer::Counter {
                proposed: proposed(event, &zones),
            }
        } else {
            match status.to_ascii_uppercase().as_str() {
                "ACCEPTED" => Answer::Accepted,
                "TENTATIVE" => Answer::Tentative,
                "DECLINED" => Answer::Declined,
                _ => return Err(ReadError::Value("PARTSTAT")),
            }
        };
        Ok(Self {
            uid,
            sequence,
            stamp,
            attendee: address(&attendee.value).ok_or(ReadError::Value("ATTENDEE"))?,
            answer,
            comment: event
                .first("COMMENT")
                .and_then(|line| comment(&line.text())),
        })
    }

    /// Whether the answer counts for an appointment. It never does for one whose UID it does not name.
    pub fn counts_for(&self, invitation: &Invitation<'_>) -> Result<(), NotCounted> {
        if self.uid != invitation.uid {
            Err(NotCounted::OtherAppointment)
        } else if self.attendee != invitation.attendee.to_lowercase() {
            Err(NotCounted::NotInvited)
        } else if self.sequence < invitation.sequence {
            Err(NotCounted::Outdated)
        } else if invitation.last_answer.is_some_and(|last| self.stamp < last) {
            Err(NotCounted::Overtaken)
        } else {
            Ok(())
        }
    }
}

/// The text of a calendar file: UTF-8; what is none is replaced, for names and words decide nothing.
pub(super) fn decode(bytes: &[u8], most: usize) -> Result<Cow<'_, str>, ReadError> {
    if bytes.len() > most {
        return Err(ReadError::TooMuch);
    }
    Ok(String::from_utf8_lossy(bytes))
}

fn number(value: &str) -> Result<u32, ReadError> {
    let value = value.trim();
    value
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| value.parse().ok())
        .flatten()
        .ok_or(ReadError::Value("SEQUENCE"))
}

fn proposed(event: &Component, zones: &Zones) -> Option<Span> {
    let start_line = event.first("DTSTART")?;
    let start = zones.instant(start_line)?;
    let end = match event.first("DTEND") {
        Some(end) => zones.instant(end)?,
        None => start
            .checked_add(duration(event.first("DURATION")?.value.trim())?)
            .ok()?,
    };
    let sensible = start < end && end.duration_since(start) <= SignedDuration::from_hours(24);
    sensible.then_some(Span { start, end })
}

fn comment(text: &str) -> Option<String> {
    let clean: String = text
        .chars()
        .filter(|char| *char == '\n' || !char.is_control())
        .take(LONGEST_COMMENT)
        .collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}
