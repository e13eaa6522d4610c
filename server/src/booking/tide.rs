//! What time does to bookings: holds lapse, reminders go out, clerks are told, who did not come is a no-show, and in
//! the end the person is forgotten.

use std::{sync::Arc, time::Duration};

use appservice::jobs::{self, Job};
use bridge::ids::Language;
use city::model::City;
use jiff::{SignedDuration, Timestamp, civil::Time};
use scheduler::slots::{Affected, Agenda, Cell, Conflict, Span, Taken, affected};
use store::{Booking, BookingState, Lane, StoreError, Tx};
use tracing::{error, warn};

use super::{
    Bookings, Letter, News, Place,
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
/// As many persons are forgotten at a time.
const BATCH: u32 = 200;
/// The morning's list is written at this time by the office's clock, or when the program starts later.
const MORNING: Time = Time::constant(7, 0, 0, 0);

/// Looks after bookings, for ever. In a city without mail there are none.
pub(crate) async fn keep(house: Arc<House>) {
    let Some(bookings) = house.bookings.clone() else {
        return std::future::pending().await;
    };
    let mut checked: Option<Arc<City>> = None;
    loop {
        if let Err(fault) = round(&house, &bookings).await {
            error!("appointments are late: {fault}");
        }
        if let Err(fault) = look_ahead(&house, &bookings).await {
            error!("the next free appointments are not up to date: {fault}");
        }
        // `vorzimmer mail-in` stores jobs in a process of its own, and cannot ring.
        house.outbox.notify_one();
        let city = house.city.get();
        if !checked
            .as_ref()
            .is_some_and(|before| Arc::ptr_eq(before, &city))
        {
            match conflicts(&house, &bookings, &city).await {
                Ok(()) => checked = Some(city),
                Err(fault) => error!("appointments are not compared with the calendar: {fault}"),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn round(house: &House, bookings: &Bookings) -> Result<(), ChangeError> {
    let now = shell::now();
    let mut tx = bookings.store.begin().await?;
    let freed = tx.freed_places(now).await?;
    tx.lapse_bookings(now).await?;
    tx.commit().await?;
    let city = house.city.get();
    let mut told = false;
    for office in &city.offices {
        let Ok(place) = Place::new(office, now) else {
            continue;
        };
        told |= bookings.tide(&place).await?;
        let freed: Vec<Cell> = freed
            .iter()
            .filter(|(slug, _)| *slug == office.slug)
            .map(|(_, cell)| *cell)
            .collect();
        let dice = shell::random().map_err(|_| ChangeError::Randomness)?;
        told |= bookings
            .offer_earlier(&place, &freed, u64::from_be_bytes(dice))
            .await?
            > 0;
        told |= bookings
            .morning(&house.words, first_language(&city), &place)
            .await?;
    }
    if told {
        house.outbox.notify_one();
    }
    if bookings.redact_notes(now, city.retention).await? {
        house.outbox.notify_one();
    }
    clear_rooms(house, bookings).await?;
    forget(bookings, now, city.retention).await?;
    Ok(())
}

/// The city's file may have changed: appointments that the calendar no longer carries are told to the clerks.
async fn conflicts(house: &House, bookings: &Bookings, city: &City) -> Result<(), ChangeError> {
    let now = shell::now();
    for office in &city.offices {
        if let Ok(place) = Place::new(office, now)
            && bookings.tell_conflicts(&place).await?
        {
            house.outbox.notify_one();
        }
    }
    Ok(())
}

/// Erases rooms that stood ready in vain. Nobody was ever in them.
async fn clear_rooms(house: &House, bookings: &Bookings) -> Result<(), StoreError> {
    let rooms = bookings.store.read().await?.booking_rooms_in_vain().await?;
    for (booking, room) in rooms {
        let Ok(room) = room.try_into() else { continue };
        match jobs::execute(&house.matrix, &Job::EraseRoom { room }, "").await {
            Ok(_) => {
                let mut tx = bookings.store.begin().await?;
                tx.set_booking_room(&booking, None).await?;
                tx.commit().await?;
            }
            Err(fault) => warn!(
                "a room that stood ready is not erased yet: {}",
                fault.code()
            ),
        }
    }
    Ok(())
}

impl Bookings {
    /// Appointments that the office's calendar, or the desks' own calendars, no longer carry are told to its clerks, each
    /// once for its time; what becomes of them is for a person to say. Whether there are new ones.
    pub(crate) async fn tell_conflicts(&self, place: &Place<'_>) -> Result<bool, StoreError> {
        // All in one transaction: calendars and the city's file may change at once, and nobody is to be told twice.
        let mut tx = self.store.begin().await?;
        let to_come = tx.bookings_to_come(&place.office.slug, place.now).await?;
        let known = tx.booking_conflicts(&place.office.slug).await?;
        let busy = place.busy(&mut tx).await?;
        let buffer = SignedDuration::from_mins(i64::from(place.terms.rules.buffer_minutes));
        let taken: Vec<Taken> = to_come
            .iter()
            .map(|booking| Taken {
                span: Span {
                    start: booking.start,
                    end: booking.end.saturating_add(buffer).unwrap_or(booking.end),
                },
                desks: 1,
            })
            .collect();
        let found = affected(&Agenda {
            hours: &place.office.hours,
            rules: &place.terms.rules,
            taken: &taken,
            busy: &busy,
        });
        let mut any = false;
        for Affected { index, conflict } in &found {
            let booking = &to_come[*index];
            if known.contains(&(booking.id.clone(), booking.start)) {
                continue;
            }
            tx.set_booking_conflict(&booking.id, booking.start).await?;
            let news = match conflict {
                Conflict::Closed => News::Closed,
                Conflict::TooManyBookings => News::Overbooked,
            };
            tell(&mut tx, booking, news, place.now).await?;
            any = true;
        }
        for (id, _) in &known {
            if !found.iter().any(|one| to_come[one.index].id == *id) {
                tx.clear_booking_conflict(id).await?;
            }
        }
        tx.commit().await?;
        Ok(any)
    }

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
        let near = read.bookings_before(horizon).await?;
        drop(read);
        let mut any = false;
        for booking in near
            .into_iter()
            .filter(|booking| booking.office == place.office.slug)
        {
            if due(place, &booking) == Due::default() {
                continue;
            }
            let mut tx = self.store.begin().await?;
            // Again, inside the transaction that decides: it may have been moved or cancelled.
            let Some(booking) = tx.booking(&booking.id).await? else {
                continue;
            };
            let due = due(place, &booking);
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
        let today = here.date();
        let mut tx = self.store.begin().await?;
        if tx.agenda_day(&place.office.slug).await? == Some(today) {
            return Ok(false);
        }
        let bookings = day_of(&mut tx, place, today).await?;
        tx.set_agenda_day(&place.office.slug, today).await?;
        if !bookings.is_empty() {
            let text = agenda(words, language, place.office, today, &bookings);
            tx.enqueue(
                &Lane::door(&place.office.slug),
                &Errand::Answer { text },
                place.now,
            )
            .await?;
        }
        tx.commit().await?;
        Ok(!bookings.is_empty())
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
            booking.state = BookingState::NoShow;
            booking.ended_at = Some(place.now);
            tx.save_booking(&booking).await?;
            write(tx, &booking.id, Letter::NoShow, place.now).await?;
            return tell(tx, &booking, News::NoShow, place.now).await;
        }
        if let Some(reminded) = due.reminded {
            booking.reminded = reminded;
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
    /// How many reminders are done with after this.
    reminded: Option<u32>,
    /// Whether one of them is to be written.
    remind: bool,
    /// Whether the clerks are told that it begins soon.
    soon: bool,
    /// Whether it is too late for the citizen.
    no_show: bool,
}

/// Reminders first, in the order of their times, then the word to the clerks: `reminded` counts through them all.
fn due(place: &Place<'_>, booking: &Booking) -> Due {
    if booking.state != BookingState::Confirmed {
        return Due::default();
    }
    if booking.start + place.terms.grace <= place.now {
        return Due {
            no_show: true,
            ..Due::default()
        };
    }
    let mut due = Due::default();
    let times = place.terms.reminders.iter().copied();
    let mut steps: Vec<(SignedDuration, bool)> = times.map(|before| (before, true)).collect();
    steps.push((place.terms.prepare, false));
    steps.sort_by_key(|(before, _)| std::cmp::Reverse(*before));
    for (index, (before, for_citizen)) in steps.into_iter().enumerate() {
        let at = booking.start - before;
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        if at > place.now || number <= booking.reminded {
            continue;
        }
        due.reminded = Some(number);
        // What was due before the booking was made or moved is told by that mail.
        if for_citizen {
            due.remind = at > booking.changed_at;
        } else {
            due.soon = true;
        }
    }
    due
}

/// The appointments of a civil day at an office, and what each needs.
pub(crate) async fn day_of(
    read: &mut store::Read,
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

/// Forgets the persons of bookings that were over long enough ago.
async fn forget(
    bookings: &Bookings,
    now: Timestamp,
    retention: SignedDuration,
) -> Result<(), StoreError> {
    let mut read = bookings.store.read().await?;
    let due = read.bookings_to_erase(now - retention, BATCH).await?;
    drop(read);
    if due.is_empty() {
        return Ok(());
    }
    let mut tx = bookings.store.begin().await?;
    for erasure in due {
        tx.erase_booking(&erasure.booking, now).await?;
    }
    tx.commit().await?;
    bookings.store.scrub().await?;
    Ok(())
}
