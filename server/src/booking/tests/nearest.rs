//! The nearest times, found without reading four weeks of bookings for each citizen who came too late.

use jiff::{SignedDuration, ToSpan as _};
use scheduler::slots::nearest_alternatives;

use super::{super::place::ALTERNATIVES, *};
use crate::booking::slot_view;

#[tokio::test]
async fn the_nearest_of_a_few_days_are_the_nearest_of_all() {
    let stage = Stage::new().await;
    // A full day, and what is left of others.
    for (number, start) in (0..20).zip(["2026-11-26T07:00:00Z", "2026-11-30T07:00:00Z"].repeat(10))
    {
        let start = at(start) + SignedDuration::from_mins(15 * number);
        let _ = stage
            .hold(number.unsigned_abs(), &start.to_string(), NOW)
            .await;
    }
    let place = stage.place(NOW);
    let mut read = stage.bookings.store.read().await.unwrap();
    let zone = place.office.hours.zone.clone();
    for hours in (-30..700).step_by(7) {
        let wanted = at(NOW) + SignedDuration::from_hours(hours);
        let day = zone.to_datetime(wanted.max(place.now)).date();
        let days = day.saturating_sub(14.days())..=day.saturating_add(14.days());
        for minutes in [10, 45] {
            let all = place
                .free(&mut read, minutes, days.clone(), None)
                .await
                .unwrap();
            let expected: Vec<_> = nearest_alternatives(&all, wanted, ALTERNATIVES)
                .iter()
                .map(slot_view)
                .collect();
            assert_eq!(expected.len(), ALTERNATIVES);
            let found = place.nearest(&mut read, minutes, wanted).await.unwrap();
            assert_eq!(found, expected, "{wanted}, {minutes} minutes");
        }
    }
}
