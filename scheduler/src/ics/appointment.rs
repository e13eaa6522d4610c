//! What an invitation says.

use jiff::{SignedDuration, Timestamp};

/// A person or office in an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name, as calendars show it.
    pub name: String,
    /// The mail address.
    pub mail: String,
}

impl Person {
    /// A person whose name is fit for a parameter (RFC 5545 §3.2): what cannot stand there is replaced.
    #[must_use]
    pub fn new(name: &str, mail: &str) -> Self {
        Self {
            name: fit_for_parameter(name),
            mail: mail.trim().to_owned(),
        }
    }
}

/// A text as a parameter carries it (RFC 5545 §3.2): what cannot stand there is replaced.
pub(super) fn fit_for_parameter(text: &str) -> String {
    let fit: String = text
        .chars()
        .map(|char| match char {
            // Some readers take ^ for an escape (RFC 6868), others show the escape.
            '"' | '^' => '\'',
            char if char.is_control() => ' ',
            char => char,
        })
        .collect();
    fit.trim().to_owned()
}

/// Where an attendee stands (RFC 5545 §3.2.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Participation {
    /// Has not answered.
    NeedsAction,
    /// Comes.
    Accepted,
    /// Comes perhaps.
    Tentative,
    /// Does not come.
    Declined,
}

/// Somebody who is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Who.
    pub person: Person,
    /// What the person has answered.
    pub participation: Participation,
    /// Whether an answer is asked for.
    pub rsvp: bool,
}

/// A reminder that the citizen's calendar gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// How long before the start.
    pub before: SignedDuration,
    /// What it says.
    pub text: String,
}

/// An appointment as its calendar object. The same values always give the same text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// Stays the same as long as the booking lives, see [`uid`].
    pub uid: String,
    /// Rises with each change of time, place or cancellation; 0 at first (RFC 5545 §3.8.7.4).
    pub sequence: u32,
    /// When this version was made.
    pub stamp: Timestamp,
    /// The start.
    pub start: Timestamp,
    /// The end, without the buffer.
    pub end: Timestamp,
    /// Whether it was called off.
    pub cancelled: bool,
    /// The office.
    pub organizer: Person,
    /// Citizen, interpreter, companion; each mail should show its reader only those who may be known.
    pub attendees: Vec<Attendee>,
    /// The title.
    pub summary: String,
    /// More words; the link is added unless they hold it.
    pub description: String,
    /// The place in words, or empty; the link is added unless they hold it.
    pub location: String,
    /// The link of the reader's own.
    pub link: String,
    /// What the link is for: "Join the conversation". What cannot stand in a parameter is replaced.
    pub link_label: String,
    /// Reminders.
    pub alarms: Vec<Alarm>,
}

/// A UID nobody can guess, out of 128 random bits. Whoever answers with it was invited.
#[must_use]
pub fn uid(random: [u8; 16], domain: &str) -> String {
    format!("{:032x}@{domain}", u128::from_be_bytes(random))
}

/// What a calendar object is for (RFC 5546 §1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// To be looked at: a download, a feed.
    Publish,
    /// An invitation or a change of it.
    Request,
    /// The appointment is called off.
    Cancel,
    /// The proposed other time is not taken.
    DeclineCounter,
}

impl Method {
    /// As it stands in `METHOD`, and in the mail's `Content-Type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
            Self::DeclineCounter => "DECLINECOUNTER",
        }
    }
}
