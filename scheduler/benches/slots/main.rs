//! `cargo xtask bench slots`: how long the free slots of an office take. Prints a table for `docs/benchmarks.md`;
//! nothing passes or fails by time.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement: it prints, and looks at the clock"
)]

mod office;

use std::{hint::black_box, time::Instant};

use scheduler::slots::{affected, find_slot, free_slots, nearest_alternatives};

use office::{Office, Scale, heading, row};

fn main() {
    let scale = Scale::of_arguments();
    let office = Office::new(&scale);
    let (agenda, first, last, now) = (office.agenda(), office.first, office.last, office.now);
    let slots = free_slots(&agenda, 20, first..=last, now);
    println!(
        "{} desks, {} days, a start every 5 minutes: {} bookings, {} busy times, {} free starts\n",
        scale.desks,
        scale.days,
        office.taken.len(),
        office.busy.len(),
        slots.len()
    );
    let measure = |what: &str, run: &mut dyn FnMut()| {
        let samples = (0..scale.runs).map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed().as_secs_f64() * 1_000.0
        });
        row(what, samples.collect());
    };
    heading("Free slots");
    measure("all days, computed", &mut || {
        black_box(free_slots(&agenda, 20, first..=last, now));
    });
    measure("one day of them", &mut || {
        black_box(free_slots(&agenda, 20, first..=first, now));
    });
    let wanted = slots[slots.len() / 2].start;
    measure("one start, checked", &mut || {
        black_box(find_slot(&agenda, 20, wanted, now)).unwrap();
    });
    measure("the five nearest of all", &mut || {
        black_box(nearest_alternatives(&slots, wanted, 5));
    });
    measure("affected by a change, all days", &mut || {
        black_box(affected(&agenda));
    });
}
