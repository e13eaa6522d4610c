//! When desks cannot be booked because their own calendars say so.

use bridge::ids::OfficeSlug;
use jiff::Timestamp;
use scheduler::slots::Span;

use crate::{
    Read, Result, StoreError, Tx,
    record::{Record, millis, text},
};

/// The busy times of one calendar, as it was read last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyCalendar {
    /// Its name in the city's file.
    pub name: String,
    /// In order, apart.
    pub spans: Vec<Span>,
    /// When it was read.
    pub fetched_at: Timestamp,
}

impl Read {
    /// What an office's calendars said last, in the order of their names.
    pub async fn busy_calendars(&mut self, office: &OfficeSlug) -> Result<Vec<BusyCalendar>> {
        let statement = sqlx::query(
            "SELECT calendar, spans, fetched_at FROM busy_calendars WHERE office = $1 ORDER BY calendar",
        )
        .bind(office.as_str());
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "busy_calendars", "calendar");
                let spans: Vec<(i64, i64)> = serde_json::from_str(&row.get::<String>("spans")?)
                    .map_err(|_| row.corrupt("spans"))?;
                let instant =
                    |ms| Timestamp::from_millisecond(ms).map_err(|_| row.corrupt("spans"));
                let spans = spans
                    .into_iter()
                    .map(|(start, end)| {
                        Ok(Span {
                            start: instant(start)?,
                            end: instant(end)?,
                        })
                    })
                    .collect::<Result<_>>()?;
                Ok(BusyCalendar {
                    name: row.get("calendar")?,
                    spans,
                    fetched_at: row.time("fetched_at")?,
                })
            })
            .collect()
    }
}

impl Tx {
    /// Stores what a calendar says.
    pub async fn put_busy_calendar(
        &mut self,
        office: &OfficeSlug,
        calendar: &BusyCalendar,
    ) -> Result<()> {
        let spans: Vec<(i64, i64)> = calendar
            .spans
            .iter()
            .map(|span| (millis(span.start), millis(span.end)))
            .collect();
        let spans = serde_json::to_string(&spans).map_err(|_| StoreError::Corrupt {
            table: "busy_calendars",
            row: calendar.name.clone(),
            column: "spans",
        })?;
        let statement = sqlx::query(
            "INSERT INTO busy_calendars (office, calendar, spans, fetched_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (office, calendar) DO UPDATE SET spans = excluded.spans,
             fetched_at = excluded.fetched_at",
        )
        .bind(office.as_str())
        .bind(text(&calendar.name))
        .bind(spans)
        .bind(millis(calendar.fetched_at));
        self.run(statement).await?;
        Ok(())
    }

    /// Forgets a calendar that the city's file no longer names.
    pub async fn drop_busy_calendar(&mut self, office: &OfficeSlug, name: &str) -> Result<()> {
        let statement =
            sqlx::query("DELETE FROM busy_calendars WHERE office = $1 AND calendar = $2")
                .bind(office.as_str())
                .bind(text(name));
        self.run(statement).await?;
        Ok(())
    }
}
