//! Reads mail that comes to the office's address for invitations: answers (iMIP, RFC 6047) and bounces
//! (RFC 3464). Everything else is for people.
//!
//! A mail is hostile. Neither `From` nor a UID proves who sent it: what does is the secret in the address that it
//! was sent to, which stands in one invitation alone.

mod flat;

use jiff::tz::TimeZone;
use mail_parser::{Address, HeaderName, Message, MessageParser, MessagePart, MimeHeaders};

use crate::ics::{LARGEST_RESPONSE, ReadError, Response};

/// The largest mail that is read, in bytes.
pub const LARGEST_MAIL: usize = 2 * 1024 * 1024;

/// The most calendars of one mail that are tried. Two are usual: as an alternative and as an attachment.
const MOST_CALENDARS: usize = 4;

/// The most addresses that are told of those a mail was sent to.
const MOST_ADDRESSES: usize = 16;

/// Headers in which the address that a mail was sent to can stand. The last two are written by mail servers.
const TO: [HeaderName<'static>; 4] = [
    HeaderName::To,
    HeaderName::Cc,
    HeaderName::DeliveredTo,
    HeaderName::Other(std::borrow::Cow::Borrowed("X-Original-To")),
];

/// A mail as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The addresses it was sent to, as its headers say, in small letters.
    pub to: Vec<String>,
    /// What it is.
    pub mail: Mail,
}

/// What a mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mail {
    /// An answer to an invitation.
    Answer {
        /// The address in `From`, in small letters. It can be anybody's.
        from: Option<String>,
        /// What the attendee's calendar says.
        response: Response,
    },
    /// A mail of ours did not arrive.
    Bounce(Bounce),
}

/// Tells that a mail was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// To whom, in small letters.
    pub recipient: String,
    /// The status code of RFC 3463, like `5.1.1`.
    pub status: String,
    /// The `Message-ID` of the mail that was not delivered, without angle brackets, if the report has it.
    pub message_id: Option<String>,
}

/// Why a mail is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Larger, or of more parts, than allowed.
    #[error("the mail is too large")]
    TooMuch,
    /// No mail at all.
    #[error("this is not a mail")]
    NotMail,
    /// It carries no calendar: somebody wrote to the office.
    #[error("the mail holds no answer from a calendar")]
    NoCalendar,
    /// The same, but a machine wrote it (RFC 3834): somebody is away.
    #[error("the mail was written by a machine and holds no answer from a calendar")]
    Automatic,
    /// Its calendar is no answer.
    #[error("the mail's calendar {0}")]
    Calendar(#[from] ReadError),
}

impl Received {
    /// Reads a mail as it came (RFC 5322). `zone` holds for times in its calendar that name none.
    pub fn read(bytes: &[u8], zone: &TimeZone) -> Result<Self, MailError> {
        if bytes.len() > LARGEST_MAIL {
            return Err(MailError::TooMuch);
        }
        let flat = flat::flat(bytes)?;
        let message = MessageParser::new()
            .with_mime_headers()
            .with_address_headers()
            .with_message_ids()
            .header_address("Delivered-To")
            .header_address("X-Original-To")
            .header_raw("Auto-Submitted")
            .parse(&flat)
            .ok_or(MailError::NotMail)?;
        Ok(Self {
            to: recipients(&message),
            mail: Mail::of(&message, zone)?,
        })
    }
}

impl Mail {
    fn of(message: &Message<'_>, zone: &TimeZone) -> Result<Self, MailError> {
        if let Some(bounce) = bounce(&message.parts) {
            return Ok(Self::Bounce(bounce));
        }
        let mut first_error = None;
        for part in message
            .parts
            .iter()
            .filter(|part| is_calendar(part))
            .take(MOST_CALENDARS)
        {
            if part.contents().len() > LARGEST_RESPONSE {
                return Err(MailError::TooMuch);
            }
            match Response::read(part.contents(), zone) {
                Ok(response) => {
                    return Ok(Self::Answer {
                        from: message.from().and_then(first_address),
                        response,
                    });
                }
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        Err(match first_error {
            Some(error) => MailError::Calendar(error),
            None if is_automatic(message) => MailError::Automatic,
            None => MailError::NoCalendar,
        })
    }
}

fn recipients(message: &Message<'_>) -> Vec<String> {
    message
        .headers()
        .iter()
        .filter(|header| TO.contains(&header.name))
        .filter_map(|header| header.value.as_address())
        .flat_map(Address::iter)
        .filter_map(|one| one.address())
        .filter(|address| is_address(address))
        .map(str::to_lowercase)
        .take(MOST_ADDRESSES)
        .collect()
}

/// Whether a machine wrote it of its own accord (RFC 3834 §5).
fn is_automatic(message: &Message<'_>) -> bool {
    message
        .header("Auto-Submitted")
        .and_then(|value| value.as_text())
        .is_some_and(|text| !text.trim().to_ascii_lowercase().starts_with("no"))
}

fn is_calendar(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        let of = |main: &str, sub: &str| {
            kind.ctype().eq_ignore_ascii_case(main)
                && kind
                    .subtype()
                    .is_some_and(|subtype| subtype.eq_ignore_ascii_case(sub))
        };
        of("text", "calendar") || of("application", "ics")
    })
}

fn first_address(address: &Address<'_>) -> Option<String> {
    let mail = address.first()?.address()?;
    is_address(mail).then(|| mail.to_lowercase())
}

fn is_address(text: &str) -> bool {
    text.len() <= 254
        && text.contains('@')
        && !text.contains(|char: char| char.is_whitespace() || char.is_control())
}

/// Reads a delivery status notification: the first recipient to whom delivery failed for good.
fn bounce(parts: &[MessagePart<'_>]) -> Option<Bounce> {
    let of = |main: &str, sub: &str| {
        parts.iter().find(|part| {
            part.content_type().is_some_and(|kind| {
                kind.ctype().eq_ignore_ascii_case(main)
                    && kind
                        .subtype()
                        .is_some_and(|subtype| subtype.eq_ignore_ascii_case(sub))
            })
        })
    };
    let report = String::from_utf8_lossy(of("message", "delivery-status")?.contents()).into_owned();
    // One block of fields for the mail, then one for each recipient.
    let report = report.replace("\r\n", "\n");
    let failed = report.split("\n\n").find_map(|block| {
        let failed = field(block, "Action")?.eq_ignore_ascii_case("failed");
        let recipient =
            field(block, "Final-Recipient").or_else(|| field(block, "Original-Recipient"))?;
        let address = recipient.split_once(';')?.1.trim();
        let status = field(block, "Status")?.split_whitespace().next()?;
        let sound = failed
            && is_address(address)
            && status.len() <= 11
            && status.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        sound.then(|| (address.to_lowercase(), status.to_owned()))
    });
    let (recipient, status) = failed?;
    let (main, sub) = flat::WAS_MAIL;
    let original = of(main, sub)
        .or_else(|| of("text", "rfc822-headers"))
        .and_then(message_id);
    Some(Bounce {
        recipient,
        status,
        message_id: original,
    })
}

fn message_id(part: &MessagePart<'_>) -> Option<String> {
    let text = String::from_utf8_lossy(part.contents());
    let id = field(&text, "Message-ID")?;
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    (id.len() <= 255 && !id.contains(|char: char| char.is_whitespace() || char.is_control()))
        .then(|| id.to_owned())
}

/// The value of a field `Name: value` in a block of them.
fn field<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    block.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
