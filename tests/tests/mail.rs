//! Mail that comes back: a calendar that is not ours answers the invitation that our program sent by a mail server that
//! is not ours.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use blackbox::{Guest, World, WorldOptions, eventually, program};
use http::Method;
use serde_json::{Value, json};
use xtask::calendars::Readers;

/// `sysexits.h`.
const EX_DATAERR: i32 = 65;
const EX_NOUSER: i32 = 67;
const EX_TEMPFAIL: i32 = 75;
const EX_NOPERM: i32 = 77;

/// Runs a command with something on its standard input.
fn pipe(command: &mut Command, input: &[u8]) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    // One that refuses early does not read to the end.
    let _ = stdin.write_all(input);
    drop(stdin);
    Ok(child.wait_with_output()?)
}

/// What a citizen's calendar sends back.
fn answer(readers: &Readers, invitation: &[u8], what: &str) -> Result<Vec<u8>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/answer_invitation.py");
    let output = pipe(readers.command().arg(script).arg(what), invitation)?;
    ensure!(
        output.status.success(),
        "no answer: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// A mail server hands a mail to the program; the exit code, and what it says.
async fn deliver(world: &World, mail: &[u8]) -> Result<(i32, String)> {
    let mut command = Command::new(program().await?);
    command
        .arg("mail-in")
        .arg("--config")
        .arg(world.dir().join("vorzimmer.toml"))
        .env_remove("ORIGINAL_RECIPIENT");
    let output = pipe(&mut command, mail)?;
    let code = output.status.code().context("killed")?;
    Ok((code, String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// A mail whose subject begins like this, as it came, once it has come.
async fn raw_mail(world: &World, to: &str, subject: &str) -> Result<Vec<u8>> {
    let mailbox = world.mailbox.as_ref().context("a world without mail")?;
    eventually(&format!("a mail {subject:?} to {to}"), || async {
        let mails = mailbox.mails()?;
        Ok(mails.into_iter().find(|bytes| {
            let read = mail_parser::MessageParser::default().parse(bytes);
            read.is_some_and(|mail| {
                mail.subject().is_some_and(|text| text.starts_with(subject))
                    && mail.to().is_some_and(|address| address.contains(to))
            })
        }))
    })
    .await
}

/// A confirmed booking, a week ahead: its secret, and the invitation.
async fn booked(world: &World, mail: &str) -> Result<(String, Vec<u8>)> {
    let guest = world.stranger()?;
    let slots = guest
        .call(Method::GET, "offices/gewerbe/slots?services=anmelden", None)
        .await?
        .success("asking for times")?;
    let start = slots["slots"]
        .as_array()
        .and_then(|slots| slots.last())
        .context("nothing is free")?["start"]
        .clone();
    let hold = json!({ "services": ["anmelden"], "start": start });
    let hold = guest
        .call(Method::POST, "offices/gewerbe/holds", Some(&hold))
        .await?
        .success("holding a time")?;
    let contact = json!({
        "name": "Zoë Große-Müller", "mail": mail, "language": "de", "privacy_accepted": true,
    });
    let request = guest
        .request(Method::POST, "/api/v1/bookings")
        .bearer_auth(hold["token"].as_str().context("no token")?)
        .json(&contact);
    guest.send(request).await?.success("booking")?;
    let confirm = raw_mail(world, mail, "Bitte bestätigen").await?;
    let text = String::from_utf8_lossy(&confirm);
    let read = mail_parser::MessageParser::default()
        .parse(text.as_bytes())
        .context("no mail")?;
    let body = read.body_text(0).context("no text")?.into_owned();
    let (_, secret) = body.split_once("/termin#").context("no link")?;
    let secret = secret
        .split_whitespace()
        .next()
        .context("no secret")?
        .to_owned();
    let confirmed = state(&guest, &secret, Method::POST, "/booking/confirm").await?;
    ensure!(confirmed["state"] == "confirmed", "{confirmed}");
    Ok((secret, raw_mail(world, mail, "Ihr Termin am").await?))
}

async fn state(guest: &Guest, secret: &str, method: Method, path: &str) -> Result<Value> {
    let request = guest
        .request(method, &format!("/api/v1{path}"))
        .bearer_auth(secret);
    guest.send(request).await?.success(path)
}

#[tokio::test]
async fn a_calendars_answer_reaches_its_booking_and_no_other() -> Result<()> {
    let readers = Readers::ensure()?;
    let mut world = World::start_with(WorldOptions {
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let mut desk = world.desk("anna", "gewerbe").await?;
    let (secret, invitation) = booked(&world, "zoe@post.example").await?;
    let (_, others) = booked(&world, "max@post.example").await?;

    let yes = answer(&readers, &invitation, "ACCEPTED")?;
    assert_eq!(deliver(&world, &yes).await?, (0, String::new()));
    let replies = "reply FROM bookings WHERE reply IS NOT NULL";
    assert_eq!(world.database().texts(replies).await?, ["accepted"]);

    let counter = answer(&readers, &invitation, "COUNTER")?;
    assert_eq!(deliver(&world, &counter).await?.0, 0);
    let declined = raw_mail(&world, "zoe@post.example", "Zu Ihrem Vorschlag").await?;
    let declined = String::from_utf8_lossy(&declined).into_owned();
    ensure!(declined.contains("method=DECLINECOUNTER"), "{declined}");

    // Zoë's calendar has seen Max's UID and writes to Max's address, or to no booking's.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let address = |invitation: &[u8]| -> Result<String> {
        let mail = text(&answer(&readers, invitation, "DECLINED")?);
        let line = mail.lines().find_map(|line| line.strip_prefix("To: "));
        Ok(line.context("no recipient")?.to_owned())
    };
    let (own, foreign) = (address(&invitation)?, address(&others)?);
    assert_ne!(own, foreign);
    let no = text(&answer(&readers, &invitation, "DECLINED")?);
    for (mail, code) in [
        (no.replace(&own, &foreign), EX_NOPERM),
        (no.replace(&own, "antwort@dormagen.example"), EX_NOUSER),
        (
            no.replace("zoe@post.example", "max@post.example"),
            EX_NOPERM,
        ),
        (text(&invitation), EX_DATAERR),
        (
            "Subject: Hallo\r\n\r\nWo ist das Amt?".to_owned(),
            EX_DATAERR,
        ),
        ("x".repeat(3_000_000), EX_DATAERR),
    ] {
        let (given, said) = deliver(&world, mail.as_bytes()).await?;
        assert_eq!(given, code, "{said}");
        ensure!(said.lines().count() == 1, "one line for the sender: {said}");
        ensure!(!said.contains("post.example"), "it names nobody: {said}");
    }
    assert_eq!(world.database().texts(replies).await?, ["accepted"]);

    assert_eq!(deliver(&world, no.as_bytes()).await?.0, 0);
    desk.until_notice("abgelehnt").await?;
    let guest = world.guest()?;
    let booking = state(&guest, &secret, Method::GET, "/booking").await?;
    ensure!(
        booking["state"] == "confirmed",
        "the clerk decides: {booking}"
    );

    clerks_subscribe(&readers, &world).await?;

    // A mail of ours did not arrive after all.
    let bounce = format!(
        "From: MAILER-DAEMON@mx.example\r\nTo: {own}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; zoe@post.example\r\nAction: failed\r\nStatus: 5.2.2\r\n\r\n--r--\r\n"
    );
    assert_eq!(deliver(&world, bounce.as_bytes()).await?.0, 0);
    desk.until_notice("konnte nicht zugestellt werden").await?;

    nobody_stands_in_the_log(&world, &[&secret])?;

    // While the installation is unwell, the mail server keeps the mail.
    world.vorzimmer.stop().await?;
    let file = world.dir().join("vorzimmer.toml");
    let config = std::fs::read_to_string(&file)?;
    std::fs::write(&file, config.replace("[mail]", "[post]"))?;
    assert_eq!(deliver(&world, no.as_bytes()).await?.0, EX_TEMPFAIL);
    Ok(())
}

/// Who has booked, been answered and could not be reached is nobody's business who reads logs; nor is what opens a
/// booking.
fn nobody_stands_in_the_log(world: &World, secrets: &[&str]) -> Result<()> {
    let log = std::fs::read_to_string(world.dir().join("vorzimmer.log"))?;
    ensure!(!log.is_empty(), "there is no log");
    let personal = ["Zoë", "Große-Müller", "zoe@", "max@", "post.example"];
    for word in personal.iter().chain(secrets) {
        ensure!(!log.contains(word), "{word} stands in the log");
    }
    Ok(())
}

/// The office's appointments, as a calendar program of the clerks gets them and a library that is not ours reads them.
async fn clerks_subscribe(readers: &Readers, world: &World) -> Result<()> {
    let output = Command::new(program().await?)
        .args(["feed", "gewerbe", "--config"])
        .arg(world.dir().join("vorzimmer.toml"))
        .output()?;
    let address = String::from_utf8(output.stdout)?.trim().to_owned();
    let http = xtask::http::http_client()?;
    let feed = http.get(&address).send().await?.error_for_status()?;
    ensure!(
        feed.headers()["cache-control"] == "private, no-cache",
        "{:?}",
        feed.headers()
    );
    let tag = feed.headers()["etag"].clone();
    let text = feed.bytes().await?;
    let script = "import sys, icalendar\n\
                  calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read())\n\
                  events = calendar.walk('VEVENT')\n\
                  assert not any(event.errors or 'ATTENDEE' in event for event in events)\n\
                  print(len(events), calendar['X-WR-CALNAME'])";
    let read = pipe(readers.command().args(["-c", script]), &text)?;
    let said = String::from_utf8(read.stdout)?;
    assert_eq!(said.trim(), "2 Termine: Gewerbemeldestelle");
    let again = http.get(&address).header("if-none-match", tag).send();
    assert_eq!(again.await?.status(), 304);
    let log = std::fs::read_to_string(world.dir().join("vorzimmer.log"))?;
    let (_, secret) = address.rsplit_once('/').context("no secret")?;
    ensure!(!log.contains(secret), "the address stands in the log");
    let wrong = http.get(address.replace(secret, "x.ics")).send().await?;
    assert_eq!(wrong.status(), 404);
    Ok(())
}
