//! Mails about a booking, written from what is true when they are sent.

use bridge::ids::{BookingId, Language};
use city::model::OfficeConfig;
use gateway::appointments::Token;
use jiff::Timestamp;
use lettre::Address;
use scheduler::ics::{self, Method};
use serde::{Deserialize, Serialize};
use store::{Booking, BookingPrivate, BookingState, Job as Row};

use super::{
    Bookings, News, Post,
    sheet::{Sheet, Unfit},
};
use crate::{
    errands::Plan,
    house::{ChangeError, House},
    outbox::transaction_id,
    shell,
    words::Words,
};

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Letter {
    /// Asks to follow the link before the booking counts.
    Confirm,
    /// The invitation.
    Booked,
    /// The invitation with another time.
    Moved,
    /// The citizen has cancelled.
    Cancelled,
    /// The office has cancelled.
    CancelledByOffice,
    /// The appointment comes near.
    Reminder,
    /// Nobody came.
    NoShow,
    /// For the companion who was named.
    Companion,
    /// An earlier time is held.
    Earlier,
    /// A clerk offers another time.
    Offer,
    /// A calendar has proposed another time, which is not taken.
    OtherTime,
}

impl Letter {
    /// Its name in the message files.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::CancelledByOffice => "cancelled-by-office",
            Self::Reminder => "reminder",
            Self::NoShow => "no-show",
            Self::Companion => "companion",
            Self::Earlier => "earlier",
            Self::Offer => "offer",
            Self::OtherTime => "other-time",
        }
    }

    /// Whether the booking is still in the state that the mail is about.
    fn is_true_of(self, booking: &Booking, now: Timestamp) -> bool {
        match self {
            Self::Confirm => booking.state == BookingState::Unconfirmed && booking.is_live(now),
            Self::Booked
            | Self::Moved
            | Self::Reminder
            | Self::Companion
            | Self::Earlier
            | Self::Offer
            | Self::OtherTime => booking.state == BookingState::Confirmed,
            Self::Cancelled | Self::CancelledByOffice => booking.state == BookingState::Cancelled,
            Self::NoShow => booking.state == BookingState::NoShow,
        }
    }

    /// What the calendar object that comes along is for, if one does (RFC 6047).
    pub(super) const fn method(self) -> Option<Method> {
        match self {
            Self::Booked | Self::Moved => Some(Method::Request),
            Self::Cancelled | Self::CancelledByOffice => Some(Method::Cancel),
            Self::Companion => Some(Method::Publish),
            Self::OtherTime => Some(Method::DeclineCounter),
            Self::Confirm | Self::Reminder | Self::NoShow | Self::Earlier | Self::Offer => None,
        }
    }
}

/// Writes the mail of a row. One that cannot be written is given up like one that no server takes.
pub(crate) async fn plan(
    house: &House,
    row: &Row,
    id: &BookingId,
    letter: Letter,
) -> Result<Plan, ChangeError> {
    let (Some(post), Some(bookings)) = (&house.post, &house.bookings) else {
        return Ok(Plan::Nothing);
    };
    let mut read = house.store.read().await?;
    let Some(booking) = read.booking(id).await? else {
        return Ok(Plan::Nothing);
    };
    let Some(private) = read.booking_private(id).await? else {
        return Ok(Plan::Nothing);
    };
    let offer = read.booking_offer(id, shell::now()).await?;
    drop(read);
    if matches!(letter, Letter::Earlier | Letter::Offer) && offer.is_none() {
        return Ok(Plan::Nothing);
    }
    let city = house.city.get();
    let Some(office) = city.office(&booking.office) else {
        return Ok(Plan::Nothing);
    };
    if !letter.is_true_of(&booking, shell::now()) {
        return Ok(Plan::Nothing);
    }
    let (token, in_calendar, answers) = match letter {
        // What comes back about a companion's mail is not the citizen's answer.
        Letter::Companion => (bookings.key.companion(id), bookings.key.companion(id), None),
        _ => (
            bookings.key.manage(id),
            arrival(bookings, id).await?,
            answer_address(bookings, post, id).await?,
        ),
    };
    let page = |token| link(&house.settings.public_url, booking.language, token);
    let sheet = Sheet {
        words: &house.words,
        office,
        booking: &booking,
        private: &private,
        offer: offer.as_ref(),
        link: page(&token),
        calendar_link: page(&in_calendar),
        rebook: rebook(&house.settings.public_url, office, booking.language),
        answers,
    };
    let number = transaction_id(house, &row.id.to_string());
    Ok(match sheet.mail(letter, post, &number) {
        Ok(mail) => Plan::Mail {
            mail: Box::new(mail),
            about: (id.clone(), letter),
        },
        Err(Unfit(code)) => Plan::Unfit { code },
    })
}

/// Where answers about the booking come, known to the database before anybody is told.
async fn answer_address(
    bookings: &Bookings,
    post: &Post,
    id: &BookingId,
) -> Result<Option<Address>, ChangeError> {
    let secret = bookings.key.reply(id);
    let Some(address) = post.reply_address(&secret) else {
        return Ok(None);
    };
    let hash = secret.hash();
    let known = bookings.store.read().await?.reply_hash(id).await?;
    if known.as_ref() != Some(&hash) {
        let mut tx = bookings.store.begin().await?;
        tx.set_reply_hash(id, &hash).await?;
        tx.commit().await?;
    }
    Ok(Some(address))
}

/// The secret for the citizen's calendar, known to the database before anybody is told.
pub(crate) async fn arrival(bookings: &Bookings, id: &BookingId) -> store::Result<Token> {
    let token = bookings.key.arrival(id);
    let hash = token.hash();
    let known = bookings.store.read().await?.arrival_hash(id).await?;
    if known.as_deref() != Some(hash.as_str()) {
        let mut tx = bookings.store.begin().await?;
        tx.set_arrival_hash(id, hash.as_str()).await?;
        tx.commit().await?;
    }
    Ok(token)
}

/// The booking's calendar file, for a download; `token` is the secret for calendars.
pub(crate) fn calendar(
    words: &Words,
    public_url: &str,
    office: &OfficeConfig,
    booking: &Booking,
    private: &BookingPrivate,
    token: &Token,
) -> Result<String, ics::WriteError> {
    let sheet = Sheet {
        words,
        office,
        booking,
        private,
        offer: None,
        link: link(public_url, booking.language, token),
        calendar_link: link(public_url, booking.language, token),
        rebook: rebook(public_url, office, booking.language),
        answers: None,
    };
    sheet.calendar(Method::Publish)
}

/// The page that a secret opens. The secret stands behind `#`: browsers tell it to no server.
pub(crate) fn link(public_url: &str, language: Language, token: &Token) -> String {
    let path = match language {
        Language::De => "/termin",
        Language::En => "/en/termin",
    };
    format!("{public_url}{path}#{}", token.secret())
}

fn rebook(public_url: &str, office: &OfficeConfig, language: Language) -> String {
    let prefix = match language {
        Language::De => "",
        Language::En => "/en",
    };
    format!("{public_url}{prefix}/buero/{}/termin", office.slug)
}

/// What has to follow from a mail that no server takes: the clerks learn of it.
pub(crate) const fn undeliverable(letter: Letter) -> Option<News> {
    match letter {
        Letter::Confirm | Letter::Companion => None,
        Letter::Booked
        | Letter::Moved
        | Letter::Cancelled
        | Letter::CancelledByOffice
        | Letter::Reminder
        | Letter::NoShow
        | Letter::Earlier
        | Letter::Offer
        | Letter::OtherTime => Some(News::Undeliverable),
    }
}
