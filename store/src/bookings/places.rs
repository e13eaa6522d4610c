//! Capacity: one row for each cell and place that is taken.
//!
//! Places carry the time at which they are free again: a hold's and an unconfirmed booking's when it lapses, a
//! cancelled one's when the office lets it reappear. From then on they do not count, whether or not their rows are
//! still there; [`Tx::take_places`] clears such rows away before it looks. Whoever looks says by which moment a place has
//! to be free: some have to wait until others had their turn.

use std::ops::Range;

use bridge::ids::{BookingId, OfficeSlug};
use jiff::Timestamp;
use scheduler::slots::{Cell, CellPlace, Full, choose_places};

use crate::{
    Read, Result, Tx,
    record::{Record, millis},
};

impl Read {
    /// How many places are taken in each of `cells` by what is free after `then`, the ones with none left out, in order.
    /// Those of `except` do not count.
    pub async fn taken_places(
        &mut self,
        office: &OfficeSlug,
        cells: &Range<Cell>,
        then: Timestamp,
        except: Option<&BookingId>,
    ) -> Result<Vec<(Cell, u16)>> {
        let statement = sqlx::query(
            "SELECT cell, COUNT(*) AS taken FROM booking_places
             WHERE office = $1 AND cell >= $2 AND cell < $3 AND (release_at IS NULL OR release_at > $4)
             AND booking <> $5 GROUP BY cell ORDER BY cell",
        )
        .bind(office.as_str())
        .bind(cells.start)
        .bind(cells.end)
        .bind(millis(then))
        .bind(except.map_or("", BookingId::as_str));
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "booking_places", "cell");
                Ok((row.get("cell")?, row.number("taken")?))
            })
            .collect()
    }
}

impl Tx {
    /// Takes one place in each of `cells` for a booking, or none at all when one of them has none left.
    /// `capacity` has one entry for each cell. What the booking had in these cells before is given up, and what is free by
    /// `then` can be had. `release_at` is when they are free again, `None` for never.
    pub async fn take_places(
        &mut self,
        office: &OfficeSlug,
        booking: &BookingId,
        cells: &Range<Cell>,
        capacity: &[u16],
        then: Timestamp,
        release_at: Option<Timestamp>,
    ) -> Result<Result<Vec<CellPlace>, Full>> {
        let cleared = sqlx::query(
            "DELETE FROM booking_places WHERE office = $1 AND cell >= $2 AND cell < $3
             AND (release_at <= $4 OR booking = $5)",
        )
        .bind(office.as_str())
        .bind(cells.start)
        .bind(cells.end)
        .bind(millis(then))
        .bind(booking.as_str());
        self.run(cleared).await?;
        let taken = self.places(office, cells).await?;
        let chosen = match choose_places(cells.clone(), capacity, &taken) {
            Ok(chosen) => chosen,
            Err(full) => return Ok(Err(full)),
        };
        for place in &chosen {
            let statement = sqlx::query(
                "INSERT INTO booking_places (office, cell, place, booking, release_at)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(office.as_str())
            .bind(place.cell)
            .bind(i64::from(place.place))
            .bind(booking.as_str())
            .bind(release_at.map(millis));
            self.run(statement).await?;
        }
        Ok(Ok(chosen))
    }

    async fn places(&mut self, office: &OfficeSlug, cells: &Range<Cell>) -> Result<Vec<CellPlace>> {
        let statement = sqlx::query(
            "SELECT cell, place FROM booking_places WHERE office = $1 AND cell >= $2 AND cell < $3",
        )
        .bind(office.as_str())
        .bind(cells.start)
        .bind(cells.end);
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "booking_places", "cell");
                Ok(CellPlace {
                    cell: row.get("cell")?,
                    place: row.number("place")?,
                })
            })
            .collect()
    }

    /// A booking keeps its places in `cells` until then, `None` for good; what it has elsewhere stays as it is. Whether
    /// it has one in each of them: by another reading of the clock they were free again, and somebody else may have them.
    pub async fn keep_places(
        &mut self,
        booking: &BookingId,
        cells: &Range<Cell>,
        until: Option<Timestamp>,
    ) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE booking_places SET release_at = $2 WHERE booking = $1 AND cell >= $3 AND cell < $4",
        )
        .bind(booking.as_str())
        .bind(until.map(millis))
        .bind(cells.start)
        .bind(cells.end);
        let kept = self.run(statement).await?;
        Ok(u64::try_from(cells.end - cells.start) == Ok(kept))
    }

    /// A booking gives up its places; they are free again at `at`, or before if they would have been anyway.
    pub async fn release_places(&mut self, booking: &BookingId, at: Timestamp) -> Result<()> {
        let statement = sqlx::query(
            "UPDATE booking_places SET release_at = $2
             WHERE booking = $1 AND (release_at IS NULL OR release_at > $2)",
        )
        .bind(booking.as_str())
        .bind(millis(at));
        self.run(statement).await?;
        Ok(())
    }
}
