//! Reads the city's file as a whole.

use std::{collections::BTreeMap, io};

use bridge::ids::Language;
use jiff::{SignedDuration, tz::TimeZone};
use scheduler::HolidayCalendar;
use toml::de::DeTable;

use crate::{
    FILE_NAME,
    fault::{CityErrors, did_you_mean, quoted},
    field::Field,
    hours::{self, Exceptions},
    model::{City, Localized, OfficeConfig},
    office,
    read::{Reader, Section},
    texts,
};

/// Longest names and titles, in characters.
pub(crate) const NAME: usize = 80;
/// Longest other lines of text, in characters.
pub(crate) const LINE: usize = 600;

/// The pages the law asks of a city: imprint (§ 5 DDG), privacy (Art. 13 GDPR), accessibility (§ 12b BGG
/// and the states' acts).
const PAGES_BY_LAW: [&str; 3] = ["impressum", "datenschutz", "barrierefreiheit"];

/// What all offices share.
pub(crate) struct Common {
    pub(crate) server_name: String,
    pub(crate) zone: TimeZone,
    pub(crate) holidays: HolidayCalendar,
    pub(crate) exceptions: Exceptions,
    pub(crate) rules: office::RuleSettings,
    pub(crate) address: Option<Localized>,
}

impl City {
    /// Reads a city from the text of its file.
    ///
    /// `files` gives the text of a Markdown file named in it, by its path relative to the city's directory
    /// (always relative, with `/`, without `..`, ending in `.md`). Clerks written as `anna` become
    /// `@anna:server_name`.
    ///
    /// # Errors
    /// Every fault of all files, each with line, reason and cure.
    pub fn parse(
        text: &str,
        files: &dyn Fn(&str) -> io::Result<String>,
        server_name: &str,
    ) -> Result<Self, CityErrors> {
        let (table, syntax) = DeTable::parse_recoverable(text);
        let mut reader = Reader::new(text, files, !syntax.is_empty());
        for error in &syntax {
            let offset = error.span().map_or(0, |span| span.start);
            let problem = format!("this is not TOML: {}", error.message());
            reader.fault(offset, "", problem, "correct this line");
        }
        let broken: Vec<_> = reader.faults.iter().map(|fault| fault.line).collect();
        let city = read_city(&mut reader, Section::root(&table), server_name);
        let mut faults = reader.faults;
        // What a broken line seems to say is no fault of its own.
        faults.retain(|fault| {
            fault.key.is_empty() || fault.file != FILE_NAME || !broken.contains(&fault.line)
        });
        match city {
            Some(city) if faults.is_empty() => Ok(Self {
                untranslated: reader.gaps,
                ..city
            }),
            _ => {
                faults.sort();
                faults.dedup();
                Err(CityErrors(faults))
            }
        }
    }
}

fn read_city(
    reader: &mut Reader<'_>,
    mut root: Section<'_, '_>,
    server_name: &str,
) -> Option<City> {
    // Languages come first: every other text is read by them.
    let languages = root
        .required(reader, "languages", "languages = [\"de\", \"en\"]")
        .and_then(|field| read_languages(reader, &field));
    if let Some(languages) = &languages {
        reader.languages.clone_from(languages);
    }
    let name = root
        .required(reader, "name", "name = \"Dormagen\"")
        .and_then(|field| field.localized(reader, NAME));
    let zone = root
        .required(reader, "time_zone", "time_zone = \"Europe/Berlin\"")
        .and_then(|field| read_zone(reader, &field));
    let address = root
        .optional("address")
        .and_then(|field| field.localized(reader, LINE));
    let retention = root
        .required(reader, "retention_hours", "retention_hours = 24")
        .and_then(|field| field.number::<i64>(reader, 1..=8_760));
    let holidays = match root.optional("holidays") {
        Some(field) => hours::read_holidays(reader, &field),
        None => Some(HolidayCalendar::default()),
    };
    let exceptions = match root.optional("exceptions") {
        Some(field) => hours::read_exceptions(reader, &field),
        None => Exceptions::default(),
    };
    let rules = match root.optional("rules") {
        Some(field) => office::RuleSettings::read(reader, &field),
        None => office::RuleSettings::default(),
    };
    let faq = root
        .optional("faq")
        .map_or(Some(Vec::new()), |field| texts::read_faq(reader, &field));
    let pages = root
        .required(
            reader,
            "pages",
            "[pages] with impressum, datenschutz and barrierefreiheit",
        )
        .and_then(|field| read_pages(reader, &field));
    let common = Common {
        server_name: server_name.to_owned(),
        // The zone's own fault is recorded; UTC lets the offices be checked all the same.
        zone: zone.clone().unwrap_or(TimeZone::UTC),
        holidays: holidays.clone().unwrap_or_default(),
        exceptions,
        rules,
        address,
    };
    let offices = root
        .required(
            reader,
            "offices",
            "[offices.gewerbe] for the office with the address name \"gewerbe\"",
        )
        .and_then(|field| read_offices(reader, &field, &common));
    root.finish(reader);
    holidays?;
    Some(City {
        name: name?,
        zone: zone?,
        languages: languages?,
        offices: offices?,
        faq: faq?,
        pages: pages?,
        retention: SignedDuration::from_hours(retention?),
        untranslated: Vec::new(),
    })
}

fn read_languages(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<Vec<Language>> {
    let known = Language::ALL.map(|language| (language.code(), language));
    let mut languages = Vec::new();
    let mut sound = true;
    for entry in field.list(reader, "[\"de\", \"en\"]")? {
        match entry.one_of(reader, "a language the product speaks", &known) {
            Some(language) if languages.contains(&language) => {
                sound = false;
                entry.refuse(
                    reader,
                    format!("{language} stands here twice"),
                    "remove one",
                )?;
            }
            Some(language) => languages.push(language),
            None => sound = false,
        }
    }
    if sound && languages.is_empty() {
        return field.refuse(
            reader,
            "the list is empty",
            "write at least the first language: [\"de\"]",
        );
    }
    sound.then_some(languages)
}

fn read_zone(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<TimeZone> {
    let name = field.line(reader, NAME)?;
    let db = jiff::tz::db();
    if let Ok(zone) = db.get(&name) {
        return Some(zone);
    }
    let names: Vec<String> = db.available().map(|name| name.to_string()).collect();
    let cure = match did_you_mean(&name, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => "write an IANA zone like \"Europe/Berlin\"".to_owned(),
    };
    field.refuse(
        reader,
        format!("{} is not a time zone", quoted(&name)),
        cure,
    )
}

fn read_pages(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<Vec<crate::model::Page>> {
    let section = field.section(reader)?;
    let entries = section.entries();
    for slug in PAGES_BY_LAW {
        if !entries.iter().any(|(key, _)| key.get_ref() == slug) {
            section.refuse::<()>(
                reader,
                format!("the page \"{slug}\" is missing, which the law asks for"),
                format!("write {slug} = {{ de = \"pages/{slug}.de.md\" }}"),
            );
        }
    }
    let mut pages = Vec::new();
    let mut sound = true;
    for (key, field) in entries {
        match texts::read_page(reader, key.get_ref(), &field) {
            Some(page) => pages.push(page),
            None => sound = false,
        }
    }
    sound.then_some(pages)
}

fn read_offices(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    common: &Common,
) -> Option<Vec<OfficeConfig>> {
    let section = field.section(reader)?;
    if section.is_empty() {
        return section.refuse(reader, "there is no office", "write [offices.gewerbe]");
    }
    let mut letters = BTreeMap::new();
    let mut offices = Vec::new();
    let mut sound = true;
    for (key, field) in section.entries() {
        match office::read_office(reader, key.get_ref(), &field, common, &mut letters) {
            Some(office) => offices.push(office),
            None => sound = false,
        }
    }
    sound.then_some(offices)
}
