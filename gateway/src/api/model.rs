//! What the API says, as JSON.

use bridge::{ids::Language, office::WaitRange, visit::Ending};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::port::{
    Author, Delivery, FileView, Lobby, MessageView, NextAppointment, OfficeLive, VisitPhase,
    VisitView,
};

/// Whether one can come in, in one word.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// A desk is free and nobody waits.
    Free,
    /// Open, but one has to wait.
    Busy,
    /// Open, but no new knocks for now.
    Paused,
    /// Outside the opening hours.
    Closed,
}

impl From<bridge::office::Status> for Status {
    fn from(status: bridge::office::Status) -> Self {
        match status {
            bridge::office::Status::Free => Self::Free,
            bridge::office::Status::Busy => Self::Busy,
            bridge::office::Status::Paused => Self::Paused,
            bridge::office::Status::Closed => Self::Closed,
        }
    }
}

/// How a visit ended.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Ending)]
pub(crate) enum EndingWord {
    /// The conversation took place.
    Served,
    /// The guest went of their own accord.
    Left,
    /// The guest was called and did not come, or vanished for too long.
    NoShow,
    /// A clerk declined.
    Declined,
}

impl From<Ending> for EndingWord {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Served => Self::Served,
            Ending::Left => Self::Left,
            Ending::NoShow => Self::NoShow,
            Ending::Declined => Self::Declined,
        }
    }
}

/// A language the office speaks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Language)]
pub(crate) enum LanguageCode {
    /// German.
    De,
    /// English.
    En,
}

impl From<Language> for LanguageCode {
    fn from(language: Language) -> Self {
        match language {
            Language::De => Self::De,
            Language::En => Self::En,
        }
    }
}

/// A span of time to expect, in seconds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Wait {
    /// If things go quickly.
    low: u32,
    /// If things go slowly.
    high: u32,
}

impl From<WaitRange> for Wait {
    fn from(range: WaitRange) -> Self {
        Self {
            low: range.low,
            high: range.high,
        }
    }
}

/// An office's live state. Public; no personal data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Office {
    /// Its name in addresses.
    slug: String,
    /// Its name in the language asked for.
    name: String,
    /// One word.
    status: Status,
    /// How many wait.
    waiting: u32,
    /// How many are called or talk.
    in_conversation: u32,
    /// Clerks on duty.
    desks_on_duty: u32,
    /// How long somebody who knocks at this moment is likely to wait; null when nobody can say.
    #[schema(required)]
    estimated_wait_s: Option<Wait>,
    /// When it opens next; null while open or when unknown.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    next_opening: Option<Timestamp>,
    /// When it closes; null while closed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    closes_at: Option<Timestamp>,
    /// Whether a knock is accepted at this moment.
    accepting: bool,
    /// What the office tells citizens while it has paused. Plain text.
    #[schema(required)]
    notice: Option<String>,
    /// When the next free appointment begins, of the office's shortest service; null when there is none.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    next_appointment: Option<Timestamp>,
    /// When this was true.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
}

impl Office {
    pub(crate) fn new(lobby: &Lobby, live: &OfficeLive, language: Language) -> Self {
        let name = office_name(lobby, &live.slug, language);
        let occupancy = &live.occupancy;
        Self {
            slug: live.slug.to_string(),
            name,
            status: occupancy.status.into(),
            waiting: occupancy.waiting,
            in_conversation: occupancy.in_conversation,
            desks_on_duty: occupancy.desks_on_duty,
            estimated_wait_s: occupancy.estimated_wait_s.map(Wait::from),
            next_opening: occupancy.next_opening,
            closes_at: live.opening.closes_at,
            accepting: live.accepting,
            notice: live.notice.clone(),
            next_appointment: match live.appointment {
                NextAppointment::At(start) => Some(start),
                NextAppointment::NotOffered | NextAppointment::FullyBooked => None,
            },
            as_of: occupancy.as_of,
        }
    }
}

/// The office's name, or its slug if the city no longer has it.
pub(super) fn office_name(
    lobby: &Lobby,
    slug: &bridge::ids::OfficeSlug,
    language: Language,
) -> String {
    lobby
        .city
        .offices
        .iter()
        .find(|office| office.slug == *slug)
        .map_or_else(
            || slug.to_string(),
            |office| office.name.get(language).to_owned(),
        )
}

/// A visit, for its guest.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Visit {
    /// Its id.
    id: String,
    /// What the queue shows.
    #[schema(example = "G-017")]
    ticket: String,
    /// The office's slug.
    office: String,
    /// The office's name in the visit's language.
    office_name: String,
    /// The language of the conversation.
    language: LanguageCode,
    /// Where it stands.
    state: VisitPhase,
    /// How it ended, when it has.
    #[schema(required)]
    ending: Option<EndingWord>,
    /// 1 is next; only while waiting.
    #[schema(required)]
    position: Option<u32>,
    /// How long the wait is likely to be; only while waiting and a desk is on duty.
    #[schema(required)]
    estimated_wait_s: Option<Wait>,
    /// When the guest knocked.
    #[schema(value_type = String, format = DateTime)]
    knocked_at: Timestamp,
    /// While called: when the call lapses.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    enter_by: Option<Timestamp>,
    /// Who called or talks.
    #[schema(required)]
    clerk_name: Option<String>,
    /// With what words a clerk declined. Plain text.
    #[schema(required)]
    decline_text: Option<String>,
    /// What the office tells citizens while it has paused. Plain text.
    #[schema(required)]
    notice: Option<String>,
    /// Whether the guest has rated the visit.
    rated: bool,
}

impl Visit {
    /// As a page in this language shows it; the conversation may be in another.
    pub(crate) fn new(lobby: &Lobby, view: VisitView, language: Language) -> Self {
        Self {
            office_name: office_name(lobby, &view.office, language),
            id: view.id.to_string(),
            ticket: view.ticket.to_string(),
            office: view.office.to_string(),
            language: view.language.into(),
            state: view.phase,
            ending: view.ending.map(EndingWord::from),
            position: view.position,
            estimated_wait_s: view.estimated_wait_s.map(Wait::from),
            knocked_at: view.knocked_at,
            enter_by: view.enter_by,
            clerk_name: view.clerk_name,
            decline_text: view.decline_text,
            notice: view.notice,
            rated: view.rated,
        }
    }
}

/// A file in a conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct File {
    /// Its name.
    name: String,
    /// In bytes.
    size: u64,
    /// `application/pdf`, `image/jpeg`, `image/png` or `image/webp`.
    media_type: String,
    /// Where its guest, and nobody else, can have it.
    url: String,
}

/// A message of a conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    /// Rises with each message: order and cursor.
    id: i64,
    /// The id the guest's page gave it.
    #[schema(required)]
    client_id: Option<String>,
    /// Who wrote it.
    author: Author,
    /// The author's name, if it is a participant.
    #[schema(required)]
    author_name: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// Plain text; for a file its caption or empty.
    body: String,
    /// The file, if it is one.
    #[schema(required)]
    file: Option<File>,
    /// Where a message of the guest is.
    delivery: Delivery,
}

impl Message {
    pub(crate) fn new(visit: &bridge::ids::VisitId, view: MessageView) -> Self {
        let url = format!("/api/v1/visits/{visit}/files/{}", view.id);
        Self {
            id: view.id,
            client_id: view.client_id,
            author: view.author,
            author_name: view.author_name,
            sent_at: view.sent_at,
            body: view.body,
            file: view.file.map(|file: FileView| File {
                name: file.name,
                size: file.size,
                media_type: file.media_type,
                url,
            }),
            delivery: view.delivery,
        }
    }
}

/// The data of a `typing` event.
#[derive(Serialize, ToSchema)]
pub(crate) struct Typing {
    /// Whether a clerk is typing.
    pub(crate) typing: bool,
}
