//! `POST /offices/{slug}/visits`: a citizen knocks.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bridge::{
    ids::{Language, ServiceId},
    input::Refusal,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Api,
    model::{LanguageCode, Visit},
};
use crate::{
    clean,
    extract::{Body, Browser, Client, OfficePath},
    guest::Secret,
    port::{HouseError, KnockForm},
    problem::{Fault, FieldFault, Kind, Problem, ProblemDetails},
    telemetry,
};

/// Longest concern, in characters.
const CONCERN: usize = 1000;
/// Longest name, in characters.
const NAME: usize = 80;
/// Longest name of a language, in characters.
const INTERPRETER: usize = 60;

/// What a citizen tells when knocking. Lengths are in characters.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Knock {
    /// What it is about, in the citizen's own words.
    #[schema(required, nullable = false, min_length = 1, max_length = 1000)]
    concern: Option<String>,
    /// How to be addressed.
    #[schema(max_length = 80)]
    name: Option<String>,
    /// The language of the conversation.
    #[schema(required, nullable = false, value_type = LanguageCode)]
    language: Option<String>,
    /// The id of one of the office's services.
    service: Option<String>,
    /// The language an interpreter is needed for.
    #[schema(max_length = 60)]
    interpreter: Option<String>,
    /// The privacy notice was agreed to: must be true.
    #[schema(required, nullable = false)]
    privacy_accepted: Option<bool>,
}

impl Knock {
    /// The form, or everything that is wrong with it. Conversations are in one of the city's `languages`.
    fn check(self, languages: &[Language]) -> Result<KnockForm, Vec<FieldFault>> {
        let mut faults = Vec::new();
        let concern = clean::paragraphs(self.concern.as_deref().unwrap_or_default(), CONCERN)
            .map_err(|fault| faults.push(("concern", fault.into())));
        let name = optional_line("name", self.name.as_deref(), NAME, &mut faults);
        let language = language(self.language.as_deref(), languages, &mut faults);
        let service = match self.service.filter(|text| !text.is_empty()) {
            Some(text) => text
                .parse::<ServiceId>()
                .map_err(|_| faults.push(("service", Fault::UnknownChoice)))
                .ok(),
            None => None,
        };
        let interpreter = optional_line(
            "interpreter",
            self.interpreter.as_deref(),
            INTERPRETER,
            &mut faults,
        );
        if self.privacy_accepted != Some(true) {
            faults.push(("privacy_accepted", Fault::NotAccepted));
        }
        match (concern, language) {
            (Ok(concern), Some(language)) if faults.is_empty() => Ok(KnockForm {
                concern,
                name,
                language,
                service,
                interpreter,
            }),
            _ => Err(faults),
        }
    }
}

/// The language that was asked for, if it is one of `languages`.
pub(super) fn offered(code: Option<&str>, languages: &[Language]) -> Option<Language> {
    let asked = code?.parse().ok()?;
    languages.contains(&asked).then_some(asked)
}

/// The same in a form, which has to name one.
pub(super) fn language(
    code: Option<&str>,
    languages: &[Language],
    faults: &mut Vec<FieldFault>,
) -> Option<Language> {
    let found = offered(code, languages);
    if found.is_none() {
        let fault = code.map_or(Fault::Missing, |_| Fault::UnknownChoice);
        faults.push(("language", fault));
    }
    found
}

/// A line that may be left out, or empty.
pub(super) fn optional_line(
    field: &'static str,
    text: Option<&str>,
    max: usize,
    faults: &mut Vec<FieldFault>,
) -> Option<String> {
    match clean::line(text?, max) {
        Ok(line) => Some(line),
        Err(clean::TextFault::Empty) => None,
        Err(fault @ clean::TextFault::TooLong { .. }) => {
            faults.push((field, fault.into()));
            None
        }
    }
}

/// Knocks. Sets the cookie that lets the browser back to the visit.
#[utoipa::path(
    post,
    path = "/offices/{slug}/visits",
    operation_id = "knock",
    tag = "visits",
    params(("slug" = String, Path, description = "The office's name in addresses")),
    request_body = Knock,
    responses(
        (status = 201, description = "The visit waits", body = Visit,
            headers(("Location" = String, description = "The visit's address"))),
        (status = 409, description = "Closed, paused, full, or there is a live visit (`visit`)",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn knock(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    browser: Browser,
    OfficePath(office): OfficePath,
    Body(body): Body<Knock>,
) -> Result<Response, Problem> {
    api.limiter
        .knock(&address)
        .inspect_err(|_| telemetry::knock("limited"))?;
    let languages = api.lobby().city.languages.clone();
    let wished = offered(body.language.as_deref(), &languages);
    let in_language = |problem: Problem| match wished {
        Some(language) => problem.in_language(language),
        None => problem,
    };
    let form = body.check(&languages).map_err(|faults| {
        telemetry::knock("invalid");
        in_language(Problem::fields(faults))
    })?;
    let secret = browser
        .0
        .unwrap_or_else(|| Secret::mint(&api.gateway.shell));
    let view = api
        .gateway
        .house
        .knock(&office, &secret.guest(), form)
        .await
        .map_err(|error| {
            telemetry::knock(result(&error));
            in_language(problem(&error))
        })?;
    telemetry::knock("accepted");
    let location = format!("/api/v1/visits/{}", view.id);
    let language = view.language;
    let visit = Visit::new(&api.lobby(), view, language);
    let mut response = (StatusCode::CREATED, Json(visit)).into_response();
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(&location) {
        headers.insert(header::LOCATION, location);
    }
    if let Some(cookie) = secret.set_cookie(&api.gateway.config) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The metric's label.
const fn result(error: &HouseError) -> &'static str {
    match error {
        HouseError::Refused(Refusal::Closed { .. }) => "closed",
        HouseError::Refused(Refusal::Paused) => "paused",
        HouseError::Refused(Refusal::QueueFull) => "full",
        HouseError::Refused(Refusal::AlreadyHere { .. }) => "already_here",
        HouseError::UnknownOffice | HouseError::UnknownService => "invalid",
        HouseError::Refused(Refusal::UnknownVisit | Refusal::WrongState)
        | HouseError::UnknownVisit
        | HouseError::NoConversation
        | HouseError::UnknownFile
        | HouseError::NotRatable
        | HouseError::HomeserverAway
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable
        | HouseError::Busy
        | HouseError::Internal => "failed",
    }
}

fn problem(error: &HouseError) -> Problem {
    match error {
        HouseError::UnknownOffice => Kind::UnknownOffice.into(),
        HouseError::UnknownService => Problem::fields(vec![("service", Fault::UnknownChoice)]),
        HouseError::Refused(said) => {
            refusal(said).unwrap_or_else(|| Problem::unexpected("knock", error))
        }
        HouseError::HomeserverAway => Kind::HomeserverAway.into(),
        HouseError::Busy => Kind::Busy.into(),
        HouseError::Internal => Kind::Internal.into(),
        HouseError::UnknownVisit
        | HouseError::NoConversation
        | HouseError::UnknownFile
        | HouseError::NotRatable
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected("knock", error),
    }
}

/// Why somebody cannot come in, as far as it has to do with coming in.
pub(super) fn refusal(refusal: &Refusal) -> Option<Problem> {
    match refusal {
        Refusal::Closed { next_opening } => Some(Problem::closed(*next_opening)),
        Refusal::Paused => Some(Kind::OfficePaused.into()),
        Refusal::QueueFull => Some(Kind::QueueFull.into()),
        Refusal::AlreadyHere { visit } => Some(Problem::already_here(visit.clone())),
        Refusal::UnknownVisit | Refusal::WrongState => None,
    }
}
