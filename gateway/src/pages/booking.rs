//! `/buero/{slug}/termin`: the frame in which the guest client books. `/termin`: the one in which it shows a booking.
//! `/warteliste`: the one for whoever wants an earlier time.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use bridge::ids::Language;
use city::model::City;
use serde::Serialize;

use super::{
    assets::Script,
    layout::{Layout, address},
    respond::{self, Kind},
    words::Words,
};
use crate::state::Gateway;

const WAITING_LIST: &str = "/warteliste";

/// A service, as the guest client offers it.
#[derive(Serialize)]
struct ServiceChoice<'a> {
    id: &'a str,
    name: &'a str,
    minutes: String,
}

#[derive(Template)]
#[template(path = "book.html")]
struct BookPage<'a> {
    layout: Layout<'a>,
    slug: &'a str,
    name: &'a str,
    office_path: &'a str,
    /// JSON.
    services: String,
    privacy_href: String,
    /// The codes of those that the citizen can choose from.
    languages: String,
}

pub(super) async fn book(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
    Path(slug): Path<String>,
) -> Response {
    let city = gateway.house.lobby().borrow().city.clone();
    if let Some(spoken) = spoken_instead(&city, language) {
        return moved(spoken, &format!("/buero/{slug}/termin"));
    }
    let found = city
        .offices
        .iter()
        .find(|office| office.slug.as_str() == slug)
        .filter(|_| gateway.appointments.is_some())
        .and_then(|office| Some((office, office.booking.as_ref()?)));
    let Some((office, terms)) = found else {
        return respond::not_found(&gateway, &city, language);
    };
    let heading = gateway.texts.text(language, "book-page-title", None);
    let office_path = format!("/buero/{slug}");
    let layout = Layout::new(
        &gateway,
        &city,
        language,
        format!("{office_path}/termin"),
        &heading,
    )
    .script(Script::Book);
    let w = Words::new(&gateway.texts, language, &office.hours.zone);
    let services: Vec<ServiceChoice<'_>> = office
        .services
        .iter()
        .filter(|service| terms.services.contains(&service.id))
        .map(|service| ServiceChoice {
            id: service.id.as_str(),
            name: service.name.get(language),
            minutes: w.n("office-service-minutes", service.minutes),
        })
        .collect();
    let privacy_href = city
        .pages
        .iter()
        .find(|page| page.slug == "datenschutz")
        .map(|page| layout.href(&format!("/seite/{}", page.slug)));
    respond::page(
        Kind::Public,
        &BookPage {
            slug: office.slug.as_str(),
            name: office.name.get(language),
            office_path: &office_path,
            // Plain texts always have a JSON form.
            services: serde_json::to_string(&services).unwrap_or_default(),
            privacy_href: privacy_href.unwrap_or_default(),
            languages: codes(&city.languages),
            layout,
        },
    )
}

fn codes(languages: &[Language]) -> String {
    let codes: Vec<&str> = languages.iter().map(|language| language.code()).collect();
    codes.join(" ")
}

/// The city's first language where it does not offer `asked`. Links of bookings last for weeks, and a language can be
/// taken out of the city's file meanwhile.
fn spoken_instead(city: &City, asked: Language) -> Option<Language> {
    Some(city.spoken(asked)).filter(|spoken| *spoken != asked)
}

/// The same page in another language. Browsers keep what stands behind `#` (RFC 9110 §10.2.2): the link opens its booking.
fn moved(language: Language, path: &str) -> Response {
    Redirect::temporary(&address(language, path)).into_response()
}

#[derive(Template)]
#[template(path = "booking.html")]
struct BookingPage<'a> {
    layout: Layout<'a>,
    heading: &'a str,
    /// Whether the waiting list is shown instead of the booking.
    waiting_list: bool,
    calls: bool,
}

/// A booking.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
) -> Response {
    frame(&gateway, language, "/termin", "booking-page-title")
}

/// A booking on the waiting list.
pub(super) async fn waiting_list(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
) -> Response {
    frame(&gateway, language, WAITING_LIST, "waiting-list-page-title")
}

/// The page is the same for everybody: what opens a booking stands behind `#` and is not sent here.
fn frame(gateway: &Gateway, language: Language, path: &str, title: &str) -> Response {
    let city = gateway.house.lobby().borrow().city.clone();
    if let Some(spoken) = spoken_instead(&city, language) {
        return moved(spoken, path);
    }
    if gateway.appointments.is_none() {
        return respond::not_found(gateway, &city, language);
    }
    let heading = gateway.texts.text(language, title, None);
    let layout = Layout::new(gateway, &city, language, path, &heading).script(Script::Booking);
    respond::page(
        Kind::Personal,
        &BookingPage {
            layout,
            heading: &heading,
            waiting_list: path == WAITING_LIST,
            calls: gateway.has_calls(),
        },
    )
}
