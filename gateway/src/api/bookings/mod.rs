//! Appointments: times, holds, bookings.
//!
//! A booking is opened by the secret in its link. The secret comes in the `Authorization` header (RFC 6750), never
//! in an address, so that it stands in no log, history or referrer.

mod book;
mod hold;
mod manage;
mod model;
mod slots;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{header, request::Parts};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Api;
use crate::{
    appointments::{Appointments, BookingError, Token, TokenHash},
    problem::{Fault, Kind, Problem},
};

pub(crate) use self::model::Slot;

pub(super) fn described() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(slots::list))
        .routes(routes!(hold::hold, hold::let_go))
        .routes(routes!(book::book))
        .routes(routes!(manage::show))
        .routes(routes!(manage::confirm))
        .routes(routes!(manage::reschedule))
        .routes(routes!(manage::cancel))
        .routes(routes!(manage::calendar))
        .routes(routes!(manage::invite))
        .routes(routes!(manage::want_earlier))
        .routes(routes!(manage::turn_down))
        .routes(routes!(manage::check_in))
}

/// Where appointments are decided; none in a city that sends no mail.
fn appointments(api: &Api) -> Result<&dyn Appointments, Problem> {
    api.gateway
        .appointments
        .as_deref()
        .ok_or_else(|| Kind::NoAppointments.into())
}

/// The secret that the request shows, as its hash.
pub(in crate::api) struct Bearer(pub(in crate::api) TokenHash);

impl FromRequestParts<Arc<Api>> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .and_then(|(_, secret)| Token::parse(secret.trim()))
            .map(|token| Self(token.hash()))
            .ok_or_else(|| Kind::UnknownBooking.into())
    }
}

/// One map for all: every endpoint can meet nearly all of them.
pub(crate) fn problem(error: BookingError) -> Problem {
    match error {
        BookingError::UnknownOffice => Kind::UnknownOffice.into(),
        BookingError::NotOffered => Kind::NoAppointments.into(),
        BookingError::UnknownService => Problem::fields(vec![("services", Fault::UnknownChoice)]),
        BookingError::Length(_) => Problem::fields(vec![("services", Fault::TooManyServices)]),
        BookingError::NoSuchTime { reason, nearest } => {
            Problem::no_such_time(reason, nearest.into_iter().map(Slot::from).collect())
        }
        BookingError::UnknownBooking => Kind::UnknownBooking.into(),
        BookingError::Lapsed => Kind::BookingLapsed.into(),
        BookingError::WrongState => Kind::BookingState.into(),
        BookingError::NotYours => Kind::NotTheBooker.into(),
        BookingError::Elsewhere => Kind::ArrivedElsewhere.into(),
        BookingError::TooMany => Kind::TooManyBookings.into(),
        BookingError::TooManyUnconfirmed => Kind::TooManyUnconfirmed.into(),
        BookingError::TooManyLinks => Kind::TooManyLinks.into(),
        BookingError::TooEarly { .. } => Kind::TooEarly.into(),
        BookingError::Refused(refusal) => {
            super::knock::refusal(&refusal).unwrap_or_else(|| Kind::BookingState.into())
        }
        BookingError::Busy => Kind::Busy.into(),
        BookingError::Internal => Kind::Internal.into(),
    }
}
