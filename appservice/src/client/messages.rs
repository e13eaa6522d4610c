//! Events that are not state. The same transaction id again gives the same event (per sender).

use ruma::{
    EventId, OwnedEventId, OwnedTransactionId, RoomId,
    api::{
        OutgoingRequest,
        auth_scheme::{AuthScheme, SendAccessToken},
        client::{message::send_message_event, redact::redact_event},
    },
    events::MessageLikeEventType,
    serde::Raw,
};
use serde_json::{Value, value::to_raw_value};

use super::{As, Matrix, MatrixError, http::KnownPath};

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
        Ok(self.call_once(actor, request).await?.event_id)
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
        self.call_once(actor, request).await.map(drop)
    }

    /// Sends a request with a transaction id, which has one effect however often it is repeated, also when the
    /// homeserver has been restarted in between. An actor that has no device yet gets it.
    async fn call_once<R>(
        &self,
        actor: As<'_>,
        request: R,
    ) -> Result<R::IncomingResponse, MatrixError>
    where
        R: OutgoingRequest + Clone,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
        R::PathBuilder: KnownPath,
    {
        match self.call_from_device(actor, request.clone()).await {
            Err(error) if error.is("M_UNKNOWN_DEVICE") => {
                self.make_device(actor).await?;
                self.call_from_device(actor, request).await
            }
            other => other,
        }
    }
}
