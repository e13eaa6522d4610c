//! What becomes of a booking: confirmed, moved, cancelled.

use gateway::appointments::{BookingError, BookingView, Holder, Token, TokenHash};
use jiff::Timestamp;
use store::{Booking, BookingPrivate, BookingState, LinkRole, Read, Tx};

use super::{
    Bookings, Letter, News, Place, internal, reappears, take::within_limit, tell, write_all,
};

/// As many links a booking gives out.
const LINKS: u32 = 8;

/// The booking a secret opens, and whose secret it is.
pub(crate) async fn opened(
    read: &mut Read,
    token: &TokenHash,
) -> Result<(Booking, Holder), BookingError> {
    if let Some(booking) = read
        .booking_of_token(token.as_str())
        .await
        .map_err(internal)?
    {
        return Ok((booking, Holder::Booker));
    }
    if let Some(booking) = read
        .booking_of_arrival(token.as_str())
        .await
        .map_err(internal)?
    {
        return Ok((booking, Holder::Calendar));
    }
    let link = read
        .booking_of_link(token.as_str())
        .await
        .map_err(internal)?;
    let (booking, role) = link.ok_or(BookingError::UnknownBooking)?;
    let holder = match role {
        LinkRole::Interpreter => Holder::Interpreter,
        LinkRole::Companion => Holder::Companion,
    };
    Ok((booking, holder))
}

/// The booking of its booker, with the person.
pub(super) async fn own(
    tx: &mut Tx,
    token: &TokenHash,
) -> Result<(Booking, BookingPrivate), BookingError> {
    let (booking, holder) = opened(tx, token).await?;
    if holder != Holder::Booker {
        return Err(BookingError::NotYours);
    }
    let private = tx
        .booking_private(&booking.id)
        .await
        .map_err(internal)?
        .ok_or(BookingError::UnknownBooking)?;
    Ok((booking, private))
}

impl Bookings {
    /// The booking as the holder of the link sees it.
    pub(crate) async fn show(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
    ) -> Result<BookingView, BookingError> {
        let mut read = self.store.read().await.map_err(internal)?;
        let (mut booking, holder) = opened(&mut read, token).await?;
        let private = read.booking_private(&booking.id).await.map_err(internal)?;
        if booking.state == BookingState::Unconfirmed && !booking.is_live(place.now) {
            booking.state = BookingState::Expired;
        }
        let (offer, waiting) = match holder {
            Holder::Booker => (
                place
                    .offer_view(&mut read, &booking)
                    .await
                    .map_err(internal)?,
                place.waiting(&mut read, &booking).await.map_err(internal)?,
            ),
            Holder::Calendar | Holder::Interpreter | Holder::Companion => (None, None),
        };
        Ok(BookingView {
            offer,
            waiting,
            ..place.view(booking, holder, private.map(|private| private.name))
        })
    }

    /// The link in the mail has been followed.
    pub(crate) async fn confirm(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
    ) -> Result<BookingView, BookingError> {
        let mut tx = self.store.begin().await.map_err(internal)?;
        let (mut booking, private) = own(&mut tx, token).await?;
        match booking.state {
            BookingState::Unconfirmed if booking.is_live(place.now) => {}
            BookingState::Unconfirmed | BookingState::Expired => {
                return Err(BookingError::Lapsed);
            }
            BookingState::Confirmed | BookingState::Arrived => {
                return Ok(place.view(booking, Holder::Booker, Some(private.name)));
            }
            BookingState::Held | BookingState::Cancelled | BookingState::NoShow => {
                return Err(BookingError::WrongState);
            }
        }
        // Whoever cancels another one within the time to confirm can follow the link again.
        within_limit(&mut tx, place, &booking, &private.mail).await?;
        booking.state = BookingState::Confirmed;
        booking.expires_at = None;
        booking.changed_at = place.now;
        let kept = place.keep(&mut tx, &booking, None).await;
        if !kept.map_err(internal)? {
            booking.state = BookingState::Expired;
            booking.ended_at = Some(place.now);
            tx.save_booking(&booking).await.map_err(internal)?;
            tx.release_places(&booking.id, place.now)
                .await
                .map_err(internal)?;
            tx.commit().await.map_err(internal)?;
            return Err(self.lost(place, &booking).await);
        }
        tx.save_booking(&booking).await.map_err(internal)?;
        self.counts(&mut tx, place, &booking, &private)
            .await
            .map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        Ok(place.view(booking, Holder::Booker, Some(private.name)))
    }

    /// Another time. The new place is taken before the old one is given up, in one transaction.
    pub(crate) async fn reschedule(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
        start: Timestamp,
        dice: u64,
    ) -> Result<BookingView, BookingError> {
        let mut tx = self.store.begin().await.map_err(internal)?;
        let (mut booking, private) = own(&mut tx, token).await?;
        if booking.state != BookingState::Confirmed {
            return Err(BookingError::WrongState);
        }
        if booking.start == start {
            return Ok(place.view(booking, Holder::Booker, Some(private.name)));
        }
        let minutes = place.minutes(&booking.services)?;
        tx.close_booking_offer(&booking.id, place.now, reappears(place, dice))
            .await
            .map_err(internal)?;
        tx.release_places(&booking.id, reappears(place, dice))
            .await
            .map_err(internal)?;
        let slot = place
            .occupy(&mut tx, &booking.id, minutes, start, None)
            .await
            .map_err(internal)?;
        let slot = match slot {
            Ok(slot) => slot,
            Err(reason) => {
                drop(tx);
                return Err(self.refuse(place, minutes, start, reason).await);
            }
        };
        booking.start = slot.start;
        booking.end = slot.end;
        booking.sequence += 1;
        booking.reminded = 0;
        booking.reminded_until = None;
        booking.reply = None;
        booking.changed_at = place.now;
        tx.save_booking(&booking).await.map_err(internal)?;
        write_all(&mut tx, &booking.id, &private, Letter::Moved, place.now)
            .await
            .map_err(internal)?;
        tell(&mut tx, &booking, News::Moved, place.now)
            .await
            .map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        Ok(place.view(booking, Holder::Booker, Some(private.name)))
    }

    /// The citizen cancels.
    pub(crate) async fn cancel(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
        dice: u64,
    ) -> Result<BookingView, BookingError> {
        let mut tx = self.store.begin().await.map_err(internal)?;
        let (mut booking, private) = own(&mut tx, token).await?;
        match booking.state {
            BookingState::Confirmed | BookingState::Unconfirmed => {
                let told = booking.state == BookingState::Confirmed;
                retire(&mut tx, place, &mut booking, dice)
                    .await
                    .map_err(internal)?;
                if told {
                    write_all(&mut tx, &booking.id, &private, Letter::Cancelled, place.now)
                        .await
                        .map_err(internal)?;
                    tell(&mut tx, &booking, News::Cancelled, place.now)
                        .await
                        .map_err(internal)?;
                }
                tx.commit().await.map_err(internal)?;
            }
            BookingState::Cancelled => {}
            BookingState::Held
            | BookingState::Arrived
            | BookingState::Expired
            | BookingState::NoShow => return Err(BookingError::WrongState),
        }
        Ok(place.view(booking, Holder::Booker, Some(private.name)))
    }

    /// A new link for somebody who comes along.
    pub(crate) async fn invite(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
        holder: Holder,
        link: &Token,
    ) -> Result<(), BookingError> {
        let role = match holder {
            Holder::Interpreter => LinkRole::Interpreter,
            Holder::Companion => LinkRole::Companion,
            Holder::Booker | Holder::Calendar => return Err(BookingError::NotYours),
        };
        let mut tx = self.store.begin().await.map_err(internal)?;
        let (booking, _) = own(&mut tx, token).await?;
        if booking.state != BookingState::Confirmed {
            return Err(BookingError::WrongState);
        }
        // None is taken back for a new one: somebody may have it.
        if tx.booking_links(&booking.id).await.map_err(internal)? >= LINKS {
            return Err(BookingError::TooManyLinks);
        }
        tx.add_booking_link(&booking.id, link.hash().as_str(), role, place.now)
            .await
            .map_err(internal)?;
        tx.commit().await.map_err(internal)
    }

    /// Whether an earlier time is wanted.
    pub(crate) async fn want_earlier(
        &self,
        place: &Place<'_>,
        token: &TokenHash,
        wanted: bool,
    ) -> Result<BookingView, BookingError> {
        let mut tx = self.store.begin().await.map_err(internal)?;
        let (mut booking, private) = own(&mut tx, token).await?;
        if booking.state != BookingState::Confirmed {
            return Err(BookingError::WrongState);
        }
        booking.wants_earlier = wanted;
        tx.save_booking(&booking).await.map_err(internal)?;
        if wanted {
            place.begin_to_wait(&mut tx).await.map_err(internal)?;
        }
        let offer = place
            .offer_view(&mut tx, &booking)
            .await
            .map_err(internal)?;
        let waiting = place.waiting(&mut tx, &booking).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        Ok(BookingView {
            offer,
            waiting,
            ..place.view(booking, Holder::Booker, Some(private.name))
        })
    }
}

/// Cancels a booking, whoever wants it. Calendars learn of it by the raised sequence.
pub(crate) async fn retire(
    tx: &mut Tx,
    place: &Place<'_>,
    booking: &mut Booking,
    dice: u64,
) -> store::Result<()> {
    booking.state = BookingState::Cancelled;
    booking.sequence += 1;
    booking.expires_at = None;
    booking.changed_at = place.now;
    booking.ended_at = Some(place.now);
    tx.save_booking(booking).await?;
    tx.close_booking_offer(&booking.id, place.now, reappears(place, dice))
        .await?;
    tx.release_places(&booking.id, reappears(place, dice)).await
}
