//! The demo city is sound, complete in both languages and what its offices promise.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail like tests"
)]

use std::{io, path::Path};

use bridge::ids::Language;
use city::model::{City, Localized, Place};
use jiff::Timestamp;

fn dormagen() -> City {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/dormagen");
    let text = std::fs::read_to_string(directory.join(city::FILE_NAME)).unwrap();
    let files =
        |name: &str| -> io::Result<String> { std::fs::read_to_string(directory.join(name)) };
    City::parse(&text, &files, "dormagen.example").unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_text_stands_in_both_languages() {
    let city = dormagen();
    assert_eq!(city.languages, [Language::De, Language::En]);
    assert_eq!(city.untranslated, []);
    let differ = |text: &Localized| assert!(text.translation(Language::En).is_some(), "{text:?}");
    for office in &city.offices {
        differ(&office.name);
        differ(&office.description);
        for service in &office.services {
            differ(&service.name);
            service.documents.iter().for_each(differ);
        }
        for entry in &office.faq {
            differ(&entry.question);
            differ(&entry.answer_html);
        }
        office.notices.values().for_each(differ);
    }
    for page in &city.pages {
        differ(&page.title);
        differ(&page.html);
    }
}

#[test]
fn the_five_offices_have_all_they_need() {
    let city = dormagen();
    let slugs: Vec<_> = city
        .offices
        .iter()
        .map(|office| office.slug.as_str())
        .collect();
    assert_eq!(
        slugs,
        [
            "gewerbe",
            "fundbuero",
            "wahlamt",
            "einwohnermeldeamt",
            "kindertagespflege"
        ]
    );
    let letters: String = city
        .offices
        .iter()
        .map(|office| office.rules.ticket_letter)
        .collect();
    assert_eq!(letters, "GFWEK");
    assert!((4..=8).contains(&city.faq.len()));
    for office in &city.offices {
        assert!((4..=8).contains(&office.faq.len()), "{}", office.slug);
        assert!(office.clerks.len() >= 2, "{}", office.slug);
        assert!(
            office
                .services
                .iter()
                .any(|service| matches!(service.place, Place::Remote))
        );
        assert!(
            office
                .services
                .iter()
                .any(|service| matches!(service.place, Place::InPerson { .. }))
        );
    }
    let pages: Vec<_> = city.pages.iter().map(|page| page.slug.as_str()).collect();
    assert_eq!(pages, ["impressum", "datenschutz", "barrierefreiheit"]);
    for page in &city.pages {
        assert!(
            page.html
                .get(Language::De)
                .contains("Dies ist eine Demonstration.")
        );
        assert!(
            page.html
                .get(Language::En)
                .contains("This is a demonstration.")
        );
    }
}

#[test]
fn a_passport_needs_presence_at_the_town_hall() {
    let city = dormagen();
    let office = city.office(&"einwohnermeldeamt".parse().unwrap()).unwrap();
    let Place::InPerson { address } = &office.service(&"reisepass".parse().unwrap()).unwrap().place
    else {
        panic!("a passport cannot be had remotely");
    };
    assert!(
        address
            .get(Language::De)
            .contains("Paul-Wierich-Platz 2, 41539 Dormagen")
    );
}

#[test]
fn the_trade_office_keeps_town_hall_hours() {
    let city = dormagen();
    let office = city.office(&"gewerbe".parse().unwrap()).unwrap();
    let at = |time: &str| office.hours.at(time.parse::<Timestamp>().unwrap());
    // Monday 23 November 2026, 11:30 in Dormagen; it closes for lunch at noon.
    let open = at("2026-11-23T10:30:00Z");
    assert!(open.open);
    assert_eq!(
        open.closes_at,
        Some("2026-11-23T11:00:00Z".parse().unwrap())
    );
    assert_eq!(open.periods_today.len(), 2);
    // Friday 18 December, evening: next on Monday.
    let evening = at("2026-12-18T20:00:00Z");
    assert_eq!(
        evening.next_opening,
        Some("2026-12-21T07:00:00Z".parse().unwrap())
    );
    // From Christmas Eve to New Year it stays closed; 2 and 3 January are a weekend.
    let christmas = at("2026-12-23T20:00:00Z");
    assert_eq!(
        christmas.next_opening,
        Some("2027-01-04T07:00:00Z".parse().unwrap())
    );
    assert!(office.notices.contains_key(&"2026-12-29".parse().unwrap()));
}

#[test]
fn four_offices_take_appointments() {
    let city = dormagen();
    let booked: Vec<_> = city
        .offices
        .iter()
        .filter(|office| office.booking.is_some())
        .map(|office| office.slug.as_str())
        .collect();
    assert_eq!(
        booked,
        [
            "gewerbe",
            "fundbuero",
            "einwohnermeldeamt",
            "kindertagespflege"
        ]
    );
    for office in &city.offices {
        let Some(booking) = &office.booking else {
            continue;
        };
        // Monday 7 December 2026, a day like any other.
        let monday = "2026-12-07".parse().unwrap();
        let slots = scheduler::slots::free_slots(
            &scheduler::slots::Agenda {
                hours: &office.hours,
                rules: &booking.rules,
                taken: &[],
                busy: &[],
            },
            office.service(&booking.services[0]).unwrap().minutes,
            monday..=monday,
            "2026-12-01T08:00:00Z".parse().unwrap(),
        );
        assert!(slots.len() >= 6, "{}: {}", office.slug, slots.len());
    }
}
