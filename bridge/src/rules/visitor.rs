//! What visitors do.

use jiff::{Timestamp, civil::Date};

use crate::{
    ids::{Ticket, VisitId},
    input::{ClerkNotice, Command, Knock, Outcome, Refusal},
    office::{Now, Office},
    visit::{Ending, Visit, VisitKind, VisitState, Visitor},
};

impl Office {
    /// Whoever has an appointment is expected: neither the minutes before the office opens, nor a pause, nor a long
    /// queue turns them away. A guest counts as absent until the page has connected, so that a page that never does ends by
    /// [`crate::office::Rules::absence_grace`].
    pub(super) fn knock(&mut self, knock: Knock, now: &Now) -> Result<Outcome, Refusal> {
        if let Some(visit) = self.live().find(|visit| visit.visitor == knock.visitor) {
            return Err(Refusal::AlreadyHere {
                visit: visit.id.clone(),
            });
        }
        if self.visits.contains_key(&knock.visit) {
            return Err(Refusal::WrongState);
        }
        if knock.kind == VisitKind::WalkIn {
            self.accepting(now)?;
        }
        let (day, ticket) = self.next_ticket(now.today).ok_or(Refusal::QueueFull)?;

        let Knock {
            visit: id,
            visitor,
            kind,
            language,
            service,
        } = knock;
        let mut outcome = Outcome::default();
        outcome.change(&id);
        let absent_since = match visitor {
            Visitor::Guest(_) => {
                outcome.command(Command::PlaceKnock { visit: id.clone() });
                Some(now.at)
            }
            // Has knocked in Matrix; that is how we know.
            Visitor::Matrix(_) => None,
        };
        outcome.command(Command::Announce { visit: id.clone() });
        outcome.command(Command::Publish);

        self.last_ticket = Some((day, ticket.number));
        let visit = Visit {
            id: id.clone(),
            ticket,
            visitor,
            kind,
            language,
            service,
            knocked_at: now.at,
            absent_since,
            state: VisitState::Waiting,
        };
        self.visits.insert(id, visit);
        Ok(outcome)
    }

    /// The next ticket and the day it belongs to. A day that seems to run backwards (a clock set back over
    /// midnight) goes on with the later day's numbers, and a number that a visit of another day still holds is
    /// left out: a ticket names one live visit. `None` when the numbers are used up.
    fn next_ticket(&self, today: Date) -> Option<(Date, Ticket)> {
        let (day, last) = self
            .last_ticket
            .filter(|(day, _)| *day >= today)
            .unwrap_or((today, 0));
        let mut ticket = Ticket {
            letter: self.rules.ticket_letter,
            number: last.checked_add(1)?,
        };
        while self.by_ticket(ticket).is_some() {
            ticket.number = ticket.number.checked_add(1)?;
        }
        Some((day, ticket))
    }

    /// Going during or after a conversation is how most conversations end: the visit counts as served.
    pub(super) fn leave(&mut self, id: &VisitId, at: Timestamp) -> Result<Outcome, Refusal> {
        let visit = self.live_visit(id)?;
        let ticket = visit.ticket;
        let clerk = visit.clerk().cloned();
        let ending = match visit.state {
            VisitState::InConversation { .. } => Ending::Served,
            _ => Ending::Left,
        };
        let mut outcome = Outcome::default();
        self.close(id, ending, None, at, &mut outcome);
        if let Some(clerk) = clerk {
            outcome.tell(&clerk, ClerkNotice::VisitorLeft { ticket });
        }
        outcome.command(Command::Publish);
        Ok(outcome)
    }

    /// Entering again is nothing new: clients and retries may say it twice.
    pub(super) fn enter(&mut self, id: &VisitId, at: Timestamp) -> Result<Outcome, Refusal> {
        let visit = self.live_visit(id)?;
        let clerk = match &visit.state {
            VisitState::Called { clerk, .. } => clerk.clone(),
            VisitState::InConversation { .. } => return Ok(Outcome::default()),
            VisitState::Waiting | VisitState::Ended { .. } => return Err(Refusal::WrongState),
        };
        visit.state = VisitState::InConversation { clerk, since: at };
        let mut outcome = Outcome::default();
        outcome.change(id);
        outcome.command(Command::UpdateAnnouncement { visit: id.clone() });
        outcome.command(Command::Publish);
        Ok(outcome)
    }

    /// Only guests have a page whose connection can be lost; of others it says nothing.
    pub(super) fn presence(
        &mut self,
        id: &VisitId,
        here: bool,
        at: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let visit = self.live_visit(id)?;
        let mut outcome = Outcome::default();
        let absent_since = match (&visit.visitor, here) {
            (Visitor::Matrix(_), _) | (Visitor::Guest(_), true) => None,
            (Visitor::Guest(_), false) => visit.absent_since.or(Some(at)),
        };
        if visit.absent_since != absent_since {
            visit.absent_since = absent_since;
            outcome.change(id);
        }
        Ok(outcome)
    }

    fn live_visit(&mut self, id: &VisitId) -> Result<&mut Visit, Refusal> {
        self.visits
            .get_mut(id)
            .filter(|visit| visit.is_live())
            .ok_or(Refusal::UnknownVisit)
    }
}
