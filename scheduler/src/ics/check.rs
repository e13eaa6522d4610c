//! The strict check of what this program writes. It knows nothing of how it was written.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    line::{Line, is_name},
    tree::{Component, Most},
    value::{When, address, duration, offset},
};

/// A fault in a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A line does not end with CRLF.
    #[error("line {0} does not end with CRLF")]
    LineEnd(usize),
    /// A line has more than 75 octets (RFC 5545 §3.1).
    #[error("line {0} is longer than 75 octets")]
    Length(usize),
    /// A line holds a control character.
    #[error("line {0} holds a control character")]
    Control(usize),
    /// It cannot be read.
    #[error("it {0}")]
    Unreadable(#[from] super::read::ReadError),
    /// A property is missing, too many or not allowed there.
    #[error("{component}: {property} stands there {found} times")]
    Count {
        /// The component.
        component: String,
        /// The property.
        property: &'static str,
        /// How often it was found.
        found: usize,
    },
    /// A component that is not known there.
    #[error("{0} does not belong there")]
    Component(String),
    /// A property's value is wrong.
    #[error("{0} has a wrong value")]
    Value(String),
    /// A time names a zone that the calendar does not define.
    #[error("a zone is used that is not defined")]
    Zone,
    /// Two events have the same UID.
    #[error("two events have the same UID")]
    SameUid,
    /// The event ends before it begins.
    #[error("an event ends before it begins")]
    Order,
}

/// Properties with a TEXT in them.
const TEXTS: [&str; 12] = [
    "UID",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "STATUS",
    "TRANSP",
    "CLASS",
    "TZID",
    "TZNAME",
    "NAME",
    "X-WR-CALNAME",
    "ACTION",
];

/// Checks a calendar that was written.
pub fn check(text: &str) -> Result<(), Flaw> {
    check_lines(text)?;
    let calendar = Component::within(text, Most::ANY)?;
    once(&calendar, &["VERSION", "PRODID", "CALSCALE", "METHOD"])?;
    value(&calendar, "VERSION", |value| value == "2.0")?;
    let method = calendar.first("METHOD").map_or("", |line| &line.value);
    let mut zones = BTreeSet::new();
    let mut uids = BTreeSet::new();
    for child in &calendar.children {
        match child.name.as_str() {
            "VTIMEZONE" => {
                check_zone(child)?;
                zones.extend(child.first("TZID").map(|line| line.value.clone()));
            }
            "VEVENT" => {
                check_event(child, method)?;
                if !uids.insert(child.first("UID").map(|line| line.value.clone())) {
                    return Err(Flaw::SameUid);
                }
            }
            other => return Err(Flaw::Component(other.to_owned())),
        }
    }
    let mut used = BTreeSet::new();
    for event in calendar
        .children
        .iter()
        .filter(|child| child.name == "VEVENT")
    {
        used.extend(
            event
                .lines
                .iter()
                .filter_map(|line| line.parameter("TZID").map(str::to_owned)),
        );
    }
    if used != zones {
        return Err(Flaw::Zone);
    }
    each(&calendar, &mut check_line)
}

/// The outer form, before anything is unfolded.
fn check_lines(text: &str) -> Result<(), Flaw> {
    let mut rest = text;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let (line, after) = rest.split_once("\r\n").ok_or(Flaw::LineEnd(number))?;
        if line.len() > 75 {
            return Err(Flaw::Length(number));
        }
        if line.is_empty() || line.contains(char::is_control) {
            return Err(Flaw::Control(number));
        }
        rest = after;
    }
    Ok(())
}

fn check_event(event: &Component, method: &str) -> Result<(), Flaw> {
    once(
        event,
        &[
            "UID",
            "DTSTAMP",
            "DTSTART",
            "DTEND",
            "SEQUENCE",
            "STATUS",
            "SUMMARY",
            "ORGANIZER",
            "LOCATION",
            "DESCRIPTION",
            "CONFERENCE",
        ],
    )?;
    value(event, "DTSTAMP", |value| {
        matches!(When::parse(value), Some(When::Utc(_)))
    })?;
    value(event, "SEQUENCE", |value| {
        value.parse::<u32>().is_ok_and(|n| i32::try_from(n).is_ok())
    })?;
    let attendees = event.all("ATTENDEE").count();
    let status = event.first("STATUS").map_or("", |line| &line.value);
    let (fits, least) = match method {
        "REQUEST" | "DECLINECOUNTER" => (status == "CONFIRMED", 1),
        // What was published to somebody is called off without attendees as well (RFC 5546 §4.1.3).
        "CANCEL" => (status == "CANCELLED", 0),
        "PUBLISH" => (matches!(status, "CONFIRMED" | "CANCELLED"), 0),
        _ => return Err(Flaw::Value("METHOD".to_owned())),
    };
    if !fits {
        return Err(Flaw::Value("STATUS".to_owned()));
    }
    if attendees < least {
        return Err(count(event, "ATTENDEE", attendees));
    }
    let mut invited = BTreeSet::new();
    for attendee in event.all("ATTENDEE") {
        let known = address(&attendee.value).is_some_and(|address| invited.insert(address));
        let complete = ["PARTSTAT", "RSVP", "CUTYPE", "ROLE"]
            .iter()
            .all(|name| attendee.parameter(name).is_some());
        if !known || !complete {
            return Err(Flaw::Value("ATTENDEE".to_owned()));
        }
    }
    value(event, "ORGANIZER", |value| address(value).is_some())?;
    check_times(event)?;
    for alarm in &event.children {
        if alarm.name != "VALARM" || !alarm.children.is_empty() {
            return Err(Flaw::Component(alarm.name.clone()));
        }
        once(alarm, &["ACTION", "TRIGGER", "DESCRIPTION"])?;
        value(alarm, "ACTION", |value| value == "DISPLAY")?;
        value(alarm, "TRIGGER", |value| {
            duration(value).is_some_and(|before| !before.is_positive())
        })?;
    }
    Ok(())
}

fn check_times(event: &Component) -> Result<(), Flaw> {
    let mut times = BTreeMap::new();
    for name in ["DTSTART", "DTEND"] {
        let line = event
            .first(name)
            .ok_or_else(|| count(event, "DTSTART", 0))?;
        let zone = line.parameter("TZID");
        match (When::parse(&line.value), zone) {
            (Some(When::Utc(_)), None) | (Some(When::Civil(_)), Some(_)) => {}
            _ => return Err(Flaw::Value(name.to_owned())),
        }
        times.insert(name, (line.value.clone(), zone.map(str::to_owned)));
    }
    let (start, end) = (&times["DTSTART"], &times["DTEND"]);
    // In different forms, or on a day on which clocks go back, the texts say nothing of the order.
    let is_utc = start.1.is_none() && end.1.is_none();
    if is_utc && start.0 >= end.0 {
        return Err(Flaw::Order);
    }
    Ok(())
}

fn check_zone(zone: &Component) -> Result<(), Flaw> {
    once(zone, &["TZID"])?;
    if zone.children.is_empty() {
        return Err(count(zone, "TZID", 0));
    }
    for observance in &zone.children {
        if !matches!(observance.name.as_str(), "STANDARD" | "DAYLIGHT") {
            return Err(Flaw::Component(observance.name.clone()));
        }
        once(observance, &["DTSTART", "TZOFFSETFROM", "TZOFFSETTO"])?;
        value(observance, "DTSTART", |value| {
            matches!(When::parse(value), Some(When::Civil(_)))
        })?;
        value(observance, "TZOFFSETFROM", |value| offset(value).is_some())?;
        value(observance, "TZOFFSETTO", |value| offset(value).is_some())?;
        // A zone needs no stamp and no name of its own; some builders add them.
        if let Some(line) = observance
            .lines
            .iter()
            .find(|line| matches!(line.name.as_str(), "DTSTAMP" | "UID"))
        {
            return Err(Flaw::Value(line.name.clone()));
        }
    }
    Ok(())
}

/// One line by itself: names, texts, addresses.
fn check_line(line: &Line) -> Result<(), Flaw> {
    let wrong = || Flaw::Value(line.name.clone());
    if !is_name(&line.name) {
        return Err(wrong());
    }
    let is_text = TEXTS.contains(&line.name.as_str());
    if is_text && !is_escaped(&line.value) {
        return Err(wrong());
    }
    let is_uri = matches!(
        line.name.as_str(),
        "URL" | "CONFERENCE" | "ORGANIZER" | "ATTENDEE"
    );
    if is_uri && (line.value.is_empty() || line.value.contains(char::is_whitespace)) {
        return Err(wrong());
    }
    Ok(())
}

/// Whether every backslash begins an escape and nothing that needs one stands without.
fn is_escaped(value: &str) -> bool {
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' if !matches!(chars.next(), Some('\\' | ';' | ',' | 'n' | 'N')) => return false,
            ';' | ',' => return false,
            _ => {}
        }
    }
    true
}

fn each(
    component: &Component,
    see: &mut impl FnMut(&Line) -> Result<(), Flaw>,
) -> Result<(), Flaw> {
    for line in &component.lines {
        see(line)?;
    }
    for child in &component.children {
        each(child, see)?;
    }
    Ok(())
}

fn once(component: &Component, names: &[&'static str]) -> Result<(), Flaw> {
    for name in names {
        let found = component.all(name).count();
        if found != 1 {
            return Err(count(component, name, found));
        }
    }
    Ok(())
}

fn count(component: &Component, property: &'static str, found: usize) -> Flaw {
    Flaw::Count {
        component: component.name.clone(),
        property,
        found,
    }
}

fn value(component: &Component, name: &str, good: impl Fn(&str) -> bool) -> Result<(), Flaw> {
    match component.first(name) {
        Some(line) if good(&line.value) => Ok(()),
        _ => Err(Flaw::Value(name.to_owned())),
    }
}
