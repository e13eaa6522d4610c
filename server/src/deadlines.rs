//! Time passes: no-shows, guests who have vanished, opening hours, and presence turned into inputs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bridge::{
    ids::{OfficeSlug, VisitId},
    input::Input,
};
use city::model::OfficeConfig;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tracing::error;

use crate::{
    calls,
    house::{ChangeError, House},
    hub::PresenceChange,
    shell,
};

/// Without any deadline, offices are looked at this often: estimates age.
const AT_LEAST_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// A busy queue has its offices looked at this often.
const AT_MOST_EVERY: Duration = Duration::from_millis(100);
/// A reload takes less than this; only a page gone for longer is told to `bridge`.
const RELOAD: Duration = Duration::from_secs(4);

/// Feeds ticks to offices when a deadline of theirs has come, for ever. Only offices that changed, or whose time has
/// come, are read.
pub(crate) async fn keep(house: Arc<House>) {
    let mut looks: BTreeMap<OfficeSlug, Timestamp> = BTreeMap::new();
    let mut changed: BTreeSet<OfficeSlug> = BTreeSet::new();
    loop {
        let city = house.city.get();
        looks.retain(|slug, _| city.office(slug).is_some());
        let now = shell::now();
        for config in &city.offices {
            let slug = &config.slug;
            if !changed.contains(slug) && looks.get(slug).is_some_and(|look| *look > now) {
                continue;
            }
            let look = now + AT_LEAST_EVERY;
            let look = match tick_due(&house, config).await {
                Ok(deadline) => deadline.map_or(look, |deadline| deadline.min(look)),
                Err(fault) => {
                    error!(%slug, "deadlines are late: {fault}");
                    look
                }
            };
            looks.insert(slug.clone(), look);
        }
        // Not before a moment has passed: a burst of knocks is one look, and a deadline that cannot be met does
        // not spin.
        tokio::time::sleep(AT_MOST_EVERY).await;
        let wait = looks
            .values()
            .min()
            .map_or(AT_LEAST_EVERY, |look| look.duration_since(shell::now()));
        changed = tokio::select! {
            () = tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()) => BTreeSet::new(),
            changed = house.deadlines.take() => changed,
        };
    }
}

/// Ticks an office whose deadline has come; when the next one comes.
async fn tick_due(house: &House, config: &OfficeConfig) -> Result<Option<Timestamp>, ChangeError> {
    let now = house.now(config);
    let mut read = house.store.read().await?;
    let office = read.load_office(&config.slug, config.rules.clone()).await?;
    drop(read);
    let mut deadline = office.next_deadline(&now);
    if deadline.is_some_and(|deadline| deadline <= now.at) {
        deadline = tick(house, &config.slug).await?;
    }
    let opening = house.opening(config);
    // The opening hours and the age of the estimate are not in the database: the projection looks.
    house.dirty.mark(&config.slug);
    let flip = opening.closes_at.or(opening.next_opening);
    Ok([deadline, flip].into_iter().flatten().min())
}

async fn tick(house: &House, slug: &OfficeSlug) -> Result<Option<Timestamp>, ChangeError> {
    let mut unit = house.change(slug).await?;
    unit.decide(Input::Tick)?;
    let next = unit.office.next_deadline(&unit.now);
    unit.commit().await?;
    Ok(next)
}

/// Tells `bridge` of pages that came and, after the time a reload takes, of pages that went; for ever.
pub(crate) async fn presence(
    house: Arc<House>,
    mut changes: mpsc::UnboundedReceiver<PresenceChange>,
) {
    while let Some(PresenceChange { party, here }) = changes.recv().await {
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            if !here {
                tokio::time::sleep(RELOAD).await;
            }
            if house.hub.is_party_here(&party) != here {
                return;
            }
            // The queue knows the citizen alone.
            if party.participant.is_none()
                && let Err(fault) = tell(&house, &party.visit, here).await
            {
                error!("presence was not stored: {fault}");
            }
            if !here && let Err(fault) = calls::hang_up(&house, &party).await {
                error!("a guest who went stays in the call: {fault}");
            }
        });
    }
}

/// After a start nobody is connected yet: everybody who does not come back has been away from here on.
pub(crate) async fn presume_absent(house: Arc<House>) {
    tokio::time::sleep(RELOAD).await;
    let city = house.city.get();
    for config in &city.offices {
        let visits = async {
            let mut read = house.store.read().await?;
            read.load_office(&config.slug, config.rules.clone()).await
        };
        match visits.await {
            Ok(office) => {
                for visit in office.live().filter(|visit| !house.hub.is_here(&visit.id)) {
                    if let Err(fault) = tell(&house, &visit.id, false).await {
                        error!("absence was not stored: {fault}");
                    }
                }
            }
            Err(fault) => error!("absence was not looked at: {fault}"),
        }
    }
}

async fn tell(house: &House, visit: &VisitId, here: bool) -> Result<(), ChangeError> {
    let Some(record) = house.store.read().await?.visit(visit).await? else {
        return Ok(());
    };
    if !record.visit.is_live() {
        return Ok(());
    }
    let mut unit = house.change(&record.office).await?;
    match unit.decide(Input::Presence {
        visit: visit.clone(),
        here,
    }) {
        Ok(()) => Ok(unit.commit().await?),
        // It has ended meanwhile.
        Err(_) => Ok(()),
    }
}
