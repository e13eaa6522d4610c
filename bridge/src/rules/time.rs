//! What time alone does.

use jiff::{SignedDuration, Timestamp};

use crate::{
    ids::VisitId,
    input::{ClerkNotice, Command, Outcome},
    office::{Now, Office},
    visit::{Ending, Visit, VisitKind, VisitState},
};

impl Office {
    /// When [`crate::input::Input::Tick`] is due next: the earliest no-show, or the next appointment whose
    /// time comes and which thereby moves up. Only a deadline that a tick has not seen yet can lie in the past.
    #[must_use]
    pub fn next_deadline(&self, now: &Now) -> Option<Timestamp> {
        let turns = self
            .live()
            .filter(|visit| visit.state == VisitState::Waiting)
            .filter_map(|visit| match visit.kind {
                VisitKind::Appointment { at } if at > now.at => Some(at),
                _ => None,
            });
        self.live()
            .filter_map(|visit| self.no_show_at(visit))
            .chain(turns)
            .min()
    }

    /// When the visit becomes a no-show if nothing happens. A conversation has no deadline: a guest whose
    /// connection breaks in the middle of one may come back as long as the clerk has patience.
    fn no_show_at(&self, visit: &Visit) -> Option<Timestamp> {
        match visit.state {
            VisitState::Waiting => visit
                .absent_since
                .map(|since| later(since, self.rules.absence_grace)),
            VisitState::Called { at, .. } => Some(later(at, self.rules.no_show_after)),
            VisitState::InConversation { .. } | VisitState::Ended { .. } => None,
        }
    }

    pub(super) fn tick(&mut self, at: Timestamp) -> Outcome {
        let due: Vec<VisitId> = self
            .live()
            .filter(|visit| {
                self.no_show_at(visit)
                    .is_some_and(|deadline| deadline <= at)
            })
            .map(|visit| visit.id.clone())
            .collect();
        let mut outcome = Outcome::default();
        for id in &due {
            let called = self.visits.get(id).and_then(|visit| {
                let clerk = visit.clerk()?.clone();
                Some((clerk, visit.ticket))
            });
            self.close(id, Ending::NoShow, None, at, &mut outcome);
            if let Some((clerk, ticket)) = called {
                outcome.tell(&clerk, ClerkNotice::NoShow { ticket });
            }
        }
        // An appointment whose time has come has moved up without any input.
        let moved = self.live().any(|visit| {
            visit.state == VisitState::Waiting
                && matches!(visit.kind, VisitKind::Appointment { at: slot } if slot <= at)
        });
        if moved || !due.is_empty() {
            outcome.command(Command::Publish);
        }
        outcome
    }
}

/// `at + span`, or the end of time.
fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
