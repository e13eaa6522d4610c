//! Bookings of appointments: what is known of them without the person.

mod arrival;
mod busy;
mod due;
mod feed;
mod mail;
mod notes;
mod offers;
mod places;
mod private;
mod vacancies;

use bridge::ids::{BookingId, Language, OfficeSlug, ServiceId, VisitId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::{
    Read, Result, StoreError, Tx,
    record::{Record, millis, text, words},
};

pub use busy::BusyCalendar;
pub use due::BookingErasure;
pub use feed::{Feed, FeedEntry};
pub use mail::ReturnMail;
pub use notes::BookingNote;
pub use offers::BookingOffer;
pub use private::{BookingPrivate, LinkRole};

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BookingState {
    /// A time was chosen; the form is being filled in.
    Held,
    /// Waits for the link in the mail to be followed.
    Unconfirmed,
    /// Counts.
    Confirmed,
    /// The citizen is here: it has become a visit.
    Arrived,
    /// Cancelled by the citizen or the office.
    Cancelled,
    /// Was never confirmed.
    Expired,
    /// Nobody came.
    NoShow,
}

words!(BookingState {
    Held = "held",
    Unconfirmed = "unconfirmed",
    Confirmed = "confirmed",
    Arrived = "arrived",
    Cancelled = "cancelled",
    Expired = "expired",
    NoShow = "no_show",
});

/// What the citizen's calendar has answered (RFC 5546 §3.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Will come.
    Accepted,
    /// Will not come.
    Declined,
    /// May come.
    Tentative,
}

words!(Reply {
    Accepted = "accepted",
    Declined = "declined",
    Tentative = "tentative",
});

/// A booking without its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// Where.
    pub office: OfficeSlug,
    /// Where it stands.
    pub state: BookingState,
    /// What clerks and citizens call it; one live booking of an office has it, until its person is forgotten.
    pub code: String,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends, without the buffer.
    pub end: Timestamp,
    /// What for.
    pub services: Vec<ServiceId>,
    /// The language of mails and conversation.
    pub language: Language,
    /// Its name in calendars; never changes.
    pub uid: String,
    /// Rises with each change that calendars must learn of (RFC 5545 §3.8.7.4).
    pub sequence: u32,
    /// While held or unconfirmed: when it lapses.
    pub expires_at: Option<Timestamp>,
    /// How many reminders were done with, by the office's terms of then.
    pub reminded: u32,
    /// Up to when everything that was due has been said; `None` also where the count alone is known.
    pub reminded_until: Option<Timestamp>,
    /// Whether the citizen would take an earlier time.
    pub wants_earlier: bool,
    /// What the citizen's calendar answered.
    pub reply: Option<Reply>,
    /// The visit it has become.
    pub visit: Option<VisitId>,
    /// When the time was chosen.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// When it was over: cancelled, lapsed, or its visit began or was due in vain.
    pub ended_at: Option<Timestamp>,
}

impl Booking {
    /// Whether it counts or may still come to count at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        match self.state {
            BookingState::Held | BookingState::Unconfirmed => {
                self.expires_at.is_none_or(|expires| expires > now)
            }
            BookingState::Confirmed | BookingState::Arrived => true,
            BookingState::Cancelled | BookingState::Expired | BookingState::NoShow => false,
        }
    }
}

/// The columns of [`read`].
macro_rules! columns {
    () => {
        "b.id, b.office, b.state, b.code, b.starts_at, b.ends_at, b.services, b.language, b.uid, b.sequence, \
         b.expires_at, b.reminded, b.reminded_until, b.wants_earlier, b.reply, b.visit, b.created_at, b.changed_at, \
         b.ended_at"
    };
}
pub(crate) use columns;

impl Read {
    /// One booking; `None` also when it was a hold that has been cleared away.
    pub async fn booking(&mut self, id: &BookingId) -> Result<Option<Booking>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM bookings b WHERE b.id = $1"
                ))
                .bind(id.as_str()),
            )
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The booking whose link holds the secret with this hash.
    pub async fn booking_of_token(&mut self, hash: &str) -> Result<Option<Booking>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM bookings b WHERE b.token_hash = $1"
                ))
                .bind(text(hash)),
            )
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The booking that was made of the hold whose secret has this hash.
    pub async fn booking_of_hold(&mut self, hash: &str) -> Result<Option<Booking>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM bookings b WHERE b.hold_hash = $1"
                ))
                .bind(text(hash)),
            )
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The booking that has become this visit.
    pub async fn booking_of_visit(&mut self, visit: &VisitId) -> Result<Option<Booking>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM bookings b WHERE b.visit = $1"
                ))
                .bind(visit.as_str()),
            )
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The booking with this name in calendars.
    pub async fn booking_of_uid(&mut self, uid: &str) -> Result<Option<Booking>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM bookings b WHERE b.uid = $1"
                ))
                .bind(text(uid)),
            )
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The live booking of an office that goes by this code. One whose person is forgotten is over.
    pub async fn booking_of_code(
        &mut self,
        office: &OfficeSlug,
        code: &str,
    ) -> Result<Option<Booking>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM bookings b WHERE b.office = $1 AND b.code = $2
                     AND b.state IN ('held', 'unconfirmed', 'confirmed', 'arrived') AND b.erased_at IS NULL"
                ))
                .bind(office.as_str())
                .bind(text(code)),
            )
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Confirmed and arrived bookings of an office that begin in `[from, to)`, in order.
    pub async fn agenda(
        &mut self,
        office: &OfficeSlug,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Booking>> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM bookings b WHERE b.office = $1 AND b.starts_at >= $2 AND b.starts_at < $3
             AND b.state IN ('confirmed', 'arrived') ORDER BY b.starts_at, b.id"
        ))
        .bind(office.as_str())
        .bind(millis(from))
        .bind(millis(to));
        self.all(statement).await?.iter().map(read).collect()
    }
}

impl Tx {
    /// Stores a new booking, with the hash of the secret that lets its booker in.
    pub async fn insert_booking(&mut self, booking: &Booking, token_hash: &str) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO bookings (id, office, state, code, starts_at, ends_at, services, language, uid,
             sequence, token_hash, expires_at, created_at, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(booking.id.as_str())
        .bind(booking.office.as_str())
        .bind(booking.state.word())
        .bind(text(&booking.code))
        .bind(millis(booking.start))
        .bind(millis(booking.end))
        .bind(services(booking)?)
        .bind(booking.language.code())
        .bind(text(&booking.uid))
        .bind(i64::from(booking.sequence))
        .bind(text(token_hash))
        .bind(booking.expires_at.map(millis))
        .bind(millis(booking.created_at))
        .bind(millis(booking.changed_at));
        self.run(statement).await?;
        Ok(())
    }

    /// Stores what has changed of a booking. Whether it was there.
    pub async fn save_booking(&mut self, booking: &Booking) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE bookings SET state = $2, starts_at = $3, ends_at = $4, language = $5, sequence = $6,
             expires_at = $7, reminded = $8, wants_earlier = $9, reply = $10, visit = $11, changed_at = $12,
             ended_at = $13, reminded_until = $14 WHERE id = $1",
        )
        .bind(booking.id.as_str())
        .bind(booking.state.word())
        .bind(millis(booking.start))
        .bind(millis(booking.end))
        .bind(booking.language.code())
        .bind(i64::from(booking.sequence))
        .bind(booking.expires_at.map(millis))
        .bind(i64::from(booking.reminded))
        .bind(i64::from(booking.wants_earlier))
        .bind(booking.reply.map(Reply::word))
        .bind(booking.visit.as_ref().map(VisitId::as_str))
        .bind(millis(booking.changed_at))
        .bind(booking.ended_at.map(millis))
        .bind(booking.reminded_until.map(millis));
        Ok(self.run(statement).await? == 1)
    }

    /// From here on another secret lets the booker in; the hold's finds the booking alone.
    pub async fn set_booking_token(&mut self, id: &BookingId, hash: &str) -> Result<()> {
        let statement = sqlx::query(
            "UPDATE bookings SET hold_hash = token_hash, token_hash = $2 WHERE id = $1",
        )
        .bind(id.as_str())
        .bind(text(hash));
        self.run(statement).await?;
        Ok(())
    }

    /// Removes a booking with everything that hangs on it, as if a time had never been chosen.
    pub async fn drop_booking(&mut self, id: &BookingId) -> Result<bool> {
        let statement = sqlx::query("DELETE FROM bookings WHERE id = $1").bind(id.as_str());
        Ok(self.run(statement).await? == 1)
    }
}

fn services(booking: &Booking) -> Result<String> {
    serde_json::to_string(&booking.services).map_err(|_| StoreError::Corrupt {
        table: "bookings",
        row: booking.id.to_string(),
        column: "services",
    })
}

pub(crate) fn read(row: &AnyRow) -> Result<Booking> {
    let row = Record::keyed(row, "bookings", "id");
    let known = |column| {
        row.get::<Option<String>>(column)?
            .map(|word| word.parse().map_err(|()| row.corrupt(column)))
            .transpose()
    };
    Ok(Booking {
        id: row.parse("id")?,
        office: row.parse("office")?,
        state: row.parse("state")?,
        code: row.get("code")?,
        start: row.time("starts_at")?,
        end: row.time("ends_at")?,
        services: serde_json::from_str(&row.get::<String>("services")?)
            .map_err(|_| row.corrupt("services"))?,
        language: row.parse("language")?,
        uid: row.get("uid")?,
        sequence: row.number("sequence")?,
        expires_at: row.time_opt("expires_at")?,
        reminded: row.number("reminded")?,
        reminded_until: row.time_opt("reminded_until")?,
        wants_earlier: row.get::<i64>("wants_earlier")? != 0,
        reply: known("reply")?,
        visit: row.parse_opt("visit")?,
        created_at: row.time("created_at")?,
        changed_at: row.time("changed_at")?,
        ended_at: row.time_opt("ended_at")?,
    })
}
