//! Appointments that the office's calendar, or the desks' own calendars, do not carry: the clerks are told of each, once
//! for its time. What becomes of them is for a person to say; none is dropped.

use std::{collections::HashSet, sync::Arc};

use bridge::ids::BookingId;
use city::model::City;
use jiff::{SignedDuration, Timestamp};
use scheduler::slots::{Affected, Agenda, Conflict, Taken, affected};
use store::{Booking, Read, StoreError, Tx};

use super::{Bookings, News, Place, tell};
use crate::{house::House, shell};

/// After the city's file has changed, appointments are compared with it once more after this time: whoever was waiting
/// for a turn to write when it changed still goes by the one before.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// With which calendar appointments have been compared.
#[derive(Default)]
pub(super) struct Compared {
    with: Option<Arc<City>>,
    again_at: Option<Timestamp>,
}

impl Compared {
    /// Compares them where that has not been done.
    pub(super) async fn with_city(
        &mut self,
        house: &House,
        bookings: &Bookings,
    ) -> Result<(), StoreError> {
        let (city, now) = (house.city.get(), shell::now());
        let known = self.with.as_ref().is_some_and(|it| Arc::ptr_eq(it, &city));
        let again = self.again_at.is_some_and(|at| at <= now);
        if known && !again {
            return Ok(());
        }
        for office in &city.offices {
            if bookings.tell_conflicts(&Place::kept(office, now)).await? {
                house.outbox.notify_one();
            }
        }
        *self = Self {
            with: Some(city),
            again_at: (!known).then(|| now + AGAIN_AFTER),
        };
        Ok(())
    }
}

impl Bookings {
    /// Compares all appointments to come at an office with its calendar. Whether there are new conflicts.
    pub(crate) async fn tell_conflicts(&self, place: &Place<'_>) -> Result<bool, StoreError> {
        // All in one transaction: calendars and the city's file may change at once, and nobody is to be told twice.
        let mut tx = self.store.begin().await?;
        let to_come = tx.bookings_to_come(&place.office.slug, place.now).await?;
        let known = tx.booking_conflicts(&place.office.slug).await?;
        let found = place.conflicts(&mut tx, &to_come).await?;
        let any = tell_new(&mut tx, place, &found, &known).await?;
        let still: HashSet<&BookingId> = found.iter().map(|(booking, _)| &booking.id).collect();
        for (id, _) in &known {
            if !still.contains(id) {
                tx.clear_booking_conflict(id).await?;
            }
        }
        tx.commit().await?;
        Ok(any)
    }
}

/// A booking begins to count, in this transaction: the calendar may be another than when its time was chosen. Those that
/// it meets may be too many by it.
pub(super) async fn tell_conflicts_of(
    tx: &mut Tx,
    place: &Place<'_>,
    booking: &Booking,
) -> Result<(), StoreError> {
    let span = place.span_of(booking);
    let buffer = span.end.duration_since(booking.end);
    let from = span.start.saturating_sub(buffer).unwrap_or(span.start);
    let meeting = tx
        .bookings_between(&place.office.slug, from, span.end)
        .await?;
    let found = place.conflicts(tx, &meeting).await?;
    if !found.is_empty() {
        let known = tx.booking_conflicts(&place.office.slug).await?;
        tell_new(tx, place, &found, &known).await?;
    }
    Ok(())
}

impl Place<'_> {
    /// Those of the bookings that the calendar does not carry. Where some that they meet are left out, so may be some that
    /// are too many.
    async fn conflicts<'b>(
        &self,
        read: &mut Read,
        bookings: &'b [Booking],
    ) -> Result<Vec<(&'b Booking, News)>, StoreError> {
        let busy = self.busy(read).await?;
        let taken: Vec<Taken> = bookings
            .iter()
            .map(|booking| Taken {
                span: self.span_of(booking),
                desks: 1,
            })
            .collect();
        let found = affected(&Agenda {
            hours: &self.office.hours,
            rules: &self.terms.rules,
            taken: &taken,
            busy: &busy,
        });
        let told = |Affected { index, conflict }| {
            let news = match conflict {
                Conflict::Closed => News::Closed,
                Conflict::TooManyBookings => News::Overbooked,
            };
            bookings.get(index).map(|booking| (booking, news))
        };
        Ok(found.into_iter().filter_map(told).collect())
    }
}

/// Tells the clerks of those that they do not know yet. Whether there are any.
async fn tell_new(
    tx: &mut Tx,
    place: &Place<'_>,
    found: &[(&Booking, News)],
    known: &[(BookingId, Timestamp)],
) -> Result<bool, StoreError> {
    let mut any = false;
    for (booking, news) in found {
        if known.contains(&(booking.id.clone(), booking.start)) {
            continue;
        }
        tx.set_booking_conflict(&booking.id, booking.start).await?;
        tell(tx, booking, *news, place.now).await?;
        any = true;
    }
    Ok(any)
}
