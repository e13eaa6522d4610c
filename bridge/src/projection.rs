//! What everybody may see of an office: `org.vorzimmer.occupancy` and `org.vorzimmer.queue`.

use jiff::Timestamp;

use crate::{
    input::Refusal,
    office::{Now, Occupancy, Office, QueueEntry, QueueKind, QueueState, Status},
    visit::{Visit, VisitKind, VisitState},
};

impl Office {
    /// Whether a knock would be accepted at this moment, whoever knocks.
    pub fn accepting(&self, now: &Now) -> Result<(), Refusal> {
        if !now.open {
            Err(Refusal::Closed {
                next_opening: now.next_opening,
            })
        } else if self.paused_since.is_some() {
            Err(Refusal::Paused)
        } else if self.waiting() >= self.rules.queue_limit {
            Err(Refusal::QueueFull)
        } else {
            Ok(())
        }
    }

    /// The office in numbers.
    #[must_use]
    pub fn occupancy(&self, now: &Now) -> Occupancy {
        let waiting = self.waiting();
        Occupancy {
            status: self.status(now),
            waiting: count(waiting),
            in_conversation: count(self.live().count() - waiting),
            desks_on_duty: count(self.desks.len()),
            estimated_wait_s: self.estimate_for_newcomer(now),
            next_opening: now.next_opening.filter(|_| !now.open),
            as_of: now.at,
        }
    }

    fn status(&self, now: &Now) -> Status {
        if !now.open {
            Status::Closed
        } else if self.paused_since.is_some() {
            Status::Paused
        } else if self.waiting() == 0
            && self
                .desks
                .keys()
                .any(|clerk| self.served_by(clerk).next().is_none())
        {
            Status::Free
        } else {
            Status::Busy
        }
    }

    /// The public queue: who waits, the next one first; then who is called, then who talks, each since longest
    /// first.
    #[must_use]
    pub fn queue(&self, at: Timestamp) -> Vec<QueueEntry> {
        let mut served: Vec<_> = self
            .live()
            .filter(|visit| visit.state != VisitState::Waiting)
            .collect();
        served.sort_by_key(|visit| {
            let talking = matches!(visit.state, VisitState::InConversation { .. });
            (talking, visit.since(), visit.ticket)
        });
        self.ranked(at)
            .into_iter()
            .map(|(_, visit)| visit)
            .chain(served)
            .filter_map(entry)
            .collect()
    }
}

fn entry(visit: &Visit) -> Option<QueueEntry> {
    let state = match visit.state {
        VisitState::Waiting => QueueState::Waiting,
        VisitState::Called { .. } => QueueState::Called,
        VisitState::InConversation { .. } => QueueState::InConversation,
        VisitState::Ended { .. } => return None,
    };
    Some(QueueEntry {
        ticket: visit.ticket,
        state,
        kind: match visit.kind {
            VisitKind::WalkIn => QueueKind::WalkIn,
            VisitKind::Appointment { .. } => QueueKind::Appointment,
        },
        language: visit.language,
        since: visit.since(),
    })
}

fn count(visits: usize) -> u32 {
    u32::try_from(visits).unwrap_or(u32::MAX)
}
