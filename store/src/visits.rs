//! Visits.

use bridge::{
    ids::{GuestId, MatrixUser, OfficeSlug, ServiceId, VisitId},
    visit::{Ending, Visit, VisitKind, VisitState, Visitor},
};
use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::{
    Read, Result, Tx,
    record::{Record, millis, text},
    unit::Statement,
};

/// A visit and what the store knows beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitRecord {
    /// Where.
    pub office: OfficeSlug,
    /// The visit.
    pub visit: Visit,
    /// Whether it has been rated.
    pub rated: bool,
}

/// `SELECT` all of a visit that is not erased, `AND` …
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.office, v.ticket, v.guest, v.matrix_user, v.kind, v.appointment_at, v.language, \
             v.service, v.state, v.clerk, v.knocked_at, v.called_at, v.entered_at, v.ended_at, v.ending, \
             v.absent_since, v.rated FROM visits v ",
            $rest
        )
    };
}

impl Read {
    /// One visit. `None` also when it has been erased.
    pub async fn visit(&mut self, id: &VisitId) -> Result<Option<VisitRecord>> {
        self.one_visit(
            sqlx::query(select!("WHERE v.id = $1 AND v.erased_at IS NULL")).bind(id.as_str()),
        )
        .await
    }

    /// The live visit of this visitor at this office; there is at most one.
    pub async fn live_visit(
        &mut self,
        office: &OfficeSlug,
        visitor: &Visitor,
    ) -> Result<Option<VisitRecord>> {
        let statement = match visitor {
            Visitor::Guest(guest) => sqlx::query(select!(
                "WHERE v.office = $1 AND v.guest = $2 AND v.ended_at IS NULL"
            ))
            .bind(office.as_str())
            .bind(guest.as_str()),
            Visitor::Matrix(user) => sqlx::query(select!(
                "WHERE v.office = $1 AND v.matrix_user = $2 AND v.ended_at IS NULL"
            ))
            .bind(office.as_str())
            .bind(user.as_str()),
        };
        self.one_visit(statement).await
    }

    /// The guest's live visits, and those that ended at or after `ended_since`; the newest knock first.
    pub async fn visits_of_guest(
        &mut self,
        guest: &GuestId,
        ended_since: Timestamp,
    ) -> Result<Vec<VisitRecord>> {
        self.visits(
            sqlx::query(select!(
                "WHERE v.guest = $1 AND v.erased_at IS NULL AND (v.ended_at IS NULL OR v.ended_at >= $2) \
                 ORDER BY v.knocked_at DESC, v.id"
            ))
            .bind(guest.as_str())
            .bind(millis(ended_since)),
        )
        .await
    }

    /// All live visits of an office, the oldest knock first.
    pub async fn live_visits(&mut self, office: &OfficeSlug) -> Result<Vec<VisitRecord>> {
        self.visits(
            sqlx::query(select!(
                "WHERE v.office = $1 AND v.ended_at IS NULL ORDER BY v.knocked_at, v.id"
            ))
            .bind(office.as_str()),
        )
        .await
    }

    /// The offices that have a live visit, whether the city still has them or not.
    pub async fn offices_with_visits(&mut self) -> Result<Vec<OfficeSlug>> {
        self.all(sqlx::query(
            "SELECT DISTINCT office FROM visits WHERE ended_at IS NULL ORDER BY office",
        ))
        .await?
        .iter()
        .map(|row| Record::keyed(row, "visits", "office").parse("office"))
        .collect()
    }

    /// The visit for which this ghost stands (a full Matrix user id).
    pub async fn visit_of_ghost(&mut self, ghost: &str) -> Result<Option<VisitRecord>> {
        self.one_visit(
            sqlx::query(select!(
                "JOIN visit_matrix m ON m.visit = v.id WHERE m.ghost = $1 AND v.erased_at IS NULL"
            ))
            .bind(text(ghost)),
        )
        .await
    }

    /// The visit whose consultation room this is.
    pub async fn visit_of_room(&mut self, consultation_room: &str) -> Result<Option<VisitRecord>> {
        self.one_visit(
            sqlx::query(select!(
                "JOIN visit_matrix m ON m.visit = v.id \
                 WHERE m.consultation_room = $1 AND v.erased_at IS NULL"
            ))
            .bind(text(consultation_room)),
        )
        .await
    }

    async fn visits(&mut self, statement: Statement<'_>) -> Result<Vec<VisitRecord>> {
        self.all(statement).await?.iter().map(read).collect()
    }

    async fn one_visit(&mut self, statement: Statement<'_>) -> Result<Option<VisitRecord>> {
        self.optional(statement)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }
}

impl Tx {
    /// From here on this browser, and no other, has the visit. Its clerk, queue and ticket stay what they are.
    pub async fn seat_visit(&mut self, id: &VisitId, guest: &GuestId) -> Result<()> {
        let statement = sqlx::query(
            "UPDATE visits SET guest = $2 WHERE id = $1 AND guest IS NOT NULL AND ended_at IS NULL",
        )
        .bind(id.as_str())
        .bind(guest.as_str());
        self.run(statement).await?;
        Ok(())
    }

    /// Adds or changes a visit. When it was called and entered is remembered beyond its end.
    pub(crate) async fn put_visit(&mut self, office: &OfficeSlug, visit: &Visit) -> Result<()> {
        let (guest, matrix_user) = match &visit.visitor {
            Visitor::Guest(guest) => (Some(guest.as_str()), None),
            Visitor::Matrix(user) => (None, Some(user.as_str())),
        };
        let (kind, appointment_at) = match visit.kind {
            VisitKind::WalkIn => ("walk_in", None),
            VisitKind::Appointment { at } => ("appointment", Some(millis(at))),
        };
        let state = StateColumns::of(&visit.state);
        let statement = sqlx::query(
            "INSERT INTO visits (id, office, ticket, guest, matrix_user, kind, appointment_at, language, \
             service, state, clerk, knocked_at, called_at, entered_at, ended_at, ending, absent_since) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
             ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, appointment_at = excluded.appointment_at, \
             language = excluded.language, service = excluded.service, state = excluded.state, \
             clerk = excluded.clerk, ended_at = excluded.ended_at, ending = excluded.ending, \
             absent_since = excluded.absent_since, \
             called_at = CASE WHEN excluded.state IN ('waiting', 'called') \
                              THEN excluded.called_at ELSE visits.called_at END, \
             entered_at = CASE WHEN excluded.state = 'ended' \
                               THEN visits.entered_at ELSE excluded.entered_at END \
             WHERE visits.erased_at IS NULL",
        )
        .bind(visit.id.as_str())
        .bind(office.as_str())
        .bind(visit.ticket.to_string())
        .bind(guest)
        .bind(matrix_user)
        .bind(kind)
        .bind(appointment_at)
        .bind(visit.language.code())
        .bind(visit.service.as_ref().map(ServiceId::as_str))
        .bind(state.word)
        .bind(state.clerk)
        .bind(millis(visit.knocked_at))
        .bind(state.called_at)
        .bind(state.entered_at)
        .bind(state.ended_at)
        .bind(state.ending)
        .bind(visit.absent_since.map(millis));
        self.run(statement).await?;
        Ok(())
    }
}

/// A [`VisitState`] as columns.
#[derive(Default)]
struct StateColumns<'v> {
    word: &'static str,
    clerk: Option<&'v str>,
    called_at: Option<i64>,
    entered_at: Option<i64>,
    ended_at: Option<i64>,
    ending: Option<&'static str>,
}

impl<'v> StateColumns<'v> {
    fn of(state: &'v VisitState) -> Self {
        match state {
            VisitState::Waiting => Self {
                word: "waiting",
                ..Self::default()
            },
            VisitState::Called { clerk, at } => Self {
                word: "called",
                clerk: Some(clerk.as_str()),
                called_at: Some(millis(*at)),
                ..Self::default()
            },
            VisitState::InConversation { clerk, since } => Self {
                word: "in_conversation",
                clerk: Some(clerk.as_str()),
                entered_at: Some(millis(*since)),
                ..Self::default()
            },
            VisitState::Ended { ending, at, clerk } => Self {
                word: "ended",
                clerk: clerk.as_ref().map(MatrixUser::as_str),
                ended_at: Some(millis(*at)),
                ending: Some(ending_word(*ending)),
                ..Self::default()
            },
        }
    }
}

const fn ending_word(ending: Ending) -> &'static str {
    match ending {
        Ending::Served => "served",
        Ending::Left => "left",
        Ending::NoShow => "no_show",
        Ending::Declined => "declined",
    }
}

fn read_ending(row: &Record<'_>) -> Result<Ending> {
    match row.get::<String>("ending")?.as_str() {
        "served" => Ok(Ending::Served),
        "left" => Ok(Ending::Left),
        "no_show" => Ok(Ending::NoShow),
        "declined" => Ok(Ending::Declined),
        _ => Err(row.corrupt("ending")),
    }
}

fn read(row: &AnyRow) -> Result<VisitRecord> {
    let row = Record::keyed(row, "visits", "id");
    let visitor = match (row.parse_opt("guest")?, row.parse_opt("matrix_user")?) {
        (Some(guest), None) => Visitor::Guest(guest),
        (None, Some(user)) => Visitor::Matrix(user),
        _ => return Err(row.corrupt("guest")),
    };
    let kind = match row.get::<String>("kind")?.as_str() {
        "walk_in" => VisitKind::WalkIn,
        "appointment" => VisitKind::Appointment {
            at: row.time("appointment_at")?,
        },
        _ => return Err(row.corrupt("kind")),
    };
    let state = match row.get::<String>("state")?.as_str() {
        "waiting" => VisitState::Waiting,
        "called" => VisitState::Called {
            clerk: row.parse("clerk")?,
            at: row.time("called_at")?,
        },
        "in_conversation" => VisitState::InConversation {
            clerk: row.parse("clerk")?,
            since: row.time("entered_at")?,
        },
        "ended" => VisitState::Ended {
            ending: read_ending(&row)?,
            at: row.time("ended_at")?,
            clerk: row.parse_opt("clerk")?,
        },
        _ => return Err(row.corrupt("state")),
    };
    Ok(VisitRecord {
        office: row.parse("office")?,
        rated: row.get::<i64>("rated")? != 0,
        visit: Visit {
            id: row.parse("id")?,
            ticket: row.parse("ticket")?,
            visitor,
            kind,
            language: row.parse("language")?,
            service: row.parse_opt("service")?,
            knocked_at: row.time("knocked_at")?,
            absent_since: row.time_opt("absent_since")?,
            state,
        },
    })
}
