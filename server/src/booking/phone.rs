//! The number to call when no mail arrives: told in the door room in a message of its own, which is redacted when the
//! person is forgotten.

use appservice::{
    OwnedEventId,
    content::Text,
    jobs::{Job, Speaker},
};
use bridge::ids::BookingId;
use jiff::{SignedDuration, Timestamp};
use store::{Lane, Store, StoreError};

use crate::{
    errands::Plan,
    house::{ChangeError, House, first_language},
    task::Errand,
};

/// The message of a row. A number that the clerks have is not told again.
pub(crate) async fn plan(house: &House, id: &BookingId) -> Result<Plan, ChangeError> {
    let mut read = house.store.read().await?;
    let (booking, private) = (read.booking(id).await?, read.booking_private(id).await?);
    let told = read.booking_notes(id).await? > 0;
    drop(read);
    let (Some(booking), Some(phone)) = (booking, private.and_then(|private| private.phone)) else {
        return Ok(Plan::Nothing);
    };
    let city = house.city.get();
    if told || city.office(&booking.office).is_none() {
        return Ok(Plan::Nothing);
    }
    let Some(room) = house.doors.room(&booking.office) else {
        return Ok(Plan::NoDoorYet);
    };
    let text = house.words.say(
        first_language(&city),
        "booking-phone",
        &[("code", &booking.code), ("phone", &phone)],
    );
    Ok(Plan::job(Job::Say {
        room,
        speaker: Speaker::Bot,
        text: Text::notice(text),
    }))
}

/// The message of a row that takes one back.
pub(crate) fn plan_redaction(house: &House, row: &store::Job, event: &str) -> Plan {
    let Ok(event) = OwnedEventId::try_from(event) else {
        return Plan::Nothing;
    };
    crate::errands::door_of(house, row).map_or(Plan::NoDoorYet, |room| {
        Plan::job(Job::Redact { room, event })
    })
}

/// Messages of persons who are forgotten by `now` are taken back.
pub(super) async fn redact(
    store: &Store,
    now: Timestamp,
    retention: SignedDuration,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    for note in tx.take_booking_notes(now - retention).await? {
        let lane = Lane::door(&note.office);
        let errand = Errand::RedactNote { event: note.event };
        tx.enqueue(&lane, &errand, now).await?;
    }
    tx.commit().await
}
