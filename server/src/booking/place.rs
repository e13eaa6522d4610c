//! What an office has free, and how a booking takes it and keeps it.

use std::ops::RangeInclusive;

use bridge::ids::{BookingId, ServiceId};
use gateway::appointments::{BookingError, SlotView};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use scheduler::slots::{
    Agenda, Busy, Cell, Refused, Slot, Span, Taken, capacity, cells, find_slot, free_slots,
    nearest_alternatives, occupied, total_minutes,
};
use store::{Booking, Read, StoreError, Tx};

use super::{Place, slot_view, stretches};

/// As many nearest times are told to somebody who came too late.
pub(super) const ALTERNATIVES: usize = 6;
/// Nearest times are looked for in so many days before and after, and farther only if there can be nearer ones than found.
const AROUND: [i32; 4] = [0, 2, 6, 14];

/// A place that was given up is kept so long for those who wait for an earlier time: they are looked after every ten seconds.
const HEAD_START: SignedDuration = SignedDuration::from_secs(30);

/// By when a place must have been free that anybody can have at `now`, while somebody waits for an earlier time.
pub(super) fn public_by(now: Timestamp) -> Timestamp {
    now.saturating_sub(HEAD_START).unwrap_or(now)
}

impl Place<'_> {
    /// The same for those who wait for an earlier time, and for whom clerks choose one: they come first.
    pub(super) fn first_in_line(&self) -> Self {
        Self {
            first_in_line: true,
            ..*self
        }
    }

    /// By when a place must have been free that can be had now.
    async fn free_by(&self, read: &mut Read) -> Result<Timestamp, StoreError> {
        let waits = !self.first_in_line && read.vacancies_are_known(&self.office.slug).await?;
        Ok(if waits { public_by(self.now) } else { self.now })
    }

    /// How long an appointment for these services takes.
    pub(crate) fn minutes(&self, services: &[ServiceId]) -> Result<u16, BookingError> {
        let mut minutes = Vec::with_capacity(services.len());
        for id in services {
            let service = self
                .office
                .service(id)
                .filter(|_| self.terms.services.contains(id))
                .ok_or(BookingError::UnknownService)?;
            minutes.push(service.minutes);
        }
        Ok(total_minutes(minutes)?)
    }

    /// Everything from the first to the last of these days, a day wider on each side.
    pub(super) fn cells_around(days: &RangeInclusive<Date>) -> std::ops::Range<Cell> {
        let instant = |date: Date| {
            jiff::tz::Offset::UTC
                .to_timestamp(date.to_datetime(jiff::civil::Time::MIN))
                .unwrap_or(Timestamp::MIN)
        };
        let day = SignedDuration::from_hours(24);
        let start = instant(*days.start()).saturating_sub(day * 2);
        let end = instant(*days.end()).saturating_add(day * 3);
        cells(Span {
            start: start.unwrap_or(Timestamp::MIN),
            end: end.unwrap_or(Timestamp::MAX),
        })
    }

    /// The free slots of some days, leaving out what `except` takes.
    pub(crate) async fn free(
        &self,
        read: &mut Read,
        minutes: u16,
        days: RangeInclusive<Date>,
        except: Option<&BookingId>,
    ) -> Result<Vec<Slot>, StoreError> {
        let range = Self::cells_around(&days);
        let then = self.free_by(read).await?;
        let taken = read
            .taken_places(&self.office.slug, &range, then, except)
            .await?;
        let (taken, busy) = (stretches(&taken), self.busy(read).await?);
        Ok(free_slots(
            &self.agenda(&taken, &busy),
            minutes,
            days,
            self.now,
        ))
    }

    fn agenda<'t>(&'t self, taken: &'t [Taken], busy: &'t [Busy]) -> Agenda<'t> {
        Agenda {
            hours: &self.office.hours,
            rules: &self.terms.rules,
            taken,
            busy,
        }
    }

    /// The slot at `start`, if the booking can have it.
    pub(super) async fn vacancy(
        &self,
        read: &mut Read,
        booking: Option<&BookingId>,
        minutes: u16,
        start: Timestamp,
    ) -> Result<Result<Slot, Refused>, StoreError> {
        let Some(span) = occupied(start, minutes, self.terms.rules.buffer_minutes) else {
            return Ok(Err(Refused::Closed));
        };
        let then = self.free_by(read).await?;
        let taken = read
            .taken_places(&self.office.slug, &cells(span), then, booking)
            .await?;
        let busy = self.busy(read).await?;
        Ok(find_slot(
            &self.agenda(&stretches(&taken), &busy),
            minutes,
            start,
            self.now,
        ))
    }

    /// Takes a place for a booking at `start`, in the transaction that decides, until `release_at`. What the
    /// booking has elsewhere stays. When the time cannot be had, drop the transaction and tell it with
    /// [`Bookings::refuse`].
    pub(crate) async fn occupy(
        &self,
        tx: &mut Tx,
        booking: &BookingId,
        minutes: u16,
        start: Timestamp,
        release_at: Option<Timestamp>,
    ) -> Result<Result<Slot, Refused>, StoreError> {
        match self.vacancy(tx, Some(booking), minutes, start).await? {
            Ok(slot) => self.take(tx, booking, slot, minutes, release_at).await,
            Err(reason) => Ok(Err(reason)),
        }
    }

    /// Takes a place at a slot that [`Place::vacancy`] found in the same transaction.
    pub(super) async fn take(
        &self,
        tx: &mut Tx,
        booking: &BookingId,
        slot: Slot,
        minutes: u16,
        release_at: Option<Timestamp>,
    ) -> Result<Result<Slot, Refused>, StoreError> {
        let Some(span) = occupied(slot.start, minutes, self.terms.rules.buffer_minutes) else {
            return Ok(Err(Refused::Closed));
        };
        let range = cells(span);
        let places = capacity(&self.office.hours, &self.terms.rules, &[], &range);
        let then = self.free_by(tx).await?;
        let placed = tx
            .take_places(
                &self.office.slug,
                booking,
                &range,
                &places,
                then,
                release_at,
            )
            .await?;
        Ok(placed.map(|_| slot).map_err(|_| Refused::Full))
    }

    /// The time that a booking takes from a desk.
    pub(super) fn span_of(&self, booking: &Booking) -> Span {
        let buffer = SignedDuration::from_mins(i64::from(self.terms.rules.buffer_minutes));
        Span {
            start: booking.start,
            end: booking.end.saturating_add(buffer).unwrap_or(booking.end),
        }
    }

    /// Keeps a booking's places until `release_at`, in the transaction that decides. Whether it has its time: not the
    /// clock says so but the places. Whoever saw another time than we do, or came while we waited for our turn to
    /// write, has cleared away what had lapsed by then. What nobody has taken meanwhile is taken again.
    pub(super) async fn keep(
        &self,
        tx: &mut Tx,
        booking: &Booking,
        release_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let range = cells(self.span_of(booking));
        if tx.keep_places(&booking.id, &range, release_at).await? {
            return Ok(true);
        }
        let busy = self.busy(tx).await?;
        let places = capacity(&self.office.hours, &self.terms.rules, &busy, &range);
        let then = self.free_by(tx).await?;
        let taken = tx
            .take_places(
                &self.office.slug,
                &booking.id,
                &range,
                &places,
                then,
                release_at,
            )
            .await?;
        Ok(taken.is_ok())
    }

    /// The free times nearest to one that cannot be had.
    pub(super) async fn nearest(
        &self,
        read: &mut Read,
        minutes: u16,
        start: Timestamp,
    ) -> Result<Vec<SlotView>, StoreError> {
        let zone = &self.office.hours.zone;
        let day = zone.to_datetime(start.max(self.now)).date();
        let mut nearest = Vec::new();
        for around in AROUND {
            let (first, last) = (
                day.saturating_sub(around.days()),
                day.saturating_add(around.days()),
            );
            let slots = self.free(read, minutes, first..=last, None).await?;
            nearest = nearest_alternatives(&slots, start, ALTERNATIVES);
            let within = |slot: &Slot| {
                // As far on the other side there is still a day that was looked at.
                let mirrored = start.saturating_add(start.duration_since(slot.start));
                mirrored.is_ok_and(|other| {
                    let other = zone.to_datetime(other.max(self.now)).date();
                    (first..=last).contains(&other)
                })
            };
            if nearest.len() == ALTERNATIVES && nearest.iter().all(within) {
                break;
            }
        }
        Ok(nearest.iter().map(slot_view).collect())
    }
}
