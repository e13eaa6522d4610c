//! A ghost's membership of the room's call: written so that the homeserver takes it back by itself when nobody says
//! any more that the guest is there.

use bridge::ids::MatrixUser;
use ruma::{EventId, RoomId};
use serde_json::{Value, json};

use super::Effect;
use crate::{
    client::{As, DelayedEvent, Matrix, MatrixError, rtc::Action},
    rtc::{self, Form, LEAVE_AFTER, STICKY_FOR},
    types,
};

/// A ghost's place in the call of a room.
pub(super) struct Place<'a> {
    pub(super) room: &'a RoomId,
    pub(super) ghost: &'a MatrixUser,
    pub(super) service_url: &'a str,
    pub(super) form: Form,
}

impl Place<'_> {
    /// The way out is laid before the ghost goes in: a crash in between leaves nobody behind.
    pub(super) async fn join(
        &self,
        matrix: &Matrix,
        ring: Option<&MatrixUser>,
        txn: &str,
    ) -> Result<Effect, MatrixError> {
        let Self {
            room,
            ghost,
            service_url,
            form,
        } = *self;
        let mut waiting = waiting(matrix, room, ghost).await?;
        let mut leaves = Vec::new();
        let key = rtc::state_key(ghost);
        let kept = keep(matrix, ghost, &mut waiting, types::CALL_MEMBER).await?;
        let leave = if let Some(leave) = kept {
            leave
        } else {
            let place = (types::CALL_MEMBER, key.as_str());
            matrix
                .put_state_later(ghost, room, place, &json!({}), LEAVE_AFTER)
                .await?
        };
        leaves.push(leave);
        if form == Form::Sticky {
            let kept = keep(matrix, ghost, &mut waiting, types::RTC_MEMBER).await?;
            let leave = if let Some(leave) = kept {
                leave
            } else {
                matrix
                    .send_sticky(
                        ghost,
                        room,
                        (types::RTC_MEMBER, &format!("{txn}-out")),
                        &rtc::sticky_leave(ghost),
                        (STICKY_FOR, Some(LEAVE_AFTER)),
                    )
                    .await?
            };
            leaves.push(leave);
            matrix
                .send_sticky(
                    ghost,
                    room,
                    (types::RTC_MEMBER, &format!("{txn}-in")),
                    &rtc::sticky_content(ghost, service_url),
                    (STICKY_FOR, None),
                )
                .await?;
        }
        let content = rtc::state_content(ghost, room, service_url);
        let member = matrix
            .put_state(As::Ghost(ghost), room, types::CALL_MEMBER, &key, &content)
            .await?;
        // What an earlier attempt or run of the program has left would take the ghost out again.
        for stray in waiting {
            matrix
                .act_on_delayed(ghost, &stray.delay_id, Action::Cancel)
                .await?;
        }
        if let Some(whom) = ring {
            self.ring(matrix, whom, &member, txn).await?;
        }
        Ok(Effect::InCall {
            ghost: ghost.clone(),
            leaves,
        })
    }

    async fn ring(
        &self,
        matrix: &Matrix,
        whom: &MatrixUser,
        member: &EventId,
        txn: &str,
    ) -> Result<(), MatrixError> {
        let (state, timeline, now) = tokio::try_join!(
            matrix.full_state(self.room),
            matrix.newest_of_type(self.room, types::RTC_MEMBER),
            matrix.clock(),
        )?;
        let members = rtc::members(&state, &timeline, now);
        if members.iter().any(|member| member.user == *whom) {
            return Ok(());
        }
        matrix
            .send_event(
                self.ghost,
                self.room,
                (types::RTC_NOTIFICATION, &format!("{txn}-ring")),
                &rtc::ring(whom, member, now),
            )
            .await
            .map(drop)
    }
}

/// Of a ghost that was put out of the room, the bot takes the membership back.
pub(super) async fn leave(
    matrix: &Matrix,
    room: &RoomId,
    ghost: &MatrixUser,
    txn: &str,
) -> Result<Effect, MatrixError> {
    let key = rtc::state_key(ghost);
    let content = matrix.state(room, types::CALL_MEMBER, &key).await;
    let content = match content {
        Err(error) if error.is_absence() => return Ok(Effect::Nothing),
        other => other?,
    };
    // State stands for both forms: it is written last and taken back last.
    if content.as_ref().is_none_or(is_empty) {
        return Ok(Effect::Nothing);
    }
    let waiting = waiting(matrix, room, ghost).await?;
    for delayed in &waiting {
        if delayed.event_type == types::RTC_MEMBER {
            let left = matrix
                .send_sticky(
                    ghost,
                    room,
                    (types::RTC_MEMBER, &format!("{txn}-out")),
                    &rtc::sticky_leave(ghost),
                    (STICKY_FOR, None),
                )
                .await;
            match left {
                // What others wrote into the timeline nobody can take back. Clients read it of those in the room alone.
                Err(error) if error.is_absence() => {}
                other => drop(other?),
            }
        }
    }
    let content = json!({});
    let take_back = |actor| matrix.put_state(actor, room, types::CALL_MEMBER, &key, &content);
    match take_back(As::Ghost(ghost)).await {
        Err(error) if error.is_absence() => drop(take_back(As::Bot).await?),
        other => drop(other?),
    }
    for delayed in waiting {
        matrix
            .act_on_delayed(ghost, &delayed.delay_id, Action::Cancel)
            .await?;
    }
    Ok(Effect::Nothing)
}

fn is_empty(content: &Value) -> bool {
    content.as_object().is_none_or(serde_json::Map::is_empty)
}

/// The ghost's ways out of this room's call that wait at the homeserver.
async fn waiting(
    matrix: &Matrix,
    room: &RoomId,
    ghost: &MatrixUser,
) -> Result<Vec<DelayedEvent>, MatrixError> {
    let mut waiting = matrix.delayed_events(ghost).await?;
    waiting.retain(|delayed| delayed.room_id == room.as_str());
    Ok(waiting)
}

/// Takes the first of this type that can still be restarted out of those that wait.
async fn keep(
    matrix: &Matrix,
    ghost: &MatrixUser,
    waiting: &mut Vec<DelayedEvent>,
    event_type: &str,
) -> Result<Option<String>, MatrixError> {
    while let Some(place) = waiting
        .iter()
        .position(|delayed| delayed.event_type == event_type)
    {
        let delayed = waiting.swap_remove(place);
        if matrix.restart_delayed(ghost, &delayed.delay_id).await? {
            return Ok(Some(delayed.delay_id));
        }
    }
    Ok(None)
}
