//! Crowds, and people who mean no good: at the lobby, and in Matrix.

#![expect(
    clippy::too_many_lines,
    reason = "a scenario is read from top to bottom"
)]

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result, ensure};
use blackbox::{Client, Guest, World, WorldOptions, edit_city, eventually};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

type TestResult = Result<()>;

fn form(concern: &str) -> Value {
    json!({ "concern": concern, "language": "de", "privacy_accepted": true })
}

fn id(visit: &Value) -> Result<&str> {
    visit["id"].as_str().context("a visit's id")
}

/// The memory of the running program, in kB (proc(5), `VmRSS`).
fn memory(world: &mut World) -> Result<u64> {
    let process = world.vorzimmer.process().context("it runs")?.id();
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("VmRSS")?.parse()?)
}

/// A thousand people knock at once, more than the limits and the queue take: everybody gets a clear answer, and those
/// who were accepted stand in one order without gaps.
#[tokio::test]
async fn a_thousand_knock_at_once() -> TestResult {
    const QUEUE: u32 = 400;
    const BURST: u32 = 600;
    let dir = tempfile::tempdir()?;
    let limits = format!(
        "knocks_per_address = {{ per_minute = 60, burst = {BURST} }}\n\
         knocks_city = {{ per_minute = 60000, burst = 10000 }}"
    );
    let mut world = World::start_with(WorldOptions {
        city: edit_city(
            dir.path(),
            "queue_limit = 40",
            &format!("queue_limit = {QUEUE}"),
        )?,
        limits: toml::from_str(&limits)?,
        ..WorldOptions::default()
    })
    .await?;
    let before = memory(&mut world)?;
    let first = world.guest()?;
    let mut crowd = JoinSet::new();
    for _ in 0..20 {
        let crier = first.neighbour();
        crowd.spawn(async move {
            let mut answers = Vec::new();
            for _ in 0..50 {
                let guest = crier.neighbour();
                let answer = guest.knock_with("gewerbe", &form("Kirmesstand")).await?;
                answers.push((guest, answer));
            }
            anyhow::Ok(answers)
        });
    }
    let mut accepted = Vec::new();
    let (mut limited, mut full) = (0, 0);
    while let Some(answers) = crowd.join_next().await {
        for (guest, answer) in answers?? {
            match answer.status {
                StatusCode::CREATED => accepted.push((guest, answer.body)),
                StatusCode::TOO_MANY_REQUESTS => {
                    let after = answer.header("retry-after").context("Retry-After")?;
                    ensure!(after.parse::<u64>()? > 0, "{after}");
                    ensure!(answer.problem() == Some("too-many-requests"), "{answer:?}");
                    limited += 1;
                }
                StatusCode::CONFLICT => {
                    ensure!(answer.problem() == Some("queue-full"), "{answer:?}");
                    full += 1;
                }
                _ => anyhow::bail!("no such answer: {answer:?}"),
            }
        }
    }
    ensure!(accepted.len() + limited + full == 1000);
    ensure!(accepted.len() == QUEUE as usize, "{}", accepted.len());
    // While the thousand knock, the limit lets one more in each second.
    ensure!(
        full >= (BURST - QUEUE) as usize && limited > 0,
        "{full} {limited}"
    );

    let tickets: BTreeSet<String> = accepted
        .iter()
        .filter_map(|(_, visit)| Some(visit["ticket"].as_str()?.to_owned()))
        .collect();
    let all: BTreeSet<String> = (1..=QUEUE).map(|number| format!("G-{number:03}")).collect();
    ensure!(tickets == all, "tickets without gaps");
    let database = world.database();
    let live = database.count("visits WHERE ended_at IS NULL").await?;
    ensure!(live == i64::from(QUEUE), "{live} live visits");
    eventually("the lobby to count them", || async {
        Ok((first.office("gewerbe").await?["waiting"] == QUEUE).then_some(()))
    })
    .await?;
    for (guest, visit) in accepted.iter().step_by(40) {
        let place = guest.visit(id(visit)?).await?["position"].as_u64();
        let place = place.unwrap_or_default();
        let ticket = visit["ticket"].as_str().unwrap_or_default();
        ensure!(
            format!("G-{place:0>3}") == ticket,
            "{ticket} has place {place}"
        );
    }
    // Matrix follows as fast as the homeserver can: the first ones are at the door.
    eventually("the first fifteen at the door", || async {
        let lines = database.count("visit_matrix WHERE line_event IS NOT NULL");
        Ok((lines.await? >= 15).then_some(()))
    })
    .await?;

    let after = memory(&mut world)?;
    ensure!(
        after < before + 100_000,
        "{before} kB before, {after} kB after"
    );
    // Each leave moves everybody behind: a few at a time, as people do.
    let mut leaving = JoinSet::new();
    for (guest, visit) in accepted {
        if leaving.len() >= 20
            && let Some(left) = leaving.join_next().await
        {
            left??;
        }
        leaving.spawn(async move { guest.leave(id(&visit)?).await });
    }
    while let Some(left) = leaving.join_next().await {
        left??;
    }
    eventually("an empty lobby", || async {
        let office = first.office("gewerbe").await?;
        Ok((office["waiting"] == 0 && office["accepting"] == true).then_some(()))
    })
    .await?;
    let dead = database.count("outbox WHERE state = 'dead'").await?;
    ensure!(dead == 0, "{dead} jobs given up");
    Ok(())
}

/// Whoever sends nonsense gets an answer in the form of the interface, and nothing happens.
#[tokio::test]
async fn nobody_gets_through_the_lobby() -> TestResult {
    let generous = "knocks_per_address = { per_minute = 6000, burst = 1000 }\n\
                    messages_per_visit = { per_minute = 600, burst = 300 }\n\
                    files_per_visit = { per_minute = 600, burst = 300 }\n\
                    streams_per_visit = 3";
    let world = World::start_with(WorldOptions {
        limits: toml::from_str(generous)?,
        ..WorldOptions::default()
    })
    .await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    let nobody = world.guest()?;
    refused_knocks(&nobody).await?;
    ensure!(world.database().count("visits").await? == 0, "nobody is in");

    let guest = world.guest()?;
    // Words are kept as words: no control characters, no markup that means anything, no name that turns what stands
    // beside it.
    let wicked = "<script>alert(1)</script>\u{202e}txt.exe\u{0} \u{1b}[2J & @room";
    let mut knock = form(wicked);
    knock["name"] = json!("<b>Eve</b>\u{202e}\u{7}\n");
    let visit = guest
        .knock_with("gewerbe", &knock)
        .await?
        .success("knocking")?;
    let id = id(&visit)?;
    world.settled().await?;
    strangers(&guest, &world.guest()?, id).await?;

    clerk.send_text(&door, "!weiter").await?;
    guest.until(id, "called").await?;
    guest.enter(id).await?;
    world.settled().await?;
    let said = clerk.messages(&door, 50).await?;
    let concern = said
        .iter()
        .find(|event| {
            event["content"]["body"]
                .as_str()
                .is_some_and(|body| body.contains("alert(1)"))
        })
        .context("the concern at the door")?;
    let content = &concern["content"];
    let body = content["body"].as_str().unwrap_or_default();
    ensure!(body.contains("<script>alert(1)</script>"), "{body:?}");
    ensure!(!body.contains(['\u{0}', '\u{1b}']), "{body:?}");
    ensure!(
        content["formatted_body"].is_null(),
        "plain text has no second form: {content}"
    );
    ensure!(
        content["m.mentions"] == json!({}),
        "a citizen mentions nobody: {content}"
    );

    let room = consultation_room(&world).await?;
    let state = clerk.full_state(&room).await?;
    let name = state
        .iter()
        .filter_map(|event| event["content"]["displayname"].as_str())
        .find(|name| name.contains("Eve"));
    ensure!(name == Some("<b>Eve</b>"), "{name:?}");

    refused_messages(&guest, id).await?;
    refused_files(&guest, id).await?;
    ensure!(
        guest.messages(id).await?.is_empty(),
        "nothing of it was kept"
    );

    // A page more than allowed is refused, and the others live.
    let mut pages = Vec::new();
    for _ in 0..3 {
        pages.push(guest.events(id).await?);
    }
    for _ in 0..50 {
        let path = format!("visits/{id}/events");
        let answer = guest.call(Method::GET, &path, None).await?;
        ensure!(answer.problem() == Some("too-many-streams"), "{answer:?}");
        ensure!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    let message = guest.say(id, "Ich bin noch da").await?;
    for page in &mut pages {
        page.until("the message", |name, data| {
            (name == "message" && data["id"] == message["id"]).then_some(())
        })
        .await?;
    }
    guest.leave(id).await?;
    world.settled().await
}

async fn refused_knocks(nobody: &Guest) -> Result<()> {
    let knock = "/api/v1/offices/gewerbe/visits";
    let json =
        |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
    let post = || nobody.request(Method::POST, knock);
    let good = form("Kiosk").to_string();
    let huge = form(&"x".repeat(70_000)).to_string();
    let origin = |origin: &'static str| {
        HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))])
    };
    let (foreign, opaque) = (origin("https://evil.example"), origin("null"));
    for (what, request, problem) in [
        ("too large", json(post()).body(huge), "too-large"),
        ("not JSON", json(post()).body("{"), "malformed-json"),
        (
            "no UTF-8",
            json(post()).body(b"{\"concern\":\"\xff\"}".to_vec()),
            "malformed-json",
        ),
        (
            "deep",
            json(post()).body("[".repeat(20_000)),
            "invalid-fields",
        ),
        ("a list", json(post()).body("[]"), "invalid-fields"),
        (
            "wrong types",
            json(post()).body("{\"concern\":5}"),
            "invalid-fields",
        ),
        ("nothing", json(post()).body("{}"), "invalid-fields"),
        (
            "a form",
            post()
                .header("content-type", "application/x-www-form-urlencoded")
                .body("concern=x"),
            "unsupported-type",
        ),
        (
            "text",
            post()
                .header("content-type", "text/plain")
                .body(good.clone()),
            "unsupported-type",
        ),
        ("no type", post().body(good.clone()), "unsupported-type"),
        (
            "foreign",
            json(post()).headers(foreign).body(good.clone()),
            "foreign-origin",
        ),
        (
            "of nowhere",
            json(post()).headers(opaque).body(good.clone()),
            "foreign-origin",
        ),
        (
            "of two origins",
            json(post())
                .header("origin", "https://evil.example")
                .body(good.clone()),
            "foreign-origin",
        ),
        (
            "no such office",
            json(nobody.request(Method::POST, "/api/v1/offices/..%2f..%2fetc/visits"))
                .body(good.clone()),
            "unknown-office",
        ),
        (
            "no such office",
            json(nobody.request(Method::POST, "/api/v1/offices/%00/visits")).body(good.clone()),
            "unknown-office",
        ),
        (
            "no such address",
            nobody.request(Method::GET, "/api/v1/%2e%2e/metrics"),
            "not-found",
        ),
        (
            "no such method",
            nobody.request(Method::PUT, knock),
            "method-not-allowed",
        ),
    ] {
        let answer = nobody.send(request).await?;
        ensure!(answer.problem() == Some(problem), "{what}: {answer:?}");
        ensure!(answer.status.is_client_error(), "{what}: {answer:?}");
        ensure!(answer.header("set-cookie").is_none(), "{what}: {answer:?}");
        ensure!(
            answer.body["title"].is_string() && answer.body["detail"].is_string(),
            "{what}: {answer:?}"
        );
    }
    for (field, value) in [
        ("concern", json!(" \u{200b}\u{202e}\n ")),
        ("concern", json!("x".repeat(1001))),
        ("name", json!("x".repeat(81))),
        ("language", json!("xx")),
        ("service", json!("../../etc/passwd")),
        ("service", json!("keiner")),
        ("privacy_accepted", json!(false)),
    ] {
        let mut form = form("Kiosk");
        form[field] = value;
        let answer = nobody.knock_with("gewerbe", &form).await?;
        ensure!(
            answer.problem() == Some("invalid-fields"),
            "{field}: {answer:?}"
        );
        ensure!(
            answer.body["errors"][0]["field"] == field,
            "{field}: {answer:?}"
        );
    }
    // What is for the homeserver and the monitoring is not for the public; no path leads out of the pages' directory.
    for path in [
        "/metrics",
        "/_matrix/app/v1/ping",
        "/assets/..%2f..%2fCargo.toml",
        "/../vorzimmer.toml",
        "/.env",
    ] {
        let answer = nobody.send(nobody.request(Method::GET, path)).await?;
        ensure!(answer.status == StatusCode::NOT_FOUND, "{path}: {answer:?}");
    }
    Ok(())
}

/// Nobody but its guest sees a visit.
async fn strangers(guest: &Guest, stranger: &Guest, id: &str) -> Result<()> {
    let own = guest.cookie().context("a cookie")?;
    let (name, value) = own.split_once('=').context("a name and a value")?;
    let other = value.chars().rev().collect::<String>();
    let paths = [
        (Method::GET, format!("visits/{id}")),
        (Method::GET, format!("visits/{id}/messages")),
        (Method::GET, format!("visits/{id}/events")),
        (Method::GET, format!("visits/{id}/files/1")),
        (Method::POST, format!("visits/{id}/leave")),
        (Method::POST, format!("visits/{id}/enter")),
    ];
    let forged = [
        None,
        Some(format!("{name}=")),
        Some(format!("{name}=AAAA")),
        Some(format!("{name}={other}")),
        Some(format!("{name}={}", "A".repeat(5000))),
        Some(format!("{}={value}", name.to_uppercase())),
    ];
    for cookie in forged {
        for (method, path) in &paths {
            stranger.set_cookie(cookie.as_deref());
            let answer = stranger.call(method.clone(), path, None).await?;
            ensure!(
                answer.problem() == Some("unknown-visit"),
                "{cookie:?} {path}: {answer:?}"
            );
        }
        stranger.set_cookie(cookie.as_deref());
        ensure!(stranger.visits().await?.is_empty());
    }
    // Somebody with a visit of their own is a stranger all the same.
    stranger.set_cookie(None);
    let theirs = stranger.knock("fundbuero", "Schirm").await?;
    let answer = stranger
        .call(Method::GET, &format!("visits/{id}"), None)
        .await?;
    ensure!(answer.problem() == Some("unknown-visit"), "{answer:?}");
    stranger
        .leave(theirs["id"].as_str().unwrap_or_default())
        .await?;
    ensure!(guest.visit(id).await?["state"] == "waiting");
    // One live visit for one guest.
    let again = guest.knock_with("gewerbe", &form("noch einmal")).await?;
    ensure!(
        again.problem() == Some("already-here") && again.body["visit"] == id,
        "{again:?}"
    );
    Ok(())
}

async fn refused_messages(guest: &Guest, id: &str) -> Result<()> {
    for (client_id, body) in [
        ("", "Hallo"),
        ("../x", "Hallo"),
        ("a", ""),
        ("a", "\u{202e}\u{0}\n"),
        ("a", &*"x".repeat(4001)),
    ] {
        let answer = guest.say_as(id, client_id, body).await?;
        ensure!(
            answer.problem() == Some("invalid-fields"),
            "{client_id:?}: {answer:?}"
        );
    }
    for query in ["after=-1", "after=x", "after=99999999999999999999"] {
        let answer = guest
            .call(Method::GET, &format!("visits/{id}/messages?{query}"), None)
            .await?;
        ensure!(
            answer.problem() == Some("invalid-query"),
            "{query}: {answer:?}"
        );
    }
    Ok(())
}

async fn refused_files(guest: &Guest, id: &str) -> Result<()> {
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_slice();
    let zip = b"PK\x03\x04rest".as_slice();
    for (name, bytes) in [
        ("bild.png", svg),
        ("a.pdf", zip),
        ("x.html", b"<html>".as_slice()),
    ] {
        let answer = guest.send_file_as(id, "f", name, bytes).await?;
        ensure!(answer.problem() == Some("file-type"), "{name}: {answer:?}");
    }
    let empty = guest.send_file_as(id, "f", "a.pdf", b"").await?;
    ensure!(empty.problem() == Some("invalid-fields"), "{empty:?}");
    let pdf = |size: usize| [b"%PDF-1.7\n".as_slice(), &vec![b'x'; size]].concat();
    // The program may hang up before it has read everything: no answer, or this one.
    for size in [10 << 20, 12 << 20] {
        if let Ok(answer) = guest.send_file_as(id, "f", "a.pdf", &pdf(size)).await {
            ensure!(
                answer.problem() == Some("file-too-large"),
                "{size}: {answer:?}"
            );
        }
    }
    let post = || {
        guest
            .request(Method::POST, &format!("/api/v1/visits/{id}/files"))
            .header(header::CONNECTION, "close")
    };
    let form = |boundary: &str| {
        post().header(
            "content-type",
            format!("multipart/form-data; boundary={boundary}"),
        )
    };
    for (what, request, problem) in [
        ("JSON", post().json(&json!({})), "unsupported-type"),
        (
            "no boundary",
            post()
                .header("content-type", "multipart/form-data")
                .body("x"),
            "unsupported-type",
        ),
        (
            "broken off",
            form("b").body("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n%PDF"),
            "malformed-form",
        ),
        ("no parts", form("b").body("--b--\r\n"), "invalid-fields"),
        (
            "no form",
            form("b").body("nothing of the kind"),
            "malformed-form",
        ),
    ] {
        let answer = guest.send(request).await?;
        ensure!(answer.problem() == Some(problem), "{what}: {answer:?}");
    }
    Ok(())
}

/// Clerks' and strangers' Matrix clients can send anything; rooms can be altered and lost. What can be repaired is
/// repaired, and nobody's words become somebody else's markup.
#[tokio::test]
async fn matrix_may_send_anything() -> TestResult {
    let world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    world.settled().await?;

    // Nonsense in the door room is answered or passed over, and never stops the next command.
    for line in [
        "!",
        "!!!",
        "!weiter weiter weiter",
        "!ruf",
        "!ruf G-",
        "!ruf G-99999999999999999999",
        "!ablehnen",
        "!ablehnen G-001",
        "!unsinn",
        "!ende G-777",
        "!dienst vielleicht",
        "! weiter",
        "!weiter\u{0}\u{202e}",
    ] {
        clerk.send_text(&door, line).await?;
    }
    clerk
        .send_text(&door, &format!("!pause {}", "x".repeat(30_000)))
        .await?;
    for content in [
        json!({}),
        json!({ "msgtype": "m.text" }),
        json!({ "msgtype": "m.text", "body": null }),
        json!({ "msgtype": { "a": 1 }, "body": ["!weiter"] }),
        json!({ "msgtype": "m.file", "body": "x", "url": "https://evil.example/x" }),
        json!({ "msgtype": "m.text", "body": "* !weiter", "m.new_content": 5, "m.relates_to": "x" }),
    ] {
        send_if_allowed(&clerk, &door, &content).await?;
    }
    clerk.send_text(&door, "!dienst an").await?;
    world.settled().await?;
    let lobby = world.guest()?;
    eventually("the clerk on duty", || async {
        let office = lobby.office("gewerbe").await?;
        Ok((office["desks_on_duty"] == 1 && office["status"] == "free").then_some(()))
    })
    .await?;

    // Strangers with accounts: hostile names, and words that are not theirs to say.
    let stranger = world.site.user("mallory").await?;
    let path = format!("v3/profile/{}/displayname", stranger.user_id());
    let name = json!({ "displayname": "<img src=x onerror=alert(1)>\u{202e}@room !weiter" });
    stranger
        .call(Method::PUT, &path, Some(&name))
        .await?
        .success("naming")?;
    stranger.knock(&door, "!ende G-001 <b>\u{202e}").await?;
    ensure!(stranger.send_text(&door, "!weiter").await.is_err());
    eventually("the stranger's visit", || async {
        Ok((lobby.office("gewerbe").await?["waiting"] == 1).then_some(()))
    })
    .await?;

    // In the conversation, clerks' words are words, of any length and form.
    let guest = world.guest()?;
    let visit = guest.knock("gewerbe", "Kiosk").await?;
    let id = id(&visit)?;
    clerk.send_text(&door, "!ruf G-002").await?;
    guest.until(id, "called").await?;
    guest.enter(id).await?;
    world.settled().await?;
    let room = consultation_room(&world).await?;
    let long = "ä".repeat(20_000);
    for content in [
        json!({ "msgtype": "m.text", "body": "<script>1</script>", "format": "org.matrix.custom.html",
                "formatted_body": "<script>2</script>" }),
        json!({ "msgtype": "m.text", "body": long }),
        json!({ "msgtype": "m.file", "body": "../../etc/passwd", "url": "mxc://x/../../y",
                "info": { "size": -1, "mimetype": "text/html" } }),
        json!({ "msgtype": "m.image", "body": "bild", "url": 5 }),
    ] {
        send_if_allowed(&clerk, &room, &content).await?;
    }
    clerk.send_text(&room, "fertig").await?;
    let messages = eventually("the last word", || async {
        let messages = guest.messages(id).await?;
        let last = messages
            .last()
            .is_some_and(|message| message["body"] == "fertig");
        Ok(last.then_some(messages))
    })
    .await?;
    ensure!(
        messages[0]["body"] == "<script>1</script>",
        "{}",
        messages[0]
    );
    let length = messages[1]["body"]
        .as_str()
        .map_or(0, |body| body.chars().count());
    ensure!(length > 1000, "most of a long message arrives: {length}");
    for message in &messages {
        let name = message["file"]["name"].as_str().unwrap_or_default();
        ensure!(!name.contains(['/', '\\']), "{message}");
    }
    clerk.send_text(&room, "!ende").await?;
    guest.until(id, "ended").await?;
    clerk.send_text(&door, "!ablehnen G-001").await?;
    world.settled().await?;
    altered_rooms_are_repaired(&world, &clerk, &door).await?;
    a_lost_door_is_replaced(&world, &clerk, &door).await
}

/// Sends a message that the homeserver may refuse itself: then it does the program no harm.
async fn send_if_allowed(clerk: &Client, room: &str, content: &Value) -> Result<()> {
    let path = format!("v3/rooms/{}/send/m.room.message", encoded(room));
    let reply = clerk.call(Method::POST, &path, Some(content)).await?;
    ensure!(!reply.status.is_server_error(), "{content}: {reply:?}");
    Ok(())
}

/// A room's id in a path.
fn encoded(room: &str) -> String {
    room.replace(':', "%3A").replace('!', "%21")
}

async fn consultation_room(world: &World) -> Result<String> {
    let rooms = "consultation_room FROM visit_matrix WHERE consultation_room IS NOT NULL";
    let mut rooms = world.database().texts(rooms).await?;
    ensure!(rooms.len() == 1, "{rooms:?}");
    Ok(rooms.remove(0))
}

/// What a clerk wants to change in the door room is refused by the homeserver, or repaired.
async fn altered_rooms_are_repaired(world: &World, clerk: &Client, door: &str) -> Result<()> {
    for (kind, content) in [
        ("m.room.name", json!({ "name": "Kasino" })),
        ("m.room.topic", json!({ "topic": "offen für alle" })),
        ("m.room.join_rules", json!({ "join_rule": "public" })),
        (
            "m.room.history_visibility",
            json!({ "history_visibility": "world_readable" }),
        ),
        (
            "m.room.encryption",
            json!({ "algorithm": "m.megolm.v1.aes-sha2" }),
        ),
        ("m.room.power_levels", json!({ "users_default": 100 })),
        ("org.vorzimmer.occupancy", json!({ "status": "closed" })),
    ] {
        let before = clerk.state(door, kind, "").await?;
        let path = format!("v3/rooms/{}/state/{kind}/", encoded(door));
        let reply = clerk.call(Method::PUT, &path, Some(&content)).await?;
        if !reply.status.is_success() {
            ensure!(reply.body["errcode"] == "M_FORBIDDEN", "{kind}: {reply:?}");
            continue;
        }
        eventually(&format!("{kind} to be as it was"), || async {
            let now = clerk.state(door, kind, "").await?;
            let same = kind == "org.vorzimmer.occupancy" && now != Some(content.clone());
            Ok((now == before || same).then_some(()))
        })
        .await?;
    }
    world.settled().await
}

/// The door room is deleted under everybody's feet: another one stands in its place, and who waits is announced there.
async fn a_lost_door_is_replaced(world: &World, clerk: &Client, door: &str) -> Result<()> {
    let guest = world.guest()?;
    let visit = guest.knock("gewerbe", "Geduld").await?;
    let ticket = visit["ticket"].as_str().context("a ticket")?;
    world.settled().await?;
    let path = format!("v2/rooms/{}", encoded(door));
    let deletion = json!({ "purge": true, "block": false });
    world
        .site
        .admin
        .request(Method::DELETE, &path, &deletion)
        .await?;
    let alias = format!("#buero-gewerbe:{}", world.site.homeserver.server_name());
    let next = world.guest()?;
    // Anything the program has to do at the door shows it that there is none.
    let later = next.knock("gewerbe", "Eile").await?;
    let new = eventually("another door room", || async {
        let room = clerk.resolve(&alias).await.ok();
        Ok(room.filter(|room| room != door))
    })
    .await?;
    ensure!(world.door("gewerbe", clerk).await? == new);
    let later = later["ticket"].as_str().context("a ticket")?;
    eventually("both announced at the new door", || async {
        let events = clerk.messages(&new, 100).await?;
        let announced = |ticket: &str| {
            let line = format!("🔔 {ticket}");
            events
                .iter()
                .filter(|event| {
                    event["content"]["body"]
                        .as_str()
                        .is_some_and(|body| body.starts_with(&line))
                })
                .count()
        };
        Ok((announced(ticket) == 1 && announced(later) == 1).then_some(()))
    })
    .await?;
    ensure!(guest.visit(id(&visit)?).await?["position"] == 1);
    clerk.send_text(&new, "!weiter").await?;
    guest.until(id(&visit)?, "called").await?;
    Ok(())
}

/// What a citizen writes stands where it is needed, and nowhere else; after the retention time it stands nowhere.
#[tokio::test]
async fn words_stay_where_they_belong() -> TestResult {
    const CONCERN: &str = "Quittengelee";
    const NAME: &str = "Zwetschgenkönigin";
    const MESSAGE: &str = "Mirabellenkompott";
    const FILE: &str = "Holunderblüten";
    const ANSWER: &str = "Reineclauden";
    const WORDS: [&str; 5] = [CONCERN, NAME, MESSAGE, FILE, ANSWER];
    let mut world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    let guest = world.guest()?;
    let mut knock = form(CONCERN);
    knock["name"] = json!(NAME);
    let visit = guest
        .knock_with("gewerbe", &knock)
        .await?
        .success("knocking")?;
    let id = id(&visit)?;
    world.settled().await?;
    clerk.send_text(&door, "!weiter").await?;
    guest.until(id, "called").await?;
    guest.enter(id).await?;
    world.settled().await?;
    let room = consultation_room(&world).await?;
    guest.say(id, MESSAGE).await?;
    let pdf = [b"%PDF-1.7\n".as_slice(), b"Brombeergeist".as_slice()].concat();
    guest.send_file(id, &format!("{FILE}.pdf"), &pdf).await?;
    clerk.send_text(&room, ANSWER).await?;
    eventually("the answer", || async {
        Ok((guest.messages(id).await?.len() == 3).then_some(()))
    })
    .await?;
    clerk.send_text(&room, "!ende").await?;
    guest.until(id, "ended").await?;
    world.settled().await?;

    let none_in = |place: &str, text: &str| {
        for word in WORDS.iter().chain(&["Brombeergeist"]) {
            ensure!(!text.contains(word), "{place} contains {word}");
        }
        anyhow::Ok(())
    };
    none_in(
        "the log",
        &fs::read_to_string(world.dir().join("vorzimmer.log"))?,
    )?;
    let metrics = reqwest::get(format!("{}/metrics", world.vorzimmer.internal_url())).await?;
    let metrics = metrics.text().await?;
    ensure!(metrics.contains("vorzimmer_"), "{metrics}");
    none_in("/metrics", &metrics)?;
    none_in(
        "the door's state",
        &serde_json::to_string(&clerk.full_state(&door).await?)?,
    )?;
    none_in(
        "the door's talk",
        &serde_json::to_string(&clerk.messages(&door, 200).await?)?,
    )?;
    let database = world.database();
    for table in [
        "job FROM outbox",
        "json FROM inbox_events",
        "content FROM published_state",
    ] {
        none_in(table, &database.texts(table).await?.concat())?;
    }
    let kept = database.texts("concern FROM visit_private").await?;
    ensure!(
        kept == [CONCERN],
        "kept until the retention time is over: {kept:?}"
    );

    world.vorzimmer.kill()?;
    database.let_a_week_pass().await?;
    world.vorzimmer.resume().await?;
    database.until_erased().await?;
    let path = format!("v1/rooms/{}", encoded(&room));
    eventually("the homeserver to have forgotten the room", || async {
        let room = world.site.admin.request(Method::GET, &path, &Value::Null);
        Ok(room.await.is_err().then_some(()))
    })
    .await?;
    for table in ["visit_private", "visit_matrix", "messages", "blobs"] {
        ensure!(database.count(table).await? == 0, "{table} is empty");
    }
    ensure!(guest.visits().await?.is_empty(), "nobody has a visit");
    world.vorzimmer.stop().await?;
    let disk = database.bytes()?;
    for word in WORDS.iter().chain(&["Brombeergeist"]) {
        let found = disk.windows(word.len()).any(|part| part == word.as_bytes());
        ensure!(!found, "{word} is left on the disk");
    }
    none_in(
        "the log",
        &fs::read_to_string(world.dir().join("vorzimmer.log"))?,
    )
}
