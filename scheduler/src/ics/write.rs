//! Writes invitations, cancellations and feeds.
//!
//! The crate `icalendar` writes each property: escapes and quotation marks. Its components are not used,
//! because they add a time stamp and a random UID of their own wherever none stands, also in time zones and
//! alarms. What comes out is read again by [`check`](super::check) before it leaves.

use icalendar::Property;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    appointment::{Appointment, Attendee, Method, Participation, Person, fit_for_parameter},
    check::{Flaw, check},
    timezone,
    value::mailto,
};

/// Who wrote the calendar (RFC 5545 §3.7.3).
const PRODUCT: &str = "-//Vorzimmer//Vorzimmer//EN";

/// What stands between the parts of a folded line.
const FOLD: &str = "\r\n ";

/// The longest line in octets.
const LONGEST: usize = 75;

/// Why no calendar was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Something does not fit into a calendar.
    #[error("{0} cannot stand in a calendar")]
    Unfit(&'static str),
    /// The end is not after the start.
    #[error("the appointment ends before it begins")]
    Order,
    /// The method and the appointment's state contradict each other.
    #[error("{} does not fit an appointment in this state", .0.name())]
    Method(Method),
    /// What was written does not keep the standard: a fault of this program.
    #[error("the calendar that was written is wrong: {0}")]
    Flaw(#[from] Flaw),
}

/// One appointment for a mail or a download. Its times are shown in `zone`.
pub fn message(
    appointment: &Appointment,
    method: Method,
    zone: &TimeZone,
) -> Result<String, WriteError> {
    let fits = match method {
        Method::Publish => true,
        Method::Request => !appointment.cancelled,
        Method::Cancel => appointment.cancelled,
        // Only the person who proposed another time.
        Method::DeclineCounter => !appointment.cancelled && appointment.attendees.len() == 1,
    };
    if !fits {
        return Err(WriteError::Method(method));
    }
    let mut out = Writer::begin(Some(method));
    out.zone(zone, &[appointment]);
    out.event(appointment, method, zone)?;
    out.end()
}

/// Many appointments for a calendar that is subscribed to. `name` is shown as the calendar's name.
pub fn feed(
    name: &str,
    appointments: &[Appointment],
    zone: &TimeZone,
) -> Result<String, WriteError> {
    let mut out = Writer::begin(Some(Method::Publish));
    let name = text("the feed's name", name)?;
    out.property("NAME", &escaped(&name));
    out.property("X-WR-CALNAME", &name);
    out.line(Property::new("REFRESH-INTERVAL", "PT15M").add_parameter("VALUE", "DURATION"));
    out.property("X-PUBLISHED-TTL", "PT15M");
    let all: Vec<&Appointment> = appointments.iter().collect();
    out.zone(zone, &all);
    for appointment in appointments {
        out.event(appointment, Method::Publish, zone)?;
    }
    out.end()
}

/// A calendar that is being written.
pub(super) struct Writer {
    out: String,
    /// Whether the crate failed to write a line, which it does only if it cannot write to a string.
    failed: bool,
}

impl Writer {
    fn begin(method: Option<Method>) -> Self {
        let mut out = Self {
            out: String::new(),
            failed: false,
        };
        out.property("BEGIN", "VCALENDAR");
        out.property("VERSION", "2.0");
        out.property("PRODID", PRODUCT);
        out.property("CALSCALE", "GREGORIAN");
        if let Some(method) = method {
            out.property("METHOD", method.name());
        }
        out
    }

    fn end(mut self) -> Result<String, WriteError> {
        self.property("END", "VCALENDAR");
        if self.failed {
            return Err(WriteError::Unfit("a property"));
        }
        check(&self.out)?;
        Ok(self.out)
    }

    pub(super) fn property(&mut self, name: &str, value: &str) {
        self.line(&mut Property::new(name, value));
    }

    pub(super) fn line(&mut self, property: &mut Property) {
        match TryInto::<String>::try_into(property.done()) {
            Ok(line) => fold(&line.replace(FOLD, ""), &mut self.out),
            Err(_) => self.failed = true,
        }
    }

    fn zone(&mut self, zone: &TimeZone, appointments: &[&Appointment]) {
        let named = |appointment: &&&Appointment| {
            [appointment.start, appointment.end]
                .iter()
                .any(|at| civil_in(zone, *at).is_some())
        };
        let named: Vec<_> = appointments.iter().filter(named).collect();
        let first = named.iter().map(|appointment| appointment.start).min();
        let last = named.iter().map(|appointment| appointment.end).max();
        if let (Some(first), Some(last)) = (first, last) {
            timezone::write(self, zone, first, last);
        }
    }

    fn event(
        &mut self,
        appointment: &Appointment,
        method: Method,
        zone: &TimeZone,
    ) -> Result<(), WriteError> {
        if appointment.end <= appointment.start {
            return Err(WriteError::Order);
        }
        let link = text("the link", &appointment.link)?;
        // Without TLS on a machine of one's own.
        let is_web = link.starts_with("https://") || link.starts_with("http://");
        if !is_web || link.contains([' ', '"', '\n']) {
            return Err(WriteError::Unfit("the link"));
        }
        self.property("BEGIN", "VEVENT");
        self.property("UID", &text("the UID", &appointment.uid)?);
        self.property("SEQUENCE", &appointment.sequence.to_string());
        self.property("DTSTAMP", &utc(appointment.stamp));
        self.time("DTSTART", appointment.start, zone);
        self.time("DTEND", appointment.end, zone);
        self.property("SUMMARY", &text("the summary", &appointment.summary)?);
        let description = with_link(
            &text("the description", &appointment.description)?,
            &link,
            "\n\n",
        );
        self.property("DESCRIPTION", &description);
        let location = with_link(&text("the location", &appointment.location)?, &link, " ");
        self.property("LOCATION", &location);
        self.property("URL", &link);
        let label = fit_for_parameter(&appointment.link_label);
        self.line(
            Property::new("CONFERENCE", &*link)
                .add_parameter("VALUE", "URI")
                .add_parameter("FEATURE", "VIDEO")
                .add_parameter("LABEL", &label),
        );
        self.person("ORGANIZER", &appointment.organizer, None)?;
        for attendee in &appointment.attendees {
            self.person("ATTENDEE", &attendee.person, Some(attendee))?;
        }
        let status = if appointment.cancelled {
            "CANCELLED"
        } else {
            "CONFIRMED"
        };
        self.property("STATUS", status);
        let transparent = if appointment.cancelled {
            "TRANSPARENT"
        } else {
            "OPAQUE"
        };
        self.property("TRANSP", transparent);
        self.property("CLASS", "PRIVATE");
        if !appointment.cancelled && method != Method::DeclineCounter {
            for alarm in &appointment.alarms {
                self.property("BEGIN", "VALARM");
                self.property("ACTION", "DISPLAY");
                self.property("TRIGGER", &before(alarm.before)?);
                self.property("DESCRIPTION", &text("the reminder", &alarm.text)?);
                self.property("END", "VALARM");
            }
        }
        self.property("END", "VEVENT");
        Ok(())
    }

    /// A time by the clock of the zone, or in UTC where the clock would be ambiguous.
    fn time(&mut self, name: &str, at: Timestamp, zone: &TimeZone) {
        match civil_in(zone, at) {
            Some((id, civil)) => self.line(
                Property::new(name, civil.strftime("%Y%m%dT%H%M%S").to_string())
                    .add_parameter("TZID", &id),
            ),
            None => self.property(name, &utc(at)),
        }
    }

    fn person(
        &mut self,
        name: &str,
        person: &Person,
        attendee: Option<&Attendee>,
    ) -> Result<(), WriteError> {
        let uri = mailto(&person.mail).ok_or(WriteError::Unfit("a mail address"))?;
        let mut property = Property::new(name, uri);
        if !person.name.is_empty() {
            property.add_parameter("CN", &parameter("a name", &person.name)?);
        }
        if let Some(attendee) = attendee {
            let status = match attendee.participation {
                Participation::NeedsAction => "NEEDS-ACTION",
                Participation::Accepted => "ACCEPTED",
                Participation::Tentative => "TENTATIVE",
                Participation::Declined => "DECLINED",
            };
            property
                .add_parameter("CUTYPE", "INDIVIDUAL")
                .add_parameter("ROLE", "REQ-PARTICIPANT")
                .add_parameter("PARTSTAT", status)
                .add_parameter("RSVP", if attendee.rsvp { "TRUE" } else { "FALSE" });
        }
        self.line(&mut property);
        Ok(())
    }
}

/// Folds a line that ends with CRLF (RFC 5545 §3.1). The crate's own folding can leave a line of 76 octets.
fn fold(line: &str, out: &mut String) {
    let mut rest = line.trim_end_matches(['\r', '\n']);
    let mut room = LONGEST;
    while rest.len() > room {
        let (now, later) = rest.split_at(rest.floor_char_boundary(room));
        out.push_str(now);
        out.push_str(FOLD);
        rest = later;
        // The space that begins the next line.
        room = LONGEST - 1;
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

/// What the zone's clock shows, with the zone's name, if that says which instant is meant: of a time that comes
/// twice, RFC 5545 §3.3.5 means the first. UTC needs no name.
fn civil_in(zone: &TimeZone, at: Timestamp) -> Option<(String, DateTime)> {
    let id = zone.iana_name()?;
    let civil = zone.to_datetime(at);
    let meant = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    (id != "UTC" && meant == at && civil.subsec_nanosecond() == 0).then(|| (id.to_owned(), civil))
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// `-PT15M`, `-P1D`.
fn before(before: SignedDuration) -> Result<String, WriteError> {
    let minutes = before.as_mins();
    if !(0..=60 * 24 * 366).contains(&minutes) {
        return Err(WriteError::Unfit("a reminder's time"));
    }
    Ok(if minutes > 0 && minutes % 1_440 == 0 {
        format!("-P{}D", minutes / 1_440)
    } else {
        format!("-PT{minutes}M")
    })
}

/// A text with plain line breaks and no other control characters.
fn text(what: &'static str, value: &str) -> Result<String, WriteError> {
    let value = value.replace("\r\n", "\n");
    if value.contains(|char: char| char.is_control() && char != '\n') {
        return Err(WriteError::Unfit(what));
    }
    Ok(value)
}

/// A text fit for a parameter.
fn parameter(what: &'static str, value: &str) -> Result<String, WriteError> {
    if value.contains(|char: char| char.is_control() || matches!(char, '"' | '^')) {
        return Err(WriteError::Unfit(what));
    }
    Ok(value.to_owned())
}

/// The crate escapes TEXT in properties it knows; `NAME` of RFC 7986 is none.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => escaped.push_str("\\n"),
            '\\' | ';' | ',' => escaped.extend(['\\', char]),
            char => escaped.push(char),
        }
    }
    escaped
}

/// Calendars that know no CONFERENCE show these.
fn with_link(text: &str, link: &str, between: &str) -> String {
    let text = text.trim();
    if text.contains(link) {
        text.to_owned()
    } else if text.is_empty() {
        link.to_owned()
    } else {
        format!("{text}{between}{link}")
    }
}
