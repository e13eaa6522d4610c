//! `/seite/{slug}`: imprint, privacy, accessibility statement, and what else the city publishes.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use bridge::ids::Language;

use super::{
    layout::Layout,
    respond::{self, Kind},
};
use crate::state::Gateway;

pub(super) async fn show(
    State(gateway): State<Gateway>,
    Extension(language): Extension<Language>,
    Path(slug): Path<String>,
) -> Response {
    let city = gateway.house.lobby().borrow().city.clone();
    let found = city
        .pages
        .iter()
        .find(|page| page.slug == slug)
        .filter(|_| city.languages.contains(&language));
    let Some(page) = found else {
        return respond::not_found(&gateway, &city, language);
    };
    let title = page.title.get(language);
    respond::page(
        Kind::Public,
        &CityPage {
            layout: Layout::new(&gateway, &city, language, format!("/seite/{slug}"), title),
            title,
            html: page.html.get(language),
        },
    )
}

#[derive(Template)]
#[template(path = "city_page.html")]
struct CityPage<'a> {
    layout: Layout<'a>,
    title: &'a str,
    html: &'a str,
}
