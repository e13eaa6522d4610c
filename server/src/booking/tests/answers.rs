//! What citizens' calendars answer, true and false.

use bridge::ids::{BookingId, OfficeSlug};
use city::model::Declined;
use jiff::{SignedDuration, Timestamp};
use scheduler::{
    ics::{Answer, NotCounted, Response},
    mail::{Bounce, Mail},
};
use store::{Booking, BookingState, Reply};

use super::{NOW, Stage, WEDNESDAY, at, dice};
use crate::booking::{NotTaken, ReplySecret};

const ERIKA: &str = "erika@example.org";

/// A booked office whose mail is read.
struct Desk {
    stage: Stage,
    secret: ReplySecret,
}

impl Desk {
    async fn new(declined: Declined) -> Self {
        let mut stage = Stage::new().await;
        let gewerbe: OfficeSlug = "gewerbe".parse().unwrap();
        let mut city = (*stage.city).clone();
        let office = city
            .offices
            .iter_mut()
            .find(|office| office.slug == gewerbe);
        office.unwrap().booking.as_mut().unwrap().declined = declined;
        stage.city = std::sync::Arc::new(city);
        stage.confirmed(1, WEDNESDAY, "Erika@example.org").await;
        stage.errands().await;
        let secret = stage.bookings.key.reply(&id());
        let mut tx = stage.bookings.store.begin().await.unwrap();
        tx.set_reply_hash(&id(), &secret.hash()).await.unwrap();
        tx.commit().await.unwrap();
        Self { stage, secret }
    }

    async fn booking(&self) -> Booking {
        let mut read = self.stage.bookings.store.read().await.unwrap();
        read.booking(&id()).await.unwrap().unwrap()
    }

    /// An answer as Erika's calendar gives it, so many seconds after the booking.
    async fn answer(&self, answer: Answer, seconds: i64) -> Response {
        let booking = self.booking().await;
        Response {
            uid: booking.uid,
            sequence: booking.sequence,
            stamp: later(seconds),
            attendee: ERIKA.to_owned(),
            answer,
            comment: None,
        }
    }

    /// Hands over an answer from Erika's address.
    async fn takes(&self, response: Response) -> Result<(), NotTaken> {
        self.takes_from(Some(ERIKA), &self.secret, response).await
    }

    async fn takes_from(
        &self,
        from: Option<&str>,
        secret: &ReplySecret,
        response: Response,
    ) -> Result<(), NotTaken> {
        let mail = Mail::Answer {
            from: from.map(str::to_owned),
            response,
        };
        self.hands_over(secret, &mail).await
    }

    async fn hands_over(&self, secret: &ReplySecret, mail: &Mail) -> Result<(), NotTaken> {
        let secrets = [secret.clone()];
        self.stage
            .bookings
            .take_mail(&self.stage.city, &secrets, mail, later(3600), 0)
            .await
    }
}

fn id() -> BookingId {
    BookingId::from_random(dice(1).id)
}

fn later(seconds: i64) -> Timestamp {
    at(NOW) + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn an_answer_is_kept_until_a_newer_one_or_a_move() {
    let desk = Desk::new(Declined::Ask).await;
    let yes = desk.answer(Answer::Accepted, 60).await;
    desk.takes(yes.clone()).await.unwrap();
    assert_eq!(desk.booking().await.reply, Some(Reply::Accepted));
    assert_eq!(desk.stage.errands().await, [""; 0], "nobody has to act");

    let no = desk.answer(Answer::Declined, 120).await;
    desk.takes(no.clone()).await.unwrap();
    assert_eq!(desk.stage.errands().await, ["line Declined"]);
    // The same mail comes again, and the older one late.
    desk.takes(no).await.unwrap();
    let overtaken = desk.takes(yes.clone()).await;
    assert!(matches!(
        overtaken,
        Err(NotTaken::NotCounted(NotCounted::Overtaken))
    ));
    assert_eq!(desk.booking().await.reply, Some(Reply::Declined));
    assert_eq!(desk.stage.errands().await, [""; 0]);

    let token = desk.stage.bookings.key.manage(&id()).hash();
    desk.stage
        .bookings
        .reschedule(
            &desk.stage.place(NOW),
            &token,
            at("2026-11-25T08:00:00Z"),
            0,
        )
        .await
        .unwrap();
    let outdated = Response {
        stamp: later(600),
        ..yes
    };
    let refused = desk.takes(outdated).await;
    assert!(matches!(
        refused,
        Err(NotTaken::NotCounted(NotCounted::Outdated))
    ));
    assert_eq!(desk.booking().await.reply, None);
}

#[tokio::test]
async fn what_a_declined_invitation_means_is_the_offices_choice() {
    for (policy, state, told) in [
        (
            Declined::Ask,
            BookingState::Confirmed,
            vec!["line Declined"],
        ),
        (Declined::Keep, BookingState::Confirmed, vec![]),
        (
            Declined::Cancel,
            BookingState::Cancelled,
            vec![
                "mail Cancelled",
                "mail CompanionCancelled",
                "line Cancelled",
            ],
        ),
    ] {
        let desk = Desk::new(policy).await;
        let sequence = desk.booking().await.sequence;
        let no = desk.answer(Answer::Declined, 60).await;
        desk.takes(no.clone()).await.unwrap();
        let booking = desk.booking().await;
        assert_eq!(
            (booking.state, booking.reply),
            (state, Some(Reply::Declined))
        );
        assert_eq!(
            booking.sequence - sequence,
            u32::from(state == BookingState::Cancelled)
        );
        assert_eq!(desk.stage.errands().await, told, "{policy:?}");
        let again = desk.takes(no).await;
        assert_eq!(again.is_ok(), state == BookingState::Confirmed);
        assert_eq!(desk.stage.errands().await, [""; 0], "{policy:?}");
    }
}

#[tokio::test]
async fn another_time_is_declined_with_the_link() {
    let desk = Desk::new(Declined::Cancel).await;
    let counter = desk.answer(Answer::Counter { proposed: None }, 60).await;
    desk.takes(counter).await.unwrap();
    assert_eq!(desk.stage.errands().await, ["mail OtherTime"]);
    let booking = desk.booking().await;
    assert_eq!(
        (booking.state, booking.reply),
        (BookingState::Confirmed, None)
    );
}

#[tokio::test]
async fn nobody_answers_for_somebody_else() {
    let desk = Desk::new(Declined::Cancel).await;
    let before = desk.booking().await;
    let no = desk.answer(Answer::Declined, 60).await;

    // Max has a booking, and a secret, of his own, and knows Erika's UID and address.
    desk.stage
        .confirmed(2, "2026-11-25T08:00:00Z", "max@example.org")
        .await;
    desk.stage.errands().await;
    let max = BookingId::from_random(dice(2).id);
    let his = desk.stage.bookings.key.reply(&max);
    let mut tx = desk.stage.bookings.store.begin().await.unwrap();
    tx.set_reply_hash(&max, &his.hash()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(
        desk.takes_from(Some(ERIKA), &his, no.clone()).await,
        Err(NotTaken::NotCounted(NotCounted::OtherAppointment))
    ));
    let guess = ReplySecret::in_address("termine+00000000000000000000000000000000@x.example");
    assert!(matches!(
        desk.takes_from(Some(ERIKA), &guess.unwrap(), no.clone())
            .await,
        Err(NotTaken::UnknownAddress)
    ));

    // Somebody has got hold of the address, but is not who was invited.
    let as_max = Response {
        attendee: "max@example.org".to_owned(),
        ..no.clone()
    };
    assert!(matches!(
        desk.takes(as_max).await,
        Err(NotTaken::NotCounted(NotCounted::NotInvited))
    ));
    for from in [Some("max@example.org"), None] {
        assert!(matches!(
            desk.takes_from(from, &desk.secret, no.clone()).await,
            Err(NotTaken::OtherSender)
        ));
    }
    assert_eq!(desk.booking().await, before);
    assert_eq!(desk.stage.errands().await, [""; 0]);
    desk.takes(no).await.unwrap();
    assert_eq!(desk.booking().await.state, BookingState::Cancelled);
}

#[tokio::test]
async fn a_clock_that_is_ahead_silences_nobody() {
    let desk = Desk::new(Declined::Ask).await;
    let mut yes = desk.answer(Answer::Accepted, 60).await;
    yes.stamp = at("2099-01-01T00:00:00Z");
    desk.takes(yes).await.unwrap();
    let no = desk.answer(Answer::Declined, 3600).await;
    desk.takes(no).await.unwrap();
    assert_eq!(desk.booking().await.reply, Some(Reply::Declined));
}

#[tokio::test]
async fn an_answering_machine_comes_to_an_end() {
    let desk = Desk::new(Declined::Ask).await;
    for second in 0..40 {
        let counter = desk
            .answer(Answer::Counter { proposed: None }, second)
            .await;
        desk.takes(counter).await.unwrap();
    }
    assert_eq!(desk.stage.errands().await.len(), 40);
    let counter = desk.answer(Answer::Counter { proposed: None }, 99).await;
    assert!(matches!(desk.takes(counter).await, Err(NotTaken::TooMany)));
    assert_eq!(desk.stage.errands().await, [""; 0]);
}

#[tokio::test]
async fn a_bounce_is_told_to_the_clerks() {
    let desk = Desk::new(Declined::Ask).await;
    let bounce = Mail::Bounce(Bounce {
        recipient: "somebody.else@forwarded.example".to_owned(),
        status: "5.1.1".to_owned(),
        message_id: None,
    });
    desk.hands_over(&desk.secret, &bounce).await.unwrap();
    assert_eq!(desk.stage.errands().await, ["line Undeliverable", "number"]);
    for (state, told) in [
        (BookingState::NoShow, true),
        (BookingState::Cancelled, true),
        (BookingState::Arrived, false),
        (BookingState::Unconfirmed, false),
    ] {
        let mut booking = desk.booking().await;
        booking.state = state;
        let mut tx = desk.stage.bookings.store.begin().await.unwrap();
        tx.save_booking(&booking).await.unwrap();
        tx.commit().await.unwrap();
        let taken = desk.hands_over(&desk.secret, &bounce).await;
        assert_eq!(taken.is_ok(), told, "{state:?}");
        assert_eq!(!desk.stage.errands().await.is_empty(), told, "{state:?}");
    }
}

#[test]
fn a_secret_is_found_in_an_address_however_it_is_written() {
    let key = crate::booking::Key::new([3; 32]);
    let secret = key.reply(&id());
    let hash = secret.hash();
    let address = format!("Termine+{}@Stadt.example", secret.as_str().to_uppercase());
    assert_eq!(ReplySecret::in_address(&address).unwrap().hash(), hash);
    for wrong in [
        "termine@stadt.example".to_owned(),
        format!("termine-{}@stadt.example", secret.as_str()),
        format!("termine+{}0@stadt.example", secret.as_str()),
        format!("termine+{}", secret.as_str()),
        format!("termine@stadt.example+{}", secret.as_str()),
        "termine+zz345678901234567890123456789012@stadt.example".to_owned(),
    ] {
        assert!(ReplySecret::in_address(&wrong).is_none(), "{wrong}");
    }
    assert_ne!(key.reply(&BookingId::from_random([9; 16])).hash(), hash);
}
