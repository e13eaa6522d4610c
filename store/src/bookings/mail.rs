//! Mail that comes back about a booking: answers of calendars, and bounces.

use bridge::ids::BookingId;
use jiff::Timestamp;

use super::{Booking, columns, read};
use crate::{
    Read, Result, Tx,
    record::{Record, millis, text},
};

/// What has come back about a booking so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReturnMail {
    /// When the newest answer was given, by its own stamp.
    pub answered_at: Option<Timestamp>,
    /// How many mails had an effect.
    pub taken: u32,
}

impl Read {
    /// The booking whose address for answers holds the secret with this hash.
    pub async fn booking_of_reply(&mut self, hash: &str) -> Result<Option<(Booking, ReturnMail)>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    ", m.answered_at, m.taken FROM booking_mail m JOIN bookings b ON b.id = m.booking
                     WHERE m.reply_hash = $1"
                ))
                .bind(text(hash)),
            )
            .await?;
        row.map(|row| {
            let booking = read(&row)?;
            let row = Record::keyed(&row, "booking_mail", "id");
            let so_far = ReturnMail {
                answered_at: row.time_opt("answered_at")?,
                taken: row.number("taken")?,
            };
            Ok((booking, so_far))
        })
        .transpose()
    }

    /// The hash of the secret in the booking's address for answers.
    pub async fn reply_hash(&mut self, booking: &BookingId) -> Result<Option<String>> {
        let statement =
            sqlx::query("SELECT booking, reply_hash FROM booking_mail WHERE booking = $1")
                .bind(booking.as_str());
        let row = self.optional(statement).await?;
        row.map(|row| Record::keyed(&row, "booking_mail", "booking").get("reply_hash"))
            .transpose()
    }
}

impl Tx {
    /// From here on answers about the booking come to an address that holds the secret with this hash.
    pub async fn set_reply_hash(&mut self, booking: &BookingId, hash: &str) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO booking_mail (booking, reply_hash) VALUES ($1, $2)
             ON CONFLICT (booking) DO UPDATE SET reply_hash = excluded.reply_hash",
        )
        .bind(booking.as_str())
        .bind(text(hash));
        self.run(statement).await?;
        Ok(())
    }

    /// Stores what has come back about a booking so far.
    pub async fn set_return_mail(
        &mut self,
        booking: &BookingId,
        so_far: &ReturnMail,
    ) -> Result<()> {
        let statement =
            sqlx::query("UPDATE booking_mail SET answered_at = $2, taken = $3 WHERE booking = $1")
                .bind(booking.as_str())
                .bind(so_far.answered_at.map(millis))
                .bind(i64::from(so_far.taken));
        self.run(statement).await?;
        Ok(())
    }
}
