//! How bookings end and are forgotten, whatever has become of their office. Its terms, the city's mail or the office
//! itself may be gone from the configuration; what was promised about personal data holds all the same.

use std::{fmt, sync::Arc};

use bridge::ids::OfficeSlug;
use city::model::City;
use jiff::{SignedDuration, Timestamp};
use store::{Booking, BookingState, Lane, Store, StoreError};
use tracing::{error, warn};

use super::{News, phone::redact, place::public_by, tell};
use crate::{house::House, shell, task::Errand};

/// As many persons are forgotten at a time.
const BATCH: u32 = 200;
/// Whoever said to be here while another visit of theirs went on is waited for no longer: what was promised about personal
/// data does not hang on a visit that nobody ends.
const LONGEST_VISIT: SignedDuration = SignedDuration::from_hours(24);
/// No office's grace lasts longer. Whoever has not come by then is a no-show already, unless nobody looks after the
/// office's appointments.
const LONGEST_GRACE: SignedDuration = SignedDuration::from_hours(2);

/// What was held or waited to be confirmed for too long. Whether it could be written.
pub(super) async fn lapse(house: &House) -> bool {
    let lapsed = async {
        let mut tx = house.store.begin().await?;
        let now = shell::now();
        tx.lapse_bookings(now).await?;
        tx.clear_places(public_by(now)).await?;
        tx.commit().await
    };
    if let Err(fault) = lapsed.await {
        error!("what has lapsed still stands: {fault}");
        return false;
    }
    true
}

/// Each part by itself: what fails for one purpose holds up no other.
pub(super) async fn settle(house: &House) {
    let now = shell::now();
    let since = house
        .bookings
        .as_ref()
        .map_or(Timestamp::MIN, |bookings| bookings.reachable.since());
    if let Err(fault) = end(&house.store, since, now).await {
        error!("appointments that are over are not ended: {fault}");
    }
    if let Err(fault) = clear_rooms(&house.store, now).await {
        error!("rooms that stood ready in vain are still there: {fault}");
    }
    let retention = house.city.get().retention;
    if let Err(fault) = redact(&house.store, now, retention).await {
        error!("telephone numbers in door rooms are not taken back yet: {fault}");
    }
    if let Err(fault) = forget(&house.store, now, retention).await {
        error!("erasure of appointments is late: {fault}");
    }
}

/// Ends appointments that were over long ago and of which nobody has said what became of them. Citizens have been able to
/// come since `since`, and whoever looks after their appointments gives them time from then on.
pub(super) async fn end(store: &Store, since: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let before = now.saturating_sub(LONGEST_GRACE).unwrap_or(now);
    if since > before {
        return Ok(());
    }
    let over = |booking: &Booking| booking.end <= before;
    let begun = store.read().await?.bookings_before(before).await?;
    if !begun.iter().any(over) {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    // Again, inside the transaction that decides.
    for mut booking in tx.bookings_before(before).await?.into_iter().filter(over) {
        let beside = tx.visit_beside(&booking.id).await?;
        let goes_on = beside.is_some_and(|beside| beside.visit.is_live());
        if goes_on && now.duration_since(booking.end) < LONGEST_VISIT {
            continue;
        }
        booking.state = BookingState::NoShow;
        // Not now: whoever reads how long a person's data is kept counts from the appointment.
        booking.ended_at = Some(booking.end);
        tx.save_booking(&booking).await?;
        tell(&mut tx, &booking, News::NoShow, now).await?;
    }
    tx.commit().await
}

/// Has rooms erased that stood ready in vain. Nobody was ever in them. The outbox does it: a homeserver that does not
/// answer holds up neither reminders nor offers.
pub(super) async fn clear_rooms(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    if store
        .read()
        .await?
        .booking_rooms_in_vain()
        .await?
        .is_empty()
    {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    // Again, inside the transaction that decides.
    for (booking, room) in tx.booking_rooms_in_vain().await? {
        tx.set_booking_room(&booking, None).await?;
        tx.enqueue(&Lane::named("erasure"), &Errand::EraseRoom { room }, now)
            .await?;
    }
    tx.commit().await
}

/// Forgets the persons of bookings that were over long enough ago.
pub(super) async fn forget(
    store: &Store,
    now: Timestamp,
    retention: SignedDuration,
) -> Result<(), StoreError> {
    let mut read = store.read().await?;
    let due = read.bookings_to_erase(now - retention, BATCH).await?;
    drop(read);
    if due.is_empty() {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    for erasure in due {
        tx.erase_booking(&erasure.booking, now).await?;
    }
    tx.commit().await?;
    store.scrub().await?;
    Ok(())
}

/// Appointments to come that nobody looks after as was agreed.
pub(crate) struct Orphans {
    office: OfficeSlug,
    appointments: u64,
    lack: Lack,
}

/// What is gone from the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Mail,
    Office,
    Terms,
}

impl fmt::Display for Orphans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, office) = (self.appointments, &self.office);
        write!(f, "{office} has appointments to come ({count}), but ")?;
        f.write_str(match self.lack {
            Lack::Mail => {
                "the configuration has no [mail]: their links lead nowhere and nobody is reminded. Put it back until \
                 they are over, or let the clerks call these citizens"
            }
            Lack::Office => {
                "the city's file has no such office: nobody is told and nobody can come. Put it back and let its clerks \
                 cancel them (!absagen), or call these citizens"
            }
            Lack::Terms => {
                "it takes none any more: these stand until they are over. Its clerks have been told of each; they can \
                 cancel them (!absagen)"
            }
        })
    }
}

/// The offices at which citizens wait for an appointment that the configuration no longer carries.
pub(crate) async fn orphans(
    store: &Store,
    city: &City,
    has_mail: bool,
    now: Timestamp,
) -> Result<Vec<Orphans>, StoreError> {
    let to_come = store.read().await?.appointments_to_come(now).await?;
    let lack = |office: &OfficeSlug| match city.office(office) {
        None => Some(Lack::Office),
        Some(_) if !has_mail => Some(Lack::Mail),
        Some(office) if office.booking.is_none() => Some(Lack::Terms),
        Some(_) => None,
    };
    Ok(to_come
        .into_iter()
        .filter_map(|(office, appointments)| {
            let lack = lack(&office)?;
            Some(Orphans {
                office,
                appointments,
                lack,
            })
        })
        .collect())
}

/// Once for each version of the city's file, and at the start.
pub(super) async fn warn_of_orphans(house: &House, warned: &mut Option<Arc<City>>) {
    let city = house.city.get();
    if warned.as_ref().is_some_and(|it| Arc::ptr_eq(it, &city)) {
        return;
    }
    match orphans(&house.store, &city, house.bookings.is_some(), shell::now()).await {
        Ok(orphans) => {
            for orphans in orphans {
                warn!("{orphans}");
            }
            *warned = Some(city);
        }
        Err(fault) => error!("appointments are not compared with the configuration: {fault}"),
    }
}
