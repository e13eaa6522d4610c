//! Reads weekly hours, dated exceptions and holidays.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use scheduler::{Feast, HolidayCalendar, MoreHolidays, OpeningHours, Period, State, overlap};

use crate::{
    fault::{did_you_mean, quoted},
    field::Field,
    model::Localized,
    parse::{Common, LINE},
    read::{Reader, Section},
};

pub(crate) const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// The longest exception, in days.
const LONGEST_EXCEPTION: usize = 366;

/// Days that differ from the week, and what citizens are told about them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exceptions {
    pub(crate) periods: BTreeMap<Date, Vec<Period>>,
    pub(crate) reasons: BTreeMap<Date, Localized>,
}

/// Reads `hours`: a table by weekday, or `"always"`.
pub(crate) fn read_hours(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    common: &Common,
    exceptions: &Exceptions,
) -> Option<OpeningHours> {
    if let Some(word) = field.as_str() {
        if word == "always" {
            return Some(OpeningHours {
                exceptions: exceptions.periods.clone(),
                ..OpeningHours::always(common.zone.clone())
            });
        }
        return field.refuse(
            reader,
            format!("{} is not a way to write hours", quoted(word)),
            "write a table by weekday, or \"always\" for around the clock",
        );
    }
    let mut section = field.section(reader)?;
    let mut weekly: [Vec<Period>; 7] = Default::default();
    let mut sound = true;
    for (periods, weekday) in weekly.iter_mut().zip(WEEKDAYS) {
        if let Some(field) = section.optional(weekday) {
            match read_periods(reader, &field) {
                Some(read) => *periods = read,
                None => sound = false,
            }
        }
    }
    let known = section.finish(reader);
    if sound && known && weekly.iter().all(Vec::is_empty) {
        section.refuse::<()>(
            reader,
            "the office is never open",
            "write at least one day: monday = [\"08:00-12:00\"]",
        );
    }
    sound.then(|| OpeningHours {
        zone: common.zone.clone(),
        weekly,
        exceptions: exceptions.periods.clone(),
        holidays: common.holidays.clone(),
    })
}

/// One period or a list of them, ordered and not overlapping.
fn read_periods(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<Vec<Period>> {
    let entries = if field.as_str().is_some() {
        vec![field.clone()]
    } else {
        field.list(reader, "[\"08:00-12:00\", \"13:30-16:00\"]")?
    };
    let mut periods = Vec::new();
    let mut sound = true;
    for entry in entries {
        let Some(text) = entry.as_str() else {
            sound = false;
            entry.refuse_kind::<()>(reader, "a period like \"08:00-12:00\"");
            continue;
        };
        match text.parse::<Period>() {
            Ok(period) => periods.push(period),
            Err(error) => {
                sound = false;
                let told = error.to_string();
                let (problem, cure) = told.split_once("; ").unwrap_or((&told, "correct it"));
                entry.refuse::<()>(reader, format!("{} {problem}", quoted(text)), cure);
            }
        }
    }
    if let Some((one, other)) = overlap(&periods) {
        return field.refuse(
            reader,
            format!("{one} and {other} overlap"),
            "make them one, or leave a break between them",
        );
    }
    periods.sort_by_key(|period| period.start);
    sound.then_some(periods)
}

/// Reads a list of exceptions. Faulty ones are left out, their faults recorded.
pub(crate) fn read_exceptions(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Exceptions {
    let mut exceptions = Exceptions::default();
    let example = "[[exceptions]] with date and closed = true";
    for entry in field.list(reader, example).unwrap_or_default() {
        read_exception(reader, &entry, &mut exceptions);
    }
    exceptions
}

fn read_exception(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    exceptions: &mut Exceptions,
) -> Option<()> {
    let mut section = field.section(reader)?;
    let days = read_days(reader, &mut section);
    let open = section
        .optional("open")
        .map(|field| read_periods(reader, &field));
    let closed = section
        .optional("closed")
        .map(|field| field.is_true(reader));
    let reason = section
        .optional("reason")
        .and_then(|field| field.localized(reader, LINE));
    let periods = match (open, closed) {
        (Some(open), None) => open,
        (None, Some(closed)) => closed.map(|()| Vec::new()),
        _ => section.refuse(
            reader,
            "it is not clear whether it is open",
            "write either closed = true, or open = [\"08:00-10:00\"]",
        ),
    };
    section.finish(reader);
    let days = days?;
    let periods = periods?;
    for date in days {
        if exceptions.periods.insert(date, periods.clone()).is_some() {
            return field.refuse(
                reader,
                format!("{date} has an exception already"),
                "make them one",
            );
        }
        if let Some(reason) = &reason {
            exceptions.reasons.insert(date, reason.clone());
        }
    }
    Some(())
}

/// The days a section is about: one `date`, or every day `from` one `to` another.
pub(crate) fn read_days(
    reader: &mut Reader<'_>,
    section: &mut Section<'_, '_>,
) -> Option<Vec<Date>> {
    let date = section.optional("date").map(|field| field.date(reader));
    let from = section.optional("from").map(|field| field.date(reader));
    let to = section.optional("to").map(|field| field.date(reader));
    let (first, last) = match (date, from, to) {
        (Some(date), None, None) => (date?, date?),
        (None, Some(from), Some(to)) => (from?, to?),
        _ => {
            return section.refuse(
                reader,
                "it is not clear which days are meant",
                "write date = 2026-12-24, or from = 2026-12-24 and to = 2026-12-31",
            );
        }
    };
    if last < first {
        return section.refuse(
            reader,
            "it ends before it begins",
            "write the earlier date in from",
        );
    }
    let dates: Vec<Date> = first
        .series(1.day())
        .take_while(|date| *date <= last)
        .take(LONGEST_EXCEPTION + 1)
        .collect();
    if dates.len() > LONGEST_EXCEPTION {
        return section.refuse(
            reader,
            "it is longer than a year",
            "close the office in its weekly hours instead",
        );
    }
    Some(dates)
}

/// Reads `[holidays]`.
pub(crate) fn read_holidays(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
) -> Option<HolidayCalendar> {
    let states: Vec<_> = State::ALL
        .iter()
        .map(|state| (state.name(), *state))
        .collect();
    let feasts: Vec<_> = Feast::ALL
        .iter()
        .map(|feast| (feast.name(), *feast))
        .collect();
    let mut section = field.section(reader)?;
    let mut calendar = HolidayCalendar::default();
    if let Some(field) = section.optional("state") {
        calendar.state = field.one_of(reader, "a German state", &states);
    }
    if let Some(field) = section.optional("except") {
        for entry in field
            .list(reader, "[\"allerheiligen\"]")
            .unwrap_or_default()
        {
            if let Some(feast) = entry.one_of(reader, "a known holiday", &feasts) {
                calendar.except.insert(feast);
            }
        }
    }
    if let Some(field) = section.optional("add") {
        for entry in field
            .list(reader, "[\"rosenmontag\", \"12-24\", \"2026-05-15\"]")
            .unwrap_or_default()
        {
            calendar.add.extend(read_added(reader, &entry));
        }
    }
    section.finish(reader);
    Some(calendar)
}

/// A holiday to add: by name, by day of the year or by date.
fn read_added(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<MoreHolidays> {
    let Some(text) = field.as_str() else {
        return field.date(reader).map(MoreHolidays::Once);
    };
    if let Ok(feast) = text.parse() {
        return Some(MoreHolidays::Feast(feast));
    }
    if text.len() == 10 && text.starts_with(|c: char| c.is_ascii_digit()) {
        return field.date(reader).map(MoreHolidays::Once);
    }
    // A leap year, so that 29 February can be named.
    let of_the_year = (text.len() == 5)
        .then(|| format!("2000-{text}").parse::<Date>().ok())
        .flatten();
    if let Some(date) = of_the_year {
        return Some(MoreHolidays::Yearly {
            month: date.month(),
            day: date.day(),
        });
    }
    let cure = match did_you_mean(text, Feast::ALL.iter().map(|feast| feast.name())) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => {
            "write a name like \"rosenmontag\", a day like \"12-24\" or a date like \"2026-05-15\""
                .to_owned()
        }
    };
    field.refuse(
        reader,
        format!("{} is not a known holiday", quoted(text)),
        cure,
    )
}
