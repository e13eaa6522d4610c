//! Markdown to HTML that may stand in a page with a strict content security policy.
//!
//! Raw HTML is shown as text, links lead only to safe schemes, and no class, style or handler comes out.

use std::ops::Range;

use pulldown_cmark::{
    Alignment, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html,
};

use crate::fault::quoted;

/// A page: its title and its HTML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageText {
    pub(crate) title: String,
    pub(crate) html: String,
}

/// A question with its answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `{#anchor}` behind the question, or the question's number in its file.
    pub(crate) anchor: String,
    pub(crate) question: String,
    pub(crate) html: String,
    /// Where the question stands, in bytes.
    pub(crate) offset: usize,
}

/// What is wrong, at a byte offset.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) offset: usize,
    pub(crate) reason: String,
    pub(crate) cure: String,
}

impl Problem {
    fn new(offset: usize, reason: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            offset,
            reason: reason.into(),
            cure: cure.into(),
        }
    }
}

/// Reads a page: `# Title`, then its text.
pub(crate) fn page(text: &str) -> Result<PageText, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut title = None;
    let mut body = Vec::new();
    for block in blocks(text, &mut problems) {
        match block {
            Block::Heading(HeadingLevel::H1, heading) if title.is_none() => {
                title = Some(heading.text);
            }
            Block::Heading(HeadingLevel::H1, heading) => problems.push(Problem::new(
                heading.offset,
                "is a second title",
                "write further headings with ##",
            )),
            Block::Heading(_, heading) => body.extend(heading.events),
            Block::Other(_, event) => body.push(event),
        }
    }
    let title = title.filter(|title| !title.is_empty());
    if title.is_none() {
        problems.push(Problem::new(
            0,
            "the page has no title",
            "begin it with a line \"# Title\"",
        ));
    }
    match title {
        Some(title) if problems.is_empty() => Ok(PageText {
            title,
            html: render(body),
        }),
        _ => Err(problems),
    }
}

/// Reads questions, `## Question {#anchor}`, each with its answer under it. A `# title` before the first
/// one is for the editors and not shown.
pub(crate) fn faq(text: &str) -> Result<Vec<Answer>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut answers: Vec<(Answer, Vec<Event<'_>>)> = Vec::new();
    for block in blocks(text, &mut problems) {
        match block {
            Block::Heading(HeadingLevel::H1, _) if answers.is_empty() => {}
            Block::Heading(HeadingLevel::H1, heading) => problems.push(Problem::new(
                heading.offset,
                "a title between questions is not shown",
                "write questions with ##, and headings inside an answer with ###",
            )),
            Block::Heading(HeadingLevel::H2, heading) => {
                let anchor = heading
                    .id
                    .unwrap_or_else(|| (answers.len() + 1).to_string());
                if heading.text.is_empty() {
                    problems.push(Problem::new(
                        heading.offset,
                        "the question is empty",
                        "write it behind the ##",
                    ));
                }
                if answers.iter().any(|(answer, _)| answer.anchor == anchor) {
                    problems.push(Problem::new(
                        heading.offset,
                        format!("the anchor {} is used twice", quoted(&anchor)),
                        "give each question an anchor of its own: {#name}",
                    ));
                }
                let answer = Answer {
                    anchor,
                    question: heading.text,
                    html: String::new(),
                    offset: heading.offset,
                };
                answers.push((answer, Vec::new()));
            }
            Block::Heading(_, heading) => match answers.last_mut() {
                Some((_, events)) => events.extend(heading.events),
                None => problems.push(before_first(heading.offset)),
            },
            Block::Other(offset, event) => match answers.last_mut() {
                Some((_, events)) => events.push(event),
                None => problems.push(before_first(offset)),
            },
        }
    }
    if answers.is_empty() {
        problems.push(Problem::new(
            0,
            "there is no question in it",
            "write \"## Question\" and the answer under it",
        ));
    }
    for (answer, events) in &answers {
        if events.is_empty() {
            problems.push(Problem::new(
                answer.offset,
                "the question has no answer",
                "write it under the question",
            ));
        }
    }
    // Each stray event before the first question would be told on its own.
    problems.dedup_by(|later, earlier| later.reason == earlier.reason && later.cure == BEFORE_CURE);
    if problems.is_empty() {
        Ok(answers
            .into_iter()
            .map(|(answer, events)| Answer {
                html: render(events),
                ..answer
            })
            .collect())
    } else {
        Err(problems)
    }
}

const BEFORE_CURE: &str = "begin with \"## Question\"";

fn before_first(offset: usize) -> Problem {
    Problem::new(
        offset,
        "there is text before the first question",
        BEFORE_CURE,
    )
}

struct Heading<'t> {
    id: Option<String>,
    text: String,
    offset: usize,
    events: Vec<Event<'t>>,
}

enum Block<'t> {
    Heading(HeadingLevel, Heading<'t>),
    Other(usize, Event<'t>),
}

/// The document with everything dangerous taken out, its headings gathered.
fn blocks<'t>(text: &'t str, problems: &mut Vec<Problem>) -> Vec<Block<'t>> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut blocks = Vec::new();
    let mut heading: Option<(HeadingLevel, Heading<'t>)> = None;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        let Some(event) = clean(event, &range, problems) else {
            continue;
        };
        match (&mut heading, event) {
            (
                None,
                Event::Start(Tag::Heading {
                    level,
                    id,
                    classes,
                    attrs,
                }),
            ) => {
                let found = Heading {
                    id: id.as_deref().map(str::to_owned),
                    text: String::new(),
                    offset: range.start,
                    events: vec![Event::Start(Tag::Heading {
                        level,
                        id,
                        classes,
                        attrs,
                    })],
                };
                heading = Some((level, found));
            }
            (Some((_, open)), event @ Event::End(TagEnd::Heading(_))) => {
                open.text = open.text.trim().to_owned();
                open.events.push(event);
                blocks.extend(
                    heading
                        .take()
                        .map(|(level, done)| Block::Heading(level, done)),
                );
            }
            (Some((_, open)), event) => {
                match &event {
                    Event::Text(words) | Event::Code(words) => open.text.push_str(words),
                    Event::SoftBreak | Event::HardBreak => open.text.push(' '),
                    _ => {}
                }
                open.events.push(event);
            }
            (None, event) => blocks.push(Block::Other(range.start, event)),
        }
    }
    blocks
}

/// The event without what a page must not carry; `None` if nothing is left.
fn clean<'t>(
    event: Event<'t>,
    range: &Range<usize>,
    problems: &mut Vec<Problem>,
) -> Option<Event<'t>> {
    Some(match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Image { .. }) => {
            problems.push(Problem::new(
                range.start,
                "images cannot be shown",
                "describe it in words, or link to a page that shows it",
            ));
            return None;
        }
        Event::End(TagEnd::Image) => return None,
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let is_safe = link_type == LinkType::Email || is_safe_target(&dest_url);
            if !is_safe {
                problems.push(Problem::new(
                    range.start,
                    format!("the link to {} is not allowed", quoted(&dest_url)),
                    "link to https:, http:, mailto:, tel: or a relative path",
                ));
            }
            let dest_url = if is_safe {
                dest_url
            } else {
                CowStr::Borrowed("")
            };
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            })
        }
        // The alignment would come out as a style attribute, which the content security policy refuses.
        Event::Start(Tag::Table(columns)) => {
            Event::Start(Tag::Table(vec![Alignment::None; columns.len()]))
        }
        Event::Start(Tag::Heading { level, id, .. }) => {
            let id = id.filter(|id| {
                let is_anchor = is_anchor(id);
                if !is_anchor {
                    problems.push(Problem::new(
                        range.start,
                        format!("the anchor {} is not valid", quoted(id)),
                        "use 1 to 40 of a-z, 0-9 and hyphens: {#opening-hours}",
                    ));
                }
                is_anchor
            });
            Event::Start(Tag::Heading {
                level,
                id,
                classes: Vec::new(),
                attrs: Vec::new(),
            })
        }
        other => other,
    })
}

fn is_anchor(id: &str) -> bool {
    (1..=40).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether a link may lead there: a known scheme, or a path without scheme and host.
fn is_safe_target(target: &str) -> bool {
    if target.contains(|c: char| c.is_control() || c == '\\') || target.starts_with("//") {
        return false;
    }
    let before_path = target.split(['/', '?', '#']).next().unwrap_or_default();
    match before_path.split_once(':') {
        None => !target.trim().is_empty(),
        Some((scheme, _)) => ["https", "http", "mailto", "tel"]
            .iter()
            .any(|safe| scheme.eq_ignore_ascii_case(safe)),
    }
}

fn render(events: Vec<Event<'_>>) -> String {
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    out
}
