//! How a clerk learns of a knock, and what stays of it in the door room.

use anyhow::Context as _;
use blackbox::{Desk, Guest, World, text};
use serde_json::{Value, json};

type TestResult = anyhow::Result<()>;

const CONCERN: &str = "Meine Tochter Lina braucht einen Platz";
const NAME: &str = "Frau Beispiel";

/// The user ids an event mentions.
fn mentioned(event: &Value) -> Vec<&str> {
    let ids = event["content"]["m.mentions"]["user_ids"].as_array();
    let mut ids: Vec<&str> = ids
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    ids.sort_unstable();
    ids
}

/// The bot's notice with the concern of a ticket. Its event.
async fn concern_of(desk: &mut Desk, ticket: &str) -> anyhow::Result<Value> {
    let start = format!("{ticket} – Anliegen: ");
    desk.until("the concern", |happening| {
        let body = happening.event["content"]["body"].as_str()?;
        body.starts_with(&start).then(|| happening.event.clone())
    })
    .await
}

/// Everything the door room's state says, as one text.
async fn state_text(desk: &Desk) -> anyhow::Result<String> {
    Ok(serde_json::to_string(
        &desk.clerk.full_state(&desk.door).await?,
    )?)
}

#[tokio::test]
async fn a_knock_rings_for_clerks_on_duty_and_leaves_no_words_behind() -> TestResult {
    let world = World::start().await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    nobody_on_duty_rings_for_all(&world, &mut anna).await?;
    anna.ask("!dienst an").await?;
    the_line_follows_the_visit(&world, &mut anna).await
}

async fn nobody_on_duty_rings_for_all(world: &World, anna: &mut Desk) -> TestResult {
    let guest = world.stranger()?;
    let visit = guest.knock("gewerbe", "Guten Tag").await?;
    let line = anna.until_ring(&text(&visit, "ticket")?).await?;
    assert_eq!(
        line["content"]["msgtype"], "m.text",
        "a notice does not ring"
    );
    assert_eq!(mentioned(&line), ["@anna:localhost", "@bernd:localhost"]);
    let concern = concern_of(anna, "G-001").await?;
    guest.leave(&text(&visit, "id")?).await?;
    let edit = anna
        .until_edit(&text(&line, "event_id")?, "🚪 G-001 ")
        .await?;
    assert!(mentioned(&edit).is_empty());
    until_redacted(anna, &concern).await
}

async fn the_line_follows_the_visit(world: &World, anna: &mut Desk) -> TestResult {
    let guest = world.stranger()?;
    let form = json!({
        "concern": CONCERN,
        "name": NAME,
        "language": "en",
        "service": "anmelden",
        "interpreter": "Ukrainisch",
        "privacy_accepted": true,
    });
    let visit = guest
        .knock_with("gewerbe", &form)
        .await?
        .success("knocking")?;
    let (id, ticket) = (text(&visit, "id")?, text(&visit, "ticket")?);
    assert_eq!(ticket, "G-002");

    // The line: a text that mentions who is on duty, with ticket, service, language, place and time.
    let line = anna.until_ring(&ticket).await?;
    assert_eq!(line["content"]["msgtype"], "m.text");
    assert_eq!(mentioned(&line), ["@anna:localhost"]);
    let body = text(&line["content"], "body")?;
    assert!(
        body.starts_with(
            "🔔 G-002 · Gewerbe anmelden · Englisch (Dolmetschen gewünscht) · Platz 1 · wartet seit "
        ),
        "{body}"
    );
    assert!(!body.contains(NAME) && !body.contains("Lina"), "{body}");

    // The concern: a notice of its own, so that it can be taken back alone.
    let concern = concern_of(anna, &ticket).await?;
    assert_eq!(concern["content"]["msgtype"], "m.notice");
    assert_eq!(
        concern["content"]["body"],
        format!("G-002 – Anliegen: {CONCERN}")
    );
    assert!(mentioned(&concern).is_empty());

    // The knock itself, which is state and stays: ticket and service, and the ticket as a name.
    let ghost = anna.knocker(&ticket).await?;
    let member = anna
        .clerk
        .state(&anna.door, "m.room.member", &ghost)
        .await?
        .context("the knock has gone")?;
    assert_eq!(member["reason"], "G-002 · Gewerbe anmelden");
    assert_eq!(member["displayname"], "G-002");
    assert!(ghost.starts_with("@_vorzimmer_"), "{ghost}");
    let state = state_text(anna).await?;
    assert!(!state.contains("Lina") && !state.contains("Beispiel"));

    called_and_served(anna, &guest, &id, &line, &concern, &ghost).await
}

/// The line and the concern of G-002 from the call to the end.
async fn called_and_served(
    anna: &mut Desk,
    guest: &Guest,
    id: &str,
    line: &Value,
    concern: &Value,
    ghost: &str,
) -> TestResult {
    // Called: the line is edited, without ringing again.
    assert!(anna.ask("!weiter").await?.starts_with("anna hat G-002"));
    let line_id = text(line, "event_id")?;
    let room_id = anna.consultation("G-002").await?;
    let edited = newest_edit(anna, &line_id, "✅ G-002 ").await?;
    let body = text(&edited["content"]["m.new_content"], "body")?;
    assert!(
        body.starts_with("✅ G-002 · Gewerbe anmelden · aufgerufen von anna um "),
        "{body}"
    );
    assert!(mentioned(&edited).is_empty(), "an edit rings");

    // The consultation room: a name without a person, a first message with name and concern.
    let name = anna.clerk.state(&room_id, "m.room.name", "").await?;
    assert_eq!(name, Some(json!({ "name": "G-002 · Gewerbemeldestelle" })));
    guest.enter(id).await?;
    let first = anna.clerk.messages(&room_id, 50).await?;
    let first = first
        .iter()
        .rev()
        .find(|event| event["type"] == "m.room.message")
        .context("no first message")?;
    let words = text(&first["content"], "body")?;
    for part in [
        "Nummer G-002: Frau Beispiel",
        "Leistung: Gewerbe anmelden",
        "Dolmetschen gewünscht: Ukrainisch",
        CONCERN,
    ] {
        assert!(words.contains(part), "{part} is missing in: {words}");
    }

    // Ended: edited once more, and the concern is taken back.
    anna.clerk.send_text(&room_id, "!ende").await?;
    guest.until(id, "ended").await?;
    newest_edit(anna, &line_id, "☑️ G-002 ").await?;
    until_redacted(anna, concern).await?;
    let state = state_text(anna).await?;
    assert!(!state.contains("Lina") && !state.contains("Beispiel"));
    let timeline = serde_json::to_string(&anna.clerk.messages(&anna.door, 100).await?)?;
    assert!(
        !timeline.contains("Lina") && !timeline.contains("Beispiel"),
        "personal words stay in the door room"
    );
    let retired = blackbox::eventually("the room to be retired", || async {
        let name = anna.clerk.state(&room_id, "m.room.name", "").await?;
        Ok(name.filter(|name| name["name"] != "G-002 · Gewerbemeldestelle"))
    })
    .await?;
    assert_eq!(
        retired,
        json!({ "name": "G-002 · Gewerbemeldestelle (beendet)" })
    );
    assert_eq!(
        blackbox::membership(&anna.clerk, &room_id, ghost)
            .await?
            .as_deref(),
        Some("leave")
    );
    Ok(())
}

/// The edit of a line, wherever it stands among what is already read.
async fn newest_edit(desk: &Desk, line: &str, start: &str) -> anyhow::Result<Value> {
    blackbox::eventually(&format!("the edit {start}"), || async {
        let events = desk.clerk.messages(&desk.door, 50).await?;
        Ok(events.into_iter().find(|event| {
            let content = &event["content"];
            content["m.relates_to"]["event_id"] == line
                && content["m.relates_to"]["rel_type"] == "m.replace"
                && content["m.new_content"]["body"]
                    .as_str()
                    .is_some_and(|body| body.starts_with(start))
        }))
    })
    .await
}

async fn until_redacted(desk: &Desk, event: &Value) -> TestResult {
    let event_id = text(event, "event_id")?;
    blackbox::eventually("the concern to be redacted", || async {
        let event = desk.clerk.event(&desk.door, &event_id).await?;
        Ok(event["content"]["body"].is_null().then_some(()))
    })
    .await
}
