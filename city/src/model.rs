//! A city, checked and complete.

use std::collections::BTreeMap;

use bridge::{
    ids::{Language, MatrixUser, OfficeSlug, ServiceId},
    office::Rules,
};
use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use scheduler::{BookingRules, DeskPlan, HolidayCalendar, OpeningHours};

use crate::fault::Fault;

/// A text in the city's languages. The first language is always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Localized {
    first: String,
    others: BTreeMap<Language, String>,
}

impl Localized {
    /// `first` is in the city's first language.
    #[must_use]
    pub fn new(first: impl Into<String>, others: BTreeMap<Language, String>) -> Self {
        Self {
            first: first.into(),
            others,
        }
    }

    /// The text in `language`, else in the city's first language.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        self.others.get(&language).unwrap_or(&self.first)
    }

    /// The text in `language` if it is a translation, not the first language standing in for it.
    #[must_use]
    pub fn translation(&self, language: Language) -> Option<&str> {
        self.others.get(&language).map(String::as_str)
    }
}

/// One installation.
#[derive(Debug, Clone)]
pub struct City {
    /// Its name: `Dormagen`.
    pub name: Localized,
    /// Its IANA zone.
    pub zone: TimeZone,
    /// Its languages, the first one first.
    pub languages: Vec<Language>,
    /// Its offices, in the order of the file.
    pub offices: Vec<OfficeConfig>,
    /// Questions and answers for the whole city.
    pub faq: Vec<FaqEntry>,
    /// Imprint, privacy, accessibility statement and what else the city wants.
    pub pages: Vec<Page>,
    /// How long a consultation room is kept after the visit's end, until it is erased.
    pub retention: SignedDuration,
    /// Texts that stand in the first language only, one entry for each other language. Not an error: the
    /// first language stands in for them.
    pub untranslated: Vec<Fault>,
}

impl City {
    /// The language in which somebody is spoken to who asks for this one: that, or the first where the city does not offer it.
    #[must_use]
    pub fn spoken(&self, asked: Language) -> Language {
        let first = self.languages.first().copied();
        let offered = self.languages.contains(&asked);
        first.filter(|_| !offered).unwrap_or(asked)
    }

    /// The office of that name.
    #[must_use]
    pub fn office(&self, slug: &OfficeSlug) -> Option<&OfficeConfig> {
        self.offices.iter().find(|office| office.slug == *slug)
    }

    /// The page of that name.
    #[must_use]
    pub fn page(&self, slug: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.slug == slug)
    }
}

/// One office.
#[derive(Debug, Clone)]
pub struct OfficeConfig {
    /// Its name in addresses.
    pub slug: OfficeSlug,
    /// Its name.
    pub name: Localized,
    /// What it does, in a sentence or two. Plain text.
    pub description: Localized,
    /// What one can come for.
    pub services: Vec<Service>,
    /// When it is open.
    pub hours: OpeningHours,
    /// What citizens are told about days with other hours, by day; the city's and the office's own.
    pub notices: BTreeMap<Date, Localized>,
    /// Who works there.
    pub clerks: Vec<MatrixUser>,
    /// The queue's rules.
    pub rules: Rules,
    /// Its own questions and answers.
    pub faq: Vec<FaqEntry>,
    /// Where appointments are booked, if elsewhere. An `https` address.
    pub booking_page: Option<String>,
    /// Appointments that are booked here. Never together with [`OfficeConfig::booking_page`].
    pub booking: Option<Booking>,
}

impl OfficeConfig {
    /// Stands for an office that the city no longer has, so that what was booked there can be looked at and cancelled. It
    /// is called by its slug, is never open, and nobody works there.
    #[must_use]
    pub fn former(slug: &OfficeSlug, zone: &TimeZone) -> Self {
        let usual = SignedDuration::from_mins(10);
        Self {
            slug: slug.clone(),
            name: Localized::new(slug.as_str(), BTreeMap::new()),
            description: Localized::new("", BTreeMap::new()),
            services: Vec::new(),
            hours: OpeningHours {
                zone: zone.clone(),
                weekly: std::array::from_fn(|_| Vec::new()),
                exceptions: BTreeMap::new(),
                holidays: HolidayCalendar::default(),
            },
            notices: BTreeMap::new(),
            clerks: Vec::new(),
            rules: Rules {
                ticket_letter: 'X',
                no_show_after: usual,
                absence_grace: usual,
                queue_limit: 0,
                usual_duration: usual,
            },
            faq: Vec::new(),
            booking_page: None,
            booking: None,
        }
    }

    /// The service of that id.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        self.services.iter().find(|service| service.id == *id)
    }
}

/// How an office takes appointments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// The office's mail address, the organizer of its invitations.
    pub mail: String,
    /// The services that can be booked, at least one.
    pub services: Vec<ServiceId>,
    /// What is free when.
    pub rules: BookingRules,
    /// How long a chosen time is held while the citizen fills in the form.
    pub hold: SignedDuration,
    /// Whether a booking counts only when the citizen has followed the link sent by mail.
    pub confirm_mail: bool,
    /// How long a booking waits for that.
    pub confirm_within: SignedDuration,
    /// A cancelled place can be booked again after a random time between these two.
    pub reappear: (SignedDuration, SignedDuration),
    /// How long before the appointment the citizen is reminded, the earliest first.
    pub reminders: Vec<SignedDuration>,
    /// How long before the appointment the consultation room is prepared.
    pub prepare: SignedDuration,
    /// Who is later than this is a no-show.
    pub grace: SignedDuration,
    /// What happens when a citizen's calendar declines the invitation.
    pub declined: Declined,
    /// How many appointments to come one mail address may have at this office.
    pub limit_per_mail: u16,
    /// Desks' own calendars: somebody who is busy cannot be at a desk.
    pub calendars: Vec<DeskCalendar>,
    /// How long an earlier date is offered to one on the waiting list before the next is asked.
    pub offer: SignedDuration,
}

impl Booking {
    /// What holds for appointments that are booked at an office that takes no more: no time is free, and what is usual
    /// goes on until they are over.
    #[must_use]
    pub fn ended() -> Self {
        let minutes = SignedDuration::from_mins;
        Self {
            mail: String::new(),
            services: Vec::new(),
            rules: BookingRules {
                desks: DeskPlan::default(),
                calendars: 0,
                grid_minutes: 15,
                buffer_minutes: 0,
                min_notice: minutes(60),
                horizon_days: 1,
            },
            hold: minutes(10),
            confirm_mail: true,
            confirm_within: minutes(30),
            reappear: (SignedDuration::ZERO, SignedDuration::ZERO),
            reminders: vec![minutes(1_440), minutes(60)],
            prepare: minutes(15),
            grace: minutes(10),
            declined: Declined::Ask,
            limit_per_mail: 1,
            calendars: Vec::new(),
            offer: minutes(60),
        }
    }
}

/// A desk's own calendar.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DeskCalendar {
    /// What it is called in the log: letters, digits, `-` and `_`.
    pub name: String,
    /// Where it is, as iCalendar. It usually holds a secret.
    pub url: String,
}

impl std::fmt::Debug for DeskCalendar {
    /// The address never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeskCalendar")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What happens when a citizen's calendar declines the invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declined {
    /// The clerks are asked.
    Ask,
    /// The appointment stays.
    Keep,
    /// The appointment is cancelled.
    Cancel,
}

/// What a citizen comes for.
#[derive(Debug, Clone)]
pub struct Service {
    /// Unique in the office.
    pub id: ServiceId,
    /// Its name.
    pub name: Localized,
    /// How long it usually takes.
    pub minutes: u16,
    /// What to have at hand, one entry each. Plain text.
    pub documents: Vec<Localized>,
    /// Whether it can be done remotely.
    pub place: Place,
}

/// Where a service can be had.
#[derive(Debug, Clone)]
pub enum Place {
    /// Here, by video and chat.
    Remote,
    /// Personal presence is needed.
    InPerson {
        /// Where to go.
        address: Localized,
    },
}

/// A question and its answer.
#[derive(Debug, Clone)]
pub struct FaqEntry {
    /// Unique among the entries of its list; fit for an address's fragment.
    pub anchor: String,
    /// Plain text.
    pub question: Localized,
    /// HTML made from Markdown, raw HTML in it escaped.
    pub answer_html: Localized,
}

/// A page of the city: imprint, privacy, accessibility.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its name in addresses: `impressum`.
    pub slug: String,
    /// Its title. Plain text.
    pub title: Localized,
    /// HTML made from Markdown, raw HTML in it escaped.
    pub html: Localized,
}
