//! `/booking…`: what the holder of a link can do.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
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
    appointments::{BookingView, Holder},
    extract::{Body, Browser, Client, NoBody},
    guest::Secret,
    problem::{Fault, Problem, ProblemDetails},
};

fn told(api: &Api, view: BookingView) -> Json<Booking> {
    Json(Booking::new(&api.lobby(), view))
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
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Bearer(token): Bearer,
) -> Result<Json<Booking>, Problem> {
    api.limiter.booking(&address)?;
    let view = appointments(&api)?.booking(&token).await.map_err(problem)?;
    Ok(told(&api, view))
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
pub(super) async fn confirm(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Bearer(token): Bearer,
    _: NoBody,
) -> Result<Json<Booking>, Problem> {
    api.limiter.booking(&address)?;
    let view = appointments(&api)?.confirm(&token).await.map_err(problem)?;
    Ok(told(&api, view))
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
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Bearer(token): Bearer,
    Body(other): Body<OtherTime>,
) -> Result<Json<Booking>, Problem> {
    api.limiter.hold(&address)?;
    let start = instant(&other.start)?;
    let view = appointments(&api)?
        .reschedule(&token, start)
        .await
        .map_err(problem)?;
    Ok(told(&api, view))
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
pub(super) async fn cancel(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Bearer(token): Bearer,
    _: NoBody,
) -> Result<Json<Booking>, Problem> {
    api.limiter.booking(&address)?;
    let view = appointments(&api)?.cancel(&token).await.map_err(problem)?;
    Ok(told(&api, view))
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
pub(super) async fn calendar(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Bearer(token): Bearer,
) -> Result<Response, Problem> {
    api.limiter.booking(&address)?;
    let file = appointments(&api)?
        .calendar(&token)
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
pub(crate) struct Link {
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
        (status = 201, description = "The link", body = Link),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn invite(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Bearer(token): Bearer,
    Body(LinkWish { role }): Body<LinkWish>,
) -> Result<(StatusCode, Json<Link>), Problem> {
    api.limiter.booking(&address)?;
    let holder = match role {
        LinkHolder::Interpreter => Holder::Interpreter,
        LinkHolder::Companion => Holder::Companion,
        LinkHolder::Booker => return Err(Problem::fields(vec![("role", Fault::UnknownChoice)])),
    };
    let link = appointments(&api)?
        .invite(&token, holder)
        .await
        .map_err(problem)?;
    let body = Link {
        token: link.secret().to_owned(),
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
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Bearer(token): Bearer,
    Body(EarlierWish { wanted }): Body<EarlierWish>,
) -> Result<Json<Booking>, Problem> {
    api.limiter.booking(&address)?;
    let view = appointments(&api)?
        .want_earlier(&token, wanted)
        .await
        .map_err(problem)?;
    Ok(told(&api, view))
}

/// The visit that the booking has become.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedIn {
    /// The visit's id.
    visit: String,
}

/// The citizen is here: the booking becomes a visit. Sets the cookie that lets the browser to it.
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
pub(super) async fn check_in(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    browser: Browser,
    Bearer(token): Bearer,
    _: NoBody,
) -> Result<Response, Problem> {
    api.limiter.booking(&address)?;
    let secret = browser
        .0
        .unwrap_or_else(|| Secret::mint(&api.gateway.shell));
    let visit = appointments(&api)?
        .check_in(&token, &secret.guest())
        .await
        .map_err(problem)?;
    let body = CheckedIn {
        visit: visit.to_string(),
    };
    let mut response = Json(body).into_response();
    if let Some(cookie) = secret.set_cookie(&api.gateway.config) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
