//! Ratings: counted per office and day, without a way back to the visit.

use bridge::ids::{OfficeSlug, VisitId};
use jiff::civil::Date;

use crate::{Read, Result, Tx, record::Record};

/// How often an office got so many stars on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// The office.
    pub office: OfficeSlug,
    /// The day, in the office's zone.
    pub day: Date,
    /// One to five.
    pub stars: u8,
    /// How often.
    pub count: u64,
}

impl Read {
    /// All ratings from the first to the last of these days.
    pub async fn ratings(&mut self, first: Date, last: Date) -> Result<Vec<Rating>> {
        let statement = sqlx::query(
            "SELECT office, day, stars, count FROM ratings WHERE day >= $1 AND day <= $2
             ORDER BY office, day, stars",
        )
        .bind(first.to_string())
        .bind(last.to_string());
        self.all(statement)
            .await?
            .iter()
            .map(|row| {
                let row = Record::keyed(row, "ratings", "office");
                Ok(Rating {
                    office: row.parse("office")?,
                    day: row.parse("day")?,
                    stars: row.number("stars")?,
                    count: row.number("count")?,
                })
            })
            .collect()
    }
}

impl Tx {
    /// Counts a rating of one to five stars. `false`: the visit has not ended, has been rated, is erased or unknown.
    /// Other numbers of stars are [`StoreError::Constraint`](crate::StoreError::Constraint).
    pub async fn rate(&mut self, visit: &VisitId, day: Date, stars: u8) -> Result<bool> {
        let row = self
            .optional(
                sqlx::query(
                    "UPDATE visits SET rated = 1 WHERE id = $1 AND rated = 0
                     AND ended_at IS NOT NULL AND erased_at IS NULL RETURNING id, office",
                )
                .bind(visit.as_str()),
            )
            .await?;
        let Some(row) = row else {
            return Ok(false);
        };
        let office: OfficeSlug = Record::keyed(&row, "visits", "id").parse("office")?;
        let statement = sqlx::query(
            "INSERT INTO ratings (office, day, stars, count) VALUES ($1, $2, $3, 1)
             ON CONFLICT (office, day, stars) DO UPDATE SET count = ratings.count + 1",
        )
        .bind(office.as_str())
        .bind(day.to_string())
        .bind(i64::from(stars));
        self.run(statement).await?;
        Ok(true)
    }
}
