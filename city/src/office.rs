//! Reads one office with its services, clerks and rules.

use std::collections::BTreeMap;

use bridge::{
    ids::{MatrixUser, OfficeSlug, ServiceId},
    office::Rules,
};
use jiff::SignedDuration;
use url::Url;

use crate::{
    booking,
    fault::quoted,
    field::Field,
    hours::{self, Exceptions},
    model::{Localized, OfficeConfig, Place, Service},
    parse::{Common, LINE, NAME},
    read::{Reader, Section},
    texts,
};

/// What an address name must look like.
const SLUG_CURE: &str = "use 1 to 40 of a-z, 0-9 and inner hyphens";

/// The queue's rules as far as they are set; an office's own go before the city's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RuleSettings {
    no_show_minutes: Option<i64>,
    absence_grace_minutes: Option<i64>,
    queue_limit: Option<usize>,
    usual_minutes: Option<i64>,
}

impl RuleSettings {
    /// Reads `[rules]`.
    pub(crate) fn read(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Self {
        let Some(mut section) = field.section(reader) else {
            return Self::default();
        };
        let mut minutes = |reader: &mut Reader<'_>, key, most| {
            section
                .optional(key)
                .and_then(|field| field.number::<i64>(reader, 1..=most))
        };
        let settings = Self {
            no_show_minutes: minutes(reader, "no_show_minutes", 120),
            absence_grace_minutes: minutes(reader, "absence_grace_minutes", 120),
            usual_minutes: minutes(reader, "usual_minutes", 480),
            queue_limit: section
                .optional("queue_limit")
                .and_then(|field| field.number::<usize>(reader, 1..=10_000)),
        };
        section.finish(reader);
        settings
    }

    /// The rules of an office; what neither it nor the city sets is usual.
    fn rules(self, city: Self, ticket_letter: char) -> Rules {
        let minutes = |own: Option<i64>, city: Option<i64>, usual| {
            SignedDuration::from_mins(own.or(city).unwrap_or(usual))
        };
        Rules {
            ticket_letter,
            no_show_after: minutes(self.no_show_minutes, city.no_show_minutes, 3),
            absence_grace: minutes(self.absence_grace_minutes, city.absence_grace_minutes, 10),
            queue_limit: self.queue_limit.or(city.queue_limit).unwrap_or(50),
            usual_duration: minutes(self.usual_minutes, city.usual_minutes, 15),
        }
    }
}

/// Reads `[offices.<slug>]`. `letters` says which office has which letter so far.
pub(crate) fn read_office(
    reader: &mut Reader<'_>,
    slug: &str,
    field: &Field<'_, '_>,
    common: &Common,
    letters: &mut BTreeMap<char, String>,
) -> Option<OfficeConfig> {
    let mut section = field.section(reader)?;
    let parsed_slug = slug.parse::<OfficeSlug>().ok();
    if parsed_slug.is_none() {
        section.refuse::<()>(
            reader,
            format!("{} cannot stand in an address", quoted(slug)),
            SLUG_CURE,
        );
    }
    let letter = section
        .required(
            reader,
            "letter",
            "letter = \"G\", with which its tickets begin",
        )
        .and_then(|field| read_letter(reader, &field, slug, letters));
    let name = section
        .required(reader, "name", "name = \"Gewerbemeldestelle\"")
        .and_then(|field| field.localized(reader, NAME));
    let description = section
        .required(
            reader,
            "description",
            "description = \"…\", a sentence or two for citizens",
        )
        .and_then(|field| field.localized(reader, LINE));
    let address = section
        .optional("address")
        .and_then(|field| field.localized(reader, LINE));
    let booking_page = section
        .optional("booking_page")
        .map(|field| read_booking_page(reader, &field));
    let clerks = section
        .required(reader, "clerks", "clerks = [\"anna\"]")
        .and_then(|field| read_clerks(reader, &field, &common.server_name));
    let own = section
        .optional("exceptions")
        .map_or_else(Exceptions::default, |field| {
            hours::read_exceptions(reader, &field)
        });
    let exceptions = with_city(own, &common.exceptions);
    let hours = section
        .required(reader, "hours", "hours = { monday = [\"08:00-12:00\"] }")
        .and_then(|field| hours::read_hours(reader, &field, common, &exceptions));
    let rules = section
        .optional("rules")
        .map_or_else(RuleSettings::default, |field| {
            RuleSettings::read(reader, &field)
        });
    let faq = section
        .optional("faq")
        .map_or(Some(Vec::new()), |field| texts::read_faq(reader, &field));
    let address = address.or_else(|| common.address.clone());
    let services = section
        .required(
            reader,
            "services",
            "a service: [offices.gewerbe.services.anmelden]",
        )
        .and_then(|field| read_services(reader, &field, address.as_ref()));
    let booking = section.optional("booking").map(|field| {
        if booking_page.is_some() {
            field.refuse::<()>(
                reader,
                "appointments are booked either here or elsewhere",
                "remove booking_page or the section booking",
            );
        }
        booking::read_booking(reader, &field, services.as_deref())
    });
    section.finish(reader);
    Some(OfficeConfig {
        slug: parsed_slug?,
        name: name?,
        description: description?,
        services: services?,
        hours: hours?,
        notices: exceptions.reasons,
        clerks: clerks?,
        rules: rules.rules(common.rules, letter?),
        faq: faq?,
        booking_page: match booking_page {
            Some(page) => Some(page?),
            None => None,
        },
        booking: match booking {
            Some(booking) => Some(booking?),
            None => None,
        },
    })
}

/// The office's own exceptions, and the city's on the other days.
fn with_city(mut own: Exceptions, city: &Exceptions) -> Exceptions {
    for (date, periods) in &city.periods {
        if !own.periods.contains_key(date) {
            own.periods.insert(*date, periods.clone());
            if let Some(reason) = city.reasons.get(date) {
                own.reasons.insert(*date, reason.clone());
            }
        }
    }
    own
}

fn read_letter(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    slug: &str,
    letters: &mut BTreeMap<char, String>,
) -> Option<char> {
    let text = field.line(reader, NAME)?;
    let mut chars = text.chars();
    let (Some(letter @ 'A'..='Z'), None) = (chars.next(), chars.next()) else {
        return field.refuse(
            reader,
            format!("{} is not a letter for tickets", quoted(&text)),
            "use one of A to Z",
        );
    };
    if let Some(other) = letters.get(&letter) {
        return field.refuse(
            reader,
            format!("the letter {letter} belongs to {} already", quoted(other)),
            "give each office a letter of its own",
        );
    }
    letters.insert(letter, slug.to_owned());
    Some(letter)
}

fn read_booking_page(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<String> {
    let text = field.line(reader, LINE)?;
    match Url::parse(&text) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Some(url.into()),
        _ => field.refuse(
            reader,
            format!("{} is not an https address", quoted(&text)),
            "write it like \"https://termine.example.org/\"",
        ),
    }
}

fn read_clerks(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    server_name: &str,
) -> Option<Vec<MatrixUser>> {
    let mut clerks = Vec::new();
    let mut sound = true;
    for entry in field.list(reader, "[\"anna\", \"bernd\"]")? {
        match read_clerk(reader, &entry, server_name) {
            Some(clerk) if clerks.contains(&clerk) => {
                sound = false;
                entry.refuse::<()>(reader, format!("{clerk} stands here twice"), "remove one");
            }
            Some(clerk) => clerks.push(clerk),
            None => sound = false,
        }
    }
    if sound && clerks.is_empty() {
        return field.refuse(
            reader,
            "nobody works here",
            "name at least one clerk: clerks = [\"anna\"]",
        );
    }
    sound.then_some(clerks)
}

/// `anna` or `@anna:example.org`. Local parts by the Matrix specification, appendices, user identifiers.
fn read_clerk(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    server_name: &str,
) -> Option<MatrixUser> {
    let text = field.line(reader, LINE)?;
    let full = if text.starts_with('@') {
        text.clone()
    } else {
        format!("@{text}:{server_name}")
    };
    let has_valid_localpart = full[1..].split_once(':').is_some_and(|(local, _)| {
        !local.is_empty()
            && local
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._=-/+".contains(&b))
    });
    match full.parse() {
        Ok(user) if has_valid_localpart => Some(user),
        _ => field.refuse(
            reader,
            format!("{} is not a Matrix user", quoted(&text)),
            "write the name in small letters like \"anna\", or in full like \"@anna:example.org\"",
        ),
    }
}

fn read_services(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    address: Option<&Localized>,
) -> Option<Vec<Service>> {
    let section = field.section(reader)?;
    if section.is_empty() {
        return section.refuse(
            reader,
            "there is no service",
            "write one: [offices.gewerbe.services.anmelden]",
        );
    }
    let mut services = Vec::new();
    let mut sound = true;
    for (key, field) in section.entries() {
        match read_service(reader, key.get_ref(), &field, address) {
            Some(service) => services.push(service),
            None => sound = false,
        }
    }
    sound.then_some(services)
}

fn read_service(
    reader: &mut Reader<'_>,
    id: &str,
    field: &Field<'_, '_>,
    address: Option<&Localized>,
) -> Option<Service> {
    let mut section = field.section(reader)?;
    let parsed_id = id.parse::<ServiceId>().ok();
    if parsed_id.is_none() {
        section.refuse::<()>(
            reader,
            format!("{} cannot stand in an address", quoted(id)),
            SLUG_CURE,
        );
    }
    let name = section
        .required(reader, "name", "name = \"Gewerbe anmelden\"")
        .and_then(|field| field.localized(reader, NAME));
    let minutes = section
        .required(
            reader,
            "minutes",
            "minutes = 20, the usual length of a conversation",
        )
        .and_then(|field| field.number::<u16>(reader, 1..=480));
    let mut documents = Vec::new();
    if let Some(field) = section.optional("documents") {
        for entry in field
            .list(reader, "[\"Personalausweis\"]")
            .unwrap_or_default()
        {
            documents.extend(entry.localized(reader, LINE));
        }
    }
    let place = read_place(reader, &mut section, address);
    section.finish(reader);
    Some(Service {
        id: parsed_id?,
        name: name?,
        minutes: minutes?,
        documents,
        place: place?,
    })
}

fn read_place(
    reader: &mut Reader<'_>,
    section: &mut Section<'_, '_>,
    address: Option<&Localized>,
) -> Option<Place> {
    let own = section.optional("address");
    let place = section.required(
        reader,
        "place",
        "place = \"remote\" or place = \"in-person\"",
    )?;
    let in_person = place.one_of(reader, "a place", &[("remote", false), ("in-person", true)])?;
    match (in_person, own) {
        (false, None) => Some(Place::Remote),
        (false, Some(own)) => own.refuse(
            reader,
            "an address makes no sense for a remote service",
            "remove it, or write place = \"in-person\"",
        ),
        (true, Some(own)) => own
            .localized(reader, LINE)
            .map(|address| Place::InPerson { address }),
        (true, None) => match address {
            Some(address) => Some(Place::InPerson {
                address: address.clone(),
            }),
            None => place.refuse(
                reader,
                "it is not clear where to go",
                "write address = \"…\" here, at the office or at the city",
            ),
        },
    }
}
