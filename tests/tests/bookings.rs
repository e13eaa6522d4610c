//! Bookings as browsers send them: many who want one place, and whoever wants what cannot be had.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use blackbox::{Answer, Guest, Postgres, World, WorldOptions, city_open_all_day, eventually};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

/// As many send requests at the same moment,
const CRIERS: usize = 50;
/// and each of them so many, one after the other.
const EACH: usize = 20;

/// One desk, a start every hour, today and tomorrow.
const ONE_DESK: &str = "mail = \"gewerbe@dormagen.example\"\ndesks = 1\nnotice_minutes = 0\n\
    grid_minutes = 60\nhorizon_days = 2\nhold_minutes = 60\nconfirm_mail = false\n";

/// Everybody here has one address.
const GENEROUS: &str = "holds_per_address = { per_minute = 60000, burst = 10000 }\n\
    bookings_per_address = { per_minute = 60000, burst = 10000 }\nplaces_per_address = 10000";

#[tokio::test]
async fn of_a_thousand_one_gets_the_place() -> Result<()> {
    one_gets_the_place(None).await
}

#[tokio::test]
async fn of_a_thousand_one_gets_the_place_on_postgres() -> Result<()> {
    let Some(postgres) = Postgres::start().await? else {
        return Ok(());
    };
    one_gets_the_place(Some(postgres.url())).await
}

async fn one_gets_the_place(database_url: Option<String>) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let world = World::start_with(WorldOptions {
        city: city_open_all_day(dir.path(), ONE_DESK)?,
        database_url,
        mail: true,
        limits: toml::from_str(GENEROUS)?,
        ..WorldOptions::default()
    })
    .await?;
    let first = world.guest()?;
    let wanted = times(&first).await?.pop().context("nothing is free")?;
    let mut crowd = JoinSet::new();
    for _ in 0..CRIERS {
        let (guest, wanted) = (first.neighbour(), wanted.clone());
        crowd.spawn(async move {
            let mut answers = Vec::with_capacity(EACH);
            for _ in 0..EACH {
                answers.push(hold(&guest, &wanted).await?);
            }
            anyhow::Ok(answers)
        });
    }
    let (mut won, mut refused) = (Vec::new(), 0);
    while let Some(answers) = crowd.join_next().await {
        for answer in answers?? {
            if answer.status == StatusCode::CREATED {
                won.push(answer.body);
                continue;
            }
            ensure!(answer.problem() == Some("time-taken"), "{answer:?}");
            let nearest = answer.body["alternatives"].as_array();
            let nearest = nearest.context("no alternatives")?;
            ensure!(!nearest.is_empty(), "{answer:?}");
            ensure!(
                nearest.iter().all(|slot| slot["start"] != wanted.as_str()),
                "what is taken is offered: {answer:?}"
            );
            refused += 1;
        }
    }
    ensure!(
        won.len() == 1 && refused == CRIERS * EACH - 1,
        "{} have the place, {refused} were refused",
        won.len()
    );
    let database = world.database();
    ensure!(database.count("bookings").await? == 1);
    // Twenty minutes are four cells.
    ensure!(database.count("booking_places").await? == 4);
    let booked = book(&first, token(&won[0])?, &contact()).await?;
    ensure!(booked.status == StatusCode::CREATED, "{booked:?}");
    Ok(())
}

/// Whoever asks for what cannot be had learns why, and nothing is half booked.
#[tokio::test]
async fn what_cannot_be_booked_is_refused_with_the_reason() -> Result<()> {
    let world = World::start_with(WorldOptions {
        mail: true,
        limits: toml::from_str(GENEROUS)?,
        ..WorldOptions::default()
    })
    .await?;
    let guest = world.guest()?;
    let times = times(&guest).await?;
    let (first, last) = (
        times.first().context("nothing is free")?,
        times.last().context("nothing is free")?,
    );
    refused_times(&guest, last).await?;
    let database = world.database();
    ensure!(database.count("bookings").await? == 0, "nothing is held");
    ensure!(database.count("booking_places").await? == 0);

    let held = hold(&guest, last).await?.success("holding")?;
    refused_contacts(&guest, token(&held)?).await?;
    let (bookings, persons) = ("bookings WHERE state <> 'held'", "booking_private");
    ensure!(database.count(bookings).await? == 0, "nothing is booked");
    ensure!(database.count(persons).await? == 0, "nobody is stored");
    let booked = book(&guest, token(&held)?, &contact()).await?;
    ensure!(booked.status == StatusCode::CREATED, "{booked:?}");
    // Whoever heard no answer asks again.
    let twice = book(&guest, token(&held)?, &contact()).await?;
    ensure!(twice.status == StatusCode::CREATED, "{twice:?}");
    for key in ["code", "state", "start"] {
        let (first, second) = (&booked.body["booking"][key], &twice.body["booking"][key]);
        ensure!(first == second, "{twice:?} after {booked:?}");
    }
    ensure!(database.count(bookings).await? == 1, "it is the same one");

    let mail = world.mail("Bitte bestätigen").await?;
    let link = mail.link().context("the mail has no link")?;
    let (_, manage) = link.split_once('#').context("a link without a secret")?;
    refused_strangers(&guest, manage, token(&held)?, first).await?;
    let hashes = database.texts("token_hash FROM bookings").await?;
    ensure!(
        hashes.len() == 1 && !hashes[0].contains(manage),
        "the secret itself is stored"
    );
    Ok(())
}

/// One address takes no day away from everybody, and finds no secret by trying.
#[tokio::test]
async fn one_address_has_its_limits_and_others_have_theirs() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let limits = "holds_per_address = { per_minute = 1, burst = 3 }\n\
                  bookings_per_address = { per_minute = 1, burst = 3 }";
    let world = World::start_with(WorldOptions {
        city: city_open_all_day(dir.path(), ONE_DESK)?,
        mail: true,
        limits: toml::from_str(limits)?,
        ..WorldOptions::default()
    })
    .await?;
    let (greedy, other) = (world.stranger()?, world.stranger()?);
    let times = times(&other).await?;
    let mut held = 0;
    let refused = loop {
        let answer = hold(&greedy, times.get(held).context("no limit")?).await?;
        if answer.status != StatusCode::CREATED {
            break answer;
        }
        held += 1;
    };
    ensure!(held >= 3, "only {held}");
    too_often(&refused)?;
    hold(&other, &times[held]).await?.success("holding")?;

    let guess = async |guest: &Guest| {
        let request = guest.request(Method::GET, "/api/v1/booking");
        guest.send(request.bearer_auth("A".repeat(43))).await
    };
    let mut guessed = 0;
    let refused = loop {
        let answer = guess(&greedy).await?;
        if answer.problem() != Some("unknown-booking") {
            break answer;
        }
        guessed += 1;
        ensure!(guessed < 50, "no limit");
    };
    too_often(&refused)?;
    is_refused("guessing", &guess(&other).await?, "unknown-booking")
}

/// However slowly it goes about it, one address keeps only so many times that nobody has confirmed.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "free times are those of the program's own clock"
)]
async fn one_address_keeps_a_town_from_nobody() -> Result<()> {
    let limits = "places_per_address = 3\n\
                  holds_per_address = { per_minute = 60000, burst = 10000 }";
    let world = World::start_with(WorldOptions {
        mail: true,
        limits: toml::from_str(limits)?,
        ..WorldOptions::default()
    })
    .await?;
    let (greedy, other) = (world.stranger()?, world.stranger()?);
    // From tomorrow on, so that none becomes too near meanwhile; an hour apart, so that none is in another's way
    // however few desks there are.
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let mut times = times(&other).await?;
    times.retain(|start| start.parse().is_ok_and(|start: Timestamp| start > tomorrow));
    let times: Vec<String> = times.into_iter().step_by(4).collect();
    let mut held = Vec::new();
    for start in &times[..3] {
        held.push(hold(&greedy, start).await?.success("holding")?);
    }
    let refused = hold(&greedy, &times[3]).await?;
    is_refused("a fourth", &refused, "too-many-places")?;
    let after = refused.header("retry-after").context("no Retry-After")?;
    ensure!((1..=600).contains(&after.parse::<u64>()?), "{after}");
    hold(&other, &times[4]).await?.success("holding")?;

    // Booked and not confirmed is as much; confirmed, from anywhere, is somebody's.
    let booked = book(&greedy, token(&held[0])?, &contact()).await?;
    ensure!(booked.status == StatusCode::CREATED, "{booked:?}");
    let refused = hold(&greedy, &times[3]).await?;
    is_refused("beside a booking", &refused, "too-many-places")?;
    let mail = world.mail("Bitte bestätigen").await?;
    let link = mail.link().context("the mail has no link")?;
    let (_, manage) = link.split_once('#').context("a link without a secret")?;
    let confirm = other.request(Method::POST, "/api/v1/booking/confirm");
    let confirmed = other.send(confirm.bearer_auth(manage)).await?;
    confirmed.success("confirming")?;
    hold(&greedy, &times[3]).await?.success("holding")?;

    // What is given back is free for another.
    let let_go = greedy.request(Method::DELETE, "/api/v1/offices/gewerbe/holds");
    let let_go = greedy.send(let_go.bearer_auth(token(&held[1])?)).await?;
    ensure!(let_go.status == StatusCode::NO_CONTENT, "{let_go:?}");
    hold(&greedy, &times[5]).await?.success("holding")?;
    is_refused(
        "too many",
        &hold(&greedy, &times[6]).await?,
        "too-many-places",
    )
}

fn too_often(answer: &Answer) -> Result<()> {
    is_refused("too often", answer, "too-many-requests")?;
    let after = answer.header("retry-after").context("no Retry-After")?;
    ensure!(after.parse::<u64>()? > 0, "{after}");
    Ok(())
}

/// A mail server that says "later" is asked again; when it says "never", the clerks know that the citizen does not.
#[tokio::test]
async fn clerks_learn_that_no_server_takes_a_mail() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut world = World::start_with(WorldOptions {
        city: city_open_all_day(dir.path(), ONE_DESK)?,
        mail: true,
        ..WorldOptions::default()
    })
    .await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    let mailbox = world.mailbox.take().context("no mail server")?;
    let url = mailbox.url();
    drop(mailbox);
    let address = url.strip_prefix("smtp://").context("an odd address")?;
    let listener = TcpListener::bind(address).await?;
    let refusing = tokio::spawn(async move {
        let answers = ["451 4.7.1 later", "550 5.1.1 nobody of that name"];
        for answer in answers.into_iter().chain(std::iter::repeat(answers[1])) {
            let (stream, _) = listener.accept().await?;
            refuse(stream, answer).await?;
        }
        anyhow::Ok(())
    });
    let guest = world.guest()?;
    let start = times(&guest).await?.pop().context("nothing is free")?;
    let held = hold(&guest, &start).await?.success("holding")?;
    let booked = book(&guest, token(&held)?, &contact()).await?;
    let booked = booked.success("booking")?;
    let code = booked["booking"]["code"].as_str().context("no code")?;
    let told = anna.until_notice("konnte nicht zugestellt werden").await?;
    ensure!(told.contains(code) && !told.contains("erika"), "{told}");
    ensure!(
        told.contains("Eine Telefonnummer ist nicht angegeben"),
        "{told}"
    );

    // Whoever has left a number can be called; it stands in a message of its own, to be redacted.
    let start = times(&guest).await?.pop().context("nothing is free")?;
    let held = hold(&guest, &start).await?.success("holding")?;
    let mut contact = contact();
    contact["phone"] = json!("0211 1234567");
    let booked = book(&guest, token(&held)?, &contact).await?;
    let booked = booked.success("booking")?;
    let code = booked["booking"]["code"].as_str().context("no code")?;
    let told = anna.until_notice("konnte nicht zugestellt werden").await?;
    ensure!(
        told.contains(code) && told.contains("rufen Sie die Person an") && !told.contains("0211"),
        "{told}"
    );
    let number = anna.until_notice("☎️").await?;
    ensure!(
        number.contains(code) && number.contains("0211 1234567"),
        "{number}"
    );
    eventually("the message to be noted", || async {
        let notes = world.database().count("booking_notes").await?;
        Ok((notes == 1).then_some(()))
    })
    .await?;
    let log = std::fs::read_to_string(world.dir().join("vorzimmer.log"))?;
    ensure!(!log.contains("1234567"), "the number stands in the log");
    ensure!(!refusing.is_finished(), "{:?}", refusing.await);
    refusing.abort();
    Ok(())
}

/// One conversation with a mail server that does not want its recipient.
async fn refuse(stream: TcpStream, answer: &str) -> Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mx.example\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let said = match line.get(..4).map(str::to_uppercase).as_deref() {
            Some("RCPT") => answer,
            Some("QUIT") => "221 2.0.0 bye",
            _ => "250 2.0.0 well",
        };
        write.write_all(format!("{said}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn refused_times(guest: &Guest, last: &str) -> Result<()> {
    let wish = |start: &str| json!({ "services": ["anmelden"], "start": start });
    let of = |services: &[&str]| json!({ "services": services, "start": last });
    let shifted = |start: &str, by: SignedDuration| -> Result<String> {
        Ok((start.parse::<Timestamp>()? + by).to_string())
    };
    let hours = SignedDuration::from_hours;
    let five = ["anmelden", "ummelden", "abmelden", "auskunft", "anmelden"];
    for (what, office, body, problem) in [
        (
            "past",
            "gewerbe",
            wish("2020-01-07T09:00:00Z"),
            "no-such-time",
        ),
        (
            "at night",
            "gewerbe",
            wish(&shifted(last, hours(-12))?),
            "no-such-time",
        ),
        (
            "between times",
            "gewerbe",
            wish(&shifted(last, SignedDuration::from_mins(1))?),
            "no-such-time",
        ),
        (
            "far",
            "gewerbe",
            wish(&shifted(last, hours(24 * 365))?),
            "no-such-time",
        ),
        (
            "end of time",
            "gewerbe",
            wish("9999-12-30T22:00:00Z"),
            "no-such-time",
        ),
        (
            "no time",
            "gewerbe",
            wish("morgen um neun"),
            "invalid-fields",
        ),
        (
            "unknown service",
            "gewerbe",
            of(&["zaubern"]),
            "invalid-fields",
        ),
        (
            "in person",
            "gewerbe",
            of(&["reisegewerbekarte"]),
            "invalid-fields",
        ),
        ("no service", "gewerbe", of(&[]), "invalid-fields"),
        ("five services", "gewerbe", of(&five), "invalid-fields"),
        (
            "odd service",
            "gewerbe",
            of(&["../../etc"]),
            "invalid-fields",
        ),
        ("no such office", "nirgends", wish(last), "unknown-office"),
        ("no appointments", "wahlamt", wish(last), "no-appointments"),
        (
            "wrong types",
            "gewerbe",
            json!({ "services": 5, "start": [] }),
            "invalid-fields",
        ),
        (
            "too large",
            "gewerbe",
            json!({ "services": ["x".repeat(70_000)], "start": last }),
            "too-large",
        ),
    ] {
        let path = format!("offices/{office}/holds");
        let answer = guest.call(Method::POST, &path, Some(&body)).await?;
        is_refused(what, &answer, problem)?;
    }
    let request = guest
        .request(Method::POST, "/api/v1/offices/gewerbe/holds")
        .header("origin", "https://evil.example")
        .json(&wish(last));
    is_refused("foreign", &guest.send(request).await?, "foreign-origin")
}

async fn refused_contacts(guest: &Guest, held: &str) -> Result<()> {
    for (field, value) in [
        ("name", json!(" \u{200b}\n")),
        ("name", json!("x".repeat(81))),
        ("mail", json!("")),
        ("mail", json!("erika")),
        ("mail", json!("erika@example.org\r\nBcc: all@example.org")),
        ("mail", json!("erika@example.org, max@example.org")),
        ("mail", json!(format!("{}@example.org", "x".repeat(250)))),
        ("phone", json!("0".repeat(41))),
        ("language", json!("xx")),
        ("interpreter", json!("x".repeat(61))),
        ("accessibility", json!("x".repeat(501))),
        ("companion_mail", json!("max@")),
        ("privacy_accepted", json!(false)),
    ] {
        let mut contact = contact();
        contact[field] = value;
        let answer = book(guest, held, &contact).await?;
        is_refused(field, &answer, "invalid-fields")?;
        ensure!(answer.body["errors"][0]["field"] == field, "{answer:?}");
    }
    for secret in ["", "x", &"A".repeat(43), &"A".repeat(5000)] {
        let answer = book(guest, secret, &contact()).await?;
        ensure!(
            matches!(answer.problem(), Some("unknown-booking" | "booking-lapsed")),
            "{answer:?}"
        );
    }
    Ok(())
}

/// Neither a guess, nor the secret of the hold that it was, nor a companion's link leads on.
async fn refused_strangers(guest: &Guest, manage: &str, held: &str, other: &str) -> Result<()> {
    let call = async |secret: &str, method: Method, what: &str, body: Value| {
        let request = guest.request(method, &format!("/api/v1/booking{what}"));
        let request = request.bearer_auth(secret);
        guest
            .send(if body.is_null() {
                request
            } else {
                request.json(&body)
            })
            .await
    };
    let confirmed = call(manage, Method::POST, "/confirm", Value::Null).await?;
    let before = confirmed.success("confirming")?;
    let role = json!({ "role": "companion" });
    let beside = call(manage, Method::POST, "/links", role)
        .await?
        .success("a link")?;
    let other = json!({ "start": other });
    let (guess, companion) = ("A".repeat(43), token(&beside)?.to_owned());
    for (secret, problem) in [
        (guess.as_str(), "unknown-booking"),
        (held, "unknown-booking"),
        (companion.as_str(), "not-the-booker"),
    ] {
        for (what, body) in [
            ("/cancel", Value::Null),
            ("/move", other.clone()),
            ("/confirm", Value::Null),
            ("/check-in", Value::Null),
            ("/links", json!({ "role": "companion" })),
        ] {
            let answer = call(secret, Method::POST, what, body).await?;
            is_refused(what, &answer, problem)?;
        }
    }
    let seen = call(&companion, Method::GET, "", Value::Null).await?;
    let seen = seen.success("looking")?;
    ensure!(
        seen["holder"] == "companion" && seen["name"].is_null(),
        "{seen}"
    );
    for start in ["2020-01-07T09:00:00Z", "9999-12-30T22:00:00Z"] {
        let body = json!({ "start": start });
        let answer = call(manage, Method::POST, "/move", body).await?;
        is_refused("moving", &answer, "no-such-time")?;
    }
    let after = call(manage, Method::GET, "", Value::Null).await?;
    ensure!(after.success("looking")? == before, "it is as it was");
    Ok(())
}

fn is_refused(what: &str, answer: &Answer, problem: &str) -> Result<()> {
    ensure!(answer.problem() == Some(problem), "{what}: {answer:?}");
    ensure!(answer.status.is_client_error(), "{what}: {answer:?}");
    ensure!(
        answer.body["title"].is_string() && answer.body["detail"].is_string(),
        "{what}: {answer:?}"
    );
    Ok(())
}

fn contact() -> Value {
    json!({
        "name": "Erika Musterfrau", "mail": "erika@example.org", "language": "de", "privacy_accepted": true,
    })
}

/// When an appointment could begin, in order.
async fn times(guest: &Guest) -> Result<Vec<String>> {
    let path = "offices/gewerbe/slots?services=anmelden";
    let told = guest.call(Method::GET, path, None).await?;
    let told = told.success("asking for times")?;
    let slots = told["slots"].as_array().context("no slots")?;
    slots
        .iter()
        .map(|slot| Ok(slot["start"].as_str().context("no start")?.to_owned()))
        .collect()
}

/// Wants a time, until that is decided: whoever is told to come again in a while does.
async fn hold(guest: &Guest, start: &str) -> Result<Answer> {
    let wish = json!({ "services": ["anmelden"], "start": start });
    loop {
        let path = "offices/gewerbe/holds";
        let answer = guest.call(Method::POST, path, Some(&wish)).await?;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return Ok(answer);
        }
        let Some(pause) = answer.header("retry-after") else {
            bail!("no Retry-After: {answer:?}");
        };
        sleep(Duration::from_secs(pause.parse()?)).await;
    }
}

async fn book(guest: &Guest, secret: &str, contact: &Value) -> Result<Answer> {
    let request = guest
        .request(Method::POST, "/api/v1/bookings")
        .bearer_auth(secret)
        .json(contact);
    guest.send(request).await
}

fn token(body: &Value) -> Result<&str> {
    body["token"].as_str().context("no token")
}
