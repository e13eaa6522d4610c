//! What time does to bookings: reminders go out, clerks are told, and who did not come is a no-show.

use std::{sync::Arc, time::Duration};

use bridge::{
    ids::Language,
    visit::{Ending, VisitState},
};
use jiff::{SignedDuration, Timestamp, civil::Time};
use store::{Booking, BookingState, Lane, Read, StoreError, Tx};
use tracing::error;

use super::{
    Bookings, Letter, News, Place,
    conflict::Compared,
    ending::{lapse, settle, warn_of_orphans},
    line::{Needs, agenda},
    look_ahead, tell, write,
};
use crate::{
    house::{ChangeError, House, first_language},
    shell,
    task::Errand,
    words::Words,
};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The morning's list is written at this time by the office's clock, or when the program starts later.
const MORNING: Time = Time::constant(7, 0, 0, 0);
/// Whoever came to an appointment that began longer ago and was lost is written no more.
const LOST_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Looks after bookings, for ever. In a city without mail none are made; what was made before is ended and erased.
pub(crate) async fn keep(house: Arc<House>) {
    let mut compared = Compared::default();
    let mut warned = None;
    loop {
        let works = lapse(&house).await;
        if let Some(bookings) = &house.bookings {
            if works {
                bookings.reachable.seen(shell::now());
            }
            round(&house, bookings).await;
            if let Err(fault) = look_ahead(&house, bookings).await {
                error!("the next free appointments are not up to date: {fault}");
            }
            if let Err(fault) = compared.with_city(&house, bookings).await {
                error!("appointments are not compared with the calendar: {fault}");
            }
        }
        settle(&house).await;
        warn_of_orphans(&house, &mut warned).await;
        // `vorzimmer mail-in` stores jobs in a process of its own, and cannot ring.
        house.outbox.notify_one();
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Each office by itself: what fails at one holds up no other.
async fn round(house: &House, bookings: &Bookings) {
    let now = shell::now();
    let city = house.city.get();
    for office in &city.offices {
        let place = Place::kept(office, now);
        match at_office(house, bookings, first_language(&city), &place).await {
            Ok(true) => house.outbox.notify_one(),
            Ok(false) => {}
            Err(fault) => error!(office = %office.slug, "appointments are late: {fault}"),
        }
    }
}

/// What has come due at one office. Whether anything has.
async fn at_office(
    house: &House,
    bookings: &Bookings,
    language: Language,
    place: &Place<'_>,
) -> Result<bool, ChangeError> {
    let tide = bookings.tide(place).await?;
    let dice = shell::random().map_err(|_| ChangeError::Randomness)?;
    let dice = u64::from_be_bytes(dice);
    let offered = bookings.offer_freed(place, dice).await?;
    let agenda = bookings.morning(&house.words, language, place).await?;
    Ok(tide || offered > 0 || agenda)
}

impl Bookings {
    /// What has come due at an office. Whether anything has.
    pub(crate) async fn tide(&self, place: &Place<'_>) -> Result<bool, StoreError> {
        let ahead = place
            .terms
            .reminders
            .iter()
            .copied()
            .chain([place.terms.prepare])
            .max()
            .unwrap_or_default();
        let horizon = place.now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
        let mut read = self.store.read().await?;
        let near = read.bookings_due(&place.office.slug, horizon).await?;
        let since = place
            .now
            .saturating_sub(LOST_WITHIN)
            .unwrap_or(Timestamp::MIN);
        let lost = read
            .bookings_lost(&place.office.slug, since, place.now)
            .await?;
        let mut ripe = Vec::new();
        for booking in near.into_iter().chain(lost) {
            if self.due(&mut read, place, &booking).await? != Due::default() {
                ripe.push(booking);
            }
        }
        drop(read);
        let mut any = false;
        for booking in ripe {
            let mut tx = self.store.begin().await?;
            // Again, inside the transaction that decides: it may have been moved or cancelled.
            let Some(booking) = tx.booking(&booking.id).await? else {
                continue;
            };
            let due = self.due(&mut tx, place, &booking).await?;
            self.carry_out(&mut tx, place, booking, &due).await?;
            tx.commit().await?;
            any = true;
        }
        Ok(any)
    }

    /// The list of the day's appointments, once each morning by the office's clock. A day without any is not told.
    pub(crate) async fn morning(
        &self,
        words: &Words,
        language: Language,
        place: &Place<'_>,
    ) -> Result<bool, StoreError> {
        let here = place.office.hours.zone.to_datetime(place.now);
        if here.time() < MORNING {
            return Ok(false);
        }
        let (today, slug) = (here.date(), &place.office.slug);
        // Most looks find nothing to do, and keep no writer waiting.
        if self.store.read().await?.agenda_day(slug).await? == Some(today) {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        if tx.agenda_day(&place.office.slug).await? == Some(today) {
            return Ok(false);
        }
        let bookings = day_of(&mut tx, place, today).await?;
        tx.set_agenda_day(&place.office.slug, today).await?;
        if !bookings.is_empty() {
            let text = agenda(words, language, place.office, today, &bookings);
            let door = Lane::door(&place.office.slug);
            for answer in Errand::answers(&text) {
                tx.enqueue(&door, &answer, place.now).await?;
            }
        }
        tx.commit().await?;
        Ok(!bookings.is_empty())
    }

    /// Reminders and the word to the clerks, in the order of their times. What is done with lies before a moment, so that
    /// other reminders in the city's file repeat none and leave none out; `reminded` counts through them all.
    async fn due(
        &self,
        read: &mut Read,
        place: &Place<'_>,
        booking: &Booking,
    ) -> Result<Due, StoreError> {
        let no_show = match booking.state {
            BookingState::Confirmed => self.is_missed(read, place, booking).await?,
            BookingState::Arrived => self.is_lost(read, place, booking).await?,
            _ => false,
        };
        if no_show || booking.state != BookingState::Confirmed {
            return Ok(Due {
                no_show,
                ..Due::default()
            });
        }
        let mut due = Due::default();
        let times = place.terms.reminders.iter().copied();
        let mut steps: Vec<(SignedDuration, bool)> = times.map(|before| (before, true)).collect();
        steps.push((place.terms.prepare, false));
        steps.sort_by_key(|(before, _)| std::cmp::Reverse(*before));
        for (index, (before, for_citizen)) in steps.into_iter().enumerate() {
            let at = booking.start - before;
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let done = match booking.reminded_until {
                Some(until) => at <= until,
                None => number <= booking.reminded,
            };
            if at > place.now || done {
                continue;
            }
            due.reminded = Some((number, at));
            if for_citizen {
                // What was due before the booking was made or moved is told by that mail. After an outage it may have begun.
                due.remind = at > booking.changed_at && booking.start > place.now;
            } else {
                due.soon = true;
            }
        }
        Ok(due)
    }

    /// Whether it is too late for the citizen. Whoever said to be here and was in another visit of theirs has time until
    /// that is over, and the grace from then on.
    async fn is_missed(
        &self,
        read: &mut Read,
        place: &Place<'_>,
        booking: &Booking,
    ) -> Result<bool, StoreError> {
        if place.now < self.missed_from(place, booking.start) {
            return Ok(false);
        }
        let beside = read.visit_beside(&booking.id).await?;
        Ok(match beside.map(|beside| beside.visit.state) {
            None => true,
            Some(VisitState::Ended { at, .. }) => place.now >= self.missed_from(place, at),
            Some(_) => false,
        })
    }

    /// Whether the citizen came, was lost, and can come no more.
    async fn is_lost(
        &self,
        read: &mut Read,
        place: &Place<'_>,
        booking: &Booking,
    ) -> Result<bool, StoreError> {
        let Some(visit) = &booking.visit else {
            return Ok(false);
        };
        let known = read.visit(visit).await?.map(|known| known.visit.state);
        let lost = matches!(
            known,
            Some(VisitState::Ended {
                ending: Ending::NoShow,
                ..
            })
        );
        Ok(lost && self.is_missed(read, place, booking).await?)
    }

    /// What follows, in one transaction.
    async fn carry_out(
        &self,
        tx: &mut Tx,
        place: &Place<'_>,
        mut booking: Booking,
        due: &Due,
    ) -> Result<(), StoreError> {
        if due.no_show {
            let came = booking.state == BookingState::Arrived;
            booking.state = BookingState::NoShow;
            booking.ended_at = Some(place.now);
            tx.save_booking(&booking).await?;
            let letter = if came {
                Letter::Lost
            } else if self.reachable.since() > booking.start {
                Letter::Outage
            } else {
                Letter::NoShow
            };
            write(tx, &booking.id, letter, place.now).await?;
            // Of somebody who came, the line of the visit says it.
            if !came {
                tell(tx, &booking, News::NoShow, place.now).await?;
            }
            return Ok(());
        }
        if let Some((reminded, until)) = due.reminded {
            booking.reminded = reminded;
            booking.reminded_until = Some(until);
            tx.save_booking(&booking).await?;
        }
        if due.remind {
            write(tx, &booking.id, Letter::Reminder, place.now).await?;
        }
        if due.soon {
            tell(tx, &booking, News::Soon, place.now).await?;
            let errand = Errand::PrepareRoom {
                booking: booking.id.clone(),
            };
            let lane = Lane::visit(&self.key.visit(&booking.id));
            tx.enqueue(&lane, &errand, place.now).await?;
        }
        Ok(())
    }
}

/// What is due about a booking.
#[derive(Debug, Default, PartialEq, Eq)]
struct Due {
    /// How many reminders are done with after this, and up to when.
    reminded: Option<(u32, Timestamp)>,
    /// Whether one of them is to be written.
    remind: bool,
    /// Whether the clerks are told that it begins soon.
    soon: bool,
    /// Whether it is too late for the citizen, or they were lost.
    no_show: bool,
}

/// The appointments of a civil day at an office, and what each needs.
pub(crate) async fn day_of(
    read: &mut Read,
    place: &Place<'_>,
    day: jiff::civil::Date,
) -> Result<Vec<(Booking, Needs)>, StoreError> {
    let midnight = |date: jiff::civil::Date| {
        place
            .office
            .hours
            .zone
            .to_ambiguous_timestamp(date.to_datetime(Time::MIN))
            .compatible()
            .unwrap_or(place.now)
    };
    let next = day.tomorrow().unwrap_or(day);
    let bookings = read
        .agenda(&place.office.slug, midnight(day), midnight(next))
        .await?;
    let mut told = Vec::with_capacity(bookings.len());
    for booking in bookings {
        let needs = Needs::of(read, &booking.id).await?;
        told.push((booking, needs));
    }
    Ok(told)
}
