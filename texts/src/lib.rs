//! Everything a citizen or clerk reads, from the message files in `texts/messages/<language>/`.
//!
//! The files are Fluent (<https://projectfluent.org/>); the guest client reads the same `guest.ftl` and `call.ftl`. Every
//! language has every message with the same variables: a test compares them.

use bridge::ids::Language;
pub use fluent_bundle::{FluentArgs as Args, FluentValue as Value};
use fluent_bundle::{FluentResource, concurrent::FluentBundle};
use unic_langid::langid;

/// The message files of one language: guest page, its calls, city pages, the bot's words to clerks, mails,
/// refusals.
const fn sources(language: Language) -> [(&'static str, &'static str); 6] {
    match language {
        Language::De => [
            ("de/guest.ftl", include_str!("../messages/de/guest.ftl")),
            ("de/call.ftl", include_str!("../messages/de/call.ftl")),
            ("de/pages.ftl", include_str!("../messages/de/pages.ftl")),
            ("de/clerk.ftl", include_str!("../messages/de/clerk.ftl")),
            ("de/mail.ftl", include_str!("../messages/de/mail.ftl")),
            (
                "de/problems.ftl",
                include_str!("../messages/de/problems.ftl"),
            ),
        ],
        Language::En => [
            ("en/guest.ftl", include_str!("../messages/en/guest.ftl")),
            ("en/call.ftl", include_str!("../messages/en/call.ftl")),
            ("en/pages.ftl", include_str!("../messages/en/pages.ftl")),
            ("en/clerk.ftl", include_str!("../messages/en/clerk.ftl")),
            ("en/mail.ftl", include_str!("../messages/en/mail.ftl")),
            (
                "en/problems.ftl",
                include_str!("../messages/en/problems.ftl"),
            ),
        ],
    }
}

/// All messages of all languages.
pub struct Catalogue {
    bundles: [FluentBundle<FluentResource>; Language::ALL.len()],
}

impl Catalogue {
    /// Reads the message files that are built in. Faulty entries are left out; the tests find them.
    #[must_use]
    pub fn load() -> Self {
        Self {
            bundles: Language::ALL.map(|language| bundle(language).0),
        }
    }

    /// The message `key` in `language`; the key itself if there is none, so that a gap is seen, not hidden.
    #[must_use]
    pub fn text(&self, language: Language, key: &str, args: Option<&Args>) -> String {
        let bundle = &self.bundles[language as usize];
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        bundle
            .format_pattern(pattern, args, &mut Vec::new())
            .into_owned()
    }
}

/// The bundle of one language, and what was wrong with its files.
fn bundle(language: Language) -> (FluentBundle<FluentResource>, Vec<String>) {
    let id = match language {
        Language::De => langid!("de"),
        Language::En => langid!("en"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Isolation marks would end up in titles and Matrix messages; no text here is written right to left.
    bundle.set_use_isolating(false);
    let mut faults = Vec::new();
    for (file, source) in sources(language) {
        let resource =
            FluentResource::try_new(source.to_owned()).unwrap_or_else(|(rest, errors)| {
                faults.push(format!("{file}: {errors:?}"));
                rest
            });
        if let Err(errors) = bundle.add_resource(resource) {
            faults.push(format!("{file}: {errors:?}"));
        }
    }
    (bundle, faults)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Message names with the variables they use.
    fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (_, source) in sources(language) {
            let mut key = None;
            for line in source.lines() {
                if let Some((name, _)) = line
                    .split_once(" =")
                    .filter(|_| line.starts_with(|c: char| c.is_ascii_alphabetic()))
                {
                    key = Some(name.to_owned());
                }
                let Some(key) = &key else { continue };
                let variables = found.entry(key.clone()).or_default();
                for part in line.split('$').skip(1) {
                    variables.insert(
                        part.chars()
                            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-')
                            .collect(),
                    );
                }
            }
        }
        found
    }

    #[test]
    fn message_files_are_sound() {
        for language in Language::ALL {
            assert_eq!(bundle(language).1, Vec::<String>::new());
        }
    }

    #[test]
    fn every_language_has_every_message_with_the_same_variables() {
        assert_eq!(messages(Language::De), messages(Language::En));
    }

    /// A moment begins with the day: „am Mittwoch, 25. November“, “on Wednesday, 25 November”. And the same thing has the
    /// same word everywhere (docs/handbook/translators.md).
    #[test]
    fn words_stand_where_they_belong() {
        for (language, wrong) in [
            (Language::De, ["um { $when }", " Amt", "Ämter", " Mail "]),
            (Language::En, ["at { $when }", "e-mail", "E-mail", " mail "]),
        ] {
            for (_, source) in sources(language) {
                let texts = source.lines().filter(|line| !line.starts_with('#'));
                for line in texts {
                    let found = wrong.iter().find(|wrong| line.contains(*wrong));
                    assert_eq!(found, None, "{line}");
                }
            }
        }
    }

    #[test]
    fn a_missing_message_shows_its_key() {
        assert_eq!(
            Catalogue::load().text(Language::De, "no-such-message", None),
            "no-such-message"
        );
    }
}
