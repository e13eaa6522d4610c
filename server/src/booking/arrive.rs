//! The citizen of an appointment is here: the booking becomes a visit, or the visit goes on in this browser.

use bridge::{
    ids::{GuestId, VisitId},
    input::{Input, Knock, Refusal},
    visit::{Ending, Visit, VisitKind, VisitState, Visitor},
};
use gateway::{
    appointments::{BookingError, BookingPhase, BookingView, Holder, TokenHash},
    port::VisitEvent,
};
use store::{Booking, BookingPrivate, BookingState, VisitPrivate, VisitRecord};

use super::{Place, change::opened, front::refused, internal, line::services};
use crate::{
    calls,
    front_office::Counter,
    ghosts,
    house::{Unit, first_language},
    task::Party,
};

impl Counter {
    /// Lets this browser to the booking's visit, and makes it if there is none yet.
    pub(super) async fn arrive(
        &self,
        token: &TokenHash,
        guest: &GuestId,
    ) -> Result<VisitId, BookingError> {
        let office = self.office_of(token).await?;
        let house = &self.0;
        let city = house.city.get();
        let config = city.office(&office).ok_or(BookingError::UnknownBooking)?;
        let mut unit = house.change(&office).await.map_err(refused)?;
        let place = Place::kept(config, unit.now.at);
        let (booking, holder) = opened(&mut unit.tx, token).await?;
        if !holder.may_arrive() {
            return Err(BookingError::NotYours);
        }
        let key = &self.bookings()?.key;
        let id = match (booking.state, &booking.visit) {
            (BookingState::Confirmed, _) => key.visit(&booking.id),
            (BookingState::Arrived, Some(visit)) => {
                let known = unit.tx.visit(visit).await.map_err(internal)?;
                let known = known.ok_or(BookingError::WrongState)?;
                if known.visit.is_live() {
                    return self.hand_over(unit, known, holder, guest).await;
                }
                let missed_from = self.bookings()?.missed_from(&place, booking.start);
                if place.now >= missed_from || !has_gone(&known.visit) {
                    return Err(BookingError::WrongState);
                }
                key.visit_after(visit)
            }
            _ => return Err(BookingError::WrongState),
        };
        let from = place.check_in_from(booking.start);
        if place.now < from {
            return Err(BookingError::TooEarly { from });
        }
        let visitor = Visitor::Guest(guest.clone());
        let other = unit.office.live().find(|visit| visit.visitor == visitor);
        if let Some(other) = other {
            let (other, in_line) = (other.id.clone(), is_in_line(other));
            if !in_line {
                return here_already(unit, &booking, other).await;
            }
            // Whoever waited for their turn without an appointment has come for this one.
            unit.decide(Input::Leave { visit: other })?;
        }
        self.admit(unit, booking, id, guest).await
    }

    /// Stores the visit beside the booking that it comes from.
    async fn admit(
        &self,
        mut unit: Unit<'_>,
        mut booking: Booking,
        id: VisitId,
        guest: &GuestId,
    ) -> Result<VisitId, BookingError> {
        let house = &self.0;
        let private = unit
            .tx
            .booking_private(&booking.id)
            .await
            .map_err(internal)?
            .ok_or(BookingError::UnknownBooking)?;
        unit.decide(Input::Knock(Knock {
            visit: id.clone(),
            visitor: Visitor::Guest(guest.clone()),
            kind: VisitKind::Appointment { at: booking.start },
            language: booking.language,
            service: booking.services.first().cloned(),
        }))?;
        let words = self.words_of(&booking, private);
        unit.tx.put_private(&id, &words).await.map_err(internal)?;
        let ghost = ghosts::take(house, &mut unit.tx).await.map_err(refused)?;
        unit.tx.set_ghost(&id, &ghost).await.map_err(internal)?;
        if let Some(room) = unit.tx.booking_room(&booking.id).await.map_err(internal)? {
            unit.tx
                .set_consultation_room(&id, Some(&room))
                .await
                .map_err(internal)?;
            unit.tx
                .set_booking_room(&booking.id, None)
                .await
                .map_err(internal)?;
        }
        let now = unit.now.at;
        booking.state = BookingState::Arrived;
        booking.visit = Some(id.clone());
        booking.changed_at = now;
        booking.ended_at = Some(now.max(booking.end));
        unit.tx.save_booking(&booking).await.map_err(internal)?;
        unit.commit().await.map_err(internal)?;
        house.ghosts.notify_one();
        Ok(id)
    }

    /// What the clerk reads. A visit has one service; whatever else was booked stands here.
    pub(super) fn words_of(&self, booking: &Booking, private: BookingPrivate) -> VisitPrivate {
        let city = self.0.city.get();
        let language = first_language(&city);
        let words = &self.0.words;
        let mut concern = vec![words.say(language, "booking-concern", &[("code", &booking.code)])];
        let others = booking.services.get(1..).unwrap_or_default();
        if let Some(office) = city.office(&booking.office).filter(|_| !others.is_empty()) {
            let others = services(office, others, language);
            concern.push(words.say(language, "booking-concern-also", &[("services", &others)]));
        }
        concern.extend(private.accessibility);
        VisitPrivate {
            concern: Some(concern.join(" ")),
            name: Some(private.name),
            interpreter: private.interpreter,
            decline_text: None,
        }
    }

    /// The visit goes on in this browser, and in no other: a link that is opened in a mail program first and in the
    /// usual browser later must not lock its owner out, and whoever loses the visit sees that. The link in a calendar
    /// takes it from nobody: others than the citizen may read it there.
    async fn hand_over(
        &self,
        mut unit: Unit<'_>,
        known: VisitRecord,
        holder: Holder,
        guest: &GuestId,
    ) -> Result<VisitId, BookingError> {
        let (id, visitor) = (known.visit.id, Visitor::Guest(guest.clone()));
        if known.visit.visitor == visitor {
            return Ok(id);
        }
        if holder != Holder::Booker {
            return Err(BookingError::Elsewhere);
        }
        let other = unit.tx.live_visit(&known.office, &visitor).await;
        if let Some(other) = other.map_err(internal)? {
            return Err(Refusal::AlreadyHere {
                visit: other.visit.id,
            }
            .into());
        }
        unit.tx.seat_visit(&id, guest).await.map_err(internal)?;
        unit.tx.commit().await.map_err(internal)?;
        // The page before leaves the call with the visit; this one joins when its person wants to.
        calls::hang_up(&self.0, &Party::citizen(&id))
            .await
            .map_err(internal)?;
        self.0.hub.send(&id, VisitEvent::Changed);
        Ok(id)
    }

    /// Of a booking whose visit is over and that cannot come again, no visit is told.
    pub(super) async fn still_open(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
        mut view: BookingView,
    ) -> Result<BookingView, BookingError> {
        if view.phase != BookingPhase::Arrived {
            return Ok(view);
        }
        let Some(visit) = &view.visit else {
            return Ok(view);
        };
        let mut read = self.bookings()?.store.read().await.map_err(internal)?;
        let known = read.visit(visit).await.map_err(internal)?;
        let (booking, _) = opened(&mut read, token).await?;
        let missed_from = self.bookings()?.missed_from(place, booking.start);
        let open = known.is_some_and(|known| {
            known.visit.is_live() || (place.now < missed_from && has_gone(&known.visit))
        });
        if !open {
            view.visit = None;
        }
        Ok(view)
    }
}

/// Whether somebody without an appointment waits to be called.
fn is_in_line(visit: &Visit) -> bool {
    visit.kind == VisitKind::WalkIn && visit.state == VisitState::Waiting
}

/// One browser has one visit at an office. Its person goes on with it, and the appointment is not missed meanwhile.
async fn here_already(
    mut unit: Unit<'_>,
    booking: &Booking,
    other: VisitId,
) -> Result<VisitId, BookingError> {
    let noted = unit.tx.set_visit_beside(&booking.id, &other).await;
    noted.map_err(internal)?;
    unit.commit().await.map_err(internal)?;
    Err(Refusal::AlreadyHere { visit: other }.into())
}

/// Whether a visit ended without a clerk's ending it: its citizen was lost, or has gone. Whoever was may come back as long as
/// somebody who comes for the first time might.
fn has_gone(visit: &Visit) -> bool {
    matches!(
        visit.state,
        VisitState::Ended {
            ending: Ending::Left | Ending::NoShow,
            ..
        }
    )
}
