//! Reads what clerks type in a door room: `!weiter`, `!call G-017`.
//!
//! | German | English | |
//! |---|---|---|
//! | `!hilfe` | `!help` | what there is |
//! | `!dienst an`, `!dienst aus`, `!an`, `!aus` | `!duty on`, `!duty off`, `!on`, `!off` | takes a desk, gives it up |
//! | `!schlange`, `!warteschlange` | `!queue` | who waits |
//! | `!weiter` | `!next` | calls the first |
//! | `!ruf G-017`, `!aufrufen G-017` | `!call G-017` | calls this one |
//! | `!ablehnen G-017 Grund` | `!decline G-017 reason` | declines, the reason is optional |
//! | `!pause Hinweis` | `!pause notice` | no new knocks, the notice is optional |
//! | `!fortsetzen` | `!resume` | ends the pause |
//! | `!ende`, `!ende G-017` | `!end`, `!end G-017` | ends the own or this conversation |
//! | `!termine`, `!termine morgen` | `!agenda`, `!agenda tomorrow` | the appointments of a day |
//! | `!anbieten K7QM 26.11. 10:30`, `!verlegen …` | `!offer K7QM 26.11. 10:30` | offers another time; without one, lists free ones |
//! | `!absagen K7QM Grund` | `!cancel K7QM reason` | cancels an appointment, the reason is optional |

use jiff::civil::{Date, Time};

use crate::ids::{Language, Ticket};

/// The longest reason or notice, in characters.
pub const TEXT_LIMIT: usize = 500;

/// A command with the language it was given in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// What the clerk wants.
    pub command: ClerkCommand,
    /// The language of the verb; `None` for a word that both languages have.
    pub language: Option<Language>,
}

/// What a clerk can type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClerkCommand {
    /// Asks what commands there are.
    Help,
    /// Takes a desk.
    OnDuty,
    /// Gives it up.
    OffDuty,
    /// Asks who waits.
    Queue,
    /// Calls the first.
    CallNext,
    /// Calls this one.
    Call {
        /// Whom.
        ticket: Ticket,
    },
    /// Declines a waiting visit.
    Decline {
        /// Whose.
        ticket: Ticket,
        /// The clerk's words for the citizen, cleaned; `None` means the usual ones.
        reason: Option<String>,
    },
    /// Takes no new knocks for now.
    Pause {
        /// The clerk's words for citizens, cleaned; `None` means the usual ones.
        notice: Option<String>,
    },
    /// Ends the pause.
    Resume,
    /// Ends a conversation or a call nobody answered.
    End {
        /// Whose; `None` means the clerk's own.
        ticket: Option<Ticket>,
    },
    /// Asks for the appointments of a day.
    Agenda {
        /// How many days from today.
        days: u8,
    },
    /// Offers an appointment another time.
    OfferTime {
        /// What it is called, in capitals.
        code: String,
        /// The time; `None` asks which ones can be had.
        time: Option<(Day, Time)>,
    },
    /// Cancels an appointment.
    CancelBooking {
        /// What it is called, in capitals.
        code: String,
        /// The clerk's words for the citizen, cleaned.
        reason: Option<String>,
    },
}

/// A day, as clerks write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// So many days from today.
    Ahead(u8),
    /// Of whichever year it comes next in: `26.11.`.
    Yearly {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// `26.11.2026` or `2026-11-26`.
    Date(Date),
}

impl Day {
    /// The day itself; `None` if no calendar has it.
    #[must_use]
    pub fn seen_from(self, today: Date) -> Option<Date> {
        match self {
            Self::Ahead(days) => today.checked_add(jiff::Span::new().days(days)).ok(),
            // Far enough for the 29th of February.
            Self::Yearly { month, day } => (today.year()..=today.year().saturating_add(8))
                .filter_map(|year| Date::new(year, month, day).ok())
                .find(|date| *date >= today),
            Self::Date(date) => Some(date),
        }
    }
}

/// The verb of a command: which right use to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `!hilfe`
    Help,
    /// `!dienst`
    Duty,
    /// `!schlange`
    Queue,
    /// `!weiter`
    Next,
    /// `!ruf`
    Call,
    /// `!ablehnen`
    Decline,
    /// `!pause`
    Pause,
    /// `!fortsetzen`
    Resume,
    /// `!ende`
    End,
    /// `!termine`
    Agenda,
    /// `!anbieten`
    OfferTime,
    /// `!absagen`
    CancelBooking,
}

/// A command that cannot be carried out as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// Cure: show the help.
    #[error("there is no such command")]
    Unknown,
    /// Cure: show how this verb is used.
    #[error("{verb:?} is not used like this")]
    Arguments {
        /// Which verb.
        verb: Verb,
        /// Its language; `None` for a word that both languages have.
        language: Option<Language>,
    },
    /// Cure: shorten the reason or notice. It is not cut, because half a sentence helps no citizen.
    #[error("the text has more than {TEXT_LIMIT} characters")]
    TooLong {
        /// Which verb.
        verb: Verb,
        /// Its language; `None` for a word that both languages have.
        language: Option<Language>,
    },
}

/// Reads a message's plain-text body. `None` if it is no command: clerks may talk to each other, and shout
/// `!!!` or `! Achtung` while they do.
#[must_use]
pub fn parse(body: &str) -> Option<Result<CommandLine, Misuse>> {
    let marked = body.trim_start().strip_prefix('!')?;
    let line = marked.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let word = word.to_lowercase();
    let Some((verb, language)) = verb(&word) else {
        return marked
            .starts_with(char::is_alphabetic)
            .then_some(Err(Misuse::Unknown));
    };
    let arguments = match word.as_str() {
        // Short for `!dienst an` and so on: the verb is its own argument.
        "an" | "aus" | "on" | "off" => line,
        _ => rest.trim(),
    };
    Some(match command(verb, arguments) {
        Ok(command) => Ok(CommandLine { command, language }),
        Err(Fault::Arguments) => Err(Misuse::Arguments { verb, language }),
        Err(Fault::TooLong) => Err(Misuse::TooLong { verb, language }),
    })
}

fn verb(word: &str) -> Option<(Verb, Option<Language>)> {
    const DE: Option<Language> = Some(Language::De);
    const EN: Option<Language> = Some(Language::En);
    Some(match word {
        "hilfe" => (Verb::Help, DE),
        "help" => (Verb::Help, EN),
        "dienst" | "an" | "aus" => (Verb::Duty, DE),
        "duty" | "on" | "off" => (Verb::Duty, EN),
        "schlange" | "warteschlange" => (Verb::Queue, DE),
        "queue" => (Verb::Queue, EN),
        "weiter" => (Verb::Next, DE),
        "next" => (Verb::Next, EN),
        "ruf" | "aufrufen" => (Verb::Call, DE),
        "call" => (Verb::Call, EN),
        "ablehnen" => (Verb::Decline, DE),
        "decline" => (Verb::Decline, EN),
        "pause" => (Verb::Pause, None),
        "fortsetzen" => (Verb::Resume, DE),
        "resume" => (Verb::Resume, EN),
        "ende" => (Verb::End, DE),
        "end" => (Verb::End, EN),
        "termine" => (Verb::Agenda, DE),
        "agenda" => (Verb::Agenda, EN),
        "anbieten" | "verlegen" => (Verb::OfferTime, DE),
        "offer" => (Verb::OfferTime, EN),
        "absagen" => (Verb::CancelBooking, DE),
        "cancel" => (Verb::CancelBooking, EN),
        _ => return None,
    })
}

/// What is wrong with a verb's arguments.
enum Fault {
    Arguments,
    TooLong,
}

fn command(verb: Verb, arguments: &str) -> Result<ClerkCommand, Fault> {
    // A verb that takes no argument refuses one: whoever types `!weiter G-017` means that one, not the first.
    let alone = |command| {
        if arguments.is_empty() {
            Ok(command)
        } else {
            Err(Fault::Arguments)
        }
    };
    match verb {
        Verb::Help => Ok(ClerkCommand::Help),
        Verb::Duty => match arguments.to_lowercase().as_str() {
            "an" | "on" => Ok(ClerkCommand::OnDuty),
            "aus" | "off" => Ok(ClerkCommand::OffDuty),
            _ => Err(Fault::Arguments),
        },
        Verb::Queue => alone(ClerkCommand::Queue),
        Verb::Next => alone(ClerkCommand::CallNext),
        Verb::Call => Ok(ClerkCommand::Call {
            ticket: only_ticket(arguments)?,
        }),
        Verb::Decline => {
            let (ticket, reason) = leading_ticket(arguments).ok_or(Fault::Arguments)?;
            Ok(ClerkCommand::Decline {
                ticket,
                reason: text(reason)?,
            })
        }
        Verb::Pause => Ok(ClerkCommand::Pause {
            notice: text(arguments)?,
        }),
        Verb::Resume => alone(ClerkCommand::Resume),
        Verb::End if arguments.is_empty() => Ok(ClerkCommand::End { ticket: None }),
        Verb::End => Ok(ClerkCommand::End {
            ticket: Some(only_ticket(arguments)?),
        }),
        Verb::Agenda => match arguments.to_lowercase().as_str() {
            "" | "heute" | "today" => Ok(ClerkCommand::Agenda { days: 0 }),
            "morgen" | "tomorrow" => Ok(ClerkCommand::Agenda { days: 1 }),
            _ => Err(Fault::Arguments),
        },
        Verb::OfferTime => {
            let (code, wish) = leading_code(arguments)?;
            let time = match wish {
                "" => None,
                wish => Some(day_and_time(wish).ok_or(Fault::Arguments)?),
            };
            Ok(ClerkCommand::OfferTime { code, time })
        }
        Verb::CancelBooking => {
            let (code, reason) = leading_code(arguments)?;
            Ok(ClerkCommand::CancelBooking {
                code,
                reason: text(reason)?,
            })
        }
    }
}

/// An appointment's code and what follows it.
fn leading_code(arguments: &str) -> Result<(String, &str), Fault> {
    let (code, rest) = arguments
        .split_once(char::is_whitespace)
        .unwrap_or((arguments, ""));
    let code = code.trim_end_matches([':', ',', ';', '.']).to_uppercase();
    if code.len() != 4 || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Fault::Arguments);
    }
    Ok((code, rest.trim()))
}

/// `26.11. 10:30`, `morgen 9:00 Uhr`, `2026-11-26 10:30`, with `um` or `at` in between if one likes.
fn day_and_time(wish: &str) -> Option<(Day, Time)> {
    let wish = wish.to_lowercase();
    let mut words = wish
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !matches!(*word, "" | "am" | "um" | "uhr" | "on" | "at"));
    let (day, time) = (words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let (hour, minute) = time.split_once([':', '.'])?;
    let time = Time::new(digits(hour)?, digits(minute)?, 0, 0).ok()?;
    let day = match day {
        "heute" | "today" => Day::Ahead(0),
        "morgen" | "tomorrow" => Day::Ahead(1),
        dotted if dotted.contains('.') => {
            let mut parts = dotted.split('.');
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next().unwrap_or(""));
            let (day, month) = (digits(day)?, digits(month)?);
            if parts.next().is_some() {
                return None;
            }
            match year {
                // A day that no year has is none.
                "" => Date::new(2024, month, day)
                    .ok()
                    .map(|_| Day::Yearly { month, day })?,
                year if year.len() == 4 => {
                    Day::Date(Date::new(year.parse().ok()?, month, day).ok()?)
                }
                _ => return None,
            }
        }
        iso => Day::Date(iso.parse().ok()?),
    };
    Some((day, time))
}

/// One or two digits.
fn digits(text: &str) -> Option<i8> {
    let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn only_ticket(arguments: &str) -> Result<Ticket, Fault> {
    arguments.parse().map_err(|_| Fault::Arguments)
}

/// A ticket, which may itself contain a space (`G 17`), and what follows it.
fn leading_ticket(arguments: &str) -> Option<(Ticket, &str)> {
    let digits = arguments.find(|c: char| c.is_ascii_digit())?;
    let length = arguments[digits..]
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(arguments.len() - digits);
    let (ticket, rest) = arguments.split_at(digits + length);
    if rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    let rest = rest.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, ':' | ',' | ';' | '.' | '-' | '\u{2013}')
    });
    Some((ticket.parse().ok()?, rest))
}

/// The clerk's words, fit to be shown: one line, no control characters, nothing that turns the direction of
/// writing. `None` if nothing is left.
fn text(words: &str) -> Result<Option<String>, Fault> {
    let shown: String = words
        .chars()
        .filter(|c| !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > TEXT_LIMIT {
        return Err(Fault::TooLong);
    }
    Ok(Some(words).filter(|words| !words.is_empty()))
}

#[cfg(test)]
mod tests {
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
}
