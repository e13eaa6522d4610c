//! `/besuch/{id}`: the shell in which the guest client shows a visit. `/dazu`: the one for somebody who comes along.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    http::header,
    response::Response,
};
use bridge::ids::{Language, VisitId};

use super::{
    assets::Script,
    layout::Layout,
    respond::{self, Kind},
};
use crate::{headers, state::Gateway};

/// The page is the same for everybody and says nothing of the visit; only the guest's cookie opens it.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Response {
    let city = gateway.house.lobby().borrow().city.clone();
    let Ok(visit) = id.parse::<VisitId>() else {
        return respond::not_found(&gateway, &city, language);
    };
    if !city.languages.contains(&language) {
        return respond::not_found(&gateway, &city, language);
    }
    let heading = gateway.texts.text(language, "visit-page-title", None);
    let layout = Layout::new(
        &gateway,
        &city,
        language,
        format!("/besuch/{visit}"),
        &heading,
    )
    .script(Script::Visit);
    with_calls(
        &gateway,
        respond::page(
            Kind::Personal,
            &VisitPage {
                layout,
                visit: visit.as_str(),
                calls: gateway.has_calls(),
            },
        ),
    )
}

/// The page is the same for everybody: what opens a place beside a citizen stands behind `#` and is not sent here.
pub(super) async fn beside(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
) -> Response {
    let city = gateway.house.lobby().borrow().city.clone();
    if gateway.participants.is_none() || !city.languages.contains(&language) {
        return respond::not_found(&gateway, &city, language);
    }
    let heading = gateway.texts.text(language, "beside-page-title", None);
    let layout = Layout::new(&gateway, &city, language, "/dazu", &heading).script(Script::Beside);
    let page = BesidePage {
        layout,
        heading: &heading,
    };
    with_calls(&gateway, respond::page(Kind::Personal, &page))
}

fn with_calls(gateway: &Gateway, mut response: Response) -> Response {
    if gateway.has_calls() {
        response.headers_mut().insert(
            header::CONTENT_SECURITY_POLICY,
            headers::policy_for_calls(&gateway.config),
        );
    }
    response
}

#[derive(Template)]
#[template(path = "beside.html")]
struct BesidePage<'a> {
    layout: Layout<'a>,
    heading: &'a str,
}

#[derive(Template)]
#[template(path = "visit.html")]
struct VisitPage<'a> {
    layout: Layout<'a>,
    visit: &'a str,
    calls: bool,
}
