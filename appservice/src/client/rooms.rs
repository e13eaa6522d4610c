//! Rooms and their state, aliases and the directory.

use bridge::ids::MatrixUser;
use ruma::{
    OwnedEventId, OwnedRoomId, RoomAliasId, RoomId,
    api::client::{
        alias::{create_alias, delete_alias, get_alias},
        directory::{get_room_visibility, set_room_visibility},
        room::{Visibility, create_room},
        state::{get_state_event_for_key, get_state_events, send_state_event},
    },
    serde::Raw,
};
use serde::Serialize;
use serde_json::{Value, json, value::to_raw_value};

use super::{As, Matrix, MatrixError, user_id};

/// A room to be made. The alias makes the making idempotent: whoever finds it taken uses that room.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRoom {
    /// The alias without `#` and server name.
    pub alias_localpart: String,
    /// The room version: `12`.
    pub version: String,
    /// The room's name.
    pub name: String,
    /// The room's topic, if any.
    pub topic: Option<String>,
    /// `m.space` for a space.
    pub room_type: Option<String>,
    /// The whole content of `m.room.power_levels`.
    pub power_levels: Value,
    /// Further state: type, state key, content.
    pub initial_state: Vec<(String, String, Value)>,
    /// Who is invited from the start.
    pub invite: Vec<MatrixUser>,
}

impl Matrix {
    /// Makes a room as the bot. Fails with `M_ROOM_IN_USE` when the alias is taken.
    pub async fn create_room(&self, room: &CreateRoom) -> Result<OwnedRoomId, MatrixError> {
        let mut request = create_room::v3::Request::new();
        request.preset = Some(create_room::v3::RoomPreset::PrivateChat);
        request.room_alias_name = Some(room.alias_localpart.clone());
        request.room_version =
            Some(
                room.version
                    .as_str()
                    .try_into()
                    .map_err(|_| MatrixError::Invalid {
                        what: "room version",
                    })?,
            );
        request.name = Some(room.name.clone());
        request.topic.clone_from(&room.topic);
        request.power_level_content_override = Some(raw(&room.power_levels)?.cast_unchecked());
        if let Some(room_type) = &room.room_type {
            request.creation_content = Some(raw(&json!({ "type": room_type }))?.cast_unchecked());
        }
        for (event_type, state_key, content) in &room.initial_state {
            let event = json!({ "type": event_type, "state_key": state_key, "content": content });
            request.initial_state.push(raw(&event)?.cast_unchecked());
        }
        request.invite = room.invite.iter().map(user_id).collect::<Result<_, _>>()?;
        Ok(self.call(As::Bot, request).await?.room_id)
    }

    /// The room an alias points to; `None` if it points nowhere.
    pub async fn resolve_alias(
        &self,
        alias: &RoomAliasId,
    ) -> Result<Option<OwnedRoomId>, MatrixError> {
        match self
            .call(As::Bot, get_alias::v3::Request::new(alias.to_owned()))
            .await
        {
            Ok(answer) => Ok(Some(answer.room_id)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets an alias point to this room, wherever it pointed before.
    pub async fn point_alias(&self, alias: &RoomAliasId, room: &RoomId) -> Result<(), MatrixError> {
        match self.resolve_alias(alias).await? {
            Some(target) if target == room => return Ok(()),
            Some(_) => self.delete_alias(alias).await?,
            None => {}
        }
        self.call(
            As::Bot,
            create_alias::v3::Request::new(alias.to_owned(), room.to_owned()),
        )
        .await
        .map(drop)
    }

    /// Takes an alias away. None being there is a success.
    pub async fn delete_alias(&self, alias: &RoomAliasId) -> Result<(), MatrixError> {
        match self
            .call(As::Bot, delete_alias::v3::Request::new(alias.to_owned()))
            .await
        {
            Err(error) if error.is_not_found() => Ok(()),
            other => other.map(drop),
        }
    }

    /// Lists the room in the public directory, or takes it out.
    pub async fn set_listed(&self, room: &RoomId, listed: bool) -> Result<(), MatrixError> {
        let visibility = if listed {
            Visibility::Public
        } else {
            Visibility::Private
        };
        self.call(
            As::Bot,
            set_room_visibility::v3::Request::new(room.to_owned(), visibility),
        )
        .await
        .map(drop)
    }

    /// Whether the room stands in the public directory.
    pub async fn is_listed(&self, room: &RoomId) -> Result<bool, MatrixError> {
        let answer = self
            .call(
                As::Bot,
                get_room_visibility::v3::Request::new(room.to_owned()),
            )
            .await?;
        Ok(answer.visibility == Visibility::Public)
    }

    /// Writes a state event.
    pub async fn put_state<C: Serialize + Sync + ?Sized>(
        &self,
        actor: As<'_>,
        room: &RoomId,
        event_type: &str,
        state_key: &str,
        content: &C,
    ) -> Result<OwnedEventId, MatrixError> {
        let request = send_state_event::v3::Request::new_raw(
            room.to_owned(),
            event_type.into(),
            state_key.to_owned(),
            raw(content)?.cast_unchecked(),
        );
        Ok(self.call(actor, request).await?.event_id)
    }

    /// The content of a state event; `None` if there is none.
    pub async fn state(
        &self,
        room: &RoomId,
        event_type: &str,
        state_key: &str,
    ) -> Result<Option<Value>, MatrixError> {
        let request = get_state_event_for_key::v3::Request::new(
            room.to_owned(),
            event_type.into(),
            state_key.to_owned(),
        );
        match self.call(As::Bot, request).await {
            Ok(answer) => serde_json::from_str(answer.event_or_content.get())
                .map(Some)
                .map_err(|_| MatrixError::Malformed {
                    what: "state event".to_owned(),
                }),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All state events, whole, as JSON objects.
    pub async fn full_state(&self, room: &RoomId) -> Result<Vec<Value>, MatrixError> {
        let answer = self
            .call(As::Bot, get_state_events::v3::Request::new(room.to_owned()))
            .await?;
        Ok(answer
            .room_state
            .iter()
            .filter_map(|event| serde_json::from_str(event.json().get()).ok())
            .collect())
    }
}

fn raw<C: Serialize + ?Sized>(content: &C) -> Result<Raw<Value>, MatrixError> {
    to_raw_value(content)
        .map(Raw::from_json)
        .map_err(|_| MatrixError::Invalid { what: "content" })
}
