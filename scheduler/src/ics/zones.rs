//! The zones a calendar file speaks of: IANA names, or the `VTIMEZONE` that comes with it (RFC 5545 §3.6.5).

use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

use super::{
    line::Line,
    recurrence::{Budget, Rule},
    tree::Component,
    value::{When, offset},
};

/// No observance is worked out for later.
const LAST_YEAR: i16 = 2100;
/// Observances that began earlier are taken to be long past.
const FIRST_YEAR: i16 = 1970;

/// How civil times become instants.
#[derive(Debug, Clone)]
enum Zone {
    Known(TimeZone),
    /// Offsets by the civil time from which they hold, in order.
    Listed(Vec<(DateTime, Offset)>),
}

/// The zones of one calendar.
#[derive(Debug, Clone)]
pub(super) struct Zones {
    named: BTreeMap<String, Zone>,
    /// Of times that name none.
    pub(super) usual: TimeZone,
}

impl Zones {
    /// Collects the zones a calendar defines. An IANA name goes before the definition: Berlin is Berlin.
    pub(super) fn of(calendar: &Component, usual: &TimeZone) -> Self {
        let mut budget = Budget::new();
        let named = calendar
            .children
            .iter()
            .filter(|child| child.name == "VTIMEZONE")
            .filter_map(|child| {
                let name = child.first("TZID")?.text();
                let zone = known(&name)
                    .map(Zone::Known)
                    .or_else(|| listed(child, &mut budget))?;
                Some((name, zone))
            })
            .collect();
        Self {
            named,
            usual: usual.clone(),
        }
    }

    /// The instant of a line's DATE-TIME; of a DATE, its first one.
    pub(super) fn instant(&self, line: &Line) -> Option<Timestamp> {
        self.resolve(line.parameter("TZID"), When::parse(line.value.trim())?)
    }

    /// The instant of a time in the zone of that name; `None` as well if there is no such zone.
    pub(super) fn resolve(&self, zone: Option<&str>, when: When) -> Option<Timestamp> {
        let civil = match when {
            When::Utc(at) => return Some(at),
            // A day has no zone of its own.
            When::Date(date) => return compatible(&self.usual, date.to_datetime(Time::MIN)),
            When::Civil(civil) => civil,
        };
        let Some(name) = zone else {
            return compatible(&self.usual, civil);
        };
        match self.named.get(name) {
            Some(Zone::Known(zone)) => compatible(zone, civil),
            Some(Zone::Listed(offsets)) => {
                let after = offsets.partition_point(|(from, _)| *from <= civil);
                // Before the first of them its offset is as good as any.
                let (_, offset) = offsets.get(after.saturating_sub(1))?;
                offset.to_timestamp(civil).ok()
            }
            None => compatible(&known(name)?, civil),
        }
    }

    /// What the clock of that zone shows at an instant.
    pub(super) fn civil(&self, zone: Option<&str>, at: Timestamp) -> Option<DateTime> {
        let Some(name) = zone else {
            return Some(self.usual.to_datetime(at));
        };
        match self.named.get(name) {
            Some(Zone::Known(zone)) => Some(zone.to_datetime(at)),
            Some(Zone::Listed(offsets)) => {
                let after =
                    offsets.partition_point(|(from, offset)| offset.to_datetime(at) >= *from);
                let (_, offset) = offsets.get(after.saturating_sub(1))?;
                Some(offset.to_datetime(at))
            }
            None => Some(known(name)?.to_datetime(at)),
        }
    }
}

/// The instant at which the clock shows `civil`; in a gap the later, at a repetition the first (RFC 5545 §3.3.5).
fn compatible(zone: &TimeZone, civil: DateTime) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(civil).compatible().ok()
}

/// An IANA zone, also behind a prefix as in `/freeassociation.sourceforge.net/Europe/Berlin`.
fn known(name: &str) -> Option<TimeZone> {
    if name.len() > 100 {
        return None;
    }
    let mut rest = name;
    loop {
        if let Ok(zone) = TimeZone::get(rest) {
            return Some(zone);
        }
        rest = rest.split_once('/')?.1;
    }
}

/// Works out the offsets of a `VTIMEZONE`.
fn listed(zone: &Component, budget: &mut Budget) -> Option<Zone> {
    let first = Date::new(FIRST_YEAR, 1, 1).ok()?.at(0, 0, 0, 0);
    let last = Date::new(LAST_YEAR, 1, 1).ok()?.at(0, 0, 0, 0);
    let mut offsets = Vec::new();
    for observance in &zone.children {
        let When::Civil(start) = When::parse(observance.first("DTSTART")?.value.trim())? else {
            return None;
        };
        let to = offset(observance.first("TZOFFSETTO")?.value.trim())?;
        offsets.push((start, to));
        if let Some(rule) = observance.first("RRULE") {
            let rule = Rule::parse(&rule.value)?;
            let onsets = rule.starts(start, first..=last, budget)?;
            offsets.extend(
                onsets
                    .into_iter()
                    .filter(|onset| rule.holds_until(*onset, None))
                    .map(|onset| (onset, to)),
            );
        }
        for line in observance.all("RDATE") {
            for part in line.value.split(',') {
                if let Some(When::Civil(at)) = When::parse(part.trim()) {
                    offsets.push((at, to));
                }
            }
        }
    }
    offsets.sort_unstable_by_key(|(from, _)| *from);
    (!offsets.is_empty()).then_some(Zone::Listed(offsets))
}
