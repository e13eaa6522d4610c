use jiff::civil::{Date, date};

use super::*;

/// The starts of a whole-day rule in some days.
fn dates(rule: &str, start: Date, first: Date, last: Date) -> Vec<String> {
    let midnight = |date: Date| date.at(0, 0, 0, 0);
    let window = midnight(first)..=midnight(last);
    let rule = Rule::parse(rule).unwrap();
    rule.starts(midnight(start), window, &mut Budget::new())
        .unwrap()
        .into_iter()
        .map(|start| start.date().to_string())
        .collect()
}

/// The starts on 2 September 1997 of a rule that begins there at nine.
fn times(rule: &str) -> Vec<String> {
    let start = date(1997, 9, 2).at(9, 0, 0, 0);
    let window = start..=date(1997, 9, 2).at(23, 59, 59, 0);
    let rule = Rule::parse(rule).unwrap();
    rule.starts(start, window, &mut Budget::new())
        .unwrap()
        .into_iter()
        .map(|start| start.time().to_string())
        .collect()
}

/// The examples of RFC 5545 §3.8.5.3.
#[test]
fn examples_of_the_standard_by_week_and_month() {
    let start = date(1997, 9, 2);
    let until = date(1998, 3, 31);
    let of = |rule| dates(rule, start, start, until);
    assert_eq!(
        of("FREQ=DAILY;COUNT=3"),
        ["1997-09-02", "1997-09-03", "1997-09-04"]
    );
    assert_eq!(
        of("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,TH"),
        ["1997-09-02", "1997-09-04", "1997-09-16", "1997-09-18"]
    );
    assert_eq!(
        dates(
            "FREQ=MONTHLY;COUNT=4;BYDAY=1FR",
            date(1997, 9, 5),
            start,
            until
        ),
        ["1997-09-05", "1997-10-03", "1997-11-07", "1997-12-05"]
    );
    assert_eq!(
        dates(
            "FREQ=MONTHLY;BYMONTHDAY=-3",
            date(1997, 9, 28),
            start,
            date(1997, 12, 31)
        ),
        ["1997-09-28", "1997-10-29", "1997-11-28", "1997-12-29"]
    );
    assert_eq!(
        dates(
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
            date(1997, 9, 29),
            start,
            date(1997, 11, 30)
        ),
        ["1997-09-29", "1997-10-30", "1997-11-27"]
    );
}

#[test]
fn examples_of_the_standard_by_year_and_week_start() {
    let (start, until) = (date(1997, 9, 2), date(1998, 3, 31));
    assert_eq!(
        dates(
            "FREQ=YEARLY;BYDAY=20MO",
            date(1997, 5, 19),
            date(1997, 1, 1),
            date(1999, 12, 31)
        ),
        ["1997-05-19", "1998-05-18", "1999-05-17"]
    );
    assert_eq!(
        dates(
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            date(1996, 11, 5),
            date(1996, 1, 1),
            date(2005, 1, 1)
        ),
        ["1996-11-05", "2000-11-07", "2004-11-02"]
    );
    assert_eq!(
        dates(
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            start,
            start,
            date(1999, 1, 1)
        ),
        ["1997-09-02", "1998-02-13", "1998-03-13", "1998-11-13"]
    );
    // The week's start decides which weeks are left out.
    let august = date(1997, 8, 5);
    assert_eq!(
        dates(
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            august,
            august,
            until
        ),
        ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]
    );
    assert_eq!(
        dates(
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            august,
            august,
            until
        ),
        ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]
    );
    // A day that a month or year does not have is left out.
    assert_eq!(
        dates(
            "FREQ=MONTHLY;COUNT=3",
            date(2026, 1, 31),
            date(2026, 1, 1),
            date(2027, 1, 1)
        ),
        ["2026-01-31", "2026-03-31", "2026-05-31"]
    );
    assert_eq!(
        dates(
            "FREQ=YEARLY",
            date(2024, 2, 29),
            date(2025, 1, 1),
            date(2030, 1, 1)
        ),
        ["2028-02-29"]
    );
}

#[test]
fn examples_of_the_standard_by_day_and_week_of_the_year() {
    assert_eq!(
        dates(
            "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
            date(1997, 1, 1),
            date(1997, 1, 1),
            date(2010, 1, 1)
        ),
        [
            "1997-01-01",
            "1997-04-10",
            "1997-07-19",
            "2000-01-01",
            "2000-04-09",
            "2000-07-18",
            "2003-01-01",
            "2003-04-10",
            "2003-07-19",
            "2006-01-01"
        ]
    );
    assert_eq!(
        dates(
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
            date(1997, 5, 12),
            date(1997, 1, 1),
            date(1999, 12, 31)
        ),
        ["1997-05-12", "1998-05-11", "1999-05-17"]
    );
    // The last week of 2020 is its 53rd and reaches into 2021; the weekday is the start's.
    for rule in [
        "FREQ=YEARLY;BYWEEKNO=53",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=FR",
    ] {
        assert_eq!(
            dates(rule, date(2016, 1, 1), date(2016, 1, 1), date(2027, 12, 31)),
            ["2016-01-01", "2021-01-01", "2027-01-01"]
        );
    }
    assert_eq!(
        dates(
            "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=FR",
            date(2021, 1, 1),
            date(2021, 1, 1),
            date(2022, 12, 31)
        ),
        ["2021-01-01", "2021-12-31", "2022-12-30"]
    );
}

#[test]
fn examples_of_the_standard_by_the_clock() {
    assert_eq!(
        times("FREQ=HOURLY;INTERVAL=3;UNTIL=19970904T170000Z"),
        ["09:00:00", "12:00:00", "15:00:00", "18:00:00", "21:00:00"]
    );
    assert_eq!(
        times("FREQ=MINUTELY;INTERVAL=90;COUNT=4"),
        ["09:00:00", "10:30:00", "12:00:00", "13:30:00"]
    );
    let every_twenty = times("FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40");
    assert_eq!(every_twenty.len(), 24);
    assert_eq!(every_twenty[22..], ["16:20:00", "16:40:00"]);
    assert_eq!(
        times("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16"),
        every_twenty
    );
    assert_eq!(
        times("FREQ=HOURLY;BYMINUTE=15,30;BYSECOND=0,60;BYSETPOS=-1;COUNT=3"),
        ["09:00:00", "09:30:00", "10:30:00"],
        "no leap second"
    );
    assert_eq!(
        times("FREQ=DAILY;BYHOUR=8,12"),
        ["09:00:00", "12:00:00"],
        "the start is one, what lies before it is none"
    );
    // Times mean nothing to whole days.
    let rule = Rule::parse("FREQ=DAILY;BYHOUR=9;BYMINUTE=1;BYSECOND=2;COUNT=2").unwrap();
    assert_eq!(
        rule.of_whole_days(),
        Rule::parse("FREQ=DAILY;COUNT=2").unwrap()
    );
}

#[test]
fn a_distant_window_costs_as_little_as_a_near_one() {
    let near = date(2026, 12, 1).at(0, 0, 0, 0)..=date(2026, 12, 14).at(0, 0, 0, 0);
    for (rule, expected) in [
        ("FREQ=DAILY;INTERVAL=3", 5),
        ("FREQ=WEEKLY;BYDAY=MO,WE", 4),
        ("FREQ=MONTHLY;BYDAY=2TU", 1),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=6", 1),
        ("FREQ=HOURLY;INTERVAL=100", 4),
        ("FREQ=MINUTELY;INTERVAL=10000", 2),
        ("FREQ=SECONDLY;BYHOUR=7;BYMINUTE=0;BYSECOND=0", 13),
    ] {
        let found = Rule::parse(rule).unwrap().starts(
            date(1, 1, 1).at(0, 0, 0, 0),
            near.clone(),
            &mut Budget(2_000),
        );
        assert_eq!(found.map(|dates| dates.len()), Some(expected), "{rule}");
    }
}

#[test]
fn a_bomb_runs_out_of_budget() {
    let window = date(2026, 1, 1).at(0, 0, 0, 0)..=date(2026, 12, 31).at(0, 0, 0, 0);
    let every_number = |most: u32| {
        let numbers = (1..=most).map(|number| number.to_string());
        numbers.collect::<Vec<_>>().join(",")
    };
    let (sixty, days) = (every_number(59), every_number(366));
    for bomb in [
        "FREQ=DAILY;COUNT=4000000000".to_owned(),
        "FREQ=SECONDLY;COUNT=4000000000;BYMONTH=2;BYMONTHDAY=30".to_owned(),
        "FREQ=SECONDLY".to_owned(),
        format!("FREQ=YEARLY;BYHOUR=1,2;BYMINUTE={sixty};BYSECOND={sixty};BYYEARDAY={days}"),
        format!("FREQ=MINUTELY;BYSECOND={sixty};BYSETPOS={days}"),
    ] {
        let rule = Rule::parse(&bomb).unwrap();
        let start = date(1, 1, 1).at(0, 0, 0, 0);
        let found = rule.starts(start, window.clone(), &mut Budget(100_000));
        assert_eq!(found, None, "{bomb}");
    }
    // What never comes ends with the window.
    let rule = Rule::parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2").unwrap();
    assert_eq!(
        rule.starts(date(2020, 1, 1).at(0, 0, 0, 0), window, &mut Budget::new()),
        Some(Vec::new())
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "",
        "FREQ",
        "FREQ=",
        "FREQ=NEVER",
        "COUNT=2",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;BYMINUTE=60",
        "FREQ=DAILY;BYSECOND=61",
        "FREQ=DAILY;BYSECOND=-1",
        "FREQ=YEARLY;BYWEEKNO=54",
        "FREQ=YEARLY;BYWEEKNO=0",
        "FREQ=YEARLY;BYYEARDAY=367",
        "FREQ=YEARLY;BYEASTER=0",
        "FREQ=DAILY;BYDAY=",
        "FREQ=DAILY;BYDAY=Ä",
        "FREQ=DAILY;BYDAY=99MO",
        "FREQ=DAILY;BYDAY=-128MO",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;BYMONTHDAY=0",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=MONTHLY;BYSETPOS=0",
    ] {
        assert_eq!(Rule::parse(text), None, "{text}");
    }
}
