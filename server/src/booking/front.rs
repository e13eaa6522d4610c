//! Bookings as browsers see them: [`Appointments`] on [`Bookings`] and the house.

use std::borrow::Cow;

use async_trait::async_trait;
use bridge::ids::{GuestId, OfficeSlug, ServiceId, VisitId};
use city::model::{City, OfficeConfig};
use gateway::appointments::{
    Appointments, Booked, BookingError, BookingView, Contact, Hold, Holder, Offer, SlotQuery,
    Token, TokenHash,
};
use jiff::Timestamp;
use store::BookingState;

use super::{Bookings, Place, change::opened, internal, letter, take::Dice};
use crate::{front_office::Counter, house::ChangeError, shell};

#[async_trait]
impl Appointments for Counter {
    async fn slots(&self, office: &OfficeSlug, query: &SlotQuery) -> Result<Offer, BookingError> {
        let city = self.0.city.get();
        let config = city.office(office).ok_or(BookingError::UnknownOffice)?;
        self.bookings()?
            .slots(&Place::new(config, shell::now())?, query)
            .await
    }

    async fn hold(
        &self,
        office: &OfficeSlug,
        services: &[ServiceId],
        start: Timestamp,
    ) -> Result<Hold, BookingError> {
        let city = self.0.city.get();
        let config = city.office(office).ok_or(BookingError::UnknownOffice)?;
        let dice = Dice {
            id: shell::random().map_err(internal)?,
            uid: shell::random().map_err(internal)?,
            token: shell::random().map_err(internal)?,
            code: shell::random().map_err(internal)?,
        };
        let place = Place::new(config, shell::now())?;
        self.bookings()?.hold(&place, services, start, &dice).await
    }

    async fn let_go(&self, token: &TokenHash) -> Result<(), BookingError> {
        self.bookings()?.let_go(token).await
    }

    async fn book(&self, token: &TokenHash, contact: Contact) -> Result<Booked, BookingError> {
        let office = self.office_of_hold(token).await?;
        let city = self.0.city.get();
        let config = city.office(&office).ok_or(BookingError::UnknownOffice)?;
        let place = Place::new(config, shell::now())?;
        let booked = self.bookings()?.book(&place, token, contact).await?;
        self.0.outbox.notify_one();
        Ok(booked)
    }

    async fn booking(&self, token: &TokenHash) -> Result<BookingView, BookingError> {
        let office = self.office_of(token).await?;
        let city = self.0.city.get();
        let config = at_office(&city, &office);
        let place = Place::kept(&config, shell::now());
        let view = self.bookings()?.show(&place, token).await?;
        self.still_open(&place, token, view).await
    }

    async fn confirm(&self, token: &TokenHash) -> Result<BookingView, BookingError> {
        let office = self.office_of(token).await?;
        let city = self.0.city.get();
        let config = city.office(&office).ok_or(BookingError::UnknownBooking)?;
        let place = Place::kept(config, shell::now());
        let view = self.bookings()?.confirm(&place, token).await?;
        self.0.outbox.notify_one();
        Ok(view)
    }

    async fn reschedule(
        &self,
        token: &TokenHash,
        start: Timestamp,
    ) -> Result<BookingView, BookingError> {
        let office = self.office_of(token).await?;
        let city = self.0.city.get();
        let config = city.office(&office).ok_or(BookingError::UnknownBooking)?;
        let place = Place::new(config, shell::now())?;
        let dice = u64::from_be_bytes(shell::random().map_err(internal)?);
        let view = self
            .bookings()?
            .reschedule(&place, token, start, dice)
            .await?;
        self.0.outbox.notify_one();
        Ok(view)
    }

    async fn cancel(&self, token: &TokenHash) -> Result<BookingView, BookingError> {
        let office = self.office_of(token).await?;
        let city = self.0.city.get();
        let config = at_office(&city, &office);
        let place = Place::kept(&config, shell::now());
        let dice = u64::from_be_bytes(shell::random().map_err(internal)?);
        let view = self.bookings()?.cancel(&place, token, dice).await?;
        self.0.outbox.notify_one();
        Ok(view)
    }

    async fn calendar(&self, token: &TokenHash) -> Result<String, BookingError> {
        let bookings = self.bookings()?;
        let mut read = bookings.store.read().await.map_err(internal)?;
        let (booking, holder) = opened(&mut read, token).await?;
        if holder != Holder::Booker {
            return Err(BookingError::NotYours);
        }
        if !matches!(
            booking.state,
            BookingState::Confirmed | BookingState::Arrived | BookingState::Cancelled
        ) {
            return Err(BookingError::WrongState);
        }
        let private = read
            .booking_private(&booking.id)
            .await
            .map_err(internal)?
            .ok_or(BookingError::UnknownBooking)?;
        drop(read);
        let city = self.0.city.get();
        let office = city
            .office(&booking.office)
            .ok_or(BookingError::UnknownBooking)?;
        let (house, post) = (&self.0, self.0.post.as_ref());
        let in_calendar = letter::arrival(bookings, &booking.id)
            .await
            .map_err(internal)?;
        letter::calendar(
            &house.words,
            &house.settings.public_url,
            (&city, office, post.ok_or(BookingError::NotOffered)?),
            &booking,
            &private,
            &in_calendar,
        )
        .map_err(internal)
    }

    async fn feed(&self, token: &TokenHash) -> Result<Option<String>, BookingError> {
        let house = &self.0;
        let (city, url) = (house.city.get(), &house.settings.public_url);
        let (bookings, now) = (self.bookings()?, shell::now());
        let post = house.post.as_ref().ok_or(BookingError::NotOffered)?;
        let feed = bookings.feed(&house.words, &city, url, post, token.as_str(), now);
        Ok(feed.await?)
    }

    async fn invite(&self, token: &TokenHash, holder: Holder) -> Result<Token, BookingError> {
        let office = self.office_of(token).await?;
        let city = self.0.city.get();
        let config = city.office(&office).ok_or(BookingError::UnknownBooking)?;
        let place = Place::kept(config, shell::now());
        let link = Token::from_bytes(shell::random().map_err(internal)?);
        self.bookings()?
            .invite(&place, token, holder, &link)
            .await?;
        Ok(link)
    }

    async fn want_earlier(
        &self,
        token: &TokenHash,
        wanted: bool,
    ) -> Result<BookingView, BookingError> {
        let office = self.office_of(token).await?;
        let city = self.0.city.get();
        let config = city.office(&office).ok_or(BookingError::UnknownBooking)?;
        let now = shell::now();
        // Who waits may stop waiting anywhere.
        let place = if wanted {
            Place::new(config, now)?
        } else {
            Place::kept(config, now)
        };
        self.bookings()?.want_earlier(&place, token, wanted).await
    }

    async fn turn_down(&self, token: &TokenHash) -> Result<BookingView, BookingError> {
        let office = self.office_of(token).await?;
        let city = self.0.city.get();
        let config = city.office(&office).ok_or(BookingError::UnknownBooking)?;
        let place = Place::kept(config, shell::now());
        let dice = u64::from_be_bytes(shell::random().map_err(internal)?);
        let view = self.bookings()?.turn_down(&place, token, dice).await?;
        self.0.outbox.notify_one();
        Ok(view)
    }

    async fn check_in(&self, token: &TokenHash, guest: &GuestId) -> Result<VisitId, BookingError> {
        self.arrive(token, guest).await
    }
}

impl Counter {
    pub(super) fn bookings(&self) -> Result<&Bookings, BookingError> {
        self.0.bookings.as_ref().ok_or(BookingError::NotOffered)
    }

    /// At which office the time is that was held, or was until it was booked.
    async fn office_of_hold(&self, token: &TokenHash) -> Result<OfficeSlug, BookingError> {
        let mut read = self.bookings()?.store.read().await.map_err(internal)?;
        let held = read.booking_of_token(token.as_str()).await;
        let booking = match held.map_err(internal)? {
            None => read
                .booking_of_hold(token.as_str())
                .await
                .map_err(internal)?,
            held => held,
        };
        // A hold that has lapsed may have been cleared away.
        Ok(booking.ok_or(BookingError::Lapsed)?.office)
    }

    /// At which office the booking is that a secret opens.
    pub(super) async fn office_of(&self, token: &TokenHash) -> Result<OfficeSlug, BookingError> {
        let mut read = self.bookings()?.store.read().await.map_err(internal)?;
        let (booking, _) = opened(&mut read, token).await?;
        Ok(booking.office)
    }
}

/// The office of a booking. One that the city no longer has still shows and cancels what was booked there.
fn at_office<'a>(city: &'a City, slug: &OfficeSlug) -> Cow<'a, OfficeConfig> {
    city.office(slug).map_or_else(
        || Cow::Owned(OfficeConfig::former(slug, &city.zone)),
        Cow::Borrowed,
    )
}

pub(super) fn refused(fault: ChangeError) -> BookingError {
    match fault {
        ChangeError::UnknownOffice => BookingError::UnknownOffice,
        ChangeError::Refused(refusal) => BookingError::Refused(refusal),
        ChangeError::Store(fault) => internal(fault),
        ChangeError::Randomness | ChangeError::Matrix(_) => internal(fault),
    }
}
