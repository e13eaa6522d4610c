//! Somebody comes to an appointment: what the clerk reads of them, and where they are already.

use bridge::{
    ids::{BookingId, GuestId, Language, MatrixUser, VisitId},
    input::{ClerkAction, Input, Knock, Refusal},
    visit::{Ending, VisitKind, VisitState, Visitor},
};
use gateway::appointments::Appointments as _;
use jiff::SignedDuration;
use store::BookingState;

use super::*;
use crate::{front_office::Counter, shell};

/// The visit, its line and its room name the first service.
#[tokio::test]
async fn the_clerk_reads_what_else_was_booked() {
    let stage = Stage::new().await;
    let counter = Counter(Arc::new(stage.house()));
    let concern = async |number: i64, services: &[&str]| {
        let services: Vec<_> = services.iter().map(|id| id.parse().unwrap()).collect();
        let place = stage.place(NOW);
        let start = at("2026-11-25T08:00:00Z") + jiff::SignedDuration::from_hours(24 * number);
        let dice = dice(number.unsigned_abs());
        let hold = stage.bookings.hold(&place, &services, start, &dice).await;
        let token = hold.unwrap().token.hash();
        let contact = Contact {
            accessibility: Some("Rollstuhl".to_owned()),
            ..contact("erika@example.org")
        };
        let booked = stage.bookings.book(&place, &token, contact).await;
        assert!(booked.is_ok());
        let id = bridge::ids::BookingId::from_random(dice.id);
        let mut read = stage.bookings.store.read().await.unwrap();
        let booking = read.booking(&id).await.unwrap().unwrap();
        let private = read.booking_private(&id).await.unwrap().unwrap();
        let concern = counter.words_of(&booking, private).concern.unwrap();
        concern.replace(&booking.code, "K7QM")
    };
    assert_eq!(concern(0, &["anmelden"]).await, "Termin K7QM. Rollstuhl");
    assert_eq!(
        concern(1, &["anmelden", "ummelden", "abmelden"]).await,
        "Termin K7QM. Auch gebucht: Gewerbe ummelden, Gewerbe abmelden. Rollstuhl"
    );
}

/// A family at one browser, and the office's clerk, Anna.
struct Family {
    stage: Stage,
    counter: Counter,
    guest: GuestId,
    /// When they come.
    now: Timestamp,
}

impl Family {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let mut house = stage.house();
        house.settings.always_open = true;
        Self {
            counter: Counter(Arc::new(house)),
            guest: GuestId::from_digest([5; 16]),
            now: shell::now(),
            stage,
        }
    }

    /// An appointment that begins so many minutes from when they come.
    async fn appointment(&self, number: u64, minutes: i64) -> Token {
        let start = at(WEDNESDAY) + SignedDuration::from_hours(i64::try_from(number).unwrap());
        let (start, mail) = (start.to_string(), format!("person{number}@example.org"));
        let manage = self.stage.confirmed(number, &start, &mail).await;
        // Checking in goes by the machine's clock.
        let mut tx = self.stage.bookings.store.begin().await.unwrap();
        let mut booking = tx.booking(&Self::id(number)).await.unwrap().unwrap();
        booking.start = self.now + SignedDuration::from_mins(minutes);
        booking.end = booking.start + SignedDuration::from_mins(20);
        tx.save_booking(&booking).await.unwrap();
        tx.commit().await.unwrap();
        manage
    }

    fn id(number: u64) -> BookingId {
        BookingId::from_random(dice(number).id)
    }

    async fn comes(&self, link: &Token) -> Result<VisitId, BookingError> {
        self.counter.check_in(&link.hash(), &self.guest).await
    }

    async fn knocks(&self) -> VisitId {
        let visit = VisitId::from_random([6; 16]);
        self.does(Input::Knock(Knock {
            visit: visit.clone(),
            visitor: Visitor::Guest(self.guest.clone()),
            kind: VisitKind::WalkIn,
            language: Language::De,
            service: None,
        }))
        .await;
        visit
    }

    async fn anna(&self, action: ClerkAction) {
        let clerk: MatrixUser = "@anna:dormagen.example".parse().unwrap();
        self.does(Input::Clerk { clerk, action }).await;
    }

    async fn anna_calls(&self, visit: &VisitId) {
        let visit = visit.clone();
        self.anna(ClerkAction::Call { visit }).await;
    }

    /// Anna calls the visit, and its citizen goes in.
    async fn talks(&self, visit: &VisitId) {
        self.anna_calls(visit).await;
        self.does(Input::Enter {
            visit: visit.clone(),
        })
        .await;
    }

    /// The link of somebody who came to an appointment and was called in vain.
    async fn lost(&self, number: u64) -> Token {
        let link = self.appointment(number, 0).await;
        let visit = self.comes(&link).await.unwrap();
        self.anna_calls(&visit).await;
        self.anna(ClerkAction::End { visit: None }).await;
        link
    }

    async fn leaves(&self, visit: &VisitId) {
        self.does(Input::Leave {
            visit: visit.clone(),
        })
        .await;
    }

    async fn does(&self, input: Input) {
        let house = &self.counter.0;
        let mut unit = house.change(&self.stage.office.slug).await.unwrap();
        unit.decide(input).unwrap();
        unit.commit().await.unwrap();
    }

    async fn visit(&self, id: &VisitId) -> VisitState {
        let mut read = self.stage.bookings.store.read().await.unwrap();
        read.visit(id).await.unwrap().unwrap().visit.state
    }

    /// How the appointment stands when the program has looked so many minutes after they came.
    async fn stands(&self, number: u64, minutes: i64) -> BookingState {
        let now = self.now + SignedDuration::from_mins(minutes);
        let place = self.stage.place(&now.to_string());
        self.stage.bookings.tide(&place).await.unwrap();
        let mut read = self.stage.bookings.store.read().await.unwrap();
        let booking = read.booking(&Self::id(number)).await.unwrap();
        booking.unwrap().state
    }
}

#[track_caller]
fn is_here(came: Result<VisitId, BookingError>, elsewhere: &VisitId) {
    match came {
        Err(BookingError::Refused(Refusal::AlreadyHere { visit })) => assert_eq!(visit, *elsewhere),
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn who_waits_without_an_appointment_comes_to_theirs() {
    let family = Family::new().await;
    let link = family.appointment(1, 10).await;
    let waiting = family.knocks().await;
    let visit = family.comes(&link).await.unwrap();
    assert_ne!(visit, waiting);
    assert_eq!(family.visit(&visit).await, VisitState::Waiting);
    let before = family.visit(&waiting).await;
    assert!(matches!(
        before,
        VisitState::Ended {
            ending: Ending::Left,
            ..
        }
    ));
    assert_eq!(family.stands(1, 60).await, BookingState::Arrived);
    // The same again is nothing new.
    assert_eq!(family.comes(&link).await.unwrap(), visit);
}

#[tokio::test]
async fn who_talks_already_misses_no_appointment_meanwhile() {
    let family = Family::new().await;
    let first = family.appointment(1, 0).await;
    let second = family.appointment(2, 10).await;
    let visit = family.comes(&first).await.unwrap();
    // Also while the first one waits to be called: it is an appointment as well.
    is_here(family.comes(&second).await, &visit);
    family.talks(&visit).await;
    is_here(family.comes(&second).await, &visit);
    // Grace would be over after twenty minutes, and the conversation goes on.
    assert_eq!(family.stands(2, 50).await, BookingState::Confirmed);
    family.leaves(&visit).await;
    let next = family.comes(&second).await.unwrap();
    assert_ne!(next, visit);
    assert_eq!(family.stands(2, 99).await, BookingState::Arrived);
}

#[tokio::test]
async fn who_does_not_come_after_a_conversation_is_a_no_show() {
    let family = Family::new().await;
    let link = family.appointment(1, 0).await;
    let other = family.knocks().await;
    family.talks(&other).await;
    is_here(family.comes(&link).await, &other);
    assert_eq!(family.stands(1, 30).await, BookingState::Confirmed);
    family.leaves(&other).await;
    // Ten minutes after the conversation, which takes no time here; and never before the appointment's own.
    assert_eq!(family.stands(1, 9).await, BookingState::Confirmed);
    assert_eq!(family.stands(1, 11).await, BookingState::NoShow);
}

/// Whoever was here and was called in vain may come again for as long as anybody might. Then they read that it is over.
#[tokio::test]
async fn who_came_and_was_lost_is_written_when_it_is_too_late() {
    let family = Family::new().await;
    family.lost(1).await;
    assert_eq!(family.stands(1, 9).await, BookingState::Arrived);
    family.stage.errands().await;
    assert_eq!(family.stands(1, 10).await, BookingState::NoShow);
    assert_eq!(family.stage.errands().await, ["mail Lost"]);

    let served = family.appointment(2, 0).await;
    let visit = family.comes(&served).await.unwrap();
    family.talks(&visit).await;
    family.anna(ClerkAction::End { visit: None }).await;
    family.stage.errands().await;
    assert_eq!(family.stands(2, 10).await, BookingState::Arrived);
    assert_eq!(family.stands(1, 10).await, BookingState::NoShow);
    assert_eq!(family.stage.errands().await, [""; 0]);
}

#[tokio::test]
async fn who_was_lost_and_talks_again_misses_no_appointment_meanwhile() {
    let family = Family::new().await;
    let link = family.lost(1).await;
    let other = family.knocks().await;
    family.talks(&other).await;
    is_here(family.comes(&link).await, &other);
    assert_eq!(family.stands(1, 30).await, BookingState::Arrived);
    family.leaves(&other).await;
    assert_eq!(family.stands(1, 9).await, BookingState::Arrived);
    assert_eq!(family.stands(1, 11).await, BookingState::NoShow);
}
