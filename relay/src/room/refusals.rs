//! What clients are told when something is refused or a stay ends.

use livekit_protocol as proto;
use proto::{
    leave_request::Action,
    request_response::{Reason, Request},
    signal_response::Message,
};

/// The end of a stay; with `again`, clients join anew by themselves.
pub(crate) fn leave(reason: proto::DisconnectReason, again: bool) -> proto::LeaveRequest {
    let action = if again {
        Action::Reconnect
    } else {
        Action::Disconnect
    };
    proto::LeaveRequest {
        can_reconnect: again,
        reason: reason.into(),
        action: action.into(),
        regions: None,
    }
}

/// That a request is not granted, and why.
pub(super) fn refused(reason: Reason, message: &str, request: Option<Request>) -> Message {
    Message::RequestResponse(proto::RequestResponse {
        reason: reason.into(),
        message: message.to_owned(),
        request,
        ..proto::RequestResponse::default()
    })
}

/// That what came was more than may be.
pub(crate) fn limit_exceeded(why: &str) -> Message {
    refused(Reason::LimitExceeded, why, None)
}
