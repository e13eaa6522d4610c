//! The kinds of problems, and what can be wrong with a field.

use axum::http::StatusCode;
use bridge::ids::Language;
use texts::{Args, Catalogue};

use crate::clean::TextFault;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal, $status:ident;)*) => {
        /// What can go wrong. Each has a stable address `/problems/<slug>` and the texts
        /// `problem-<slug>-title` and `problem-<slug>-detail`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The last part of its address.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The status it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)* }
            }
        }
    };
}

kinds! {
    /// The request cannot be read.
    BadRequest = "bad-request", BAD_REQUEST;
    /// The body is not JSON.
    MalformedJson = "malformed-json", BAD_REQUEST;
    /// The body is not a readable form with a file.
    MalformedForm = "malformed-form", BAD_REQUEST;
    /// A parameter in the address has a wrong value.
    InvalidQuery = "invalid-query", BAD_REQUEST;
    /// A change that was not asked for by the city's own pages.
    ForeignOrigin = "foreign-origin", FORBIDDEN;
    /// Nothing stands at this address.
    NotFound = "not-found", NOT_FOUND;
    /// No such office.
    UnknownOffice = "unknown-office", NOT_FOUND;
    /// No such visit, or not this guest's.
    UnknownVisit = "unknown-visit", NOT_FOUND;
    /// No such file.
    UnknownFile = "unknown-file", NOT_FOUND;
    /// No booking goes by this secret.
    UnknownBooking = "unknown-booking", NOT_FOUND;
    /// No place beside a citizen goes by this link, or another browser has it.
    UnknownLink = "unknown-link", NOT_FOUND;
    /// The conversation that the link led to is over.
    ConversationOver = "conversation-over", GONE;
    /// A clerk has put whoever has the link out of the conversation.
    TurnedOut = "turned-out", FORBIDDEN;
    /// The link is of somebody who comes along, or stands in a calendar, and changes nothing.
    NotTheBooker = "not-the-booker", FORBIDDEN;
    /// The address does not know this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED;
    /// The request took too long to arrive or to be answered.
    Timeout = "timeout", REQUEST_TIMEOUT;
    /// The guest has a live visit at this office.
    AlreadyHere = "already-here", CONFLICT;
    /// The office is closed.
    OfficeClosed = "office-closed", CONFLICT;
    /// The office has paused.
    OfficePaused = "office-paused", CONFLICT;
    /// The queue is full.
    QueueFull = "queue-full", CONFLICT;
    /// The visit's state does not allow it.
    WrongState = "wrong-state", CONFLICT;
    /// There is no conversation.
    NoConversation = "no-conversation", CONFLICT;
    /// Not ended yet, or rated already.
    NotRatable = "not-ratable", CONFLICT;
    /// The office takes no appointments here.
    NoAppointments = "no-appointments", CONFLICT;
    /// Somebody else has the time; `alternatives` says which can be had.
    TimeTaken = "time-taken", CONFLICT;
    /// No appointment can be had at this time; `alternatives` says which can.
    NoSuchTime = "no-such-time", CONFLICT;
    /// The hold, or the time to confirm, is over.
    BookingLapsed = "booking-lapsed", CONFLICT;
    /// The booking's state does not allow it.
    BookingState = "booking-state", CONFLICT;
    /// The visit is open in another browser.
    ArrivedElsewhere = "arrived-elsewhere", CONFLICT;
    /// The mail address has as many appointments as it may have.
    TooManyBookings = "too-many-bookings", CONFLICT;
    /// As many bookings of the mail address wait to be confirmed as may.
    TooManyUnconfirmed = "too-many-unconfirmed", CONFLICT;
    /// The booking has given out as many links as it may.
    TooManyLinks = "too-many-links", CONFLICT;
    /// The citizen of the appointment has not come yet.
    NotYet = "not-yet", CONFLICT;
    /// As many as may come along have their links.
    TooManyParticipants = "too-many-participants", CONFLICT;
    /// Too early to check in.
    TooEarly = "too-early", CONFLICT;
    /// The conversation's room is being made.
    CallNotReady = "call-not-ready", CONFLICT;
    /// The body is too large.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE;
    /// The file is too large.
    FileTooLarge = "file-too-large", PAYLOAD_TOO_LARGE;
    /// The body is not of the required type.
    UnsupportedType = "unsupported-type", UNSUPPORTED_MEDIA_TYPE;
    /// The file is of a kind that is not accepted.
    FileType = "file-type", UNSUPPORTED_MEDIA_TYPE;
    /// Fields are missing or wrong; `errors` says which.
    InvalidFields = "invalid-fields", UNPROCESSABLE_ENTITY;
    /// Too often.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS;
    /// This address keeps as many times as it may without confirming one.
    TooManyPlaces = "too-many-places", TOO_MANY_REQUESTS;
    /// Too many pages open at once.
    TooManyStreams = "too-many-streams", TOO_MANY_REQUESTS;
    /// A fault of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR;
    /// The homeserver is away.
    HomeserverAway = "homeserver-away", SERVICE_UNAVAILABLE;
    /// No calls at the moment.
    CallsUnavailable = "calls-unavailable", SERVICE_UNAVAILABLE;
    /// Too much at once in the whole city.
    Busy = "busy", SERVICE_UNAVAILABLE;
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is needed.
    Missing,
    /// More than this many characters.
    TooLong(usize),
    /// Not one of the offered choices.
    UnknownChoice,
    /// Must be agreed to.
    NotAccepted,
    /// Not a whole number from 1 to 5.
    NotStars,
    /// Not 1 to 64 letters, digits, `-` or `_`.
    NotAnId,
    /// Not a mail address.
    NotMail,
    /// More services than fit one appointment.
    TooManyServices,
}

impl Fault {
    /// Every fault, for the test of the texts.
    pub const ALL: &[Self] = &[
        Self::Missing,
        Self::TooLong(80),
        Self::UnknownChoice,
        Self::NotAccepted,
        Self::NotStars,
        Self::NotAnId,
        Self::NotMail,
        Self::TooManyServices,
    ];

    /// The text's key.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Missing => "field-missing",
            Self::TooLong(_) => "field-too-long",
            Self::UnknownChoice => "field-unknown-choice",
            Self::NotAccepted => "field-not-accepted",
            Self::NotStars => "field-not-stars",
            Self::NotAnId => "field-not-an-id",
            Self::NotMail => "field-not-mail",
            Self::TooManyServices => "field-too-many-services",
        }
    }

    pub(super) fn text(self, texts: &Catalogue, language: Language) -> String {
        match self {
            Self::TooLong(max) => {
                let mut args = Args::new();
                args.set("max", max);
                texts.text(language, self.key(), Some(&args))
            }
            Self::Missing
            | Self::UnknownChoice
            | Self::NotAccepted
            | Self::NotStars
            | Self::NotAnId
            | Self::NotMail
            | Self::TooManyServices => texts.text(language, self.key(), None),
        }
    }
}

impl From<TextFault> for Fault {
    fn from(fault: TextFault) -> Self {
        match fault {
            TextFault::Empty => Self::Missing,
            TextFault::TooLong { max } => Self::TooLong(max),
        }
    }
}
