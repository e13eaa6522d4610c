//! The homeserver is away, comes back, says things twice, or says what it never should.

use anyhow::{Context as _, Result, ensure};
use blackbox::{Answer, Guest, World, eventually};
use http::Method;
use serde_json::{Value, json};

type TestResult = Result<()>;

/// The homeserver's side of the program, spoken to by somebody else.
struct Homeserver {
    http: Guest,
    token: String,
}

impl Homeserver {
    fn of(world: &World) -> Result<Self> {
        let registration = std::fs::read_to_string(world.dir().join("registration.yaml"))?;
        let token = registration
            .lines()
            .find_map(|line| line.strip_prefix("hs_token:"))
            .context("an hs_token in the registration")?;
        Ok(Self {
            http: Guest::new(&world.vorzimmer.internal_url())?,
            token: token.trim().trim_matches(['"', '\'']).to_owned(),
        })
    }

    async fn put(&self, id: &str, token: &str, body: impl Into<Vec<u8>>) -> Result<Answer> {
        let path = format!("/_matrix/app/v1/transactions/{id}");
        let request = self
            .http
            .request(Method::PUT, &path)
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.into());
        self.http.send(request).await
    }

    async fn deliver(&self, id: &str, events: &[Value]) -> Result<()> {
        let body = json!({ "events": events, "ephemeral": [] }).to_string();
        let answer = self.put(id, &self.token, body).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }
}

fn event(id: &str, room: &str, sender: &str, body: &str) -> Value {
    json!({
        "type": "m.room.message",
        "event_id": id,
        "room_id": room,
        "sender": sender,
        "origin_server_ts": 0,
        "content": { "msgtype": "m.text", "body": body },
    })
}

/// While the homeserver is away, citizens knock and write, and the page tells the truth; when it is back, everything
/// arrives once.
#[tokio::test]
async fn the_homeserver_goes_away_and_comes_back() -> TestResult {
    let mut world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    let first = world.guest()?;
    let visit = first.knock("gewerbe", "Kiosk").await?;
    let id = visit["id"].as_str().context("an id")?;
    world.settled().await?;
    clerk.send_text(&door, "!weiter").await?;
    first.until(id, "called").await?;
    first.enter(id).await?;
    world.settled().await?;
    let mut page = first.events(id).await?;

    world.site.homeserver.kill()?;
    let second = world.guest()?;
    let later = second.knock("gewerbe", "Imbiss").await?;
    ensure!(
        later["ticket"] == "G-002" && later["position"] == 1,
        "{later}"
    );
    let message = first.say(id, "Sind Sie noch da?").await?;
    ensure!(message["delivery"] == "sending", "{message}");
    eventually("the lobby to count both", || async {
        let office = second.office("gewerbe").await?;
        Ok((office["waiting"] == 1 && office["in_conversation"] == 1).then_some(()))
    })
    .await?;
    let lobby = Guest::new(world.vorzimmer.url())?;
    ensure!(lobby.office("gewerbe").await?["accepting"] == true);
    page.until("the message on its way", |name, data| {
        (name == "message" && data["delivery"] == "sending").then_some(())
    })
    .await?;

    world.site.homeserver.resume().await?;
    page.until("the message delivered", |name, data| {
        (name == "message" && data["id"] == message["id"] && data["delivery"] == "delivered")
            .then_some(())
    })
    .await?;
    world.settled().await?;
    let at_the_door = clerk.messages(&door, 200).await?;
    let lines = at_the_door.iter().filter(|event| {
        event["content"]["body"]
            .as_str()
            .is_some_and(|body| body.starts_with("🔔 G-002"))
    });
    ensure!(
        lines.count() == 1,
        "one line for the one who came meanwhile"
    );
    // What clerks say reaches the program again.
    let room = world
        .database()
        .texts("consultation_room FROM visit_matrix WHERE consultation_room IS NOT NULL")
        .await?
        .remove(0);
    clerk.send_text(&room, "Ja, wieder.").await?;
    page.until("the answer", |name, data| {
        (name == "message" && data["body"] == "Ja, wieder.").then_some(())
    })
    .await?;
    clerk.send_text(&room, "!ende").await?;
    first.until(id, "ended").await?;
    second.leave(later["id"].as_str().context("an id")?).await?;
    world.settled().await
}

/// What clerks did while the program was away has happened when it is back.
#[tokio::test]
async fn the_program_catches_up_with_what_it_missed() -> TestResult {
    let mut world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    let guests = [world.guest()?, world.guest()?];
    let mut visits = Vec::new();
    for guest in &guests {
        visits.push(guest.knock("gewerbe", "Kiosk").await?);
    }
    world.settled().await?;
    world.vorzimmer.kill()?;
    for line in ["!dienst an", "!weiter", "!ablehnen G-002 Bitte ins Rathaus"] {
        clerk.send_text(&door, line).await?;
    }
    world.vorzimmer.resume().await?;
    let id = |visit: &Value| visit["id"].as_str().unwrap_or_default().to_owned();
    guests[0].until(&id(&visits[0]), "called").await?;
    let declined = guests[1].until(&id(&visits[1]), "ended").await?;
    ensure!(declined["ending"] == "declined", "{declined}");
    ensure!(
        declined["decline_text"] == "Bitte ins Rathaus",
        "{declined}"
    );
    guests[0].leave(&id(&visits[0])).await?;
    world.settled().await
}

/// The homeserver may repeat, reorder and mix; whoever is not the homeserver may nothing.
#[tokio::test]
async fn transactions_count_once() -> TestResult {
    let world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    let guest = world.guest()?;
    let visit = guest.knock("gewerbe", "Kiosk").await?;
    let id = visit["id"].as_str().context("an id")?;
    world.settled().await?;
    let homeserver = Homeserver::of(&world)?;
    let database = world.database();

    // A command that is told three times is answered once.
    let help = event("$hilfe:x", &door, clerk.user_id(), "!hilfe");
    homeserver
        .deliver("t1", std::slice::from_ref(&help))
        .await?;
    homeserver
        .deliver("t1", std::slice::from_ref(&help))
        .await?;
    homeserver
        .deliver("t2", &[help.clone(), help.clone()])
        .await?;
    world.settled().await?;
    let answers = |events: Vec<Value>| {
        let said_by_bot = |event: &Value| {
            event["sender"] != clerk.user_id()
                && event["content"]["body"]
                    .as_str()
                    .is_some_and(|body| body.contains("!weiter"))
        };
        events.iter().filter(|event| said_by_bot(event)).count()
    };
    ensure!(
        answers(clerk.messages(&door, 200).await?) == 1,
        "one answer"
    );

    // The end comes before the beginning, and again in the other order: the visit is called, once.
    let call = event("$weiter:x", &door, clerk.user_id(), "!weiter");
    let end = event("$ende:x", &door, clerk.user_id(), "!ende");
    homeserver
        .deliver("t3", &[end.clone(), call.clone()])
        .await?;
    homeserver.deliver("t4", &[call, end]).await?;
    let called = guest.until(id, "called").await?;
    ensure!(called["ticket"] == visit["ticket"]);
    world.settled().await?;
    ensure!(
        database
            .count("visit_matrix WHERE consultation_room IS NOT NULL")
            .await?
            == 1
    );

    // Events that cannot be read do not hold up those that can. The homeserver may deliver its own at the same time;
    // their ids are hashes and have no domain.
    let ours = "inbox_events WHERE event_id NOT LIKE '$%' OR event_id LIKE '%:x'";
    let before = database.count(ours).await?;
    let odd = [
        json!(null),
        json!({}),
        json!({ "event_id": "no id", "room_id": 7 }),
        json!({ "event_id": "$a:x", "room_id": door }),
        json!({ "event_id": "$b:x", "room_id": door, "type": "m.room.member", "sender": "x", "state_key": "@a:b",
                "content": { "membership": "knock" } }),
        json!({ "event_id": "$c:x", "room_id": door, "type": "m.room.member", "sender": clerk.user_id(),
                "state_key": "not a user", "content": { "membership": ["invite"] } }),
        json!({ "event_id": "$d:x", "room_id": door, "type": "m.room.message", "sender": clerk.user_id(),
                "content": { "msgtype": 5, "body": { "a": [1] } } }),
        event("$e:x", &door, "@stranger:elsewhere.example", "!weiter"),
    ];
    homeserver.deliver("t5", &odd).await?;
    world.settled().await?;
    let after = database.count(ours).await?;
    ensure!(
        after - before == 5,
        "the five with an id: {}",
        after - before
    );

    // What is no transaction is refused, in the specification's words, and stores nothing.
    let token = homeserver.token.clone();
    for (body, status, code) in [
        ("", 400, "M_NOT_JSON"),
        ("{\"events\":[", 400, "M_NOT_JSON"),
        ("[]", 400, "M_BAD_JSON"),
        ("{\"events\":{}}", 400, "M_BAD_JSON"),
        ("{}", 400, "M_BAD_JSON"),
    ] {
        let answer = homeserver.put("t6", &token, body).await?;
        ensure!(answer.status == status, "{body:?}: {answer:?}");
        ensure!(answer.body["errcode"] == code, "{body:?}: {answer:?}");
    }
    let huge = vec![b' '; (16 << 20) + 1];
    // The program may hang up before it has read everything: no answer, or this one.
    if let Ok(answer) = homeserver.put("t6", &token, huge).await {
        ensure!(answer.status == 413 && answer.body["errcode"] == "M_TOO_LARGE");
    }
    let deep = format!("{{\"events\":[{}{}]}}", "[".repeat(9000), "]".repeat(9000));
    // A list of one event that is none: passed over, however deep it is.
    let answer = homeserver.put("t7", &token, deep).await?;
    ensure!(answer.status == 200, "{answer:?}");

    let theft = event("$f:x", &door, clerk.user_id(), "!ende G-001");
    let theft = json!({ "events": [theft] }).to_string();
    for token in ["", "wrong", &token[1..]] {
        let answer = homeserver.put("t8", token, theft.clone()).await?;
        ensure!(answer.status == 401 || answer.status == 403, "{answer:?}");
    }
    world.settled().await?;
    ensure!(guest.visit(id).await?["state"] == "called");
    ensure!(database.count(ours).await? == after);
    Ok(())
}

/// Hundreds who write at once wait for one another, but not for ever: whoever has to go away learns when to come back.
#[tokio::test]
async fn who_cannot_be_served_in_time_is_told_to_come_back() -> TestResult {
    let world = World::start().await?;
    let held = world.database().hold().await?;
    let form = json!({ "concern": "Kiosk", "language": "de", "privacy_accepted": true });
    let guests = [world.stranger()?, world.stranger()?, world.stranger()?];
    let answers = tokio::try_join!(
        guests[0].knock_with("gewerbe", &form),
        guests[1].knock_with("gewerbe", &form),
        guests[2].knock_with("gewerbe", &form),
    )?;
    for answer in <[Answer; 3]>::from(answers) {
        ensure!(answer.status == 503, "{answer:?}");
        ensure!(answer.problem() == Some("busy"), "{answer:?}");
        let seconds: u32 = answer.header("retry-after").context("when")?.parse()?;
        ensure!(seconds > 0);
    }
    held.release().await?;
    let visit = guests[0].knock_with("gewerbe", &form).await?;
    ensure!(
        visit.status == 201 && visit.body["position"] == 1,
        "{visit:?}"
    );
    world.settled().await
}
