//! The live state of one office as a fragment of HTML, for the first paint and for every change after it.

use askama::Template;
use bridge::{ids::Language, office::Status};
use texts::{Catalogue, Value};

use super::{layout::address, words::Words};
use crate::port::{Lobby, NextAppointment, OfficeLive};

/// The live state of `office` in words. The fragment's outer element has `data-office-live="<slug>"`: the
/// guest page replaces it whole.
#[must_use]
pub fn render_office_live(
    texts: &Catalogue,
    lobby: &Lobby,
    office: &OfficeLive,
    language: Language,
) -> String {
    let config = lobby
        .city
        .offices
        .iter()
        .find(|config| config.slug == office.slug);
    let zone = config.map_or(&lobby.city.zone, |config| &config.hours.zone);
    let w = Words::new(texts, language, zone);
    let name = config.map_or(office.slug.as_str(), |config| config.name.get(language));
    let today_note = config
        .and_then(|config| config.notices.get(&office.opening.today))
        .map(|text| text.get(language));
    LiveState::new(w, name, today_note, lobby.always_open, office)
        .render()
        .unwrap_or_else(|error| {
            tracing::error!(%error, "an office's live state could not be rendered");
            String::new()
        })
}

#[derive(Template)]
#[template(path = "office_live.html")]
struct LiveState<'a> {
    w: Words<'a>,
    slug: &'a str,
    status: &'static str,
    status_word: String,
    sign: Sign,
    announcement: String,
    accepting: bool,
    /// How many wait, and for how long; nothing while closed.
    queue: Vec<String>,
    hours_today: String,
    /// What the city says about this day's other hours.
    today_note: Option<&'a str>,
    closes: Option<String>,
    next_opening: Option<String>,
    always_open: bool,
    full: bool,
    notice: Option<&'a str>,
    appointment: Appointment,
    /// Whose appointment it is, for those who hear the link without its card.
    name: &'a str,
}

/// What can be had instead of waiting.
enum Appointment {
    None,
    FullyBooked,
    Free { href: String, when: String },
}

impl Appointment {
    fn of(w: &Words, office: &OfficeLive) -> Self {
        match office.appointment {
            NextAppointment::NotOffered => Self::None,
            NextAppointment::FullyBooked => Self::FullyBooked,
            NextAppointment::At(start) => Self::Free {
                href: address(w.language, &format!("/buero/{}/termin", office.slug)),
                when: w.moment(start, office.opening.today),
            },
        }
    }
}

/// What stands beside the word, so that neither colour nor sign is the only information.
struct Sign {
    badge: &'static str,
    icon: &'static str,
}

impl<'a> LiveState<'a> {
    fn new(
        w: Words<'a>,
        name: &'a str,
        today_note: Option<&'a str>,
        always_open: bool,
        office: &'a OfficeLive,
    ) -> Self {
        let status = office.occupancy.status;
        let status_word = w.t(&format!("office-status-{}", status_key(status)));
        let announcement = w.with(
            "office-announce",
            [
                ("office", Value::from(name)),
                ("status", Value::from(status_word.as_str())),
            ],
        );
        let opening = &office.opening;
        Self {
            w,
            slug: office.slug.as_str(),
            status: status_key(status),
            sign: sign(status),
            announcement,
            accepting: office.accepting,
            queue: queue(&w, office),
            hours_today: w
                .periods(&opening.periods_today)
                .unwrap_or_else(|| w.t("office-today-closed")),
            today_note,
            closes: opening
                .closes_at
                .filter(|_| opening.open && status != Status::Closed)
                .map(|at| w.t1("office-closes", "time", &w.time(at))),
            next_opening: (status == Status::Closed)
                .then_some(opening.next_opening)
                .flatten()
                .map(|at| w.moment(at, opening.today)),
            always_open: always_open && !opening.open,
            full: !office.accepting && matches!(status, Status::Free | Status::Busy),
            notice: office.notice.as_deref(),
            appointment: Appointment::of(&w, office),
            name,
            status_word,
        }
    }
}

/// The status as it stands in addresses of texts and styles.
fn status_key(status: Status) -> &'static str {
    match status {
        Status::Free => "free",
        Status::Busy => "busy",
        Status::Paused => "paused",
        Status::Closed => "closed",
    }
}

fn sign(status: Status) -> Sign {
    let (badge, icon) = match status {
        Status::Free => ("kern-badge--success", "kern-icon--success"),
        Status::Busy => ("kern-badge--info", "kern-icon--clock"),
        Status::Paused => ("kern-badge--warning", "kern-icon--pause"),
        Status::Closed => ("vz-badge--neutral", "kern-icon--door"),
    };
    Sign { badge, icon }
}

/// How many wait and for how long, in sentences.
fn queue(w: &Words, office: &OfficeLive) -> Vec<String> {
    let occupancy = &office.occupancy;
    if occupancy.status == Status::Closed {
        return Vec::new();
    }
    let estimate = match (occupancy.status, occupancy.estimated_wait_s) {
        (Status::Free, _) => Some(w.t("office-wait-none")),
        (Status::Busy, Some(range)) => Some(w.t1("office-wait", "wait", &w.wait(range))),
        (Status::Busy, None) => Some(w.t("office-wait-unknown")),
        (Status::Paused, _) => Some(w.t("office-paused-hint")),
        (Status::Closed, _) => None,
    };
    [Some(w.n("office-waiting", occupancy.waiting)), estimate]
        .into_iter()
        .flatten()
        .collect()
}
