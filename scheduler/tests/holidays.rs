//! Holidays computed from rules, against dates known from calendars.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use jiff::{ToSpan, civil::Date};
use scheduler::{Feast, HolidayCalendar, MoreHolidays, State};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// All holidays of a year.
fn holidays(calendar: &HolidayCalendar, year: i16) -> Vec<Date> {
    Date::new(year, 1, 1)
        .unwrap()
        .series(1.day())
        .take_while(|day| day.year() == year)
        .filter(|day| calendar.contains(*day))
        .collect()
}

fn dates(year: &str, days: &[&str]) -> Vec<Date> {
    days.iter()
        .map(|day| date(&format!("{year}-{day}")))
        .collect()
}

/// The Meeus/Jones/Butcher computus, another formula than the one under test.
fn easter_by_butcher(year: i16) -> Date {
    let y = i32::from(year);
    let (golden, century, rest) = (y % 19, y / 100, y % 100);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let sum = epact + weekday - 7 * late + 114;
    Date::new(
        year,
        i8::try_from(sum / 31).unwrap(),
        i8::try_from(sum % 31 + 1).unwrap(),
    )
    .unwrap()
}

#[test]
fn easter_agrees_with_another_computus_and_with_known_years() {
    for year in 1583..=4099 {
        assert_eq!(
            Feast::EasterSunday.date(year),
            Some(easter_by_butcher(year)),
            "{year}"
        );
    }
    for known in [
        "1990-04-15",
        "1999-04-04",
        "2000-04-23",
        "2008-03-23",
        "2011-04-24",
        "2019-04-21",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2027-03-28",
        "2038-04-25",
        "2049-04-18",
        "2076-04-19",
        "2100-03-28",
    ] {
        let known = date(known);
        assert_eq!(Feast::EasterSunday.date(known.year()), Some(known));
    }
}

#[test]
fn north_rhine_westphalia_in_known_years() {
    let calendar = HolidayCalendar::of(State::NorthRhineWestphalia);
    // 1990: the Day of German Unity is new, the Day of Repentance still a holiday.
    assert_eq!(
        holidays(&calendar, 1990),
        dates(
            "1990",
            &[
                "01-01", "04-13", "04-16", "05-01", "05-24", "06-04", "06-14", "10-03", "11-01",
                "11-21", "12-25", "12-26",
            ]
        )
    );
    assert_eq!(
        holidays(&calendar, 1995),
        dates(
            "1995",
            &[
                "01-01", "04-14", "04-17", "05-01", "05-25", "06-05", "06-15", "10-03", "11-01",
                "12-25", "12-26",
            ]
        )
    );
    // 2008: Labour Day and Ascension on one day.
    assert_eq!(
        holidays(&calendar, 2008),
        dates(
            "2008",
            &[
                "01-01", "03-21", "03-24", "05-01", "05-12", "05-22", "10-03", "11-01", "12-25",
                "12-26",
            ]
        )
    );
    // 2017: Reformation Day in the whole country, once.
    assert_eq!(
        holidays(&calendar, 2017),
        dates(
            "2017",
            &[
                "01-01", "04-14", "04-17", "05-01", "05-25", "06-05", "06-15", "10-03", "10-31",
                "11-01", "12-25", "12-26",
            ]
        )
    );
    assert_eq!(
        holidays(&calendar, 2026),
        dates(
            "2026",
            &[
                "01-01", "04-03", "04-06", "05-01", "05-14", "05-25", "06-04", "10-03", "11-01",
                "12-25", "12-26",
            ]
        )
    );
    assert_eq!(
        holidays(&calendar, 2027),
        dates(
            "2027",
            &[
                "01-01", "03-26", "03-29", "05-01", "05-06", "05-17", "05-27", "10-03", "11-01",
                "12-25", "12-26",
            ]
        )
    );
    assert_eq!(
        holidays(&calendar, 2100),
        dates(
            "2100",
            &[
                "01-01", "03-26", "03-29", "05-01", "05-06", "05-17", "05-27", "10-03", "11-01",
                "12-25", "12-26",
            ]
        )
    );
}

#[test]
fn every_state_has_as_many_holidays_as_its_law() {
    // Holidays of 2026 in the whole state; Sundays that are holidays by law only in Brandenburg.
    let counts = [
        (State::BadenWuerttemberg, 12),
        (State::Bavaria, 12),
        (State::Berlin, 10),
        (State::Brandenburg, 12),
        (State::Bremen, 10),
        (State::Hamburg, 10),
        (State::Hesse, 10),
        (State::MecklenburgVorpommern, 11),
        (State::LowerSaxony, 10),
        (State::NorthRhineWestphalia, 11),
        (State::RhinelandPalatinate, 11),
        (State::Saarland, 12),
        (State::Saxony, 11),
        (State::SaxonyAnhalt, 11),
        (State::SchleswigHolstein, 10),
        (State::Thuringia, 11),
    ];
    assert_eq!(counts.len(), State::ALL.len());
    for (state, count) in counts {
        assert_eq!(
            holidays(&HolidayCalendar::of(state), 2026).len(),
            count,
            "{}",
            state.name()
        );
    }
}

#[test]
fn holidays_that_came_and_went() {
    let on = |state, day| HolidayCalendar::of(state).feast_on(date(day));
    assert_eq!(on(State::Berlin, "2018-03-08"), None);
    assert_eq!(on(State::Berlin, "2019-03-08"), Some(Feast::WomensDay));
    assert_eq!(on(State::MecklenburgVorpommern, "2022-03-08"), None);
    assert_eq!(
        on(State::MecklenburgVorpommern, "2023-03-08"),
        Some(Feast::WomensDay)
    );
    assert_eq!(on(State::Berlin, "2020-05-08"), Some(Feast::LiberationDay));
    assert_eq!(on(State::Berlin, "2021-05-08"), None);
    assert_eq!(on(State::Berlin, "2025-05-08"), Some(Feast::LiberationDay));
    assert_eq!(
        on(State::Thuringia, "2019-09-20"),
        Some(Feast::ChildrensDay)
    );
    assert_eq!(on(State::Hamburg, "2016-10-31"), None);
    assert_eq!(on(State::Hamburg, "2018-10-31"), Some(Feast::Reformation));
    for (repentance, year) in [
        ("1994-11-16", 1994),
        ("2011-11-16", 2011),
        ("2016-11-16", 2016),
        ("2022-11-16", 2022),
        ("2026-11-18", 2026),
    ] {
        assert_eq!(Feast::Repentance.date(year), Some(date(repentance)));
        assert_eq!(on(State::Saxony, repentance), Some(Feast::Repentance));
    }
    assert_eq!(on(State::Bavaria, "1994-11-16"), Some(Feast::Repentance));
    assert_eq!(on(State::Bavaria, "1995-11-22"), None);
}

#[test]
fn rules_hold_for_every_year_of_the_range() {
    use jiff::civil::Weekday;
    for year in 1990..=2100 {
        for feast in Feast::ALL {
            let day = feast.date(year).unwrap();
            assert_eq!(day.year(), year, "{feast:?}");
            let weekday = match feast {
                Feast::GoodFriday => Weekday::Friday,
                Feast::EasterSunday | Feast::WhitSunday => Weekday::Sunday,
                Feast::EasterMonday | Feast::WhitMonday | Feast::CarnivalMonday => Weekday::Monday,
                Feast::Ascension | Feast::CorpusChristi | Feast::CarnivalThursday => {
                    Weekday::Thursday
                }
                Feast::Repentance => Weekday::Wednesday,
                _ => continue,
            };
            assert_eq!(day.weekday(), weekday, "{feast:?} {year}");
        }
    }
}

#[test]
fn a_city_removes_and_adds_holidays() {
    let mut calendar = HolidayCalendar::of(State::NorthRhineWestphalia);
    calendar.except.insert(Feast::AllSaints);
    calendar.add.extend([
        MoreHolidays::Feast(Feast::CarnivalMonday),
        MoreHolidays::Yearly { month: 12, day: 24 },
        MoreHolidays::Once(date("2026-05-15")),
    ]);
    assert!(!calendar.contains(date("2026-11-01")));
    for (day, year_after) in [("2026-02-16", "2027-02-08"), ("2026-12-24", "2027-12-24")] {
        assert!(calendar.contains(date(day)) && calendar.contains(date(year_after)));
    }
    assert!(calendar.contains(date("2026-05-15")) && !calendar.contains(date("2027-05-15")));
    assert_eq!(
        calendar.feast_on(date("2026-02-16")),
        Some(Feast::CarnivalMonday)
    );
    assert_eq!(
        calendar.feast_on(date("2026-12-24")),
        None,
        "a nameless day"
    );
    // Removed and added: it stays.
    calendar.add.insert(MoreHolidays::Feast(Feast::AllSaints));
    assert!(calendar.contains(date("2026-11-01")));
    assert_eq!(
        HolidayCalendar::default().feast_on(date("2026-12-25")),
        None
    );
}

#[test]
fn names_are_read_as_they_are_written() {
    for feast in Feast::ALL {
        assert_eq!(feast.name().parse(), Ok(*feast));
    }
    for state in State::ALL {
        assert_eq!(state.name().parse(), Ok(*state));
    }
    assert!("Karfreitag".parse::<Feast>().is_err());
    assert!("nw".parse::<State>().is_err());
}
