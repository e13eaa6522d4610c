//! Compares a room with what it must be like. Pure.

use std::collections::BTreeMap;

use bridge::ids::MatrixUser;
use serde_json::{Value, json};

use super::{Desired, Problem, power};
use crate::client::Membership;

/// A room's current state, as the homeserver tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    state: BTreeMap<(String, String), Value>,
    creators: Vec<MatrixUser>,
}

impl Snapshot {
    /// Reads state events; what cannot be read is left out.
    #[must_use]
    pub fn new(events: &[Value]) -> Self {
        let mut snapshot = Self::default();
        for event in events {
            let (Some(event_type), Some(key)) =
                (event["type"].as_str(), event["state_key"].as_str())
            else {
                continue;
            };
            if event_type == "m.room.create" {
                let more = event["content"]["additional_creators"].as_array();
                snapshot.creators = std::iter::once(&event["sender"])
                    .chain(more.into_iter().flatten())
                    .filter_map(|user| user.as_str()?.parse().ok())
                    .collect();
            }
            snapshot.state.insert(
                (event_type.to_owned(), key.to_owned()),
                event["content"].clone(),
            );
        }
        snapshot
    }

    fn content(&self, event_type: &str, key: &str) -> Option<&Value> {
        // Emptied state counts as none.
        self.state
            .get(&(event_type.to_owned(), key.to_owned()))
            .filter(|content| content.as_object().is_some_and(|map| !map.is_empty()))
    }

    /// A user's membership; [`Membership::Leave`] for strangers.
    #[must_use]
    pub fn membership(&self, user: &MatrixUser) -> Membership {
        self.content("m.room.member", user.as_str())
            .and_then(|content| content["membership"].as_str()?.parse().ok())
            .unwrap_or(Membership::Leave)
    }

    /// Whether the room can go on as ours: the bot is in it and nothing has replaced it.
    #[must_use]
    pub fn is_usable(&self, bot: &MatrixUser) -> bool {
        self.membership(bot) == Membership::Join && self.content("m.room.tombstone", "").is_none()
    }

    /// The room version; rooms without one are of version 1.
    #[must_use]
    pub fn version(&self) -> &str {
        self.content("m.room.create", "")
            .and_then(|content| content["room_version"].as_str())
            .unwrap_or("1")
    }

    fn power_levels(&self) -> &Value {
        self.content("m.room.power_levels", "")
            .unwrap_or(&Value::Null)
    }

    fn is_ruled_by(&self, bot: &MatrixUser) -> bool {
        if power::creators_rule(self.version()) && self.creators.contains(bot) {
            return true;
        }
        power::users(self.power_levels())
            .iter()
            .any(|(user, level)| user == bot && *level >= power::BOT)
    }
}

/// One step to make a room right.
#[derive(Debug, Clone, PartialEq)]
pub enum Repair {
    /// Write a state event.
    Put {
        /// Its type.
        event_type: String,
        /// Its state key.
        state_key: String,
        /// Its content.
        content: Value,
    },
    /// Invite somebody.
    Invite(MatrixUser),
    /// Put somebody out.
    Kick(MatrixUser),
    /// Nothing can be done from here.
    Report(Problem),
}

impl Repair {
    /// What is wrong as long as the step is not taken.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Put { event_type, .. } if event_type == "m.room.power_levels" => {
                Problem::PowerLevels
            }
            Self::Put {
                event_type,
                state_key,
                ..
            } => Problem::State {
                event_type: event_type.clone(),
                state_key: state_key.clone(),
            },
            Self::Invite(user) => Problem::ClerkMissing(user.clone()),
            Self::Kick(user) => Problem::FormerClerk(user.clone()),
            Self::Report(problem) => problem.clone(),
        }
    }
}

/// The steps that make `actual` what is `desired`, in the order in which they must be taken.
#[must_use]
pub fn plan(actual: &Snapshot, desired: &Desired, bot: &MatrixUser) -> Vec<Repair> {
    let mut repairs = Vec::new();
    if actual.content("m.room.encryption", "").is_some() {
        repairs.push(Repair::Report(Problem::Encrypted));
    }
    if !actual.is_ruled_by(bot) {
        // Every further step would be refused.
        repairs.push(Repair::Report(Problem::Powerless));
        return repairs;
    }
    // Putting former clerks out comes before taking their power: the power levels are what tells us
    // who they were, should this stop half-way.
    if desired.evict_former {
        repairs.extend(former_clerks(actual, desired, bot).map(Repair::Kick));
    }
    let levels = desired.power_levels(bot, actual.version());
    if !power::same(actual.power_levels(), &levels) {
        repairs.push(put("m.room.power_levels", "", levels));
    }
    for ((event_type, key), content) in &desired.state {
        let is_right = actual
            .content(event_type, key)
            .is_some_and(|found| covers(event_type, found, content));
        if !is_right {
            repairs.push(put(event_type, key, content.clone()));
        }
    }
    for (event_type, key) in actual.state.keys() {
        let is_stray = desired.only_listed.contains(event_type)
            && !desired
                .state
                .contains_key(&(event_type.clone(), key.clone()))
            && actual.content(event_type, key).is_some();
        if is_stray {
            repairs.push(put(event_type, key, json!({})));
        }
    }
    for user in &desired.invited {
        match actual.membership(user) {
            Membership::Join | Membership::Invite => {}
            Membership::Leave | Membership::Knock => repairs.push(Repair::Invite(user.clone())),
            Membership::Ban => repairs.push(Repair::Report(Problem::ClerkBanned(user.clone()))),
        }
    }
    repairs
}

fn former_clerks<'a>(
    actual: &'a Snapshot,
    desired: &'a Desired,
    bot: &'a MatrixUser,
) -> impl Iterator<Item = MatrixUser> + 'a {
    power::users(actual.power_levels())
        .into_iter()
        .filter(|(_, level)| *level > 0)
        .map(|(user, _)| user)
        .filter(move |user| {
            user != bot
                && !desired.clerks.contains(user)
                && !actual.creators.contains(user)
                && !actual.membership(user).is_out()
        })
}

/// Whether what was found says what is wanted. The homeserver adds to the specification's own events
/// (`m.topic` beside `topic`); ours must be equal.
fn covers(event_type: &str, found: &Value, wanted: &Value) -> bool {
    if !event_type.starts_with("m.room.") {
        return found == wanted;
    }
    wanted.as_object().is_some_and(|wanted| {
        wanted
            .iter()
            .all(|(key, value)| found.get(key) == Some(value))
    })
}

fn put(event_type: &str, state_key: &str, content: Value) -> Repair {
    Repair::Put {
        event_type: event_type.to_owned(),
        state_key: state_key.to_owned(),
        content,
    }
}
