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
mod tests;
