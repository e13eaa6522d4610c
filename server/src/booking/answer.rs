//! Mail that comes back: what citizens' calendars answer (iMIP, RFC 6047), and bounces.
//!
//! Whose booking a mail is about, the secret in the address says that it was sent to. It stands in that booking's
//! invitation and nowhere else; the database has its hash. A UID or a sender's address alone moves nothing.

use city::model::{City, Declined};
use jiff::Timestamp;
use scheduler::{
    ics::{Answer, Invitation, NotCounted, Response},
    mail::Mail,
};
use store::{Booking, BookingState, Reply, ReturnMail, StoreError, Tx};

use super::{Bookings, Letter, News, Place, ReplySecret, change::retire, tell, write, write_all};

/// As many mails about one booking have an effect: an endless answering machine stops there.
const MOST_MAILS: u32 = 40;

/// Why a mail has had no effect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    /// No address that it was sent to belongs to a booking.
    #[error("no appointment is known at this address")]
    UnknownAddress,
    /// Somebody else's answer, or an outdated one.
    #[error("the answer {0}")]
    NotCounted(#[from] NotCounted),
    /// It comes from another address than the invitation went to.
    #[error("the answer is not from the address that was invited")]
    OtherSender,
    /// The appointment is over, cancelled or not confirmed.
    #[error("the appointment waits for no answer any more")]
    Over,
    /// More answers than a person gives.
    #[error("there were too many answers about this appointment")]
    TooMany,
    /// The database has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Bookings {
    /// Takes a mail that was sent to one of these secrets. `dice` is any random number.
    pub(crate) async fn take_mail(
        &self,
        city: &City,
        secrets: &[ReplySecret],
        mail: &Mail,
        now: Timestamp,
        dice: u64,
    ) -> Result<(), NotTaken> {
        let mut tx = self.store.begin().await?;
        let (booking, mut so_far) = addressed(&mut tx, secrets).await?;
        let office = city.office(&booking.office).ok_or(NotTaken::Over)?;
        let place = Place::kept(office, now);
        if so_far.taken >= MOST_MAILS {
            return Err(NotTaken::TooMany);
        }
        so_far.taken += 1;
        let id = booking.id.clone();
        match mail {
            Mail::Answer { from, response } => {
                let from = from.as_deref();
                answered(
                    &mut tx,
                    &place,
                    booking,
                    &mut so_far,
                    (from, response),
                    dice,
                )
                .await?;
            }
            Mail::Bounce(_) => bounced(&mut tx, &booking, now).await?,
        }
        tx.set_return_mail(&id, &so_far).await?;
        Ok(tx.commit().await?)
    }
}

/// The booking that one of the secrets belongs to.
async fn addressed(
    tx: &mut Tx,
    secrets: &[ReplySecret],
) -> Result<(Booking, ReturnMail), NotTaken> {
    for secret in secrets {
        if let Some(found) = tx.booking_of_reply(&secret.hash()).await? {
            return Ok(found);
        }
    }
    Err(NotTaken::UnknownAddress)
}

async fn answered(
    tx: &mut Tx,
    place: &Place<'_>,
    mut booking: Booking,
    so_far: &mut ReturnMail,
    (from, response): (Option<&str>, &Response),
    dice: u64,
) -> Result<(), NotTaken> {
    let private = tx
        .booking_private(&booking.id)
        .await?
        .ok_or(NotTaken::Over)?;
    response.counts_for(&Invitation {
        uid: &booking.uid,
        sequence: booking.sequence,
        attendee: &private.mail,
        last_answer: so_far.answered_at,
    })?;
    if from != Some(private.mail.to_lowercase().as_str()) {
        return Err(NotTaken::OtherSender);
    }
    if booking.state != BookingState::Confirmed {
        return Err(NotTaken::Over);
    }
    // A clock that is ahead must not make every later answer look old.
    so_far.answered_at = Some(response.stamp.min(place.now));
    let reply = match response.answer {
        Answer::Accepted => Reply::Accepted,
        Answer::Tentative => Reply::Tentative,
        Answer::Declined => Reply::Declined,
        Answer::Counter { .. } => {
            return Ok(write(tx, &booking.id, Letter::OtherTime, place.now).await?);
        }
    };
    if booking.reply == Some(reply) {
        return Ok(());
    }
    booking.reply = Some(reply);
    match (reply, place.terms.declined) {
        (Reply::Declined, Declined::Cancel) => {
            retire(tx, place, &mut booking, dice).await?;
            write_all(tx, &booking.id, &private, Letter::Cancelled, place.now).await?;
            tell(tx, &booking, News::Cancelled, place.now).await?;
        }
        (Reply::Declined, Declined::Ask) => {
            tx.save_booking(&booking).await?;
            tell(tx, &booking, News::Declined, place.now).await?;
        }
        (Reply::Declined, Declined::Keep) | (Reply::Accepted | Reply::Tentative, _) => {
            tx.save_booking(&booking).await?;
        }
    }
    Ok(())
}

/// A mail server could not deliver a mail of ours after it had taken it. That matters while the appointment stands, and
/// when it was cancelled or nobody came: the person may not know. Before it was confirmed nothing counts, and whoever is
/// here needs no mail.
async fn bounced(tx: &mut Tx, booking: &Booking, now: Timestamp) -> Result<(), NotTaken> {
    match booking.state {
        BookingState::Confirmed | BookingState::Cancelled | BookingState::NoShow => {
            Ok(tell(tx, booking, News::Undeliverable, now).await?)
        }
        BookingState::Held
        | BookingState::Unconfirmed
        | BookingState::Arrived
        | BookingState::Expired => Err(NotTaken::Over),
    }
}
