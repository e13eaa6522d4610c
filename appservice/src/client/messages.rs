//! Events that are not state. The same transaction id again gives the same event (per sender).

use ruma::{
    EventId, OwnedEventId, OwnedTransactionId, RoomId,
    api::client::{message::send_message_event, redact::redact_event},
    events::MessageLikeEventType,
    serde::Raw,
};
use serde_json::{Value, value::to_raw_value};

use super::{As, Matrix, MatrixError};

impl Matrix {
    /// Sends an `m.room.message` and returns its event id.
    pub async fn send(
        &self,
        actor: As<'_>,
        room: &RoomId,
        txn: &str,
        content: &Value,
    ) -> Result<OwnedEventId, MatrixError> {
        let request = send_message_event::v3::Request::new_raw(
            room.to_owned(),
            OwnedTransactionId::from(txn),
            MessageLikeEventType::RoomMessage,
            Raw::from_json(
                to_raw_value(content).map_err(|_| MatrixError::Invalid { what: "content" })?,
            ),
        );
        Ok(self.call(actor, request).await?.event_id)
    }

    /// Redacts an event. Redacting it again is a success.
    pub async fn redact(
        &self,
        actor: As<'_>,
        room: &RoomId,
        event: &EventId,
        txn: &str,
    ) -> Result<(), MatrixError> {
        let request = redact_event::v3::Request::new(room.to_owned(), event.to_owned(), txn.into());
        self.call(actor, request).await.map(drop)
    }
}
