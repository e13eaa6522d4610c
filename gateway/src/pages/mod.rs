//! Pages rendered here: lobby, office, visit shell, the city's own pages, the embeddable state.
//!
//! Every page says what matters without script; scripts then keep it live. German pages stand at the root,
//! English ones below `/en`.

mod assets;
mod booking;
mod city_page;
mod embed;
mod faq;
mod layout;
mod live;
mod lobby;
mod office;
mod respond;
mod visit;
pub(crate) mod words;

use axum::{Extension, Router, response::Redirect, routing::get};
use bridge::ids::Language;
use tower_http::compression::CompressionLayer;

pub use self::{
    assets::{Assets, AssetsError, Script},
    live::render_office_live,
};
use crate::state::Gateway;

/// Every route that answers HTML, and the guest client's assets. Its fallback is the page that says that
/// there is no such page.
pub fn routes() -> Router<Gateway> {
    Router::new()
        .merge(in_language(Language::De))
        .nest("/en", in_language(Language::En))
        .route("/en/", get(|| async { Redirect::permanent("/en") }))
        .fallback(respond::missing)
        .layer(CompressionLayer::new())
        .route("/assets/{*file}", get(assets::serve))
        .route("/favicon.svg", get(assets::serve))
}

/// The pages of one language.
fn in_language(language: Language) -> Router<Gateway> {
    Router::new()
        .route("/", get(lobby::show))
        .route("/buero/{slug}", get(office::show))
        .route("/buero/{slug}/termin", get(booking::book))
        .route("/termin", get(booking::show))
        .route("/warteliste", get(booking::waiting_list))
        .route("/besuch/{id}", get(visit::show))
        .route("/dazu", get(visit::beside))
        .route("/seite/{slug}", get(city_page::show))
        .route("/einbetten", get(embed::show))
        .layer(Extension(language))
}
