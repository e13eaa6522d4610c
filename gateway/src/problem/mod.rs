//! What went wrong, as problem details (RFC 9457) in words a citizen understands.
//!
//! A handler answers with a [`Problem`], which knows no language. The layer [`write_out`] around the API
//! puts it into words, and does the same for refusals of the framework (no such address, body too large).

mod kind;

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bridge::ids::{Language, VisitId};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use scheduler::slots::Refused;
use serde::Serialize;
use texts::{Args, Catalogue};
use utoipa::ToSchema;

use crate::{
    api::{Api, bookings::Slot},
    language,
    limits::{Limited, OverLimit},
    pages::words::Words,
};

pub use self::kind::{Fault, Kind};

/// A field of the request and what is wrong with it.
pub type FieldFault = (&'static str, Fault);

/// What is wrong with a time at which there is no appointment, where its kind does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Past,
    TooSoon,
    /// The last day that can be booked.
    After(Date),
    OffGrid,
}

/// What went wrong, without words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    language: Option<Language>,
    retry_after: Option<Duration>,
    visit: Option<VisitId>,
    next_opening: Option<Timestamp>,
    alternatives: Vec<Slot>,
    wrong: Option<Wrong>,
    fields: Vec<FieldFault>,
}

impl Problem {
    /// For a homeserver or relay that is away: when to try again.
    const AWAY: Duration = Duration::from_secs(30);

    /// For a call whose room is being made: when to try again.
    const SOON: Duration = Duration::from_secs(1);

    /// For too much at once: when to try again.
    const BUSY: Duration = Duration::from_secs(5);

    /// What this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Fields that are missing or wrong.
    pub(crate) fn fields(fields: Vec<FieldFault>) -> Self {
        Self {
            fields,
            ..Kind::InvalidFields.into()
        }
    }

    /// The guest has this live visit already.
    pub(crate) fn already_here(visit: VisitId) -> Self {
        Self {
            visit: Some(visit),
            ..Kind::AlreadyHere.into()
        }
    }

    /// The office opens again then, if that is known.
    pub(crate) fn closed(next_opening: Option<Timestamp>) -> Self {
        Self {
            next_opening,
            ..Kind::OfficeClosed.into()
        }
    }

    /// The time cannot be had; the nearest that can.
    pub(crate) fn no_such_time(reason: Refused, alternatives: Vec<Slot>) -> Self {
        let (kind, wrong) = match reason {
            Refused::Full => (Kind::TimeTaken, None),
            Refused::Past => (Kind::NoSuchTime, Some(Wrong::Past)),
            Refused::TooSoon { .. } => (Kind::NoSuchTime, Some(Wrong::TooSoon)),
            Refused::TooFar { last_day } => (Kind::NoSuchTime, Some(Wrong::After(last_day))),
            Refused::Closed => (Kind::NoSuchTime, None),
            Refused::OffGrid => (Kind::NoSuchTime, Some(Wrong::OffGrid)),
        };
        Self {
            alternatives,
            wrong,
            ..kind.into()
        }
    }

    /// The house said what it never says to this endpoint: a fault of ours, logged here.
    pub(crate) fn unexpected(endpoint: &'static str, error: &crate::port::HouseError) -> Self {
        tracing::error!(endpoint, %error, "the house gave an answer that does not fit");
        Kind::Internal.into()
    }

    /// In this language, whatever the browser prefers.
    pub(crate) fn in_language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }

    /// What happened and what to do.
    fn detail(&self, texts: &Catalogue, language: Language) -> String {
        let say = |key: &str| texts.text(language, key, None);
        match self.wrong {
            Some(Wrong::Past) => say("problem-no-such-time-past"),
            Some(Wrong::TooSoon) => say("problem-no-such-time-too-soon"),
            Some(Wrong::After(last_day)) => {
                let mut args = Args::new();
                // A day is said alike in every zone.
                let day = Words::new(texts, language, &TimeZone::UTC).day(last_day);
                args.set("day", day);
                texts.text(language, "problem-no-such-time-too-far", Some(&args))
            }
            Some(Wrong::OffGrid) => say("problem-no-such-time-off-grid"),
            None => say(&format!("problem-{}-detail", self.kind.slug())),
        }
    }

    fn details(&self, texts: &Catalogue, language: Language) -> ProblemDetails {
        let slug = self.kind.slug();
        ProblemDetails {
            kind: Cow::Owned(format!("/problems/{slug}")),
            title: texts.text(language, &format!("problem-{slug}-title"), None),
            status: self.kind.status().as_u16(),
            detail: self.detail(texts, language),
            errors: self
                .fields
                .iter()
                .map(|(field, fault)| FieldError {
                    field: (*field).into(),
                    detail: fault.text(texts, language),
                })
                .collect(),
            visit: self.visit.as_ref().map(ToString::to_string),
            next_opening: self.next_opening,
            alternatives: self.alternatives.clone(),
        }
    }
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        let retry_after = match kind {
            Kind::HomeserverAway | Kind::CallsUnavailable | Kind::NotYet => Some(Self::AWAY),
            Kind::CallNotReady => Some(Self::SOON),
            Kind::Busy => Some(Self::BUSY),
            _ => None,
        };
        Self {
            kind,
            language: None,
            retry_after,
            visit: None,
            next_opening: None,
            alternatives: Vec::new(),
            wrong: None,
            fields: Vec::new(),
        }
    }
}

impl From<OverLimit> for Problem {
    fn from(over: OverLimit) -> Self {
        crate::telemetry::limited(over.limit);
        let kind = match over.limit {
            Limited::KnocksOfAddress
            | Limited::KnocksOfCity
            | Limited::MessagesOfAddress
            | Limited::MessagesOfVisit
            | Limited::MessagesOfCity
            | Limited::FilesOfVisit
            | Limited::TypingOfVisit
            | Limited::CallsOfVisit
            | Limited::TokensOfAddress
            | Limited::TokensInAll
            | Limited::SlotsOfAddress
            | Limited::HoldsOfAddress
            | Limited::BookingsOfAddress => Kind::TooManyRequests,
            Limited::PlacesOfAddress => Kind::TooManyPlaces,
            Limited::StreamsOfAddress | Limited::StreamsOfVisit => Kind::TooManyStreams,
            Limited::Uploads => Kind::Busy,
        };
        Self {
            retry_after: Some(over.retry_after),
            ..kind.into()
        }
    }
}

impl Problem {
    /// Too many files are on their way in.
    pub(crate) fn uploads_busy() -> Self {
        OverLimit {
            limit: Limited::Uploads,
            retry_after: Self::BUSY,
        }
        .into()
    }
}

/// The body of a refusal (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDetails {
    /// What it is, stable: `/problems/office-closed`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/office-closed", value_type = String)]
    kind: Cow<'static, str>,
    /// What it is, in a few words.
    title: String,
    /// The status, once more.
    status: u16,
    /// What happened and what to do, worded for citizens.
    detail: String,
    /// The fields that are missing or wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// With `already-here`: the live visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    visit: Option<String>,
    /// With `office-closed`: when the office opens again, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    next_opening: Option<Timestamp>,
    /// With `time-taken` and `no-such-time`: the nearest times that can be had.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    alternatives: Vec<Slot>,
}

/// What is wrong with a field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name in the request.
    #[schema(value_type = String)]
    field: Cow<'static, str>,
    /// What is wrong with it and what to do.
    detail: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The problem behind a status that the framework answered with.
fn of_status(status: StatusCode) -> Kind {
    match status {
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Kind::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Kind::Timeout,
        StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedType,
        status if status.is_client_error() => Kind::BadRequest,
        _ => Kind::Internal,
    }
}

/// Puts every refusal of the API into words.
pub(crate) async fn write_out(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let wished = language::of_headers(request.headers());
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let problem = parts
        .extensions
        .remove::<Problem>()
        .unwrap_or_else(|| of_status(status).into());
    let language = problem
        .language
        .or(wished)
        .unwrap_or_else(|| api.first_language());
    let details = problem.details(&api.gateway.texts, language);
    parts.status = problem.kind.status();
    let headers = &mut parts.headers;
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_TYPE);
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(language.code()),
    );
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    let mut response = Json(details).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    let (body_parts, body) = response.into_parts();
    parts.headers.extend(body_parts.headers);
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_time_that_cannot_be_had_is_refused_with_its_reason() {
        let texts = Catalogue::load();
        let reasons = [
            Refused::Past,
            Refused::TooSoon {
                earliest: Timestamp::UNIX_EPOCH,
            },
            Refused::TooFar {
                last_day: jiff::civil::date(2026, 12, 24),
            },
            Refused::Closed,
            Refused::OffGrid,
            Refused::Full,
        ];
        let details = |reason, language| {
            Problem::no_such_time(reason, Vec::new())
                .details(&texts, language)
                .detail
        };
        for language in Language::ALL {
            let told: BTreeSet<String> = reasons
                .iter()
                .map(|reason| details(*reason, language))
                .collect();
            assert_eq!(told.len(), reasons.len(), "{told:?}");
            assert!(
                !told.iter().any(|text| text.contains("problem-")),
                "{told:?}"
            );
        }
        let too_far = details(reasons[2], Language::De);
        assert!(too_far.contains("Donnerstag, 24. Dezember"), "{too_far}");
        let too_far = details(reasons[2], Language::En);
        assert!(too_far.contains("Thursday, 24 December"), "{too_far}");
    }
}
