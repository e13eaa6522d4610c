//! Visitors with a Matrix account of their own, of this homeserver and of another one.

use std::sync::Arc;

use anyhow::Context as _;
use blackbox::{Client, Desk, Site, Syncing, World, WorldOptions, eventually, membership};
use serde_json::{Value, json};
use xtask::synapse::Authority;

type TestResult = anyhow::Result<()>;

/// A person with an account, and what they see.
struct Visitor {
    client: Client,
    syncing: Syncing,
}

impl Visitor {
    fn new(client: Client) -> Self {
        let syncing = client.syncing();
        Self { client, syncing }
    }

    /// Reads on to the invitation to a consultation room. Its id.
    async fn until_invited_to(&mut self, name: &str) -> anyhow::Result<String> {
        self.syncing
            .until(&format!("the invitation to {name}"), |sync| {
                let invited = sync.json()["rooms"]["invite"].as_object()?;
                let room_id = invited
                    .keys()
                    .find(|room_id| is_named(sync.invite_state(room_id), name));
                let joined = sync
                    .joined_rooms()
                    .find(|room_id| is_named(Some(sync.timeline(room_id).collect()), name));
                room_id.cloned().or_else(|| joined.map(str::to_owned))
            })
            .await
    }
}

fn is_named(state: Option<Vec<&Value>>, name: &str) -> bool {
    state.into_iter().flatten().any(|event| {
        event["type"] == "m.room.name" && event["content"]["name"].as_str() == Some(name)
    })
}

/// An office's only live visit, as the door room's public queue shows it.
async fn until_queue(desk: &Desk, expected: &[(&str, &str)]) -> TestResult {
    desk.until_state("org.vorzimmer.queue", &format!("{expected:?}"), |state| {
        let queue: Vec<(&str, &str)> = state["tickets"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|entry| Some((entry["ticket"].as_str()?, entry["state"].as_str()?)))
            .collect();
        queue == expected
    })
    .await?;
    Ok(())
}

async fn until_heard(client: &Client, room_id: &str, words: &str) -> TestResult {
    eventually(&format!("{words:?} to be heard"), || async {
        let events = client.messages(room_id, 30).await?;
        let heard = events.iter().any(|event| event["content"]["body"] == words);
        Ok(heard.then_some(()))
    })
    .await
}

#[tokio::test]
async fn who_has_an_account_of_this_homeserver_is_a_visitor_like_any_other() -> TestResult {
    let world = World::start().await?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    let server_name = world.site.homeserver.server_name();
    let alias = format!("#buero-gewerbe:{server_name}");
    let emma = world.site.user("emma").await?;
    // She does in seconds what people do in an hour; the homeserver's limits are not what is tested.
    world.site.admin.lift_rate_limit(emma.user_id()).await?;
    let mut emma = Visitor::new(emma);
    anna.ask("!dienst an").await?;

    // Knocks twice, as one does whose client shows nothing: one visit, one announcement.
    let door = emma
        .client
        .knock(&alias, "Ich möchte ein Café eröffnen")
        .await?;
    assert_eq!(door, anna.door);
    emma.client.knock(&alias, "Hallo?").await?;
    anna.until_ring("G-001").await?;
    anna.until_notice("G-001 – Anliegen: Ich möchte ein Café eröffnen")
        .await?;
    until_queue(&anna, &[("G-001", "waiting")]).await?;
    let listed = anna.ask("!schlange").await?;
    assert!(
        listed.starts_with("1 Person wartet:\n1. G-001 · "),
        "{listed}"
    );

    // Approved as Element does it. The homeserver lets its own people into what they are invited to by itself, so
    // she may come in before the service has written down which room it is.
    anna.clerk
        .invite(&door, emma.client.user_id())
        .await?
        .success("approving")?;
    let room_id = emma.until_invited_to("G-001 · Gewerbemeldestelle").await?;
    assert_eq!(anna.consultation("G-001").await?, room_id);
    emma.client.join(&room_id).await?;
    until_queue(&anna, &[("G-001", "in_conversation")]).await?;
    anna.until_membership(emma.client.user_id(), "leave")
        .await?;
    emma.client.send_text(&room_id, "Guten Tag").await?;
    until_heard(&anna.clerk, &room_id, "Guten Tag").await?;
    anna.clerk.send_text(&room_id, "Was gibt es?").await?;
    until_heard(&emma.client, &room_id, "Was gibt es?").await?;

    // A visitor commands nothing, not even the end; they leave.
    emma.client.send_text(&room_id, "!ende").await?;
    emma.client.send_text(&room_id, "!dienst aus").await?;
    until_heard(&anna.clerk, &room_id, "!dienst aus").await?;
    let listed = anna.ask("!schlange").await?;
    assert!(listed.contains("G-001 · im Gespräch seit "), "{listed}");
    assert!(listed.ends_with("1 Platz ist besetzt."), "{listed}");
    emma.client.leave(&room_id).await?;
    anna.until_notice("G-001 ist gegangen.").await?;
    until_queue(&anna, &[]).await?;

    declined_and_withdrawn_here(&world, &mut anna, &emma.client, &alias).await
}

async fn declined_and_withdrawn_here(
    world: &World,
    anna: &mut Desk,
    emma: &Client,
    alias: &str,
) -> TestResult {
    // Element's Deny.
    emma.knock(alias, "Noch einmal").await?;
    anna.until_notice("G-002 – Anliegen: Noch einmal").await?;
    anna.clerk
        .kick(&anna.door, emma.user_id())
        .await?
        .success("denying")?;
    anna.until_notice("G-002 ist abgelehnt.").await?;
    until_queue(anna, &[]).await?;

    // The command: the knock is taken away, with a reason that tells nobody's story.
    emma.knock(alias, "Zum dritten Mal").await?;
    anna.until_notice("G-003 – Anliegen: Zum dritten Mal")
        .await?;
    anna.ask("!ablehnen G-003 Bitte rufen Sie uns an").await?;
    anna.until_membership(emma.user_id(), "leave").await?;
    let state = serde_json::to_string(&anna.clerk.full_state(&anna.door).await?)?;
    assert!(!state.contains("rufen Sie uns an"));

    // A withdrawn knock ends the visit.
    emma.knock(alias, "Zum vierten Mal").await?;
    anna.until_ring("G-004").await?;
    emma.leave(&anna.door).await?;
    until_queue(anna, &[]).await?;
    let listed = anna.ask("!schlange").await?;
    assert!(listed.starts_with("Niemand wartet.\n"), "{listed}");

    // While the office pauses, a knock is turned down.
    anna.ask("!pause").await?;
    let fatma = world.site.user("fatma").await?;
    fatma.knock(alias, "Geht das?").await?;
    anna.until_membership(fatma.user_id(), "leave").await?;
    let member = anna
        .clerk
        .state(&anna.door, "m.room.member", fatma.user_id())
        .await?
        .context("no membership")?;
    assert_eq!(member["reason"], "Das Büro macht gerade eine Pause.");
    Ok(())
}

#[tokio::test]
async fn a_visitor_of_another_homeserver_is_served_across_federation() -> TestResult {
    let dir = tempfile::tempdir()?;
    let authority = Arc::new(Authority::in_dir(dir.path())?);
    let options = WorldOptions {
        authority: Some(Arc::clone(&authority)),
        ..WorldOptions::default()
    };
    let (world, there) = tokio::try_join!(World::start_with(options), Site::neighbour(&authority))?;
    let mut anna = world.desk("anna", "gewerbe").await?;
    let alias = format!("#buero-gewerbe:{}", world.site.homeserver.server_name());
    anna.ask("!dienst an").await?;
    // Who knocks sees the room's state of that moment.
    anna.until_state("org.vorzimmer.occupancy", "anna on duty", |state| {
        state["desks_on_duty"] == 1
    })
    .await?;

    served(&mut anna, &there, &alias).await?;
    declined(&mut anna, &there, &alias).await?;
    denied(&mut anna, &there, &alias).await?;
    withdrawn(&mut anna, &there, &alias).await
}

/// Knocks, sees the office's public state, is called, talks, and is seen off.
async fn served(anna: &mut Desk, there: &Site, alias: &str) -> TestResult {
    let mut emil = Visitor::new(there.user("emil").await?);
    let door = emil.client.knock(alias, "Guten Tag von nebenan").await?;
    assert_eq!(door, anna.door);
    let seen = emil
        .syncing
        .until("the office's public state", |sync| {
            let state = sync.knock_state(&door)?;
            let occupancy = state
                .iter()
                .find(|event| event["type"] == "org.vorzimmer.occupancy")?;
            Some(occupancy["content"].clone())
        })
        .await?;
    assert_eq!(seen["desks_on_duty"], 1);
    anna.until_ring("G-001").await?;
    anna.until_notice("G-001 – Anliegen: Guten Tag von nebenan")
        .await?;
    until_queue(anna, &[("G-001", "waiting")]).await?;

    anna.ask("!weiter").await?;
    let room_id = emil.until_invited_to("G-001 · Gewerbemeldestelle").await?;
    assert_eq!(anna.consultation("G-001").await?, room_id);
    until_queue(anna, &[("G-001", "called")]).await?;
    emil.client.join_via(&room_id, alias).await?;
    until_queue(anna, &[("G-001", "in_conversation")]).await?;
    emil.client
        .send_text(&room_id, "Können Sie mich lesen?")
        .await?;
    until_heard(&anna.clerk, &room_id, "Können Sie mich lesen?").await?;
    anna.clerk.send_text(&room_id, "Ja, gut").await?;
    until_heard(&emil.client, &room_id, "Ja, gut").await?;
    anna.clerk.send_text(&room_id, "!ende").await?;
    until_heard(
        &emil.client,
        &room_id,
        "Das Gespräch ist beendet. Vielen Dank für Ihren Besuch.",
    )
    .await?;
    until_queue(anna, &[]).await
}

/// A rejection alone does not cross federation: invited and put out again, the visitor's homeserver learns of it.
async fn declined(anna: &mut Desk, there: &Site, alias: &str) -> TestResult {
    let mut frida = Visitor::new(there.user("frida").await?);
    let door = frida.client.knock(alias, "Eine Frage").await?;
    frida
        .syncing
        .until("the own knock", |sync| sync.knock_state(&door).map(|_| ()))
        .await?;
    anna.until_ring("G-002").await?;
    assert_eq!(
        anna.ask("!ablehnen G-002 Bitte schreiben Sie uns").await?,
        "G-002 ist abgelehnt."
    );
    until_rejected(anna, &mut frida, &door).await
}

/// Element's *Deny* is a rejection as well, and the service makes it heard.
async fn denied(anna: &mut Desk, there: &Site, alias: &str) -> TestResult {
    let mut hanna = Visitor::new(there.user("hanna").await?);
    let door = hanna.client.knock(alias, "Noch eine Frage").await?;
    hanna
        .syncing
        .until("the own knock", |sync| sync.knock_state(&door).map(|_| ()))
        .await?;
    anna.until_ring("G-003").await?;
    anna.clerk
        .kick(&door, hanna.client.user_id())
        .await?
        .success("denying")?;
    until_rejected(anna, &mut hanna, &door).await
}

/// The visitor's own homeserver says that the office has declined.
async fn until_rejected(anna: &Desk, visitor: &mut Visitor, door: &str) -> TestResult {
    let user_id = visitor.client.user_id().to_owned();
    let rejected = visitor
        .syncing
        .until("the rejection", |sync| {
            let left = &sync.json()["rooms"]["leave"][door];
            let events = left["timeline"]["events"].as_array()?;
            events
                .iter()
                .find(|event| {
                    event["state_key"] == user_id.as_str()
                        && event["content"]["membership"] == "leave"
                })
                .cloned()
        })
        .await?;
    assert_eq!(rejected["sender"], anna.bot);
    assert_eq!(
        rejected["content"]["reason"],
        "Das Büro kann Ihr Anliegen hier nicht bearbeiten. Bitte sehen Sie auf der Seite des Büros nach."
    );
    Ok(())
}

/// A withdrawn knock does not cross federation: the visit stays, and can be called or declined as if the visitor were
/// still there.
async fn withdrawn(anna: &mut Desk, there: &Site, alias: &str) -> TestResult {
    let gregor = there.user("gregor").await?;
    let door = gregor.knock(alias, "Doch nicht").await?;
    anna.until_ring("G-004").await?;
    gregor.leave(&door).await?;
    // The far homeserver has taken it back, for itself alone.
    eventually("the knock to be withdrawn there", || async {
        let sync = gregor.sync(None, std::time::Duration::ZERO).await?;
        Ok(sync["rooms"]["knock"].get(&door).is_none().then_some(()))
    })
    .await?;
    assert_eq!(
        membership(&anna.clerk, &door, gregor.user_id())
            .await?
            .as_deref(),
        Some("knock"),
        "withdrawn knocks federate: the visit should end at once"
    );
    let listed = anna.ask("!schlange").await?;
    assert!(listed.contains("1. G-004 · "), "{listed}");
    anna.ask("!ruf G-004").await?;
    anna.consultation("G-004").await?;
    anna.until_membership(gregor.user_id(), "leave").await?;
    // Nobody comes: the clerk need not wait for the time to run out.
    assert_eq!(anna.ask("!ende G-004").await?, "G-004 ist beendet.");
    let content = json!({ "tickets": [] });
    anna.until_state("org.vorzimmer.queue", "nobody", |state| {
        state["tickets"] == content["tickets"]
    })
    .await?;
    Ok(())
}
