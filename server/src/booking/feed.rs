//! An office's appointments as a calendar that clerks subscribe to. What it tells of persons is little, because it ends
//! up with whoever runs the clerks' calendar program (docs/decisions/feeds.md).

use city::model::{City, OfficeConfig};
use gateway::appointments::BookingError;
use jiff::{SignedDuration, Timestamp};
use scheduler::ics::{self, Appointment, Person};
use store::{BookingState, FeedEntry, Reply};

use super::{Bookings, Post, internal, letter::organizer};
use crate::{house::first_language, words::Words};

/// So much of the past stays in sight.
const PAST: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Further ahead nothing can be booked.
const AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Why there is no calendar.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error(transparent)]
    Write(#[from] ics::WriteError),
    #[error(transparent)]
    Task(tokio::task::JoinError),
}

impl From<FeedError> for BookingError {
    fn from(fault: FeedError) -> Self {
        match fault {
            FeedError::Store(fault) => internal(fault),
            FeedError::Write(fault) => internal(fault),
            FeedError::Task(fault) => internal(fault),
        }
    }
}

impl Bookings {
    /// The calendar at the address whose secret has this hash.
    pub(crate) async fn feed(
        &self,
        words: &Words,
        city: &City,
        public_url: &str,
        post: &Post,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<String>, FeedError> {
        let mut read = self.store.read().await?;
        let Some(feed) = read.feed_of_token(hash).await? else {
            return Ok(None);
        };
        let Some(office) = city.office(&feed.office) else {
            return Ok(None);
        };
        let from = now.saturating_sub(PAST).unwrap_or(Timestamp::MIN);
        let to = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        let entries = read.feed_entries(&feed.office, from, to).await?;
        drop(read);
        let writer = Writer {
            words,
            city,
            office,
            link: format!("{public_url}/buero/{}", office.slug),
            organizer: organizer(office, post, None),
            names: feed.names,
        };
        let appointments: Vec<Appointment> =
            entries.iter().map(|entry| writer.entry(entry)).collect();
        let language = first_language(city);
        let name = words.say(
            language,
            "feed-name",
            &[("office", &office.name.get(language))],
        );
        let zone = office.hours.zone.clone();
        // A full year takes longer than other tasks of this thread should wait.
        let written =
            tokio::task::spawn_blocking(move || ics::feed(&name, &appointments, &zone)).await;
        Ok(Some(written.map_err(FeedError::Task)??))
    }
}

struct Writer<'a> {
    words: &'a Words,
    city: &'a City,
    office: &'a OfficeConfig,
    link: String,
    organizer: String,
    names: bool,
}

impl Writer<'_> {
    fn entry(&self, entry: &FeedEntry) -> Appointment {
        let language = first_language(self.city);
        let booking = &entry.booking;
        let office = self.office.name.get(language);
        let services: Vec<&str> = booking
            .services
            .iter()
            .filter_map(|id| self.office.service(id))
            .map(|service| service.name.get(language))
            .collect();
        let (name, interpreter) = if self.names {
            (entry.name.as_deref(), entry.interpreter.as_deref())
        } else {
            (None, None)
        };
        let mut summary = vec![booking.code.as_str()];
        summary.extend(name);
        let services = services.join(", ");
        summary.push(&services);
        let spoken = self
            .words
            .say(language, &format!("language-{}", booking.language), &[]);
        let mut facts = vec![
            self.words
                .say(language, "feed-language", &[("language", &spoken)]),
        ];
        facts.extend(interpreter.map(|interpreter| {
            self.words.say(
                language,
                "feed-interpreter",
                &[("interpreter", &interpreter)],
            )
        }));
        let state = match (booking.state, booking.reply) {
            (BookingState::Arrived, _) => Some("feed-arrived"),
            (_, Some(Reply::Declined)) => Some("feed-declined"),
            _ => None,
        };
        facts.extend(state.map(|key| self.words.say(language, key, &[])));
        Appointment {
            uid: booking.uid.clone(),
            sequence: booking.sequence,
            stamp: booking.changed_at,
            start: booking.start,
            end: booking.end,
            cancelled: false,
            organizer: Person::new(office, &self.organizer),
            attendees: Vec::new(),
            summary: summary.join(" · "),
            description: facts.join("\n"),
            location: String::new(),
            link: self.link.clone(),
            link_label: office.to_owned(),
            alarms: Vec::new(),
        }
    }
}
