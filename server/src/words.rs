//! The bot's words: what clerks read in door and consultation rooms, from `clerk.ftl`.

use std::sync::Arc;

use bridge::{
    ids::{Language, Ticket},
    input::ClerkNotice,
    office::{Occupancy, QueueEntry, QueueKind, QueueState, Status},
    visit::Ending,
};
use jiff::{Timestamp, tz::TimeZone};
use texts::{Args, Catalogue, Value};

/// The catalogue, with the shapes the bot speaks in.
#[derive(Clone)]
pub(crate) struct Words(pub(crate) Arc<Catalogue>);

/// What a line about a knock tells. No name, no concern.
pub(crate) struct KnockLine<'a> {
    pub(crate) ticket: Ticket,
    pub(crate) service: Option<&'a str>,
    pub(crate) language: Language,
    pub(crate) interpreter: bool,
    pub(crate) position: u32,
    pub(crate) since: String,
    /// When the appointment begins, for somebody who has one.
    pub(crate) appointment: Option<String>,
}

/// What the first message in a consultation room tells.
pub(crate) struct Welcome<'a> {
    pub(crate) ticket: Ticket,
    pub(crate) name: Option<&'a str>,
    pub(crate) service: Option<&'a str>,
    pub(crate) interpreter: Option<&'a str>,
    pub(crate) concern: Option<&'a str>,
}

/// `10:42` in the office's zone.
pub(crate) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

impl Words {
    /// `Mittwoch, 25. November 2026, 9:30 Uhr`, by the clock of the zone. A time that comes twice, on the night the clocks
    /// go back, is told with its distance from UTC.
    pub(crate) fn when(&self, language: Language, at: Timestamp, zone: &TimeZone) -> String {
        let at = at.to_zoned(zone.clone());
        let twice = zone.to_ambiguous_timestamp(at.datetime()).is_ambiguous();
        self.say(
            language,
            if twice {
                "mail-when-twice"
            } else {
                "mail-when"
            },
            &[
                ("day", &self.day(language, at.date())),
                ("year", &at.strftime("%Y").to_string()),
                ("time", &at.strftime("%-H:%M").to_string()),
                ("offset", &at.strftime("%:z").to_string()),
            ],
        )
    }

    /// `Mittwoch, 25. November`.
    pub(crate) fn day(&self, language: Language, day: jiff::civil::Date) -> String {
        let weekday = day.weekday().to_monday_one_offset();
        self.say(
            language,
            "time-day",
            &[
                (
                    "weekday",
                    &self.say(language, &format!("weekday-{weekday}"), &[]),
                ),
                ("day", &day.day().to_string()),
                (
                    "month",
                    &self.say(language, &format!("month-{}", day.month()), &[]),
                ),
            ],
        )
    }

    /// The message `key` with its variables.
    pub(crate) fn say(
        &self,
        language: Language,
        key: &str,
        args: &[(&'static str, &dyn ToValue)],
    ) -> String {
        let mut values = Args::new();
        for (name, value) in args {
            values.set(*name, value.to_value());
        }
        self.0.text(language, key, Some(&values))
    }

    /// The line that rings.
    pub(crate) fn knock_line(&self, language: Language, line: &KnockLine<'_>) -> String {
        let key = match (&line.appointment, line.interpreter) {
            (None, false) => "knock-line",
            (None, true) => "knock-line-interpreter",
            (Some(_), false) => "knock-line-booked",
            (Some(_), true) => "knock-line-booked-interpreter",
        };
        let spoken = self.say(language, &format!("language-{}", line.language), &[]);
        self.say(
            language,
            key,
            &[
                ("ticket", &line.ticket),
                ("service", &self.service(language, line.service)),
                ("language", &spoken),
                ("position", &line.position),
                ("since", &line.since),
                ("at", &line.appointment.clone().unwrap_or_default()),
            ],
        )
    }

    /// The line after the call.
    pub(crate) fn called_line(
        &self,
        language: Language,
        ticket: Ticket,
        service: Option<&str>,
        clerk: &str,
        at: &str,
    ) -> String {
        let service = self.service(language, service);
        self.say(
            language,
            "knock-called",
            &[
                ("ticket", &ticket),
                ("service", &service),
                ("clerk", &clerk),
                ("at", &at),
            ],
        )
    }

    /// The line after the end.
    pub(crate) fn ended_line(
        &self,
        language: Language,
        ticket: Ticket,
        service: Option<&str>,
        ending: Ending,
        at: &str,
    ) -> String {
        let key = match ending {
            Ending::Served => "knock-served",
            Ending::Left => "knock-left",
            Ending::NoShow => "knock-no-show",
            Ending::Declined => "knock-declined",
        };
        let service = self.service(language, service);
        self.say(
            language,
            key,
            &[("ticket", &ticket), ("service", &service), ("at", &at)],
        )
    }

    /// The reason of the ghost's knock: ticket and service, for membership is state and stays.
    pub(crate) fn knock_reason(
        &self,
        language: Language,
        ticket: Ticket,
        service: Option<&str>,
    ) -> String {
        self.say(
            language,
            "knock-reason",
            &[
                ("ticket", &ticket),
                ("service", &self.service(language, service)),
            ],
        )
    }

    fn service(&self, language: Language, service: Option<&str>) -> String {
        service.map_or_else(
            || self.say(language, "knock-without-service", &[]),
            str::to_owned,
        )
    }

    /// The first message in a consultation room.
    pub(crate) fn welcome(&self, language: Language, welcome: &Welcome<'_>) -> String {
        let unnamed = self.say(language, "room-guest-unnamed", &[]);
        let mut lines = vec![self.say(
            language,
            "room-welcome",
            &[
                ("ticket", &welcome.ticket),
                ("name", &welcome.name.unwrap_or(&unnamed)),
            ],
        )];
        for (key, variable, value) in [
            ("room-service", "service", welcome.service),
            ("room-interpreter", "interpreter", welcome.interpreter),
            ("room-concern", "concern", welcome.concern),
        ] {
            if let Some(value) = value {
                lines.push(self.say(language, key, &[(variable, &value)]));
            }
        }
        lines.push(self.say(language, "room-how-to-end", &[]));
        lines.join("\n")
    }

    /// What is said when a consultation ends.
    pub(crate) fn goodbye(&self, language: Language, ending: Ending) -> String {
        let key = match ending {
            Ending::Served | Ending::Declined => "goodbye-served",
            Ending::Left => "goodbye-left",
            Ending::NoShow => "goodbye-no-show",
        };
        self.say(language, key, &[])
    }

    /// The door room's topic: the office's state in one sentence.
    pub(crate) fn door_topic(
        &self,
        language: Language,
        office: &str,
        occupancy: &Occupancy,
        url: &str,
    ) -> String {
        let key = match occupancy.status {
            Status::Free => "door-topic-free",
            Status::Busy => "door-topic-busy",
            Status::Paused => "door-topic-paused",
            Status::Closed => "door-topic-closed",
        };
        self.say(
            language,
            key,
            &[
                ("office", &office),
                ("waiting", &occupancy.waiting),
                ("url", &url),
            ],
        )
    }

    /// What a clerk is told; `clerk` and `by` are display names.
    pub(crate) fn notice(
        &self,
        language: Language,
        clerk: &str,
        notice: &ClerkNotice,
        by: &str,
    ) -> String {
        let (key, ticket) = match notice {
            ClerkNotice::OnDuty => ("answer-on-duty", None),
            ClerkNotice::AlreadyOnDuty => ("answer-already-on-duty", None),
            ClerkNotice::OffDuty => ("answer-off-duty", None),
            ClerkNotice::NotOnDuty => ("answer-not-on-duty", None),
            ClerkNotice::Called {
                ticket,
                absent: false,
            } => ("answer-called", Some(ticket)),
            ClerkNotice::Called {
                ticket,
                absent: true,
            } => ("answer-called-absent", Some(ticket)),
            ClerkNotice::QueueEmpty => ("answer-queue-empty", None),
            ClerkNotice::StillBusy { ticket } => ("answer-still-busy", Some(ticket)),
            ClerkNotice::AlreadyTaken { ticket, .. } => ("answer-already-taken", Some(ticket)),
            ClerkNotice::AlreadyEnded { ticket } => ("answer-already-ended", Some(ticket)),
            ClerkNotice::Declined { ticket } => ("answer-declined", Some(ticket)),
            ClerkNotice::Ended { ticket } => ("answer-ended", Some(ticket)),
            ClerkNotice::NoSuchVisit => ("answer-no-such-visit", None),
            ClerkNotice::NothingToEnd => ("answer-nothing-to-end", None),
            ClerkNotice::Paused => ("answer-paused", None),
            ClerkNotice::AlreadyPaused => ("answer-already-paused", None),
            ClerkNotice::Resumed => ("answer-resumed", None),
            ClerkNotice::NotPaused => ("answer-not-paused", None),
            ClerkNotice::NoShow { ticket } => ("answer-no-show", Some(ticket)),
            ClerkNotice::VisitorLeft { ticket } => ("answer-visitor-left", Some(ticket)),
        };
        let ticket = ticket.map(Ticket::to_string).unwrap_or_default();
        self.say(
            language,
            key,
            &[("clerk", &clerk), ("ticket", &ticket), ("by", &by)],
        )
    }

    /// The answer to `!schlange`.
    pub(crate) fn queue(
        &self,
        language: Language,
        entries: &[QueueEntry],
        desks: u32,
        zone: &TimeZone,
    ) -> String {
        let waiting = entries
            .iter()
            .filter(|entry| entry.state == QueueState::Waiting)
            .count();
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        let mut lines = vec![self.say(language, "queue-heading", &[("waiting", &waiting)])];
        let mut position = 0_u32;
        for entry in entries {
            let since = clock(entry.since, zone);
            lines.push(match entry.state {
                QueueState::Waiting => {
                    position += 1;
                    let spoken = self.say(language, &format!("language-{}", entry.language), &[]);
                    let key = match entry.kind {
                        QueueKind::WalkIn => "queue-waiting",
                        QueueKind::Appointment => "queue-waiting-booked",
                    };
                    self.say(
                        language,
                        key,
                        &[
                            ("position", &position),
                            ("ticket", &entry.ticket),
                            ("language", &spoken),
                            ("since", &since),
                        ],
                    )
                }
                QueueState::Called => self.say(
                    language,
                    "queue-called",
                    &[("ticket", &entry.ticket), ("since", &since)],
                ),
                QueueState::InConversation => self.say(
                    language,
                    "queue-talking",
                    &[("ticket", &entry.ticket), ("since", &since)],
                ),
            });
        }
        lines.push(self.say(language, "queue-desks", &[("desks", &desks)]));
        lines.join("\n")
    }

    /// The answer to `!hilfe`.
    pub(crate) fn help(&self, language: Language) -> String {
        [
            "heading",
            "duty",
            "queue",
            "next",
            "call",
            "decline",
            "pause",
            "end",
            "agenda",
            "offer-time",
            "cancel-booking",
            "element",
        ]
        .map(|part| self.say(language, &format!("help-{part}"), &[]))
        .join("\n")
    }
}

/// What can stand in a message.
pub(crate) trait ToValue {
    fn to_value(&self) -> Value<'static>;
}

impl ToValue for &str {
    fn to_value(&self) -> Value<'static> {
        Value::from((*self).to_owned())
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'static> {
        Value::from(self.clone())
    }
}

impl ToValue for u32 {
    fn to_value(&self) -> Value<'static> {
        Value::from(*self)
    }
}

impl ToValue for Ticket {
    fn to_value(&self) -> Value<'static> {
        Value::from(self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_comes_twice_is_told_apart() {
        let words = Words(Arc::new(Catalogue::load()));
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let when = |at: &str| words.when(Language::De, at.parse().unwrap(), &berlin);
        assert_eq!(
            when("2026-10-25T00:30:00Z"),
            "Sonntag, 25. Oktober 2026, 2:30 Uhr (UTC+02:00)"
        );
        assert_eq!(
            when("2026-10-25T01:30:00Z"),
            "Sonntag, 25. Oktober 2026, 2:30 Uhr (UTC+01:00)"
        );
        assert_eq!(
            when("2026-10-25T02:30:00Z"),
            "Sonntag, 25. Oktober 2026, 3:30 Uhr"
        );
    }
}
