//! `m.room.message`: text, files, edits.

use bridge::ids::MatrixUser;
use ruma::{OwnedEventId, OwnedMxcUri};
use serde_json::Value;

use super::{BODY_LIMIT, MENTION_LIMIT, NAME_LIMIT, RoomEventKind, text};

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageKind {
    /// `m.text`.
    Text,
    /// `m.notice`: a bot speaks. Never answer one.
    Notice,
    /// `m.emote`.
    Emote,
    /// `m.file`, `m.audio` or `m.video`.
    File(FileRef),
    /// `m.image`.
    Image(FileRef),
    /// Something else: location, poll …
    Other,
}

/// A file a message carries. Everything but the address is what the sender claims.
#[derive(Clone, PartialEq, Eq)]
pub struct FileRef {
    /// Where it lies.
    pub address: OwnedMxcUri,
    /// Its name: one line, no path, never empty.
    pub name: String,
    /// Its media type, if told.
    pub media_type: Option<String>,
    /// Its size in bytes, if told.
    pub size: Option<u64>,
}

impl std::fmt::Debug for FileRef {
    /// A file's name is personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileRef")
            .field("media_type", &self.media_type)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

pub(super) fn read(content: &Value) -> Option<RoomEventKind> {
    let relation = &content["m.relates_to"];
    if relation["rel_type"] == "m.replace" {
        return Some(RoomEventKind::Edited {
            target: OwnedEventId::try_from(relation["event_id"].as_str()?).ok()?,
            body: text::lines(content["m.new_content"]["body"].as_str()?, BODY_LIMIT),
        });
    }
    // A redacted message has no msgtype.
    let msgtype = content["msgtype"].as_str()?;
    let body = content["body"].as_str()?;
    let words = if relation["m.in_reply_to"].is_object() {
        without_quotation(body)
    } else {
        body
    };
    let (kind, words) = match msgtype {
        "m.text" => (MessageKind::Text, words),
        "m.notice" => (MessageKind::Notice, words),
        "m.emote" => (MessageKind::Emote, words),
        "m.image" => (MessageKind::Image(file(content)?), caption(content, words)),
        "m.file" | "m.audio" | "m.video" => {
            (MessageKind::File(file(content)?), caption(content, words))
        }
        _ => (MessageKind::Other, words),
    };
    Some(RoomEventKind::Message {
        kind,
        body: text::lines(words, BODY_LIMIT),
        mentions: mentions(content),
    })
}

/// A file's `body` is a caption only when there is another `filename` (specification 1.10).
fn caption<'a>(content: &Value, body: &'a str) -> &'a str {
    match content["filename"].as_str() {
        Some(name) if name != body => body,
        _ => "",
    }
}

fn file(content: &Value) -> Option<FileRef> {
    let address = OwnedMxcUri::from(content["url"].as_str()?);
    address.is_valid().then_some(())?;
    let told = content["filename"]
        .as_str()
        .or(content["body"].as_str())
        .unwrap_or_default();
    let last = told.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = text::line(last, NAME_LIMIT);
    Some(FileRef {
        address,
        name: if name.is_empty() {
            "file".to_owned()
        } else {
            name
        },
        media_type: content["info"]["mimetype"]
            .as_str()
            .filter(|media_type| is_media_type(media_type))
            .map(str::to_ascii_lowercase),
        size: content["info"]["size"].as_u64(),
    })
}

/// `type/subtype` without parameters (RFC 6838, 4.2).
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    text.len() <= 127
        && text
            .split_once('/')
            .is_some_and(|(kind, sub)| token(kind) && token(sub))
}

fn mentions(content: &Value) -> Vec<MatrixUser> {
    content["m.mentions"]["user_ids"]
        .as_array()
        .into_iter()
        .flatten()
        .take(MENTION_LIMIT)
        .filter_map(|user| user.as_str()?.parse().ok())
        .collect()
}

/// Older clients put the message they reply to in front, as `> ` lines and an empty one.
fn without_quotation(body: &str) -> &str {
    let mut rest = body;
    while rest.starts_with("> ") || rest.starts_with(">\n") {
        rest = rest.split_once('\n').map_or("", |(_, after)| after);
    }
    if rest.len() == body.len() {
        body
    } else {
        rest.strip_prefix('\n').unwrap_or(rest)
    }
}
