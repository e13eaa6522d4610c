//! Where an office had a place to book when its waiting list was looked at last.

use std::ops::Range;

use bridge::ids::OfficeSlug;
use scheduler::slots::Cell;

use crate::{Read, Result, StoreError, Tx, record::Record};

impl Read {
    /// The cells in which the office had a place to book then, in order and apart; `None` while nobody waits.
    pub async fn known_vacancies(
        &mut self,
        office: &OfficeSlug,
    ) -> Result<Option<Vec<Range<Cell>>>> {
        let statement =
            sqlx::query("SELECT office, cells FROM booking_vacancies WHERE office = $1")
                .bind(office.as_str());
        let row = self.optional(statement).await?;
        row.map(|row| {
            let row = Record::keyed(&row, "booking_vacancies", "office");
            let pairs: Vec<(Cell, Cell)> = serde_json::from_str(&row.get::<String>("cells")?)
                .map_err(|_| row.corrupt("cells"))?;
            Ok(pairs.into_iter().map(|(first, end)| first..end).collect())
        })
        .transpose()
    }

    /// Whether somebody waits for an earlier time there, as far as the office has been looked at.
    pub async fn vacancies_are_known(&mut self, office: &OfficeSlug) -> Result<bool> {
        let statement = sqlx::query("SELECT office FROM booking_vacancies WHERE office = $1")
            .bind(office.as_str());
        Ok(self.optional(statement).await?.is_some())
    }
}

impl Tx {
    /// The office has been looked at; `None` when nobody waits any more.
    pub async fn set_known_vacancies(
        &mut self,
        office: &OfficeSlug,
        cells: Option<&[Range<Cell>]>,
    ) -> Result<()> {
        let Some(cells) = cells else {
            let statement = sqlx::query("DELETE FROM booking_vacancies WHERE office = $1")
                .bind(office.as_str());
            self.run(statement).await?;
            return Ok(());
        };
        let pairs: Vec<(Cell, Cell)> = cells.iter().map(|run| (run.start, run.end)).collect();
        let pairs = serde_json::to_string(&pairs).map_err(|_| StoreError::Corrupt {
            table: "booking_vacancies",
            row: office.to_string(),
            column: "cells",
        })?;
        let statement = sqlx::query(
            "INSERT INTO booking_vacancies (office, cells) VALUES ($1, $2)
             ON CONFLICT (office) DO UPDATE SET cells = excluded.cells",
        )
        .bind(office.as_str())
        .bind(pairs);
        self.run(statement).await?;
        Ok(())
    }
}
