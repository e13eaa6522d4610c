//! `/einbetten`: the live state alone, for a frame on the city's own website.

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use bridge::ids::Language;
use serde::Deserialize;

use super::{
    assets::Script,
    layout::Layout,
    live::render_office_live,
    respond::{self, Kind},
};
use crate::state::Gateway;

/// What the address may ask for.
#[derive(Debug, Deserialize)]
pub(super) struct Selection {
    /// Only the office of this slug.
    buero: Option<String>,
}

pub(super) async fn show(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
    Query(selection): Query<Selection>,
) -> Response {
    let lobby = gateway.house.lobby().borrow().clone();
    let city = &lobby.city;
    let heading = gateway.texts.text(language, "embed-title", None);
    let layout =
        Layout::new(&gateway, city, language, "/einbetten", &heading).script(Script::Lobby);
    let offices: Vec<_> = lobby
        .offices
        .iter()
        .filter(|live| {
            selection
                .buero
                .as_deref()
                .is_none_or(|slug| slug == live.slug.as_str())
        })
        .filter_map(|live| {
            let config = city.offices.iter().find(|it| it.slug == live.slug)?;
            Some(EmbeddedOffice {
                name: config.name.get(language),
                href: layout.href(&format!("/buero/{}", config.slug)),
                live_html: render_office_live(&gateway.texts, &lobby, live, language),
            })
        })
        .collect();
    if offices.is_empty() || !city.languages.contains(&language) {
        return respond::not_found(&gateway, city, language);
    }
    respond::page(Kind::Public, &EmbedPage { layout, offices })
}

#[derive(Template)]
#[template(path = "embed.html")]
struct EmbedPage<'a> {
    layout: Layout<'a>,
    offices: Vec<EmbeddedOffice<'a>>,
}

struct EmbeddedOffice<'a> {
    name: &'a str,
    href: String,
    live_html: String,
}
