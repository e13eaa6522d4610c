//! The messages of a conversation, and a guest's files until the homeserver has them.

use std::fmt;

use bridge::ids::VisitId;
use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::{
    Read, Result, Tx,
    record::{Record, millis, text, words},
    unit::Statement,
};

/// At most so many messages are read at once.
const PAGE: u32 = 500;

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The guest of the visit.
    Guest,
    /// A clerk, an interpreter or a companion in Matrix, or a visitor with an own account.
    Participant,
    /// The office itself.
    Office,
}
words!(Author { Guest = "guest", Participant = "participant", Office = "office" });

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// On its way to the homeserver.
    Sending,
    /// In the consultation room.
    Delivered,
    /// Given up.
    Failed,
}
words!(Delivery { Sending = "sending", Delivered = "delivered", Failed = "failed" });

/// A file of a message.
#[derive(Clone, PartialEq, Eq)]
pub struct FileMeta {
    /// Its name. Personal.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// A checked media type.
    pub media_type: String,
    /// Where the homeserver has it (`mxc://…`); `None` until it is uploaded.
    pub mxc: Option<String>,
}

impl fmt::Debug for FileMeta {
    /// A file's name never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileMeta")
            .field("size", &self.size)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

/// A message to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The conversation.
    pub visit: VisitId,
    /// The guest client's own id of it; unique in the visit.
    pub client_id: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// The author's display name, if it is a participant. Personal.
    pub author_name: Option<String>,
    /// When.
    pub sent_at: Timestamp,
    /// Plain text; for a file its caption or empty.
    pub body: String,
    /// The file, if it is one.
    pub file: Option<FileMeta>,
    /// Where it is.
    pub delivery: Delivery,
    /// Its Matrix event, if it came from there. Unique.
    pub event_id: Option<String>,
}

impl fmt::Debug for NewMessage {
    /// Words never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMessage")
            .field("visit", &self.visit)
            .field("author", &self.author)
            .field("delivery", &self.delivery)
            .field("event_id", &self.event_id)
            .finish_non_exhaustive()
    }
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Rises with each message of the installation: order and cursor.
    pub id: i64,
    /// All the rest.
    pub content: NewMessage,
}

/// What [`Tx::insert_message`] found or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inserted {
    /// The message as it is stored.
    pub message: Message,
    /// `false`: it was there before, and is unchanged.
    pub fresh: bool,
}

/// `SELECT` all of a message …
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, visit, client_id, author, author_name, sent_at, body, file_name, file_size, \
             file_type, file_mxc, delivery, event_id FROM messages ",
            $rest
        )
    };
}

impl Read {
    /// Messages after the one with id `after` (0: all), in order, at most 500.
    pub async fn messages(&mut self, visit: &VisitId, after: i64) -> Result<Vec<Message>> {
        self.all(
            sqlx::query(select!("WHERE visit = $1 AND id > $2 ORDER BY id LIMIT $3"))
                .bind(visit.as_str())
                .bind(after)
                .bind(i64::from(PAGE)),
        )
        .await?
        .iter()
        .map(read)
        .collect()
    }

    /// One message of a visit.
    pub async fn message(&mut self, visit: &VisitId, id: i64) -> Result<Option<Message>> {
        let statement = sqlx::query(select!("WHERE visit = $1 AND id = $2"))
            .bind(visit.as_str())
            .bind(id);
        self.one_message(statement).await
    }

    /// The message that the guest's client knows under this id.
    pub async fn message_of_client(
        &mut self,
        visit: &VisitId,
        client_id: &str,
    ) -> Result<Option<Message>> {
        let statement = sqlx::query(select!("WHERE visit = $1 AND client_id = $2"))
            .bind(visit.as_str())
            .bind(text(client_id));
        self.one_message(statement).await
    }

    /// The message of a Matrix event.
    pub async fn message_of_event(&mut self, event_id: &str) -> Result<Option<Message>> {
        let statement = sqlx::query(select!("WHERE event_id = $1")).bind(text(event_id));
        self.one_message(statement).await
    }

    /// The bytes of a guest's file, as long as the homeserver does not have them.
    pub async fn blob(&mut self, message: i64) -> Result<Option<Vec<u8>>> {
        let row = self
            .optional(
                sqlx::query("SELECT message, bytes FROM blobs WHERE message = $1").bind(message),
            )
            .await?;
        row.map(|row| Record::keyed(&row, "blobs", "message").get("bytes"))
            .transpose()
    }

    async fn one_message(&mut self, statement: Statement<'_>) -> Result<Option<Message>> {
        self.optional(statement)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }
}

impl Tx {
    /// Stores a message, or finds the one that has the same client id in the visit, or the same event id.
    pub async fn insert_message(&mut self, new: NewMessage) -> Result<Inserted> {
        let mut known = None;
        if let Some(client_id) = &new.client_id {
            known = self.message_of_client(&new.visit, client_id).await?;
        }
        if let (None, Some(event_id)) = (&known, &new.event_id) {
            known = self.message_of_event(event_id).await?;
        }
        if let Some(message) = known {
            return Ok(Inserted {
                message,
                fresh: false,
            });
        }
        let content = clean(new);
        let id = self.next_number("messages").await?;
        let file = content.file.as_ref();
        let statement = sqlx::query(
            "INSERT INTO messages (id, visit, client_id, author, author_name, sent_at, body, file_name, \
             file_size, file_type, file_mxc, delivery, event_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(id)
        .bind(content.visit.as_str())
        .bind(content.client_id.as_deref())
        .bind(content.author.word())
        .bind(content.author_name.as_deref())
        .bind(millis(content.sent_at))
        .bind(content.body.as_str())
        .bind(file.map(|file| file.name.as_str()))
        .bind(file.map(|file| i64::try_from(file.size).unwrap_or(i64::MAX)))
        .bind(file.map(|file| file.media_type.as_str()))
        .bind(file.and_then(|file| file.mxc.as_deref()))
        .bind(content.delivery.word())
        .bind(content.event_id.as_deref());
        self.run(statement).await?;
        Ok(Inserted {
            message: Message { id, content },
            fresh: true,
        })
    }

    /// Sets where a message is, and its event if it has one by now. Whether there was such a message.
    pub async fn set_delivery(
        &mut self,
        message: i64,
        delivery: Delivery,
        event_id: Option<&str>,
    ) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE messages SET delivery = $2, event_id = COALESCE($3, event_id) WHERE id = $1",
        )
        .bind(message)
        .bind(delivery.word())
        .bind(event_id.map(text));
        Ok(self.run(statement).await? == 1)
    }

    /// Sets where the homeserver has a message's file. Whether there was such a message.
    pub async fn set_mxc(&mut self, message: i64, mxc: &str) -> Result<bool> {
        let statement = sqlx::query(
            "UPDATE messages SET file_mxc = $2 WHERE id = $1 AND file_name IS NOT NULL",
        )
        .bind(message)
        .bind(text(mxc));
        Ok(self.run(statement).await? == 1)
    }

    /// Keeps the bytes of a message's file until [`Tx::delete_blob`]. The same again is no error.
    pub async fn put_blob(&mut self, message: i64, bytes: &[u8]) -> Result<()> {
        let statement = sqlx::query(
            "INSERT INTO blobs (message, bytes) VALUES ($1, $2)
             ON CONFLICT (message) DO UPDATE SET bytes = excluded.bytes",
        )
        .bind(message)
        .bind(bytes);
        self.run(statement).await?;
        Ok(())
    }

    /// Drops the bytes of a message's file: the homeserver has them, or they have been given up.
    pub async fn delete_blob(&mut self, message: i64) -> Result<()> {
        self.run(sqlx::query("DELETE FROM blobs WHERE message = $1").bind(message))
            .await?;
        Ok(())
    }

    /// Erases all messages of a visit, and files not yet uploaded. How many messages there were.
    pub async fn erase_messages(&mut self, visit: &VisitId) -> Result<u64> {
        self.run(sqlx::query("DELETE FROM messages WHERE visit = $1").bind(visit.as_str()))
            .await
    }
}

fn clean(new: NewMessage) -> NewMessage {
    NewMessage {
        client_id: new.client_id.as_deref().map(text),
        author_name: new.author_name.as_deref().map(text),
        sent_at: Timestamp::from_millisecond(millis(new.sent_at)).unwrap_or(new.sent_at),
        body: text(&new.body),
        file: new.file.map(|file| FileMeta {
            name: text(&file.name),
            size: file.size,
            media_type: text(&file.media_type),
            mxc: file.mxc.as_deref().map(text),
        }),
        event_id: new.event_id.as_deref().map(text),
        ..new
    }
}

fn read(row: &AnyRow) -> Result<Message> {
    let row = Record::keyed(row, "messages", "id");
    let file = row
        .get::<Option<String>>("file_name")?
        .map(|name| {
            Ok::<_, crate::StoreError>(FileMeta {
                name,
                size: row.number("file_size")?,
                media_type: row.get("file_type")?,
                mxc: row.get("file_mxc")?,
            })
        })
        .transpose()?;
    Ok(Message {
        id: row.get("id")?,
        content: NewMessage {
            visit: row.parse("visit")?,
            client_id: row.get("client_id")?,
            author: row.parse("author")?,
            author_name: row.get("author_name")?,
            sent_at: row.time("sent_at")?,
            body: row.get("body")?,
            file,
            delivery: row.parse("delivery")?,
            event_id: row.get("event_id")?,
        },
    })
}
