//! Questions and answers as pages show them.

use bridge::ids::Language;
use city::model::FaqEntry;

/// One question, ready to show.
pub(super) struct FaqView<'a> {
    /// Unique on the page.
    pub(super) id: String,
    /// The office that is asked, where the page shows questions to several.
    pub(super) origin: Option<&'a str>,
    pub(super) question: &'a str,
    /// HTML that the city's loader made from Markdown, with raw HTML escaped.
    pub(super) answer_html: &'a str,
}

/// The entries of one list, with ids that begin with `prefix`.
pub(super) fn views<'a>(
    entries: &'a [FaqEntry],
    prefix: &'a str,
    origin: Option<&'a str>,
    language: Language,
) -> impl Iterator<Item = FaqView<'a>> {
    entries.iter().map(move |entry| FaqView {
        id: format!("{prefix}-{}", entry.anchor),
        origin,
        question: entry.question.get(language),
        answer_html: entry.answer_html.get(language),
    })
}
