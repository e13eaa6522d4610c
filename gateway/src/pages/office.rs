//! `/buero/{slug}`: one office, and the form to knock at its door.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use bridge::{ids::Language, office::Status};
use city::model::{OfficeConfig, Place};
use jiff::civil::Weekday;

use super::{
    assets::Script,
    faq::{self, FaqView},
    layout::Layout,
    live::render_office_live,
    respond::{self, Kind},
    words::Words,
};
use crate::{port::OfficeLive, state::Gateway};

/// So many days with other hours are announced.
const NOTICES_SHOWN: usize = 5;

pub(super) async fn show(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
    Path(slug): Path<String>,
) -> Response {
    let lobby = gateway.house.lobby().borrow().clone();
    let city = &lobby.city;
    let found = lobby
        .offices
        .iter()
        .find(|live| live.slug.as_str() == slug)
        .and_then(|live| {
            let config = city.offices.iter().find(|it| it.slug == live.slug)?;
            Some((live, config))
        })
        .filter(|_| city.languages.contains(&language));
    let Some((live, config)) = found else {
        return respond::not_found(&gateway, city, language);
    };
    let name = config.name.get(language);
    let layout = Layout::new(&gateway, city, language, format!("/buero/{slug}"), name)
        .script(Script::Office);
    let w = Words::new(&gateway.texts, language, &config.hours.zone);
    let page = OfficePage {
        slug: config.slug.as_str(),
        name,
        description: config.description.get(language),
        live_html: render_office_live(&gateway.texts, &lobby, live, language),
        accepting: live.accepting,
        refusal: Refusal::of(live, &w),
        calls: gateway.has_calls(),
        booking_page: match &config.booking {
            Some(_) if gateway.appointments.is_some() => {
                Some(layout.href(&format!("/buero/{slug}/termin")))
            }
            _ => config.booking_page.clone(),
        },
        privacy_href: city
            .pages
            .iter()
            .find(|page| page.slug == "datenschutz")
            .map(|page| layout.href(&format!("/seite/{}", page.slug))),
        services: services(config, &w),
        week: week(config, live, &w),
        notices: config
            .notices
            .range(live.opening.today..)
            .take(NOTICES_SHOWN)
            .map(|(day, text)| (w.day(*day), text.get(language)))
            .collect(),
        faq: faq::views(&config.faq, config.slug.as_str(), None, language).collect(),
        layout,
    };
    respond::page(Kind::Public, &page)
}

#[derive(Template)]
#[template(path = "office.html")]
struct OfficePage<'a> {
    layout: Layout<'a>,
    slug: &'a str,
    name: &'a str,
    description: &'a str,
    live_html: String,
    accepting: bool,
    refusal: Refusal,
    booking_page: Option<String>,
    /// Whether there are video calls, so that devices are worth a test.
    calls: bool,
    privacy_href: Option<String>,
    services: Vec<ServiceView<'a>>,
    week: Vec<DayView>,
    /// Days to come whose hours differ from the week.
    notices: Vec<(String, &'a str)>,
    faq: Vec<FaqView<'a>>,
}

/// Why one cannot knock at this moment. Rendered always, shown while it is true: a script may find the office
/// closing while the page is open.
struct Refusal {
    heading: String,
    text: String,
    next: Option<String>,
}

impl Refusal {
    fn of(live: &OfficeLive, w: &Words) -> Self {
        let (heading, text) = match live.occupancy.status {
            Status::Closed => ("office-closed-heading", "office-closed-text"),
            Status::Paused => ("office-paused-heading", "office-paused-hint"),
            Status::Free | Status::Busy => ("office-full-heading", "office-full-hint"),
        };
        Self {
            heading: w.t(heading),
            text: w.t(text),
            next: (live.occupancy.status == Status::Closed)
                .then_some(live.opening.next_opening)
                .flatten()
                .map(|at| {
                    let when = w.moment(at, live.opening.today);
                    w.t1("office-closed-next", "when", &when)
                }),
        }
    }
}

struct ServiceView<'a> {
    id: &'a str,
    name: &'a str,
    minutes: String,
    documents: Vec<&'a str>,
    /// Where to go, if personal presence is needed.
    address: Option<&'a str>,
}

fn services<'a>(config: &'a OfficeConfig, w: &Words) -> Vec<ServiceView<'a>> {
    let language = w.language;
    config
        .services
        .iter()
        .map(|service| ServiceView {
            id: service.id.as_str(),
            name: service.name.get(language),
            minutes: w.n("office-service-minutes", service.minutes),
            documents: service
                .documents
                .iter()
                .map(|document| document.get(language))
                .collect(),
            address: match &service.place {
                Place::Remote => None,
                Place::InPerson { address } => Some(address.get(language)),
            },
        })
        .collect()
}

/// One line of the week.
struct DayView {
    name: String,
    hours: Option<String>,
    today: bool,
}

fn week(config: &OfficeConfig, live: &OfficeLive, w: &Words) -> Vec<DayView> {
    Weekday::Monday
        .cycle_forward()
        .zip(&config.hours.weekly)
        .map(|(weekday, periods)| DayView {
            name: w.weekday(weekday),
            hours: w.periods(periods),
            today: weekday == live.opening.today.weekday(),
        })
        .collect()
}
