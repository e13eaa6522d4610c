//! Other times for bookings: the waiting list's, in turn, and clerks'. Each is held for whom it is offered to.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use gateway::appointments::{BookingError, BookingView, Holder, OfferView, TokenHash, WaitingView};
use jiff::{SignedDuration, Timestamp, ToSpan};
use scheduler::slots::{Cell, Refused, Slot, cell_start, cells, occupied};
use store::{Booking, BookingOffer, BookingState, Read, StoreError, Tx};

use super::{Bookings, Letter, News, Place, change::own, internal, reappears, tell, write};

/// A clerk's offer is held so long: the citizen has to read a mail that nobody waits for.
const BY_OFFICE: SignedDuration = SignedDuration::from_hours(24);
/// Nobody is offered another time again before this has passed: no offer lasts longer, and places that nobody wants do
/// not go round for ever.
pub(super) const REST: SignedDuration = SignedDuration::from_hours(24);
/// An offer that could be taken for less time than this is of no use.
const LEAST: SignedDuration = SignedDuration::from_mins(5);

/// Why a booking cannot be offered a time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unoffered {
    /// Nobody can have it.
    Refused(Refused),
    /// It overlaps the booking's own time.
    Overlaps,
    /// It begins too soon for anybody to answer.
    TooSoon,
}

impl Place<'_> {
    /// The open offer of a booking, as its booker sees it.
    pub(super) async fn offer_view(
        &self,
        read: &mut Read,
        booking: &Booking,
    ) -> Result<Option<OfferView>, StoreError> {
        let offer = match booking.state {
            BookingState::Confirmed => read.booking_offer(&booking.id, self.now).await?,
            _ => None,
        };
        Ok(offer.map(|offer| OfferView {
            start: offer.start,
            end: offer.end,
            civil: self.office.hours.zone.to_datetime(offer.start),
            until: offer.until,
            by_office: offer.by_office,
        }))
    }

    /// Where a booking stands on the waiting list, if it does.
    pub(super) async fn waiting(
        &self,
        read: &mut Read,
        booking: &Booking,
    ) -> Result<Option<WaitingView>, StoreError> {
        if booking.state != BookingState::Confirmed || !booking.wants_earlier {
            return Ok(None);
        }
        let in_turn = read
            .bookings_wanting_earlier(&self.office.slug, Timestamp::MAX)
            .await?;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(in_turn
            .iter()
            .position(|other| other.id == booking.id)
            .map(|before| WaitingView {
                place: count(before + 1),
                of: count(in_turn.len()),
            }))
    }

    /// Holds another time for a booking, in the transaction that tells of it. A refusal changes nothing.
    pub(super) async fn offer(
        &self,
        tx: &mut Tx,
        booking: &Booking,
        start: Timestamp,
        by_office: bool,
        dice: u64,
    ) -> Result<Result<BookingOffer, Unoffered>, StoreError> {
        let span = |start, minutes| occupied(start, minutes, self.terms.rules.buffer_minutes);
        let Ok(minutes) = self.minutes(&booking.services) else {
            return Ok(Err(Unoffered::Refused(Refused::Closed)));
        };
        let (Some(wanted), Some(own)) = (span(start, minutes), span(booking.start, minutes)) else {
            return Ok(Err(Unoffered::Refused(Refused::Closed)));
        };
        // Both are held at once, so no cell can be in both.
        if cells(wanted).any(|cell| cells(own).contains(&cell)) {
            return Ok(Err(Unoffered::Overlaps));
        }
        let hold = if by_office {
            self.terms.offer.max(BY_OFFICE)
        } else {
            self.terms.offer
        };
        let latest = start
            .saturating_sub(self.terms.rules.min_notice)
            .unwrap_or(start);
        let until = (self.now + hold).min(latest);
        if until < self.now + LEAST {
            return Ok(Err(Unoffered::TooSoon));
        }
        let first = self.first_in_line();
        // Before anything is written: a refusal leaves the offer before as it was.
        let slot = match first.vacancy(tx, Some(&booking.id), minutes, start).await? {
            Ok(slot) => slot,
            Err(reason) => return Ok(Err(Unoffered::Refused(reason))),
        };
        let free_at = reappears(self, dice);
        tx.close_booking_offer(&booking.id, self.now, free_at)
            .await?;
        // An offer that nobody takes is a place given up: nobody shall foresee when it can be had.
        let free_at = (free_at + until.duration_since(self.now)).max(until);
        let slot = match first
            .take(tx, &booking.id, slot, minutes, Some(free_at))
            .await?
        {
            Ok(slot) => slot,
            Err(reason) => return Ok(Err(Unoffered::Refused(reason))),
        };
        let offer = BookingOffer {
            start: slot.start,
            end: slot.end,
            until,
            by_office,
        };
        tx.put_booking_offer(&booking.id, &offer, self.now).await?;
        Ok(Ok(offer))
    }
}

impl Bookings {
    /// In these cells places have become free: those who want an earlier time are offered one in turn, each at most one.
    /// How many were.
    pub(super) async fn offer_earlier(
        &self,
        place: &Place<'_>,
        freed: &BTreeSet<Cell>,
        dice: u64,
    ) -> Result<usize, StoreError> {
        let (Some(first), Some(last)) = (freed.first(), freed.last()) else {
            return Ok(0);
        };
        let day = |cell: Cell| {
            let at = cell_start(cell).unwrap_or(place.now);
            place.office.hours.zone.to_datetime(at).date()
        };
        let days = day(*first).saturating_sub(1.day())..=day(*last);
        let rested = place.now.saturating_sub(REST).unwrap_or(Timestamp::MIN);
        let mut read = self.store.read().await?;
        let in_turn = read
            .bookings_wanting_earlier(&place.office.slug, rested)
            .await?;
        let mut offered = 0;
        let mut free: HashMap<u16, Vec<Slot>> = HashMap::new();
        for booking in in_turn {
            let Ok(minutes) = place.minutes(&booking.services) else {
                continue;
            };
            let of_use = |slot: &&Slot| {
                slot.start < booking.start
                    && occupied(slot.start, minutes, 0)
                        .is_some_and(|span| cells(span).any(|cell| freed.contains(&cell)))
            };
            let slots = match free.entry(minutes) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let first = place.first_in_line();
                    new.insert(first.free(&mut read, minutes, days.clone(), None).await?)
                }
            };
            for slot in slots.iter().filter(of_use) {
                let mut tx = self.store.begin().await?;
                // Again, inside the transaction that decides: it may have been moved or cancelled.
                let Some(booking) = tx.booking(&booking.id).await?.filter(|booking| {
                    booking.state == BookingState::Confirmed
                        && booking.wants_earlier
                        && slot.start < booking.start
                }) else {
                    break;
                };
                let offer = place.offer(&mut tx, &booking, slot.start, false, dice);
                if offer.await?.is_ok() {
                    write(&mut tx, &booking.id, Letter::Earlier, place.now).await?;
                    tx.commit().await?;
                    offered += 1;
                    break;
                }
            }
        }
        Ok(offered)
    }

    /// The booker does not want the offered time; after a while the next one in turn may have it.
    pub(crate) async fn turn_down(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
        dice: u64,
    ) -> Result<BookingView, BookingError> {
        let mut tx = self.store.begin().await.map_err(internal)?;
        let (booking, private) = own(&mut tx, token).await?;
        if booking.state != BookingState::Confirmed {
            return Err(BookingError::WrongState);
        }
        let offer = tx
            .booking_offer(&booking.id, place.now)
            .await
            .map_err(internal)?;
        if let Some(offer) = offer {
            tx.close_booking_offer(&booking.id, place.now, reappears(place, dice))
                .await
                .map_err(internal)?;
            if offer.by_office {
                tell(&mut tx, &booking, News::TurnedDown, place.now)
                    .await
                    .map_err(internal)?;
            }
            tx.commit().await.map_err(internal)?;
        }
        Ok(place.view(booking, Holder::Booker, Some(private.name)))
    }
}
