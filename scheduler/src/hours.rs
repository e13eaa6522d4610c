//! Opening hours and what they say of one instant.

use std::collections::BTreeMap;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

use crate::{
    holidays::{Feast, HolidayCalendar},
    period::Period,
};

/// How far ahead openings and closings are looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What an office's calendar says. A dated exception wins over a holiday, a holiday over the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningHours {
    /// The office's IANA zone.
    pub zone: TimeZone,
    /// Periods by weekday, Monday first, ordered and not overlapping (breaks are the gaps).
    pub weekly: [Vec<Period>; 7],
    /// Days that differ from the week: their periods, ordered and not overlapping; none means closed.
    pub exceptions: BTreeMap<Date, Vec<Period>>,
    /// Days on which the week does not hold and the office is closed.
    pub holidays: HolidayCalendar,
}

/// What the calendar says of one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Whether it is open.
    pub open: bool,
    /// When it closes, if open; `None` also when it does not close within a year.
    pub closes_at: Option<Timestamp>,
    /// When it opens next, if closed; `None` when it does not open within a year.
    pub next_opening: Option<Timestamp>,
    /// The civil day in the office's zone.
    pub today: Date,
    /// The periods of that day, after holidays and exceptions.
    pub periods_today: Vec<Period>,
}

impl OpeningHours {
    /// Open at every minute of every day, holidays included.
    #[must_use]
    pub fn always(zone: TimeZone) -> Self {
        Self {
            zone,
            weekly: std::array::from_fn(|_| vec![Period::WHOLE_DAY]),
            exceptions: BTreeMap::new(),
            holidays: HolidayCalendar::default(),
        }
    }

    /// What the calendar says of `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Opening {
        let here = self.zone.to_datetime(now);
        let open = self.is_open_at(here);
        let flip = self.next_flip(now, open);
        Opening {
            open,
            closes_at: flip.filter(|_| open),
            next_opening: flip.filter(|_| !open),
            today: here.date(),
            periods_today: self.periods_on(here.date()).to_vec(),
        }
    }

    /// The periods of one civil day, after holidays and exceptions.
    #[must_use]
    pub fn periods_on(&self, date: Date) -> &[Period] {
        if let Some(periods) = self.exceptions.get(&date) {
            periods
        } else if self.holidays.contains(date) {
            &[]
        } else {
            let monday_first = date.weekday().to_monday_zero_offset();
            usize::try_from(monday_first)
                .ok()
                .and_then(|day| self.weekly.get(day))
                .map_or(&[], Vec::as_slice)
        }
    }

    /// The holiday that closes the office on `date`, if it has a name and no exception overrides it.
    #[must_use]
    pub fn holiday_on(&self, date: Date) -> Option<Feast> {
        if self.exceptions.contains_key(&date) {
            None
        } else {
            self.holidays.feast_on(date)
        }
    }

    /// Whether it is open when the wall clock shows `civil`.
    fn is_open_at(&self, civil: DateTime) -> bool {
        self.periods_on(civil.date())
            .iter()
            .any(|period| period.contains(civil.time()))
    }

    /// The first instant after `now` at which `open` becomes untrue.
    ///
    /// Between two transitions of the zone the wall clock runs evenly, so that the answer can only change
    /// where a period or a day begins or ends, or at the next transition.
    fn next_flip(&self, now: Timestamp, open: bool) -> Option<Timestamp> {
        let limit = now.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        let mut transitions = self.zone.following(now);
        let mut from = now;
        loop {
            let next = transitions.next();
            let until = next
                .as_ref()
                .map_or(limit, |transition| transition.timestamp().min(limit));
            let offset = self.zone.to_offset(from);
            if let Some(flip) = self.flip_in(from, until, offset, open) {
                return Some(flip);
            }
            if until >= limit {
                return None;
            }
            if self.is_open_at(self.zone.to_datetime(until)) != open {
                return Some(until);
            }
            from = until;
        }
    }

    /// The first instant after `from` and before `until` at which `open` becomes untrue, with a fixed `offset`.
    fn flip_in(
        &self,
        from: Timestamp,
        until: Timestamp,
        offset: Offset,
        open: bool,
    ) -> Option<Timestamp> {
        let mut day = offset.to_datetime(from).date();
        loop {
            let midnight = day.tomorrow().ok()?;
            let mut edges: Vec<DateTime> = self
                .periods_on(day)
                .iter()
                .flat_map(|period| [period.start, period.end])
                .filter(|time| *time != Time::MIN)
                .map(|time| day.to_datetime(time))
                .collect();
            edges.sort_unstable();
            edges.push(midnight.to_datetime(Time::MIN));
            for edge in edges {
                let at = offset.to_timestamp(edge).ok()?;
                if at >= until {
                    return None;
                }
                if at > from && self.is_open_at(edge) != open {
                    return Some(at);
                }
            }
            day = midnight;
        }
    }
}
