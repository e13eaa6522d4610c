//! What the public may see of an office, projected from the database: the lobby at once, the door room's
//! state a little later.

use std::{sync::Arc, time::Duration};

use appservice::{
    MatrixError,
    jobs::{self, Effect, Job, Published},
};
use bridge::ids::OfficeSlug;
use city::model::OfficeConfig;
use gateway::port::{Lobby, OfficeLive};
use serde_json::{Value, json};
use tracing::{error, warn};

use crate::house::{ChangeError, House, first_language};

/// The lobby changes at most this often: changes in between are seen together.
const LOBBY_PAUSE: Duration = Duration::from_millis(250);
/// Room state rests this long after it was written: with [`ROOM_COURTESY`], it is written every three seconds at most.
const ROOM_PAUSE: Duration = Duration::from_secs(2);
/// Room state waits this long: what is urgent, a knock and the line that rings, is not to queue behind it in the
/// homeserver.
const ROOM_COURTESY: Duration = Duration::from_secs(1);

/// Under which name the store remembers what was written.
const PUBLISHED: &str = "org.vorzimmer.published";

/// Keeps the lobby true, for ever.
pub(crate) async fn keep_lobby(house: Arc<House>) {
    loop {
        for slug in house.dirty.take().await {
            match live(&house, &slug).await {
                Ok(Some(live)) => {
                    show(&house, live);
                    house.rooms_dirty.mark(&slug);
                }
                Ok(None) => {}
                Err(fault) => error!(%slug, "the lobby is not up to date: {fault}"),
            }
        }
        tokio::time::sleep(LOBBY_PAUSE).await;
    }
}

/// Keeps the door rooms' state true, for ever.
pub(crate) async fn keep_rooms(house: Arc<House>) {
    loop {
        let offices = house.rooms_dirty.take().await;
        tokio::time::sleep(ROOM_COURTESY).await;
        for slug in offices {
            match publish(&house, &slug).await {
                Ok(()) => {}
                Err(PublishError::Matrix(fault)) => {
                    warn!(%slug, "the room's state could not be written: {}", fault.code());
                    if fault.retry().is_some() {
                        house.rooms_dirty.mark(&slug);
                    } else if fault.is_absence() {
                        // Looked after first; that marks the room again.
                        house.reconcile.notify_one();
                    }
                }
                Err(PublishError::Change(fault)) => {
                    error!(%slug, "the room's state is not up to date: {fault}");
                }
            }
        }
        tokio::time::sleep(ROOM_PAUSE).await;
    }
}

/// All offices as they are at this moment.
pub(crate) async fn lobby(house: &House) -> Result<Lobby, ChangeError> {
    let city = house.city.get();
    let mut offices = Vec::with_capacity(city.offices.len());
    for config in &city.offices {
        if let Some(live) = live(house, &config.slug).await? {
            offices.push(live);
        }
    }
    Ok(Lobby {
        city,
        offices,
        always_open: house.settings.always_open,
    })
}

/// One office as it is at this moment; `None` if the city no longer has it.
async fn live(house: &House, slug: &OfficeSlug) -> Result<Option<OfficeLive>, ChangeError> {
    let city = house.city.get();
    let Some(config) = city.office(slug) else {
        return Ok(None);
    };
    let now = house.now(config);
    let mut read = house.store.read().await?;
    let office = read.load_office(slug, config.rules.clone()).await?;
    let notice = read
        .notice(slug)
        .await?
        .filter(|_| office.paused_since.is_some());
    Ok(Some(OfficeLive {
        slug: slug.clone(),
        occupancy: office.occupancy(&now),
        // Also where opening hours are ignored: the lobby says both.
        opening: config.hours.at(now.at),
        accepting: office.accepting(&now).is_ok(),
        notice,
        appointment: house.soonest.of(slug),
    }))
}

/// Replaces one office in the lobby, if anything but the time differs.
fn show(house: &House, live: OfficeLive) {
    house.lobby.send_if_modified(|lobby| {
        let Some(place) = lobby
            .offices
            .iter()
            .position(|office| office.slug == live.slug)
        else {
            return false;
        };
        if same(&lobby.offices[place], &live) {
            return false;
        }
        let mut next = Lobby::clone(lobby);
        next.offices[place] = live;
        *lobby = Arc::new(next);
        true
    });
}

fn same(before: &OfficeLive, after: &OfficeLive) -> bool {
    let mut before = before.clone();
    before.occupancy.as_of = after.occupancy.as_of;
    before == *after
}

enum PublishError {
    Matrix(MatrixError),
    Change(ChangeError),
}

impl<E: Into<ChangeError>> From<E> for PublishError {
    fn from(fault: E) -> Self {
        Self::Change(fault.into())
    }
}

/// Writes to the door room what differs from what was written last.
async fn publish(house: &House, slug: &OfficeSlug) -> Result<(), PublishError> {
    let city = house.city.get();
    let (Some(config), Some(door)) = (city.office(slug), house.doors.room(slug)) else {
        return Ok(());
    };
    let now = house.now(config);
    let mut read = house.store.read().await?;
    let office = read.load_office(slug, config.rules.clone()).await?;
    let last = read.published(door.as_str(), PUBLISHED).await?;
    drop(read);
    let last: Option<Published> = last.and_then(|last| serde_json::from_value(last).ok());
    let occupancy = office.occupancy(&now);
    let language = first_language(&city);
    let topic = house.words.door_topic(
        language,
        config.name.get(language),
        &occupancy,
        &house.office_url(slug),
    );
    let next = Published {
        occupancy,
        queue: office.queue(now.at),
        topic,
    };
    let job = Job::Publish {
        door: door.clone(),
        last: last.clone(),
        next,
    };
    // Writing the same state again changes nothing: no transaction id is needed.
    let effect = jobs::execute(&house.matrix, &job, "")
        .await
        .map_err(PublishError::Matrix)?;
    let Effect::Published(published) = effect else {
        return Ok(());
    };
    if last.as_ref() != Some(&published) {
        let mut tx = house.store.begin().await?;
        tx.set_published(
            door.as_str(),
            PUBLISHED,
            &serde_json::to_value(&published).unwrap_or_default(),
        )
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What `org.vorzimmer.office` says: slug, names, services, booking page.
pub(crate) fn office_state(house: &House, config: &OfficeConfig) -> Value {
    let languages = &house.city.get().languages;
    let names: serde_json::Map<String, Value> = languages
        .iter()
        .map(|language| {
            (
                language.code().to_owned(),
                config.name.get(*language).into(),
            )
        })
        .collect();
    let services: Vec<Value> = config
        .services
        .iter()
        .map(|service| {
            let names: serde_json::Map<String, Value> = languages
                .iter()
                .map(|language| {
                    (
                        language.code().to_owned(),
                        service.name.get(*language).into(),
                    )
                })
                .collect();
            json!({ "id": service.id, "name": names, "minutes": service.minutes })
        })
        .collect();
    let page = house.office_url(&config.slug);
    // As the office's page says it: here, or where the city's file sends people to.
    let booking_page = match &config.booking {
        Some(_) if house.bookings.is_some() => Some(format!("{page}/termin")),
        _ => config.booking_page.clone(),
    };
    json!({
        "slug": config.slug,
        "name": names,
        "services": services,
        "booking_page": booking_page,
        "page": page,
    })
}
