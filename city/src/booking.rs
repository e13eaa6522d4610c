//! Reads what an office offers for booking.

use std::collections::BTreeMap;

use bridge::ids::ServiceId;
use jiff::{SignedDuration, civil::Date};
use scheduler::{BookingRules, DeskPlan, Period, overlap, slots::Bookable};
use toml::de::DeValue;
use url::Url;

use crate::{
    fault::{did_you_mean, quoted},
    field::Field,
    hours::{WEEKDAYS, read_days},
    model::{Booking, Declined, DeskCalendar, Place, Service},
    parse::LINE,
    read::{Reader, Section},
};

/// The most desks that can be booked at one time.
const MOST_DESKS: u16 = 500;

/// The longest address of a calendar, in characters.
const CALENDAR_ADDRESS: usize = 2000;

/// Shows how to write desks.
const DESKS_EXAMPLE: &str =
    "desks = 2, or by weekday: desks = { monday = { \"08:00-12:00\" = 2 } }";

/// Reads `[offices.<slug>.booking]`. `services` are the office's, for those that can be booked.
pub(crate) fn read_booking(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    services: Option<&[Service]>,
) -> Option<Booking> {
    let mut section = field.section(reader)?;
    let mail = section
        .required(reader, "mail", "mail = \"gewerbe@stadt.example\"")
        .and_then(|field| read_mail(reader, &field));
    let weekly = section
        .required(reader, "desks", DESKS_EXAMPLE)
        .and_then(|field| read_weekly(reader, &field));
    let exceptions = section
        .optional("exceptions")
        .map_or_else(BTreeMap::new, |field| read_exceptions(reader, &field));
    let bookable = match section.optional("services") {
        Some(field) => read_services(reader, &field, services),
        None => remote(reader, &section, services),
    };
    let grid = section
        .optional("grid_minutes")
        .map_or(Some(15), |field| read_grid(reader, &field));
    let mut number = |reader: &mut Reader<'_>, key, usual, least, most| {
        section.optional(key).map_or(Some(usual), |field| {
            field.number::<u16>(reader, least..=most)
        })
    };
    let buffer = number(reader, "buffer_minutes", 0, 0, 120);
    let horizon = number(reader, "horizon_days", 56, 1, 365);
    let notice = number(reader, "notice_minutes", 60, 0, 43_200);
    let hold = number(reader, "hold_minutes", 10, 1, 60);
    let confirm = number(reader, "confirm_minutes", 30, 5, 1_440);
    let reappear_from = number(reader, "reappear_from_minutes", 5, 0, 1_440);
    let reappear_to = number(reader, "reappear_to_minutes", 30, 0, 1_440);
    let prepare = number(reader, "prepare_minutes", 15, 5, 60);
    let grace = number(reader, "grace_minutes", 10, 1, 120);
    let limit = number(reader, "limit_per_mail", 3, 1, 50);
    let offer = number(reader, "offer_minutes", 60, 10, 1_440);
    let reminders = section
        .optional("reminder_minutes")
        .map_or(Some(vec![1_440, 60]), |field| {
            read_reminders(reader, &field)
        });
    let confirm_mail = section
        .optional("confirm_mail")
        .map_or(Some(true), |field| field.boolean(reader));
    let declined = section
        .optional("declined")
        .map_or(Some(Declined::Ask), |field| {
            let known = [
                ("ask", Declined::Ask),
                ("keep", Declined::Keep),
                ("cancel", Declined::Cancel),
            ];
            field.one_of(reader, "what to do about a declined appointment", &known)
        });
    let calendars = section
        .optional("calendars")
        .map_or(Some(Vec::new()), |field| read_calendars(reader, &field));
    section.finish(reader);
    if let (Some(from), Some(to)) = (reappear_from, reappear_to)
        && from > to
    {
        return section.refuse(
            reader,
            format!(
                "a place cannot return after {from} minutes at the earliest and {to} at the latest"
            ),
            "write a greater reappear_to_minutes",
        );
    }
    let calendars = calendars?;
    Some(Booking {
        mail: mail?,
        services: bookable?,
        rules: BookingRules {
            desks: DeskPlan {
                weekly: weekly?,
                exceptions,
            },
            // There are at most `MOST_DESKS`.
            calendars: u16::try_from(calendars.len()).unwrap_or(MOST_DESKS),
            grid_minutes: grid?,
            buffer_minutes: buffer?,
            min_notice: minutes(notice?),
            horizon_days: horizon?,
        },
        hold: minutes(hold?),
        confirm_mail: confirm_mail?,
        confirm_within: minutes(confirm?),
        reappear: (minutes(reappear_from?), minutes(reappear_to?)),
        reminders: reminders?.into_iter().map(minutes).collect(),
        prepare: minutes(prepare?),
        grace: minutes(grace?),
        declined: declined?,
        limit_per_mail: limit?,
        calendars,
        offer: minutes(offer?),
    })
}

fn minutes(minutes: u16) -> SignedDuration {
    SignedDuration::from_mins(i64::from(minutes))
}

/// Desks' calendars by name. Their addresses are secrets and are not repeated in faults.
fn read_calendars(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<Vec<DeskCalendar>> {
    let section = field.section(reader)?;
    let mut calendars = Vec::new();
    let mut sound = true;
    for (key, field) in section.entries() {
        let name = key.get_ref();
        let text = field.line(reader, CALENDAR_ADDRESS);
        let fit = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        if !(1..=40).contains(&name.len()) || !name.bytes().all(fit) {
            sound = false;
            field.refuse::<()>(
                reader,
                format!("{} is no name for a calendar", quoted(name)),
                "use at most 40 letters, digits, - and _",
            );
        }
        match text.as_deref().map(Url::parse) {
            Some(Ok(url)) if matches!(url.scheme(), "https" | "http") && url.has_host() => {
                calendars.push(DeskCalendar {
                    name: name.to_string(),
                    url: url.into(),
                });
            }
            Some(_) => {
                sound = false;
                field.refuse::<()>(
                    reader,
                    "this is not the address of a calendar",
                    "write it like anna = \"https://kalender.example/anna.ics\"",
                );
            }
            None => sound = false,
        }
    }
    if calendars.len() > usize::from(MOST_DESKS) {
        return section.refuse(reader, "these are more than 500 calendars", "remove some");
    }
    sound.then_some(calendars)
}

/// An address as in RFC 5321, without quoted local parts and address literals.
fn read_mail(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<String> {
    let text = field.line(reader, LINE)?;
    if is_mail(&text) {
        return Some(text);
    }
    field.refuse(
        reader,
        format!("{} is not a mail address", quoted(&text)),
        "write it like \"gewerbe@stadt.example\"",
    )
}

fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let atom = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 254
        && local.len() <= 64
        && local.split('.').all(atom)
        && domain.contains('.')
        && domain.split('.').all(label)
}

fn read_grid(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<u16> {
    let grid = field.number::<u16>(reader, 5..=240)?;
    if grid.is_multiple_of(5) {
        return Some(grid);
    }
    field.refuse(
        reader,
        format!("{grid} is not a multiple of five"),
        "write 5, 10, 15, 20, 30 or another multiple of five",
    )
}

/// Desks by weekday: one number for the whole week, or a table with a number or periods for a day.
fn read_weekly(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<[Vec<Bookable>; 7]> {
    if let DeValue::Integer(_) = field.value.get_ref() {
        let day = read_day(reader, field)?;
        return Some(std::array::from_fn(|_| day.clone()));
    }
    let DeValue::Table(_) = field.value.get_ref() else {
        return field.refuse_kind(reader, DESKS_EXAMPLE);
    };
    let mut section = field.section(reader)?;
    let mut weekly: [Vec<Bookable>; 7] = Default::default();
    let mut sound = true;
    for (day, weekday) in weekly.iter_mut().zip(WEEKDAYS) {
        if let Some(field) = section.optional(weekday) {
            match read_day(reader, &field) {
                Some(read) => *day = read,
                None => sound = false,
            }
        }
    }
    let known = section.finish(reader);
    if sound && known && weekly.iter().flatten().all(|one| one.desks == 0) {
        return section.refuse(
            reader,
            "no desk can ever be booked",
            format!("write {DESKS_EXAMPLE}"),
        );
    }
    sound.then_some(weekly)
}

/// Desks of one day: a number for as long as the office is open, or a table of periods.
fn read_day(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<Vec<Bookable>> {
    match field.value.get_ref() {
        DeValue::Integer(_) => Some(vec![Bookable {
            period: Period::WHOLE_DAY,
            desks: field.number(reader, 0..=MOST_DESKS)?,
        }]),
        DeValue::Table(_) => {
            let section = field.section(reader)?;
            read_periods(reader, &section)
        }
        _ => field.refuse_kind(reader, "2, or { \"08:00-12:00\" = 2, \"13:30-16:00\" = 1 }"),
    }
}

fn read_periods(reader: &mut Reader<'_>, section: &Section<'_, '_>) -> Option<Vec<Bookable>> {
    let mut day: Vec<Bookable> = Vec::new();
    let mut sound = true;
    for (key, field) in section.entries() {
        let period = match key.get_ref().parse::<Period>() {
            Ok(period) => Some(period),
            Err(error) => {
                let told = error.to_string();
                let (problem, cure) = told.split_once("; ").unwrap_or((&told, "correct it"));
                reader.fault(
                    key.span().start,
                    &field.path,
                    format!("{} {problem}", quoted(key.get_ref())),
                    cure,
                );
                None
            }
        };
        let desks = field.number(reader, 0..=MOST_DESKS);
        match (period, desks) {
            (Some(period), Some(desks)) => day.push(Bookable { period, desks }),
            _ => sound = false,
        }
    }
    let periods: Vec<Period> = day.iter().map(|one| one.period).collect();
    if let Some((one, other)) = overlap(&periods) {
        return section.refuse(
            reader,
            format!("{one} and {other} overlap"),
            "make them one, or end one where the other begins",
        );
    }
    day.sort_by_key(|one| one.period.start);
    sound.then_some(day)
}

/// Days with other desks. Faulty ones are left out, their faults recorded.
fn read_exceptions(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
) -> BTreeMap<Date, Vec<Bookable>> {
    let mut exceptions = BTreeMap::new();
    let example = "[[offices.gewerbe.booking.exceptions]] with date and desks = 1";
    for entry in field.list(reader, example).unwrap_or_default() {
        let Some(mut section) = entry.section(reader) else {
            continue;
        };
        let days = read_days(reader, &mut section);
        let desks = section
            .required(reader, "desks", "desks = 1")
            .and_then(|field| read_day(reader, &field));
        section.finish(reader);
        let (Some(days), Some(desks)) = (days, desks) else {
            continue;
        };
        for date in days {
            if exceptions.insert(date, desks.clone()).is_some() {
                section.refuse::<()>(
                    reader,
                    format!("{date} has an exception already"),
                    "make them one",
                );
                break;
            }
        }
    }
    exceptions
}

/// The services that can be had remotely.
fn remote(
    reader: &mut Reader<'_>,
    section: &Section<'_, '_>,
    services: Option<&[Service]>,
) -> Option<Vec<ServiceId>> {
    let remote: Vec<ServiceId> = services?
        .iter()
        .filter(|service| matches!(service.place, Place::Remote))
        .map(|service| service.id.clone())
        .collect();
    if remote.is_empty() {
        return section.refuse(
            reader,
            "no service is done remotely",
            "name those that can be booked: services = [\"karte\"]",
        );
    }
    Some(remote)
}

fn read_services(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    services: Option<&[Service]>,
) -> Option<Vec<ServiceId>> {
    let mut chosen = Vec::new();
    let mut sound = true;
    let entries = field.list(reader, "[\"anmelden\"]")?;
    // The services' own faults are told already.
    let services = services?;
    let names = || services.iter().map(|service| service.id.as_str());
    for entry in entries {
        let Some(text) = entry.as_str() else {
            sound = false;
            entry.refuse_kind::<()>(reader, "a service's name like \"anmelden\"");
            continue;
        };
        match services.iter().find(|service| service.id.as_str() == text) {
            Some(service) if chosen.contains(&service.id) => {
                sound = false;
                entry.refuse::<()>(
                    reader,
                    format!("{} stands here twice", quoted(text)),
                    "remove one",
                );
            }
            Some(service) => chosen.push(service.id.clone()),
            None => {
                sound = false;
                let cure = match did_you_mean(text, names()) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("use one of {}", names().collect::<Vec<_>>().join(", ")),
                };
                entry.refuse::<()>(
                    reader,
                    format!("{} is not a service of this office", quoted(text)),
                    cure,
                );
            }
        }
    }
    if sound && chosen.is_empty() {
        return field.refuse(
            reader,
            "no service can be booked",
            "name at least one, or remove the setting for all that are done remotely",
        );
    }
    sound.then_some(chosen)
}

/// Minutes before the appointment, the earliest reminder first.
fn read_reminders(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<Vec<u16>> {
    let mut reminders = Vec::new();
    let mut sound = true;
    for entry in field.list(reader, "[1440, 60]")? {
        match entry.number::<u16>(reader, 5..=20_160) {
            Some(minutes) => reminders.push(minutes),
            None => sound = false,
        }
    }
    if reminders.len() > 5 {
        return field.refuse(reader, "these are more than five reminders", "remove some");
    }
    reminders.sort_unstable_by(|one, other| other.cmp(one));
    reminders.dedup();
    sound.then_some(reminders)
}
