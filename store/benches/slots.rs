//! The other half of `cargo xtask bench slots`: the same office's free slots, with its bookings read from the embedded
//! database as the program reads them.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement: it prints, and looks at the clock"
)]

#[path = "../../scheduler/benches/slots/office.rs"]
mod office;

use std::{hint::black_box, ops::Range, time::Instant};

use bridge::ids::{BookingId, Language, OfficeSlug};
use jiff::SignedDuration;
use scheduler::slots::{Agenda, Cell, Span, capacity, cells, find_slot, free_slots, stretches};
use store::{Booking, BookingState, Store, StoreConfig};

use office::{Office, Scale, heading, row};

/// Reads what is taken, as it is asked for with each page of free times.
struct Reader<'a> {
    store: &'a Store,
    slug: &'a OfficeSlug,
    office: &'a Office,
}

impl Reader<'_> {
    async fn taken(&self, range: &Range<Cell>) -> Vec<scheduler::slots::Taken> {
        let mut read = self.store.read().await.unwrap();
        let taken = read
            .taken_places(self.slug, range, self.office.now, None)
            .await
            .unwrap();
        stretches(&taken)
    }

    fn agenda<'t>(&'t self, taken: &'t [scheduler::slots::Taken]) -> Agenda<'t> {
        Agenda {
            taken,
            ..self.office.agenda()
        }
    }
}

/// Stores the office's bookings, each with its places.
async fn fill(store: &Store, slug: &OfficeSlug, office: &Office) -> usize {
    let now = office.now;
    let mut tx = store.begin().await.unwrap();
    let mut stored = 0;
    for (number, taken) in (0_u128..).zip(&office.taken) {
        let id = BookingId::from_random(number.to_be_bytes());
        let booking = Booking {
            id: id.clone(),
            office: slug.clone(),
            state: BookingState::Confirmed,
            code: number.to_string(),
            start: taken.span.start,
            end: taken.span.end,
            services: Vec::new(),
            language: Language::De,
            uid: number.to_string(),
            sequence: 0,
            expires_at: None,
            reminded: 0,
            reminded_until: None,
            wants_earlier: false,
            reply: None,
            visit: None,
            created_at: now,
            changed_at: now,
            ended_at: None,
        };
        tx.insert_booking(&booking, &number.to_string())
            .await
            .unwrap();
        let range = cells(taken.span);
        let places = capacity(&office.hours, &office.rules, &[], &range);
        let placed = tx
            .take_places(slug, &id, &range, &places, now, None)
            .await
            .unwrap();
        stored += usize::from(placed.is_ok());
    }
    tx.commit().await.unwrap();
    stored
}

#[tokio::main]
async fn main() {
    let scale = Scale::of_arguments();
    let office = Office::new(&scale);
    let (first, last, now) = (office.first, office.last, office.now);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig::sqlite(&folder.path().join("bench.db")))
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let slug: OfficeSlug = "gewerbe".parse().unwrap();
    let stored = fill(&store, &slug, &office).await;
    let day = SignedDuration::from_hours(24);
    let around = |days: i32| {
        cells(Span {
            start: now - day * 2,
            end: now + day * (days + 3),
        })
    };
    let reader = Reader {
        store: &store,
        slug: &slug,
        office: &office,
    };
    println!("\nThe same with {stored} bookings in SQLite, read each time:\n");
    heading("Free slots with loading");
    for (what, days, until) in [
        ("all days, loaded and computed", scale.days, last),
        ("one day of them, loaded and computed", 1, first),
    ] {
        let range = around(days);
        let mut samples = Vec::with_capacity(scale.runs);
        for _ in 0..scale.runs {
            let begin = Instant::now();
            let taken = reader.taken(&range).await;
            black_box(free_slots(&reader.agenda(&taken), 20, first..=until, now));
            samples.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        row(what, samples);
    }
    let taken = reader.taken(&around(scale.days)).await;
    let slots = free_slots(&reader.agenda(&taken), 20, first..=last, now);
    let wanted = slots[slots.len() / 2];
    let range = cells(Span {
        start: wanted.start,
        end: wanted.end + SignedDuration::from_mins(5),
    });
    let mut samples = Vec::with_capacity(scale.runs);
    for _ in 0..scale.runs {
        let begin = Instant::now();
        let taken = reader.taken(&range).await;
        black_box(find_slot(&reader.agenda(&taken), 20, wanted.start, now)).unwrap();
        samples.push(begin.elapsed().as_secs_f64() * 1_000.0);
    }
    row("one start, loaded and checked", samples);
}
