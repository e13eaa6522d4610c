//! `/booking…`: what the holder of a link can do.

use std::sync::Arc;

use axum::{
    Json,
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Bearer, appointments,
    hold::instant,
    model::{Booking, LinkHolder},
    problem,
};
use crate::{
    api::Api,
    appointments::{Appointments, BookingError, BookingView, Holder, TokenHash},
    extract::{Body, Browser, Client, NoBody},
    guest::Secret,
    problem::{Fault, Problem, ProblemDetails},
};

/// A request of somebody who shows a link's secret, within the limits.
pub(super) struct Link {
    api: Arc<Api>,
    address: Client,
    token: TokenHash,
}

impl FromRequestParts<Arc<Api>> for Link {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Ok(address) = Client::from_request_parts(parts, api).await;
        // Before the secret is looked at: whoever guesses is counted.
        api.limiter.booking(&address.0)?;
        let Bearer(token) = Bearer::from_request_parts(parts, api).await?;
        Ok(Self {
            api: Arc::clone(api),
            address,
            token,
        })
    }
}

impl Link {
    fn appointments(&self) -> Result<&dyn Appointments, Problem> {
        appointments(&self.api)
    }

    /// The answer to what ends a time's being kept unconfirmed.
    fn decided(&self, view: Result<BookingView, BookingError>) -> Result<Json<Booking>, Problem> {
        if let Ok(view) = &view {
            self.api.places.decided(view);
        }
        self.shown(view)
    }

    /// The answer to nearly every request: the booking as it is now.
    fn shown(&self, view: Result<BookingView, BookingError>) -> Result<Json<Booking>, Problem> {
        let view = view.map_err(problem)?;
        Ok(Json(Booking::new(&self.api.lobby(), view)))
    }
}

/// The booking.
#[utoipa::path(
    get,
    path = "/booking",
    operation_id = "show_booking",
    tag = "appointments",
    responses(
        (status = 200, description = "The booking", body = Booking),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(link: Link) -> Result<Json<Booking>, Problem> {
    link.shown(link.appointments()?.booking(&link.token).await)
}

/// The link in the mail has been followed and the button pressed. Idempotent.
#[utoipa::path(
    post,
    path = "/booking/confirm",
    operation_id = "confirm_booking",
    tag = "appointments",
    responses(
        (status = 200, description = "It counts", body = Booking),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn confirm(link: Link, _: NoBody) -> Result<Json<Booking>, Problem> {
    link.decided(link.appointments()?.confirm(&link.token).await)
}

/// Another time.
#[derive(Deserialize, ToSchema)]
pub(crate) struct OtherTime {
    /// When the appointment is to begin, as told by the list of slots.
    #[schema(value_type = String, format = DateTime)]
    start: String,
}

/// Takes another time, or keeps the old one when that cannot be had.
#[utoipa::path(
    post,
    path = "/booking/move",
    operation_id = "move_booking",
    tag = "appointments",
    request_body = OtherTime,
    responses(
        (status = 200, description = "Moved", body = Booking),
        (status = 409, description = "The time cannot be had; `alternatives` are the nearest that can",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reschedule(
    link: Link,
    Body(other): Body<OtherTime>,
) -> Result<Json<Booking>, Problem> {
    link.api.limiter.hold(&link.address.0)?;
    let start = instant(&other.start)?;
    let view = link.appointments()?.reschedule(&link.token, start).await;
    link.shown(view)
}

/// Cancels. Idempotent.
#[utoipa::path(
    post,
    path = "/booking/cancel",
    operation_id = "cancel_booking",
    tag = "appointments",
    responses(
        (status = 200, description = "Cancelled", body = Booking),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel(link: Link, _: NoBody) -> Result<Json<Booking>, Problem> {
    link.decided(link.appointments()?.cancel(&link.token).await)
}

/// The booking as a file for any calendar (RFC 5545).
#[utoipa::path(
    get,
    path = "/booking/calendar",
    operation_id = "booking_calendar",
    tag = "appointments",
    responses(
        (status = 200, description = "An iCalendar file", body = String, content_type = "text/calendar"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn calendar(link: Link) -> Result<Response, Problem> {
    let file = link
        .appointments()?
        .calendar(&link.token)
        .await
        .map_err(problem)?;
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"termin.ics\"",
        ),
    ];
    Ok((headers, file).into_response())
}

/// Whom a new link is for.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LinkWish {
    /// `interpreter` or `companion`.
    role: LinkHolder,
}

/// A link for somebody who comes along.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub(crate) struct NewLink {
    /// Its secret: the part after `#`.
    token: String,
}

/// Gives out a link of its own for an interpreter or a companion. It allows to look, and to come along.
#[utoipa::path(
    post,
    path = "/booking/links",
    operation_id = "make_booking_link",
    tag = "appointments",
    request_body = LinkWish,
    responses(
        (status = 201, description = "The link", body = NewLink),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn invite(
    link: Link,
    Body(LinkWish { role }): Body<LinkWish>,
) -> Result<(StatusCode, Json<NewLink>), Problem> {
    let holder = match role {
        LinkHolder::Interpreter => Holder::Interpreter,
        LinkHolder::Companion => Holder::Companion,
        LinkHolder::Booker | LinkHolder::Calendar => {
            return Err(Problem::fields(vec![("role", Fault::UnknownChoice)]));
        }
    };
    let made = link
        .appointments()?
        .invite(&link.token, holder)
        .await
        .map_err(problem)?;
    let body = NewLink {
        token: made.secret().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Whether an earlier time is wanted.
#[derive(Deserialize, ToSchema)]
pub(crate) struct EarlierWish {
    /// Whether to be told when an earlier time becomes free.
    wanted: bool,
}

/// Puts the booking on the waiting list for earlier times, or takes it off.
#[utoipa::path(
    post,
    path = "/booking/earlier",
    operation_id = "want_earlier",
    tag = "appointments",
    request_body = EarlierWish,
    responses(
        (status = 200, description = "Kept", body = Booking),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn want_earlier(
    link: Link,
    Body(EarlierWish { wanted }): Body<EarlierWish>,
) -> Result<Json<Booking>, Problem> {
    let view = link.appointments()?.want_earlier(&link.token, wanted).await;
    link.shown(view)
}

/// The time that is offered does not suit; somebody else may have it. Idempotent.
#[utoipa::path(
    post,
    path = "/booking/turn-down",
    operation_id = "turn_down_offer",
    tag = "appointments",
    responses(
        (status = 200, description = "The booking, as it was before the offer", body = Booking),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn turn_down(link: Link, _: NoBody) -> Result<Json<Booking>, Problem> {
    link.shown(link.appointments()?.turn_down(&link.token).await)
}

/// The visit that the booking has become.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedIn {
    /// The visit's id.
    visit: String,
}

/// The citizen is here: the booking becomes a visit, or the visit that it has become goes on in this browser; an earlier
/// one loses it. The link in a calendar takes it from no other browser. Sets the cookie that lets the browser to it.
#[utoipa::path(
    post,
    path = "/booking/check-in",
    operation_id = "check_in",
    tag = "appointments",
    responses(
        (status = 200, description = "The visit", body = CheckedIn),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn check_in(link: Link, browser: Browser, _: NoBody) -> Result<Response, Problem> {
    let secret = browser
        .0
        .unwrap_or_else(|| Secret::mint(&link.api.gateway.shell));
    let visit = link
        .appointments()?
        .check_in(&link.token, &secret.guest())
        .await
        .map_err(problem)?;
    let body = CheckedIn {
        visit: visit.to_string(),
    };
    let mut response = Json(body).into_response();
    if let Some(cookie) = secret.set_cookie(&link.api.gateway.config) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
