//! Every mail in every language, as its reader gets it.

use std::sync::Arc;

use bridge::ids::{BookingId, Language};
use gateway::appointments::Contact;
use scheduler::ics::{Component, Line, Method, Response};
use store::{Booking, BookingOffer, BookingPrivate, BookingState, Way};
use texts::Catalogue;

use super::{NOW, Stage, WEDNESDAY, at, contact, dice};
use crate::{
    booking::{
        Letter, MailConfig, Post,
        letter::organizer,
        plan_letter,
        sheet::{Sheet, Unfit},
        write,
    },
    errands::Plan,
    outbox,
    words::Words,
};

const ALL: [Letter; 15] = [
    Letter::Confirm,
    Letter::Booked,
    Letter::Moved,
    Letter::Cancelled,
    Letter::CancelledByOffice,
    Letter::Reminder,
    Letter::NoShow,
    Letter::Lost,
    Letter::Outage,
    Letter::Companion,
    Letter::CompanionMoved,
    Letter::CompanionCancelled,
    Letter::Earlier,
    Letter::Offer,
    Letter::OtherTime,
];

const LINK: &str = "https://vorzimmer.example/termin#geheim";
const CALENDAR_LINK: &str = "https://vorzimmer.example/termin#kommen";

fn booking(stage: &Stage, letter: Letter, language: Language) -> Booking {
    let state = match letter {
        Letter::Cancelled | Letter::CancelledByOffice | Letter::CompanionCancelled => {
            BookingState::Cancelled
        }
        _ => BookingState::Confirmed,
    };
    Booking {
        id: BookingId::from_random(dice(1).id),
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
        reminded_until: None,
        wants_earlier: false,
        reply: None,
        visit: None,
        created_at: at(NOW),
        changed_at: at(NOW),
        ended_at: None,
    }
}

fn mail(stage: &Stage, letter: Letter, language: Language, answers: Option<&str>) -> String {
    mail_to("erika@example.org", stage, letter, language, answers)
}

fn mail_to(
    address: &str,
    stage: &Stage,
    letter: Letter,
    language: Language,
    answers: Option<&str>,
) -> String {
    let post = Post::new(&MailConfig {
        url: "smtp://127.0.0.1:25".parse().unwrap(),
        from: "termine@stadt.example".to_owned(),
        replies: None,
        user: None,
        password_file: None,
    })
    .unwrap();
    let answers = answers.map(|address| address.parse().unwrap());
    let private = BookingPrivate {
        name: "Erika <b>Große</b>, \"Z\"".to_owned(),
        mail: address.to_owned(),
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
        stamp: at(NOW),
        offer: Some(&offer),
        link: LINK.to_owned(),
        calendar_link: CALENDAR_LINK.to_owned(),
        rebook: "https://vorzimmer.example/buero/gewerbe/termin".to_owned(),
        organizer: organizer(&stage.office, &post, answers.as_ref()),
        answers,
    };
    match sheet.mail(letter, &post, "house-17") {
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

/// The mail that the outbox writes of a booking.
async fn sent(stage: &Stage, id: &BookingId, letter: Letter, now: &str) -> String {
    let mut tx = stage.bookings.store.begin().await.unwrap();
    write(&mut tx, id, letter, at(now)).await.unwrap();
    let row = tx.due(Way::Mail, at(now), 1).await.unwrap().remove(0);
    tx.done(row.id).await.unwrap();
    tx.commit().await.unwrap();
    let plan = plan_letter(&stage.house(), &row, id, letter).await;
    let Plan::Mail { mail: Ok(mail), .. } = plan.unwrap() else {
        unreachable!("{letter:?} is true and can be written")
    };
    String::from_utf8(mail.formatted()).unwrap()
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
                Letter::Cancelled | Letter::CancelledByOffice | Letter::CompanionCancelled => {
                    Some("CANCEL")
                }
                Letter::Companion | Letter::CompanionMoved => Some("PUBLISH"),
                Letter::OtherTime => Some("DECLINECOUNTER"),
                Letter::Confirm
                | Letter::Reminder
                | Letter::NoShow
                | Letter::Lost
                | Letter::Outage
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
    let mut stage = Stage::new().await;
    let organizer = |stage: &Stage, answers| {
        let mail = mail(stage, Letter::Booked, Language::De, answers);
        let parts = parts(&mail);
        let calendar = parts.iter().find(|(kind, _)| kind == "text/calendar");
        let calendar = Component::read(&calendar.unwrap().1).unwrap();
        calendar.children[1]
            .first("ORGANIZER")
            .unwrap()
            .value
            .clone()
    };
    assert_eq!(organizer(&stage, None), "mailto:gewerbe@dormagen.example");
    let answers = "antwort+00112233445566778899aabbccddeeff@stadt.example";
    let answered = organizer(&stage, Some(answers));
    assert_eq!(answered, format!("mailto:{answers}"));
    stage.office.booking = None;
    assert_eq!(organizer(&stage, None), "mailto:termine@stadt.example");
}

/// The companion's calendar follows the booker's by the same UID and sequence, and learns nothing of the booker.
#[tokio::test]
async fn a_companions_calendar_follows_moves_and_cancellations() {
    let stage = Stage::new().await;
    let event = |letter| {
        let mail = mail(&stage, letter, Language::De, None);
        assert!(mail.contains("To: max@example.org"), "{mail}");
        let parts = parts(&mail);
        assert!(!parts.iter().any(|(_, text)| text.contains("Erika")));
        let calendar = parts.iter().find(|(kind, _)| kind == "text/calendar");
        let calendar = Component::read(&calendar.unwrap().1).unwrap();
        let event = calendar.children[1].clone();
        let of = |name: &str| event.first(name).map(Line::text);
        ["UID", "SEQUENCE", "STATUS", "ATTENDEE"].map(of)
    };
    for (letter, status) in [
        (Letter::CompanionMoved, "CONFIRMED"),
        (Letter::CompanionCancelled, "CANCELLED"),
    ] {
        let text = |text: &str| Some(text.to_owned());
        let [uid, sequence] = [text("17@stadt.example"), text("1")];
        assert_eq!(event(letter), [uid, sequence, text(status), None]);
    }
}

/// Whatever address the form takes, an invitation goes there, and the answer of its calendar is known for the citizen's.
#[tokio::test]
async fn every_address_that_can_book_can_be_invited() {
    let stage = Stage::new().await;
    let special = "!#$%&'*+-/=?^_`{|}~";
    let each = special.chars().map(|char| format!("{char}a{char}"));
    for local in each.chain([special.to_owned(), "100%25".to_owned()]) {
        let address = format!("{local}@example.org");
        assert!(gateway::clean::is_mail(&address), "{address}");
        let mail = mail_to(&address, &stage, Letter::Booked, Language::De, None);
        let parts = parts(&mail);
        let calendar = parts.iter().find(|(kind, _)| kind == "text/calendar");
        let reply = calendar
            .unwrap()
            .1
            .replace("\r\n ", "")
            .replace("METHOD:REQUEST", "METHOD:REPLY")
            .replace("NEEDS-ACTION", "ACCEPTED");
        let zone = &stage.office.hours.zone;
        let response = Response::read(reply.as_bytes(), zone).unwrap();
        assert_eq!(response.attendee, address);
    }
}

/// A mail that fits no form is one that the citizen never gets.
#[tokio::test]
async fn a_mail_that_cannot_be_written_is_told_to_the_clerks() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let id = BookingId::from_random(dice(1).id);
    let mut tx = stage.bookings.store.begin().await.unwrap();
    let mut private = tx.booking_private(&id).await.unwrap().unwrap();
    private.mail = "no address".to_owned();
    private.companion_mail = Some("nor this".to_owned());
    tx.put_booking_private(&id, &private).await.unwrap();
    tx.commit().await.unwrap();
    for (letter, told) in [
        (Letter::Booked, &["line Undeliverable", "number"][..]),
        (Letter::Companion, &["line CompanionUndeliverable"]),
    ] {
        let mut tx = stage.bookings.store.begin().await.unwrap();
        write(&mut tx, &id, letter, at(NOW)).await.unwrap();
        let row = tx.due(Way::Mail, at(NOW), 1).await.unwrap().remove(0);
        tx.commit().await.unwrap();
        outbox::run(&stage.house(), row, None).await.unwrap();
        assert_eq!(stage.errands().await, told);
    }
    let mut read = stage.bookings.store.read().await.unwrap();
    let dead = read.dead_letters(9).await.unwrap();
    assert_eq!(dead[0].last_error.as_deref(), Some("address"));
}

/// What a calendar proposed came hours after the last change: calendars take a refusal with an older stamp for outdated.
#[tokio::test]
async fn what_is_declined_is_stamped_when_it_was_declined() {
    let stage = Stage::new().await;
    stage.confirmed(1, WEDNESDAY, "erika@example.org").await;
    stage.errands().await;
    let id = BookingId::from_random(dice(1).id);
    let mut stamps = Vec::new();
    for (letter, now) in [
        (Letter::Booked, NOW),
        (Letter::OtherTime, "2026-11-23T11:00:00Z"),
    ] {
        let mail = sent(&stage, &id, letter, now).await;
        let parts = parts(&mail);
        let calendar = parts.iter().find(|(kind, _)| kind == "text/calendar");
        let calendar = Component::read(&calendar.unwrap().1).unwrap();
        let event = calendar.children.last().unwrap();
        stamps.push(event.first("DTSTAMP").unwrap().value.clone());
    }
    assert_eq!(stamps, ["20261123T060000Z", "20261123T110000Z"]);
}

/// Anybody can have this mail sent to any mailbox: no words of theirs go along.
#[tokio::test]
async fn the_mail_that_asks_to_confirm_says_nothing_that_somebody_typed() {
    let stage = Stage::new().await;
    for (letter, named) in [(Letter::Confirm, false), (Letter::Booked, true)] {
        for language in Language::ALL {
            let mail = mail(&stage, letter, language, None);
            let plain = mail.contains("To: erika@example.org\r\n");
            assert_ne!(plain, named, "{mail}");
            let said = parts(&mail).iter().any(|(_, text)| text.contains("Erika"));
            assert_eq!(said, named, "{letter:?} in {language}");
        }
    }
}

/// A language can be taken out of the city's file between the booking and its mails.
#[tokio::test]
async fn mails_lead_to_pages_that_the_city_has() {
    let stage = Stage::new().await;
    let hold = stage.hold(1, WEDNESDAY, NOW).await.unwrap();
    let english = Contact {
        language: Language::En,
        ..contact("erika@example.org")
    };
    let (place, token) = (stage.place(NOW), hold.token.hash());
    let booked = stage.bookings.book(&place, &token, english);
    booked.await.unwrap();
    let id = BookingId::from_random(dice(1).id);
    let manage = stage.bookings.key.manage(&id).hash();
    let confirmed = stage.bookings.confirm(&place, &manage);
    confirmed.await.unwrap();
    stage.errands().await;
    for (languages, page) in [
        (
            vec![Language::De, Language::En],
            "https://vorzimmer.example/en/termin#",
        ),
        (vec![Language::De], "https://vorzimmer.example/termin#"),
    ] {
        let mut city = (*stage.city).clone();
        city.languages = languages;
        stage.city_files.put(city);
        let mail = sent(&stage, &id, Letter::Reminder, NOW).await;
        let shapes = parts(&mail);
        assert_eq!(shapes.len(), 2);
        for (kind, text) in shapes {
            assert!(text.contains(page), "{kind}: {text}");
        }
    }
}
