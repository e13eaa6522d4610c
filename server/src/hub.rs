//! Who watches a visit's page at this moment: events out, presence in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bridge::ids::VisitId;
use futures_util::{StreamExt as _, stream};
use gateway::port::{VisitEvent, VisitEvents};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

/// A page that is further behind than this reads everything again.
const BACKLOG: usize = 64;

/// One channel per visit that somebody watches.
#[derive(Clone)]
pub(crate) struct Hub {
    visits: Arc<Mutex<HashMap<VisitId, Watched>>>,
    presence: mpsc::UnboundedSender<PresenceChange>,
}

struct Watched {
    sender: broadcast::Sender<VisitEvent>,
    pages: usize,
}

/// The first page of a visit came, or the last one went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PresenceChange {
    pub(crate) visit: VisitId,
    pub(crate) here: bool,
}

impl Hub {
    /// A hub, and where it tells of presence.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<PresenceChange>) {
        let (presence, changes) = mpsc::unbounded_channel();
        (
            Self {
                visits: Arc::default(),
                presence,
            },
            changes,
        )
    }

    /// A page watches `visit` from here on, for as long as the stream lives.
    pub(crate) fn watch(&self, visit: &VisitId) -> VisitEvents {
        let receiver = {
            let mut visits = self.lock();
            let watched = visits.entry(visit.clone()).or_insert_with(|| Watched {
                sender: broadcast::channel(BACKLOG).0,
                pages: 0,
            });
            watched.pages += 1;
            if watched.pages == 1 {
                self.tell(visit, true);
            }
            watched.sender.subscribe()
        };
        let guard = PageGuard {
            hub: self.clone(),
            visit: visit.clone(),
        };
        let events = BroadcastStream::new(receiver).map(|event| match event {
            Ok(event) => event,
            Err(BroadcastStreamRecvError::Lagged(_)) => VisitEvent::Resync,
        });
        // The guard lives in the stream's state and is dropped with it.
        Box::pin(stream::unfold(
            (Box::pin(events), guard),
            |(mut events, guard)| async move {
                let event = events.next().await?;
                Some((event, (events, guard)))
            },
        ))
    }

    /// Sends to every page of the visit.
    pub(crate) fn send(&self, visit: &VisitId, event: VisitEvent) {
        if let Some(watched) = self.lock().get(visit) {
            // Nobody listening is no fault: the page reads everything when it comes back.
            let _ = watched.sender.send(event);
        }
    }

    /// Whether a page of the visit is connected.
    pub(crate) fn is_here(&self, visit: &VisitId) -> bool {
        self.lock().contains_key(visit)
    }

    fn tell(&self, visit: &VisitId, here: bool) {
        // The receiver lives as long as the program; at its end nobody needs presence.
        let _ = self.presence.send(PresenceChange {
            visit: visit.clone(),
            here,
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<VisitId, Watched>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct PageGuard {
    hub: Hub,
    visit: VisitId,
}

impl Drop for PageGuard {
    fn drop(&mut self) {
        let mut visits = self.hub.lock();
        if let Some(watched) = visits.get_mut(&self.visit) {
            watched.pages -= 1;
            if watched.pages == 0 {
                visits.remove(&self.visit);
                self.hub.tell(&self.visit, false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit() -> VisitId {
        VisitId::from_random([7; 16])
    }

    #[tokio::test]
    async fn presence_follows_the_first_and_the_last_page() {
        let (hub, mut changes) = Hub::new();
        let first = hub.watch(&visit());
        let second = hub.watch(&visit());
        drop(first);
        assert!(hub.is_here(&visit()));
        drop(second);
        assert!(!hub.is_here(&visit()));
        drop(hub);
        let mut seen = Vec::new();
        while let Some(change) = changes.recv().await {
            seen.push(change.here);
        }
        assert_eq!(seen, [true, false]);
    }

    #[tokio::test]
    async fn a_page_that_lags_is_told_to_read_again() {
        let (hub, _changes) = Hub::new();
        let mut page = hub.watch(&visit());
        for _ in 0..=BACKLOG {
            hub.send(&visit(), VisitEvent::Changed);
        }
        assert!(matches!(page.next().await, Some(VisitEvent::Resync)));
        assert!(matches!(page.next().await, Some(VisitEvent::Changed)));
    }
}
