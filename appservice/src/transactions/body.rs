//! A transaction's body. Each event stays raw: what it says is read later, by [`crate::event`].

use bridge::ids::MatrixUser;
use ruma::{OwnedEventId, OwnedRoomId};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{Ephemeral, IncomingEvent, Transaction};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    NotJson,
    BadJson,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(borrow, default, alias = "de.sorunome.msc2409.ephemeral")]
    ephemeral: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct EventIds {
    event_id: OwnedEventId,
    room_id: OwnedRoomId,
}

#[derive(Deserialize)]
struct RawEphemeral {
    r#type: String,
    room_id: OwnedRoomId,
    content: Map<String, Value>,
}

/// The transaction and how many of its events cannot be read.
pub(super) fn read(bytes: &[u8]) -> Result<(Transaction, u64), Unreadable> {
    let body: Body = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            Unreadable::BadJson
        } else {
            Unreadable::NotJson
        }
    })?;
    let mut skipped = 0;
    let mut events = Vec::with_capacity(body.events.len());
    for raw in body.events {
        match serde_json::from_str::<EventIds>(raw.get()) {
            Ok(ids) => events.push(IncomingEvent {
                event_id: ids.event_id,
                room_id: ids.room_id,
                json: raw.get().to_owned(),
            }),
            Err(_) => skipped += 1,
        }
    }
    let ephemeral = body
        .ephemeral
        .into_iter()
        .filter_map(|raw| serde_json::from_str::<RawEphemeral>(raw.get()).ok())
        .flat_map(ephemeral)
        .collect();
    let transaction = Transaction { events, ephemeral };
    Ok((transaction, skipped))
}

fn ephemeral(raw: RawEphemeral) -> Vec<Ephemeral> {
    match raw.r#type.as_str() {
        "m.typing" => vec![Ephemeral::Typing {
            users: raw
                .content
                .get("user_ids")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|user| user.as_str()?.parse().ok())
                .collect(),
            room: raw.room_id,
        }],
        "m.receipt" => receipts(&raw),
        _ => Vec::new(),
    }
}

/// `{"$event": {"m.read": {"@user": {…}}}}`.
fn receipts(raw: &RawEphemeral) -> Vec<Ephemeral> {
    let mut found = Vec::new();
    for (event, kinds) in &raw.content {
        let (Ok(event), Some(readers)) = (
            OwnedEventId::try_from(event.as_str()),
            kinds.get("m.read").and_then(Value::as_object),
        ) else {
            continue;
        };
        for user in readers.keys() {
            if let Ok(user) = user.parse::<MatrixUser>() {
                found.push(Ephemeral::Receipt {
                    room: raw.room_id.clone(),
                    event: event.clone(),
                    user,
                });
            }
        }
    }
    found
}
