//! What holds after any sequence of inputs.
#![expect(
    clippy::unwrap_used,
    reason = "in a helper as in a test, the unexpected fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};

use bridge::{
    ids::{GuestId, Language, MatrixUser, Ticket, VisitId},
    input::{ClerkAction, ClerkNotice, Command, Input, Knock, Outcome},
    office::{Now, Occupancy, Office, QueueEntry, QueueKind, QueueState, Rules},
    visit::{Visit, VisitKind, VisitState, Visitor},
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::date};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_after_any_sequence_of_inputs(steps in prop::collection::vec(step(), 1..120)) {
        let mut history = History::begins();
        for step in steps {
            history.goes_on(step);
        }
    }

    #[test]
    fn a_full_house_is_called_in_order(names in prop::collection::vec(0..VISITORS, 1..30)) {
        let mut history = History::begins();
        for visitor in names {
            history.goes_on(Step::Knock { visitor, slot: None });
            history.goes_on(Step::Wait { minutes: 1 });
        }
        let mut expected = waiting(&history.office.queue(history.now.at));
        expected.sort();
        let mut called = Vec::new();
        while history.office.occupancy(&history.now).waiting > 0 {
            history.goes_on(Step::Clerk { clerk: 0, action: Action::CallNext });
            called.extend(history.office.queue(history.now.at).into_iter()
                .filter(|entry| entry.state == QueueState::Called)
                .map(|entry| entry.ticket));
            history.goes_on(Step::Clerk { clerk: 0, action: Action::End(None) });
        }
        prop_assert_eq!(called, expected);
    }
}

const CLERKS: u8 = 3;
const VISITORS: u8 = 8;
const LIMIT: usize = 5;

/// Something that happens. Visits are meant by the number of their knock, modulo all there were.
#[derive(Debug, Clone)]
enum Step {
    Knock { visitor: u8, slot: Option<i64> },
    Leave(usize),
    Enter(usize),
    Presence(usize, bool),
    Clerk { clerk: u8, action: Action },
    Tick,
    Wait { minutes: i64 },
    Midnight,
    Hours { open: bool },
    Stored,
    Dismissed { clerk: u8 },
}

#[derive(Debug, Clone)]
enum Action {
    OnDuty,
    OffDuty,
    CallNext,
    Call(usize),
    Approve(usize),
    Decline(usize),
    End(Option<usize>),
    Pause,
    Resume,
}

fn step() -> impl Strategy<Value = Step> {
    let any_visit = || 0..64_usize;
    prop_oneof![
        8 => (0..VISITORS, prop::option::weighted(0.25, -30..60_i64))
            .prop_map(|(visitor, slot)| Step::Knock { visitor, slot }),
        2 => any_visit().prop_map(Step::Leave),
        4 => any_visit().prop_map(Step::Enter),
        4 => (any_visit(), any::<bool>()).prop_map(|(visit, here)| Step::Presence(visit, here)),
        10 => (0..CLERKS, action()).prop_map(|(clerk, action)| Step::Clerk { clerk, action }),
        2 => Just(Step::Tick),
        4 => (0..20_i64).prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::Midnight),
        2 => prop::bool::weighted(0.8).prop_map(|open| Step::Hours { open }),
        2 => Just(Step::Stored),
        1 => (0..CLERKS).prop_map(|clerk| Step::Dismissed { clerk }),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let any_visit = || 0..64_usize;
    prop_oneof![
        2 => Just(Action::OnDuty),
        1 => Just(Action::OffDuty),
        6 => Just(Action::CallNext),
        2 => any_visit().prop_map(Action::Call),
        2 => any_visit().prop_map(Action::Approve),
        1 => any_visit().prop_map(Action::Decline),
        4 => prop::option::of(any_visit()).prop_map(Action::End),
        1 => Just(Action::Pause),
        1 => Just(Action::Resume),
    ]
}

/// An office and all that ever happened there.
struct History {
    office: Office,
    now: Now,
    /// Every visit ever accepted or refused, in the order of the knocks.
    knocks: Vec<VisitId>,
    /// Every visit ever accepted, as it was last seen.
    accepted: BTreeMap<VisitId, Visit>,
    /// Every ticket ever given, by day.
    tickets: BTreeSet<(jiff::civil::Date, Ticket)>,
}

impl History {
    fn begins() -> Self {
        Self {
            office: Office::new(
                "gewerbe".parse().unwrap(),
                Rules {
                    ticket_letter: 'G',
                    no_show_after: SignedDuration::from_mins(5),
                    absence_grace: SignedDuration::from_mins(30),
                    queue_limit: LIMIT,
                    usual_duration: SignedDuration::from_mins(20),
                },
            ),
            now: Now {
                at: "2026-11-02T08:00:00Z".parse().unwrap(),
                today: date(2026, 11, 2),
                open: true,
                next_opening: None,
            },
            knocks: Vec::new(),
            accepted: BTreeMap::new(),
            tickets: BTreeSet::new(),
        }
    }

    fn goes_on(&mut self, step: Step) {
        // No two things happen in one instant, so that `since` orders them.
        self.now.at += SignedDuration::from_secs(1);
        match step {
            Step::Wait { minutes } => self.now.at += SignedDuration::from_mins(minutes),
            Step::Midnight => self.now.today = self.now.today.saturating_add(1.day()),
            Step::Hours { open } => self.now.open = open,
            Step::Stored => self.office.visits.retain(|_, visit| visit.is_live()),
            Step::Dismissed { clerk: gone } => {
                let before = self.projection();
                let gone = clerk(gone);
                let outcome = self.office.retain_clerks(|clerk| *clerk != gone);
                self.published_what_changed(&before, &outcome);
            }
            step => {
                let input = self.input(step);
                self.handles(&input);
            }
        }
        self.is_sound();
    }

    fn input(&mut self, step: Step) -> Input {
        match step {
            Step::Knock { visitor, slot } => {
                let mut bytes = [0; 16];
                bytes[..8].copy_from_slice(&self.knocks.len().to_be_bytes());
                let visit = VisitId::from_random(bytes);
                self.knocks.push(visit.clone());
                Input::Knock(Knock {
                    visit,
                    visitor: if visitor == 0 {
                        Visitor::Matrix("@mia:far.example".parse().unwrap())
                    } else {
                        Visitor::Guest(GuestId::from_digest([visitor; 16]))
                    },
                    kind: slot.map_or(VisitKind::WalkIn, |minutes| VisitKind::Appointment {
                        at: self.now.at + SignedDuration::from_mins(minutes),
                    }),
                    language: Language::De,
                    service: None,
                })
            }
            Step::Leave(n) => Input::Leave { visit: self.nth(n) },
            Step::Enter(n) => Input::Enter { visit: self.nth(n) },
            Step::Presence(n, here) => Input::Presence {
                visit: self.nth(n),
                here,
            },
            Step::Clerk {
                clerk: name,
                action,
            } => Input::Clerk {
                clerk: clerk(name),
                action: match action {
                    Action::OnDuty => ClerkAction::OnDuty,
                    Action::OffDuty => ClerkAction::OffDuty,
                    Action::CallNext => ClerkAction::CallNext,
                    Action::Call(n) => ClerkAction::Call { visit: self.nth(n) },
                    Action::Approve(n) => ClerkAction::Approve { visit: self.nth(n) },
                    Action::Decline(n) => ClerkAction::Decline { visit: self.nth(n) },
                    Action::End(n) => ClerkAction::End {
                        visit: n.map(|n| self.nth(n)),
                    },
                    Action::Pause => ClerkAction::Pause,
                    Action::Resume => ClerkAction::Resume,
                },
            },
            _ => Input::Tick,
        }
    }

    /// The n-th newest visit; before the first knock, one that never was.
    fn nth(&self, n: usize) -> VisitId {
        match self.knocks.len() {
            0 => VisitId::from_random([0xff; 16]),
            all => self.knocks[all - 1 - n % all].clone(),
        }
    }

    fn handles(&mut self, input: &Input) {
        let before = self.office.clone();
        let projection = self.projection();
        let Ok(outcome) = self.office.handle(input.clone(), &self.now) else {
            assert!(
                !matches!(input, Input::Clerk { .. } | Input::Tick),
                "clerks and clocks are never refused"
            );
            assert_eq!(self.office, before, "a refusal changes nothing");
            return;
        };
        self.published_what_changed(&projection, &outcome);
        self.changed_what_it_says(&before, &outcome);
        if let Input::Knock(knock) = input {
            let visit = &self.office.visits[&knock.visit];
            assert!(
                self.tickets.insert((self.now.today, visit.ticket)),
                "{} was given twice",
                visit.ticket
            );
            assert!(
                knock.kind != VisitKind::WalkIn || self.now.open && before.paused_since.is_none()
            );
        }
        self.called_the_right_one(&before, input, &outcome);
        if *input == Input::Tick {
            let next = self.office.next_deadline(&self.now);
            assert!(next.is_none_or(|next| next > self.now.at));
        }
    }

    /// The public projection, without the time it was made.
    fn projection(&self) -> (Occupancy, Vec<QueueEntry>) {
        let mut occupancy = self.office.occupancy(&self.now);
        occupancy.as_of = Timestamp::UNIX_EPOCH;
        (occupancy, self.office.queue(self.now.at))
    }

    fn published_what_changed(&self, before: &(Occupancy, Vec<QueueEntry>), outcome: &Outcome) {
        let published = outcome
            .commands
            .iter()
            .filter(|command| **command == Command::Publish)
            .count();
        assert!(published <= 1, "published {published} times");
        if self.projection() != *before {
            assert_eq!(outcome.commands.last(), Some(&Command::Publish));
        }
    }

    fn changed_what_it_says(&mut self, before: &Office, outcome: &Outcome) {
        let said: BTreeSet<_> = outcome.changed.iter().cloned().collect();
        assert_eq!(said.len(), outcome.changed.len(), "each once");
        let changed: BTreeSet<_> = self
            .office
            .visits
            .iter()
            .filter(|(id, visit)| before.visits.get(*id) != Some(*visit))
            .map(|(id, _)| id.clone())
            .collect();
        assert_eq!(said, changed);
        for id in changed {
            let visit = self.office.visits[&id].clone();
            if let Some(earlier) = self.accepted.insert(id, visit) {
                assert!(earlier.is_live(), "ended stays ended");
            }
        }
    }

    /// *Call next* takes the head of the queue and nobody else; nothing takes a visit from another desk.
    fn called_the_right_one(&self, before: &Office, input: &Input, outcome: &Outcome) {
        for visit in before.live() {
            if let (Some(owner), Some(after)) = (visit.clerk(), self.office.visits.get(&visit.id)) {
                assert!(!after.is_live() || after.clerk() == Some(owner));
            }
        }
        let Input::Clerk {
            clerk,
            action: ClerkAction::CallNext,
        } = input
        else {
            return;
        };
        let called = outcome.commands.iter().find_map(|command| match command {
            Command::TellClerk {
                notice: ClerkNotice::Called { ticket, .. },
                ..
            } => Some(*ticket),
            _ => None,
        });
        let busy = before.live().any(|visit| visit.clerk() == Some(clerk));
        let callable = before.live().any(|visit| {
            visit.state == VisitState::Waiting
                && !matches!(visit.kind, VisitKind::Appointment { at } if at > self.now.at)
        });
        assert_eq!(called.is_some(), callable && !busy);
        if let Some(ticket) = called {
            assert_eq!(before.queue(self.now.at)[0].ticket, ticket);
            let visit = self.office.by_ticket(ticket).unwrap();
            assert_eq!(visit.clerk(), Some(clerk));
            assert!(self.office.desks.contains_key(clerk));
        }
    }

    fn is_sound(&self) {
        let Self {
            office,
            now,
            accepted,
            ..
        } = self;
        // No visit is lost, and none comes back.
        for (id, visit) in accepted {
            match office.visits.get(id) {
                Some(kept) => assert_eq!(kept, visit),
                None => assert!(!visit.is_live(), "{id} is lost"),
            }
        }
        assert!(office.visits.keys().all(|id| accepted.contains_key(id)));

        // Every live visit stands in the queue exactly once, and the numbers agree with it.
        let queue = office.queue(now.at);
        let tickets: BTreeSet<_> = queue.iter().map(|entry| entry.ticket).collect();
        assert_eq!(tickets.len(), queue.len());
        assert_eq!(
            tickets,
            office
                .live()
                .map(|visit| visit.ticket)
                .collect::<BTreeSet<_>>()
        );
        let occupancy = office.occupancy(now);
        let waiting = waiting(&queue);
        assert_eq!(occupancy.waiting as usize, waiting.len());
        assert_eq!(
            occupancy.in_conversation as usize,
            queue.len() - waiting.len()
        );
        let walk_ins = queue
            .iter()
            .filter(|entry| entry.state == QueueState::Waiting && entry.kind == QueueKind::WalkIn);
        assert!(walk_ins.count() <= LIMIT);
        assert!(
            queue.is_sorted_by_key(|entry| match entry.state {
                QueueState::Waiting => 0,
                QueueState::Called => 1,
                QueueState::InConversation => 2,
            }),
            "{queue:?}"
        );

        // Places are the queue's.
        for visit in office.visits.values() {
            let place = waiting
                .iter()
                .position(|ticket| visit.state == VisitState::Waiting && *ticket == visit.ticket);
            assert_eq!(
                office.position(&visit.id, now.at),
                place.map(|place| u32::try_from(place).unwrap() + 1)
            );
        }
        self.keeps_the_order();
        self.estimates_honestly(&occupancy);

        // One live visit per visitor.
        let visitors: Vec<_> = office.live().map(|visit| &visit.visitor).collect();
        let distinct: std::collections::HashSet<_> = visitors.iter().collect();
        assert_eq!(distinct.len(), visitors.len());
        assert!(office.recent_durations.len() <= Office::DURATIONS_KEPT);
    }

    /// Due appointments by slot, then walk-ins by knock, then early appointments by slot.
    fn keeps_the_order(&self) {
        let order: Vec<_> = self
            .office
            .queue(self.now.at)
            .iter()
            .filter(|entry| entry.state == QueueState::Waiting)
            .map(|entry| {
                let visit = self.office.by_ticket(entry.ticket).unwrap();
                match visit.kind {
                    VisitKind::Appointment { at } if at <= self.now.at => (0, at),
                    VisitKind::WalkIn => (1, visit.knocked_at),
                    VisitKind::Appointment { at } => (2, at),
                }
            })
            .collect();
        assert!(order.is_sorted(), "{order:?}");
    }

    fn estimates_honestly(&self, occupancy: &Occupancy) {
        let manned = !self.office.desks.is_empty();
        assert_eq!(
            occupancy.estimated_wait_s.is_some(),
            manned && self.now.open
        );
        let estimates = self.office.estimates(&self.now);
        for visit in self.office.live() {
            let estimate = estimates.get(&visit.id).copied();
            assert_eq!(estimate, self.office.estimate_for(&visit.id, &self.now));
            assert_eq!(
                estimate.is_some(),
                manned && visit.state == VisitState::Waiting
            );
        }
        for range in estimates
            .values()
            .copied()
            .chain(occupancy.estimated_wait_s)
        {
            assert!(
                range.low <= range.high && range.high <= 8 * 3600,
                "{range:?}"
            );
        }
        // Nobody is told to be called before somebody who stands before them, unless their hour comes first.
        let walk_ins: Vec<_> = self
            .office
            .queue(self.now.at)
            .iter()
            .filter(|entry| entry.state == QueueState::Waiting)
            .filter_map(|entry| self.office.by_ticket(entry.ticket))
            .filter(|visit| visit.kind == VisitKind::WalkIn)
            .filter_map(|visit| estimates.get(&visit.id))
            .chain(&occupancy.estimated_wait_s)
            .map(|range| (range.low, range.high))
            .collect();
        assert!(walk_ins.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1));
    }
}

fn waiting(queue: &[QueueEntry]) -> Vec<Ticket> {
    queue
        .iter()
        .filter(|entry| entry.state == QueueState::Waiting)
        .map(|entry| entry.ticket)
        .collect()
}

fn clerk(number: u8) -> MatrixUser {
    format!("@clerk{number}:city.example").parse().unwrap()
}
