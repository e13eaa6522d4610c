//! People and offices to test with.

use bridge::{
    ids::{GuestId, Language, MatrixUser, OfficeSlug, VisitId},
    input::{Input, Knock, Outcome},
    office::{Now, Office, Rules},
    visit::{VisitKind, Visitor},
};
use jiff::{SignedDuration, Timestamp};
use store::{Saved, Store};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
}

pub(crate) fn now(seconds: i64) -> Now {
    let at = at(seconds);
    Now {
        at,
        today: at.to_zoned(jiff::tz::TimeZone::UTC).date(),
        open: true,
        next_opening: None,
    }
}

pub(crate) fn rules() -> Rules {
    Rules {
        ticket_letter: 'G',
        no_show_after: SignedDuration::from_mins(3),
        absence_grace: SignedDuration::from_mins(5),
        queue_limit: 1000,
        usual_duration: SignedDuration::from_mins(15),
    }
}

pub(crate) fn office(name: &str) -> OfficeSlug {
    name.parse().expect("a slug")
}

pub(crate) fn visit(number: u128) -> VisitId {
    VisitId::from_random(number.to_be_bytes())
}

pub(crate) fn guest(number: u128) -> GuestId {
    // Apart from the visit of the same number.
    GuestId::from_digest((number | 1 << 100).to_be_bytes())
}

pub(crate) fn user(name: &str) -> MatrixUser {
    format!("@{name}:dormagen.example")
        .parse()
        .expect("a user id")
}

pub(crate) fn knock(number: u128) -> Input {
    Input::Knock(Knock {
        visit: visit(number),
        visitor: Visitor::Guest(guest(number)),
        kind: VisitKind::WalkIn,
        language: Language::De,
        service: None,
    })
}

/// One input in one transaction, as the server does it.
pub(crate) async fn handle(
    store: &Store,
    slug: &OfficeSlug,
    input: &Input,
    seconds: i64,
) -> (Office, Outcome, Saved) {
    let mut tx = store.begin().await.expect("begins");
    let mut office = tx.load_office(slug, rules()).await.expect("loads");
    let outcome = office
        .handle(input.clone(), &now(seconds))
        .expect("is accepted");
    let saved = tx
        .save_office(&office, &outcome, at(seconds))
        .await
        .expect("saves");
    tx.commit().await.expect("commits");
    (office, outcome, saved)
}

/// A visit that has just knocked.
pub(crate) async fn knocked(store: &Store, number: u128) -> VisitId {
    handle(store, &office("gewerbe"), &knock(number), 0).await;
    visit(number)
}
