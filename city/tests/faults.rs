//! Good and wrong city files, as a dialogue: what is written, what is answered.

use std::{collections::BTreeMap, io};

use bridge::ids::{Language, MatrixUser};
use city::{
    CityErrors,
    model::{City, Place},
};
use jiff::SignedDuration;

#[test]
fn a_small_city_is_understood() {
    let city = parse(CITY).unwrap();
    assert_eq!(city.name.get(Language::De), "Kleinstadt");
    assert_eq!(
        city.name.get(Language::En),
        "Kleinstadt",
        "the first language stands in"
    );
    assert_eq!(city.retention, SignedDuration::from_hours(24));
    let office = &city.offices[0];
    assert_eq!(office.slug.as_str(), "gewerbe");
    assert_eq!(office.name.get(Language::En), "Trade Office");
    let clerks: Vec<_> = office.clerks.iter().map(MatrixUser::as_str).collect();
    assert_eq!(clerks, ["@anna:klein.example", "@bernd:gross.example"]);
    assert_eq!(
        office.rules.no_show_after,
        SignedDuration::from_mins(5),
        "the office's own"
    );
    assert_eq!(office.rules.queue_limit, 20, "the city's");
    assert_eq!(
        office.rules.usual_duration,
        SignedDuration::from_mins(15),
        "the usual"
    );
    assert_eq!(office.rules.ticket_letter, 'G');
    assert!(matches!(office.services[0].place, Place::Remote));
    let Place::InPerson { address } = &office.services[1].place else {
        panic!("the card is handed out in person");
    };
    assert_eq!(address.get(Language::De), "Markt 1", "the city's address");
    assert_eq!(office.hours.weekly[0].len(), 2);
    assert_eq!(
        office.hours.weekly[0][0].to_string(),
        "08:00-12:00",
        "ordered by time"
    );
    let day = |text: &str| text.parse().unwrap();
    assert_eq!(
        office.hours.periods_on(day("2026-12-23")),
        [],
        "the city's exception"
    );
    assert_eq!(
        office.hours.periods_on(day("2026-11-02")).len(),
        1,
        "the office's own, before the city's"
    );
    assert_eq!(
        office.notices[&day("2026-12-22")].get(Language::De),
        "Betriebsausflug"
    );
    assert!(!office.notices.contains_key(&day("2026-11-02")));
    assert_eq!(
        office.hours.periods_on(day("2026-02-16")),
        [],
        "Carnival Monday was added"
    );
    assert_eq!(city.faq[0].anchor, "kosten");
    assert_eq!(city.faq[0].question.get(Language::En), "What does it cost?");
    assert_eq!(
        city.faq[1].question.get(Language::En),
        "Und sonst?",
        "not translated"
    );
    let gaps: Vec<_> = city.untranslated.iter().map(ToString::to_string).collect();
    assert!(gaps.iter().any(|gap| gap
        == "faq.de.md:7:1: the question is not translated (en); add it to faq.en.md with {#sonst}"));
    assert!(gaps.iter().any(|gap| gap
        == "city.toml:1:8: name: is not translated (en); write { de = \"…\", en = \"…\" }"));
}

#[test]
fn every_wrong_line_gets_its_place_reason_and_cure() {
    let (mut told, mut expected) = (Vec::new(), Vec::new());
    for (write, instead_of, answer) in WRONG_LINES {
        assert!(
            CITY.contains(instead_of),
            "{instead_of:?} does not stand in the city"
        );
        let errors = parse(&CITY.replacen(instead_of, write, 1)).unwrap_err();
        told.push(errors.to_string());
        expected.push(*answer);
    }
    assert_eq!(told, expected);
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_file() {
    let text = CITY
        .replace("name = \"Kleinstadt\"\n", "")
        .replace("time_zone = \"Europe/Berlin\"", "time_zone = 1")
        .replace("minutes = 20", "minuets = 20")
        .replace("clerks = [\"anna\"", "clerks = [7");
    let told: Vec<_> = parse(&text)
        .unwrap_err()
        .0
        .into_iter()
        .map(|fault| (fault.line, fault.key))
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|(line, key)| (*line, key.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (1, "name"),
            (1, "time_zone"),
            (31, "offices.gewerbe.clerks[1]"),
            (41, "offices.gewerbe.services.anmelden.minutes"),
            (43, "offices.gewerbe.services.anmelden.minuets"),
        ]
    );
}

#[test]
fn broken_syntax_hides_no_other_fault_and_invents_none() {
    let text = CITY
        .replace("name = \"Kleinstadt\"", "name = Kleinstadt")
        .replace("letter = \"G\"", "letter = \"GG\"");
    let told = parse(&text).unwrap_err().to_string();
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(
        lines[0].starts_with("city.toml:1:8: this is not TOML: "),
        "{told}"
    );
    assert!(
        lines[1].starts_with("city.toml:29:10: offices.gewerbe.letter: "),
        "{told}"
    );
}

#[test]
fn two_offices_cannot_share_a_letter_or_a_name() {
    let office = &CITY[CITY.find("[offices.gewerbe]").unwrap()..];
    let second = office.replace("gewerbe", "fundbuero");
    let told = parse(&format!("{CITY}{second}")).unwrap_err().to_string();
    assert!(
        told.ends_with(
            "offices.fundbuero.letter: the letter G belongs to \"gewerbe\" already; \
             give each office a letter of its own"
        ),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1);
    let told = parse(&format!("{CITY}{office}")).unwrap_err().to_string();
    assert!(told.contains("duplicate key"), "{told}");
    let told = parse(&CITY.replace("offices.gewerbe", "offices.Gewerbe_Amt"))
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("\"Gewerbe_Amt\" cannot stand in an address; use 1 to 40 of a-z"),
        "{told}"
    );
}

#[test]
fn an_office_may_be_open_around_the_clock() {
    let from = CITY.find("[offices.gewerbe.hours]").unwrap();
    let to = CITY.find("[[offices.gewerbe.exceptions]]").unwrap();
    let text = format!("{}{}", &CITY[..from], &CITY[to..])
        .replace("letter =", "hours = \"always\"\nletter =");
    let city = parse(&text).unwrap();
    let christmas = city.offices[0]
        .hours
        .at("2026-12-25T03:00:00Z".parse().unwrap());
    assert!(christmas.open);
}

#[test]
fn faults_in_markdown_stand_in_their_own_file() {
    for (markdown, answer) in [
        (
            "text\n\n## Frage\n\nAntwort",
            "faq.de.md:1:1: there is text before the first question; begin with \"## Question\"",
        ),
        (
            "# Nur ein Titel",
            "faq.de.md:1:1: there is no question in it; write \"## Question\" and the answer under it",
        ),
        (
            "## Eins\n\n## Zwei\n\nZwei.",
            "faq.de.md:1:1: the question has no answer; write it under the question",
        ),
        (
            "## Eins {#a}\n\n1\n\n## Zwei {#a}\n\n2",
            "faq.de.md:5:1: the anchor \"a\" is used twice; give each question an anchor of its own: {#name}",
        ),
        (
            "## Eins {#Ä}\n\n1",
            "faq.de.md:1:1: the anchor \"Ä\" is not valid; use 1 to 40 of a-z, 0-9 and hyphens: {#opening-hours}",
        ),
        (
            "## Eins\n\n[los](javascript:alert(1))",
            "faq.de.md:3:1: the link to \"javascript:alert(1)\" is not allowed; \
             link to https:, http:, mailto:, tel: or a relative path",
        ),
        (
            "## Eins\n\nein ![Bild](https://example.org/bild.png)",
            "faq.de.md:3:5: images cannot be shown; describe it in words, or link to a page that shows it",
        ),
    ] {
        let mut files = files();
        files.insert("faq.de.md", markdown);
        let text = CITY.replace(
            "faq = { de = \"faq.de.md\", en = \"faq.en.md\" }",
            "faq = \"faq.de.md\"",
        );
        assert_eq!(
            parse_with(&text, &files).unwrap_err().to_string(),
            answer,
            "{markdown}"
        );
    }
    let mut files = files();
    files.insert("page.md", "No title\n\n# Two\n\n# Three");
    let told = parse_with(CITY, &files).unwrap_err().to_string();
    assert_eq!(
        told,
        "page.md:5:1: is a second title; write further headings with ##"
    );
    files.insert("page.md", "No title");
    let told = parse_with(CITY, &files).unwrap_err().to_string();
    assert_eq!(
        told,
        "page.md:1:1: the page has no title; begin it with a line \"# Title\""
    );
    files.insert("page.md", "# Titel");
    files.insert("faq.en.md", "## A question {#stray}\n\nAn answer.");
    let told = parse_with(CITY, &files).unwrap_err().to_string();
    assert_eq!(
        told,
        "faq.en.md:1:1: no question in faq.de.md has the anchor \"stray\"; \
         give both the same {#anchor}, or keep them in the same order"
    );
}

#[test]
fn a_wrong_server_name_is_the_clerks_fault_and_no_panic() {
    let files = files();
    let read = |name: &str| open(&files, name);
    for server_name in ["", " ", "a b"] {
        assert!(City::parse(CITY, &read, server_name).is_err());
    }
}

const MONDAY: &str = "monday = [\"13:30-16:00\", \"08:00-12:00\"]";
const CLERKS: &str = "clerks = [\"anna\", \"@bernd:gross.example\"]";

/// What is written, instead of what, and the answer.
const WRONG_LINES: &[(&str, &str, &str)] = &[
    (
        "monday = [\"8-12\"]",
        MONDAY,
        "city.toml:36:11: offices.gewerbe.hours.monday[1]: \"8-12\" is not a period; \
             write it like \"08:00-12:00\"",
    ),
    (
        "monday = [\"12:00-08:00\"]",
        MONDAY,
        "city.toml:36:11: offices.gewerbe.hours.monday[1]: \"12:00-08:00\" ends before it begins; \
             write the earlier time first, and the day's end as 24:00",
    ),
    (
        "monday = [\"08:00-12:00\", \"11:30-16:00\"]",
        MONDAY,
        "city.toml:36:10: offices.gewerbe.hours.monday: 08:00-12:00 and 11:30-16:00 overlap; \
             make them one, or leave a break between them",
    ),
    (
        "mondy = \"08:00-12:00\"",
        MONDAY,
        "city.toml:36:1: offices.gewerbe.hours.mondy: is not a known setting; did you mean \"monday\"?",
    ),
    (
        "time_zone = \"Europe/Berlni\"",
        "time_zone = \"Europe/Berlin\"",
        "city.toml:2:13: time_zone: \"Europe/Berlni\" is not a time zone; did you mean \"Europe/Berlin\"?",
    ),
    (
        "languages = [\"de\", \"fr\"]",
        "languages = [\"de\", \"en\"]",
        "city.toml:3:20: languages[2]: \"fr\" is not a language the product speaks; use one of de, en",
    ),
    (
        "languages = []",
        "languages = [\"de\", \"en\"]",
        "city.toml:3:13: languages: the list is empty; write at least the first language: [\"de\"]",
    ),
    (
        "retention_hours = 0",
        "retention_hours = 24",
        "city.toml:5:19: retention_hours: 0 is out of range; write a whole number from 1 to 8760",
    ),
    (
        "retention_hours = \"24\"",
        "retention_hours = 24",
        "city.toml:5:19: retention_hours: a text does not fit here; write a whole number like 1",
    ),
    (
        "letter = \"g\"",
        "letter = \"G\"",
        "city.toml:29:10: offices.gewerbe.letter: \"g\" is not a letter for tickets; use one of A to Z",
    ),
    (
        "name = { en = \"Trade Office\" }",
        "name = { de = \"Gewerbeamt\", en = \"Trade Office\" }",
        "city.toml:30:8: offices.gewerbe.name: the text in the city's first language (de) is missing; \
             add de = \"…\"",
    ),
    (
        "name = { de = \"Gewerbeamt\", fr = \"Bureau\" }",
        "name = { de = \"Gewerbeamt\", en = \"Trade Office\" }",
        "city.toml:30:29: offices.gewerbe.name.fr: is not a language of the city; \
             use de, en, or add it to languages",
    ),
    (
        "description = \"a\\tb\"",
        "description = \"Gewerbe.\"",
        "city.toml:31:15: offices.gewerbe.description: contains a line break or control character; \
             write it in one line",
    ),
    (
        "clerks = [\"Anna!\"]",
        CLERKS,
        "city.toml:32:11: offices.gewerbe.clerks[1]: \"Anna!\" is not a Matrix user; write the name in small \
             letters like \"anna\", or in full like \"@anna:example.org\"",
    ),
    (
        "clerks = [\"anna\", \"@anna:klein.example\"]",
        CLERKS,
        "city.toml:32:19: offices.gewerbe.clerks[2]: @anna:klein.example stands here twice; remove one",
    ),
    (
        "clerks = []",
        CLERKS,
        "city.toml:32:10: offices.gewerbe.clerks: nobody works here; \
             name at least one clerk: clerks = [\"anna\"]",
    ),
    (
        "place = \"in_person\"",
        "place = \"in-person\"",
        "city.toml:50:9: offices.gewerbe.services.karte.place: \"in_person\" is not a place; \
             did you mean \"in-person\"?",
    ),
    (
        "place = \"remote\"\naddress = \"Markt 2\"",
        "place = \"remote\"",
        "city.toml:46:11: offices.gewerbe.services.anmelden.address: an address makes no sense for a \
             remote service; remove it, or write place = \"in-person\"",
    ),
    (
        "",
        "address = \"Markt 1\"\n",
        "city.toml:49:9: offices.gewerbe.services.karte.place: it is not clear where to go; \
             write address = \"…\" here, at the office or at the city",
    ),
    (
        "state = \"NRW\"",
        "state = \"NW\"",
        "city.toml:19:9: holidays.state: \"NRW\" is not a German state; did you mean \"NW\"?",
    ),
    (
        "add = [\"rosenmontg\"]",
        "add = [\"rosenmontag\"]",
        "city.toml:20:8: holidays.add[1]: \"rosenmontg\" is not a known holiday; did you mean \"rosenmontag\"?",
    ),
    (
        "add = [\"02-30\"]",
        "add = [\"rosenmontag\"]",
        "city.toml:20:8: holidays.add[1]: \"02-30\" is not a known holiday; write a name like \
             \"rosenmontag\", a day like \"12-24\" or a date like \"2026-05-15\"",
    ),
    (
        "from = 2026-12-24",
        "from = 2026-12-22",
        "city.toml:22:1: exceptions[1]: it ends before it begins; write the earlier date in from",
    ),
    (
        "closed = true\nopen = \"08:00-09:00\"",
        "closed = true",
        "city.toml:22:1: exceptions[1]: it is not clear whether it is open; \
             write either closed = true, or open = [\"08:00-10:00\"]",
    ),
    (
        "date = 2026-02-30",
        "date = 2026-11-02",
        "city.toml:39:8: this is not TOML: invalid date, expected day between 01 and 28; correct this line",
    ),
    (
        "booking_page = \"http://termine.example/\"\nclerks = [\"anna\"]",
        CLERKS,
        "city.toml:32:16: offices.gewerbe.booking_page: \"http://termine.example/\" is not an https address; \
             write it like \"https://termine.example.org/\"",
    ),
    (
        "impressum = \"../impressum.md\"",
        "impressum = \"page.md\"",
        "city.toml:9:13: pages.impressum: \"../impressum.md\" is not the path of a Markdown file in the \
             city's directory; write a relative path like \"faq/city.de.md\"",
    ),
    (
        "impressum = \"absent.md\"",
        "impressum = \"page.md\"",
        "city.toml:9:13: pages.impressum: there is no file \"absent.md\"; \
             create it beside city.toml or correct the name",
    ),
    (
        "impressum = \"secret.md\"",
        "impressum = \"page.md\"",
        "city.toml:9:13: pages.impressum: the file \"secret.md\" cannot be read: permission denied; \
             make it a readable UTF-8 text file",
    ),
    (
        "",
        "impressum = \"page.md\"\n",
        "city.toml:8:1: pages: the page \"impressum\" is missing, which the law asks for; \
             write impressum = { de = \"pages/impressum.de.md\" }",
    ),
    (
        "usual_minutes = 0x10",
        "queue_limit = 20",
        "city.toml:14:17: rules.usual_minutes: is not a decimal number; write a whole number from 1 to 480",
    ),
    (
        "impressum = \"page.md\"\nimpressum = \"page.md\"",
        "impressum = \"page.md\"",
        "city.toml:10:1: this is not TOML: duplicate key; correct this line",
    ),
];

const CITY: &str = r#"name = "Kleinstadt"
time_zone = "Europe/Berlin"
languages = ["de", "en"]
address = "Markt 1"
retention_hours = 24
faq = { de = "faq.de.md", en = "faq.en.md" }

[pages]
impressum = "page.md"
datenschutz = "page.md"
barrierefreiheit = "page.md"

[rules]
queue_limit = 20

# Nordrhein-Westfalen, and a day of our own.

[holidays]
state = "NW"
add = ["rosenmontag"]

[[exceptions]]
from = 2026-12-22
to = "2026-12-23"
closed = true
reason = "Betriebsausflug"

[offices.gewerbe]
letter = "G"
name = { de = "Gewerbeamt", en = "Trade Office" }
description = "Gewerbe."
clerks = ["anna", "@bernd:gross.example"]
rules = { no_show_minutes = 5 }

[offices.gewerbe.hours]
monday = ["13:30-16:00", "08:00-12:00"]

[[offices.gewerbe.exceptions]]
date = 2026-11-02
open = "09:00-10:00"

[offices.gewerbe.services.anmelden]
name = "Anmelden"
minutes = 20
place = "remote"

[offices.gewerbe.services.karte]
name = "Karte abholen"
minutes = 10
place = "in-person"
"#;

fn files() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("page.md", "# Seite\n\nText."),
        (
            "faq.de.md",
            "# Für die Redaktion\n\n## Was kostet es? {#kosten}\n\nNichts.\n\n## Und sonst? {#sonst}\n\nAuch.",
        ),
        ("faq.en.md", "## What does it cost? {#kosten}\n\nNothing."),
        ("secret.md", ""),
    ])
}

fn open(files: &BTreeMap<&str, &str>, name: &str) -> io::Result<String> {
    match files.get(name) {
        Some(_) if name == "secret.md" => Err(io::Error::from(io::ErrorKind::PermissionDenied)),
        Some(text) => Ok((*text).to_owned()),
        None => Err(io::Error::from(io::ErrorKind::NotFound)),
    }
}

fn parse(text: &str) -> Result<City, CityErrors> {
    parse_with(text, &files())
}

fn parse_with(text: &str, files: &BTreeMap<&str, &str>) -> Result<City, CityErrors> {
    City::parse(text, &|name| open(files, name), "klein.example")
}
