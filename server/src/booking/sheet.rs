//! How mails and calendar files about a booking look.

use bridge::ids::Language;
use city::model::OfficeConfig;
use jiff::{SignedDuration, Timestamp};
use lettre::{
    Address, Message,
    address::Envelope,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
};
use scheduler::ics::{self, Alarm, Appointment, Attendee, Method, Participation, Person};
use store::{Booking, BookingOffer, BookingPrivate, BookingState, Reply};

use super::{Letter, Post, post::AutoSubmitted};
use crate::words::Words;

/// Why a mail cannot be written: an address or text that fits no mail. A word for the log.
pub(super) struct Unfit(pub(super) &'static str);

/// All that mails and calendar files are made of.
pub(super) struct Sheet<'a> {
    pub(super) words: &'a Words,
    pub(super) office: &'a OfficeConfig,
    pub(super) booking: &'a Booking,
    pub(super) private: &'a BookingPrivate,
    /// When the decision was stored that this is written about, or the booking's last change, whichever is later: the same
    /// however often it is written (RFC 5545 §3.8.7.2).
    pub(super) stamp: Timestamp,
    /// Another time that is held for it.
    pub(super) offer: Option<&'a BookingOffer>,
    /// The page of the booking, with the reader's own secret.
    pub(super) link: String,
    /// The same page, with a secret that may stand in a calendar.
    pub(super) calendar_link: String,
    /// The page on which to book anew.
    pub(super) rebook: String,
    /// The address that calendars answer to.
    pub(super) organizer: String,
    /// Where answers and bounces come, if they are read.
    pub(super) answers: Option<Address>,
}

impl Sheet<'_> {
    fn say(&self, key: &str) -> String {
        let office = self.office.name.get(self.booking.language);
        self.words.say(
            self.booking.language,
            key,
            &[
                ("office", &office),
                ("code", &self.booking.code),
                ("when", &self.when()),
                ("offered", &self.moment(self.offer.map(|offer| offer.start))),
                ("until", &self.moment(self.offer.map(|offer| offer.until))),
                ("name", &self.private.name),
            ],
        )
    }

    /// A moment by the office's clock; nothing of none.
    fn moment(&self, at: Option<Timestamp>) -> String {
        at.map_or_else(String::new, |at| {
            let zone = &self.office.hours.zone;
            self.words.when(self.booking.language, at, zone)
        })
    }

    fn when(&self) -> String {
        self.words.when(
            self.booking.language,
            self.booking.start,
            &self.office.hours.zone,
        )
    }

    fn services(&self) -> Vec<&city::model::Service> {
        self.booking
            .services
            .iter()
            .filter_map(|id| self.office.service(id))
            .collect()
    }

    fn service_names(&self) -> String {
        let names: Vec<&str> = self
            .services()
            .into_iter()
            .map(|service| service.name.get(self.booking.language))
            .collect();
        names.join(", ")
    }

    /// The mail, in paragraphs: greeting, what it is about, the facts, the link, what else there is to know.
    fn body(&self, letter: Letter) -> Body {
        let language = self.booking.language;
        let key = |part: &str| format!("mail-{}-{part}", letter.key());
        let greeting = if letter.names_the_booker() {
            self.say("mail-greeting")
        } else {
            self.say("mail-greeting-nameless")
        };
        // Beside a time that is offered, the booking's own is the one so far.
        let offers = matches!(letter, Letter::Earlier | Letter::Offer);
        let when = if offers {
            "mail-fact-so-far"
        } else {
            "mail-fact-when"
        };
        let mut facts = vec![
            (self.say(when), self.when()),
            (
                self.say("mail-fact-office"),
                self.office.name.get(language).to_owned(),
            ),
            (self.say("mail-fact-service"), self.service_names()),
            (self.say("mail-fact-code"), self.booking.code.clone()),
        ];
        if offers {
            facts.insert(0, (self.say("mail-fact-offered"), self.say("mail-offered")));
        }
        if matches!(letter, Letter::Booked | Letter::Moved | Letter::Reminder) {
            let documents: Vec<&str> = self
                .services()
                .into_iter()
                .flat_map(|service| &service.documents)
                .map(|document| document.get(language))
                .collect();
            if !documents.is_empty() {
                facts.push((self.say("mail-fact-documents"), documents.join("; ")));
            }
        }
        if letter == Letter::CancelledByOffice
            && let Some(reason) = &self.private.reason
        {
            facts.push((self.say("mail-fact-reason"), reason.clone()));
        }
        let link = match letter {
            Letter::Cancelled
            | Letter::CancelledByOffice
            | Letter::NoShow
            | Letter::Lost
            | Letter::Outage => self.rebook.clone(),
            _ => self.link.clone(),
        };
        Body {
            language,
            subject: self.say(&key("subject")),
            greeting,
            lead: self.say(&key("lead")),
            facts,
            action: self.say(&key("action")),
            link,
            note: self.say(&key("note")),
            farewell: self.say("mail-farewell"),
        }
    }

    /// The booking as a calendar object; `invited` says whether it names its booker as the one who is.
    pub(super) fn calendar(
        &self,
        method: Method,
        invited: bool,
    ) -> Result<String, ics::WriteError> {
        let participation = match self.booking.reply {
            None => Participation::NeedsAction,
            Some(Reply::Accepted) => Participation::Accepted,
            Some(Reply::Declined) => Participation::Declined,
            Some(Reply::Tentative) => Participation::Tentative,
        };
        let booker = Attendee {
            person: Person::new(&self.private.name, &self.private.mail),
            participation,
            rsvp: method == Method::Request,
        };
        let appointment = Appointment {
            uid: self.booking.uid.clone(),
            sequence: self.booking.sequence,
            stamp: self.stamp,
            start: self.booking.start,
            end: self.booking.end,
            cancelled: self.booking.state == BookingState::Cancelled,
            organizer: Person::new(self.office.name.get(self.booking.language), &self.organizer),
            attendees: invited.then_some(booker).into_iter().collect(),
            summary: format!(
                "{}: {}",
                self.office.name.get(self.booking.language),
                self.service_names()
            ),
            description: self.say("mail-calendar-description"),
            location: self.say("mail-calendar-location"),
            link: self.calendar_link.clone(),
            link_label: self.say("mail-calendar-link"),
            alarms: vec![Alarm {
                before: SignedDuration::from_mins(15),
                text: self.say("mail-calendar-alarm"),
            }],
        };
        ics::message(&appointment, method, &self.office.hours.zone)
    }

    /// The whole mail; `number` is its name at this installation.
    pub(super) fn mail(&self, letter: Letter, post: &Post, number: &str) -> Result<Message, Unfit> {
        let to = if letter.is_for_companion() {
            self.private.companion_mail.as_deref().unwrap_or_default()
        } else {
            self.private.mail.as_str()
        };
        let Ok(to) = to.parse::<Address>() else {
            return Err(Unfit("address"));
        };
        let envelope = self
            .answers
            .clone()
            .and_then(|sender| Envelope::new(Some(sender), vec![to.clone()]).ok());
        let to_name = letter.names_the_booker().then(|| self.private.name.clone());
        let body = self.body(letter);
        let office = self.office.name.get(self.booking.language).to_owned();
        let mut builder = Message::builder()
            .from(Mailbox::new(Some(office.clone()), post.from.clone()))
            .to(Mailbox::new(to_name, to))
            .subject(body.subject.clone())
            .message_id(Some(format!("<{number}@{}>", post.domain)))
            .header(AutoSubmitted);
        // Reports of mail servers come to the sender of the envelope (RFC 5321 §4.4).
        if let Some(envelope) = envelope {
            builder = builder.envelope(envelope);
        }
        if let Some(Ok(address)) = self
            .office
            .booking
            .as_ref()
            .map(|terms| terms.mail.parse::<Address>())
        {
            builder = builder.reply_to(Mailbox::new(Some(office), address));
        }
        let mut shapes = MultiPart::alternative()
            .singlepart(SinglePart::plain(body.text()))
            .singlepart(SinglePart::html(body.html()));
        let message = match letter.method() {
            None => builder.multipart(shapes),
            Some(method) => {
                // A companion is told of no one.
                let calendar = match self.calendar(method, !letter.is_for_companion()) {
                    Ok(calendar) => calendar,
                    Err(fault) => {
                        tracing::error!("a calendar object could not be written: {fault}");
                        return Err(Unfit("calendar"));
                    }
                };
                let Ok(kind) = ContentType::parse(&format!(
                    "text/calendar; charset=utf-8; method={}",
                    method.name()
                )) else {
                    return Err(Unfit("calendar"));
                };
                shapes = shapes.singlepart(
                    SinglePart::builder()
                        .header(kind.clone())
                        .body(calendar.clone()),
                );
                let file = Attachment::new("termin.ics".to_owned()).body(calendar, kind);
                builder.multipart(MultiPart::mixed().multipart(shapes).singlepart(file))
            }
        };
        message.map_err(|_| Unfit("message"))
    }
}

/// A mail's words.
struct Body {
    language: Language,
    subject: String,
    greeting: String,
    lead: String,
    facts: Vec<(String, String)>,
    action: String,
    link: String,
    note: String,
    farewell: String,
}

impl Body {
    fn text(&self) -> String {
        let facts: Vec<String> = self
            .facts
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        format!(
            "{}\n\n{}\n\n{}\n\n{}:\n{}\n\n{}\n\n{}\n",
            self.greeting,
            self.lead,
            facts.join("\n"),
            self.action,
            self.link,
            self.note,
            self.farewell
        )
    }

    fn html(&self) -> String {
        let paragraph = |text: &str| format!("<p>{}</p>\n", escape(text));
        let rows: Vec<String> = self
            .facts
            .iter()
            .map(|(name, value)| {
                format!(
                    "<dt style=\"font-weight:bold\">{}</dt>\n<dd style=\"margin:0 0 8px\">{}</dd>\n",
                    escape(name),
                    escape(value)
                )
            })
            .collect();
        let facts = rows.concat();
        format!(
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title></head>\n\
             <body style=\"font-family:sans-serif;font-size:16px;line-height:1.5;max-width:40em;overflow-wrap:break-word\">\n\
             {}{}<dl>\n{facts}</dl>\n<p><a href=\"{}\">{}</a></p>\n{}{}</body></html>\n",
            self.language,
            escape(&self.subject),
            paragraph(&self.greeting),
            paragraph(&self.lead),
            escape(&self.link),
            escape(&self.action),
            paragraph(&self.note),
            paragraph(&self.farewell),
        )
    }
}

/// Text for HTML's body and quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\n', "<br>")
}
