//! Message contents: text with mentions, edits, files. Everything that is not a tag of ours is escaped.

use bridge::ids::MatrixUser;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ruma::{EventId, MxcUri};
use serde_json::{Value, json};

/// Somebody whose client is to ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Who.
    pub user: MatrixUser,
    /// What the line calls them. Plain text.
    pub name: String,
}

/// How loud a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    /// `m.text`: rings for whom it mentions.
    Text,
    /// `m.notice`: what a bot says by the way; a dot at most.
    Notice,
}

/// A text to be sent. Its `Debug` shows no words.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// `m.text` or `m.notice`.
    pub loudness: Loudness,
    /// Plain text.
    pub plain: String,
    /// The same with tags, if it has any. The caller has escaped what comes from people, see [`escape`].
    pub html: Option<String>,
    /// Who is mentioned. The names follow the text on a line of their own, as pills where there are tags.
    pub mentions: Vec<Mention>,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text")
            .field("loudness", &self.loudness)
            .finish_non_exhaustive()
    }
}

impl Text {
    /// A plain text that mentions nobody.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            loudness: Loudness::Text,
            plain: text.into(),
            html: None,
            mentions: Vec::new(),
        }
    }

    /// A plain notice that mentions nobody.
    #[must_use]
    pub fn notice(text: impl Into<String>) -> Self {
        Self {
            loudness: Loudness::Notice,
            ..Self::plain(text)
        }
    }

    /// The same text, mentioning these.
    #[must_use]
    pub fn mentioning(mut self, mentions: Vec<Mention>) -> Self {
        self.mentions = mentions;
        self
    }

    /// The content of the `m.room.message`. It always has `m.mentions`, so that no client guesses
    /// mentions from words in the body (MSC3952).
    #[must_use]
    pub fn content(&self) -> Value {
        let mut body = self.plain.clone();
        let mut html = self.html.clone();
        if !self.mentions.is_empty() {
            let names: Vec<&str> = self.mentions.iter().map(|m| m.name.as_str()).collect();
            let pills: Vec<String> = self.mentions.iter().map(pill).collect();
            body = format!("{body}\n{}", names.join(", "));
            let tags = html.unwrap_or_else(|| escape(&self.plain).replace('\n', "<br>"));
            html = Some(format!("{tags}<br>{}", pills.join(", ")));
        }
        let users: Vec<&str> = self.mentions.iter().map(|m| m.user.as_str()).collect();
        let mut content = json!({
            "msgtype": match self.loudness {
                Loudness::Text => "m.text",
                Loudness::Notice => "m.notice",
            },
            "body": body,
            "m.mentions": if users.is_empty() { json!({}) } else { json!({ "user_ids": users }) },
        });
        if let Some(html) = html {
            content["format"] = json!("org.matrix.custom.html");
            content["formatted_body"] = json!(html);
        }
        content
    }

    /// The content of an event that replaces `event` with this text. The edit itself mentions nobody:
    /// a correction does not ring again.
    #[must_use]
    pub fn replacing(&self, event: &EventId) -> Value {
        let new = self.content();
        let mut content = new.clone();
        content["body"] = json!(format!("* {}", new["body"].as_str().unwrap_or_default()));
        if let Some(html) = new["formatted_body"].as_str() {
            content["formatted_body"] = json!(format!("* {html}"));
        }
        content["m.mentions"] = json!({});
        content["m.relates_to"] = json!({ "rel_type": "m.replace", "event_id": event });
        content["m.new_content"] = new;
        content
    }
}

/// The content of a message that carries a file, as `m.image` where a client may show it, else `m.file`.
#[must_use]
pub fn file(address: &MxcUri, name: &str, media_type: &str, size: u64) -> Value {
    json!({
        "msgtype": if media_type.starts_with("image/") { "m.image" } else { "m.file" },
        "body": name,
        "filename": name,
        "url": address,
        "info": { "mimetype": media_type, "size": size },
        "m.mentions": {},
    })
}

/// Text as it may stand between tags and in attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn pill(mention: &Mention) -> String {
    format!(
        "<a href=\"{}\">{}</a>",
        escape(&matrix_to(mention.user.as_str())),
        escape(&mention.name)
    )
}

/// What may stand in a link's fragment as it is.
const FRAGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'@')
    .remove(b':')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'=');

fn matrix_to(id: &str) -> String {
    format!("https://matrix.to/#/{}", utf8_percent_encode(id, FRAGMENT))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ruma::event_id;

    use super::*;

    fn anna() -> Mention {
        Mention {
            user: "@anna:city.example".parse().expect("a user id"),
            name: "Anna <3".to_owned(),
        }
    }

    #[test]
    fn a_mention_rings_and_links() {
        let line = Text::plain("G-017 wartet\nseit 3 Minuten").mentioning(vec![anna()]);
        assert_eq!(
            line.content(),
            json!({
                "msgtype": "m.text",
                "body": "G-017 wartet\nseit 3 Minuten\nAnna <3",
                "format": "org.matrix.custom.html",
                "formatted_body": "G-017 wartet<br>seit 3 Minuten<br>\
                    <a href=\"https://matrix.to/#/@anna:city.example\">Anna &lt;3</a>",
                "m.mentions": { "user_ids": ["@anna:city.example"] },
            })
        );
    }

    #[test]
    fn words_that_look_like_a_mention_mention_nobody() {
        let content = Text::notice("@anna:city.example").content();
        assert_eq!(
            content,
            json!({ "msgtype": "m.notice", "body": "@anna:city.example", "m.mentions": {} })
        );
    }

    #[test]
    fn a_correction_does_not_ring_again() {
        let edit = Text::plain("G-017 gerufen")
            .mentioning(vec![anna()])
            .replacing(event_id!("$line"));
        assert_eq!(edit["m.mentions"], json!({}));
        assert_eq!(
            edit["m.new_content"]["m.mentions"]["user_ids"],
            json!(["@anna:city.example"])
        );
        assert_eq!(
            edit["m.relates_to"],
            json!({ "rel_type": "m.replace", "event_id": "$line" })
        );
        assert_eq!(edit["body"], "* G-017 gerufen\nAnna <3");
    }

    #[test]
    fn debug_shows_no_words() {
        assert!(!format!("{:?}", Text::plain("geheim")).contains("geheim"));
    }

    proptest! {
        #[test]
        fn words_never_become_tags(words in ".{0,80}", name in ".{0,40}") {
            let mention = Mention { name, ..anna() };
            let content = Text::plain(words).mentioning(vec![mention]).content();
            let html = content["formatted_body"].as_str().unwrap_or_default();
            let ours = html.replace("<br>", "").replace("</a>", "")
                .replace("<a href=\"https://matrix.to/#/@anna:city.example\">", "");
            prop_assert!(!ours.contains(['<', '>', '"', '\'']), "{}", html);
        }
    }
}
