//! Offices: loaded whole, handled by `bridge`, saved with what follows from it.

use std::collections::BTreeMap;

use bridge::{
    ids::{MatrixUser, OfficeSlug},
    input::{Command, Outcome},
    office::{Desk, Office, Rules},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Read, Result, StoreError, Tx, lane_of,
    record::{Record, millis, text},
};

/// As many appointments to come are looked at: more than a day's worth of waiting at any office.
const EXPECTED: i64 = 100;

/// What saving an office led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// Whether the public projection has to be looked at: [`Command::Publish`] is not stored.
    pub publish: bool,
    /// How many jobs are new in the outbox.
    pub jobs: usize,
}

impl Read {
    /// The live state of an office; one nobody has come to yet is empty. In a [`Tx`] nobody else can
    /// change it before the commit.
    pub async fn load_office(&mut self, slug: &OfficeSlug, rules: Rules) -> Result<Office> {
        let mut office = Office::new(slug.clone(), rules);
        office.expected = self.expected(slug).await?;
        let row = self
            .optional(
                sqlx::query(
                    "SELECT slug, paused_since, ticket_day, ticket_number, durations
                     FROM offices WHERE slug = $1",
                )
                .bind(slug.as_str()),
            )
            .await?;
        let Some(row) = row else {
            return Ok(office);
        };
        let row = Record::keyed(&row, "offices", "slug");
        office.paused_since = row.time_opt("paused_since")?;
        office.last_ticket = match (
            row.parse_opt("ticket_day")?,
            row.number_opt("ticket_number")?,
        ) {
            (Some(day), Some(number)) => Some((day, number)),
            (None, None) => None,
            _ => return Err(row.corrupt("ticket_number")),
        };
        let durations: Vec<i64> = serde_json::from_str(&row.get::<String>("durations")?)
            .map_err(|_| row.corrupt("durations"))?;
        office.recent_durations = durations
            .into_iter()
            .map(SignedDuration::from_millis)
            .collect();
        office.desks = self.desks(slug).await?;
        office.visits = self
            .live_visits(slug)
            .await?
            .into_iter()
            .map(|record| (record.visit.id.clone(), record.visit))
            .collect();
        Ok(office)
    }

    /// When the next appointments begin whose citizens have not come yet.
    async fn expected(&mut self, slug: &OfficeSlug) -> Result<Vec<Timestamp>> {
        let statement = sqlx::query(
            "SELECT id, starts_at FROM bookings WHERE office = $1 AND state = 'confirmed'
             ORDER BY starts_at LIMIT $2",
        )
        .bind(slug.as_str())
        .bind(EXPECTED);
        self.all(statement)
            .await?
            .iter()
            .map(|row| Record::keyed(row, "bookings", "id").time("starts_at"))
            .collect()
    }

    /// The clerks on duty.
    async fn desks(&mut self, slug: &OfficeSlug) -> Result<BTreeMap<MatrixUser, Desk>> {
        self.all(
            sqlx::query("SELECT clerk, since FROM desks WHERE office = $1").bind(slug.as_str()),
        )
        .await?
        .iter()
        .map(|row| {
            let row = Record::new(row, "desks", slug.to_string());
            let since = row.time("since")?;
            Ok((row.parse("clerk")?, Desk { since }))
        })
        .collect()
    }

    /// What the office tells citizens while it has paused. Written by a clerk.
    pub async fn notice(&mut self, slug: &OfficeSlug) -> Result<Option<String>> {
        let row = self
            .optional(
                sqlx::query("SELECT slug, notice FROM offices WHERE slug = $1").bind(slug.as_str()),
            )
            .await?;
        row.map_or(Ok(None), |row| {
            Record::keyed(&row, "offices", "slug").get("notice")
        })
    }
}

impl Tx {
    /// Writes what `bridge` decided: the office, the changed visits, and the commands into the outbox, due at `now`.
    /// The notice is dropped when the office has not paused.
    pub async fn save_office(
        &mut self,
        office: &Office,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<Saved> {
        self.put_office(office).await?;
        if self.desks(&office.slug).await? != office.desks {
            self.put_desks(office).await?;
        }
        for id in &outcome.changed {
            if let Some(visit) = office.visits.get(id) {
                self.put_visit(&office.slug, visit).await?;
            }
        }
        let mut saved = Saved {
            publish: false,
            jobs: 0,
        };
        for command in &outcome.commands {
            if let Some(lane) = lane_of(command, &office.slug) {
                self.enqueue(&lane, command, now).await?;
                saved.jobs += 1;
            } else {
                saved.publish |= *command == Command::Publish;
            }
        }
        Ok(saved)
    }

    /// Sets the notice to citizens, or takes it away. Set it in the transaction that saves the pause.
    pub async fn set_notice(&mut self, slug: &OfficeSlug, notice: Option<&str>) -> Result<()> {
        self.run(
            sqlx::query(
                "INSERT INTO offices (slug, version, notice, durations) VALUES ($1, 1, $2, '[]')
                 ON CONFLICT (slug) DO UPDATE SET version = offices.version + 1, notice = excluded.notice",
            )
            .bind(slug.as_str())
            .bind(notice.map(text)),
        )
        .await?;
        Ok(())
    }

    async fn put_office(&mut self, office: &Office) -> Result<()> {
        let durations: Vec<i64> = office
            .recent_durations
            .iter()
            .map(|duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
            .collect();
        let durations = serde_json::to_string(&durations).map_err(|_| StoreError::Corrupt {
            table: "offices",
            row: office.slug.to_string(),
            column: "durations",
        })?;
        let statement = sqlx::query(
            "INSERT INTO offices (slug, version, paused_since, ticket_day, ticket_number, durations)
             VALUES ($1, 1, $2, $3, $4, $5)
             ON CONFLICT (slug) DO UPDATE SET version = offices.version + 1,
             paused_since = excluded.paused_since, ticket_day = excluded.ticket_day,
             ticket_number = excluded.ticket_number, durations = excluded.durations,
             notice = CASE WHEN excluded.paused_since IS NULL THEN NULL ELSE offices.notice END",
        )
        .bind(office.slug.as_str())
        .bind(office.paused_since.map(millis))
        .bind(office.last_ticket.map(|(day, _)| day.to_string()))
        .bind(office.last_ticket.map(|(_, number)| i64::from(number)))
        .bind(durations);
        self.run(statement).await?;
        Ok(())
    }

    async fn put_desks(&mut self, office: &Office) -> Result<()> {
        self.run(sqlx::query("DELETE FROM desks WHERE office = $1").bind(office.slug.as_str()))
            .await?;
        for (clerk, desk) in &office.desks {
            let statement =
                sqlx::query("INSERT INTO desks (office, clerk, since) VALUES ($1, $2, $3)")
                    .bind(office.slug.as_str())
                    .bind(clerk.as_str())
                    .bind(millis(desk.since));
            self.run(statement).await?;
        }
        Ok(())
    }
}
