//! The rules: what an input changes and what follows from it.
//!
//! Driving contract: one input, one outcome. The caller stores [`Outcome::changed`], the office and
//! [`Outcome::commands`] in one transaction. A visitor's impossible wish is an `Err` and changes nothing. A
//! clerk's impossible action is an `Ok` that changes no visit and no desk and tells the clerk why, because the
//! clerk's answer is a message in the door room and takes the same way out as every other command. Whatever
//! changes the public projection ends with exactly one [`Command::Publish`].

mod clerk;
mod time;
mod visitor;

use jiff::{SignedDuration, Timestamp};

use crate::{
    ids::{MatrixUser, VisitId},
    input::{Command, Input, Outcome, Refusal},
    office::{Now, Office},
    visit::{Ending, VisitState},
};

/// Conversations outside this span say nothing about how long one takes: a misclick, a forgotten window.
const MEASURED: std::ops::RangeInclusive<SignedDuration> =
    SignedDuration::from_secs(20)..=SignedDuration::from_hours(4);

impl Office {
    /// Decides. On `Err` nothing has changed. Visits that have ended are never touched again; they stay in
    /// [`Office::visits`] for the caller to store and drop.
    pub fn handle(&mut self, input: Input, now: &Now) -> Result<Outcome, Refusal> {
        match input {
            Input::Knock(knock) => self.knock(knock, now),
            Input::Leave { visit } => self.leave(&visit, now.at),
            Input::Enter { visit } => self.enter(&visit, now.at),
            Input::Presence { visit, here } => self.presence(&visit, here, now.at),
            Input::Clerk { clerk, action } => Ok(self.act(&clerk, action, now.at)),
            Input::Tick => Ok(self.tick(now.at)),
        }
    }

    /// Takes clerks off duty whom the city no longer names. Their conversations go on and can be ended by the
    /// visitor or a colleague.
    pub fn retain_clerks(&mut self, keep: impl Fn(&MatrixUser) -> bool) -> Outcome {
        let before = self.desks.len();
        self.desks.retain(|clerk, _| keep(clerk));
        let mut outcome = Outcome::default();
        if self.desks.len() != before {
            outcome.command(Command::Publish);
        }
        outcome
    }

    /// Ends a live visit and tidies up after it outside. Who is told, and [`Command::Publish`], are the
    /// caller's part. `by` is the clerk who declined; a clerk who talked is known.
    fn close(
        &mut self,
        id: &VisitId,
        ending: Ending,
        by: Option<&MatrixUser>,
        at: Timestamp,
        outcome: &mut Outcome,
    ) {
        let Some(visit) = self.visits.get_mut(id).filter(|visit| visit.is_live()) else {
            return;
        };
        let ended = VisitState::Ended {
            ending,
            at,
            clerk: by.cloned(),
        };
        let before = std::mem::replace(&mut visit.state, ended);
        outcome.change(id);
        outcome.command(Command::UpdateAnnouncement { visit: id.clone() });
        outcome.command(Command::RedactConcern { visit: id.clone() });
        outcome.command(if before == VisitState::Waiting {
            Command::ClearDoor { visit: id.clone() }
        } else {
            Command::CloseConsultation {
                visit: id.clone(),
                ending,
            }
        });
        if let VisitState::InConversation { clerk, since } = before {
            visit.state = VisitState::Ended {
                ending,
                at,
                clerk: Some(clerk),
            };
            self.measure(at.duration_since(since));
        }
    }

    /// Remembers how long a conversation took.
    fn measure(&mut self, duration: SignedDuration) {
        if !MEASURED.contains(&duration) {
            return;
        }
        self.recent_durations.push(duration);
        let surplus = self
            .recent_durations
            .len()
            .saturating_sub(Self::DURATIONS_KEPT);
        self.recent_durations.drain(..surplus);
    }
}
