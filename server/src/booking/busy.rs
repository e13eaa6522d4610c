//! Desks' own calendars (iCalendar files at an address, named in the city's file): when they say that somebody is busy,
//! that desk cannot be booked. Times are kept, words are not.
//!
//! What was read last holds until something newer can be read: a calendar server that is away frees no desk.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Result;
use bridge::ids::OfficeSlug;
use city::model::{City, DeskCalendar};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use scheduler::{
    ics::{BusyTimes, LARGEST_IMPORT, ReadError, read_busy},
    slots::{Busy, Span},
};
use store::{BusyCalendar, Read, StoreError};
use tracing::{error, warn};

use super::Place;
use crate::{
    config::Calendars as Config,
    house::{ChangeError, House},
    outward::{Outward, OutwardError},
    shell,
};

/// How often to look whether a calendar is to be read.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// How often a calendar is read.
const READ_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// How soon one is asked again that could not be read.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Times on either side of what can be booked, for zones and long appointments.
const MARGIN: SignedDuration = SignedDuration::from_hours(48);

/// Reads desks' calendars.
pub(crate) struct Calendars {
    outward: Outward,
}

/// Why a calendar was not read. It says nothing of what stands in the calendar, nor its address, which is a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CalendarError {
    /// Its server.
    #[error("its server: {0}")]
    Server(#[from] OutwardError),
    /// What its server sent.
    #[error("it {0}")]
    Content(#[from] ReadError),
    /// A fault of ours.
    #[error("it could not be worked on")]
    Internal,
}

impl Calendars {
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let networks = config.allowed_networks.clone();
        Ok(Self {
            outward: Outward::new(networks, config.ca_file.as_deref(), "calendars")?,
        })
    }

    /// The busy times of a calendar within `window`; `zone` holds for times that name none.
    pub(crate) async fn read(
        &self,
        calendar: &DeskCalendar,
        window: Span,
        zone: TimeZone,
    ) -> Result<BusyTimes, CalendarError> {
        let url = calendar.url.parse().map_err(|_| OutwardError::Forbidden)?;
        let bytes = self.outward.download(url, LARGEST_IMPORT).await?;
        // A large calendar takes longer than other tasks of this thread should wait.
        let read = tokio::task::spawn_blocking(move || read_busy(&bytes, window, &zone)).await;
        Ok(read.map_err(|_| CalendarError::Internal)??)
    }
}

impl Place<'_> {
    /// The stretch of time of which calendars are asked.
    pub(crate) fn calendar_window(&self) -> Span {
        let days = SignedDuration::from_hours(24 * i64::from(self.terms.rules.horizon_days));
        Span {
            start: self.now.saturating_sub(MARGIN).unwrap_or(self.now),
            end: self.now.saturating_add(days + MARGIN).unwrap_or(self.now),
        }
    }

    /// When desks are busy, by the calendars that the city names at this moment.
    pub(super) async fn busy(&self, read: &mut Read) -> Result<Vec<Busy>, StoreError> {
        if self.terms.calendars.is_empty() {
            return Ok(Vec::new());
        }
        let known = read.busy_calendars(&self.office.slug).await?;
        let mut busy = Vec::new();
        for (desk, calendar) in (0..).zip(&self.terms.calendars) {
            let spans = known
                .iter()
                .find(|known| known.name == calendar.name)
                .map(|known| known.spans.as_slice());
            busy.extend(
                spans
                    .unwrap_or_default()
                    .iter()
                    .map(|span| Busy { desk, span: *span }),
            );
        }
        Ok(busy)
    }
}

/// Reads the calendars of all offices again and again, for ever.
pub(crate) async fn keep(house: Arc<House>) {
    let Some(calendars) = &house.calendars else {
        return std::future::pending().await;
    };
    let mut asked = HashMap::new();
    let mut cleared: Option<Arc<City>> = None;
    loop {
        let city = house.city.get();
        if !cleared
            .as_ref()
            .is_some_and(|before| Arc::ptr_eq(before, &city))
        {
            match forget_others(&house, &city).await {
                Ok(()) => cleared = Some(city),
                Err(fault) => {
                    error!("calendars that are no longer named are not forgotten: {fault}");
                }
            }
        }
        if let Err(fault) = round(&house, calendars, &mut asked).await {
            error!("desks' calendars are not followed: {fault}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// When each calendar, at its address, is to be asked next.
pub(super) type Asked = HashMap<(OfficeSlug, DeskCalendar), Timestamp>;

pub(super) async fn round(
    house: &House,
    calendars: &Calendars,
    asked: &mut Asked,
) -> Result<(), ChangeError> {
    let now = shell::now();
    let city = house.city.get();
    for office in &city.offices {
        let Ok(place) = Place::new(office, now) else {
            continue;
        };
        let mut any = false;
        for calendar in &place.terms.calendars {
            let key = (office.slug.clone(), calendar.clone());
            if asked.get(&key).is_some_and(|due| *due > now) {
                continue;
            }
            let pause = match follow(house, calendars, &place, calendar).await? {
                Ok(not_understood) => {
                    if not_understood > 0 {
                        warn!(office = %office.slug, calendar = calendar.name, not_understood, "a desk's calendar has entries that are not understood and do not count");
                    }
                    any = true;
                    READ_EVERY
                }
                Err(fault) => {
                    warn!(office = %office.slug, calendar = calendar.name, "a desk's calendar cannot be read, what it said last holds: {fault}");
                    RETRY_AFTER
                }
            };
            asked.insert(key, now + pause);
        }
        // Somebody may have become busy at a time that is booked.
        if any
            && let Some(bookings) = &house.bookings
            && bookings.tell_conflicts(&place).await?
        {
            house.outbox.notify_one();
        }
    }
    Ok(())
}

/// Reads one calendar and stores its times; how many entries were not understood.
async fn follow(
    house: &House,
    calendars: &Calendars,
    place: &Place<'_>,
    calendar: &DeskCalendar,
) -> Result<Result<usize, CalendarError>, ChangeError> {
    let zone = place.office.hours.zone.clone();
    let times = match calendars
        .read(calendar, place.calendar_window(), zone)
        .await
    {
        Ok(times) => times,
        Err(fault) => return Ok(Err(fault)),
    };
    let known = BusyCalendar {
        name: calendar.name.clone(),
        spans: times.spans,
        fetched_at: place.now,
    };
    let mut tx = house.store.begin().await?;
    tx.put_busy_calendar(&place.office.slug, &known).await?;
    tx.commit().await?;
    Ok(Ok(times.not_understood))
}

/// Forgets calendars that the city's file no longer names.
pub(super) async fn forget_others(house: &House, city: &City) -> Result<(), StoreError> {
    for office in &city.offices {
        let named: &[DeskCalendar] = office
            .booking
            .as_ref()
            .map_or(&[], |terms| &terms.calendars);
        let known = house
            .store
            .read()
            .await?
            .busy_calendars(&office.slug)
            .await?;
        for calendar in known {
            if !named.iter().any(|one| one.name == calendar.name) {
                let mut tx = house.store.begin().await?;
                tx.drop_busy_calendar(&office.slug, &calendar.name).await?;
                tx.commit().await?;
            }
        }
    }
    Ok(())
}
