//! Other times that are offered to bookings, each held for a while.

use bridge::ids::{BookingId, OfficeSlug};
use jiff::Timestamp;

use super::{Booking, columns, read};
use crate::{
    Read, Result, Tx,
    record::{Record, millis},
};

/// Another time for a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingOffer {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends, without the buffer.
    pub end: Timestamp,
    /// Until when its place is held.
    pub until: Timestamp,
    /// Whether a clerk offers it; else it is the waiting list's.
    pub by_office: bool,
}

impl Read {
    /// The offer that is open for a booking at `now`.
    pub async fn booking_offer(
        &mut self,
        booking: &BookingId,
        now: Timestamp,
    ) -> Result<Option<BookingOffer>> {
        let statement = sqlx::query(
            "SELECT booking, starts_at, ends_at, held_until, by_office FROM booking_offers
             WHERE booking = $1 AND held_until > $2",
        )
        .bind(booking.as_str())
        .bind(millis(now));
        let row = self.optional(statement).await?;
        row.map(|row| {
            let row = Record::keyed(&row, "booking_offers", "booking");
            Ok(BookingOffer {
                start: row.time("starts_at")?,
                end: row.time("ends_at")?,
                until: row.time("held_until")?,
                by_office: row.get::<i64>("by_office")? != 0,
            })
        })
        .transpose()
    }

    /// Confirmed bookings of an office whose citizen would take an earlier time and was offered none after `before`, in
    /// the order of their turns: those never offered one, then those whose last offer is longest ago.
    pub async fn bookings_wanting_earlier(
        &mut self,
        office: &OfficeSlug,
        before: Timestamp,
    ) -> Result<Vec<Booking>> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM bookings b LEFT JOIN booking_offers o ON o.booking = b.id
             WHERE b.state = 'confirmed' AND b.office = $1 AND b.wants_earlier = 1
             AND (o.made_at IS NULL OR o.made_at <= $2)
             ORDER BY COALESCE(o.made_at, 0), b.created_at, b.id"
        ))
        .bind(office.as_str())
        .bind(millis(before));
        self.all(statement).await?.iter().map(read).collect()
    }

    /// The others of them: who was offered a time after `after`, and the start of that time.
    pub async fn bookings_offered_since(
        &mut self,
        office: &OfficeSlug,
        after: Timestamp,
    ) -> Result<Vec<(Booking, Timestamp)>> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            ", o.starts_at AS offered_at FROM bookings b JOIN booking_offers o ON o.booking = b.id
             WHERE b.state = 'confirmed' AND b.office = $1 AND b.wants_earlier = 1 AND o.made_at > $2
             ORDER BY b.id"
        ))
        .bind(office.as_str())
        .bind(millis(after));
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let offered = Record::keyed(row, "booking_offers", "id").time("offered_at")?;
                Ok((read(row)?, offered))
            })
            .collect()
    }

    /// Whether the citizen of a confirmed booking at an office would take an earlier time.
    pub async fn somebody_wants_earlier(&mut self, office: &OfficeSlug) -> Result<bool> {
        let statement = sqlx::query(
            "SELECT id FROM bookings WHERE state = 'confirmed' AND office = $1 AND wants_earlier = 1 LIMIT 1",
        )
        .bind(office.as_str());
        Ok(self.optional(statement).await?.is_some())
    }

    /// The bookings of an office of whose conflict with the calendar the clerks know, each with its start then.
    pub async fn booking_conflicts(
        &mut self,
        office: &OfficeSlug,
    ) -> Result<Vec<(BookingId, Timestamp)>> {
        let statement = sqlx::query(
            "SELECT c.booking, c.starts_at FROM booking_conflicts c JOIN bookings b ON b.id = c.booking
             WHERE b.office = $1",
        )
        .bind(office.as_str());
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "booking_conflicts", "booking");
                Ok((row.parse("booking")?, row.time("starts_at")?))
            })
            .collect()
    }

    /// Rooms that stood ready for bookings whose citizens will not come any more.
    pub async fn booking_rooms_in_vain(&mut self) -> Result<Vec<(BookingId, String)>> {
        let statement = sqlx::query(
            "SELECT r.booking, r.room FROM booking_rooms r JOIN bookings b ON b.id = r.booking
             WHERE b.state IN ('cancelled', 'no_show') ORDER BY r.booking",
        );
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "booking_rooms", "booking");
                Ok((row.parse("booking")?, row.get("room")?))
            })
            .collect()
    }

    /// The consultation room that stands ready for a booking.
    pub async fn booking_room(&mut self, booking: &BookingId) -> Result<Option<String>> {
        let statement = sqlx::query("SELECT booking, room FROM booking_rooms WHERE booking = $1")
            .bind(booking.as_str());
        let row = self.optional(statement).await?;
        row.map(|row| Record::keyed(&row, "booking_rooms", "booking").get("room"))
            .transpose()
    }
}

impl Tx {
    /// Offers a booking another time. Its place is taken by [`Tx::take_places`] in the same transaction, for at least as
    /// long.
    pub async fn put_booking_offer(
        &mut self,
        booking: &BookingId,
        offer: &BookingOffer,
        now: Timestamp,
    ) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO booking_offers (booking, starts_at, ends_at, made_at, held_until, by_office)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (booking) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at,
             made_at = excluded.made_at, held_until = excluded.held_until, by_office = excluded.by_office",
        )
        .bind(booking.as_str())
        .bind(millis(offer.start))
        .bind(millis(offer.end))
        .bind(millis(now))
        .bind(millis(offer.until))
        .bind(i64::from(offer.by_office));
        self.run(statement).await?;
        Ok(())
    }

    /// An open offer is over; what the booking holds for a while is free at `free_at` at the latest. Whether there was
    /// one.
    pub async fn close_booking_offer(
        &mut self,
        booking: &BookingId,
        now: Timestamp,
        free_at: Timestamp,
    ) -> Result<bool> {
        let closed = sqlx::query(
            "UPDATE booking_offers SET held_until = $2 WHERE booking = $1 AND held_until > $2",
        )
        .bind(booking.as_str())
        .bind(millis(now));
        if self.run(closed).await? == 0 {
            return Ok(false);
        }
        let places = sqlx::query(
            "UPDATE booking_places SET release_at = $2 WHERE booking = $1 AND release_at > $2",
        )
        .bind(booking.as_str())
        .bind(millis(free_at));
        self.run(places).await?;
        Ok(true)
    }

    /// The clerks know that the calendar does not carry the booking at this time.
    pub async fn set_booking_conflict(
        &mut self,
        booking: &BookingId,
        start: Timestamp,
    ) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO booking_conflicts (booking, starts_at) VALUES ($1, $2)
             ON CONFLICT (booking) DO UPDATE SET starts_at = excluded.starts_at",
        )
        .bind(booking.as_str())
        .bind(millis(start));
        self.run(statement).await?;
        Ok(())
    }

    /// The calendar carries the booking again.
    pub async fn clear_booking_conflict(&mut self, booking: &BookingId) -> Result<()> {
        let statement =
            sqlx::query("DELETE FROM booking_conflicts WHERE booking = $1").bind(booking.as_str());
        self.run(statement).await?;
        Ok(())
    }

    /// Remembers the room that stands ready for a booking; `None` once it is the visit's, or erased.
    pub async fn set_booking_room(
        &mut self,
        booking: &BookingId,
        room: Option<&str>,
    ) -> Result<()> {
        let Some(room) = room else {
            let statement =
                sqlx::query("DELETE FROM booking_rooms WHERE booking = $1").bind(booking.as_str());
            self.run(statement).await?;
            return Ok(());
        };
        let statement = sqlx::query(
            "INSERT INTO booking_rooms (booking, room) VALUES ($1, $2)
             ON CONFLICT (booking) DO UPDATE SET room = excluded.room",
        )
        .bind(booking.as_str())
        .bind(room);
        self.run(statement).await?;
        Ok(())
    }
}
