//! The house's own rooms, and what was last published in them.

use bridge::ids::OfficeSlug;
use serde_json::Value;
use sqlx::any::AnyRow;

use crate::{
    Read, Result, StoreError, Tx,
    record::{Record, text},
};

/// A room that lasts: not a consultation room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HouseRoom {
    /// An office's door room.
    Door(OfficeSlug),
    /// The city's space.
    Space,
}

impl HouseRoom {
    fn columns(&self) -> (&'static str, &str) {
        match self {
            Self::Door(slug) => ("door", slug.as_str()),
            Self::Space => ("space", ""),
        }
    }
}

impl Read {
    /// The room id, if the room has been made.
    pub async fn room(&mut self, room: &HouseRoom) -> Result<Option<String>> {
        let (kind, slug) = room.columns();
        let row = self
            .optional(
                sqlx::query("SELECT room_id FROM rooms WHERE kind = $1 AND slug = $2")
                    .bind(kind)
                    .bind(slug),
            )
            .await?;
        row.map(|row| Record::new(&row, "rooms", format!("{kind}/{slug}")).get("room_id"))
            .transpose()
    }

    /// Which of the house's rooms this is.
    pub async fn room_by_id(&mut self, room_id: &str) -> Result<Option<HouseRoom>> {
        let row = self
            .optional(
                sqlx::query("SELECT room_id, kind, slug FROM rooms WHERE room_id = $1")
                    .bind(text(room_id)),
            )
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// All rooms of the house with their ids.
    pub async fn rooms(&mut self) -> Result<Vec<(HouseRoom, String)>> {
        self.all(sqlx::query(
            "SELECT room_id, kind, slug FROM rooms ORDER BY kind, slug",
        ))
        .await?
        .iter()
        .map(|row| {
            let id = Record::keyed(row, "rooms", "room_id").get("room_id")?;
            Ok((read(row)?, id))
        })
        .collect()
    }

    /// The content last published in a room as state of this type (with an empty state key).
    pub async fn published(&mut self, room_id: &str, event_type: &str) -> Result<Option<Value>> {
        let row = self
            .optional(
                sqlx::query(
                    "SELECT room_id, content FROM published_state WHERE room_id = $1 AND type = $2",
                )
                .bind(text(room_id))
                .bind(text(event_type)),
            )
            .await?;
        row.map(|row| {
            let row = Record::keyed(&row, "published_state", "room_id");
            serde_json::from_str(&row.get::<String>("content")?).map_err(|_| row.corrupt("content"))
        })
        .transpose()
    }
}

impl Tx {
    /// Notes the room id, in place of an older one.
    pub async fn set_room(&mut self, room: &HouseRoom, room_id: &str) -> Result<()> {
        let (kind, slug) = room.columns();
        let statement = sqlx::query(
            "INSERT INTO rooms (kind, slug, room_id) VALUES ($1, $2, $3)
             ON CONFLICT (kind, slug) DO UPDATE SET room_id = excluded.room_id",
        )
        .bind(kind)
        .bind(slug)
        .bind(text(room_id));
        self.run(statement).await?;
        Ok(())
    }

    /// Notes what has been published in a room.
    pub async fn set_published(
        &mut self,
        room_id: &str,
        event_type: &str,
        content: &Value,
    ) -> Result<()> {
        let content = serde_json::to_string(content).map_err(|_| StoreError::Corrupt {
            table: "published_state",
            row: room_id.to_owned(),
            column: "content",
        })?;
        let statement = sqlx::query(
            "INSERT INTO published_state (room_id, type, content) VALUES ($1, $2, $3)
             ON CONFLICT (room_id, type) DO UPDATE SET content = excluded.content",
        )
        .bind(text(room_id))
        .bind(text(event_type))
        .bind(content);
        self.run(statement).await?;
        Ok(())
    }

    /// Forgets what has been published in a room: it is gone, or somebody else has changed it.
    pub async fn forget_published(&mut self, room_id: &str) -> Result<()> {
        self.run(sqlx::query("DELETE FROM published_state WHERE room_id = $1").bind(text(room_id)))
            .await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<HouseRoom> {
    let row = Record::keyed(row, "rooms", "room_id");
    match row.get::<String>("kind")?.as_str() {
        "door" => Ok(HouseRoom::Door(row.parse("slug")?)),
        "space" => Ok(HouseRoom::Space),
        _ => Err(row.corrupt("kind")),
    }
}
