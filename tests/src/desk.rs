//! A clerk at an office's door room: writes commands, reads what the bot says.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    client::Client,
    sync::Syncing,
    wait::{PATIENCE, eventually},
};

/// A clerk's Matrix client with an office's door room open. It reads in order and misses nothing that happens after
/// [`Desk::open`].
#[derive(Debug)]
pub struct Desk {
    clerk: Client,
    bot: String,
    door: String,
    syncing: Syncing,
    unread: VecDeque<Happening>,
    /// Names of rooms by their id.
    named: BTreeMap<String, String>,
}

/// An event with the room it happened in.
#[derive(Debug, Clone)]
pub struct Happening {
    /// The room's id.
    pub room_id: String,
    /// The event as `/sync` has it.
    pub event: Value,
}

impl Desk {
    /// Waits until there is a door room and the clerk is in it: the program makes its rooms after it has started.
    pub async fn open(clerk: &Client, server_name: &str, office: &str) -> Result<Self> {
        let alias = format!("#buero-{office}:{server_name}");
        let door = eventually(&alias, || async { Ok(clerk.resolve(&alias).await.ok()) }).await?;
        let mut syncing = clerk.syncing();
        syncing
            .until("the door room", |sync| {
                sync.joined_rooms()
                    .any(|room_id| room_id == door)
                    .then_some(())
            })
            .await?;
        Ok(Self {
            clerk: clerk.clone(),
            bot: format!("@vorzimmer:{server_name}"),
            door,
            syncing,
            unread: VecDeque::new(),
            named: BTreeMap::new(),
        })
    }

    /// The clerk.
    #[must_use]
    pub fn clerk(&self) -> &Client {
        &self.clerk
    }

    /// The service's bot.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.bot
    }

    /// The door room's id.
    #[must_use]
    pub fn door(&self) -> &str {
        &self.door
    }

    /// Writes in the door room.
    pub async fn write(&self, text: &str) -> Result<()> {
        self.clerk.send_text(&self.door, text).await.map(drop)
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

    /// Waits until the clerk is in the consultation room of a ticket. Its id. Nothing is passed over: rooms are made
    /// while the door room goes on.
    pub async fn until_consultation(&mut self, ticket: &str) -> Result<String> {
        let start = format!("{ticket} ");
        let read = async {
            loop {
                let named = self.named.iter().find(|(_, name)| name.starts_with(&start));
                if let Some((room_id, _)) = named {
                    return anyhow::Ok(room_id.clone());
                }
                self.read_on().await?;
            }
        };
        match timeout(PATIENCE, read).await {
            Ok(result) => result,
            Err(_) => bail!(
                "the clerk has waited {} s for the consultation room of {ticket}",
                PATIENCE.as_secs()
            ),
        }
    }

    /// Ids of all rooms of a ticket that the clerk has been in.
    #[must_use]
    pub fn consultations(&self, ticket: &str) -> Vec<&str> {
        let start = format!("{ticket} ");
        let rooms = self
            .named
            .iter()
            .filter(|(_, name)| name.starts_with(&start));
        rooms.map(|(room_id, _)| room_id.as_str()).collect()
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

    /// Reads on to what `found` finds. What it passes over is not seen again.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&Happening) -> Option<T>,
    ) -> Result<T> {
        let read = async {
            loop {
                while let Some(happening) = self.unread.pop_front() {
                    if let Some(value) = found(&happening) {
                        return anyhow::Ok(value);
                    }
                }
                self.read_on().await?;
            }
        };
        match timeout(PATIENCE, read).await {
            Ok(result) => result,
            Err(_) => bail!("the desk has waited {} s for {what}", PATIENCE.as_secs()),
        }
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

    /// The user that knocks with this ticket: the newest one.
    pub async fn knocker(&self, ticket: &str) -> Result<String> {
        let start = format!("{ticket} ");
        eventually(&format!("the knock of {ticket}"), || async {
            let state = self.clerk.full_state(&self.door).await?;
            let knock = state.into_iter().find(|event| {
                event["type"] == "m.room.member"
                    && event["content"]["membership"] == "knock"
                    && event["content"]["reason"]
                        .as_str()
                        .is_some_and(|reason| reason.starts_with(&start))
            });
            Ok(knock.and_then(|event| Some(event["state_key"].as_str()?.to_owned())))
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

    async fn read_on(&mut self) -> Result<()> {
        let sync = self.syncing.next().await?;
        let rooms: Vec<&str> = sync.joined_rooms().collect();
        for room_id in rooms {
            for event in sync.state(room_id).chain(sync.timeline(room_id)) {
                if event["type"] == "m.room.name"
                    && let Some(name) = event["content"]["name"].as_str()
                {
                    self.named.insert(room_id.to_owned(), name.to_owned());
                }
                self.unread.push_back(Happening {
                    room_id: room_id.to_owned(),
                    event: event.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Somebody's membership in a room that `client` is in.
pub async fn membership(client: &Client, room_id: &str, user_id: &str) -> Result<Option<String>> {
    let Some(content) = client.state(room_id, "m.room.member", user_id).await? else {
        return Ok(None);
    };
    let membership = content["membership"]
        .as_str()
        .context("a membership without its word")?;
    Ok(Some(membership.to_owned()))
}

fn notice(event: &Value, bot: &str) -> Option<String> {
    let content = &event["content"];
    let is_notice = event["sender"] == bot
        && content["msgtype"] == "m.notice"
        && content["m.relates_to"].is_null();
    is_notice.then_some(())?;
    content["body"].as_str().map(str::to_owned)
}
