//! The house's standing rooms: made and repaired at start, after the city's file changed, and after somebody
//! altered one.

use std::{sync::Arc, time::Duration};

use appservice::rooms::{
    DoorSpec, Finding, HouseReport, HouseSpec, KnownRooms, Mode, Outcome, SpaceSpec, reconcile,
};
use bridge::{
    ids::OfficeSlug,
    input::Command,
    visit::{Visit, VisitState},
};
use store::{HouseRoom, Lane, Tx};
use tracing::{error, info, warn};

use crate::{
    house::{ChangeError, House, first_language},
    projection, shell,
};

/// When the homeserver was away, the rooms are looked at again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Several alterations in a row are repaired together.
const SETTLE: Duration = Duration::from_secs(1);

/// Keeps the rooms what they must be, for ever.
pub(crate) async fn keep(house: Arc<House>) {
    loop {
        let looked = look_after(&house, Mode::Repair).await;
        match looked {
            Ok(report) if report.failed.is_empty() => {
                tell(&report.findings);
                house.rooms_seen_to.send_replace(true);
                house.reconcile.notified().await;
                tokio::time::sleep(SETTLE).await;
            }
            Ok(report) => {
                tell(&report.findings);
                for (room, fault) in &report.failed {
                    warn!(room, "the room could not be looked after: {}", fault.code());
                }
                tokio::time::sleep(TRY_AGAIN).await;
            }
            Err(fault) => {
                error!("the rooms could not be looked after: {fault}");
                tokio::time::sleep(TRY_AGAIN).await;
            }
        }
    }
}

fn tell(findings: &[Finding]) {
    for finding in findings {
        match finding.outcome {
            Outcome::Repaired => info!("{finding}"),
            Outcome::Unrepaired { .. } => warn!("{finding}"),
        }
    }
}

/// The rooms that were known at the last stop: events in them are understood from the first moment on.
pub(crate) async fn recall(house: &House) -> Result<KnownRooms, ChangeError> {
    let mut known = KnownRooms::default();
    for (place, id) in house.store.read().await?.rooms().await? {
        // An id that is no room id was not written by us: the room is found by its alias.
        let Ok(id) = appservice::OwnedRoomId::try_from(id) else {
            continue;
        };
        match place {
            HouseRoom::Space => known.space = Some(id),
            HouseRoom::Door(slug) => {
                house.doors.set(slug.clone(), id.clone());
                known.doors.insert(slug, id);
            }
        }
    }
    Ok(known)
}

/// Looks at every room once, and remembers where they are.
pub(crate) async fn look_after(house: &House, mode: Mode) -> Result<HouseReport, ChangeError> {
    let known = recall(house).await?;
    let report = reconcile(&house.matrix, &spec(house), &known, mode).await;
    if mode == Mode::Look {
        return Ok(report);
    }
    let mut tx = house.store.begin().await?;
    if let Some(space) = &report.rooms.space
        && report.rooms.space != known.space
    {
        tx.set_room(&HouseRoom::Space, space.as_str()).await?;
    }
    for (slug, room) in &report.rooms.doors {
        if known.doors.get(slug) != Some(room) {
            tx.set_room(&HouseRoom::Door(slug.clone()), room.as_str())
                .await?;
            if known.doors.contains_key(slug) {
                announce_anew(house, &mut tx, slug).await?;
            }
        }
        // What was published may be what somebody altered: written again where it differs.
        tx.forget_published(room.as_str()).await?;
    }
    tx.commit().await?;
    for (slug, room) in report.rooms.doors.clone() {
        house.doors.set(slug.clone(), room);
        house.rooms_dirty.mark(&slug);
    }
    // Jobs of a door that did not exist yet can go on.
    house.outbox.notify_one();
    Ok(report)
}

/// The door room was lost and another one stands in its place: whoever waits knocks there too, and is announced.
async fn announce_anew(house: &House, tx: &mut Tx, slug: &OfficeSlug) -> Result<(), ChangeError> {
    let city = house.city.get();
    let Some(config) = city.office(slug) else {
        return Ok(());
    };
    let office = tx.load_office(slug, config.rules.clone()).await?;
    let now = shell::now();
    let mut waiting: Vec<&Visit> = office
        .live()
        .filter(|visit| visit.state == VisitState::Waiting)
        .collect();
    waiting.sort_by_key(|visit| (visit.knocked_at, visit.ticket));
    for visit in waiting {
        // One that has no line yet still has its own jobs before it.
        if tx.visit_matrix(&visit.id).await?.line_event.is_none() {
            continue;
        }
        let visit = visit.id.clone();
        let lane = Lane::door(slug);
        for command in [
            Command::PlaceKnock {
                visit: visit.clone(),
            },
            Command::Announce { visit },
        ] {
            tx.enqueue(&lane, &command, now).await?;
        }
    }
    Ok(())
}

/// The rooms that the city must have.
fn spec(house: &House) -> HouseSpec {
    let city = house.city.get();
    let language = first_language(&city);
    let words = &house.words;
    HouseSpec {
        space: SpaceSpec {
            name: words.say(
                language,
                "city-space",
                &[("city", &city.name.get(language))],
            ),
            topic: Some(words.say(
                language,
                "city-space-topic",
                &[("url", &house.settings.public_url)],
            )),
            listed: true,
        },
        doors: city
            .offices
            .iter()
            .map(|config| DoorSpec {
                slug: config.slug.clone(),
                name: words.say(
                    language,
                    "door-name",
                    &[("office", &config.name.get(language))],
                ),
                topic: None,
                clerks: config.clerks.iter().cloned().collect(),
                office: projection::office_state(house, config),
                listed: true,
            })
            .collect(),
    }
}
