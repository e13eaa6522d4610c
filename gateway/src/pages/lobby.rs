//! `/`: every office with its live state, and the questions people ask.

use askama::Template;
use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use bridge::{ids::Language, office::Status};
use city::model::OfficeConfig;
use texts::Value;

use super::{
    assets::Script,
    faq::{self, FaqView},
    layout::Layout,
    live::render_office_live,
    respond::{self, Kind},
};
use crate::{
    language,
    port::{Lobby, OfficeLive},
    state::Gateway,
};

/// So many services of an office are named in the lobby.
const SERVICES_NAMED: usize = 3;

pub(super) async fn show(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
    headers: HeaderMap,
) -> Response {
    let lobby = gateway.house.lobby().borrow().clone();
    let city = &lobby.city;
    if !city.languages.contains(&language) {
        return respond::not_found(&gateway, city, Language::default());
    }
    let heading = gateway.texts.text(language, "lobby-title", None);
    let layout = Layout::new(&gateway, city, language, "/", &heading).script(Script::Lobby);
    let page = LobbyPage {
        calls: gateway.has_calls(),
        offices: lobby
            .offices
            .iter()
            .filter_map(|live| OfficeCard::new(&gateway, &lobby, live, &layout))
            .collect(),
        faq: faq::views(&city.faq, "stadt", None, language)
            .chain(city.offices.iter().flat_map(|office| {
                let name = office.name.get(language);
                faq::views(&office.faq, office.slug.as_str(), Some(name), language)
            }))
            .collect(),
        running_text: layout.w.with(
            "lobby-running",
            [
                ("ticket", Value::from("{ticket}")),
                ("office", Value::from("{office}")),
            ],
        ),
        hint: language::of_headers(&headers).is_some_and(|wished| wished != language),
        layout,
    };
    respond::page(Kind::Public, &page)
}

#[derive(Template)]
#[template(path = "lobby.html")]
struct LobbyPage<'a> {
    layout: Layout<'a>,
    offices: Vec<OfficeCard<'a>>,
    faq: Vec<FaqView<'a>>,
    /// The sentence about a visit that has not ended, with places for `{ticket}` and `{office}`.
    running_text: String,
    /// Whether the browser asks for the other language first.
    hint: bool,
    /// People also see and hear each other.
    calls: bool,
}

/// One office in the lobby.
struct OfficeCard<'a> {
    slug: &'a str,
    name: &'a str,
    description: &'a str,
    href: String,
    services: Vec<&'a str>,
    more_services: Option<String>,
    live_html: String,
    knockable: bool,
}

impl<'a> OfficeCard<'a> {
    fn new(
        gateway: &Gateway,
        lobby: &'a Lobby,
        live: &OfficeLive,
        layout: &Layout,
    ) -> Option<Self> {
        let language = layout.w.language;
        let config: &OfficeConfig = lobby
            .city
            .offices
            .iter()
            .find(|config| config.slug == live.slug)?;
        let rest = config.services.len().saturating_sub(SERVICES_NAMED);
        Some(Self {
            slug: config.slug.as_str(),
            name: config.name.get(language),
            description: config.description.get(language),
            href: layout.href(&format!("/buero/{}", config.slug)),
            services: config
                .services
                .iter()
                .take(SERVICES_NAMED)
                .map(|service| service.name.get(language))
                .collect(),
            more_services: (rest > 0).then(|| {
                layout.w.n(
                    "lobby-more-services",
                    u32::try_from(rest).unwrap_or(u32::MAX),
                )
            }),
            live_html: render_office_live(&gateway.texts, lobby, live, language),
            knockable: live.accepting && live.occupancy.status != Status::Closed,
        })
    }
}
