//! Messages in the door room that hold words of a booking's person.

use bridge::ids::{BookingId, OfficeSlug};
use jiff::Timestamp;

use crate::{
    Read, Result, Tx,
    record::{Record, millis, text},
};

/// A message that is to be redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingNote {
    /// The Matrix event.
    pub event: String,
    /// In whose door room it is.
    pub office: OfficeSlug,
}

impl Read {
    /// How many messages hold words of the booking's person.
    pub async fn booking_notes(&mut self, booking: &BookingId) -> Result<u32> {
        let statement =
            sqlx::query("SELECT COUNT(*) AS notes FROM booking_notes WHERE booking = $1")
                .bind(booking.as_str());
        let row = self.one(statement).await?;
        Record::new(&row, "booking_notes", booking.to_string()).number("notes")
    }
}

impl Tx {
    /// A message in the door room holds words of the booking's person. Idempotent.
    pub async fn add_booking_note(&mut self, booking: &BookingId, event: &str) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO booking_notes (event, booking) VALUES ($1, $2) ON CONFLICT (event) DO NOTHING",
        )
        .bind(text(event))
        .bind(booking.as_str());
        self.run(statement).await?;
        Ok(())
    }

    /// Takes the messages of bookings that were over before `before`, or whose person has been forgotten, off the list:
    /// they are to be redacted.
    pub async fn take_booking_notes(&mut self, before: Timestamp) -> Result<Vec<BookingNote>> {
        let statement = sqlx::query(
            "SELECT n.event, b.office FROM booking_notes n JOIN bookings b ON b.id = n.booking
             WHERE b.ended_at <= $1 OR b.erased_at IS NOT NULL ORDER BY n.event",
        )
        .bind(millis(before));
        let notes: Vec<BookingNote> = self
            .all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "booking_notes", "event");
                Ok(BookingNote {
                    event: row.get("event")?,
                    office: row.parse("office")?,
                })
            })
            .collect::<Result<_>>()?;
        for note in &notes {
            let statement =
                sqlx::query("DELETE FROM booking_notes WHERE event = $1").bind(text(&note.event));
            self.run(statement).await?;
        }
        Ok(notes)
    }
}
