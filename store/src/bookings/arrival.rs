//! The link that a citizen's calendar holds, and citizens who are here already.

use bridge::ids::{BookingId, VisitId};

use super::{Booking, columns, read};
use crate::{
    Read, Result, Tx, VisitRecord,
    record::{Record, text},
};

impl Read {
    /// The booking whose link for calendars holds the secret with this hash.
    pub async fn booking_of_arrival(&mut self, hash: &str) -> Result<Option<Booking>> {
        let row = self
            .optional(
                sqlx::query(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM bookings b WHERE b.arrival_hash = $1"
                ))
                .bind(text(hash)),
            )
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The hash of the secret in the booking's link for calendars; `None` while no calendar has one.
    pub async fn arrival_hash(&mut self, booking: &BookingId) -> Result<Option<String>> {
        let statement = sqlx::query("SELECT id, arrival_hash FROM bookings WHERE id = $1")
            .bind(booking.as_str());
        let row = self.optional(statement).await?;
        row.map(|row| Record::keyed(&row, "bookings", "id").get("arrival_hash"))
            .transpose()
            .map(Option::flatten)
    }

    /// The other visit in which the booking's citizen was when they said to be here; `None` also once it is erased.
    pub async fn visit_beside(&mut self, booking: &BookingId) -> Result<Option<VisitRecord>> {
        let statement = sqlx::query(
            "SELECT id, beside_visit FROM bookings WHERE id = $1 AND beside_visit IS NOT NULL",
        )
        .bind(booking.as_str());
        let Some(row) = self.optional(statement).await? else {
            return Ok(None);
        };
        let visit = Record::keyed(&row, "bookings", "id").parse("beside_visit")?;
        self.visit(&visit).await
    }
}

impl Tx {
    /// The booking's citizen has said to be here, and is in another visit.
    pub async fn set_visit_beside(&mut self, booking: &BookingId, visit: &VisitId) -> Result<()> {
        let statement = sqlx::query("UPDATE bookings SET beside_visit = $2 WHERE id = $1")
            .bind(booking.as_str())
            .bind(visit.as_str());
        self.run(statement).await?;
        Ok(())
    }

    /// From here on a secret with this hash lets one arrive.
    pub async fn set_arrival_hash(&mut self, booking: &BookingId, hash: &str) -> Result<()> {
        let statement = sqlx::query("UPDATE bookings SET arrival_hash = $2 WHERE id = $1")
            .bind(booking.as_str())
            .bind(text(hash));
        self.run(statement).await?;
        Ok(())
    }
}
