//! `GET /lobby/events`, `GET /visits/{id}/events`: what changes, as it changes.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use bridge::ids::Language;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use super::{
    Api,
    model::{Message, Typing, Visit},
    visits::show_problem,
};
use crate::{
    extract::{Client, Seat, Wished},
    port::{HouseError, VisitEvent, VisitEvents},
    problem::{Problem, ProblemDetails},
    sse,
    telemetry::StreamCount,
};

/// Live state of the offices as HTML: `office` events with `{"slug", "html"}`; all at first, then those that
/// change.
#[utoipa::path(
    get,
    path = "/lobby/events",
    operation_id = "lobby_events",
    tag = "lobby",
    params(("lang" = Option<String>, Query, description = "`de` or `en`")),
    responses(
        (status = 200, description = "`office`", content_type = "text/event-stream", body = String),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn lobby(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    Wished(language): Wished,
) -> Result<Response, Problem> {
    let open = api.streams_of_address.enter(address)?;
    let guards = (open, StreamCount::new("lobby"));
    Ok(sse::response(api.boards.stream(language, guards)))
}

/// What happens at a visit: `visit` (a `Visit`, first of all and after each change), `message` (a `Message`,
/// new or with a new delivery), `typing` (`{"typing": bool}`), `call` (who is in the call or where they send to has
/// changed: join again), `resync` (events were lost: read visit and messages again).
#[utoipa::path(
    get,
    path = "/visits/{id}/events",
    operation_id = "visit_events",
    tag = "visits",
    params(("id" = String, Path, description = "The visit")),
    responses(
        (status = 200, description = "`visit`, `message`, `typing`, `call`, `resync`",
            content_type = "text/event-stream", body = String),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn visit(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    seat: Seat,
    Wished(language): Wished,
) -> Result<Response, Problem> {
    let guards = (
        api.streams_of_address.enter(address)?,
        api.streams_of_visit
            .enter((seat.guest.clone(), seat.visit.clone()))?,
        StreamCount::new("visit"),
    );
    // Events first, then the state: a change in between is told twice rather than not at all.
    let house = &api.gateway.house;
    let events = house
        .watch(&seat.guest, &seat.visit)
        .await
        .map_err(|error| show_problem(&error))?;
    let present = house
        .visit(&seat.guest, &seat.visit)
        .await
        .map_err(|error| show_problem(&error))?;
    let first = sse::event("visit", &Visit::new(&api.lobby(), present, language));
    let page = Page {
        closing: api.gateway.shell.closing.clone(),
        api,
        seat,
        language,
        events,
        _guards: guards,
    };
    let rest = stream::unfold(page, |mut page| async move {
        let bytes = page.next().await?;
        Some((bytes, page))
    });
    let all = stream::once(async move { first }).chain(rest);
    Ok(sse::response(Body::from_stream(
        all.map(Ok::<Bytes, Infallible>),
    )))
}

/// A page that shows a visit.
struct Page<G> {
    api: Arc<Api>,
    seat: Seat,
    language: Language,
    events: VisitEvents,
    closing: watch::Receiver<bool>,
    _guards: G,
}

impl<G> Page<G> {
    /// The next bytes to send; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        tokio::select! {
            event = self.events.next() => self.told(event?).await,
            () = sse::closed(&mut self.closing) => None,
            () = tokio::time::sleep(sse::KEEP_ALIVE) => Some(sse::COMMENT),
        }
    }

    async fn told(&mut self, event: VisitEvent) -> Option<Bytes> {
        match event {
            VisitEvent::Changed => {
                let house = &self.api.gateway.house;
                match house.visit(&self.seat.guest, &self.seat.visit).await {
                    Ok(view) => {
                        let visit = Visit::new(&self.api.lobby(), view, self.language);
                        Some(sse::event("visit", &visit))
                    }
                    Err(HouseError::UnknownVisit) => None,
                    // The page asks again by itself.
                    Err(_) => Some(resync()),
                }
            }
            VisitEvent::Message(view) => {
                let message = Message::new(&self.seat.visit, view);
                Some(sse::event("message", &message))
            }
            VisitEvent::Typing(typing) => Some(sse::event("typing", &Typing { typing })),
            VisitEvent::Call => Some(sse::event("call", &serde_json::Map::new())),
            VisitEvent::Resync => Some(resync()),
        }
    }
}

fn resync() -> Bytes {
    sse::event("resync", &serde_json::Map::new())
}
