//! Every mail in every language, as its reader gets it.

use std::sync::Arc;

use bridge::ids::Language;
use scheduler::ics::{Component, Method};
use store::{Booking, BookingOffer, BookingPrivate, BookingState};
use texts::Catalogue;

use super::{NOW, Stage, WEDNESDAY, at, dice};
use crate::{
    booking::{
        Letter, MailConfig, Post,
        sheet::{Sheet, Unfit},
    },
    words::Words,
};

const ALL: [Letter; 11] = [
    Letter::Confirm,
    Letter::Booked,
    Letter::Moved,
    Letter::Cancelled,
    Letter::CancelledByOffice,
    Letter::Reminder,
    Letter::NoShow,
    Letter::Companion,
    Letter::Earlier,
    Letter::Offer,
    Letter::OtherTime,
];

const LINK: &str = "https://vorzimmer.example/termin#geheim";
const CALENDAR_LINK: &str = "https://vorzimmer.example/termin#kommen";

fn booking(stage: &Stage, letter: Letter, language: Language) -> Booking {
    let state = match letter {
        Letter::Cancelled | Letter::CancelledByOffice => BookingState::Cancelled,
        _ => BookingState::Confirmed,
    };
    Booking {
        id: bridge::ids::BookingId::from_random(dice(1).id),
        office: stage.office.slug.clone(),
        state,
        code: "K7QM".to_owned(),
        start: at(WEDNESDAY),
        end: at("2026-11-25T07:20:00Z"),
        services: vec!["anmelden".parse().unwrap()],
        language,
        uid: "17@stadt.example".to_owned(),
        sequence: 1,
        expires_at: None,
        reminded: 0,
        wants_earlier: false,
        reply: None,
        visit: None,
        created_at: at(NOW),
        changed_at: at(NOW),
        ended_at: None,
    }
}

fn mail(stage: &Stage, letter: Letter, language: Language, answers: Option<&str>) -> String {
    let post = Post::new(&MailConfig {
        url: "smtp://127.0.0.1:25".parse().unwrap(),
        from: "termine@stadt.example".to_owned(),
        replies: None,
        user: None,
        password_file: None,
    });
    let private = BookingPrivate {
        name: "Erika <b>Große</b>, \"Z\"".to_owned(),
        mail: "erika@example.org".to_owned(),
        companion_mail: Some("max@example.org".to_owned()),
        reason: Some("Der Kollege ist krank & fehlt".to_owned()),
        ..BookingPrivate::default()
    };
    let offer = BookingOffer {
        start: at("2026-11-26T07:00:00Z"),
        end: at("2026-11-26T07:20:00Z"),
        until: at(WEDNESDAY),
        by_office: letter == Letter::Offer,
    };
    let sheet = Sheet {
        words: &Words(Arc::new(Catalogue::load())),
        office: &stage.office,
        booking: &booking(stage, letter, language),
        private: &private,
        offer: Some(&offer),
        link: LINK.to_owned(),
        calendar_link: CALENDAR_LINK.to_owned(),
        rebook: "https://vorzimmer.example/buero/gewerbe/termin".to_owned(),
        answers: answers.map(|address| address.parse().unwrap()),
    };
    match sheet.mail(letter, &post.unwrap(), "house-17") {
        Ok(mail) => String::from_utf8(mail.formatted()).unwrap(),
        Err(Unfit(what)) => unreachable!("{letter:?}: {what}"),
    }
}

/// The parts of a mail by their types, decoded.
fn parts(mail: &str) -> Vec<(String, String)> {
    let message = mail_parser::MessageParser::default()
        .parse(mail.as_bytes())
        .unwrap();
    message
        .parts
        .iter()
        .filter_map(|part| {
            let kind = mail_parser::MimeHeaders::content_type(part)?;
            let text = part.text_contents()?.to_owned();
            Some((format!("{}/{}", kind.ctype(), kind.subtype()?), text))
        })
        .collect()
}

#[tokio::test]
async fn every_mail_says_the_same_as_text_and_as_html() {
    let stage = Stage::new().await;
    for language in Language::ALL {
        for letter in ALL {
            let mail = mail(&stage, letter, language, None);
            let parts = parts(&mail);
            let of = |kind: &str| {
                let part = parts.iter().find(|(of, _)| of == kind);
                part.map(|(_, text)| text.as_str())
            };
            let (text, html) = (of("text/plain").unwrap(), of("text/html").unwrap());
            let told = format!("{letter:?} in {language}:\n{text}\n{html}");
            assert!(!text.contains('{') && !text.contains("mail-"), "{told}");
            assert!(!html.contains("<b>"), "{told}");
            let visible = html
                .replace("<br>", "\n")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&amp;", "&");
            for line in text.split("\n\n").filter(|line| !line.contains(": ")) {
                let line = line.trim().split(":\n").next().unwrap();
                assert!(visible.contains(line), "{line:?} is missing in {told}");
            }
            let link = text.lines().find(|line| line.starts_with("https://"));
            let href = format!("href=\"{}\"", link.unwrap());
            assert!(html.contains(&href), "{told}");
            let expected = match letter {
                Letter::Booked | Letter::Moved => Some("REQUEST"),
                Letter::Cancelled | Letter::CancelledByOffice => Some("CANCEL"),
                Letter::Companion => Some("PUBLISH"),
                Letter::OtherTime => Some("DECLINECOUNTER"),
                Letter::Confirm
                | Letter::Reminder
                | Letter::NoShow
                | Letter::Earlier
                | Letter::Offer => None,
            };
            // Others see what stands in a calendar.
            for (kind, content) in &parts {
                let content = content.replace("\r\n ", "");
                let in_calendar = kind == "text/calendar";
                assert!(!(in_calendar && content.contains("#geheim")), "{told}");
                assert_eq!(in_calendar, content.contains("#kommen"), "{told}");
            }
            let method = of("text/calendar").map(|calendar| {
                let calendar = Component::read(calendar).unwrap();
                calendar.first("METHOD").unwrap().text()
            });
            assert_eq!(method.as_deref(), expected, "{told}");
        }
    }
}

/// A part with all below it: `multipart/mixed[text/plain,…]`; what calendars and mail programs go by is named.
fn shape(message: &mail_parser::Message<'_>, id: usize) -> String {
    let part = &message.parts[id];
    let Some(kind) = mail_parser::MimeHeaders::content_type(part) else {
        return "nothing".to_owned();
    };
    let (main, sub) = (kind.ctype(), kind.subtype().unwrap_or_default());
    let mut words = vec![format!("{main}/{sub}")];
    for name in ["charset", "method"] {
        words.extend(kind.attribute(name).map(|value| format!("{name}={value}")));
    }
    if let Some(disposition) = mail_parser::MimeHeaders::content_disposition(part) {
        let file = disposition.attribute("filename").unwrap_or_default();
        words.push(format!("{}={file}", disposition.ctype()));
    }
    let words = words.join(";");
    let mail_parser::PartType::Multipart(parts) = &part.body else {
        return words;
    };
    let below: Vec<String> = parts
        .iter()
        .map(|part| shape(message, usize::try_from(*part).unwrap()))
        .collect();
    format!("{words}[{}]", below.join(","))
}

/// RFC 6047 §2.4, and what Outlook, Google and Apple read: the object as an alternative and as a file, with its method
/// told outside as well as in it.
#[tokio::test]
async fn every_mail_has_the_shape_that_calendars_look_for() {
    let stage = Stage::new().await;
    for language in Language::ALL {
        for letter in ALL {
            let mail = mail(&stage, letter, language, None);
            let message = mail_parser::MessageParser::default()
                .parse(mail.as_bytes())
                .unwrap();
            let texts = "text/plain;charset=utf-8,text/html;charset=utf-8";
            let expected = match letter.method() {
                None => format!("multipart/alternative[{texts}]"),
                Some(method) => {
                    let calendar = format!("text/calendar;charset=utf-8;method={}", method.name());
                    format!(
                        "multipart/mixed[multipart/alternative[{texts},{calendar}],{calendar};attachment=termin.ics]"
                    )
                }
            };
            assert_eq!(shape(&message, 0), expected, "{letter:?} in {language}");
            for (kind, content) in parts(&mail) {
                if kind == "text/calendar" {
                    let inner = Component::read(&content).unwrap();
                    let inner = inner.first("METHOD").unwrap().text();
                    assert_eq!(Some(inner.as_str()), letter.method().map(Method::name));
                }
            }
            let objects = parts(&mail);
            let objects: Vec<&String> = objects
                .iter()
                .filter(|(kind, _)| kind == "text/calendar")
                .map(|(_, content)| content)
                .collect();
            assert!(
                objects.windows(2).all(|pair| pair[0] == pair[1]),
                "{letter:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_organizer_is_where_answers_are_read() {
    let stage = Stage::new().await;
    let organizer = |answers| {
        let mail = mail(&stage, Letter::Booked, Language::De, answers);
        let parts = parts(&mail);
        let calendar = parts.iter().find(|(kind, _)| kind == "text/calendar");
        let calendar = Component::read(&calendar.unwrap().1).unwrap();
        calendar.children[1]
            .first("ORGANIZER")
            .unwrap()
            .value
            .clone()
    };
    assert_eq!(organizer(None), "mailto:gewerbe@dormagen.example");
    let answers = "antwort+00112233445566778899aabbccddeeff@stadt.example";
    assert_eq!(organizer(Some(answers)), format!("mailto:{answers}"));
}
