//! Answers: a rendered page with its headers, or the page that says that there is none.

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use bridge::ids::Language;
use city::model::City;

use super::layout::Layout;
use crate::state::Gateway;

/// How long a page may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Live, but the same for everybody.
    Public,
    /// Concerns one guest: never kept anywhere.
    Personal,
}

/// A page. The headers that every answer needs come from the layer around all routes.
pub(super) fn page(kind: Kind, template: &impl Template) -> Response {
    page_with_status(StatusCode::OK, kind, template)
}

fn page_with_status(status: StatusCode, kind: Kind, template: &impl Template) -> Response {
    let keep = match kind {
        Kind::Public => "no-cache",
        Kind::Personal => "no-store",
    };
    match template.render() {
        Ok(html) => (status, [(header::CACHE_CONTROL, keep)], Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The page for an address without a page.
pub(super) async fn missing(State(gateway): State<Gateway>, uri: Uri) -> Response {
    let path = uri.path();
    let language = if path == "/en" || path.starts_with("/en/") {
        Language::En
    } else {
        Language::De
    };
    let city = gateway.house.lobby().borrow().city.clone();
    not_found(&gateway, &city, language)
}

/// The page that says, in `language`, that there is no such page.
pub(super) fn not_found(gateway: &Gateway, city: &City, language: Language) -> Response {
    let heading = gateway.texts.text(language, "missing-title", None);
    page_with_status(
        StatusCode::NOT_FOUND,
        Kind::Public,
        &MissingPage {
            layout: Layout::new(gateway, city, language, "/", &heading),
        },
    )
}

#[derive(Template)]
#[template(path = "missing.html")]
struct MissingPage<'a> {
    layout: Layout<'a>,
}
