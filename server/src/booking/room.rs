//! The consultation room of an appointment, made before its citizen comes: at a full hour many are called at once, and
//! a homeserver makes few rooms a second.

use appservice::{jobs::Job, rooms::PreparedSpec};
use bridge::ids::BookingId;
use store::{BookingState, Tx};

use crate::{
    errands::Plan,
    house::{ChangeError, House, first_language},
};

/// The job of a row. Whoever has been called already has a room.
pub(crate) async fn plan(house: &House, id: &BookingId) -> Result<Plan, ChangeError> {
    let (Some(bookings), Some(booking)) = (
        &house.bookings,
        house.store.read().await?.booking(id).await?,
    ) else {
        return Ok(Plan::Nothing);
    };
    let city = house.city.get();
    let Some(office) = city.office(&booking.office) else {
        return Ok(Plan::Nothing);
    };
    if !matches!(
        booking.state,
        BookingState::Confirmed | BookingState::Arrived
    ) {
        return Ok(Plan::Nothing);
    }
    let language = first_language(&city);
    let name = house.words.say(
        language,
        "room-name-prepared",
        &[
            ("code", &booking.code),
            ("office", &office.name.get(language)),
        ],
    );
    Ok(Plan::job(Job::PrepareConsultation {
        spec: PreparedSpec {
            visit: bookings.key.visit(id),
            name,
        },
    }))
}

/// Where the room is: the visit's, once there is one, so that it is erased with it.
pub(crate) async fn remember(tx: &mut Tx, id: &BookingId, room: &str) -> Result<(), ChangeError> {
    let visit = tx.booking(id).await?.and_then(|booking| booking.visit);
    match visit {
        Some(visit) => tx.set_consultation_room(&visit, Some(room)).await?,
        None => tx.set_booking_room(id, Some(room)).await?,
    }
    Ok(())
}
