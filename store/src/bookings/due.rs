//! What time does to bookings: lapsing, reminders, no-shows, the morning's list, erasure.

use bridge::ids::{BookingId, OfficeSlug};
use jiff::{SignedDuration, Timestamp, civil::Date};
use scheduler::slots::LONGEST_MINUTES;

use super::{Booking, columns, read};
use crate::{
    Read, Result, Tx,
    record::{Record, millis},
};

/// A booking whose person is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingErasure {
    /// Which.
    pub booking: BookingId,
    /// Where.
    pub office: OfficeSlug,
}

impl Read {
    /// Confirmed bookings that begin before `before`, the earliest first, of whatever office.
    pub async fn bookings_before(&mut self, before: Timestamp) -> Result<Vec<Booking>> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM bookings b WHERE b.state = 'confirmed' AND b.starts_at < $1 ORDER BY b.starts_at, b.id"
        ))
        .bind(millis(before));
        self.all(statement).await?.iter().map(read).collect()
    }

    /// Confirmed bookings of an office that begin before `before`, the earliest first.
    pub async fn bookings_due(
        &mut self,
        office: &OfficeSlug,
        before: Timestamp,
    ) -> Result<Vec<Booking>> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM bookings b WHERE b.state = 'confirmed' AND b.office = $1 AND b.starts_at < $2
             ORDER BY b.starts_at, b.id"
        ))
        .bind(office.as_str())
        .bind(millis(before));
        self.all(statement).await?.iter().map(read).collect()
    }

    /// Bookings of an office that began at or after `from` and before `to` and whose citizen came and was lost: they were
    /// called in vain, or their line was dead for too long.
    pub async fn bookings_lost(
        &mut self,
        office: &OfficeSlug,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Booking>> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM bookings b JOIN visits v ON v.id = b.visit WHERE b.state = 'arrived' AND b.office = $1
             AND b.starts_at >= $2 AND b.starts_at < $3 AND v.ending = 'no_show' ORDER BY b.starts_at, b.id"
        ))
        .bind(office.as_str())
        .bind(millis(from))
        .bind(millis(to));
        self.all(statement).await?.iter().map(read).collect()
    }

    /// Confirmed bookings of an office that begin at or after `from`, in order.
    pub async fn bookings_to_come(
        &mut self,
        office: &OfficeSlug,
        from: Timestamp,
    ) -> Result<Vec<Booking>> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM bookings b WHERE b.state = 'confirmed' AND b.office = $1 AND b.starts_at >= $2
             ORDER BY b.starts_at, b.id"
        ))
        .bind(office.as_str())
        .bind(millis(from));
        self.all(statement).await?.iter().map(read).collect()
    }

    /// Confirmed bookings of an office that are not over at `from` and begin before `to`, in order.
    pub async fn bookings_between(
        &mut self,
        office: &OfficeSlug,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Booking>> {
        // No longer one has begun before; the index is by start.
        let longest = SignedDuration::from_mins(i64::from(LONGEST_MINUTES));
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM bookings b WHERE b.state = 'confirmed' AND b.office = $1 AND b.starts_at >= $2
             AND b.starts_at < $3 AND b.ends_at > $4 ORDER BY b.starts_at, b.id"
        ))
        .bind(office.as_str())
        .bind(millis(
            from.saturating_sub(longest).unwrap_or(Timestamp::MIN),
        ))
        .bind(millis(to))
        .bind(millis(from));
        self.all(statement).await?.iter().map(read).collect()
    }

    /// How many confirmed bookings are to come at each office that has any.
    pub async fn appointments_to_come(&mut self, now: Timestamp) -> Result<Vec<(OfficeSlug, u64)>> {
        let statement = sqlx::query(
            "SELECT office, COUNT(*) AS appointments FROM bookings WHERE state = 'confirmed' AND ends_at > $1
             GROUP BY office ORDER BY office",
        )
        .bind(millis(now));
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "bookings", "office");
                Ok((row.parse("office")?, row.number("appointments")?))
            })
            .collect()
    }

    /// Bookings that were over before `before` and still have their person.
    pub async fn bookings_to_erase(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<BookingErasure>> {
        let statement = sqlx::query(
            "SELECT id, office FROM bookings WHERE ended_at <= $1 AND erased_at IS NULL
             ORDER BY ended_at LIMIT $2",
        )
        .bind(millis(before))
        .bind(i64::from(limit));
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "bookings", "id");
                Ok(BookingErasure {
                    booking: row.parse("id")?,
                    office: row.parse("office")?,
                })
            })
            .collect()
    }

    /// The day for which an office's clerks have had their list.
    pub async fn agenda_day(&mut self, office: &OfficeSlug) -> Result<Option<Date>> {
        let row = self
            .optional(
                sqlx::query("SELECT office, day FROM booking_agendas WHERE office = $1")
                    .bind(office.as_str()),
            )
            .await?;
        row.map(|row| Record::keyed(&row, "booking_agendas", "office").parse("day"))
            .transpose()
    }
}

impl Tx {
    /// What has lapsed by `now`: holds vanish with their places, unconfirmed bookings expire. How many it touched.
    pub async fn lapse_bookings(&mut self, now: Timestamp) -> Result<u64> {
        let held = sqlx::query("DELETE FROM bookings WHERE state = 'held' AND expires_at <= $1")
            .bind(millis(now));
        let holds = self.run(held).await?;
        let unconfirmed = sqlx::query(
            "UPDATE bookings SET state = 'expired', ended_at = expires_at, changed_at = $1, expires_at = NULL
             WHERE state = 'unconfirmed' AND expires_at <= $1",
        )
        .bind(millis(now));
        let expired = self.run(unconfirmed).await?;
        Ok(holds + expired)
    }

    /// Clears away the rows of places that were free again by `then`.
    pub async fn clear_places(&mut self, then: Timestamp) -> Result<()> {
        let places =
            sqlx::query("DELETE FROM booking_places WHERE release_at <= $1").bind(millis(then));
        self.run(places).await?;
        Ok(())
    }

    /// The clerks of an office have had their list for this day.
    pub async fn set_agenda_day(&mut self, office: &OfficeSlug, day: Date) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO booking_agendas (office, day) VALUES ($1, $2)
             ON CONFLICT (office) DO UPDATE SET day = excluded.day",
        )
        .bind(office.as_str())
        .bind(day.to_string());
        self.run(statement).await?;
        Ok(())
    }

    /// Forgets the person: words, links, and the secret that let them in. Places that were kept lie in the past, and the
    /// code may be given again.
    pub async fn erase_booking(&mut self, id: &BookingId, now: Timestamp) -> Result<()> {
        for statement in [
            "DELETE FROM booking_private WHERE booking = $1",
            "DELETE FROM booking_links WHERE booking = $1",
            "DELETE FROM booking_mail WHERE booking = $1",
            "DELETE FROM booking_places WHERE booking = $1 AND release_at IS NULL",
        ] {
            self.run(sqlx::query(statement).bind(id.as_str())).await?;
        }
        let statement = sqlx::query(
            "UPDATE bookings SET token_hash = NULL, hold_hash = NULL, arrival_hash = NULL, visit = NULL, beside_visit = NULL,
             erased_at = $2 WHERE id = $1",
        )
        .bind(id.as_str())
        .bind(millis(now));
        self.run(statement).await?;
        Ok(())
    }
}
