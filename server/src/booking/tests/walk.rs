//! Whatever citizens, clerks, clocks and the calendar do, in whatever order: no cell has more bookings than places, every
//! booking that stands has its own, and nothing is taken that is nobody's.

use std::collections::{BTreeMap, BTreeSet};

use bridge::ids::BookingId;
use gateway::appointments::TokenHash;
use jiff::SignedDuration;
use scheduler::slots::{Cell, Span, capacity, cells};
use store::{BookingState, Read};

use super::*;

/// Each walk begins anew, and is the same each time.
const WALKS: u64 = 3;
const STEPS: usize = 300;
/// At most so many desks; sometimes one fewer.
const DESKS: u16 = 2;

/// What has to happen in the walks, or they prove nothing.
const EVERYTHING: [&str; 15] = [
    "taken by somebody else",
    "held",
    "booked",
    "lapsed before it was booked",
    "confirmed",
    "lapsed before it was confirmed",
    "moved",
    "cancelled",
    "let go",
    "waits",
    "offered in turn",
    "offered by a clerk",
    "offer taken",
    "offer turned down",
    "conflict told",
];

/// `SplitMix64`.
struct Chance(u64);

impl Chance {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }
}

/// A booking as its citizen knows it.
#[derive(Clone)]
struct Known {
    id: BookingId,
    number: u64,
    token: TokenHash,
}

struct Walk {
    stage: Stage,
    chance: Chance,
    /// What the clock shows.
    now: Timestamp,
    /// The latest that it has ever shown.
    latest: Timestamp,
    known: Vec<Known>,
    next: u64,
    done: BTreeMap<&'static str, u32>,
}

/// An outcome that citizens meet, not a fault of ours.
fn expected<T>(outcome: Result<T, BookingError>) -> Result<T, BookingError> {
    assert!(
        !matches!(
            outcome,
            Err(BookingError::Internal | BookingError::Busy | BookingError::NotYours)
        ),
        "a fault of ours"
    );
    outcome
}

impl Walk {
    async fn new(seed: u64) -> Self {
        let mut stage = Stage::new().await;
        // Two short mornings, so that everybody wants the same.
        let hours: Vec<_> = vec!["08:00-09:30".parse().unwrap()];
        for (day, weekly) in stage.office.hours.weekly.iter_mut().enumerate() {
            *weekly = if matches!(day, 2 | 3) {
                hours.clone()
            } else {
                Vec::new()
            };
        }
        let now = at(NOW);
        let mut walk = Self {
            stage,
            chance: Chance(seed),
            now,
            latest: now,
            known: Vec::new(),
            next: seed * 10_000,
            done: BTreeMap::new(),
        };
        walk.set_desks(DESKS);
        walk
    }

    fn set_desks(&mut self, desks: u16) {
        let terms = self.stage.office.booking.as_mut().unwrap();
        terms.rules.desks = scheduler::DeskPlan::always(desks);
    }

    fn place(&self) -> Place<'_> {
        Place::new(&self.stage.office, self.now).unwrap()
    }

    fn count(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    fn some_start(&mut self) -> Timestamp {
        let day = SignedDuration::from_hours(24 * i64::try_from(self.chance.below(2)).unwrap());
        let quarter = i64::try_from(self.chance.below(6)).unwrap();
        at(WEDNESDAY) + day + SignedDuration::from_mins(15 * quarter)
    }

    /// Somebody whose booking is in one of these states.
    async fn somebody(&mut self, states: &[BookingState]) -> Option<Known> {
        let mut read = self.stage.bookings.store.read().await.unwrap();
        let mut fit = Vec::new();
        for known in &self.known {
            let booking = read.booking(&known.id).await.unwrap();
            if booking.is_some_and(|booking| states.contains(&booking.state)) {
                fit.push(known.clone());
            }
        }
        let which = self.chance.number();
        let length = u64::try_from(fit.len()).unwrap();
        let index = usize::try_from(which.checked_rem(length)?).unwrap();
        fit.get(index).cloned()
    }

    async fn step(&mut self) {
        match self.chance.below(24) {
            0..=4 => self.hold().await,
            5..=7 => self.book().await,
            8..=9 => self.confirm().await,
            10 => self.reschedule().await,
            11..=12 => self.cancel().await,
            13 => self.let_go().await,
            14 => self.want_earlier().await,
            15 => self.answer_offer().await,
            16 => self.offer_as_clerk().await,
            17 => self.change_calendar().await,
            18 => self.set_clock_back(),
            19 => self.overtake().await,
            20..=21 => self.look().await,
            _ => self.let_time_pass(),
        }
    }

    async fn hold(&mut self) {
        let start = self.some_start();
        self.hold_at(start).await;
    }

    async fn hold_at(&mut self, start: Timestamp) {
        self.next += 1;
        let number = self.next;
        let held = self
            .stage
            .hold(number, &start.to_string(), &self.now.to_string())
            .await;
        if let Ok(hold) = expected(held) {
            self.known.push(Known {
                id: BookingId::from_random(dice(number).id),
                number,
                token: hold.token.hash(),
            });
            self.has_taken(start).await;
            self.count("held");
            // Most go on at once.
            if self.chance.below(2) == 0 {
                self.book().await;
            }
        }
    }

    async fn book(&mut self) {
        if let Some(known) = self.somebody(&[BookingState::Held]).await {
            self.book_for(known).await;
        }
    }

    async fn book_for(&mut self, known: Known) {
        let contact = contact(&format!("person{}@example.org", known.number));
        let booked = self
            .stage
            .bookings
            .book(&self.place(), &known.token, contact)
            .await;
        match expected(booked) {
            Ok(_) => {
                let manage = self.stage.bookings.key.manage(&known.id).hash();
                let own = self.known.iter_mut().find(|other| other.id == known.id);
                own.unwrap().token = manage;
                self.count("booked");
            }
            Err(BookingError::NoSuchTime { .. }) => self.count("taken by somebody else"),
            Err(_) => self.count("lapsed before it was booked"),
        }
    }

    async fn confirm(&mut self) {
        if let Some(known) = self.somebody(&[BookingState::Unconfirmed]).await {
            self.confirm_for(&known).await;
        }
    }

    async fn confirm_for(&mut self, known: &Known) {
        let confirmed = self
            .stage
            .bookings
            .confirm(&self.place(), &known.token)
            .await;
        match expected(confirmed) {
            Ok(_) => self.count("confirmed"),
            Err(BookingError::NoSuchTime { .. }) => self.count("taken by somebody else"),
            Err(_) => self.count("lapsed before it was confirmed"),
        }
    }

    async fn reschedule(&mut self) {
        let Some(known) = self.somebody(&[BookingState::Confirmed]).await else {
            return;
        };
        let (start, chance) = (self.some_start(), self.chance.number());
        let bookings = &self.stage.bookings;
        let before = bookings.show(&self.place(), &known.token).await.unwrap();
        let moved = bookings
            .reschedule(&self.place(), &known.token, start, chance)
            .await;
        if expected(moved).is_ok() && before.start != start {
            self.has_taken(start).await;
            self.count("moved");
        }
    }

    async fn cancel(&mut self) {
        let states = [BookingState::Unconfirmed, BookingState::Confirmed];
        let Some(known) = self.somebody(&states).await else {
            return;
        };
        let chance = self.chance.number();
        let gone = self
            .stage
            .bookings
            .cancel(&self.place(), &known.token, chance)
            .await;
        expected(gone).unwrap();
        self.count("cancelled");
    }

    async fn let_go(&mut self) {
        let Some(known) = self.somebody(&[BookingState::Held]).await else {
            return;
        };
        self.stage.bookings.let_go(&known.token).await.unwrap();
        self.count("let go");
    }

    async fn want_earlier(&mut self) {
        let Some(known) = self.somebody(&[BookingState::Confirmed]).await else {
            return;
        };
        let wanted = self.chance.below(4) > 0;
        let bookings = &self.stage.bookings;
        bookings
            .want_earlier(&self.place(), &known.token, wanted)
            .await
            .unwrap();
        self.count("waits");
    }

    /// Whoever has an offer takes it, or does not want it.
    async fn answer_offer(&mut self) {
        let take = self.chance.below(3) > 0;
        let chance = self.chance.number();
        for known in self.known.clone() {
            let bookings = &self.stage.bookings;
            let Ok(view) = bookings.show(&self.place(), &known.token).await else {
                continue;
            };
            let Some(offer) = view.offer else { continue };
            if take {
                let place = self.place();
                let taken = bookings.reschedule(&place, &known.token, offer.start, chance);
                if expected(taken.await).is_ok() {
                    self.count("offer taken");
                }
            } else {
                let left = bookings
                    .turn_down(&self.place(), &known.token, chance)
                    .await;
                expected(left).unwrap();
                self.count("offer turned down");
            }
            return;
        }
    }

    async fn offer_as_clerk(&mut self) {
        let Some(known) = self.somebody(&[BookingState::Confirmed]).await else {
            return;
        };
        let (start, chance) = (self.some_start(), self.chance.number());
        let mut tx = self.stage.bookings.store.begin().await.unwrap();
        let booking = tx.booking(&known.id).await.unwrap().unwrap();
        let offered = self
            .place()
            .offer(&mut tx, &booking, start, true, chance)
            .await;
        if offered.unwrap().is_ok() {
            tx.commit().await.unwrap();
            self.has_taken(start).await;
            self.count("offered by a clerk");
        }
    }

    async fn change_calendar(&mut self) {
        let wednesday: jiff::civil::Date = "2026-11-25".parse().unwrap();
        let day = if self.chance.below(2) == 0 {
            wednesday
        } else {
            wednesday.tomorrow().unwrap()
        };
        match self.chance.below(5) {
            0 => {
                let closed = &mut self.stage.office.hours.exceptions;
                closed.insert(day, Vec::new());
            }
            1 => self.set_desks(DESKS - 1),
            _ => {
                self.stage.office.hours.exceptions.clear();
                self.set_desks(DESKS);
            }
        }
        let told = self.stage.bookings.tell_conflicts(&self.place()).await;
        if told.unwrap() {
            self.count("conflict told");
        }
    }

    /// Somebody's time lapses, somebody else wants it, and the clock is set back before either goes on.
    async fn overtake(&mut self) {
        let states = [BookingState::Held, BookingState::Unconfirmed];
        let Some(known) = self.somebody(&states).await else {
            return;
        };
        let mut read = self.stage.bookings.store.read().await.unwrap();
        let booking = read.booking(&known.id).await.unwrap().unwrap();
        drop(read);
        self.now = self.now.max(booking.expires_at.unwrap());
        self.latest = self.latest.max(self.now);
        self.hold_at(booking.start).await;
        self.now = booking.expires_at.unwrap() - SignedDuration::from_secs(1);
        if booking.state == BookingState::Held {
            self.book_for(known).await;
        } else {
            self.confirm_for(&known).await;
        }
    }

    fn set_clock_back(&mut self) {
        let seconds = i64::try_from(self.chance.below(1200)).unwrap();
        self.now = (self.now - SignedDuration::from_secs(seconds)).max(at(NOW));
    }

    fn let_time_pass(&mut self) {
        let seconds = i64::try_from(self.chance.below(2400)).unwrap();
        self.now += SignedDuration::from_secs(seconds);
        self.latest = self.latest.max(self.now);
    }

    /// What the program does every ten seconds, if it finds the time.
    async fn look(&mut self) {
        self.lapse().await;
        let chance = self.chance.number();
        let offered = self.stage.bookings.offer_freed(&self.place(), chance).await;
        for _ in 0..offered.unwrap() {
            self.count("offered in turn");
        }
    }

    /// From then on no row is left whose time is over.
    async fn lapse(&mut self) {
        let mut tx = self.stage.bookings.store.begin().await.unwrap();
        tx.lapse_bookings(self.now).await.unwrap();
        tx.clear_places(self.now).await.unwrap();
        tx.commit().await.unwrap();
        let rows = self.taken(Timestamp::MIN, None).await;
        assert_eq!(rows, self.taken(self.now, None).await);
    }

    /// How many places are taken at a moment; those of `except` do not count.
    async fn taken(&self, now: Timestamp, except: Option<&BookingId>) -> BTreeMap<Cell, u16> {
        let mut read = self.stage.bookings.store.read().await.unwrap();
        self.taken_in(&mut read, now, except).await
    }

    async fn taken_in(
        &self,
        read: &mut Read,
        now: Timestamp,
        except: Option<&BookingId>,
    ) -> BTreeMap<Cell, u16> {
        let days = Span {
            start: at(WEDNESDAY),
            end: at("2026-11-26T09:00:00Z"),
        };
        let slug = &self.stage.office.slug;
        let taken = read.taken_places(slug, &cells(days), now, except).await;
        taken.unwrap().into_iter().collect()
    }

    /// Somebody has taken a place at that time: the calendar had one to give.
    async fn has_taken(&self, start: Timestamp) {
        let (hours, rules) = (&self.stage.office.hours, &self.place().terms.rules);
        let range = cells(scheduler::slots::occupied(start, 20, rules.buffer_minutes).unwrap());
        let taken = self.taken(self.now, None).await;
        for (cell, places) in range.clone().zip(capacity(hours, rules, &[], &range)) {
            assert!((1..=places).contains(&taken[&cell]), "{start}: {taken:?}");
        }
    }

    async fn check(&mut self) {
        let mut read = self.stage.bookings.store.read().await.unwrap();
        let taken = self.taken_in(&mut read, self.now, None).await;
        let rows = self.taken_in(&mut read, Timestamp::MIN, None).await;
        assert!(taken.values().all(|taken| *taken <= DESKS), "{taken:?}");
        let mut owned: BTreeMap<Cell, u16> = BTreeMap::new();
        let mut over = BTreeSet::new();
        for known in &self.known {
            let id = Some(&known.id);
            let Some(booking) = read.booking(&known.id).await.unwrap() else {
                over.insert(known.number);
                continue;
            };
            let others = self.taken_in(&mut read, self.now, id).await;
            let mut own = BTreeSet::new();
            for (cell, taken) in &taken {
                let rows = taken - others.get(cell).copied().unwrap_or(0);
                assert!(rows <= 1, "a booking takes two places of one cell");
                if rows == 1 {
                    own.insert(*cell);
                    *owned.entry(*cell).or_default() += 1;
                }
            }
            let needed: BTreeSet<Cell> = cells(self.place().span_of(&booking)).collect();
            match booking.state {
                BookingState::Confirmed => assert!(own.is_superset(&needed), "{booking:?} {own:?}"),
                BookingState::Held | BookingState::Unconfirmed if booking.is_live(self.latest) => {
                    assert_eq!(own, needed, "{booking:?}");
                }
                _ => {}
            }
            // Rows whose time is over count again when the clock is set back.
            let is_over = matches!(
                booking.state,
                BookingState::Cancelled | BookingState::Expired
            );
            if is_over && self.taken_in(&mut read, Timestamp::MIN, id).await == rows {
                over.insert(known.number);
            }
        }
        self.known.retain(|known| !over.contains(&known.number));
        assert_eq!(owned, taken, "each place is somebody's");
    }

    /// When all that was for a while is over, what stands is what is taken.
    async fn end(&mut self) {
        self.now = at(WEDNESDAY) - SignedDuration::from_mins(1);
        self.latest = self.now;
        self.lapse().await;
        let mut left: BTreeMap<Cell, u16> = BTreeMap::new();
        let mut read = self.stage.bookings.store.read().await.unwrap();
        for known in &self.known {
            if let Some(booking) = read.booking(&known.id).await.unwrap()
                && booking.state == BookingState::Confirmed
            {
                for cell in cells(self.place().span_of(&booking)) {
                    *left.entry(cell).or_default() += 1;
                }
            }
        }
        drop(read);
        assert_eq!(self.taken(Timestamp::MIN, None).await, left);
    }
}

#[tokio::test]
async fn no_order_of_events_books_more_than_there_is() {
    let mut done = BTreeSet::new();
    for seed in 1..=WALKS {
        let mut walk = Walk::new(seed).await;
        for _ in 0..STEPS {
            walk.step().await;
            walk.check().await;
        }
        walk.end().await;
        done.extend(walk.done.into_keys());
    }
    let missing: Vec<_> = EVERYTHING
        .iter()
        .filter(|it| !done.contains(**it))
        .collect();
    assert!(missing.is_empty(), "the walks prove nothing of {missing:?}");
}
