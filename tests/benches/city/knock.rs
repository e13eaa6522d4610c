//! From a knock until the clerk's client has it: a citizen's, by the lobby, beside a Matrix user's at a room like
//! the office's, on the same homeserver in the same run, seen by the same clerk.

use anyhow::Result;
use blackbox::{Sync, World};
use serde_json::{Value, json};
use tokio::time::Instant;
use xtask::console::say;

use crate::{
    desk::Desk,
    figures::{Samples, Table},
    guest::Guest,
    machine,
};

pub(crate) async fn measure(knocks: usize) -> Result<()> {
    let mut world = World::start().await?;
    let clerk = world.clerk("anna")?.clone();
    let mut desk = Desk::sit_down(&clerk);
    let door = desk.door("gewerbe").await?;
    let plain = plain_room(&world).await?;
    let mut persons = Vec::with_capacity(knocks);
    for number in 0..knocks {
        let person = world.site.clerk(&format!("person{number}")).await?;
        // Opens the connection, as the guest's page has done.
        person
            .call(reqwest::Method::GET, "v3/account/whoami", None)
            .await?;
        persons.push(person);
    }

    machine::open("knock");
    let (mut direct, mut accepted) = (Samples::default(), Samples::default());
    let (mut by_lobby, mut ringing) = (Samples::default(), Samples::default());
    for (number, person) in persons.iter().enumerate() {
        desk.quiet().await?;
        let sent = Instant::now();
        person.knock(&plain, "G-001, Gewerbe anmelden").await?;
        let seen = desk
            .until("a plain knock", |sync| membership(sync, &plain, "knock"))
            .await?;
        direct.push_time(seen.duration_since(sent));
        person.leave(&plain).await?;
        desk.until("its end", |sync| membership(sync, &plain, "leave"))
            .await?;

        let guest = Guest::open(&mut world, number).await?;
        desk.quiet().await?;
        let knocked = guest.knock("gewerbe").await?;
        accepted.push_time(knocked.answered.duration_since(knocked.sent));
        let (mut at_the_door, mut rung) = (None, None);
        while at_the_door.is_none() || rung.is_none() {
            let (at, sync) = desk.next("a knock by the lobby").await?;
            if membership(&sync, &door, "knock").is_some() {
                at_the_door.get_or_insert(at);
            }
            if sync
                .timeline(&door)
                .any(|event| rings(event, &knocked.ticket))
            {
                rung.get_or_insert(at);
            }
        }
        if let (Some(at_the_door), Some(rung)) = (at_the_door, rung) {
            by_lobby.push_time(at_the_door.duration_since(knocked.sent));
            ringing.push_time(rung.duration_since(knocked.sent));
        }
        guest.leave(&knocked).await?;
        desk.until("the guest's end", |sync| membership(sync, &door, "leave"))
            .await?;
    }
    report(&direct, &accepted, &by_lobby, &ringing);
    machine::close();
    Ok(())
}

fn report(direct: &Samples, accepted: &Samples, by_lobby: &Samples, ringing: &Samples) {
    let mut table = Table::new("Knock → clerk's `/sync`", "ms");
    table.line("Synapse alone: a Matrix user's knock", direct);
    table.line("Vorzimmer: the ghost's knock", by_lobby);
    table.line("Vorzimmer: the line that rings", ringing);
    table.line("Vorzimmer: the page has its ticket", accepted);
    table.print();
    for percent in [50, 99] {
        let (plain, ours) = (direct.percentile(percent), by_lobby.percentile(percent));
        say(format_args!(
            "p{percent}: {:+.1} ms, × {:.2}",
            ours - plain,
            ours / plain
        ));
    }
}

/// A room like an office's, without Vorzimmer: same join rule, same clerks.
async fn plain_room(world: &World) -> Result<String> {
    let (anna, bernd) = (world.clerk("anna")?, world.clerk("bernd")?);
    let room = anna
        .create_room(&json!({
            "preset": "private_chat",
            "initial_state": [{ "type": "m.room.join_rules", "content": { "join_rule": "knock" } }],
        }))
        .await?;
    anna.invite(&room, bernd.user_id())
        .await?
        .success("inviting")?;
    bernd.join(&room).await?;
    Ok(room)
}

fn membership(sync: &Sync, room: &str, membership: &str) -> Option<()> {
    let found = sync.timeline(room).any(|event| {
        event["type"] == "m.room.member" && event["content"]["membership"] == membership
    });
    found.then_some(())
}

fn rings(event: &Value, ticket: &str) -> bool {
    event["type"] == "m.room.message"
        && event["content"]["m.mentions"]["user_ids"].is_array()
        && event["content"]["body"]
            .as_str()
            .is_some_and(|body| body.contains(ticket))
}
