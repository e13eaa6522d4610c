//! Where everybody stands in an office's queue. Each change moves many, and all their pages ask at once: the answer is
//! worked out once for all of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bridge::{
    ids::{OfficeSlug, VisitId},
    office::WaitRange,
};
use city::model::OfficeConfig;
use jiff::{SignedDuration, Timestamp};

use crate::house::{ChangeError, House};

/// Also without a change, an answer is not older than this: estimates and appointments' ranks move with the time.
const FRESH: SignedDuration = SignedDuration::from_secs(1);

/// What waiting citizens are told of an office's queue.
pub(crate) struct Standing {
    /// Places of those who wait, counted from 1.
    pub(crate) positions: BTreeMap<VisitId, u32>,
    /// What they have to expect; empty when nobody is on duty.
    pub(crate) estimates: BTreeMap<VisitId, WaitRange>,
    /// What the office tells while it has paused.
    pub(crate) notice: Option<String>,
}

/// The newest [`Standing`] of each office.
#[derive(Default)]
pub(crate) struct Standings(Mutex<HashMap<OfficeSlug, Arc<Place>>>);

#[derive(Default)]
struct Place {
    /// How often the office has changed.
    changes: AtomicU64,
    /// Held while it is worked out, so that whoever comes meanwhile waits for that instead of doing the same.
    known: tokio::sync::Mutex<Option<Known>>,
}

struct Known {
    changes: u64,
    at: Timestamp,
    standing: Arc<Standing>,
}

impl Standings {
    /// The office has changed: nothing worked out before counts any more. Call it after the commit, before anybody
    /// is told.
    pub(crate) fn changed(&self, slug: &OfficeSlug) {
        self.place(slug).changes.fetch_add(1, Ordering::AcqRel);
    }

    /// The standing in this office after its last change.
    pub(crate) async fn of(
        &self,
        house: &House,
        config: &OfficeConfig,
    ) -> Result<Arc<Standing>, ChangeError> {
        let place = self.place(&config.slug);
        let mut known = place.known.lock().await;
        // Before the office is read: a change that comes while it is read makes the answer old at once.
        let changes = place.changes.load(Ordering::Acquire);
        let now = house.now(config);
        if let Some(known) = known.as_ref().filter(|known| {
            known.changes == changes && now.at.duration_since(known.at).abs() < FRESH
        }) {
            return Ok(Arc::clone(&known.standing));
        }
        let mut read = house.store.read().await?;
        let office = read.load_office(&config.slug, config.rules.clone()).await?;
        let notice = read.notice(&config.slug).await?;
        drop(read);
        let standing = Arc::new(Standing {
            positions: office.positions(now.at),
            estimates: office.estimates(&now),
            notice: notice.filter(|_| office.paused_since.is_some()),
        });
        *known = Some(Known {
            changes,
            at: now.at,
            standing: Arc::clone(&standing),
        });
        Ok(standing)
    }

    fn place(&self, slug: &OfficeSlug) -> Arc<Place> {
        let mut offices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = offices.get(slug) {
            return Arc::clone(place);
        }
        Arc::clone(offices.entry(slug.clone()).or_default())
    }
}
