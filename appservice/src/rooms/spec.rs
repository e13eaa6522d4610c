//! What our rooms must be like.

use std::collections::{BTreeMap, BTreeSet};

use bridge::ids::{MatrixUser, OfficeSlug, VisitId};
use ruma::{OwnedRoomId, RoomId, ServerName};
use serde_json::{Value, json};

use super::power::{self, House};
use crate::{client::CreateRoom, client::NAMESPACE, registration::OFFICE_ALIAS, types};

/// The version of rooms we make: its creator, the bot, rules without standing in the power levels.
pub const ROOM_VERSION: &str = "12";

/// The local name of the city's space.
pub const SPACE_ALIAS: &str = "buero-stadt";

/// An office's door room.
#[derive(Debug, Clone, PartialEq)]
pub struct DoorSpec {
    /// Which office; decides the alias `#buero-<slug>`.
    pub slug: OfficeSlug,
    /// The room's name.
    pub name: String,
    /// The topic, where it is not kept by [`crate::jobs::Job::Publish`].
    pub topic: Option<String>,
    /// The office's clerks.
    pub clerks: BTreeSet<MatrixUser>,
    /// The content of `org.vorzimmer.office`.
    pub office: Value,
    /// Whether the room stands in the public directory.
    pub listed: bool,
}

/// The city's space: the door rooms in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceSpec {
    /// The city's name.
    pub name: String,
    /// One sentence, if any.
    pub topic: Option<String>,
    /// Whether the space stands in the public directory.
    pub listed: bool,
}

/// A visit's consultation room.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsultationSpec {
    /// Which visit; decides the alias, which makes the making idempotent.
    pub visit: VisitId,
    /// Ticket and office: no personal data.
    pub name: String,
    /// The clerk who called.
    pub clerk: MatrixUser,
    /// The visitor: a ghost, or somebody with an own account.
    pub visitor: MatrixUser,
}

impl std::fmt::Debug for ConsultationSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsultationSpec")
            .field("visit", &self.visit)
            .finish_non_exhaustive()
    }
}

/// A consultation room that is made before anybody is called: the bot is alone in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedSpec {
    /// Which visit it will be for; decides the alias by which [`ConsultationSpec`] finds it again.
    pub visit: VisitId,
    /// Appointment and office: no personal data.
    pub name: String,
}

/// What a room must be like. Made from a specification; compared by [`super::plan`].
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// The alias without `#` and server name.
    pub alias_localpart: String,
    /// State contents by type and state key.
    pub state: BTreeMap<(String, String), Value>,
    /// Types of which no other state keys may have content.
    pub only_listed: BTreeSet<String>,
    /// Who has a clerk's power.
    pub clerks: BTreeSet<MatrixUser>,
    /// Who must be in the room or invited.
    pub invited: BTreeSet<MatrixUser>,
    /// Whether somebody with power who is no clerk is put out.
    pub evict_former: bool,
    /// Whether the room stands in the public directory.
    pub listed: bool,
    /// `m.space` for a space.
    room_type: Option<String>,
    house: House,
}

impl Desired {
    /// The request that makes the room.
    pub(super) fn creation(&self, bot: &MatrixUser) -> CreateRoom {
        let text = |event_type: &str, key: &str| {
            self.state
                .get(&(event_type.to_owned(), String::new()))
                .and_then(|content| content[key].as_str())
                .map(str::to_owned)
        };
        CreateRoom {
            alias_localpart: self.alias_localpart.clone(),
            version: ROOM_VERSION.to_owned(),
            name: text("m.room.name", "name").unwrap_or_default(),
            topic: text("m.room.topic", "topic"),
            room_type: self.room_type.clone(),
            power_levels: self.power_levels(bot, ROOM_VERSION),
            initial_state: self
                .state
                .iter()
                .filter(|((event_type, _), _)| {
                    !matches!(
                        event_type.as_str(),
                        "m.room.name" | "m.room.topic" | "m.room.canonical_alias"
                    )
                })
                .map(|((event_type, key), content)| {
                    (event_type.clone(), key.clone(), content.clone())
                })
                .collect(),
            invite: Vec::new(),
        }
    }

    /// The content of `m.room.power_levels` in a room of this version.
    pub(super) fn power_levels(&self, bot: &MatrixUser, version: &str) -> Value {
        power::content(self.house, &self.clerks, bot, version)
    }

    fn new(house: House, alias_localpart: String, server: &ServerName, name: &str) -> Self {
        let mut desired = Self {
            state: BTreeMap::new(),
            only_listed: BTreeSet::new(),
            clerks: BTreeSet::new(),
            invited: BTreeSet::new(),
            evict_former: false,
            listed: false,
            room_type: None,
            house,
            alias_localpart,
        };
        desired.set("m.room.name", json!({ "name": name }));
        desired.set(
            "m.room.guest_access",
            json!({ "guest_access": "forbidden" }),
        );
        let alias = format!("#{}:{server}", desired.alias_localpart);
        desired.set("m.room.canonical_alias", json!({ "alias": alias }));
        desired
    }

    fn set(&mut self, event_type: &str, content: Value) {
        self.set_key(event_type, "", content);
    }

    fn set_key(&mut self, event_type: &str, state_key: &str, content: Value) {
        self.state
            .insert((event_type.to_owned(), state_key.to_owned()), content);
    }
}

impl DoorSpec {
    /// The local name of the door's alias.
    #[must_use]
    pub fn alias_localpart(&self) -> String {
        format!("{OFFICE_ALIAS}{}", self.slug)
    }

    /// What the door room must be like, inside the city's space.
    #[must_use]
    pub fn desired(&self, server: &ServerName, space: Option<&RoomId>) -> Desired {
        let mut desired = Desired::new(House::Door, self.alias_localpart(), server, &self.name);
        if let Some(topic) = &self.topic {
            desired.set("m.room.topic", json!({ "topic": topic }));
        }
        // `knock`, not `knock_restricted`: Element shows nothing for the latter.
        desired.set("m.room.join_rules", json!({ "join_rule": "knock" }));
        // Knock reasons and announcements must not be read by later members.
        desired.set(
            "m.room.history_visibility",
            json!({ "history_visibility": "joined" }),
        );
        desired.set(types::OFFICE, self.office.clone());
        if let Some(space) = space {
            desired.set_key(
                "m.space.parent",
                space.as_str(),
                json!({ "via": [server], "canonical": true }),
            );
            desired.only_listed.insert("m.space.parent".to_owned());
        }
        desired.clerks.clone_from(&self.clerks);
        desired.invited.clone_from(&self.clerks);
        desired.evict_former = true;
        desired.listed = self.listed;
        desired
    }
}

impl SpaceSpec {
    /// What the space must be like, with the doors in their order.
    #[must_use]
    pub fn desired(&self, server: &ServerName, doors: &[OwnedRoomId]) -> Desired {
        let alias = SPACE_ALIAS.to_owned();
        let mut desired = Desired::new(House::Space, alias, server, &self.name);
        desired.room_type = Some("m.space".to_owned());
        if let Some(topic) = &self.topic {
            desired.set("m.room.topic", json!({ "topic": topic }));
        }
        desired.set("m.room.join_rules", json!({ "join_rule": "public" }));
        desired.set(
            "m.room.history_visibility",
            json!({ "history_visibility": "shared" }),
        );
        for (place, door) in doors.iter().enumerate() {
            desired.set_key(
                "m.space.child",
                door.as_str(),
                json!({ "via": [server], "order": format!("{place:04}"), "suggested": true }),
            );
        }
        desired.only_listed.insert("m.space.child".to_owned());
        desired.listed = self.listed;
        desired
    }
}

impl ConsultationSpec {
    /// What the consultation room must be like.
    #[must_use]
    pub fn desired(&self, server: &ServerName) -> Desired {
        let mut desired = consultation(&self.visit, &self.name, server);
        desired.clerks.insert(self.clerk.clone());
        desired
            .invited
            .extend([self.clerk.clone(), self.visitor.clone()]);
        desired
    }
}

impl PreparedSpec {
    /// What the room must be like until somebody is called.
    #[must_use]
    pub fn desired(&self, server: &ServerName) -> Desired {
        consultation(&self.visit, &self.name, server)
    }
}

/// The local name of the alias of a visit's room.
pub(super) fn consultation_alias(visit: &VisitId) -> String {
    format!("{NAMESPACE}{visit}")
}

/// A visit's room, with nobody in it yet.
fn consultation(visit: &VisitId, name: &str, server: &ServerName) -> Desired {
    let alias = consultation_alias(visit);
    let mut desired = Desired::new(House::Consultation, alias, server, name);
    desired.set("m.room.join_rules", json!({ "join_rule": "invite" }));
    // From the invite on: the first message is there when the visitor comes in, and nothing older.
    desired.set(
        "m.room.history_visibility",
        json!({ "history_visibility": "invited" }),
    );
    desired
}
