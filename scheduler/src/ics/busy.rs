//! Reads when somebody's calendar says they are busy (RFC 5545 §3.6.1, §3.6.4), for a desk that cannot be
//! booked then. Nothing but times is kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    line::Line,
    read::{ReadError, decode},
    recurrence::{Budget, Rule},
    tree::Component,
    value::{When, duration},
    zones::Zones,
};
use crate::slots::Span;

/// The largest calendar that is imported, in bytes.
pub const LARGEST_IMPORT: usize = 8 * 1024 * 1024;

/// The longest event that is believed.
const LONGEST_EVENT: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Busy times of a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BusyTimes {
    /// Within the window, in order, not touching each other.
    pub spans: Vec<Span>,
    /// How many events have a time or rule that is not understood; they are missing in `spans`.
    pub not_understood: usize,
}

/// Reads the busy times within `window`. `zone` holds for times that name none, and for whole days.
pub fn read_busy(bytes: &[u8], window: Span, zone: &TimeZone) -> Result<BusyTimes, ReadError> {
    let text = decode(bytes, LARGEST_IMPORT)?;
    let calendar = Component::read(&text)?;
    let mut reader = Reader {
        zones: Zones::of(&calendar, zone),
        window,
        budget: Budget::new(),
        moved: moved(&calendar),
        spans: Vec::new(),
    };
    let mut not_understood = 0;
    for child in &calendar.children {
        let understood = match child.name.as_str() {
            "VEVENT" if is_free(child) => Some(()),
            "VEVENT" => reader.event(child),
            "VFREEBUSY" => reader.free_busy(child),
            _ => Some(()),
        };
        not_understood += usize::from(understood.is_none());
    }
    Ok(BusyTimes {
        spans: merged(reader.spans),
        not_understood,
    })
}

/// Which instances of an event stand elsewhere as events of their own: `RECURRENCE-ID`s by `UID`.
type Moved = BTreeMap<String, Vec<Line>>;

fn moved(calendar: &Component) -> Moved {
    let mut moved = Moved::new();
    for event in calendar
        .children
        .iter()
        .filter(|child| child.name == "VEVENT")
    {
        if let (Some(uid), Some(instance)) = (event.first("UID"), event.first("RECURRENCE-ID")) {
            moved
                .entry(uid.value.clone())
                .or_default()
                .push(instance.clone());
        }
    }
    moved
}

/// Whether an event takes no time of the person.
fn is_free(event: &Component) -> bool {
    let says = |name: &str, value: &str| {
        event
            .first(name)
            .is_some_and(|line| line.value.trim().eq_ignore_ascii_case(value))
    };
    says("STATUS", "CANCELLED")
        || says("TRANSP", "TRANSPARENT")
        || says("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
}

struct Reader {
    zones: Zones,
    window: Span,
    budget: Budget,
    moved: Moved,
    spans: Vec<Span>,
}

impl Reader {
    /// Adds an event's times; `None` if they are not understood.
    fn event(&mut self, event: &Component) -> Option<()> {
        self.budget.spend(1)?;
        let start_line = event.first("DTSTART")?;
        let zone = start_line.parameter("TZID");
        let when = When::parse(start_line.value.trim())?;
        let start = self.zones.resolve(zone, when)?;
        let length = self.length(event, zone, when, start)?;
        if !(SignedDuration::ZERO..=LONGEST_EVENT).contains(&length.most()) {
            return None;
        }
        let repeats = event.first("RRULE").is_some() || event.first("RDATE").is_some();
        if !repeats || event.first("RECURRENCE-ID").is_some() {
            return self.add(zone, start, length);
        }
        self.instances(event, zone, when, length)
    }

    /// Adds the instances of a recurring event.
    fn instances(
        &mut self,
        event: &Component,
        zone: Option<&str>,
        first: When,
        length: Length,
    ) -> Option<()> {
        let without = self.without(event)?;
        let civil = match first {
            When::Date(date) => date.at(0, 0, 0, 0),
            When::Civil(civil) => civil,
            When::Utc(at) => jiff::tz::Offset::UTC.to_datetime(at),
        };
        let of_civil = |civil: DateTime| match first {
            When::Date(_) => When::Date(civil.date()),
            When::Civil(_) => When::Civil(civil),
            When::Utc(_) => jiff::tz::Offset::UTC
                .to_timestamp(civil)
                .map_or(When::Civil(civil), When::Utc),
        };
        // More on either side than any zone's offset and the longest gap of its clock.
        let margin = SignedDuration::from_hours(52);
        let from = self.window.start.checked_sub(length.most()).ok()?;
        let civil_in_utc = |at: Timestamp| jiff::tz::Offset::UTC.to_datetime(at);
        let window = civil_in_utc(from.checked_sub(margin).ok()?)
            ..=civil_in_utc(self.window.end.checked_add(margin).ok()?);
        let mut starts = Vec::new();
        let mut rules = event.all("RRULE").peekable();
        if rules.peek().is_none() {
            starts.push(first);
        }
        for line in rules {
            let mut rule = Rule::parse(&line.value)?;
            if matches!(first, When::Date(_)) {
                rule = rule.of_whole_days();
            }
            for civil in rule.starts(civil, window.clone(), &mut self.budget)? {
                let when = of_civil(civil);
                if rule.holds_until(civil, self.zones.resolve(zone, when)) {
                    starts.push(when);
                }
            }
        }
        let mut instants = BTreeSet::new();
        for when in starts {
            instants.extend(self.zones.resolve(zone, when));
        }
        for line in event.all("RDATE") {
            for part in line.value.split(',') {
                self.budget.spend(1)?;
                // Of a PERIOD the start; its length is taken to be the event's.
                let start = part.split('/').next().unwrap_or(part).trim();
                instants.insert(
                    self.zones
                        .resolve(line.parameter("TZID"), When::parse(start)?)?,
                );
            }
        }
        for start in instants {
            if !without.contains(&start) {
                self.add(zone, start, length)?;
            }
        }
        Some(())
    }

    /// The instants that are left out or stand elsewhere.
    fn without(&mut self, event: &Component) -> Option<BTreeSet<Timestamp>> {
        let mut without = BTreeSet::new();
        for line in event.all("EXDATE") {
            for part in line.value.split(',') {
                self.budget.spend(1)?;
                without.extend(
                    self.zones
                        .resolve(line.parameter("TZID"), When::parse(part.trim())?),
                );
            }
        }
        if let Some(moved) = event
            .first("UID")
            .and_then(|uid| self.moved.get(&uid.value))
        {
            self.budget.spend(moved.len())?;
            without.extend(moved.iter().filter_map(|line| self.zones.instant(line)));
        }
        Some(without)
    }

    /// How long an event takes.
    fn length(
        &self,
        event: &Component,
        zone: Option<&str>,
        when: When,
        start: Timestamp,
    ) -> Option<Length> {
        let day = SignedDuration::from_hours(24);
        if let Some(line) = event.first("DURATION") {
            let length = duration(line.value.trim())?;
            return Some(match when {
                When::Date(_) => Length::Civil(length),
                _ => Length::Exact(length),
            });
        }
        let Some(line) = event.first("DTEND") else {
            return Some(match when {
                When::Date(_) => Length::Civil(day),
                // An event without an end takes no time.
                _ => Length::Exact(SignedDuration::ZERO),
            });
        };
        match (when, When::parse(line.value.trim())?) {
            (When::Date(start), When::Date(end)) => Some(Length::Civil(end.duration_since(start))),
            (When::Civil(start), When::Civil(end)) if line.parameter("TZID") == zone => {
                Some(Length::Civil(end.duration_since(start)))
            }
            _ => Some(Length::Exact(
                self.zones.instant(line)?.duration_since(start),
            )),
        }
    }

    fn add(&mut self, zone: Option<&str>, start: Timestamp, length: Length) -> Option<()> {
        let end = match length {
            Length::Exact(length) => start.checked_add(length).ok()?,
            // Ends when the clock shows the end, also on a day on which clocks change.
            Length::Civil(length) => {
                let end = self.zones.civil(zone, start)?.checked_add(length).ok()?;
                self.zones.resolve(zone, When::Civil(end))?
            }
        };
        let span = Span {
            start: start.max(self.window.start),
            end: end.min(self.window.end),
        };
        if span.start < span.end {
            self.spans.push(span);
        }
        Some(())
    }

    fn free_busy(&mut self, component: &Component) -> Option<()> {
        for line in component.all("FREEBUSY") {
            let kind = line.parameter("FBTYPE").unwrap_or("BUSY");
            if kind.eq_ignore_ascii_case("FREE") {
                continue;
            }
            for period in line.value.split(',') {
                self.budget.spend(1)?;
                let (start, end) = period.trim().split_once('/')?;
                let When::Utc(start) = When::parse(start)? else {
                    return None;
                };
                let length = match When::parse(end) {
                    Some(When::Utc(end)) => end.duration_since(start),
                    Some(_) => return None,
                    None => duration(end)?,
                };
                self.add(None, start, Length::Exact(length))?;
            }
        }
        Some(())
    }
}

/// How long an event takes: by the clock on the wall, or in real time.
#[derive(Debug, Clone, Copy)]
enum Length {
    Civil(SignedDuration),
    Exact(SignedDuration),
}

impl Length {
    fn most(self) -> SignedDuration {
        match self {
            Self::Civil(length) | Self::Exact(length) => length,
        }
    }
}

fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}
