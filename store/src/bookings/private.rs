//! What people wrote about a booking, and the links of those who come along.

use std::fmt;

use bridge::ids::{BookingId, OfficeSlug};
use jiff::Timestamp;

use super::{Booking, columns, read};
use crate::{
    Read, Result, Tx,
    record::{Record, millis, text, words},
};

/// The personal part of a booking.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BookingPrivate {
    /// How to be addressed.
    pub name: String,
    /// Where mails go.
    pub mail: String,
    /// For the office to call back.
    pub phone: Option<String>,
    /// The language an interpreter is needed for.
    pub interpreter: Option<String>,
    /// What the citizen needs to take part.
    pub accessibility: Option<String>,
    /// Somebody who comes along.
    pub companion_mail: Option<String>,
    /// Why a clerk cancelled.
    pub reason: Option<String>,
}

impl fmt::Debug for BookingPrivate {
    /// Personal words never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookingPrivate").finish_non_exhaustive()
    }
}

/// Whose link it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkRole {
    /// Translates.
    Interpreter,
    /// Comes along.
    Companion,
}

words!(LinkRole {
    Interpreter = "interpreter",
    Companion = "companion",
});

impl Read {
    /// The personal part of a booking; `None` when there is none (yet), or it has been erased.
    pub async fn booking_private(&mut self, id: &BookingId) -> Result<Option<BookingPrivate>> {
        let row = self
            .optional(
                sqlx::query(
                    "SELECT booking, name, mail, phone, interpreter, accessibility, companion_mail, reason
                     FROM booking_private WHERE booking = $1",
                )
                .bind(id.as_str()),
            )
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let row = Record::keyed(&row, "booking_private", "booking");
        Ok(Some(BookingPrivate {
            name: row.get("name")?,
            mail: row.get("mail")?,
            phone: row.get("phone")?,
            interpreter: row.get("interpreter")?,
            accessibility: row.get("accessibility")?,
            companion_mail: row.get("companion_mail")?,
            reason: row.get("reason")?,
        }))
    }

    /// How many appointments to come this mail address has at an office. What was never confirmed may be a stranger's.
    pub async fn bookings_of_mail(
        &mut self,
        office: &OfficeSlug,
        mail: &str,
        now: Timestamp,
    ) -> Result<u32> {
        let statement = sqlx::query(
            "SELECT COUNT(*) AS live FROM booking_private p JOIN bookings b ON b.id = p.booking
             WHERE p.mail_key = $1 AND b.office = $2 AND b.ends_at > $3 AND b.state = 'confirmed'",
        )
        .bind(key(mail))
        .bind(office.as_str())
        .bind(millis(now));
        let row = self.one(statement).await?;
        Record::new(&row, "booking_private", "count".to_owned()).number("live")
    }

    /// How many bookings of this mail address wait to be confirmed, at whatever office.
    pub async fn unconfirmed_of_mail(&mut self, mail: &str, now: Timestamp) -> Result<u32> {
        let statement = sqlx::query(
            "SELECT COUNT(*) AS live FROM booking_private p JOIN bookings b ON b.id = p.booking
             WHERE p.mail_key = $1 AND b.state = 'unconfirmed' AND b.expires_at > $2",
        )
        .bind(key(mail))
        .bind(millis(now));
        let row = self.one(statement).await?;
        Record::new(&row, "booking_private", "count".to_owned()).number("live")
    }

    /// The booking that a link for somebody who comes along belongs to.
    pub async fn booking_of_link(&mut self, hash: &str) -> Result<Option<(Booking, LinkRole)>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    ", l.role FROM booking_links l JOIN bookings b ON b.id = l.booking
                     WHERE l.token_hash = $1"
                ))
                .bind(text(hash)),
            )
            .await?;
        row.map(|row| {
            let booking = read(&row)?;
            let row = Record::keyed(&row, "booking_links", "id");
            Ok((booking, row.parse("role")?))
        })
        .transpose()
    }

    /// How many links a booking has given out.
    pub async fn booking_links(&mut self, booking: &BookingId) -> Result<u32> {
        let statement =
            sqlx::query("SELECT COUNT(*) AS links FROM booking_links WHERE booking = $1")
                .bind(booking.as_str());
        let row = self.one(statement).await?;
        Record::new(&row, "booking_links", booking.to_string()).number("links")
    }
}

impl Tx {
    /// Sets the personal part of a booking, whole.
    pub async fn put_booking_private(
        &mut self,
        id: &BookingId,
        private: &BookingPrivate,
    ) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO booking_private (booking, name, mail, mail_key, phone, interpreter, accessibility,
             companion_mail, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (booking) DO UPDATE SET name = excluded.name, mail = excluded.mail,
             mail_key = excluded.mail_key, phone = excluded.phone, interpreter = excluded.interpreter,
             accessibility = excluded.accessibility, companion_mail = excluded.companion_mail,
             reason = excluded.reason",
        )
        .bind(id.as_str())
        .bind(text(&private.name))
        .bind(text(&private.mail))
        .bind(key(&private.mail))
        .bind(private.phone.as_deref().map(text))
        .bind(private.interpreter.as_deref().map(text))
        .bind(private.accessibility.as_deref().map(text))
        .bind(private.companion_mail.as_deref().map(text))
        .bind(private.reason.as_deref().map(text));
        self.run(statement).await?;
        Ok(())
    }

    /// Gives out a link of its own for somebody who comes along.
    pub async fn add_booking_link(
        &mut self,
        booking: &BookingId,
        hash: &str,
        role: LinkRole,
        now: Timestamp,
    ) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO booking_links (token_hash, booking, role, made_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(text(hash))
        .bind(booking.as_str())
        .bind(role.word())
        .bind(millis(now));
        self.run(statement).await?;
        Ok(())
    }
}

/// Addresses that differ in case alone are one person's.
fn key(mail: &str) -> String {
    text(&mail.to_lowercase())
}
