//! What clerks read about appointments in the door room: codes, times and services, no names.

use appservice::{
    content::Text,
    jobs::{Job, Speaker},
};
use bridge::ids::{BookingId, Language, ServiceId};
use city::model::OfficeConfig;
use jiff::tz::TimeZone;
use store::{Booking, BookingState, Read, Reply, StoreError};

use super::News;
use crate::{
    errands::Plan,
    house::{ChangeError, House, first_language},
    words::{Words, clock},
};

/// What has to be arranged before an appointment. The citizen's own words about it are for the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    interpreter: bool,
    support: bool,
    /// Whether there is a number to call.
    phone: bool,
}

impl Needs {
    pub(super) async fn of(read: &mut Read, booking: &BookingId) -> Result<Self, StoreError> {
        let private = read.booking_private(booking).await?;
        Ok(Self {
            interpreter: private.as_ref().is_some_and(|it| it.interpreter.is_some()),
            phone: private.as_ref().is_some_and(|it| it.phone.is_some()),
            support: private.is_some_and(|it| it.accessibility.is_some()),
        })
    }

    /// Put behind a line.
    fn say(self, words: &Words, language: Language) -> String {
        let mut said = String::new();
        for (wanted, key) in [
            (self.interpreter, "booking-needs-interpreter"),
            (self.support, "booking-needs-support"),
        ] {
            if wanted {
                said += " · ";
                said += &words.say(language, key, &[]);
            }
        }
        said
    }
}

impl News {
    const fn key(self) -> &'static str {
        match self {
            Self::New => "booking-new",
            Self::Moved => "booking-moved",
            Self::Cancelled => "booking-cancelled",
            Self::Soon => "booking-soon",
            Self::NoShow => "booking-no-show",
            Self::Undeliverable => "booking-undeliverable",
            Self::CompanionUndeliverable => "booking-undeliverable-companion",
            Self::TurnedDown => "booking-turned-down",
            Self::Closed => "booking-closed",
            Self::Overbooked => "booking-overbooked",
            Self::Declined => "booking-declined",
        }
    }

    /// Whether it is still so.
    fn is_true_of(self, booking: &Booking) -> bool {
        match self {
            Self::Soon | Self::Closed | Self::Overbooked => {
                booking.state == BookingState::Confirmed
            }
            Self::Declined => {
                booking.state == BookingState::Confirmed && booking.reply == Some(Reply::Declined)
            }
            Self::New
            | Self::Moved
            | Self::Cancelled
            | Self::NoShow
            | Self::Undeliverable
            | Self::CompanionUndeliverable
            | Self::TurnedDown => true,
        }
    }
}

/// The line of a row.
pub(crate) async fn plan(house: &House, id: &BookingId, news: News) -> Result<Plan, ChangeError> {
    let mut read = house.store.read().await?;
    let Some(booking) = read.booking(id).await? else {
        return Ok(Plan::Nothing);
    };
    let needs = Needs::of(&mut read, id).await?;
    drop(read);
    let city = house.city.get();
    let Some(office) = city.office(&booking.office) else {
        return Ok(Plan::Nothing);
    };
    if !news.is_true_of(&booking) {
        return Ok(Plan::Nothing);
    }
    let Some(room) = house.doors.room(&office.slug) else {
        return Ok(Plan::NoDoorYet);
    };
    let language = first_language(&city);
    let key = match news {
        News::Undeliverable if !needs.phone => "booking-undeliverable-no-phone",
        News::Closed | News::Overbooked if office.booking.is_none() => "booking-no-more",
        _ => news.key(),
    };
    let mut text = house.words.say(
        language,
        key,
        &[
            ("code", &booking.code),
            (
                "when",
                &house
                    .words
                    .when(language, booking.start, &office.hours.zone),
            ),
            ("service", &services(office, &booking.services, language)),
        ],
    );
    if matches!(news, News::New | News::Moved | News::Soon) {
        text += &needs.say(&house.words, language);
    }
    // What begins soon, or needs somebody to act, rings; everything else can be read later.
    let text = match news {
        News::Soon | News::Closed | News::Overbooked => {
            Text::plain(text).mentioning(house.mentions(office).await?)
        }
        _ => Text::notice(text),
    };
    Ok(Plan::job(Job::Say {
        room,
        speaker: Speaker::Bot,
        text,
    }))
}

/// The appointments of a day, one a line.
pub(crate) fn agenda(
    words: &Words,
    language: Language,
    office: &OfficeConfig,
    day: jiff::civil::Date,
    bookings: &[(Booking, Needs)],
) -> String {
    let day = words.day(language, day);
    if bookings.is_empty() {
        return words.say(language, "agenda-empty", &[("day", &day)]);
    }
    let zone: &TimeZone = &office.hours.zone;
    let mut lines = vec![words.say(language, "agenda-heading", &[("day", &day)])];
    for (booking, needs) in bookings {
        let key = match (booking.state, booking.reply) {
            (BookingState::Arrived, _) => "agenda-line-arrived",
            (_, Some(Reply::Declined)) => "agenda-line-declined",
            _ => "agenda-line",
        };
        let spoken = words.say(language, &format!("language-{}", booking.language), &[]);
        let mut line = words.say(
            language,
            key,
            &[
                ("time", &clock(booking.start, zone)),
                ("end", &clock(booking.end, zone)),
                ("code", &booking.code),
                ("service", &services(office, &booking.services, language)),
                ("language", &spoken),
            ],
        );
        if booking.state != BookingState::Arrived {
            line += &needs.say(words, language);
        }
        lines.push(line);
    }
    lines.join("\n")
}

pub(super) fn services(
    office: &OfficeConfig,
    services: &[ServiceId],
    language: Language,
) -> String {
    let names: Vec<&str> = services
        .iter()
        .filter_map(|id| office.service(id))
        .map(|service| service.name.get(language))
        .collect();
    names.join(", ")
}
