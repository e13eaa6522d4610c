//! Good and wrong sections about appointments: what is written, what is answered.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::io;

use bridge::ids::ServiceId;
use city::{
    CityErrors,
    model::{Booking, City, Declined},
};
use jiff::{SignedDuration, civil::date};
use scheduler::slots::Bookable;

const CITY: &str = r#"name = "Kleinstadt"
time_zone = "Europe/Berlin"
languages = ["de"]
retention_hours = 24
pages = { impressum = "p.md", datenschutz = "p.md", barrierefreiheit = "p.md" }

[offices.gewerbe]
letter = "G"
name = "Gewerbeamt"
description = "Gewerbe."
clerks = ["anna"]
hours = { monday = "08:00-12:00" }

[offices.gewerbe.services.anmelden]
name = "Anmelden"
minutes = 20
place = "remote"

[offices.gewerbe.services.karte]
name = "Karte abholen"
minutes = 10
place = "in-person"
address = "Markt 1"

[offices.gewerbe.booking]
"#;

fn parse(booking: &str) -> Result<City, CityErrors> {
    let page = |_: &str| -> io::Result<String> { Ok("# Seite\n\nText.".to_owned()) };
    City::parse(&format!("{CITY}{booking}"), &page, "klein.example")
}

fn booking(text: &str) -> Booking {
    parse(text).unwrap().offices[0].booking.clone().unwrap()
}

#[test]
fn two_settings_are_enough() {
    let booking = booking("mail = \"amt@klein.example\"\ndesks = 2");
    let minutes = SignedDuration::from_mins;
    assert_eq!(booking.mail, "amt@klein.example");
    let services: Vec<_> = booking.services.iter().map(ServiceId::as_str).collect();
    assert_eq!(services, ["anmelden"], "what is done remotely");
    assert_eq!(booking.rules.desks.on(date(2026, 12, 25))[0].desks, 2);
    assert_eq!(booking.rules.grid_minutes, 15);
    assert_eq!(booking.rules.min_notice, minutes(60));
    assert_eq!(booking.hold, minutes(10));
    assert!(booking.confirm_mail);
    assert_eq!(booking.reappear, (minutes(5), minutes(30)));
    assert_eq!(booking.reminders, [minutes(1440), minutes(60)]);
    assert_eq!(booking.declined, Declined::Ask);
}

#[test]
fn every_setting_is_understood() {
    let booking = booking(
        r#"
        mail = "amt@klein.example"
        services = ["karte", "anmelden"]
        grid_minutes = 20
        buffer_minutes = 5
        notice_minutes = 0
        horizon_days = 90
        hold_minutes = 5
        confirm_mail = false
        confirm_minutes = 60
        reappear_from_minutes = 0
        reappear_to_minutes = 0
        reminder_minutes = [60, 2880, 60]
        prepare_minutes = 10
        grace_minutes = 15
        declined = "cancel"
        limit_per_mail = 1
        offer_minutes = 30
        exceptions = [
          { date = 2026-12-07, desks = 0 },
          { from = 2026-12-14, to = 2026-12-15, desks = { "09:00-10:00" = 4 } },
        ]
        [offices.gewerbe.booking.calendars]
        anna = "https://kalender.example/secret/anna.ics"
        [offices.gewerbe.booking.desks]
        monday = { "10:00-12:00" = 1, "08:00-10:00" = 3 }
        tuesday = 2
        "#,
    );
    let minutes = SignedDuration::from_mins;
    let services: Vec<_> = booking.services.iter().map(ServiceId::as_str).collect();
    assert_eq!(services, ["karte", "anmelden"]);
    let day = |day| {
        let plan = booking.rules.desks.on(date(2026, 12, day));
        let shown = |one: &Bookable| format!("{} {}", one.period, one.desks);
        plan.iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(day(21), ["08:00-10:00 3", "10:00-12:00 1"]);
    assert_eq!(day(22), ["00:00-24:00 2"]);
    assert_eq!(day(23), Vec::<String>::new());
    assert_eq!(day(7), ["00:00-24:00 0"]);
    assert_eq!(day(15), ["09:00-10:00 4"]);
    assert_eq!(booking.rules.grid_minutes, 20);
    assert_eq!(booking.rules.buffer_minutes, 5);
    assert_eq!(booking.rules.min_notice, SignedDuration::ZERO);
    assert_eq!(booking.rules.horizon_days, 90);
    assert_eq!(booking.hold, minutes(5));
    assert!(!booking.confirm_mail);
    assert_eq!(booking.confirm_within, minutes(60));
    assert_eq!(booking.reappear, (minutes(0), minutes(0)));
    assert_eq!(booking.reminders, [minutes(2880), minutes(60)]);
    assert_eq!(booking.prepare, minutes(10));
    assert_eq!(booking.grace, minutes(15));
    assert_eq!(booking.declined, Declined::Cancel);
    assert_eq!(booking.limit_per_mail, 1);
    assert_eq!(booking.offer, minutes(30));
    assert_eq!(booking.calendars.len(), 1);
    assert_eq!(
        booking.calendars[0].url,
        "https://kalender.example/secret/anna.ics"
    );
    assert!(!format!("{booking:?}").contains("secret"));
}

#[test]
fn every_wrong_line_gets_its_place_reason_and_cure() {
    let told = |text: &str| {
        let faults = parse(text).unwrap_err().to_string();
        faults.replace("offices.gewerbe.booking", "…")
    };
    assert_eq!(
        told(""),
        "city.toml:25:1: ….desks: is missing; write desks = 2, or by weekday: \
         desks = { monday = { \"08:00-12:00\" = 2 } }\n\
         city.toml:25:1: ….mail: is missing; write mail = \"gewerbe@stadt.example\""
    );
    let sound = "mail = \"a@b.example\"\ndesks = 1\n";
    for (line, answer) in [
        (
            "grid_minutes = 7",
            "city.toml:28:16: ….grid_minutes: 7 is not a multiple of five; \
             write 5, 10, 15, 20, 30 or another multiple of five",
        ),
        (
            "calendars = { \"a b\" = \"https://x.example/\" }",
            "city.toml:28:23: ….calendars.a b: \"a b\" is no name for a calendar; use at most 40 letters, digits, - and _",
        ),
        (
            "calendars = { anna = \"webcal://x.example/secret\" }",
            "city.toml:28:22: ….calendars.anna: this is not the address of a calendar; \
             write it like anna = \"https://kalender.example/anna.ics\"",
        ),
        (
            "horizon_days = 0",
            "city.toml:28:16: ….horizon_days: 0 is out of range; write a whole number from 1 to 365",
        ),
        (
            "confirm_mail = \"no\"",
            "city.toml:28:16: ….confirm_mail: a text does not fit here; write true or false",
        ),
        (
            "declined = \"cancle\"",
            "city.toml:28:12: ….declined: \"cancle\" is not what to do about a declined appointment; \
             did you mean \"cancel\"?",
        ),
        (
            "services = [\"anmeldn\", \"karte\", \"karte\"]",
            "city.toml:28:13: ….services[1]: \"anmeldn\" is not a service of this office; \
             did you mean \"anmelden\"?\n\
             city.toml:28:33: ….services[3]: \"karte\" stands here twice; remove one",
        ),
        (
            "services = []",
            "city.toml:28:12: ….services: no service can be booked; \
             name at least one, or remove the setting for all that are done remotely",
        ),
        (
            "reappear_from_minutes = 40",
            "city.toml:25:1: …: a place cannot return after 40 minutes at the earliest and 30 at the latest; \
             write a greater reappear_to_minutes",
        ),
        (
            "reminder_minutes = [1]",
            "city.toml:28:21: ….reminder_minutes[1]: 1 is out of range; write a whole number from 5 to 20160",
        ),
        (
            "exceptions = [{ date = 2026-12-07, desks = 0 }, { date = 2026-12-07, desks = 1 }]",
            "city.toml:28:49: ….exceptions[2]: 2026-12-07 has an exception already; make them one",
        ),
        (
            "exceptions = [{ date = 2026-12-07 }]",
            "city.toml:28:15: ….exceptions[1].desks: is missing; write desks = 1",
        ),
        (
            "hold_minuts = 5",
            "city.toml:28:1: ….hold_minuts: is not a known setting; did you mean \"hold_minutes\"?",
        ),
    ] {
        assert_eq!(told(&format!("{sound}{line}")), answer);
    }
}

#[test]
fn wrong_desks_and_addresses_are_refused() {
    let told = |desks: &str, mail: &str| {
        let text = format!("mail = \"{mail}\"\ndesks = {desks}");
        parse(&text).err().map(|errors| errors.to_string())
    };
    let fault = |desks| told(desks, "a@b.example").unwrap();
    assert!(fault("-1").contains("-1 is out of range; write a whole number from 0 to 500"));
    assert!(fault("\"2\"").contains("a text does not fit here; write desks = 2"));
    assert!(fault("{}").contains("no desk can ever be booked"));
    assert!(fault("{ monday = 0 }").contains("no desk can ever be booked"));
    assert!(fault("{ mondy = 1 }").contains("did you mean \"monday\"?"));
    assert!(fault("{ monday = { \"8-12\" = 1 } }").contains("\"8-12\" is not a period"));
    assert!(
        fault("{ monday = { \"08:00-12:00\" = 1, \"11:00-13:00\" = 1 } }")
            .contains("08:00-12:00 and 11:00-13:00 overlap")
    );
    for mail in ["a.b+c@d-e.f.example", "o'hara@b.example"] {
        assert_eq!(told("1", mail), None, "{mail}");
    }
    for mail in [
        "a",
        "@b.example",
        "a@",
        "a@b",
        "a@b..example",
        "a@-b.example",
        "a..b@c.example",
        "a b@c.example",
        "a@b.example, c@d.example",
        "a@b.example>",
        "mailto:a@b.example",
        "ä@b.example",
    ] {
        assert!(
            told("1", mail).unwrap().contains("is not a mail address"),
            "{mail}"
        );
    }
}

#[test]
fn an_office_books_here_or_elsewhere() {
    let text = format!("{CITY}mail = \"a@b.example\"\ndesks = 1").replace(
        "clerks = [\"anna\"]",
        "clerks = [\"anna\"]\nbooking_page = \"https://b.example/\"",
    );
    let page = |_: &str| -> io::Result<String> { Ok("# Seite\n\nText.".to_owned()) };
    let told = City::parse(&text, &page, "klein.example")
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("appointments are booked either here or elsewhere"),
        "{told}"
    );
}
