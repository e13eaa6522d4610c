//! What all pages share: head, header, footer.

use bridge::ids::Language;
use city::model::City;

use super::{
    assets::{Module, Script},
    words::Words,
};
use crate::state::Gateway;

/// The frame around a page.
pub(super) struct Layout<'a> {
    pub(super) w: Words<'a>,
    pub(super) title: String,
    gateway: &'a Gateway,
    city: &'a City,
    /// The page's address without the language: `/buero/fundbuero`.
    path: String,
    script: Option<Script>,
}

/// A link to another page.
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
}

impl<'a> Layout<'a> {
    /// The frame of the page at `path` (without language) with the given heading.
    pub(super) fn new(
        gateway: &'a Gateway,
        city: &'a City,
        language: Language,
        path: impl Into<String>,
        heading: &str,
    ) -> Self {
        let w = Words::new(&gateway.texts, language, &city.zone);
        Self {
            w,
            title: w.title(heading, city.name.get(language)),
            gateway,
            city,
            path: path.into(),
            script: None,
        }
    }

    /// With a script.
    pub(super) fn script(mut self, script: Script) -> Self {
        self.script = Some(script);
        self
    }

    pub(super) fn language(&self) -> &'static str {
        self.w.language.code()
    }

    pub(super) fn city_name(&self) -> &str {
        self.city.name.get(self.w.language)
    }

    pub(super) fn style(&self) -> &str {
        self.gateway.assets.style()
    }

    pub(super) fn module(&self) -> Option<&Module> {
        self.script.map(|script| self.gateway.assets.module(script))
    }

    /// The address of a page in this page's language.
    pub(super) fn href(&self, path: &str) -> String {
        address(self.w.language, path)
    }

    /// This page in the other language, if the city speaks it.
    pub(super) fn other_language(&self) -> Option<(Language, String)> {
        self.city
            .languages
            .iter()
            .find(|language| **language != self.w.language)
            .map(|language| (*language, address(*language, &self.path)))
    }

    /// The city's own pages, for the footer.
    pub(super) fn city_pages(&self) -> Vec<Link> {
        self.city
            .pages
            .iter()
            .map(|page| Link {
                href: self.href(&format!("/seite/{}", page.slug)),
                text: page.title.get(self.w.language).to_owned(),
            })
            .collect()
    }
}

/// The address of `path` in a language. Paths begin with `/`.
pub(super) fn address(language: Language, path: &str) -> String {
    match (language, path) {
        (Language::De, _) => path.to_owned(),
        (Language::En, "/") => "/en".to_owned(),
        (Language::En, _) => format!("/en{path}"),
    }
}
