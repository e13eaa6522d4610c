//! Choosing a time and booking it.

use bridge::ids::{BookingId, ServiceId};
use gateway::appointments::{
    Booked, BookingError, Contact, Hold, Holder, Offer, SlotQuery, Token, TokenHash,
};
use jiff::{SignedDuration, Timestamp, ToSpan};
use scheduler::slots::Refused;
use store::{Booking, BookingPrivate, BookingState, LinkRole, StoreError, Tx};

use super::{
    Bookings, Letter, News, Place, conflict::tell_conflicts_of, internal, reappears_from,
    slot_view, tell, write, write_all,
};

/// What a booking is called in so many characters. None of them can be mistaken for another.
const CODE: usize = 4;
const CODE_ALPHABET: &[u8; 31] = b"ABCDEFGHJKLMNPQRSTUVWXYZ2345679";

/// As many bookings in the whole city may wait for one mail address to confirm them: anybody can have mails sent there.
/// One address of the network reaches a quarter of it (`gateway::places`), and so locks nobody out.
const MOST_UNCONFIRMED: u32 = 12;

/// So long after the end of its hold a booking can be asked for once more: whoever heard no answer tries again at once, or
/// when there is a network again.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Random bytes for a new booking.
#[derive(Clone, Copy)]
pub(crate) struct Dice {
    pub(crate) id: [u8; 16],
    pub(crate) uid: [u8; 16],
    pub(crate) token: [u8; 32],
    pub(crate) code: [u8; 32],
}

impl Bookings {
    /// The times that can be had.
    pub(crate) async fn slots(
        &self,
        place: &Place<'_>,
        query: &SlotQuery,
    ) -> Result<Offer, BookingError> {
        let minutes = place.minutes(&query.services)?;
        let today = place.office.hours.zone.to_datetime(place.now).date();
        let first = query.from.unwrap_or(today).max(today);
        let last = first.saturating_add(i32::from(query.days.saturating_sub(1)).days());
        let mut read = self.store.read().await.map_err(internal)?;
        let slots = place
            .free(&mut read, minutes, first..=last, None)
            .await
            .map_err(internal)?;
        Ok(Offer {
            minutes,
            today,
            last_day: today.saturating_add(i32::from(place.terms.rules.horizon_days).days()),
            slots: slots.iter().map(slot_view).collect(),
        })
    }

    /// Whether a time can be had at this moment.
    async fn look(
        &self,
        place: &Place<'_>,
        minutes: u16,
        start: Timestamp,
    ) -> Result<(), BookingError> {
        let mut read = self.store.read().await.map_err(internal)?;
        let found = place
            .vacancy(&mut read, None, minutes, start)
            .await
            .map_err(internal)?;
        drop(read);
        match found {
            Ok(_) => Ok(()),
            Err(reason) => Err(self.refuse(place, minutes, start, reason).await),
        }
    }

    /// That a time cannot be had, with the nearest that can.
    pub(super) async fn refuse(
        &self,
        place: &Place<'_>,
        minutes: u16,
        start: Timestamp,
        reason: Refused,
    ) -> BookingError {
        let nearest = async {
            let mut read = self.store.read().await?;
            place.nearest(&mut read, minutes, start).await
        };
        match nearest.await {
            Ok(nearest) => BookingError::NoSuchTime { reason, nearest },
            Err(fault) => internal(fault),
        }
    }

    /// That somebody else has a booking's time by now, with the nearest that can be had.
    pub(super) async fn lost(&self, place: &Place<'_>, booking: &Booking) -> BookingError {
        self.gone(place, booking, Refused::Full).await
    }

    /// That a booking's time cannot be had any more, with the nearest that can.
    async fn gone(&self, place: &Place<'_>, booking: &Booking, reason: Refused) -> BookingError {
        match place.minutes(&booking.services) {
            Ok(minutes) => self.refuse(place, minutes, booking.start, reason).await,
            // Nor can it be booked any more.
            Err(_) => BookingError::Lapsed,
        }
    }

    /// Takes a time for a while.
    pub(crate) async fn hold(
        &self,
        place: &Place<'_>,
        services: &[ServiceId],
        start: Timestamp,
        dice: &Dice,
    ) -> Result<Hold, BookingError> {
        let minutes = place.minutes(services)?;
        let id = BookingId::from_random(dice.id);
        let token = Token::from_bytes(dice.token);
        // Nobody can book an appointment that has begun.
        let expires_at = (place.now + place.terms.hold).min(start);
        // Whoever is plainly too late learns it from a snapshot and keeps no writer waiting.
        self.look(place, minutes, start).await?;
        let mut tx = self.store.begin().await.map_err(internal)?;
        let code = free_code(&mut tx, place, dice).await?;
        let mut booking = Booking {
            id: id.clone(),
            office: place.office.slug.clone(),
            state: BookingState::Held,
            code,
            start,
            end: start,
            services: services.to_vec(),
            language: bridge::ids::Language::default(),
            uid: scheduler::ics::uid(dice.uid, &self.domain),
            sequence: 0,
            expires_at: Some(expires_at),
            reminded: 0,
            reminded_until: None,
            wants_earlier: false,
            reply: None,
            visit: None,
            created_at: place.now,
            changed_at: place.now,
            ended_at: None,
        };
        tx.insert_booking(&booking, token.hash().as_str())
            .await
            .map_err(internal)?;
        let slot = place
            .occupy(&mut tx, &id, minutes, start, Some(expires_at))
            .await
            .map_err(internal)?;
        let slot = match slot {
            Ok(slot) => slot,
            Err(reason) => {
                drop(tx);
                return Err(self.refuse(place, minutes, start, reason).await);
            }
        };
        booking.end = slot.end;
        tx.save_booking(&booking).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        Ok(Hold {
            token,
            start: slot.start,
            end: slot.end,
            expires_at,
        })
    }

    /// Gives a held time back.
    pub(crate) async fn let_go(&self, token: &TokenHash) -> Result<(), BookingError> {
        let mut tx = self.store.begin().await.map_err(internal)?;
        let held = tx
            .booking_of_token(token.as_str())
            .await
            .map_err(internal)?
            .filter(|booking| booking.state == BookingState::Held);
        if let Some(booking) = held {
            tx.drop_booking(&booking.id).await.map_err(internal)?;
            tx.commit().await.map_err(internal)?;
        }
        Ok(())
    }

    /// Books the held time. Asked again with the same hold, it answers with the same booking and changes nothing, also when
    /// the form was filled in otherwise meanwhile: the first one counts.
    pub(crate) async fn book(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
        contact: Contact,
    ) -> Result<Booked, BookingError> {
        let mut tx = self.store.begin().await.map_err(internal)?;
        let held = tx.booking_of_token(token.as_str()).await;
        let held = held
            .map_err(internal)?
            .filter(|booking| booking.state == BookingState::Held);
        let Some(mut booking) = held else {
            return self.booked_already(&mut tx, place, token).await;
        };
        // Also of a hold that is said to last longer.
        if booking.start <= place.now {
            drop(tx);
            return Err(self.gone(place, &booking, Refused::Past).await);
        }
        if !booking.is_live(place.now) {
            return Err(BookingError::Lapsed);
        }
        let confirm = place.terms.confirm_mail;
        if confirm {
            // What is confirmed at this address is no stranger's business: that is counted once the link is followed.
            let waiting = tx.unconfirmed_of_mail(&contact.mail, place.now);
            if waiting.await.map_err(internal)? >= MOST_UNCONFIRMED {
                return Err(BookingError::TooManyUnconfirmed);
            }
        } else {
            within_limit(&mut tx, place, &booking, &contact.mail).await?;
        }
        let manage = self.key.manage(&booking.id);
        booking.language = contact.language;
        booking.changed_at = place.now;
        booking.state = if confirm {
            BookingState::Unconfirmed
        } else {
            BookingState::Confirmed
        };
        // Nobody can confirm an appointment that has begun.
        booking.expires_at =
            confirm.then(|| (place.now + place.terms.confirm_within).min(booking.start));
        tx.save_booking(&booking).await.map_err(internal)?;
        // Nobody shall foresee when a place that was not confirmed can be had.
        let release_at = booking
            .expires_at
            .map(|lapsed| reappears_from(place, lapsed, self.key.chance(&booking.id)));
        let kept = place.keep(&mut tx, &booking, release_at).await;
        if !kept.map_err(internal)? {
            tx.drop_booking(&booking.id).await.map_err(internal)?;
            tx.commit().await.map_err(internal)?;
            return Err(self.lost(place, &booking).await);
        }
        tx.set_booking_token(&booking.id, manage.hash().as_str())
            .await
            .map_err(internal)?;
        let name = contact.name.clone();
        let private = BookingPrivate {
            name: contact.name,
            mail: contact.mail,
            phone: contact.phone,
            interpreter: contact.interpreter,
            accessibility: contact.accessibility,
            companion_mail: contact.companion_mail,
            reason: None,
        };
        tx.put_booking_private(&booking.id, &private)
            .await
            .map_err(internal)?;
        if confirm {
            write(&mut tx, &booking.id, Letter::Confirm, place.now)
                .await
                .map_err(internal)?;
        } else {
            self.counts(&mut tx, place, &booking, &private)
                .await
                .map_err(internal)?;
        }
        tx.commit().await.map_err(internal)?;
        Ok(Booked {
            token: (!confirm).then_some(manage),
            view: place.view(booking, Holder::Booker, Some(name)),
        })
    }

    /// What came of a hold, for whoever did not hear it.
    async fn booked_already(
        &self,
        tx: &mut Tx,
        place: &Place<'_>,
        token: &TokenHash,
    ) -> Result<Booked, BookingError> {
        let booking = tx.booking_of_hold(token.as_str()).await;
        let until = |booking: &Booking| booking.created_at + place.terms.hold + ASK_AGAIN;
        let booking = booking
            .map_err(internal)?
            .filter(|booking| booking.is_live(place.now) && place.now < until(booking))
            .ok_or(BookingError::Lapsed)?;
        let private = tx.booking_private(&booking.id).await.map_err(internal)?;
        let counts = booking.state != BookingState::Unconfirmed && !place.terms.confirm_mail;
        Ok(Booked {
            token: counts.then(|| self.key.manage(&booking.id)),
            view: place.view(booking, Holder::Booker, private.map(|private| private.name)),
        })
    }

    /// The booking counts from here on: who must learn of it does.
    pub(crate) async fn counts(
        &self,
        tx: &mut Tx,
        place: &Place<'_>,
        booking: &Booking,
        private: &BookingPrivate,
    ) -> Result<(), StoreError> {
        if private.companion_mail.is_some() {
            let link = self.key.companion(&booking.id).hash();
            tx.add_booking_link(&booking.id, link.as_str(), LinkRole::Companion, place.now)
                .await?;
        }
        write_all(tx, &booking.id, private, Letter::Booked, place.now).await?;
        tell(tx, booking, News::New, place.now).await?;
        tell_conflicts_of(tx, place, booking).await
    }
}

/// One mail address has only so many appointments at an office.
pub(super) async fn within_limit(
    tx: &mut Tx,
    place: &Place<'_>,
    booking: &Booking,
    mail: &str,
) -> Result<(), BookingError> {
    let others = tx.bookings_of_mail(&booking.office, mail, place.now).await;
    if others.map_err(internal)? >= u32::from(place.terms.limit_per_mail) {
        return Err(BookingError::TooMany);
    }
    Ok(())
}

/// A code that no live booking of the office has. The random bytes hold eight tries; with a thousand live bookings
/// one in 10²³ offices needs a ninth, and is told to try again.
async fn free_code(tx: &mut Tx, place: &Place<'_>, dice: &Dice) -> Result<String, BookingError> {
    for bytes in dice.code.chunks_exact(CODE) {
        let code: String = bytes
            .iter()
            .map(|byte| char::from(CODE_ALPHABET[usize::from(*byte) % CODE_ALPHABET.len()]))
            .collect();
        let other = tx
            .booking_of_code(&place.office.slug, &code)
            .await
            .map_err(internal)?;
        if other.is_none() {
            return Ok(code);
        }
    }
    Err(internal("no code is left"))
}
