//! Mails about a booking, written from what is true when they are sent.

use bridge::ids::{BookingId, Language};
use city::model::{City, OfficeConfig};
use gateway::appointments::Token;
use jiff::Timestamp;
use lettre::Address;
use scheduler::ics::{self, Method};
use serde::{Deserialize, Serialize};
use store::{Booking, BookingPrivate, BookingState, Job as Row, JobId, Tx};

use super::{
    Bookings, News, Post,
    sheet::{Sheet, Unfit},
    tell,
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
    /// Somebody came, and was called in vain or lost.
    Lost,
    /// Nobody came, and for a part of the time nobody could.
    Outage,
    /// For the companion who was named.
    Companion,
    /// For the companion: another time.
    CompanionMoved,
    /// For the companion: it does not take place.
    CompanionCancelled,
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
            Self::Lost => "lost",
            Self::Outage => "outage",
            Self::Companion => "companion",
            Self::CompanionMoved => "companion-moved",
            Self::CompanionCancelled => "companion-cancelled",
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
            | Self::CompanionMoved
            | Self::Earlier
            | Self::Offer
            | Self::OtherTime => booking.state == BookingState::Confirmed,
            Self::Cancelled | Self::CancelledByOffice | Self::CompanionCancelled => {
                booking.state == BookingState::Cancelled
            }
            Self::NoShow | Self::Lost | Self::Outage => booking.state == BookingState::NoShow,
        }
    }

    /// What the companion who was named reads when the booker reads this.
    pub(super) const fn beside(self) -> Option<Self> {
        match self {
            Self::Booked => Some(Self::Companion),
            Self::Moved => Some(Self::CompanionMoved),
            Self::Cancelled | Self::CancelledByOffice => Some(Self::CompanionCancelled),
            Self::Confirm
            | Self::Reminder
            | Self::NoShow
            | Self::Lost
            | Self::Outage
            | Self::Companion
            | Self::CompanionMoved
            | Self::CompanionCancelled
            | Self::Earlier
            | Self::Offer
            | Self::OtherTime => None,
        }
    }

    /// Whether it goes to the companion.
    pub(super) const fn is_for_companion(self) -> bool {
        matches!(
            self,
            Self::Companion | Self::CompanionMoved | Self::CompanionCancelled
        )
    }

    /// Whether its reader is called by the booker's name. A companion is told of no one. And before the link is followed
    /// nobody knows whose mailbox it is: whatever somebody typed as a name would stand in a stranger's mail as our words.
    pub(super) const fn names_the_booker(self) -> bool {
        !self.is_for_companion() && !matches!(self, Self::Confirm)
    }

    /// What the calendar object that comes along is for, if one does (RFC 6047).
    pub(super) const fn method(self) -> Option<Method> {
        match self {
            Self::Booked | Self::Moved => Some(Method::Request),
            Self::Cancelled | Self::CancelledByOffice | Self::CompanionCancelled => {
                Some(Method::Cancel)
            }
            // Nobody waits for a companion's answer.
            Self::Companion | Self::CompanionMoved => Some(Method::Publish),
            Self::OtherTime => Some(Method::DeclineCounter),
            Self::Confirm
            | Self::Reminder
            | Self::NoShow
            | Self::Lost
            | Self::Outage
            | Self::Earlier
            | Self::Offer => None,
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
    let (token, in_calendar, answers) = if letter.is_for_companion() {
        // What comes back about a companion's mail is not the citizen's answer.
        (bookings.key.companion(id), bookings.key.companion(id), None)
    } else {
        (
            bookings.key.manage(id),
            arrival(bookings, id).await?,
            answer_address(bookings, post, id).await?,
        )
    };
    let spoken = city.spoken(booking.language);
    let page = |token| link(&house.settings.public_url, spoken, token);
    let sheet = Sheet {
        words: &house.words,
        office,
        booking: &booking,
        private: &private,
        // What is declined to a calendar is newer than what it proposed.
        stamp: row.created_at.max(booking.changed_at),
        offer: offer.as_ref(),
        link: page(&token),
        calendar_link: page(&in_calendar),
        rebook: rebook(&house.settings.public_url, office, spoken),
        organizer: organizer(office, post, answers.as_ref()),
        answers,
    };
    let number = transaction_id(house, &row.id.to_string());
    Ok(Plan::Mail {
        mail: match sheet.mail(letter, post, &number) {
            Ok(mail) => Ok(Box::new(mail)),
            Err(Unfit(code)) => Err(code),
        },
        about: (id.clone(), letter),
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
    (city, office, post): (&City, &OfficeConfig, &Post),
    booking: &Booking,
    private: &BookingPrivate,
    token: &Token,
) -> Result<String, ics::WriteError> {
    let spoken = city.spoken(booking.language);
    let sheet = Sheet {
        words,
        office,
        booking,
        private,
        stamp: booking.changed_at,
        offer: None,
        link: link(public_url, spoken, token),
        calendar_link: link(public_url, spoken, token),
        rebook: rebook(public_url, office, spoken),
        organizer: organizer(office, post, None),
        answers: None,
    };
    sheet.calendar(Method::Publish, false)
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
    let page = if office.booking.is_some() {
        "/termin"
    } else {
        ""
    };
    format!("{public_url}{prefix}/buero/{}{page}", office.slug)
}

/// Whom calendars answer. An office that takes no appointments any more names no address of its own.
pub(super) fn organizer(office: &OfficeConfig, post: &Post, answers: Option<&Address>) -> String {
    match (answers, &office.booking) {
        (Some(answers), _) => answers.to_string(),
        (None, Some(terms)) => terms.mail.clone(),
        (None, None) => post.from.to_string(),
    }
}

/// A mail cannot be written, or no server takes it: it becomes a dead letter, and the clerks learn that its reader does
/// not know.
pub(crate) async fn give_up(
    tx: &mut Tx,
    row: JobId,
    (booking, letter): (&BookingId, Letter),
    code: &str,
    now: Timestamp,
) -> store::Result<()> {
    tx.bury(row, code).await?;
    if let Some(news) = undeliverable(letter)
        && let Some(booking) = tx.booking(booking).await?
    {
        tell(tx, &booking, news, now).await?;
    }
    Ok(())
}

/// What clerks have to be told of a mail that cannot be delivered.
const fn undeliverable(letter: Letter) -> Option<News> {
    match letter {
        // Nothing counts yet, and the page says where the mail has gone.
        Letter::Confirm => None,
        Letter::Companion | Letter::CompanionMoved | Letter::CompanionCancelled => {
            Some(News::CompanionUndeliverable)
        }
        Letter::Booked
        | Letter::Moved
        | Letter::Cancelled
        | Letter::CancelledByOffice
        | Letter::Reminder
        | Letter::NoShow
        | Letter::Lost
        | Letter::Outage
        | Letter::Earlier
        | Letter::Offer
        | Letter::OtherTime => Some(News::Undeliverable),
    }
}
