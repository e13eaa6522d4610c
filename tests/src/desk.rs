//! A clerk at an office's door room, as Element lets her work: she sees what her sync brings, approves by inviting, and
//! types commands.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    client::Client,
    json::text,
    sync::Syncing,
    wait::{PATIENCE, eventually},
};

/// An event with the room it happened in.
#[derive(Debug, Clone)]
pub struct Happening {
    /// The room's id.
    pub room_id: String,
    /// The event as `/sync` has it.
    pub event: Value,
}

impl Happening {
    fn body(&self) -> &str {
        self.event["content"]["body"].as_str().unwrap_or_default()
    }
}

/// A clerk with everything she has seen since she sat down. What is called `until` reads it in order; what is called
/// `sees` looks at all of it.
#[derive(Debug)]
pub struct Desk {
    /// The clerk.
    pub clerk: Client,
    /// The service's bot.
    pub bot: String,
    /// The door room's id.
    pub door: String,
    syncing: Syncing,
    seen: Vec<Happening>,
    /// How much of it has been read in order.
    read: usize,
}

impl Desk {
    /// The clerk sits down as soon as the door room is in service and she is in it: the program makes its rooms after
    /// it has started.
    pub async fn open(clerk: &Client, server_name: &str, office: &str) -> Result<Self> {
        let alias = format!("#buero-{office}:{server_name}");
        let door = eventually(&alias, || async {
            let Ok(door) = clerk.resolve(&alias).await else {
                return Ok(None);
            };
            let occupancy = clerk.state(&door, "org.vorzimmer.occupancy", "").await;
            Ok(matches!(occupancy, Ok(Some(_))).then_some(door))
        })
        .await?;
        let mut syncing = clerk.syncing();
        // What has been before is not news.
        syncing.next().await?;
        Ok(Self {
            clerk: clerk.clone(),
            bot: format!("@vorzimmer:{server_name}"),
            door,
            syncing,
            seen: Vec::new(),
            read: 0,
        })
    }

    /// Writes in the door room.
    pub async fn write(&self, text: &str) -> Result<()> {
        self.clerk.send_text(&self.door, text).await.map(drop)
    }

    /// Goes on duty, and waits for the word that she is.
    pub async fn on_duty(&mut self) -> Result<()> {
        self.write("!dienst an").await?;
        self.reads("Dienst").await
    }

    /// Writes a command; the bot's next notice is the answer.
    pub async fn ask(&mut self, command: &str) -> Result<String> {
        let asked = self.clerk.send_text(&self.door, command).await?;
        let what = format!("the answer to {command}");
        let (door, bot) = (self.door.clone(), self.bot.clone());
        let mut seen = false;
        self.until(&what, |happening| {
            seen |= happening.event["event_id"] == asked;
            if seen && happening.room_id == door {
                notice(&happening.event, &bot)
            } else {
                None
            }
        })
        .await
    }

    /// Reads on to the bot's next notice in the door room that contains `text`.
    pub async fn until_notice(&mut self, text: &str) -> Result<String> {
        let (door, bot) = (self.door.clone(), self.bot.clone());
        self.until(&format!("a notice with {text:?}"), |happening| {
            let notice = notice(&happening.event, &bot)?;
            (happening.room_id == door && notice.contains(text)).then_some(notice)
        })
        .await
    }

    /// Reads on to the line that announces a ticket. Its event.
    pub async fn until_ring(&mut self, ticket: &str) -> Result<Value> {
        let (door, bot) = (self.door.clone(), self.bot.clone());
        let start = format!("🔔 {ticket} ");
        self.until(&format!("the ring for {ticket}"), |happening| {
            let event = &happening.event;
            let rings = happening.room_id == door
                && event["sender"] == bot.as_str()
                && event["content"]["body"]
                    .as_str()
                    .is_some_and(|body| body.starts_with(&start));
            rings.then(|| event.clone())
        })
        .await
    }

    /// Reads on to the edit of a line: the new text.
    pub async fn until_edit(&mut self, line: &str, start: &str) -> Result<Value> {
        self.until(&format!("the edit {start}"), |happening| {
            let content = &happening.event["content"];
            let edit = content["m.relates_to"]["rel_type"] == "m.replace"
                && content["m.relates_to"]["event_id"] == line
                && content["m.new_content"]["body"]
                    .as_str()
                    .is_some_and(|body| body.starts_with(start));
            edit.then(|| happening.event.clone())
        })
        .await
    }

    /// Reads on to what `found` finds. What it passes over is not read again.
    pub async fn until<T>(
        &mut self,
        what: &str,
        found: impl FnMut(&Happening) -> Option<T>,
    ) -> Result<T> {
        let (value, read) = self.look(what, self.read, found).await?;
        self.read = read;
        Ok(value)
    }

    /// Waits until the bot, or anybody but her, has written `text` in the door room.
    pub async fn reads(&mut self, text: &str) -> Result<()> {
        let (door, own) = (self.door.clone(), self.clerk.user_id().to_owned());
        self.sees(text, |seen| {
            seen.room_id == door && seen.event["sender"] != own && seen.body().contains(text)
        })
        .await
        .map(drop)
    }

    /// The first event that fits, of those seen and those to come.
    pub async fn sees(
        &mut self,
        what: &str,
        fits: impl Fn(&Happening) -> bool,
    ) -> Result<Happening> {
        let found = |seen: &Happening| fits(seen).then(|| seen.clone());
        self.look(what, 0, found).await.map(|(seen, _)| seen)
    }

    /// What she has seen so far.
    #[must_use]
    pub fn seen(&self) -> &[Happening] {
        &self.seen
    }

    /// The knock of `ticket`: its membership event, whose `state_key` is the ghost.
    pub async fn sees_knock(&mut self, ticket: &str) -> Result<Value> {
        let (door, start) = (self.door.clone(), format!("{ticket} "));
        let knock = self
            .sees(&format!("the knock of {ticket}"), |seen| {
                let content = &seen.event["content"];
                seen.room_id == door
                    && content["membership"] == "knock"
                    && content["reason"]
                        .as_str()
                        .is_some_and(|reason| reason.starts_with(&start))
            })
            .await?;
        Ok(knock.event)
    }

    /// Who knocks with this ticket: the ghost.
    pub async fn knocker(&mut self, ticket: &str) -> Result<String> {
        text(&self.sees_knock(ticket).await?, "state_key")
    }

    /// Element's *Approve* of the knock of `ticket`. Returns the ghost.
    pub async fn approves(&mut self, ticket: &str) -> Result<String> {
        let ghost = self.knocker(ticket).await?;
        self.clerk
            .invite(&self.door, &ghost)
            .await?
            .success("approving")?;
        Ok(ghost)
    }

    /// The consultation room of `ticket`, as soon as she is in it.
    pub async fn consultation(&mut self, ticket: &str) -> Result<String> {
        let what = format!("the consultation room of {ticket}");
        let room = self.sees(&what, |seen| names(seen, ticket)).await?;
        Ok(room.room_id)
    }

    /// All rooms of a ticket that the clerk has been in.
    #[must_use]
    pub fn consultations(&self, ticket: &str) -> BTreeSet<&str> {
        let named = self.seen.iter().filter(|seen| names(seen, ticket));
        named.map(|seen| seen.room_id.as_str()).collect()
    }

    /// The first message in `room_id` whose text contains `text`.
    pub async fn sees_message(&mut self, room_id: &str, text: &str) -> Result<Value> {
        let message = self
            .sees(&format!("{text:?}"), |seen| {
                seen.room_id == room_id
                    && seen.event["type"] == "m.room.message"
                    && seen.body().contains(text)
            })
            .await?;
        Ok(message.event)
    }

    /// The visitor's membership in the door room: `knock`, `leave` …
    pub async fn membership(&self, user_id: &str) -> Result<Option<String>> {
        membership(&self.clerk, &self.door, user_id).await
    }

    /// Waits until somebody's membership in the door room is this.
    pub async fn until_membership(&self, user_id: &str, wanted: &str) -> Result<()> {
        eventually(&format!("{user_id} to be {wanted} at the door"), || async {
            let membership = self.membership(user_id).await?;
            Ok((membership.as_deref() == Some(wanted)).then_some(()))
        })
        .await
    }

    /// Waits until a state event of the door room fits: `org.vorzimmer.occupancy`.
    pub async fn until_state(
        &self,
        event_type: &str,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        eventually(&format!("{event_type} with {what}"), || async {
            let state = self.clerk.state(&self.door, event_type, "").await?;
            Ok(state.filter(|state| fits(state)))
        })
        .await
    }

    /// What `found` finds in what has been seen from `at` on and what is to come, and where that ends. `what` names it
    /// in the error of the one who waits in vain.
    async fn look<T>(
        &mut self,
        what: &str,
        mut at: usize,
        mut found: impl FnMut(&Happening) -> Option<T>,
    ) -> Result<(T, usize)> {
        let looking = async {
            loop {
                while let Some(seen) = self.seen.get(at) {
                    at += 1;
                    if let Some(value) = found(seen) {
                        return anyhow::Ok((value, at));
                    }
                }
                self.follow().await?;
            }
        };
        match timeout(PATIENCE, looking).await {
            Ok(result) => result,
            Err(_) => bail!(
                "{} has waited {} s for {what}",
                self.clerk.user_id(),
                PATIENCE.as_secs()
            ),
        }
    }

    async fn follow(&mut self) -> Result<()> {
        let sync = self.syncing.next().await?;
        for room_id in sync.joined_rooms() {
            let events = sync.state(room_id).chain(sync.timeline(room_id));
            let events = events.chain(sync.ephemeral(room_id));
            self.seen.extend(events.map(|event| Happening {
                room_id: room_id.to_owned(),
                event: event.clone(),
            }));
        }
        Ok(())
    }
}

/// Somebody's membership in a room that `client` is in.
pub async fn membership(client: &Client, room_id: &str, user_id: &str) -> Result<Option<String>> {
    let content = client.state(room_id, "m.room.member", user_id).await?;
    content
        .map(|content| text(&content, "membership"))
        .transpose()
}

fn notice(event: &Value, bot: &str) -> Option<String> {
    let content = &event["content"];
    let is_notice = event["sender"] == bot
        && content["msgtype"] == "m.notice"
        && content["m.relates_to"].is_null();
    is_notice.then_some(())?;
    content["body"].as_str().map(str::to_owned)
}

/// Whether a room gets the name of a ticket's.
fn names(seen: &Happening, ticket: &str) -> bool {
    let name = seen.event["content"]["name"].as_str().unwrap_or_default();
    let rest = name.strip_prefix(ticket);
    seen.event["type"] == "m.room.name" && rest.is_some_and(|rest| rest.starts_with(' '))
}
