//! The rules as dialogues: somebody does something, this follows, time passes. The office has two clerks,
//! Anna and Ben; guests are called by their first names. Helpers are at the bottom.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a helper as in a test, the unexpected fails the test"
)]

use bridge::{
    ids::{GuestId, Language, MatrixUser, Ticket, VisitId},
    input::{ClerkAction, ClerkNotice, Command, Input, Knock, Outcome, Refusal},
    office::{Now, Office, QueueState, Rules, Status, WaitRange},
    visit::{Ending, VisitKind, VisitState, Visitor},
};
use jiff::{SignedDuration, Timestamp, civil::date};

#[test]
fn a_whole_visit() {
    let mut s = Scene::opens();
    assert_eq!(s.status(), Status::Busy, "open, but nobody is on duty");
    s.clerk("anna", ClerkAction::OnDuty)
        .then(&[tell("anna", ClerkNotice::OnDuty), Command::Publish]);
    assert_eq!(s.status(), Status::Free);

    s.knock("mia")
        .then(&[place_knock("mia"), announce("mia"), Command::Publish]);
    s.connect("mia").then(&[]);
    assert_eq!(s.status(), Status::Busy);
    assert_eq!(s.queue(), ["G-001 waiting"]);

    s.clerk("anna", ClerkAction::CallNext).then(&[
        update("mia"),
        open_consultation("mia"),
        clear_door("mia"),
        tell("anna", called(1)),
        Command::Publish,
    ]);
    assert_eq!(s.queue(), ["G-001 called"]);

    s.passes(seconds(30));
    s.enter("mia").then(&[update("mia"), Command::Publish]);
    s.enter("mia").then(&[]);
    assert_eq!(s.queue(), ["G-001 in conversation"]);

    s.passes(minutes(12));
    s.clerk("anna", ClerkAction::End { visit: None }).then(&[
        update("mia"),
        redact("mia"),
        close_consultation("mia", Ending::Served),
        tell("anna", ClerkNotice::Ended { ticket: ticket(1) }),
        Command::Publish,
    ]);
    assert_eq!(s.ended("mia"), (Ending::Served, Some(clerk("anna"))));
    assert_eq!(s.status(), Status::Free);
    assert_eq!(s.office.recent_durations, [minutes(12)]);
}

#[test]
fn first_come_first_served_by_several_desks() {
    let mut s = Scene::with_clerks(&["anna", "ben"]);
    s.knock("mia");
    s.passes(seconds(1));
    s.knock("ole");
    s.knock("eda");
    assert_eq!(s.positions(), [("mia", 1), ("ole", 2), ("eda", 3)]);

    s.clerk("ben", ClerkAction::CallNext);
    s.clerk("anna", ClerkAction::CallNext);
    assert_eq!(s.with("mia"), Some(clerk("ben")));
    assert_eq!(s.with("ole"), Some(clerk("anna")));
    assert_eq!(s.queue(), ["G-003 waiting", "G-001 called", "G-002 called"]);
    s.clerk("anna", ClerkAction::CallNext)
        .then(&[tell("anna", ClerkNotice::StillBusy { ticket: ticket(2) })]);
    assert_eq!(s.positions(), [("eda", 1)]);
}

#[test]
fn two_clerks_reach_for_one_visit_and_the_first_has_it() {
    let taken = ClerkNotice::AlreadyTaken {
        ticket: ticket(1),
        by: clerk("anna"),
    };
    let mut s = Scene::with_clerks(&["anna", "ben"]);
    s.knock("mia");
    s.clerk("anna", ClerkAction::CallNext);

    s.clerk("ben", call("mia"))
        .then(&[tell("ben", taken.clone())]);
    // Element has sent Ben's invite already: it must not let Mia into the door room.
    s.clerk("ben", approve("mia"))
        .then(&[clear_door("mia"), tell("ben", taken.clone())]);
    s.clerk("ben", decline("mia")).then(&[tell("ben", taken)]);
    s.clerk("ben", ClerkAction::CallNext)
        .then(&[tell("ben", ClerkNotice::QueueEmpty)]);

    s.clerk("anna", call("mia")).then(&[]);
    s.clerk("anna", approve("mia")).then(&[clear_door("mia")]);
    assert_eq!(s.with("mia"), Some(clerk("anna")));
}

#[test]
fn approving_in_element_is_calling() {
    let mut s = Scene::opens();
    s.knock("mia");
    s.clerk("anna", approve("mia")).then(&[
        clear_door("mia"),
        update("mia"),
        open_consultation("mia"),
        tell(
            "anna",
            ClerkNotice::Called {
                ticket: ticket(1),
                absent: true,
            },
        ),
        Command::Publish,
    ]);
    assert!(
        s.office.desks.contains_key(&clerk("anna")),
        "who calls is on duty"
    );
}

#[test]
fn a_clerk_may_take_a_second_visit_by_its_ticket_and_finishes_that_one_first() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    s.knock("ole");
    s.clerk("anna", ClerkAction::CallNext);
    s.enter("mia");
    s.passes(minutes(1));
    s.clerk("anna", call("ole"));
    assert_eq!(s.with("ole"), Some(clerk("anna")));

    s.clerk("anna", ClerkAction::End { visit: None });
    assert_eq!(s.ended("ole"), (Ending::NoShow, None));
    s.passes(minutes(1));
    s.clerk("anna", ClerkAction::End { visit: None });
    assert_eq!(s.ended("mia"), (Ending::Served, Some(clerk("anna"))));
    s.clerk("anna", ClerkAction::End { visit: None })
        .then(&[tell("anna", ClerkNotice::NothingToEnd)]);
}

#[test]
fn declining_is_for_those_who_wait() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    s.clerk("anna", decline("mia")).then(&[
        update("mia"),
        redact("mia"),
        clear_door("mia"),
        tell("anna", ClerkNotice::Declined { ticket: ticket(1) }),
        Command::Publish,
    ]);
    assert_eq!(s.ended("mia"), (Ending::Declined, Some(clerk("anna"))));
    s.clerk("anna", decline("mia")).then(&[tell(
        "anna",
        ClerkNotice::AlreadyEnded { ticket: ticket(1) },
    )]);
}

#[test]
fn an_ended_visit_cannot_be_called_and_its_invite_is_taken_back() {
    let gone = ClerkNotice::AlreadyEnded { ticket: ticket(1) };
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    s.leave("mia").then(&[
        update("mia"),
        redact("mia"),
        clear_door("mia"),
        Command::Publish,
    ]);
    assert_eq!(s.ended("mia"), (Ending::Left, None));
    s.clerk("anna", call("mia"))
        .then(&[tell("anna", gone.clone())]);
    s.clerk("anna", approve("mia"))
        .then(&[clear_door("mia"), tell("anna", gone)]);

    s.stored();
    s.clerk("anna", call("mia"))
        .then(&[tell("anna", ClerkNotice::NoSuchVisit)]);
    s.clerk("anna", approve("mia"))
        .then(&[clear_door("mia"), tell("anna", ClerkNotice::NoSuchVisit)]);
    assert_eq!(s.refused(leave("mia")), Refusal::UnknownVisit);
}

#[test]
fn a_visitor_leaves_when_called_and_in_the_middle_of_a_conversation() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    s.clerk("anna", ClerkAction::CallNext);
    s.leave("mia").then(&[
        update("mia"),
        redact("mia"),
        close_consultation("mia", Ending::Left),
        tell("anna", ClerkNotice::VisitorLeft { ticket: ticket(1) }),
        Command::Publish,
    ]);

    s.knock("ole");
    s.clerk("anna", ClerkAction::CallNext);
    s.enter("ole");
    s.passes(minutes(3));
    s.leave("ole").then(&[
        update("ole"),
        redact("ole"),
        close_consultation("ole", Ending::Served),
        tell("anna", ClerkNotice::VisitorLeft { ticket: ticket(2) }),
        Command::Publish,
    ]);
    assert_eq!(s.ended("ole"), (Ending::Served, Some(clerk("anna"))));
    assert_eq!(s.refused(leave("ole")), Refusal::UnknownVisit);
}

#[test]
fn who_is_called_and_does_not_come_is_a_no_show() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    s.connect("mia");
    s.passes(minutes(60));
    s.tick().then(&[]);
    s.clerk("anna", ClerkAction::CallNext);
    assert_eq!(s.deadline(), Some(minutes(3)));
    s.passes(minutes(3) - seconds(1));
    s.tick().then(&[]);
    s.passes(seconds(1));
    s.tick().then(&[
        update("mia"),
        redact("mia"),
        close_consultation("mia", Ending::NoShow),
        tell("anna", ClerkNotice::NoShow { ticket: ticket(1) }),
        Command::Publish,
    ]);
    assert_eq!(s.ended("mia"), (Ending::NoShow, None));
    assert_eq!(s.deadline(), None);
}

#[test]
fn a_lost_connection_keeps_the_place_for_the_grace_time() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    s.knock("ole");
    s.connect("mia");
    s.connect("ole");
    s.disconnect("mia");
    s.passes(minutes(9));
    s.disconnect("mia");
    assert_eq!(s.deadline(), Some(minutes(1)), "counts from the first loss");
    s.connect("mia");
    s.passes(minutes(9));
    s.tick().then(&[]);
    assert_eq!(s.positions(), [("mia", 1), ("ole", 2)]);

    s.disconnect("mia");
    s.passes(minutes(10));
    s.tick().then(&[
        update("mia"),
        redact("mia"),
        clear_door("mia"),
        Command::Publish,
    ]);
    assert_eq!(s.ended("mia"), (Ending::NoShow, None));
    assert_eq!(s.positions(), [("ole", 1)]);
}

#[test]
fn a_page_that_never_connects_does_not_wait_for_ever() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    assert_eq!(s.deadline(), Some(minutes(10)));
    s.passes(minutes(10));
    s.tick();
    assert_eq!(s.ended("mia"), (Ending::NoShow, None));
}

#[test]
fn a_conversation_outlives_lost_connections_and_the_clerks_duty() {
    let mut s = Scene::with_clerks(&["anna", "ben"]);
    s.knock("mia");
    s.clerk("anna", ClerkAction::CallNext);
    s.enter("mia");
    s.disconnect("mia");
    s.clerk("anna", ClerkAction::OffDuty)
        .then(&[tell("anna", ClerkNotice::OffDuty), Command::Publish]);
    s.passes(minutes(90));
    s.tick().then(&[]);
    assert_eq!(s.with("mia"), Some(clerk("anna")));

    // Anna is gone; Ben tidies up, and both are told.
    let ended = ClerkNotice::Ended { ticket: ticket(1) };
    s.clerk("ben", end("mia")).then(&[
        update("mia"),
        redact("mia"),
        close_consultation("mia", Ending::Served),
        tell("ben", ended.clone()),
        tell("anna", ended),
        Command::Publish,
    ]);
    assert_eq!(s.ended("mia"), (Ending::Served, Some(clerk("anna"))));
}

#[test]
fn a_pause_and_closing_time_stop_knocks_and_nothing_else() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    s.knock("ole");
    s.clerk("anna", ClerkAction::Pause)
        .then(&[tell("anna", ClerkNotice::Paused), Command::Publish]);
    s.clerk("anna", ClerkAction::Pause)
        .then(&[tell("anna", ClerkNotice::AlreadyPaused)]);
    assert_eq!(s.status(), Status::Paused);
    assert_eq!(s.refused(knock("eda")), Refusal::Paused);
    s.clerk("anna", ClerkAction::CallNext);
    assert_eq!(s.with("mia"), Some(clerk("anna")));

    let morning = s.now.at + minutes(900);
    s.closes(Some(morning));
    assert_eq!(s.status(), Status::Closed);
    assert_eq!(
        s.refused(knock("eda")),
        Refusal::Closed {
            next_opening: Some(morning)
        }
    );
    assert_eq!(s.office.occupancy(&s.now).estimated_wait_s, None);
    assert_eq!(s.office.occupancy(&s.now).next_opening, Some(morning));
    assert!(
        s.office.estimate_for(&visit("ole"), &s.now).is_some(),
        "who waits at closing time is still called"
    );
    s.clerk("anna", call("ole"));
    assert_eq!(s.with("ole"), Some(clerk("anna")));
    s.clerk("anna", ClerkAction::Resume)
        .then(&[tell("anna", ClerkNotice::Resumed), Command::Publish]);
    s.clerk("anna", ClerkAction::Resume)
        .then(&[tell("anna", ClerkNotice::NotPaused)]);
}

#[test]
fn one_live_visit_per_visitor() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    let again = Input::Knock(Knock {
        visit: visit("mia again"),
        ..knock_of("mia")
    });
    let here = Refusal::AlreadyHere {
        visit: visit("mia"),
    };
    assert_eq!(s.refused(again.clone()), here);
    s.closes(None);
    assert_eq!(
        s.refused(again.clone()),
        here,
        "her visit is worth more to her than the hours"
    );
    s.reopens();
    s.leave("mia");
    s.does(again);
    assert_eq!(s.queue(), ["G-002 waiting"]);
}

#[test]
fn a_visitor_with_an_own_account_has_knocked_already() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.does(Input::Knock(Knock {
        visitor: Visitor::Matrix(clerk("mia")),
        ..knock_of("mia")
    }))
    .then(&[announce("mia"), Command::Publish]);
    s.disconnect("mia").then(&[]);
    s.passes(minutes(600));
    s.tick().then(&[]);
    s.clerk("anna", ClerkAction::CallNext);
    s.passes(minutes(3));
    s.tick();
    assert_eq!(s.ended("mia"), (Ending::NoShow, None));
}

#[test]
fn the_queue_has_a_limit() {
    let mut s = Scene::with_clerks(&["anna"]);
    for name in ["a", "b", "c", "d", "e"] {
        s.knock(name);
    }
    assert_eq!(s.refused(knock("mia")), Refusal::QueueFull);
    s.clerk("anna", ClerkAction::CallNext);
    s.knock("mia");
}

#[test]
fn tickets_count_from_one_each_day_and_never_name_two_live_visits() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("a");
    s.knock("b");
    s.leave("b");
    s.knock("c");
    assert_eq!(s.queue(), ["G-001 waiting", "G-003 waiting"]);

    s.now.today = date(2026, 11, 3);
    s.knock("d");
    assert_eq!(s.ticket_of("d"), ticket(2), "G-001 still waits");
    s.now.today = date(2026, 11, 2);
    s.knock("e");
    assert_eq!(s.ticket_of("e"), ticket(4), "the clock was set back");
    s.now.today = date(2026, 11, 4);
    s.leave("a");
    s.knock("f");
    assert_eq!(s.ticket_of("f"), ticket(1));
}

#[test]
fn an_appointment_goes_first_once_its_time_has_come() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock_for_appointment("ada", minutes(15));
    s.connect("ada");
    s.clerk("anna", ClerkAction::CallNext)
        .then(&[tell("anna", ClerkNotice::QueueEmpty)]);
    s.knock("mia");
    s.connect("mia");
    assert_eq!(s.positions(), [("mia", 1), ("ada", 2)]);
    assert_eq!(s.deadline(), Some(minutes(15)));

    s.passes(minutes(15));
    s.tick().then(&[Command::Publish]);
    assert_eq!(s.positions(), [("ada", 1), ("mia", 2)]);
    s.clerk("anna", ClerkAction::CallNext);
    assert_eq!(s.with("ada"), Some(clerk("anna")));
}

#[test]
fn the_estimate_reckons_with_appointments_whose_citizens_are_not_here_yet() {
    let mut s = Scene::with_clerks(&["anna"]);
    assert_eq!(s.wait(), Some((0, 1)));
    // One is late already and is not waited for.
    s.office.expected = [-5, 5, 60].map(|ahead| s.now.at + minutes(ahead)).to_vec();
    s.knock("mia");
    assert_eq!(s.wait_of("mia"), Some((0, 1)));
    // In the worst case both others come before a newcomer.
    assert_eq!(s.wait(), Some((20, 94)));
    // Whoever is here goes in the order of the same times.
    s.knock_for_appointment("ada", minutes(20));
    assert_eq!(s.wait_of("ada"), Some((20, 63)));
    assert_eq!(s.queue(), ["G-001 waiting", "G-002 waiting"]);
}

#[test]
fn an_early_appointment_can_be_called_by_its_ticket() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock_for_appointment("ada", minutes(15));
    s.clerk("anna", call("ada"));
    assert_eq!(s.with("ada"), Some(clerk("anna")));
}

#[test]
fn whoever_has_an_appointment_is_expected() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.clerk("anna", ClerkAction::Pause);
    s.now.open = false;
    s.knock_for_appointment("ada", minutes(15));
    assert_eq!(s.ticket_of("ada"), ticket(1));
    let walk_in = s.refused(Input::Knock(knock_of("mia")));
    assert!(matches!(walk_in, Refusal::Closed { .. }));
}

#[test]
fn entering_needs_a_call() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    let enter = Input::Enter {
        visit: visit("mia"),
    };
    assert_eq!(s.refused(enter.clone()), Refusal::WrongState);
    s.leave("mia");
    assert_eq!(s.refused(enter), Refusal::UnknownVisit);
}

#[test]
fn a_clerk_whom_the_city_removes_is_off_duty() {
    let mut s = Scene::with_clerks(&["anna", "ben"]);
    s.knock("mia");
    s.clerk("ben", ClerkAction::CallNext);
    let outcome = s.office.retain_clerks(|c| *c != clerk("ben"));
    assert_eq!(outcome.commands, [Command::Publish]);
    assert_eq!(s.office.desks.len(), 1);
    assert_eq!(s.with("mia"), Some(clerk("ben")));
    assert_eq!(s.office.retain_clerks(|_| true), Outcome::default());
}

#[test]
fn the_wait_is_a_range_from_what_conversations_take() {
    // Usually 20 minutes: 10 if quick, 30 if slow, and up to a minute from one visit to the next.
    let mut s = Scene::opens();
    assert_eq!(s.wait(), None, "nobody is on duty");
    s.clerk("anna", ClerkAction::OnDuty);
    assert_eq!(s.wait(), Some((0, 1)));
    s.knock("mia");
    assert_eq!(s.wait_of("mia"), Some((0, 1)));
    assert_eq!(s.wait(), Some((10, 32)));

    s.clerk("anna", ClerkAction::CallNext);
    s.enter("mia");
    assert_eq!(s.wait_of("mia"), None);
    assert_eq!(s.wait(), Some((10, 31)));
    s.passes(minutes(5));
    assert_eq!(s.wait(), Some((5, 26)));
    s.passes(minutes(55));
    assert_eq!(s.wait(), Some((1, 4)), "over time, but not over");
    s.clerk("ben", ClerkAction::OnDuty);
    assert_eq!(s.wait(), Some((0, 1)));
}

#[test]
fn measured_conversations_replace_the_usual_duration_and_the_newest_weigh_most() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.knock("mia");
    s.office.recent_durations = vec![minutes(6); Office::DURATIONS_KEPT];
    assert_eq!(s.wait(), Some((6, 8)));

    let half = Office::DURATIONS_KEPT / 2;
    s.office.recent_durations[..half].fill(minutes(40));
    assert_eq!(s.wait(), Some((6, 32)));
    s.office.recent_durations.reverse();
    assert_eq!(s.wait(), Some((10, 42)));
}

#[test]
fn only_plausible_conversations_are_measured() {
    let mut s = Scene::with_clerks(&["anna"]);
    for (name, took) in [
        ("a", seconds(19)),
        ("b", seconds(20)),
        ("c", minutes(240)),
        ("d", minutes(241)),
    ] {
        s.knock(name);
        s.clerk("anna", ClerkAction::CallNext);
        s.enter(name);
        s.passes(took);
        s.clerk("anna", ClerkAction::End { visit: None });
    }
    assert_eq!(s.office.recent_durations, [seconds(20), minutes(240)]);

    for round in 0..30 {
        let name = format!("round {round}");
        s.knock(&name);
        s.clerk("anna", ClerkAction::CallNext);
        s.enter(&name);
        s.passes(minutes(1 + round));
        s.leave(&name);
    }
    let kept: Vec<_> = (11..=30).map(minutes).collect();
    assert_eq!(s.office.recent_durations, kept);
}

#[test]
fn hostile_numbers_do_not_break_the_rules() {
    let mut s = Scene::with_clerks(&["anna"]);
    s.office.rules.no_show_after = SignedDuration::MAX;
    s.office.rules.absence_grace = SignedDuration::MIN;
    s.office.rules.usual_duration = SignedDuration::MIN;
    s.office.recent_durations = vec![SignedDuration::MAX; 1000];
    s.office.last_ticket = Some((s.now.today, u32::MAX - 1));
    s.knock("mia");
    s.connect("mia");
    assert_eq!(s.refused(knock("ole")), Refusal::QueueFull);
    s.clerk("anna", ClerkAction::CallNext);
    s.now.at = Timestamp::MIN;
    s.tick();
    s.enter("mia");
    s.now.at = Timestamp::MAX;
    s.tick();
    assert!(
        s.wait()
            .is_some_and(|(low, high)| low <= high && high <= 480)
    );
    s.clerk("anna", ClerkAction::End { visit: None });
    assert_eq!(s.office.recent_durations.len(), 1000, "not plausible");
}

// ---------------------------------------------------------------------------------------------- helpers

/// An office on a Monday morning.
struct Scene {
    office: Office,
    now: Now,
}

/// What followed from an input.
struct Followed(Vec<Command>);

impl Followed {
    #[track_caller]
    fn then(&self, commands: &[Command]) {
        assert_eq!(self.0, commands);
    }
}

impl Scene {
    fn opens() -> Self {
        Self {
            office: Office::new(
                "gewerbe".parse().unwrap(),
                Rules {
                    ticket_letter: 'G',
                    no_show_after: minutes(3),
                    absence_grace: minutes(10),
                    queue_limit: 5,
                    usual_duration: minutes(20),
                },
            ),
            now: Now {
                at: "2026-11-02T08:00:00Z".parse().unwrap(),
                today: date(2026, 11, 2),
                open: true,
                next_opening: None,
            },
        }
    }

    fn with_clerks(names: &[&str]) -> Self {
        let mut scene = Self::opens();
        for name in names {
            scene.clerk(name, ClerkAction::OnDuty);
        }
        scene
    }

    fn passes(&mut self, time: SignedDuration) {
        self.now.at += time;
    }

    fn closes(&mut self, next_opening: Option<Timestamp>) {
        self.now.open = false;
        self.now.next_opening = next_opening;
    }

    fn reopens(&mut self) {
        self.now.open = true;
        self.now.next_opening = None;
    }

    /// The shell has stored what ended and loads the office again.
    fn stored(&mut self) {
        self.office.visits.retain(|_, visit| visit.is_live());
    }

    #[track_caller]
    fn does(&mut self, input: Input) -> Followed {
        Followed(self.office.handle(input, &self.now).unwrap().commands)
    }

    #[track_caller]
    fn refused(&mut self, input: Input) -> Refusal {
        let before = self.office.clone();
        let refusal = self.office.handle(input, &self.now).unwrap_err();
        assert_eq!(self.office, before);
        refusal
    }

    #[track_caller]
    fn knock(&mut self, name: &str) -> Followed {
        self.does(knock(name))
    }

    /// Knocks with an appointment that begins in a while.
    #[track_caller]
    fn knock_for_appointment(&mut self, name: &str, ahead: SignedDuration) -> Followed {
        self.does(Input::Knock(Knock {
            kind: VisitKind::Appointment {
                at: self.now.at + ahead,
            },
            ..knock_of(name)
        }))
    }

    #[track_caller]
    fn leave(&mut self, name: &str) -> Followed {
        self.does(leave(name))
    }

    #[track_caller]
    fn enter(&mut self, name: &str) -> Followed {
        self.does(Input::Enter { visit: visit(name) })
    }

    #[track_caller]
    fn connect(&mut self, name: &str) -> Followed {
        self.does(Input::Presence {
            visit: visit(name),
            here: true,
        })
    }

    #[track_caller]
    fn disconnect(&mut self, name: &str) -> Followed {
        self.does(Input::Presence {
            visit: visit(name),
            here: false,
        })
    }

    #[track_caller]
    fn clerk(&mut self, name: &str, action: ClerkAction) -> Followed {
        self.does(Input::Clerk {
            clerk: clerk(name),
            action,
        })
    }

    #[track_caller]
    fn tick(&mut self) -> Followed {
        self.does(Input::Tick)
    }

    fn status(&self) -> Status {
        self.office.occupancy(&self.now).status
    }

    fn queue(&self) -> Vec<String> {
        self.office
            .queue(self.now.at)
            .into_iter()
            .map(|entry| {
                let state = match entry.state {
                    QueueState::Waiting => "waiting",
                    QueueState::Called => "called",
                    QueueState::InConversation => "in conversation",
                };
                format!("{} {state}", entry.ticket)
            })
            .collect()
    }

    /// Those who wait, by name, in the order of their places.
    fn positions(&self) -> Vec<(&'static str, u32)> {
        let mut places: Vec<_> = ["mia", "ole", "eda", "ada"]
            .into_iter()
            .filter_map(|name| {
                let place = self.office.position(&visit(name), self.now.at)?;
                Some((name, place))
            })
            .collect();
        places.sort_by_key(|(_, place)| *place);
        places
    }

    fn ticket_of(&self, name: &str) -> Ticket {
        self.office.visits[&visit(name)].ticket
    }

    fn with(&self, name: &str) -> Option<MatrixUser> {
        self.office.visits[&visit(name)].clerk().cloned()
    }

    #[track_caller]
    fn ended(&self, name: &str) -> (Ending, Option<MatrixUser>) {
        match &self.office.visits[&visit(name)].state {
            VisitState::Ended { ending, clerk, .. } => (*ending, clerk.clone()),
            live => panic!("{name} is {live:?}"),
        }
    }

    /// Time until the next deadline.
    fn deadline(&self) -> Option<SignedDuration> {
        let at = self.office.next_deadline(&self.now)?;
        Some(at.duration_since(self.now.at))
    }

    /// A newcomer's wait in minutes.
    fn wait(&self) -> Option<(u32, u32)> {
        self.office
            .occupancy(&self.now)
            .estimated_wait_s
            .map(in_minutes)
    }

    fn wait_of(&self, name: &str) -> Option<(u32, u32)> {
        self.office
            .estimate_for(&visit(name), &self.now)
            .map(in_minutes)
    }
}

fn in_minutes(range: WaitRange) -> (u32, u32) {
    (range.low / 60, range.high / 60)
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn bytes(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}

fn visit(name: &str) -> VisitId {
    VisitId::from_random(bytes(name))
}

fn clerk(name: &str) -> MatrixUser {
    format!("@{name}:city.example").parse().unwrap()
}

fn ticket(number: u32) -> Ticket {
    Ticket {
        letter: 'G',
        number,
    }
}

fn knock_of(name: &str) -> Knock {
    Knock {
        visit: visit(name),
        visitor: Visitor::Guest(GuestId::from_digest(bytes(name))),
        kind: VisitKind::WalkIn,
        language: Language::De,
        service: None,
    }
}

fn knock(name: &str) -> Input {
    Input::Knock(knock_of(name))
}

fn leave(name: &str) -> Input {
    Input::Leave { visit: visit(name) }
}

fn call(name: &str) -> ClerkAction {
    ClerkAction::Call { visit: visit(name) }
}

fn approve(name: &str) -> ClerkAction {
    ClerkAction::Approve { visit: visit(name) }
}

fn decline(name: &str) -> ClerkAction {
    ClerkAction::Decline { visit: visit(name) }
}

fn end(name: &str) -> ClerkAction {
    ClerkAction::End {
        visit: Some(visit(name)),
    }
}

fn tell(name: &str, notice: ClerkNotice) -> Command {
    Command::TellClerk {
        clerk: clerk(name),
        notice,
    }
}

fn called(number: u32) -> ClerkNotice {
    ClerkNotice::Called {
        ticket: ticket(number),
        absent: false,
    }
}

fn place_knock(name: &str) -> Command {
    Command::PlaceKnock { visit: visit(name) }
}

fn announce(name: &str) -> Command {
    Command::Announce { visit: visit(name) }
}

fn update(name: &str) -> Command {
    Command::UpdateAnnouncement { visit: visit(name) }
}

fn clear_door(name: &str) -> Command {
    Command::ClearDoor { visit: visit(name) }
}

fn open_consultation(name: &str) -> Command {
    Command::OpenConsultation { visit: visit(name) }
}

fn redact(name: &str) -> Command {
    Command::RedactConcern { visit: visit(name) }
}

fn close_consultation(name: &str, ending: Ending) -> Command {
    Command::CloseConsultation {
        visit: visit(name),
        ending,
    }
}
