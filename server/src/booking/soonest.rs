//! The next free appointment of each office, for the lobby: found in the background, so that showing it costs nothing.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use bridge::ids::OfficeSlug;
use gateway::port::NextAppointment;
use jiff::ToSpan;
use store::StoreError;

use super::{Bookings, Place};
use crate::{house::House, shell};

/// The next free time is looked for in so many days, then in so many more, then in all the others: most offices have one
/// soon, and then little is read.
const WITHIN: [u16; 2] = [7, 21];

/// What the lobby says of appointments.
#[derive(Default)]
pub(crate) struct Soonest(RwLock<HashMap<OfficeSlug, NextAppointment>>);

impl Soonest {
    /// What was found last.
    pub(crate) fn of(&self, office: &OfficeSlug) -> NextAppointment {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(office).copied().unwrap_or_default()
    }

    /// Whether it is news.
    fn set(&self, office: &OfficeSlug, found: NextAppointment) -> bool {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(office.clone(), found) != Some(found)
    }
}

/// Looks at all offices again; the lobby follows where something has changed.
pub(crate) async fn look_ahead(house: &House, bookings: &Bookings) -> Result<(), StoreError> {
    for office in &house.city.get().offices {
        let found = match Place::new(office, shell::now()) {
            Ok(place) => bookings.soonest(&place).await?,
            Err(_) => NextAppointment::NotOffered,
        };
        if house.soonest.set(&office.slug, found) {
            house.dirty.mark(&office.slug);
        }
    }
    Ok(())
}

impl Bookings {
    /// The next free time of the office's shortest service.
    pub(crate) async fn soonest(&self, place: &Place<'_>) -> Result<NextAppointment, StoreError> {
        let each = place.terms.services.iter();
        let shortest = each
            .filter_map(|service| place.minutes(std::slice::from_ref(service)).ok())
            .min();
        let Some(minutes) = shortest else {
            return Ok(NextAppointment::NotOffered);
        };
        let today = place.office.hours.zone.to_datetime(place.now).date();
        let last = today.saturating_add(i32::from(place.terms.rules.horizon_days).days());
        let mut read = self.store.read().await?;
        let mut first = today;
        for days in WITHIN.into_iter().map(Some).chain([None]) {
            let end = days.map_or(last, |days| {
                last.min(first.saturating_add(i32::from(days - 1).days()))
            });
            let free = place.free(&mut read, minutes, first..=end, None).await?;
            if let Some(start) = free.iter().map(|slot| slot.start).min() {
                return Ok(NextAppointment::At(start));
            }
            if end >= last {
                break;
            }
            first = end.saturating_add(1.day());
        }
        Ok(NextAppointment::FullyBooked)
    }
}
