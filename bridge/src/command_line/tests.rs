//! What clerks type, well and badly.

use proptest::prelude::*;

use super::*;

fn done(body: &str) -> ClerkCommand {
    parse(body).unwrap().unwrap().command
}

fn wrong(body: &str) -> Misuse {
    parse(body).unwrap().unwrap_err()
}

fn ticket(number: u32) -> Ticket {
    Ticket {
        letter: 'G',
        number,
    }
}

#[test]
fn each_command_has_german_and_english_words() {
    use ClerkCommand::{Call, CallNext, Help, OffDuty, OnDuty, Queue, Resume};
    let (de, en) = (Some(Language::De), Some(Language::En));
    let call = Call { ticket: ticket(17) };
    for (body, command, language) in [
        ("!hilfe", Help, de),
        ("!help", Help, en),
        ("!dienst an", OnDuty, de),
        ("!an", OnDuty, de),
        ("!duty on", OnDuty, en),
        ("!on", OnDuty, en),
        ("!dienst aus", OffDuty, de),
        ("!aus", OffDuty, de),
        ("!duty off", OffDuty, en),
        ("!off", OffDuty, en),
        ("!schlange", Queue, de),
        ("!warteschlange", Queue, de),
        ("!queue", Queue, en),
        ("!weiter", CallNext, de),
        ("!next", CallNext, en),
        ("!ruf G-017", call.clone(), de),
        ("!aufrufen G-017", call.clone(), de),
        ("!call G-017", call, en),
        ("!fortsetzen", Resume, de),
        ("!resume", Resume, en),
        ("!ende", ClerkCommand::End { ticket: None }, de),
        ("!end", ClerkCommand::End { ticket: None }, en),
        ("!pause", ClerkCommand::Pause { notice: None }, None),
    ] {
        assert_eq!(
            parse(body),
            Some(Ok(CommandLine { command, language })),
            "{body}"
        );
    }
}

#[test]
fn case_and_spaces_do_not_matter() {
    assert_eq!(done("  ! WEITER  "), ClerkCommand::CallNext);
    assert_eq!(done("!Dienst\t AN\n"), ClerkCommand::OnDuty);
    for way in ["g17", "G 17", " G-017 ", "G\u{2011}017", "g - 17"] {
        assert_eq!(
            done(&format!("!ruf {way}")),
            ClerkCommand::Call { ticket: ticket(17) },
            "{way}"
        );
    }
    assert_eq!(
        done("!Ende g17"),
        ClerkCommand::End {
            ticket: Some(ticket(17))
        }
    );
}

#[test]
fn a_reason_follows_the_ticket_however_it_is_written() {
    for body in [
        "!ablehnen G-017 Bitte zum Fundbüro",
        "!ablehnen g 17: Bitte zum Fundbüro",
        "!ablehnen G17 – Bitte\n zum \u{7}Fundbüro\u{202E}",
    ] {
        assert_eq!(
            done(body),
            ClerkCommand::Decline {
                ticket: ticket(17),
                reason: Some("Bitte zum Fundbüro".to_owned())
            },
            "{body}"
        );
    }
    assert_eq!(
        done("!decline G-017"),
        ClerkCommand::Decline {
            ticket: ticket(17),
            reason: None
        }
    );
    assert_eq!(
        done("!pause Wir sind um 11 zurück"),
        ClerkCommand::Pause {
            notice: Some("Wir sind um 11 zurück".to_owned())
        }
    );
}

#[test]
fn appointments_are_asked_for_and_cancelled() {
    for (body, days) in [
        ("!termine", 0),
        ("!agenda today", 0),
        ("!termine Morgen", 1),
        ("!agenda tomorrow", 1),
    ] {
        assert_eq!(done(body), ClerkCommand::Agenda { days }, "{body}");
    }
    let cancelled = |reason: Option<&str>| ClerkCommand::CancelBooking {
        code: "K7QM".to_owned(),
        reason: reason.map(str::to_owned),
    };
    assert_eq!(done("!absagen k7qm"), cancelled(None));
    assert_eq!(
        done("!cancel K7QM: The clerk is ill"),
        cancelled(Some("The clerk is ill"))
    );
    for (body, verb) in [
        ("!absagen", Verb::CancelBooking),
        ("!absagen Müller", Verb::CancelBooking),
        ("!absagen ÄÖÜ1", Verb::CancelBooking),
        ("!termine gestern", Verb::Agenda),
    ] {
        let language = Some(Language::De);
        assert_eq!(wrong(body), Misuse::Arguments { verb, language }, "{body}");
    }
}

#[test]
fn another_time_is_offered() {
    let (november, june) = (Date::constant(2026, 11, 24), Date::constant(2026, 6, 1));
    let half_past = Time::constant(10, 30, 0, 0);
    for (body, day) in [
        ("!anbieten K7QM 26.11. 10:30", Date::constant(2026, 11, 26)),
        (
            "!verlegen k7qm 26.11 um 10.30 Uhr",
            Date::constant(2026, 11, 26),
        ),
        (
            "!offer K7QM 2026-12-01 at 10:30",
            Date::constant(2026, 12, 1),
        ),
        ("!offer K7QM: 1.12.2026, 10:30", Date::constant(2026, 12, 1)),
        ("!offer K7QM tomorrow 10:30", Date::constant(2026, 11, 25)),
        ("!anbieten K7QM 5.1. 10:30", Date::constant(2027, 1, 5)),
        ("!anbieten K7QM 29.2. 10:30", Date::constant(2028, 2, 29)),
    ] {
        let ClerkCommand::OfferTime {
            code,
            time: Some((wished, time)),
        } = done(body)
        else {
            panic!("{body}");
        };
        assert_eq!((code.as_str(), time), ("K7QM", half_past), "{body}");
        assert_eq!(wished.seen_from(november), Some(day), "{body}");
    }
    assert_eq!(
        Day::Yearly { month: 6, day: 1 }.seen_from(june),
        Some(june),
        "today counts"
    );
    assert_eq!(
        done("!anbieten K7QM"),
        ClerkCommand::OfferTime {
            code: "K7QM".to_owned(),
            time: None
        }
    );
    for body in [
        "!anbieten",
        "!anbieten K7QM morgen",
        "!anbieten K7QM 10:30",
        "!anbieten K7QM 31.2. 10:30",
        "!anbieten K7QM 26.11.26 10:30",
        "!anbieten K7QM 26.11. 25:30",
        "!anbieten K7QM 26.11. 10:30 oder 11:00",
        "!anbieten K7QM 26.11. +1:30",
    ] {
        let (verb, language) = (Verb::OfferTime, Some(Language::De));
        assert_eq!(wrong(body), Misuse::Arguments { verb, language }, "{body}");
    }
}

#[test]
fn talk_is_no_command() {
    for body in [
        "",
        "Hallo",
        "weiter",
        "!",
        "!!!",
        "! Achtung",
        "!?",
        "> !weiter",
    ] {
        assert_eq!(parse(body), None, "{body}");
    }
}

#[test]
fn wrong_use_names_the_verb_to_explain() {
    let (de, en) = (Some(Language::De), Some(Language::En));
    assert_eq!(wrong("!wieter"), Misuse::Unknown);
    for (body, verb, language) in [
        ("!dienst", Verb::Duty, de),
        ("!duty maybe", Verb::Duty, en),
        ("!an bitte", Verb::Duty, de),
        ("!weiter G-017", Verb::Next, de),
        ("!queue now", Verb::Queue, en),
        ("!ruf", Verb::Call, de),
        ("!call G-000", Verb::Call, en),
        ("!ruf G-017 G-018", Verb::Call, de),
        ("!ablehnen Frau Müller", Verb::Decline, de),
        ("!decline G-017th", Verb::Decline, en),
        ("!ablehnen 17 falsch", Verb::Decline, de),
        ("!ende gut", Verb::End, de),
    ] {
        assert_eq!(wrong(body), Misuse::Arguments { verb, language }, "{body}");
    }
}

#[test]
fn a_text_is_taken_whole_or_not_at_all() {
    let fits = "ü".repeat(TEXT_LIMIT);
    assert_eq!(
        done(&format!("!pause {fits}")),
        ClerkCommand::Pause { notice: Some(fits) }
    );
    assert_eq!(
        wrong(&format!("!pause {}", "ü".repeat(TEXT_LIMIT + 1))),
        Misuse::TooLong {
            verb: Verb::Pause,
            language: None
        }
    );
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(body in any::<String>()) {
        if !body.trim_start().starts_with('!') {
            prop_assert_eq!(parse(&body), None);
        }
    }

    #[test]
    fn any_arguments_are_read_without_panic(
        word in "hilfe|dienst|an|queue|weiter|ruf|ablehnen|pause|resume|ende",
        arguments in any::<String>(),
    ) {
        let line = parse(&format!("!{word} {arguments}"));
        prop_assert!(line.is_some());
        if let Some(Ok(CommandLine {
            command: ClerkCommand::Pause { notice: Some(text) }
                | ClerkCommand::Decline { reason: Some(text), .. },
            ..
        })) = line {
            prop_assert!(!text.is_empty() && text.chars().count() <= TEXT_LIMIT);
            prop_assert!(!text.contains(char::is_control));
            prop_assert_eq!(text.trim(), &text);
        }
    }

    #[test]
    fn every_ticket_can_be_called_as_it_is_shown(letter in prop::char::range('A', 'Z'), number in 1..=999_999_u32) {
        let ticket = Ticket { letter, number };
        prop_assert_eq!(done(&format!("!ruf {ticket}")), ClerkCommand::Call { ticket });
        prop_assert_eq!(
            done(&format!("!ablehnen {ticket} weil")),
            ClerkCommand::Decline { ticket, reason: Some("weil".to_owned()) }
        );
    }
}
