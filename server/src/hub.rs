//! Who watches a visit's page at this moment: events out, presence in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bridge::ids::{ParticipantId, VisitId};
use futures_util::{StreamExt as _, stream};
use gateway::port::{VisitEvent, VisitEvents};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

use crate::task::Party;

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
    /// Pages of the citizen.
    pages: usize,
    /// Pages of those who come along, each with how many.
    beside: HashMap<ParticipantId, usize>,
}

impl Watched {
    /// Counts the pages of one of the visit's people.
    fn pages_of(&mut self, participant: Option<&ParticipantId>) -> &mut usize {
        match participant {
            None => &mut self.pages,
            Some(participant) => self.beside.entry(participant.clone()).or_default(),
        }
    }
}

/// The first page of somebody at a visit came, or the last one went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PresenceChange {
    pub(crate) party: Party,
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

    /// A page of `party` watches the visit from here on, for as long as the stream lives.
    pub(crate) fn watch(&self, party: &Party) -> VisitEvents {
        let receiver = {
            let mut visits = self.lock();
            let watched = visits
                .entry(party.visit.clone())
                .or_insert_with(|| Watched {
                    sender: broadcast::channel(BACKLOG).0,
                    pages: 0,
                    beside: HashMap::new(),
                });
            let pages = watched.pages_of(party.participant.as_ref());
            *pages += 1;
            if *pages == 1 {
                self.tell(party, true);
            }
            watched.sender.subscribe()
        };
        let guard = PageGuard {
            hub: self.clone(),
            party: party.clone(),
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

    /// Whether a page of the citizen is connected.
    pub(crate) fn is_here(&self, visit: &VisitId) -> bool {
        self.lock()
            .get(visit)
            .is_some_and(|watched| watched.pages > 0)
    }

    /// Whether a page of this one of the visit's people is connected.
    pub(crate) fn is_party_here(&self, party: &Party) -> bool {
        let Some(participant) = &party.participant else {
            return self.is_here(&party.visit);
        };
        self.lock()
            .get(&party.visit)
            .is_some_and(|watched| watched.beside.contains_key(participant))
    }

    fn tell(&self, party: &Party, here: bool) {
        // The receiver lives as long as the program; at its end nobody needs presence.
        let _ = self.presence.send(PresenceChange {
            party: party.clone(),
            here,
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<VisitId, Watched>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct PageGuard {
    hub: Hub,
    party: Party,
}

impl Drop for PageGuard {
    fn drop(&mut self) {
        let Party { visit, participant } = &self.party;
        let mut visits = self.hub.lock();
        let Some(watched) = visits.get_mut(visit) else {
            return;
        };
        let pages = watched.pages_of(participant.as_ref());
        *pages -= 1;
        if *pages > 0 {
            return;
        }
        if let Some(participant) = participant {
            watched.beside.remove(participant);
        }
        if watched.pages == 0 && watched.beside.is_empty() {
            visits.remove(visit);
        }
        self.hub.tell(&self.party, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit() -> VisitId {
        VisitId::from_random([7; 16])
    }

    fn citizen() -> Party {
        Party::citizen(&visit())
    }

    #[tokio::test]
    async fn an_interpreter_hears_the_same_and_is_counted_apart() {
        let (hub, mut changes) = Hub::new();
        let interpreter = Party {
            visit: visit(),
            participant: Some(ParticipantId::from_random([8; 16])),
        };
        let mut beside = hub.watch(&interpreter);
        assert!(hub.is_party_here(&interpreter));
        assert!(!hub.is_here(&visit()));
        let page = hub.watch(&citizen());
        drop(page);
        hub.send(&visit(), VisitEvent::Call);
        assert!(matches!(beside.next().await, Some(VisitEvent::Call)));
        drop(beside);
        assert!(!hub.is_party_here(&interpreter));
        drop(hub);
        let mut seen = Vec::new();
        while let Some(change) = changes.recv().await {
            seen.push((change.party == interpreter, change.here));
        }
        assert_eq!(
            seen,
            [(true, true), (false, true), (false, false), (true, false)]
        );
    }

    #[tokio::test]
    async fn presence_follows_the_first_and_the_last_page() {
        let (hub, mut changes) = Hub::new();
        let first = hub.watch(&citizen());
        let second = hub.watch(&citizen());
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
        let mut page = hub.watch(&citizen());
        for _ in 0..=BACKLOG {
            hub.send(&visit(), VisitEvent::Changed);
        }
        assert!(matches!(page.next().await, Some(VisitEvent::Resync)));
        assert!(matches!(page.next().await, Some(VisitEvent::Changed)));
    }
}
