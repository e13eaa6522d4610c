//! What clerks ask and order about appointments in the door room.

use bridge::{command_line::Day, ids::Language};
use city::model::OfficeConfig;
use jiff::{
    Timestamp, ToSpan,
    civil::{DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use store::BookingState;

use super::{
    Letter, Place, change::retire, line::agenda, offer::Unoffered, place::ALTERNATIVES,
    tide::day_of, write, write_all,
};
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
    let bookings = day_of(&mut unit.tx, &Place::kept(office, unit.now.at), day).await?;
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
    let Some(mut booking) = booking else {
        return say("answer-no-such-booking");
    };
    let place = Place::kept(office, unit.now.at);
    let dice = shell::random().map_err(|_| ChangeError::Randomness)?;
    retire(&mut unit.tx, &place, &mut booking, u64::from_be_bytes(dice)).await?;
    let mut answer = "answer-booking-cancelled-unsaid";
    if let Some(mut private) = unit.tx.booking_private(&booking.id).await? {
        private.reason = reason;
        unit.tx.put_booking_private(&booking.id, &private).await?;
        let letter = Letter::CancelledByOffice;
        write_all(&mut unit.tx, &booking.id, &private, letter, place.now).await?;
        if house.post.is_some() {
            answer = "answer-booking-cancelled";
        }
    }
    unit.has_errands();
    say(answer)
}

/// `!anbieten`: holds another time for an appointment and asks the citizen by mail. Without a time, or when it cannot
/// be had, the nearest ones that can.
pub(crate) async fn offer_for_clerk(
    unit: &mut Unit<'_>,
    house: &House,
    office: &OfficeConfig,
    language: Language,
    code: &str,
    time: Option<(Day, Time)>,
) -> Result<Option<String>, ChangeError> {
    let booking = unit
        .tx
        .booking_of_code(&office.slug, code)
        .await?
        .filter(|booking| booking.state == BookingState::Confirmed);
    let Some(booking) = booking else {
        return Ok(Some(house.words.say(
            language,
            "answer-no-such-booking",
            &[("code", &code)],
        )));
    };
    if office.booking.is_none() {
        let answer = "answer-offer-no-more";
        return Ok(Some(house.words.say(language, answer, &[("code", &code)])));
    }
    let place = Place::kept(office, unit.now.at);
    let zone = &office.hours.zone;
    let wanted =
        time.and_then(|(day, time)| moment(day.seen_from(unit.now.today)?.to_datetime(time), zone));
    let around = wanted.unwrap_or(booking.start);
    let mut key = "answer-offer-times";
    if let Some(start) = wanted {
        let dice = shell::random().map_err(|_| ChangeError::Randomness)?;
        let offered = place
            .offer(
                &mut unit.tx,
                &booking,
                start,
                true,
                u64::from_be_bytes(dice),
            )
            .await?;
        key = match offered {
            Ok(offer) => {
                write(&mut unit.tx, &booking.id, Letter::Offer, place.now).await?;
                unit.has_errands();
                let when = |at| house.words.when(language, at, zone);
                return Ok(Some(house.words.say(
                    language,
                    "answer-offered",
                    &[
                        ("code", &code),
                        ("when", &when(offer.start)),
                        ("until", &when(offer.until)),
                    ],
                )));
            }
            Err(Unoffered::Refused(_)) => "answer-offer-taken",
            Err(Unoffered::Overlaps) => "answer-offer-overlaps",
            Err(Unoffered::TooSoon) => "answer-offer-too-soon",
        };
    }
    let times = nearest_times(unit, house, &place, language, &booking.services, around).await?;
    Ok(Some(house.words.say(
        language,
        key,
        &[("code", &code), ("times", &times)],
    )))
}

/// When the office's clock shows this: never at a time that is skipped, and the first time at one that comes twice.
fn moment(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let moment = zone.to_ambiguous_timestamp(civil);
    let skipped = matches!(moment.offset(), AmbiguousOffset::Gap { .. });
    moment.earlier().ok().filter(|_| !skipped)
}

/// The free times nearest to a moment, one a line.
async fn nearest_times(
    unit: &mut Unit<'_>,
    house: &House,
    place: &Place<'_>,
    language: Language,
    services: &[bridge::ids::ServiceId],
    around: Timestamp,
) -> Result<String, ChangeError> {
    let Ok(minutes) = place.minutes(services) else {
        return Ok(String::new());
    };
    let place = place.first_in_line();
    let mut nearest = place.nearest(&mut unit.tx, minutes, around).await?;
    nearest.truncate(ALTERNATIVES);
    nearest.sort_by_key(|slot| slot.start);
    let zone = &place.office.hours.zone;
    let lines: Vec<String> = nearest
        .iter()
        .map(|slot| house.words.when(language, slot.start, zone))
        .collect();
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_time_is_none_and_of_one_that_comes_twice_the_first_is_meant() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |civil: &str| moment(civil.parse().unwrap(), &berlin).map(|at| at.to_string());
        assert_eq!(at("2026-03-29T02:30"), None);
        let first = at("2026-10-25T02:30");
        assert_eq!(first.as_deref(), Some("2026-10-25T00:30:00Z"));
        let usual = at("2026-10-26T09:30");
        assert_eq!(usual.as_deref(), Some("2026-10-26T08:30:00Z"));
    }
}
