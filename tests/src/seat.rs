//! A clerk at the door of an office, as Element lets her work: she sees what her sync brings, approves by inviting,
//! and types commands.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::{client::Client, sync::Syncing, world::World};

/// Long: parallel tests share the machine. A test that passes never waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// An event, and the room it is in.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The room's id.
    pub room: String,
    /// The event as the sync had it.
    pub event: Value,
}

/// A clerk with everything she has seen since she sat down.
#[derive(Debug)]
pub struct Seat {
    /// The clerk.
    pub clerk: Client,
    /// The office's door room.
    pub door: String,
    syncing: Syncing,
    heard: Vec<Heard>,
}

impl Seat {
    /// `clerk` (`anna`) sits down at the door of `office` (`gewerbe`), as soon as the room is in service and she
    /// is in it.
    pub async fn at(world: &World, clerk: &str, office: &str) -> Result<Self> {
        let clerk = world.clerk(clerk)?.clone();
        let server_name = world.site.homeserver.server_name();
        let alias = format!("#buero-{office}:{server_name}");
        let deadline = Instant::now() + PATIENCE;
        let door = loop {
            if let Ok(room) = clerk.resolve(&alias).await
                && let Ok(Some(_)) = clerk.state(&room, "org.vorzimmer.occupancy", "").await
            {
                break room;
            }
            if Instant::now() > deadline {
                bail!("{} does not get into {alias}", clerk.user_id());
            }
            sleep(Duration::from_millis(100)).await;
        };
        let mut syncing = clerk.syncing();
        // What has been before is not news.
        syncing.next().await?;
        Ok(Self {
            clerk,
            door,
            syncing,
            heard: Vec::new(),
        })
    }

    /// Types into the door room: `!weiter`.
    pub async fn types(&self, line: &str) -> Result<String> {
        self.clerk.send_text(&self.door, line).await
    }

    /// Goes on duty, and waits for the word that she is.
    pub async fn on_duty(&mut self) -> Result<()> {
        self.types("!dienst an").await?;
        self.reads("Dienst").await
    }

    /// Waits until the bot has written `text` in the door room.
    pub async fn reads(&mut self, text: &str) -> Result<()> {
        let (door, own) = (self.door.clone(), self.clerk.user_id().to_owned());
        self.sees(text, |heard| {
            heard.room == door && heard.event["sender"] != own && body(heard).contains(text)
        })
        .await
        .map(drop)
    }

    /// The first event that fits, of those seen and those to come; `what` names it in the error of the one who
    /// waits in vain.
    pub async fn sees(&mut self, what: &str, fits: impl Fn(&Heard) -> bool) -> Result<Heard> {
        let follow = async {
            let mut known = 0;
            loop {
                if let Some(heard) = self.heard[known..].iter().find(|heard| fits(heard)) {
                    return Ok(heard.clone());
                }
                known = self.heard.len();
                self.follow().await?;
            }
        };
        match timeout(PATIENCE, follow).await {
            Ok(found) => found,
            Err(_) => bail!(
                "{} has waited {} s for {what}",
                self.clerk.user_id(),
                PATIENCE.as_secs()
            ),
        }
    }

    /// What she has seen so far.
    #[must_use]
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// The knock of `ticket`: its membership event, whose `state_key` is the ghost.
    pub async fn sees_knock(&mut self, ticket: &str) -> Result<Value> {
        let door = self.door.clone();
        let knock = self
            .sees(
                &format!("the knock of {ticket}"),
                |Heard { room, event }| {
                    let content = &event["content"];
                    *room == door
                        && content["membership"] == "knock"
                        && content["reason"]
                            .as_str()
                            .is_some_and(|reason| reason.starts_with(ticket))
                },
            )
            .await?;
        Ok(knock.event)
    }

    /// Element's *Approve* of the knock of `ticket`. Returns the ghost.
    pub async fn approves(&mut self, ticket: &str) -> Result<String> {
        let knock = self.sees_knock(ticket).await?;
        let ghost = knock["state_key"].as_str().context("a knock of nobody")?;
        self.clerk
            .invite(&self.door, ghost)
            .await?
            .success("approving")?;
        Ok(ghost.to_owned())
    }

    /// The consultation room of `ticket`, as soon as she is in it.
    pub async fn consultation(&mut self, ticket: &str) -> Result<String> {
        let room = self
            .sees(
                &format!("the consultation room of {ticket}"),
                |Heard { event, .. }| {
                    event["type"] == "m.room.name"
                        && event["content"]["name"]
                            .as_str()
                            .is_some_and(|name| name.starts_with(ticket))
                },
            )
            .await?;
        Ok(room.room)
    }

    /// The first message in `room` whose text contains `text`.
    pub async fn sees_message(&mut self, room: &str, text: &str) -> Result<Value> {
        let heard = self
            .sees(&format!("{text:?}"), |heard| {
                heard.room == room
                    && heard.event["type"] == "m.room.message"
                    && body(heard).contains(text)
            })
            .await?;
        Ok(heard.event)
    }

    async fn follow(&mut self) -> Result<()> {
        let sync = self.syncing.next().await?;
        let rooms = sync.json()["rooms"]["join"].as_object();
        for (room, part) in rooms.into_iter().flatten() {
            for kind in ["state", "timeline", "ephemeral"] {
                let events = part[kind]["events"].as_array();
                self.heard
                    .extend(events.into_iter().flatten().map(|event| Heard {
                        room: room.clone(),
                        event: event.clone(),
                    }));
            }
        }
        Ok(())
    }
}

fn body(heard: &Heard) -> &str {
    heard.event["content"]["body"].as_str().unwrap_or_default()
}
