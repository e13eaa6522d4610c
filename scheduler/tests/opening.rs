//! Opening hours at clock changes and elsewhere, against a model that looks at every minute.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use proptest::prelude::*;
use scheduler::{Feast, HolidayCalendar, MoreHolidays, OpeningHours, Period, State};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn periods(texts: &[&str]) -> Vec<Period> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// The same periods on every day.
fn daily(zone: TimeZone, texts: &[&str]) -> OpeningHours {
    OpeningHours {
        weekly: std::array::from_fn(|_| periods(texts)),
        ..OpeningHours::always(zone)
    }
}

/// The rule in its own words: what does the wall clock show, and is that inside one of the day's periods?
fn open_by_the_clock(hours: &OpeningHours, at: Timestamp) -> bool {
    let shown = at.to_zoned(hours.zone.clone());
    let minute = i32::from(shown.hour()) * 60 + i32::from(shown.minute());
    let of_the_day = match hours.exceptions.get(&shown.date()) {
        Some(exception) => exception.clone(),
        None if hours.holidays.contains(shown.date()) => Vec::new(),
        None => {
            hours.weekly[usize::try_from(shown.weekday().to_monday_zero_offset()).unwrap()].clone()
        }
    };
    of_the_day.iter().any(|period| {
        let start = i32::from(period.start.hour()) * 60 + i32::from(period.start.minute());
        let end = i32::from(period.end.hour()) * 60 + i32::from(period.end.minute());
        (start..if end == 0 { 1440 } else { end }).contains(&minute)
    })
}

/// Compares every minute from `from` on with the model, `minutes` long. All zones here change on whole minutes.
fn agrees_at_every_minute(hours: &OpeningHours, from: Timestamp, minutes: i64) {
    let instants: Vec<_> = (0..minutes)
        .map(|minute| from + SignedDuration::from_mins(minute))
        .collect();
    let model: Vec<_> = instants
        .iter()
        .map(|at| open_by_the_clock(hours, *at))
        .collect();
    let mut next_flip = None;
    for (index, at) in instants.iter().enumerate().rev() {
        let said = hours.at(*at);
        assert_eq!(said.open, model[index], "open at {at}");
        let (flip, other) = if said.open {
            (said.closes_at, said.next_opening)
        } else {
            (said.next_opening, said.closes_at)
        };
        assert_eq!(other, None, "{at}");
        match next_flip {
            Some(next) => assert_eq!(flip, Some(next), "next change after {at}"),
            // The model has no change until its end.
            None => assert!(
                flip.is_none_or(|flip| flip > instants[instants.len() - 1]),
                "{at}: {flip:?}"
            ),
        }
        assert_eq!(said.today, hours.zone.to_datetime(*at).date());
        if index > 0 && model[index] != model[index - 1] {
            next_flip = Some(*at);
        }
    }
}

/// Calendars that are hard on a day of a clock change.
fn hard_weeks() -> Vec<&'static [&'static str]> {
    vec![
        &["08:00-12:00", "13:30-16:00"],
        &["00:00-02:15", "02:15-02:45", "03:00-24:00"],
        &["00:30-01:30", "01:45-02:30", "02:31-02:59"],
        &["22:00-24:00"],
        &["00:00-00:01", "23:59-24:00"],
    ]
}

#[test]
fn every_minute_around_both_clock_changes() {
    // Zone and day of the change: Lord Howe changes by half an hour, Cairo and São Paulo at midnight,
    // Samoa left out a whole day, Troll changes by two hours, Kathmandu stands at a quarter.
    for (name, day) in [
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),
        ("Australia/Lord_Howe", "2026-10-04"),
        ("Africa/Cairo", "2026-04-24"),
        ("Africa/Cairo", "2026-10-30"),
        ("America/Sao_Paulo", "2018-02-18"),
        ("America/Sao_Paulo", "2018-11-04"),
        ("Antarctica/Troll", "2026-03-29"),
        ("Antarctica/Troll", "2026-10-25"),
        ("Asia/Kathmandu", "2026-03-29"),
        ("Pacific/Apia", "2011-12-30"),
    ] {
        let day: Date = day.parse().unwrap();
        // The whole civil day in zones from UTC-12 to UTC+14.
        let from = (day - 1.day())
            .at(10, 0, 0, 0)
            .to_zoned(TimeZone::UTC)
            .unwrap()
            .timestamp();
        for week in hard_weeks() {
            agrees_at_every_minute(&daily(zone(name), week), from, 50 * 60);
        }
    }
}

#[test]
fn a_clock_change_neither_opens_nor_closes_who_is_never_or_always_open() {
    for change in ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"] {
        for week in [&["00:00-24:00"] as &[_], &[]] {
            let from = instant(change) - SignedDuration::from_mins(90);
            agrees_at_every_minute(&daily(zone("Europe/Berlin"), week), from, 180);
        }
    }
}

#[test]
fn the_days_of_the_change_in_berlin_in_words() {
    // Spring: 02:00 to 03:00 does not exist. Who opens at 02:30 opens when the clock shows 03:00.
    let hours = daily(zone("Europe/Berlin"), &["02:30-10:00"]);
    let night = hours.at(instant("2026-03-29T00:59:00Z"));
    assert_eq!(night.next_opening, Some(instant("2026-03-29T01:00:00Z")));
    assert_eq!(
        hours.at(night.next_opening.unwrap()).closes_at,
        Some(instant("2026-03-29T08:00:00Z"))
    );
    // A period inside the gap does not take place; the next one is a day later.
    let hours = daily(zone("Europe/Berlin"), &["02:10-02:50"]);
    assert_eq!(
        hours.at(instant("2026-03-28T12:00:00Z")).next_opening,
        Some(instant("2026-03-30T00:10:00Z"))
    );
    // Autumn: 02:00 to 03:00 comes twice. The clock is asked, nothing else.
    let hours = daily(zone("Europe/Berlin"), &["02:10-02:50"]);
    let first = hours.at(instant("2026-10-25T00:20:00Z"));
    assert_eq!(first.closes_at, Some(instant("2026-10-25T00:50:00Z")));
    let between = hours.at(instant("2026-10-25T00:55:00Z"));
    assert_eq!(between.next_opening, Some(instant("2026-10-25T01:10:00Z")));
    // An office that is open through the change closes at the real instant.
    let hours = daily(zone("Europe/Berlin"), &["00:00-10:00"]);
    assert_eq!(
        hours.at(instant("2026-10-24T22:00:00Z")).closes_at,
        Some(instant("2026-10-25T09:00:00Z"))
    );
}

#[test]
fn contiguous_periods_are_one() {
    let hours = daily(
        zone("Europe/Berlin"),
        &["08:00-12:00", "12:00-24:00", "00:00-01:00"],
    );
    let morning = hours.at(instant("2026-06-10T07:00:00Z"));
    assert_eq!(
        morning.closes_at,
        Some(instant("2026-06-10T23:00:00Z")),
        "01:00 on the next day"
    );
    assert_eq!(morning.periods_today.len(), 3);
}

#[test]
fn exceptions_win_over_holidays_and_holidays_over_the_week() {
    let mut hours = daily(zone("Europe/Berlin"), &["08:00-12:00"]);
    hours.holidays = HolidayCalendar::of(State::NorthRhineWestphalia);
    let good_friday = instant("2026-04-03T08:00:00Z");
    let closed = hours.at(good_friday);
    assert!(!closed.open && closed.periods_today.is_empty());
    assert_eq!(hours.holiday_on(closed.today), Some(Feast::GoodFriday));
    assert_eq!(closed.next_opening, Some(instant("2026-04-04T06:00:00Z")));
    hours
        .exceptions
        .insert(closed.today, periods(&["09:00-11:00"]));
    let open = hours.at(good_friday);
    assert_eq!(open.closes_at, Some(instant("2026-04-03T09:00:00Z")));
    assert_eq!(open.periods_today, periods(&["09:00-11:00"]));
    assert_eq!(hours.holiday_on(open.today), None);
    hours
        .exceptions
        .insert("2026-04-07".parse().unwrap(), Vec::new());
    assert_eq!(
        hours.at(instant("2026-04-05T12:00:00Z")).next_opening,
        Some(instant("2026-04-08T06:00:00Z")),
        "Easter Monday is a holiday, Tuesday an exception"
    );
}

#[test]
fn nothing_is_looked_for_further_than_a_year_ahead() {
    let never = daily(zone("Europe/Berlin"), &[]);
    let said = never.at(instant("2026-11-22T12:00:00Z"));
    assert_eq!(
        (said.open, said.next_opening, said.closes_at),
        (false, None, None)
    );
    let mut once = never.clone();
    once.exceptions
        .insert("2027-11-20".parse().unwrap(), periods(&["08:00-09:00"]));
    assert_eq!(
        once.at(instant("2026-11-22T12:00:00Z")).next_opening,
        Some(instant("2027-11-20T07:00:00Z"))
    );
    assert_eq!(once.at(instant("2026-11-01T12:00:00Z")).next_opening, None);
    let always = OpeningHours::always(zone("Europe/Berlin")).at(instant("2026-12-25T12:00:00Z"));
    assert_eq!(
        (always.open, always.next_opening, always.closes_at),
        (true, None, None)
    );
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    for week in hard_weeks() {
        for name in ["Europe/Berlin", "Pacific/Apia", "UTC"] {
            let hours = daily(zone(name), week);
            for now in [
                Timestamp::MIN,
                Timestamp::MAX,
                Timestamp::MAX - SignedDuration::from_hours(30),
            ] {
                let said = hours.at(now);
                assert!(said.open || said.closes_at.is_none());
            }
        }
    }
}

fn a_period() -> impl Strategy<Value = Period> {
    (0..1440_i32, 1..=1440_i32).prop_filter_map("ends after its start", |(start, end)| {
        let clock = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
        format!("{}-{}", clock(start), clock(end)).parse().ok()
    })
}

/// Up to three periods without overlap.
fn a_day() -> impl Strategy<Value = Vec<Period>> {
    prop::collection::vec(a_period(), 0..4).prop_map(|mut day| {
        day.sort_by_key(|period| period.start);
        while let Some((_, other)) = scheduler::overlap(&day) {
            day.retain(|period| *period != other);
        }
        day
    })
}

fn a_calendar() -> impl Strategy<Value = OpeningHours> {
    let zones = prop::sample::select(vec![
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Antarctica/Troll",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "America/St_Johns",
        "UTC",
    ]);
    let week = prop::array::uniform7(a_day());
    let exceptions = prop::collection::btree_map(0..30_i32, a_day(), 0..4);
    let added = prop::option::of((1..=12_i8, 1..=28_i8));
    (zones, week, exceptions, any::<bool>(), added).prop_map(
        |(name, weekly, exceptions, law, added)| {
            let first: Date = "2026-03-20".parse().unwrap();
            let exceptions: BTreeMap<_, _> = exceptions
                .into_iter()
                .map(|(day, periods)| (first + day.days(), periods))
                .collect();
            OpeningHours {
                zone: zone(name),
                weekly,
                exceptions,
                holidays: HolidayCalendar {
                    state: law.then_some(State::NorthRhineWestphalia),
                    add: added
                        .map(|(month, day)| MoreHolidays::Yearly { month, day })
                        .into_iter()
                        .collect(),
                    ..HolidayCalendar::default()
                },
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(hours in a_calendar(), start in 0..25 * 1440_i64, seconds in 0..60_i64) {
        let from = instant("2026-03-20T00:00:00Z") + SignedDuration::from_mins(start);
        agrees_at_every_minute(&hours, from, 1440);
        // Between two minutes it is as at the minute before, and the next change is the same.
        let (at_the_minute, within) = (hours.at(from), hours.at(from + SignedDuration::from_secs(seconds)));
        prop_assert_eq!(at_the_minute, within);
    }

    #[test]
    fn a_told_change_is_a_change(hours in a_calendar(), start in 0..3_000_000_i64) {
        let said = hours.at(instant("2020-01-01T00:00:00Z") + SignedDuration::from_mins(start));
        if let Some(flip) = said.closes_at.or(said.next_opening) {
            prop_assert_eq!(hours.at(flip).open, !said.open);
            prop_assert_eq!(hours.at(flip - MINUTE).open, said.open);
        }
    }
}
