//! What clerks do. The first who calls a visit has it; whoever comes second is told so.

use jiff::Timestamp;

use crate::{
    ids::{MatrixUser, VisitId},
    input::{ClerkAction, ClerkNotice, Command, Outcome},
    office::{Desk, Office},
    visit::{Ending, Visit, VisitState},
};

impl Office {
    pub(super) fn act(
        &mut self,
        clerk: &MatrixUser,
        action: ClerkAction,
        at: Timestamp,
    ) -> Outcome {
        match action {
            ClerkAction::OnDuty => self.on_duty(clerk, at),
            ClerkAction::OffDuty => self.off_duty(clerk),
            ClerkAction::CallNext => self.call_next(clerk, at),
            ClerkAction::Call { visit } => self.call(clerk, &visit, at),
            ClerkAction::Approve { visit } => self.approve(clerk, &visit, at),
            ClerkAction::Decline { visit } => self.decline(clerk, &visit, at),
            ClerkAction::End { visit } => self.end(clerk, visit, at),
            ClerkAction::Pause => self.pause(clerk, at),
            ClerkAction::Resume => self.resume(clerk),
        }
    }

    fn on_duty(&mut self, clerk: &MatrixUser, at: Timestamp) -> Outcome {
        if self.desks.contains_key(clerk) {
            return Outcome::told(clerk, ClerkNotice::AlreadyOnDuty);
        }
        self.desks.insert(clerk.clone(), Desk { since: at });
        published(clerk, ClerkNotice::OnDuty)
    }

    fn off_duty(&mut self, clerk: &MatrixUser) -> Outcome {
        if self.desks.remove(clerk).is_none() {
            return Outcome::told(clerk, ClerkNotice::NotOnDuty);
        }
        published(clerk, ClerkNotice::OffDuty)
    }

    fn pause(&mut self, clerk: &MatrixUser, at: Timestamp) -> Outcome {
        if self.paused_since.is_some() {
            return Outcome::told(clerk, ClerkNotice::AlreadyPaused);
        }
        self.paused_since = Some(at);
        published(clerk, ClerkNotice::Paused)
    }

    fn resume(&mut self, clerk: &MatrixUser) -> Outcome {
        if self.paused_since.take().is_none() {
            return Outcome::told(clerk, ClerkNotice::NotPaused);
        }
        published(clerk, ClerkNotice::Resumed)
    }

    fn call_next(&mut self, clerk: &MatrixUser, at: Timestamp) -> Outcome {
        if let Some(own) = self.latest_of(clerk) {
            let ticket = own.ticket;
            return Outcome::told(clerk, ClerkNotice::StillBusy { ticket });
        }
        let Some(next) = self.head(at).map(|visit| visit.id.clone()) else {
            return Outcome::told(clerk, ClerkNotice::QueueEmpty);
        };
        self.call(clerk, &next, at)
    }

    /// Calling twice is calling once. Calling puts the clerk on duty without a word: the called ticket is
    /// answer enough.
    fn call(&mut self, clerk: &MatrixUser, id: &VisitId, at: Timestamp) -> Outcome {
        let Some(visit) = self.visits.get_mut(id) else {
            return Outcome::told(clerk, ClerkNotice::NoSuchVisit);
        };
        let ticket = visit.ticket;
        match &visit.state {
            VisitState::Waiting => {}
            VisitState::Called { clerk: by, .. } | VisitState::InConversation { clerk: by, .. } => {
                if by == clerk {
                    return Outcome::default();
                }
                let by = by.clone();
                return Outcome::told(clerk, ClerkNotice::AlreadyTaken { ticket, by });
            }
            VisitState::Ended { .. } => {
                return Outcome::told(clerk, ClerkNotice::AlreadyEnded { ticket });
            }
        }
        visit.state = VisitState::Called {
            clerk: clerk.clone(),
            at,
        };
        let absent = visit.absent_since.is_some();
        self.desks
            .entry(clerk.clone())
            .or_insert(Desk { since: at });

        let mut outcome = Outcome::default();
        outcome.change(id);
        outcome.command(Command::UpdateAnnouncement { visit: id.clone() });
        // In this order, because a far homeserver counts the invites it gets: the one that matters goes first.
        outcome.command(Command::OpenConsultation { visit: id.clone() });
        outcome.command(Command::ClearDoor { visit: id.clone() });
        outcome.tell(clerk, ClerkNotice::Called { ticket, absent });
        outcome.command(Command::Publish);
        outcome
    }

    /// The invite is out, whatever comes of the call: before all else the visitor must not get into the door
    /// room by it, where they would see who else knocks.
    fn approve(&mut self, clerk: &MatrixUser, id: &VisitId, at: Timestamp) -> Outcome {
        let mut outcome = self.call(clerk, id, at);
        let clear = Command::ClearDoor { visit: id.clone() };
        outcome.commands.retain(|command| *command != clear);
        outcome.commands.insert(0, clear);
        outcome
    }

    fn decline(&mut self, clerk: &MatrixUser, id: &VisitId, at: Timestamp) -> Outcome {
        let Some(visit) = self.visits.get(id) else {
            return Outcome::told(clerk, ClerkNotice::NoSuchVisit);
        };
        let ticket = visit.ticket;
        match &visit.state {
            VisitState::Waiting => {}
            VisitState::Called { clerk: by, .. } | VisitState::InConversation { clerk: by, .. } => {
                let by = by.clone();
                return Outcome::told(clerk, ClerkNotice::AlreadyTaken { ticket, by });
            }
            VisitState::Ended { .. } => {
                return Outcome::told(clerk, ClerkNotice::AlreadyEnded { ticket });
            }
        }
        let mut outcome = Outcome::default();
        self.close(id, Ending::Declined, Some(clerk), at, &mut outcome);
        outcome.tell(clerk, ClerkNotice::Declined { ticket });
        outcome.command(Command::Publish);
        outcome
    }

    fn end(&mut self, clerk: &MatrixUser, id: Option<VisitId>, at: Timestamp) -> Outcome {
        let Some(id) = id.or_else(|| self.latest_of(clerk).map(|own| own.id.clone())) else {
            return Outcome::told(clerk, ClerkNotice::NothingToEnd);
        };
        let Some(visit) = self.visits.get(&id) else {
            return Outcome::told(clerk, ClerkNotice::NoSuchVisit);
        };
        let ticket = visit.ticket;
        let (ending, owner) = match &visit.state {
            VisitState::Waiting => return Outcome::told(clerk, ClerkNotice::NothingToEnd),
            VisitState::Called { clerk, .. } => (Ending::NoShow, clerk.clone()),
            VisitState::InConversation { clerk, .. } => (Ending::Served, clerk.clone()),
            VisitState::Ended { .. } => {
                return Outcome::told(clerk, ClerkNotice::AlreadyEnded { ticket });
            }
        };
        let mut outcome = Outcome::default();
        self.close(&id, ending, None, at, &mut outcome);
        outcome.tell(clerk, ClerkNotice::Ended { ticket });
        if owner != *clerk {
            outcome.tell(&owner, ClerkNotice::Ended { ticket });
        }
        outcome.command(Command::Publish);
        outcome
    }

    /// The clerk's visit that was called or entered last. A clerk may have a second one by [`ClerkAction::Call`];
    /// like anything taken in between, it is finished first.
    fn latest_of<'a>(&'a self, clerk: &'a MatrixUser) -> Option<&'a Visit> {
        self.served_by(clerk)
            .max_by_key(|visit| (visit.since(), visit.ticket))
    }
}

/// A change that shows in the projection and in nothing else.
fn published(clerk: &MatrixUser, notice: ClerkNotice) -> Outcome {
    let mut outcome = Outcome::told(clerk, notice);
    outcome.command(Command::Publish);
    outcome
}
