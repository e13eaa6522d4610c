//! `VTIMEZONE` (RFC 5545 §3.6.5) with the rules the zone really has.
//!
//! Where the years to come follow one yearly rule for each half of the year, two observances with `RRULE` say
//! so, as every calendar understands them. Elsewhere every change of the years in question is listed.

use icalendar::Property;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::{Dst, Offset, TimeZone},
};

use super::write::Writer;

/// How many days before the first event and after the last one changes are looked at.
const MARGIN: SignedDuration = SignedDuration::from_hours(24 * 370);
/// For how many years after the last event a yearly rule must hold to be written as one.
const RULE_YEARS: i64 = 5;

/// One change of the zone's offset.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    /// What the clock showed at that moment.
    onset: DateTime,
    from: Offset,
    to: Offset,
    is_dst: bool,
    name: String,
}

/// Which day of each year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Yearly {
    month: i8,
    /// From 1, or -1 for the last.
    which: i8,
    weekday: Weekday,
}

/// Writes the zone for events from `first` to `last`. Its name must be an IANA name.
pub(super) fn write(out: &mut Writer, zone: &TimeZone, first: Timestamp, last: Timestamp) {
    let Some(id) = zone.iana_name() else {
        return;
    };
    let years = SignedDuration::from_hours(24 * 366 * RULE_YEARS);
    let (from, until, rule_until) = (
        first.saturating_sub(MARGIN).unwrap_or(first),
        last.saturating_add(MARGIN).unwrap_or(last),
        last.saturating_add(years).unwrap_or(last),
    );
    out.property("BEGIN", "VTIMEZONE");
    out.property("TZID", id);
    let changes = changes(zone, from, rule_until);
    // Until its first change ever the clock of a zone rests.
    let rests = zone.preceding(from).next().is_none();
    if let Some(halves) = by_rule(&changes).filter(|_| !rests) {
        for (change, rule) in halves {
            observance(out, &change, Some(rule));
        }
    } else {
        if rests {
            observance(out, &resting(zone, from), None);
        }
        let until = zone.to_datetime(until);
        for change in changes.iter().filter(|change| change.onset <= until) {
            observance(out, change, None);
        }
    }
    out.property("END", "VTIMEZONE");
}

/// The changes from the last one before `from` up to `until`, in order.
fn changes(zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<Change> {
    let before = zone.preceding(from).next();
    let mut offset = before.as_ref().map_or_else(
        || zone.to_offset(from),
        |change| {
            let just_before = change
                .timestamp()
                .saturating_sub(SignedDuration::from_secs(1));
            zone.to_offset(just_before.unwrap_or(from))
        },
    );
    let mut changes: Vec<Change> = Vec::new();
    let after = zone
        .following(from)
        .take_while(|change| change.timestamp() <= until);
    for change in before.into_iter().chain(after) {
        changes.push(Change {
            onset: offset.to_datetime(change.timestamp()),
            from: offset,
            to: change.offset(),
            is_dst: change.dst() == Dst::Yes,
            name: change.abbreviation().to_owned(),
        });
        offset = change.offset();
    }
    changes
}

/// A zone whose clock has not changed.
fn resting(zone: &TimeZone, at: Timestamp) -> Change {
    let info = zone.to_offset_info(at);
    Change {
        onset: DateTime::constant(1970, 1, 1, 0, 0, 0, 0),
        from: info.offset(),
        to: info.offset(),
        is_dst: false,
        name: info.abbreviation().to_owned(),
    }
}

/// The two yearly rules that all changes follow, each with the first of its changes.
fn by_rule(changes: &[Change]) -> Option<[(Change, Yearly); 2]> {
    let (first, second) = (changes.first()?, changes.get(1)?);
    let same = |one: &Change, other: &Change| {
        (one.from, one.to, one.is_dst, one.onset.time(), &one.name)
            == (
                other.from,
                other.to,
                other.is_dst,
                other.onset.time(),
                &other.name,
            )
    };
    let alternate = changes
        .chunks(2)
        .all(|pair| same(&pair[0], first) && pair.get(1).is_none_or(|other| same(other, second)));
    let opposed =
        first.is_dst != second.is_dst && first.from == second.to && first.to == second.from;
    // Two years of them at least.
    if !alternate || !opposed || changes.len() < 4 {
        return None;
    }
    let dates = |start: usize| -> Vec<Date> {
        let every_other = changes.iter().skip(start).step_by(2);
        every_other.map(|change| change.onset.date()).collect()
    };
    Some([
        (first.clone(), yearly(&dates(0))?),
        (second.clone(), yearly(&dates(1))?),
    ])
}

/// The rule that names exactly these dates, one in each year.
fn yearly(dates: &[Date]) -> Option<Yearly> {
    let first = *dates.first()?;
    let in_rows = dates
        .windows(2)
        .all(|pair| pair[1].year() == pair[0].year() + 1);
    let same_day = dates
        .iter()
        .all(|date| date.month() == first.month() && date.weekday() == first.weekday());
    if !in_rows || !same_day {
        return None;
    }
    let rule = |which| Yearly {
        month: first.month(),
        which,
        weekday: first.weekday(),
    };
    let number = |date: &Date| (date.day() + 6) / 7;
    if dates
        .iter()
        .all(|date| date.day() + 7 > date.days_in_month())
    {
        Some(rule(-1))
    } else if dates.iter().all(|date| number(date) == number(&first)) {
        Some(rule(number(&first)))
    } else {
        None
    }
}

fn observance(out: &mut Writer, change: &Change, rule: Option<Yearly>) {
    let kind = if change.is_dst {
        "DAYLIGHT"
    } else {
        "STANDARD"
    };
    out.property("BEGIN", kind);
    out.property(
        "DTSTART",
        &change.onset.strftime("%Y%m%dT%H%M%S").to_string(),
    );
    if let Some(rule) = rule {
        let value = format!(
            "FREQ=YEARLY;BYMONTH={};BYDAY={}{}",
            rule.month,
            rule.which,
            weekday(rule.weekday)
        );
        out.line(&mut Property::new("RRULE", value));
    }
    out.property("TZOFFSETFROM", &offset(change.from));
    out.property("TZOFFSETTO", &offset(change.to));
    out.property("TZNAME", &change.name);
    out.property("END", kind);
}

fn offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{rest:02}")
    }
}

fn weekday(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}
