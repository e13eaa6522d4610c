//! `GET /offices/{slug}/slots`: which times can be had.

use std::sync::Arc;

use axum::{Json, extract::State};
use bridge::ids::ServiceId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Slot, appointments, problem};
use crate::{
    api::Api,
    appointments::SlotQuery,
    extract::{ApiQuery, Client, OfficePath},
    problem::{Fault, Kind, Problem, ProblemDetails},
};

/// As many services make one appointment at most.
pub(super) const SERVICES: usize = 4;
/// As many days are told at once at most.
const DAYS: u16 = 62;

/// Which times are asked for.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    services: Option<String>,
    from: Option<String>,
    days: Option<u16>,
}

/// The times that can be had.
#[derive(Serialize, ToSchema)]
#[schema(as = Slots)]
pub(crate) struct Offered {
    /// How long the appointment takes.
    minutes: u16,
    /// The office's civil day.
    #[schema(value_type = String, format = Date)]
    today: Date,
    /// The last bookable day.
    #[schema(value_type = String, format = Date)]
    last_day: Date,
    /// In order.
    slots: Vec<Slot>,
}

/// The services of a request: one to four.
pub(super) fn services<'t>(
    names: impl Iterator<Item = &'t str>,
) -> Result<Vec<ServiceId>, Problem> {
    let refuse = |fault| Err(Problem::fields(vec![("services", fault)]));
    let mut services = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        match name.parse() {
            Ok(service) => services.push(service),
            Err(_) => return refuse(Fault::UnknownChoice),
        }
    }
    match services.len() {
        0 => refuse(Fault::Missing),
        1..=SERVICES => Ok(services),
        _ => refuse(Fault::TooManyServices),
    }
}

/// The times at which an appointment for these services can be had.
#[utoipa::path(
    get,
    path = "/offices/{slug}/slots",
    operation_id = "list_slots",
    tag = "appointments",
    params(
        ("slug" = String, Path, description = "The office's name in addresses"),
        ("services" = String, Query, description = "One to four service ids, separated by commas"),
        ("from" = Option<String>, Query, description = "The first day, `2026-11-24`; today if left out"),
        ("days" = Option<u16>, Query, description = "How many days, at most 62; 31 if left out"),
    ),
    responses(
        (status = 200, description = "In order", body = Offered),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    OfficePath(office): OfficePath,
    ApiQuery(wanted): ApiQuery<Wanted>,
) -> Result<Json<Offered>, Problem> {
    api.limiter.slots(&address)?;
    let services = services(wanted.services.as_deref().unwrap_or_default().split(','))?;
    let from = wanted
        .from
        .map(|day| day.parse::<Date>())
        .transpose()
        .map_err(|_| Problem::from(Kind::InvalidQuery))?;
    let query = SlotQuery {
        services,
        from,
        days: wanted.days.unwrap_or(31).clamp(1, DAYS),
    };
    let offer = appointments(&api)?
        .slots(&office, &query)
        .await
        .map_err(problem)?;
    Ok(Json(Offered {
        minutes: offer.minutes,
        today: offer.today,
        last_day: offer.last_day,
        slots: offer.slots.into_iter().map(Slot::from).collect(),
    }))
}
