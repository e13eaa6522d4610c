//! Mail that comes to the office: answers, bounces, and what pretends to be one.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use scheduler::{
    ics::{Answer, ReadError},
    mail::{Bounce, Mail, MailError, Received},
};

fn read(text: &str) -> Result<Mail, MailError> {
    Received::read(text.as_bytes(), &TimeZone::UTC).map(|received| received.mail)
}

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nMETHOD:REPLY\r\n\
    BEGIN:VEVENT\r\nUID:30313233@stadt.example\r\nDTSTAMP:20261124T080000Z\r\nSEQUENCE:3\r\n\
    ATTENDEE;CN=Ada;PARTSTAT=ACCEPTED:mailto:ada@post.example\r\nCOMMENT:Größe\r\n\
    END:VEVENT\r\nEND:VCALENDAR\r\n";

const HEAD: &str = "From: Ada <Ada@Post.example>\r\nTo: gewerbe@stadt.example\r\nSubject: Accepted\r\n\
    MIME-Version: 1.0\r\n";

fn answer(mail: &str) -> (Option<String>, Answer, u32, Option<String>) {
    match read(mail).unwrap() {
        Mail::Answer { from, response } => {
            assert_eq!(response.uid, "30313233@stadt.example");
            assert_eq!(response.attendee, "ada@post.example");
            (from, response.answer, response.sequence, response.comment)
        }
        Mail::Bounce(bounce) => unreachable!("{bounce:?}"),
    }
}

fn expected() -> (Option<String>, Answer, u32, Option<String>) {
    let from = Some("ada@post.example".to_owned());
    (from, Answer::Accepted, 3, Some("Größe".to_owned()))
}

/// RFC 4648, for bodies only.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * digit) & 63).unwrap();
            out.push(if digit <= chunk.len() {
                char::from(DIGITS[index])
            } else {
                '='
            });
        }
        if out.len() % 78 >= 72 {
            out.push_str("\r\n");
        }
    }
    out
}

#[test]
fn an_answer_is_found_as_alternative_as_attachment_and_alone() {
    let alone =
        format!("{HEAD}Content-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\n{CALENDAR}");
    assert_eq!(answer(&alone), expected());
    let alternative = format!(
        "{HEAD}Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
         Ada has accepted.\r\n--b\r\nContent-Type: text/calendar; charset=\"UTF-8\"; method=REPLY\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        base64(CALENDAR.as_bytes())
    );
    assert_eq!(answer(&alternative), expected());
    let attached = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
         --a\r\nContent-Type: text/html\r\n\r\n<p>Ada</p>\r\n--a--\r\n--m\r\nContent-Type: application/ics; name=invite.ics\r\n\
         Content-Disposition: attachment; filename=invite.ics\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--m--\r\n",
        base64(CALENDAR.as_bytes())
    );
    assert_eq!(answer(&attached), expected());
}

#[test]
fn other_encodings_are_understood() {
    let quoted = CALENDAR.replace('=', "=3D").replace("Größe", "Gr=F6=DFe");
    let latin = format!(
        "{HEAD}Content-Type: text/calendar; method=REPLY; charset=iso-8859-1\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n{quoted}"
    );
    assert_eq!(answer(&latin), expected());
}

#[test]
fn what_is_no_answer_is_left_to_people() {
    let plain =
        format!("{HEAD}Content-Type: text/plain\r\n\r\nGuten Tag,\r\nwo finde ich das Amt?\r\n");
    assert_eq!(read(&plain), Err(MailError::NoCalendar));
    let invitation = format!(
        "{HEAD}Content-Type: text/calendar; method=REQUEST\r\n\r\n{}",
        CALENDAR.replace("METHOD:REPLY", "METHOD:REQUEST")
    );
    assert_eq!(
        read(&invitation),
        Err(MailError::Calendar(ReadError::Other))
    );
    // Somebody passes an answer on: it is in a mail in the mail, and nobody answers with it.
    let forwarded = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n\
         {HEAD}Content-Type: text/calendar; method=REPLY\r\n\r\n{CALENDAR}\r\n--m--\r\n"
    );
    assert_eq!(read(&forwarded), Err(MailError::NoCalendar));
    assert_eq!(read(""), Err(MailError::NotMail));
}

#[test]
fn the_addresses_a_mail_was_sent_to_are_told() {
    let mail = format!(
        "Delivered-To: Termine+1A@Stadt.example\r\nX-Original-To: termine+2b@stadt.example\r\n{HEAD}Cc: \"x\" <c@stadt.example>, \
         termine+3c@stadt.example\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n{CALENDAR}"
    );
    let received = Received::read(mail.as_bytes(), &TimeZone::UTC).unwrap();
    assert_eq!(
        received.to,
        [
            "termine+1a@stadt.example",
            "termine+2b@stadt.example",
            "gewerbe@stadt.example",
            "c@stadt.example",
            "termine+3c@stadt.example",
        ]
    );
    let many = format!(
        "To: {}\r\nContent-Type: text/calendar\r\n\r\n{CALENDAR}",
        "a@stadt.example, ".repeat(1000)
    );
    let received = Received::read(many.as_bytes(), &TimeZone::UTC).unwrap();
    assert_eq!(received.to.len(), 16);
}

#[test]
fn a_machine_that_says_somebody_is_away_is_known() {
    let away = format!(
        "{HEAD}Auto-Submitted: auto-replied\r\nContent-Type: text/plain\r\n\r\nIch bin im Urlaub."
    );
    assert_eq!(read(&away), Err(MailError::Automatic));
    let answered = format!(
        "{HEAD}Auto-Submitted: auto-generated\r\nContent-Type: text/calendar\r\n\r\n{CALENDAR}"
    );
    assert_eq!(answer(&answered), expected());
    let person = format!("{HEAD}Auto-Submitted: no\r\nContent-Type: text/plain\r\n\r\nHallo");
    assert_eq!(read(&person), Err(MailError::NoCalendar));
}

#[test]
fn mail_without_an_end_is_refused() {
    let large = format!(
        "{HEAD}Content-Type: text/calendar\r\n\r\n{}",
        "X:y\r\n".repeat(100_000)
    );
    assert_eq!(read(&large), Err(MailError::TooMuch));
    // Each could make the parser look through all the rest for its end.
    let endless =
        "\r\n--m\r\nContent-Type: multipart/mixed; boundary=nowhere\r\n\r\n".repeat(20_000);
    let parts = "\r\n--m\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR".repeat(20_000);
    let multipart = (0..20_000).fold(String::new(), |mut mail, depth| {
        let _ = write!(
            mail,
            "Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n"
        );
        mail
    });
    for parts in [&endless, &parts, &multipart] {
        let many = format!("{HEAD}Content-Type: multipart/mixed; boundary=m\r\n{parts}");
        assert_eq!(read(&many), Err(MailError::TooMuch));
    }
    let some = parts.len() / 100;
    let some = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=m\r\n{}",
        &parts[..some]
    );
    assert_eq!(read(&some), Err(MailError::Calendar(ReadError::Structure)));
}

/// A mail in a mail in a mail, as deep as it may be long: each level would be a call of the parser, or of what clears
/// away after it.
#[test]
fn mails_in_mails_open_nothing() {
    // However it is written; a parser understands all of these.
    for opening in [
        "Content-Type: message/rfc822",
        "content-type:MESSAGE/RFC822; charset=utf-8",
        "Content-Type: message/global",
        "Content-Type:\r\n message/rfc822",
        "C o n t e n t - T y p e : message/rfc822",
        "Content-Type: (a) message/rfc822",
        "Content-Type: ( (y) message/rfc822",
        "Content-Type: message (a)/(b) rfc822 (c)",
        "Content-Type: \"message\"/\"rfc822\"",
        "Content-Type: multipart/digest; boundary=m\r\n\r\n--m\r\n",
        "Content-Type: multipart/mixed (x) digest; boundary=m\r\n\r\n--m\r\n",
        "Content-Type: multipart/mixed\r(x) digest; boundary=m\r\n\r\n--m\r\n",
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--mContent-Type: message/rfc822",
    ] {
        let levels = 900;
        let deep = format!(
            "{}Subject: x\r\n\r\nText",
            format!("{opening}\r\n\r\n").repeat(levels)
        );
        for encoding in ["", "base64", "Base64", "=?utf-8?q?base64?="] {
            let body = if encoding.is_empty() {
                deep.clone()
            } else {
                base64(deep.as_bytes())
            };
            let mail = format!(
                "{HEAD}Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}"
            );
            let answered = read(&mail);
            assert!(
                matches!(answered, Err(MailError::NoCalendar | MailError::TooMuch)),
                "{opening}: {answered:?}"
            );
        }
    }
    // As large as mails may be: the levels are seen only by who decodes.
    let bomb = "Content-Type: message/rfc822\r\n\r\n".repeat(35_000);
    for wrapped in [
        format!(
            "{HEAD}Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64(bomb.as_bytes())
        ),
        format!(
            "{HEAD}Content-Type: multipart/digest; boundary=m\r\n\r\n--m\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64(bomb.as_bytes())
        ),
    ] {
        assert!(wrapped.len() > 1_500_000 && wrapped.len() <= scheduler::mail::LARGEST_MAIL);
        assert_eq!(read(&wrapped), Err(MailError::NoCalendar));
    }
}

#[test]
fn words_in_a_text_do_no_harm() {
    let words = "Die Digest-Authentifizierung nach RFC822 und message/global.\r\nContent-Type: message/rfc822\r\n";
    let mail = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\n{}\r\n--m\r\n\
         Content-Type: text/calendar; method=REPLY\r\n\r\n{CALENDAR}\r\n--m--\r\n",
        words.repeat(200)
    );
    assert_eq!(answer(&mail), expected());
}

fn report(fields: &str, original: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\r\nTo: gewerbe@stadt.example\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\n\
         Content-Type: text/plain\r\n\r\nSorry.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.example\r\n\r\n{fields}\r\n--r\r\n{original}\r\n--r--\r\n"
    )
}

#[test]
fn a_bounce_names_the_mail_that_did_not_arrive() {
    let failed = "Final-Recipient: rfc822; Ada@Post.example\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    let bounce = Bounce {
        recipient: "ada@post.example".to_owned(),
        status: "5.1.1".to_owned(),
        message_id: Some("17.abc@stadt.example".to_owned()),
    };
    let whole = "Content-Type: message/rfc822\r\n\r\nFrom: gewerbe@stadt.example\r\nMessage-ID: <17.abc@stadt.example>\r\n\r\nText";
    assert_eq!(
        read(&report(failed, whole)),
        Ok(Mail::Bounce(bounce.clone()))
    );
    let headers = "Content-Type: text/rfc822-headers\r\n\r\nFrom: gewerbe@stadt.example\r\nMessage-ID: <17.abc@stadt.example>\r\n";
    assert_eq!(
        read(&report(failed, headers)),
        Ok(Mail::Bounce(bounce.clone()))
    );
    assert_eq!(
        read(&report(failed, "Content-Type: text/plain\r\n\r\nno copy")),
        Ok(Mail::Bounce(Bounce {
            message_id: None,
            ..bounce
        }))
    );
    let delayed = failed.replace("failed", "delayed");
    assert_eq!(read(&report(&delayed, whole)), Err(MailError::NoCalendar));
}
