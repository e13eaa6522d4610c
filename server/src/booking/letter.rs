//! Mails about a booking, written from what is true when they are sent.

use bridge::ids::{BookingId, Language};
use city::model::OfficeConfig;
use gateway::appointments::Token;
use jiff::{SignedDuration, Timestamp};
use lettre::{
    Address, Message,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
};
use scheduler::ics::{self, Alarm, Appointment, Attendee, Method, Participation, Person};
use serde::{Deserialize, Serialize};
use store::{Booking, BookingPrivate, BookingState, Job as Row, Reply};

use super::{News, Post, post::AutoSubmitted};
use crate::{
    house::{ChangeError, House},
    outbox::transaction_id,
    shell,
    words::Words,
};

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Letter {
    /// Asks to follow the link before the booking counts.
    Confirm,
    /// The invitation.
    Booked,
    /// The invitation with another time.
    Moved,
    /// The citizen has cancelled.
    Cancelled,
    /// The office has cancelled.
    CancelledByOffice,
    /// The appointment comes near.
    Reminder,
    /// Nobody came.
    NoShow,
    /// For the companion who was named.
    Companion,
    /// An earlier time has become free.
    Earlier,
}

impl Letter {
    /// Its name in the message files.
    const fn key(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::CancelledByOffice => "cancelled-by-office",
            Self::Reminder => "reminder",
            Self::NoShow => "no-show",
            Self::Companion => "companion",
            Self::Earlier => "earlier",
        }
    }

    /// Whether the booking is still in the state that the mail is about.
    fn is_true_of(self, booking: &Booking, now: Timestamp) -> bool {
        match self {
            Self::Confirm => booking.state == BookingState::Unconfirmed && booking.is_live(now),
            Self::Booked | Self::Moved | Self::Reminder | Self::Companion => {
                booking.state == BookingState::Confirmed
            }
            Self::Earlier => booking.state == BookingState::Confirmed && booking.wants_earlier,
            Self::Cancelled | Self::CancelledByOffice => booking.state == BookingState::Cancelled,
            Self::NoShow => booking.state == BookingState::NoShow,
        }
    }

    /// What the calendar object that comes along is for, if one does (RFC 6047).
    const fn method(self) -> Option<Method> {
        match self {
            Self::Booked | Self::Moved => Some(Method::Request),
            Self::Cancelled | Self::CancelledByOffice => Some(Method::Cancel),
            Self::Companion => Some(Method::Publish),
            Self::Confirm | Self::Reminder | Self::NoShow | Self::Earlier => None,
        }
    }
}

/// A mail that can be sent, or why not.
pub(crate) enum Planned {
    /// Send this.
    Mail(Box<Message>),
    /// It has become needless.
    Nothing,
    /// It cannot be written: an address or text that fits no mail. A word for the log.
    Unfit(&'static str),
}

/// Writes the mail of a row.
pub(crate) async fn plan(
    house: &House,
    post: &Post,
    row: &Row,
    id: &BookingId,
    letter: Letter,
) -> Result<Planned, ChangeError> {
    let mut read = house.store.read().await?;
    let Some(booking) = read.booking(id).await? else {
        return Ok(Planned::Nothing);
    };
    let Some(private) = read.booking_private(id).await? else {
        return Ok(Planned::Nothing);
    };
    drop(read);
    let city = house.city.get();
    let Some(office) = city.office(&booking.office) else {
        return Ok(Planned::Nothing);
    };
    if !letter.is_true_of(&booking, shell::now()) {
        return Ok(Planned::Nothing);
    }
    let Some(bookings) = &house.bookings else {
        return Ok(Planned::Nothing);
    };
    let token = match letter {
        Letter::Companion => bookings.key.companion(id),
        _ => bookings.key.manage(id),
    };
    let sheet = Sheet {
        words: &house.words,
        office,
        booking: &booking,
        private: &private,
        link: link(&house.settings.public_url, booking.language, &token),
        rebook: rebook(&house.settings.public_url, office, booking.language),
    };
    let number = transaction_id(house, &row.id.to_string());
    Ok(sheet.mail(letter, post, &number))
}

/// The booking's calendar file, for a download.
pub(crate) fn calendar(
    words: &Words,
    public_url: &str,
    office: &OfficeConfig,
    booking: &Booking,
    private: &BookingPrivate,
    token: &Token,
) -> Result<String, ics::WriteError> {
    let sheet = Sheet {
        words,
        office,
        booking,
        private,
        link: link(public_url, booking.language, token),
        rebook: rebook(public_url, office, booking.language),
    };
    sheet.calendar(Method::Publish)
}

/// The page that a secret opens. The secret stands behind `#`: browsers tell it to no server.
pub(crate) fn link(public_url: &str, language: Language, token: &Token) -> String {
    let path = match language {
        Language::De => "/termin",
        Language::En => "/en/termin",
    };
    format!("{public_url}{path}#{}", token.secret())
}

fn rebook(public_url: &str, office: &OfficeConfig, language: Language) -> String {
    let prefix = match language {
        Language::De => "",
        Language::En => "/en",
    };
    format!("{public_url}{prefix}/buero/{}/termin", office.slug)
}

/// What has to follow from a mail that no server takes: the clerks learn of it.
pub(crate) const fn undeliverable(letter: Letter) -> Option<News> {
    match letter {
        Letter::Confirm | Letter::Companion => None,
        Letter::Booked
        | Letter::Moved
        | Letter::Cancelled
        | Letter::CancelledByOffice
        | Letter::Reminder
        | Letter::NoShow
        | Letter::Earlier => Some(News::Undeliverable),
    }
}

/// All that mails and calendar files are made of.
struct Sheet<'a> {
    words: &'a Words,
    office: &'a OfficeConfig,
    booking: &'a Booking,
    private: &'a BookingPrivate,
    link: String,
    rebook: String,
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
                ("name", &self.private.name),
            ],
        )
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
        let greeting = match letter {
            Letter::Companion => self.say("mail-greeting-companion"),
            _ => self.say("mail-greeting"),
        };
        let mut facts = vec![
            (self.say("mail-fact-when"), self.when()),
            (
                self.say("mail-fact-office"),
                self.office.name.get(language).to_owned(),
            ),
            (self.say("mail-fact-service"), self.service_names()),
            (self.say("mail-fact-code"), self.booking.code.clone()),
        ];
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
            Letter::Cancelled | Letter::CancelledByOffice | Letter::NoShow => self.rebook.clone(),
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

    fn calendar(&self, method: Method) -> Result<String, ics::WriteError> {
        let participation = match self.booking.reply {
            None => Participation::NeedsAction,
            Some(Reply::Accepted) => Participation::Accepted,
            Some(Reply::Declined) => Participation::Declined,
            Some(Reply::Tentative) => Participation::Tentative,
        };
        let organizer = self
            .office
            .booking
            .as_ref()
            .map_or("", |terms| terms.mail.as_str());
        // A companion is told of no one.
        let attendees = if method == Method::Publish {
            Vec::new()
        } else {
            vec![Attendee {
                person: Person::new(&self.private.name, &self.private.mail),
                participation,
                rsvp: method == Method::Request,
            }]
        };
        let appointment = Appointment {
            uid: self.booking.uid.clone(),
            sequence: self.booking.sequence,
            stamp: self.booking.changed_at,
            start: self.booking.start,
            end: self.booking.end,
            cancelled: self.booking.state == BookingState::Cancelled,
            organizer: Person::new(self.office.name.get(self.booking.language), organizer),
            attendees,
            summary: format!(
                "{}: {}",
                self.office.name.get(self.booking.language),
                self.service_names()
            ),
            description: self.say("mail-calendar-description"),
            location: self.say("mail-calendar-location"),
            link: self.link.clone(),
            link_label: self.say("mail-calendar-link"),
            alarms: vec![Alarm {
                before: SignedDuration::from_mins(15),
                text: self.say("mail-calendar-alarm"),
            }],
        };
        ics::message(&appointment, method, &self.office.hours.zone)
    }

    fn mail(&self, letter: Letter, post: &Post, number: &str) -> Planned {
        let to = match letter {
            Letter::Companion => self.private.companion_mail.as_deref().unwrap_or_default(),
            _ => self.private.mail.as_str(),
        };
        let Ok(to) = to.parse::<Address>() else {
            return Planned::Unfit("address");
        };
        let to_name = (letter != Letter::Companion).then(|| self.private.name.clone());
        let body = self.body(letter);
        let office = self.office.name.get(self.booking.language).to_owned();
        let mut builder = Message::builder()
            .from(Mailbox::new(Some(office.clone()), post.from.clone()))
            .to(Mailbox::new(to_name, to))
            .subject(body.subject.clone())
            .message_id(Some(format!("<{number}@{}>", post.domain)))
            .header(AutoSubmitted);
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
                let calendar = match self.calendar(method) {
                    Ok(calendar) => calendar,
                    Err(fault) => {
                        tracing::error!("a calendar object could not be written: {fault}");
                        return Planned::Unfit("calendar");
                    }
                };
                let Ok(kind) = ContentType::parse(&format!(
                    "text/calendar; charset=utf-8; method={}",
                    method.name()
                )) else {
                    return Planned::Unfit("calendar");
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
        match message {
            Ok(message) => Planned::Mail(Box::new(message)),
            Err(_) => Planned::Unfit("message"),
        }
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
                    "<tr><th align=\"left\" valign=\"top\" style=\"padding:2px 16px 2px 0\">{}</th><td>{}</td></tr>\n",
                    escape(name),
                    escape(value)
                )
            })
            .collect();
        let facts = rows.concat();
        format!(
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
             <body style=\"font-family:sans-serif;font-size:16px;line-height:1.5;max-width:40em\">\n\
             {}{}<table role=\"presentation\">\n{facts}</table>\n<p><a href=\"{}\">{}</a></p>\n{}{}</body></html>\n",
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
