//! Appointments: deciding about bookings, what time does to them, and the mails and lines that follow.
//!
//! [`Bookings`] decides, each time in one transaction of the database, and stores what follows from it as errands
//! beside the decision. It asks neither the homeserver nor the clock, so that its tests need neither.

mod answer;
mod arrive;
mod busy;
mod change;
mod clerk;
mod conflict;
mod ending;
mod feed;
mod front;
mod key;
mod letter;
mod line;
mod offer;
mod phone;
mod place;
mod post;
mod reachable;
mod room;
mod sheet;
mod soonest;
mod take;
#[cfg(test)]
mod tests;
mod tide;
mod vacancies;

use std::sync::LazyLock;

use bridge::ids::BookingId;
use city::model::{Booking as Terms, OfficeConfig};
use gateway::appointments::{BookingError, BookingPhase, BookingView, Holder};
use jiff::{SignedDuration, Timestamp};
use scheduler::slots::{Slot, stretches};
use serde::{Deserialize, Serialize};
use store::{Booking, BookingPrivate, BookingState, Lane, Store, StoreError, Tx};

use crate::task::Errand;

pub(crate) use self::{
    answer::NotTaken,
    busy::{Calendars, keep as keep_calendars},
    change::opened,
    clerk::{agenda_of, cancel_for_clerk, offer_for_clerk},
    ending::orphans,
    key::{Key, ReplySecret},
    letter::{Letter, give_up as give_up_mail, plan as plan_letter},
    line::plan as plan_line,
    phone::{plan as plan_phone, plan_redaction},
    post::{MailConfig, Post, Sent},
    reachable::Reachable,
    room::{plan as plan_room, remember as remember_room},
    soonest::{Soonest, look_ahead},
    tide::keep,
};

/// Decides about bookings.
#[derive(Clone)]
pub(crate) struct Bookings {
    pub(crate) store: Store,
    pub(crate) key: Key,
    /// The domain in names that calendars keep.
    pub(crate) domain: String,
    /// Since when citizens have been able to come.
    pub(crate) reachable: Reachable,
}

impl Bookings {
    /// From when on whoever has not come for an appointment is a no-show: the office's grace counts from its start, or from
    /// when they could come at all.
    pub(super) fn missed_from(&self, place: &Place<'_>, start: Timestamp) -> Timestamp {
        let from = start.max(self.reachable.since());
        from.saturating_add(place.terms.grace).unwrap_or(from)
    }
}

/// The terms of those who have an appointment where none can be booked any more.
static ENDED: LazyLock<Terms> = LazyLock::new(Terms::ended);

/// An office as a place of appointments, at a moment.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) office: &'a OfficeConfig,
    pub(crate) terms: &'a Terms,
    pub(crate) now: Timestamp,
    /// Whether what has just become free can be had: others wait until those who want an earlier time had their turn.
    first_in_line: bool,
}

impl<'a> Place<'a> {
    /// For appointments that stand already: an office that takes no more has them still.
    pub(crate) fn kept(office: &'a OfficeConfig, now: Timestamp) -> Self {
        let terms = office.booking.as_ref().unwrap_or_else(|| &*ENDED);
        Self::of(office, terms, now)
    }

    /// For new times.
    pub(crate) fn new(office: &'a OfficeConfig, now: Timestamp) -> Result<Self, BookingError> {
        let terms = office.booking.as_ref().ok_or(BookingError::NotOffered)?;
        Ok(Self::of(office, terms, now))
    }

    const fn of(office: &'a OfficeConfig, terms: &'a Terms, now: Timestamp) -> Self {
        Self {
            office,
            terms,
            now,
            first_in_line: false,
        }
    }

    /// The booking as the holder of a link sees it.
    fn view(&self, booking: Booking, holder: Holder, name: Option<String>) -> BookingView {
        let for_booker = holder == Holder::Booker;
        BookingView {
            holder,
            office: booking.office,
            code: booking.code,
            phase: match booking.state {
                BookingState::Held => BookingPhase::Held,
                BookingState::Unconfirmed => BookingPhase::Unconfirmed,
                BookingState::Confirmed => BookingPhase::Confirmed,
                BookingState::Arrived => BookingPhase::Arrived,
                BookingState::Cancelled => BookingPhase::Cancelled,
                BookingState::Expired => BookingPhase::Expired,
                BookingState::NoShow => BookingPhase::NoShow,
            },
            civil: self.office.hours.zone.to_datetime(booking.start),
            start: booking.start,
            end: booking.end,
            services: booking.services,
            language: booking.language,
            name: name.filter(|_| for_booker),
            expires_at: booking.expires_at,
            check_in_from: self.check_in_from(booking.start),
            wants_earlier: booking.wants_earlier,
            offer: None,
            waiting: None,
            visit: booking
                .visit
                .filter(|_| holder.may_arrive() && booking.state == BookingState::Arrived),
        }
    }

    /// From when on the citizen of an appointment can check in.
    pub(crate) fn check_in_from(&self, start: Timestamp) -> Timestamp {
        start
            .saturating_sub(self.terms.prepare)
            .unwrap_or(Timestamp::MIN)
    }
}

/// What a line in the door room tells about a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum News {
    /// It counts.
    New,
    /// It has another time.
    Moved,
    /// The citizen has cancelled.
    Cancelled,
    /// It begins soon.
    Soon,
    /// Nobody came.
    NoShow,
    /// A mail could not be delivered.
    Undeliverable,
    /// A mail to the companion who was named could not be delivered.
    CompanionUndeliverable,
    /// The citizen's calendar has declined it; the clerks decide.
    Declined,
    /// The citizen does not want the time that a clerk offered.
    TurnedDown,
    /// The office is closed at its time.
    Closed,
    /// There are more appointments at its time than desks.
    Overbooked,
}

/// Stores a mail beside the decision that causes it.
async fn write(
    tx: &mut Tx,
    booking: &BookingId,
    letter: Letter,
    now: Timestamp,
) -> store::Result<()> {
    let errand = Errand::Mail {
        booking: booking.clone(),
        letter,
    };
    tx.enqueue(&Lane::mail(booking), &errand, now).await?;
    Ok(())
}

/// Stores a mail to the booker beside the decision that causes it, and what the companion who was named has to know of
/// it: whoever was invited learns also when it moves and when it is off.
async fn write_all(
    tx: &mut Tx,
    booking: &BookingId,
    private: &BookingPrivate,
    letter: Letter,
    now: Timestamp,
) -> store::Result<()> {
    write(tx, booking, letter, now).await?;
    match letter.beside().filter(|_| private.companion_mail.is_some()) {
        Some(beside) => write(tx, booking, beside, now).await,
        None => Ok(()),
    }
}

/// Stores a line for the clerks beside the decision that causes it.
pub(crate) async fn tell(
    tx: &mut Tx,
    booking: &Booking,
    news: News,
    now: Timestamp,
) -> store::Result<()> {
    let lane = Lane::door(&booking.office);
    let errand = Errand::TellBooking {
        booking: booking.id.clone(),
        news,
    };
    tx.enqueue(&lane, &errand, now).await?;
    if news == News::Undeliverable {
        let errand = Errand::TellPhone {
            booking: booking.id.clone(),
        };
        tx.enqueue(&lane, &errand, now).await?;
    }
    Ok(())
}

fn slot_view(slot: &Slot) -> gateway::appointments::SlotView {
    gateway::appointments::SlotView {
        start: slot.start,
        end: slot.end,
        civil: slot.civil_start,
        offset: slot.offset,
        free: slot.free,
    }
}

/// When a given-up place is free again: somewhere between the office's two limits, so that nobody can pass a place
/// on by cancelling it at an agreed moment. `dice` is any random number.
fn reappears(place: &Place<'_>, dice: u64) -> Timestamp {
    reappears_from(place, place.now, dice)
}

/// The same, of a place that is given up at `at`.
fn reappears_from(place: &Place<'_>, at: Timestamp, dice: u64) -> Timestamp {
    let (from, to) = place.terms.reappear;
    let width = u64::try_from((to - from).as_secs()).unwrap_or(0);
    let chosen = i64::try_from(dice % width.saturating_add(1)).unwrap_or(0);
    at.saturating_add(from + SignedDuration::from_secs(chosen))
        .unwrap_or(at)
}

/// A fault of ours: told in the log, without what it was about.
fn internal(fault: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BookingError {
    let fault = fault.into();
    if let Some(StoreError::Busy(_) | StoreError::Away(_)) = fault.downcast_ref() {
        tracing::warn!("a booking was turned away: {fault}");
        return BookingError::Busy;
    }
    tracing::error!("a booking failed: {fault}");
    BookingError::Internal
}
