//! `POST /visits/{id}/participants`, `/visits/participation…`: interpreters and companions.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json,
    body::{Body as StreamBody, Bytes},
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bridge::ids::{GuestId, Language, ParticipantId};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

use super::{Api, bookings::Bearer, calls, model::office_name};
use crate::{
    extract::{Body, Browser, Client, NoBody, Seat, Wished},
    guest::Secret,
    participants::{ParticipantError, ParticipantView, Participants, Phase, Role},
    port::{VisitEvent, VisitEvents},
    problem::{Kind, Problem, ProblemDetails},
    sse,
    telemetry::StreamCount,
};

/// Whom a link is for.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ParticipantWish {
    /// What they come along for.
    role: Role,
}

/// A link for somebody who comes along.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParticipantLink {
    /// Its secret: the part after `#`.
    token: String,
}

/// A place beside a citizen.
#[derive(Serialize, ToSchema)]
pub(crate) struct Participation {
    /// Its id.
    id: String,
    /// What they come along for.
    role: Role,
    /// The office's name in the language asked for.
    office_name: String,
    /// The visit's ticket.
    #[schema(example = "G-017")]
    ticket: String,
    /// Where the visit is.
    state: Phase,
    /// The clerk, once there is one.
    clerk_name: Option<String>,
}

impl Participation {
    fn new(api: &Api, view: ParticipantView, language: Language) -> Self {
        Self {
            id: view.id.to_string(),
            role: view.role,
            office_name: office_name(&api.lobby(), &view.office, language),
            ticket: view.ticket.to_string(),
            state: view.phase,
            clerk_name: view.clerk_name,
        }
    }
}

/// The place in the path and the browser that asks for it.
pub(super) struct Place {
    guest: GuestId,
    id: ParticipantId,
}

#[derive(Deserialize)]
struct PlacePath {
    id: String,
}

impl FromRequestParts<Arc<Api>> for Place {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let unknown = || Problem::from(Kind::UnknownLink);
        let Path(path) = Path::<PlacePath>::from_request_parts(parts, api)
            .await
            .map_err(|_| unknown())?;
        let id = path.id.parse().map_err(|_| unknown())?;
        let secret = Secret::of_headers(&parts.headers, &api.gateway.config);
        let guest = secret.ok_or_else(unknown)?.guest();
        Ok(Self { guest, id })
    }
}

fn participants(api: &Api) -> Result<&dyn Participants, Problem> {
    api.gateway
        .participants
        .as_deref()
        .ok_or_else(|| Kind::CallsUnavailable.into())
}

fn problem(error: &ParticipantError) -> Problem {
    match error {
        ParticipantError::UnknownLink => Kind::UnknownLink.into(),
        ParticipantError::Over => Kind::ConversationOver.into(),
        ParticipantError::TurnedOut => Kind::TurnedOut.into(),
        ParticipantError::NotYet => Kind::NotYet.into(),
        ParticipantError::TooMany => Kind::TooManyParticipants.into(),
        ParticipantError::House(error) => calls::join_problem(error),
    }
}

/// Gives out a link for an interpreter or a companion, at most three for each visit. It leads into the conversation's
/// call and to nothing else of the visit, until the visit ends.
#[utoipa::path(
    post,
    path = "/visits/{id}/participants",
    operation_id = "invite_participant",
    tag = "participants",
    params(("id" = String, Path, description = "The visit")),
    request_body = ParticipantWish,
    responses(
        (status = 201, description = "The link", body = ParticipantLink),
        (status = 409, description = "Three have been given out", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 410, description = "The visit has ended", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn invite(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Seat { guest, visit }: Seat,
    Body(wish): Body<ParticipantWish>,
) -> Result<(StatusCode, Json<ParticipantLink>), Problem> {
    api.limiter.booking(&address)?;
    let made = participants(&api)?.invite(&guest, &visit, wish.role).await;
    let link = made.map_err(|error| problem(&error))?;
    let body = ParticipantLink {
        token: link.secret().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Whoever shows a link's secret takes its place in this browser; an earlier browser loses it. Sets the cookie that
/// opens the place. The link of an appointment does the same from its citizen's coming on.
#[utoipa::path(
    post,
    path = "/visits/participation",
    operation_id = "take_part",
    tag = "participants",
    responses(
        (status = 200, description = "The place", body = Participation),
        (status = 403, description = "A clerk has put them out of the conversation", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no such link", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 409, description = "The citizen has not come yet (`not-yet`): try again after `Retry-After`; or three \
            come along already", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 410, description = "The visit has ended", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn claim(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    browser: Browser,
    Wished(language): Wished,
    link: Result<Bearer, Problem>,
    _: NoBody,
) -> Result<Response, Problem> {
    // Before the secret is looked at: whoever guesses is counted.
    api.limiter.booking(&address)?;
    let Bearer(link) = link.map_err(|_| Kind::UnknownLink)?;
    let secret = browser
        .0
        .unwrap_or_else(|| Secret::mint(&api.gateway.shell));
    let view = participants(&api)?.claim(&link, &secret.guest()).await;
    let view = view.map_err(|error| problem(&error))?;
    let mut response = Json(Participation::new(&api, view, language)).into_response();
    if let Some(cookie) = secret.set_cookie(&api.gateway.config) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What happens at the visit: `participation` (a `Participation`, first of all and after each change), `call` (join
/// again), `turned_out` (a clerk has put them out: `{}`), `over` (the visit has ended, or another browser has taken the
/// place: `{}`). After these two the stream ends; who asks for it later is told the same.
#[utoipa::path(
    get,
    path = "/visits/participation/{id}/events",
    operation_id = "participation_events",
    tag = "participants",
    params(("id" = String, Path, description = "The place")),
    responses(
        (status = 200, description = "`participation`, `call`, `turned_out`, `over`", content_type = "text/event-stream",
            body = String),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn events(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    place: Place,
    Wished(language): Wished,
) -> Result<Response, Problem> {
    let guards = (
        api.streams_of_address.enter(address)?,
        StreamCount::new("participation"),
    );
    // Events first, then the state: a change in between is told twice rather than not at all.
    let events = match participants(&api)?.watch(&place.guest, &place.id).await {
        Ok(events) => events,
        // A browser does not tell a page why a stream was refused.
        Err(error) => match farewell(&error) {
            Some(farewell) => return Ok(sse::response(StreamBody::from(farewell))),
            None => return Err(problem(&error)),
        },
    };
    let mut page = Page {
        closing: api.gateway.shell.closing.clone(),
        api,
        place,
        language,
        events,
        over: false,
        _guards: guards,
    };
    let first = page.state().await;
    let rest = stream::unfold(page, |mut page| async move {
        let bytes = page.next().await?;
        Some((bytes, page))
    });
    let all = stream::once(async move { first }).chain(rest);
    Ok(sse::response(StreamBody::from_stream(
        all.map(Ok::<Bytes, Infallible>),
    )))
}

/// A page that shows a place.
struct Page<G> {
    api: Arc<Api>,
    place: Place,
    language: Language,
    events: VisitEvents,
    closing: watch::Receiver<bool>,
    over: bool,
    _guards: G,
}

impl<G> Page<G> {
    /// The next bytes to send; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.over {
                return None;
            }
            let event = tokio::select! {
                event = self.events.next() => event?,
                () = sse::closed(&mut self.closing) => return None,
                () = tokio::time::sleep(sse::KEEP_ALIVE) => return Some(sse::COMMENT),
            };
            match event {
                VisitEvent::Changed | VisitEvent::Resync => return Some(self.state().await),
                VisitEvent::Call => return Some(sse::event("call", &serde_json::Map::new())),
                // What is written in the conversation is not for this page.
                VisitEvent::Message(_) | VisitEvent::Typing(_) => {}
            }
        }
    }

    /// The place as it is now.
    async fn state(&mut self) -> Bytes {
        let Place { guest, id } = &self.place;
        let seen = match participants(&self.api) {
            Ok(participants) => participants.participant(guest, id).await,
            Err(_) => Err(ParticipantError::Over),
        };
        match seen {
            Ok(view) => {
                let place = Participation::new(&self.api, view, self.language);
                sse::event("participation", &place)
            }
            Err(error) => {
                let farewell = farewell(&error);
                self.over = farewell.is_some();
                farewell.unwrap_or(sse::COMMENT)
            }
        }
    }
}

/// The last event of a place's stream; none after a fault that may pass.
fn farewell(error: &ParticipantError) -> Option<Bytes> {
    let name = match error {
        ParticipantError::House(_) => return None,
        ParticipantError::TurnedOut => "turned_out",
        ParticipantError::UnknownLink
        | ParticipantError::Over
        | ParticipantError::NotYet
        | ParticipantError::TooMany => "over",
    };
    Some(sse::event(name, &serde_json::Map::new()))
}

/// Joins the call, or renews it after a `call` event, until hanging up, until no page shows the place any more, or until
/// the visit ends.
#[utoipa::path(
    post,
    path = "/visits/participation/{id}/call",
    operation_id = "join_call_beside",
    tag = "participants",
    params(("id" = String, Path, description = "The place")),
    responses(
        (status = 200, description = "In the call", body = calls::Call),
        (status = 409, description = "The visit is not in conversation, or (`call-not-ready`) its room is being made: \
            try again after `Retry-After`", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn join(
    State(api): State<Arc<Api>>,
    Place { guest, id }: Place,
    _: NoBody,
) -> Result<Json<calls::Call>, Problem> {
    let place = (guest, id);
    api.limiter.call_beside(&place)?;
    let call = participants(&api)?.join_call(&place.0, &place.1).await;
    Ok(Json(call.map_err(|error| problem(&error))?.into()))
}

/// Hangs up; the visit goes on. Again is fine.
#[utoipa::path(
    delete,
    path = "/visits/participation/{id}/call",
    operation_id = "leave_call_beside",
    tag = "participants",
    params(("id" = String, Path, description = "The place")),
    responses(
        (status = 204, description = "Not in the call"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn leave(
    State(api): State<Arc<Api>>,
    place: Place,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    let left = participants(&api)?
        .leave_call(&place.guest, &place.id)
        .await;
    left.map_err(|error| problem(&error))?;
    Ok(StatusCode::NO_CONTENT)
}
