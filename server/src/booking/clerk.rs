//! What clerks ask and order about appointments in the door room.

use bridge::ids::Language;
use city::model::OfficeConfig;
use jiff::ToSpan;
use store::BookingState;

use super::{Letter, Place, change::retire, line::agenda, tide::day_of, write};
use crate::{
    house::{ChangeError, House, Unit},
    shell,
};

/// `!termine`: the appointments of today, or of so many days later.
pub(crate) async fn agenda_of(
    unit: &mut Unit<'_>,
    house: &House,
    office: &OfficeConfig,
    language: Language,
    days: u8,
) -> Result<Option<String>, ChangeError> {
    let day = unit.now.today.saturating_add(i32::from(days).days());
    let bookings = match Place::new(office, unit.now.at) {
        Ok(place) => day_of(&mut unit.tx, &place, day).await?,
        Err(_) => Vec::new(),
    };
    Ok(Some(agenda(&house.words, language, office, day, &bookings)))
}

/// `!absagen`: the office cancels an appointment; the citizen reads why.
pub(crate) async fn cancel_for_clerk(
    unit: &mut Unit<'_>,
    house: &House,
    office: &OfficeConfig,
    language: Language,
    code: &str,
    reason: Option<String>,
) -> Result<Option<String>, ChangeError> {
    let say = |key| Ok(Some(house.words.say(language, key, &[("code", &code)])));
    let booking = unit
        .tx
        .booking_of_code(&office.slug, code)
        .await?
        .filter(|booking| booking.state == BookingState::Confirmed);
    let (Some(mut booking), Ok(place)) = (booking, Place::new(office, unit.now.at)) else {
        return say("answer-no-such-booking");
    };
    let dice = shell::random().map_err(|_| ChangeError::Randomness)?;
    retire(&mut unit.tx, &place, &mut booking, u64::from_be_bytes(dice)).await?;
    if let Some(mut private) = unit.tx.booking_private(&booking.id).await? {
        private.reason = reason;
        unit.tx.put_booking_private(&booking.id, &private).await?;
    }
    write(
        &mut unit.tx,
        &booking.id,
        Letter::CancelledByOffice,
        place.now,
    )
    .await?;
    unit.has_errands();
    say("answer-booking-cancelled")
}
