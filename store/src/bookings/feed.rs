//! Offices' appointments as calendars that clerks subscribe to.

use bridge::ids::OfficeSlug;
use jiff::Timestamp;

use super::{Booking, columns, read};
use crate::{
    Read, Result, Tx,
    record::{Record, millis, text},
};

/// A calendar of an office's appointments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Whose.
    pub office: OfficeSlug,
    /// Whether it tells who comes.
    pub names: bool,
}

/// An appointment with what a calendar may tell of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// The booking.
    pub booking: Booking,
    /// The name, unless the person has been forgotten.
    pub name: Option<String>,
    /// The language an interpreter is needed for.
    pub interpreter: Option<String>,
}

impl Read {
    /// The calendar whose address holds the secret with this hash.
    pub async fn feed_of_token(&mut self, hash: &str) -> Result<Option<Feed>> {
        let statement =
            sqlx::query("SELECT office, names FROM feeds WHERE token_hash = $1").bind(text(hash));
        let row = self.optional(statement).await?;
        row.map(|row| {
            let row = Record::keyed(&row, "feeds", "office");
            Ok(Feed {
                office: row.parse("office")?,
                names: row.get::<i64>("names")? != 0,
            })
        })
        .transpose()
    }

    /// Confirmed and arrived bookings of an office that begin in `[from, to)`, in order, with their persons.
    pub async fn feed_entries(
        &mut self,
        office: &OfficeSlug,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<FeedEntry>> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            ", p.name, p.interpreter FROM bookings b LEFT JOIN booking_private p ON p.booking = b.id
             WHERE b.office = $1 AND b.starts_at >= $2 AND b.starts_at < $3
             AND b.state IN ('confirmed', 'arrived') ORDER BY b.starts_at, b.id"
        ))
        .bind(office.as_str())
        .bind(millis(from))
        .bind(millis(to));
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let booking = read(row)?;
                let row = Record::keyed(row, "booking_private", "id");
                Ok(FeedEntry {
                    booking,
                    name: row.get("name")?,
                    interpreter: row.get("interpreter")?,
                })
            })
            .collect()
    }
}

impl Tx {
    /// From here on the office's calendar is at an address that holds the secret with this hash, and nowhere else.
    pub async fn set_feed(&mut self, feed: &Feed, hash: &str, now: Timestamp) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO feeds (office, token_hash, names, made_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (office) DO UPDATE SET token_hash = excluded.token_hash, names = excluded.names,
             made_at = excluded.made_at",
        )
        .bind(feed.office.as_str())
        .bind(text(hash))
        .bind(i64::from(feed.names))
        .bind(millis(now));
        self.run(statement).await?;
        Ok(())
    }

    /// The office's calendar is nowhere any more. Whether it was somewhere.
    pub async fn drop_feed(&mut self, office: &OfficeSlug) -> Result<bool> {
        let statement = sqlx::query("DELETE FROM feeds WHERE office = $1").bind(office.as_str());
        Ok(self.run(statement).await? == 1)
    }
}
