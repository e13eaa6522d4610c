//! What the gateway needs of the house for appointments. The server implements [`Appointments`].

use std::fmt;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bridge::{
    ids::{GuestId, Language, OfficeSlug, ServiceId, VisitId},
    input::Refusal,
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};
use scheduler::slots::{LengthError, Refused};
use sha2::{Digest, Sha256};

/// The secret in a link, or of a chosen time: 256 bits nobody can guess, as base64url. Whoever has it may do what
/// its booker may.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// From 32 random bytes, or as many that come of a key.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a token; `None` if it has not the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// The secret itself. Only for the person it belongs to.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What is stored of it: its SHA-256 in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        let digest: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
        let hex = digest
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                use fmt::Write as _;
                // Writing to a string does not fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            });
        TokenHash(hex)
    }
}

impl fmt::Debug for Token {
    /// Secrets never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// What is stored of a [`Token`]. It lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHash(String);

impl TokenHash {
    /// 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which times are asked for.
#[derive(Debug, Clone)]
pub struct SlotQuery {
    /// One to four services, in one appointment.
    pub services: Vec<ServiceId>,
    /// The first day; the first bookable one if left out.
    pub from: Option<Date>,
    /// How many days, at most 62.
    pub days: u16,
}

/// A time that can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotView {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What the office's clock shows at the start.
    pub civil: DateTime,
    /// Tells two times apart that the clock shows twice.
    pub offset: Offset,
    /// How many more can begin then.
    pub free: u16,
}

/// The times of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// How long the appointment takes, in minutes.
    pub minutes: u16,
    /// The office's civil day.
    pub today: Date,
    /// The last bookable day.
    pub last_day: Date,
    /// In order.
    pub slots: Vec<SlotView>,
}

/// A time that nobody else can take for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// With it the booking is made.
    pub token: Token,
    /// When the appointment begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// Until when nobody else can take it.
    pub expires_at: Timestamp,
}

/// What a citizen tells to book. Checked by the gateway.
#[derive(Clone)]
pub struct Contact {
    /// One line, at most 80 characters.
    pub name: String,
    /// A mail address.
    pub mail: String,
    /// One line, at most 40 characters.
    pub phone: Option<String>,
    /// The language of mails and conversation.
    pub language: Language,
    /// The language an interpreter is needed for; one line, at most 60 characters.
    pub interpreter: Option<String>,
    /// What is needed to take part; at most 500 characters.
    pub accessibility: Option<String>,
    /// Somebody who comes along gets a mail with a link of their own.
    pub companion_mail: Option<String>,
}

impl fmt::Debug for Contact {
    /// Personal words never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact")
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// Where a booking stands, as its booker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingPhase {
    /// A time is held; the form is being filled in.
    Held,
    /// The link in the mail has to be followed.
    Unconfirmed,
    /// Counts.
    Confirmed,
    /// Has become a visit.
    Arrived,
    /// Cancelled.
    Cancelled,
    /// Was not confirmed in time.
    Expired,
    /// Nobody came.
    NoShow,
}

/// Whose link it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Who booked: may do everything.
    Booker,
    /// Has the link from the booker's calendar, which others may see: may look and arrive.
    Calendar,
    /// Translates: may look.
    Interpreter,
    /// Comes along: may look.
    Companion,
}

impl Holder {
    /// Whether this link lets one check in.
    #[must_use]
    pub const fn may_arrive(self) -> bool {
        match self {
            Self::Booker | Self::Calendar => true,
            Self::Interpreter | Self::Companion => false,
        }
    }
}

/// Another time that is held for a booking, to be taken by moving there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferView {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What the office's clock shows at the start.
    pub civil: DateTime,
    /// Until when it is held.
    pub until: Timestamp,
    /// Whether a clerk offers it; else the waiting list does.
    pub by_office: bool,
}

/// A booking's place among those of its office that wait for an earlier time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingView {
    /// 1 is offered the next one that suits.
    pub place: u32,
    /// How many there are.
    pub of: u32,
}

/// A booking as the holder of a link sees it. Those who come along see no name and no contact.
#[derive(Clone, PartialEq, Eq)]
pub struct BookingView {
    /// Whose link was used.
    pub holder: Holder,
    /// Where.
    pub office: OfficeSlug,
    /// What clerks and citizens call it.
    pub code: String,
    /// Where it stands.
    pub phase: BookingPhase,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What the office's clock shows at the start.
    pub civil: DateTime,
    /// What for.
    pub services: Vec<ServiceId>,
    /// The language of mails and conversation.
    pub language: Language,
    /// The booker's name, for the booker alone.
    pub name: Option<String>,
    /// While held or unconfirmed: when it lapses.
    pub expires_at: Option<Timestamp>,
    /// From when on one can check in.
    pub check_in_from: Timestamp,
    /// Whether the booker would take an earlier time.
    pub wants_earlier: bool,
    /// Another time that is held for the booker, for the booker alone.
    pub offer: Option<OfferView>,
    /// Its place on the waiting list, for the booker alone.
    pub waiting: Option<WaitingView>,
    /// The visit it has become, for those who may check in; none once it is over and checking in again is no longer possible.
    pub visit: Option<VisitId>,
}

/// What came of booking.
pub struct Booked {
    /// The booking.
    pub view: BookingView,
    /// The manage link's secret, if the mail need not be followed first.
    pub token: Option<Token>,
}

/// Why there is no appointment.
#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    /// No office of that slug.
    #[error("there is no such office")]
    UnknownOffice,
    /// Too many changes at once: nothing was stored, and trying again in a few seconds may work.
    #[error("the house is busy")]
    Busy,
    /// The office takes no appointments here.
    #[error("the office takes no appointments")]
    NotOffered,
    /// The office has no such service, or it cannot be booked.
    #[error("the office has no such service to book")]
    UnknownService,
    /// The services make no appointment.
    #[error("the services make no appointment: {0}")]
    Length(#[from] LengthError),
    /// The time cannot be had.
    #[error("the time cannot be had: {reason}")]
    NoSuchTime {
        /// Why.
        reason: Refused,
        /// The nearest times that can.
        nearest: Vec<SlotView>,
    },
    /// No booking goes by this secret.
    #[error("there is no such booking")]
    UnknownBooking,
    /// The hold, or the time to confirm, is over.
    #[error("it has lapsed")]
    Lapsed,
    /// The booking's state does not allow it.
    #[error("the booking's state does not allow it")]
    WrongState,
    /// Links of those who come along, and the one in the calendar, do not allow it.
    #[error("this link does not allow it")]
    NotYours,
    /// The mail address has as many appointments as it may have.
    #[error("too many appointments for one mail address")]
    TooMany,
    /// As many bookings of the mail address wait to be confirmed as may.
    #[error("too many bookings of one mail address wait to be confirmed")]
    TooManyUnconfirmed,
    /// The booking has given out as many links as it may.
    #[error("too many links of one booking")]
    TooManyLinks,
    /// The visit is open in another browser, and this link takes it from nobody.
    #[error("the visit is open in another browser")]
    Elsewhere,
    /// It is too early to check in.
    #[error("too early to check in")]
    TooEarly {
        /// From when on.
        from: Timestamp,
    },
    /// The queue's rules refuse the visit.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// A fault of ours. The cause is logged where it arose.
    #[error("internal fault")]
    Internal,
}

/// Appointments, as the gateway sees them.
#[async_trait]
pub trait Appointments: Send + Sync + 'static {
    /// The times that can be had.
    async fn slots(&self, office: &OfficeSlug, query: &SlotQuery) -> Result<Offer, BookingError>;

    /// Takes a time for a while.
    async fn hold(
        &self,
        office: &OfficeSlug,
        services: &[ServiceId],
        start: Timestamp,
    ) -> Result<Hold, BookingError>;

    /// Gives a held time back. Idempotent.
    async fn let_go(&self, token: &TokenHash) -> Result<(), BookingError>;

    /// Books the held time. From then on the hold's secret opens nothing; for some minutes it gives the same answer.
    async fn book(&self, token: &TokenHash, contact: Contact) -> Result<Booked, BookingError>;

    /// The booking.
    async fn booking(&self, token: &TokenHash) -> Result<BookingView, BookingError>;

    /// The link in the mail has been followed. Idempotent.
    async fn confirm(&self, token: &TokenHash) -> Result<BookingView, BookingError>;

    /// Takes another time, or keeps the old one when that cannot be had.
    async fn reschedule(
        &self,
        token: &TokenHash,
        start: Timestamp,
    ) -> Result<BookingView, BookingError>;

    /// Cancels. Idempotent.
    async fn cancel(&self, token: &TokenHash) -> Result<BookingView, BookingError>;

    /// The booking as an iCalendar file.
    async fn calendar(&self, token: &TokenHash) -> Result<String, BookingError>;

    /// An office's appointments, at the address with this secret; `None` if it leads nowhere.
    async fn feed(&self, token: &TokenHash) -> Result<Option<String>, BookingError>;

    /// A new link for somebody who comes along.
    async fn invite(&self, token: &TokenHash, holder: Holder) -> Result<Token, BookingError>;

    /// Whether the booker would take an earlier time.
    async fn want_earlier(
        &self,
        token: &TokenHash,
        wanted: bool,
    ) -> Result<BookingView, BookingError>;

    /// The booker does not want the time that is offered. Idempotent.
    async fn turn_down(&self, token: &TokenHash) -> Result<BookingView, BookingError>;

    /// The citizen is here: the booking becomes a visit of this guest. While it is one, the booker's own link makes it
    /// this guest's, and the guest before loses it. Idempotent for the same guest.
    async fn check_in(&self, token: &TokenHash, guest: &GuestId) -> Result<VisitId, BookingError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_hides_in_logs() {
        let token = Token::from_bytes([7; 32]);
        assert_eq!(Token::parse(token.secret()), Some(token.clone()));
        assert_eq!(format!("{token:?}"), "Token");
        assert_eq!(token.hash().as_str().len(), 64);
        for bad in ["", "abc", &"A".repeat(44), &format!("{}=", token.secret())] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }
}
