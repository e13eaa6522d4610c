//! Who is in a room, and how they come and go.

use std::{str::FromStr, time::Duration};

use bridge::ids::MatrixUser;
use ruma::{
    OwnedRoomOrAliasId, RoomAliasId, RoomId,
    api::client::{
        knock::knock_room,
        membership::{
            forget_room, get_member_events, invite_user, join_room_by_id, join_room_by_id_or_alias,
            kick_user, leave_room,
        },
        receipt::create_receipt,
        typing::create_typing_event,
    },
};
use serde::Deserialize;
use serde_json::json;

use super::{As, Matrix, MatrixError, user_id};

/// A user's relation to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    /// In the room.
    Join,
    /// May come in.
    Invite,
    /// Asks to come in.
    Knock,
    /// Not in the room: never was, has left or was kicked.
    Leave,
    /// May not come back.
    Ban,
}

impl Membership {
    /// Whether the user has neither membership nor a claim to one.
    #[must_use]
    pub fn is_out(self) -> bool {
        matches!(self, Self::Leave | Self::Ban)
    }
}

impl FromStr for Membership {
    type Err = MatrixError;
    fn from_str(text: &str) -> Result<Self, MatrixError> {
        match text {
            "join" => Ok(Self::Join),
            "invite" => Ok(Self::Invite),
            "knock" => Ok(Self::Knock),
            "leave" => Ok(Self::Leave),
            "ban" => Ok(Self::Ban),
            _ => Err(MatrixError::Malformed {
                what: "membership".to_owned(),
            }),
        }
    }
}

/// One line of a room's member list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: MatrixUser,
    /// How.
    pub membership: Membership,
}

#[derive(Deserialize)]
struct RawMember {
    state_key: String,
    content: RawContent,
}

#[derive(Deserialize)]
struct RawContent {
    membership: String,
}

impl Matrix {
    /// Everybody who is not out, as the bot sees it. Entries that cannot be read are left out.
    pub async fn members(&self, room: &RoomId) -> Result<Vec<Member>, MatrixError> {
        let answer = self
            .call(
                As::Bot,
                get_member_events::v3::Request::new(room.to_owned()),
            )
            .await?;
        Ok(answer
            .chunk
            .iter()
            .filter_map(|raw| {
                let raw: RawMember = serde_json::from_str(raw.json().get()).ok()?;
                Some(Member {
                    user: raw.state_key.parse().ok()?,
                    membership: raw.content.membership.parse().ok()?,
                })
            })
            .filter(|member| !member.membership.is_out())
            .collect())
    }

    /// A user's membership as the bot sees it. The bot has to be in the room, or have been.
    pub async fn membership(
        &self,
        room: &RoomId,
        user: &MatrixUser,
    ) -> Result<Membership, MatrixError> {
        match self.state(room, "m.room.member", user.as_str()).await? {
            None => Ok(Membership::Leave),
            Some(content) => content["membership"].as_str().unwrap_or_default().parse(),
        }
    }

    /// A ghost knocks on a room of this homeserver, under a name that the knock itself carries. Knocking again in the
    /// same words is the same event, and on a room one is let into already it changes nothing.
    pub async fn knock(
        &self,
        ghost: &MatrixUser,
        room: &RoomId,
        name: &str,
        reason: &str,
    ) -> Result<(), MatrixError> {
        // Written as state: `/knock` takes the name from the profile, which would have to be set before.
        let content = json!({ "membership": "knock", "displayname": name, "reason": reason });
        let (actor, key) = (As::Ghost(ghost), ghost.as_str());
        let knocked = self
            .put_state(actor, room, "m.room.member", key, &content)
            .await;
        let Err(refused) = knocked else {
            return Ok(());
        };
        if refused.may_mean_it_is_so()
            && let Ok(membership) = self.membership(room, ghost).await
            && !membership.is_out()
        {
            return Ok(());
        }
        Err(refused)
    }

    /// Knocks on a room by its alias, wherever it is.
    pub async fn knock_by_alias(
        &self,
        ghost: &MatrixUser,
        alias: &RoomAliasId,
        reason: &str,
    ) -> Result<(), MatrixError> {
        self.knock_at(As::Ghost(ghost), alias.to_owned().into(), reason)
            .await
    }

    async fn knock_at(
        &self,
        actor: As<'_>,
        place: OwnedRoomOrAliasId,
        reason: &str,
    ) -> Result<(), MatrixError> {
        let mut request = knock_room::v3::Request::new(place);
        request.reason = Some(reason.to_owned());
        self.call(actor, request).await.map(drop)
    }

    /// The bot or a ghost joins a room it may join. Being there already is a success.
    pub async fn join(&self, actor: As<'_>, room: &RoomId) -> Result<(), MatrixError> {
        let request = join_room_by_id::v3::Request::new(room.to_owned());
        self.call(actor, request).await.map(drop)
    }

    /// The bot or a ghost joins by alias.
    pub async fn join_by_alias(
        &self,
        actor: As<'_>,
        alias: &RoomAliasId,
    ) -> Result<(), MatrixError> {
        let request = join_room_by_id_or_alias::v3::Request::new(alias.to_owned().into());
        self.call(actor, request).await.map(drop)
    }

    /// The bot or a ghost leaves, withdraws its knock or rejects its invite. Being out is a success.
    pub async fn leave(&self, actor: As<'_>, room: &RoomId) -> Result<(), MatrixError> {
        let left = self
            .call(actor, leave_room::v3::Request::new(room.to_owned()))
            .await
            .map(drop);
        match actor {
            // The bot cannot look up its own membership once it is out.
            As::Bot => left.or_else(|error| {
                if error.is_absence() {
                    Ok(())
                } else {
                    Err(error)
                }
            }),
            As::Ghost(ghost) => {
                unless_so(left, async {
                    Ok(self.membership(room, ghost).await?.is_out())
                })
                .await
            }
        }
    }

    /// Takes a room one has left out of one's own history, so that the homeserver may drop it.
    pub async fn forget(&self, actor: As<'_>, room: &RoomId) -> Result<(), MatrixError> {
        match self
            .call(actor, forget_room::v3::Request::new(room.to_owned()))
            .await
        {
            Err(error) if error.is_not_found() => Ok(()),
            other => other.map(drop),
        }
    }

    /// The bot invites. Somebody who is in or invited already is a success.
    pub async fn invite(&self, room: &RoomId, user: &MatrixUser) -> Result<(), MatrixError> {
        let recipient = invite_user::v3::InviteUserId::new(user_id(user)?);
        let request = invite_user::v3::Request::new(
            room.to_owned(),
            invite_user::v3::InvitationRecipient::UserId(recipient),
        );
        let invited = self.call(As::Bot, request).await.map(drop);
        unless_so(invited, async {
            Ok(matches!(
                self.membership(room, user).await?,
                Membership::Join | Membership::Invite
            ))
        })
        .await
    }

    /// The bot puts somebody out, takes an invite back or rejects a knock. Being out is a success.
    pub async fn kick(
        &self,
        room: &RoomId,
        user: &MatrixUser,
        reason: Option<&str>,
    ) -> Result<(), MatrixError> {
        let mut request = kick_user::v3::Request::new(room.to_owned(), user_id(user)?);
        request.reason = reason.map(str::to_owned);
        let kicked = self.call(As::Bot, request).await.map(drop);
        unless_so(kicked, async {
            Ok(self.membership(room, user).await?.is_out())
        })
        .await
    }

    /// Gives a ghost a display name for this room only. One that is invited joins with it.
    pub async fn join_named(
        &self,
        ghost: &MatrixUser,
        room: &RoomId,
        name: &str,
    ) -> Result<(), MatrixError> {
        let content = json!({ "membership": "join", "displayname": name });
        self.put_state(
            As::Ghost(ghost),
            room,
            "m.room.member",
            ghost.as_str(),
            &content,
        )
        .await
        .map(drop)
    }

    /// A ghost types, or stopped. `for_at_most` bounds how long it shows without being renewed.
    pub async fn typing(
        &self,
        ghost: &MatrixUser,
        room: &RoomId,
        for_at_most: Option<Duration>,
    ) -> Result<(), MatrixError> {
        use create_typing_event::v3::{Request, Typing, TypingInfo};
        let typing = for_at_most.map_or(Typing::No, |time| Typing::Yes(TypingInfo::new(time)));
        let request = Request::new(user_id(ghost)?, room.to_owned(), typing);
        self.call(As::Ghost(ghost), request).await.map(drop)
    }

    /// A ghost has read up to this event.
    pub async fn read_up_to(
        &self,
        ghost: &MatrixUser,
        room: &RoomId,
        event: &ruma::EventId,
    ) -> Result<(), MatrixError> {
        use create_receipt::v3::{ReceiptType, Request};
        let request = Request::new(room.to_owned(), ReceiptType::Read, event.to_owned());
        self.call(As::Ghost(ghost), request).await.map(drop)
    }
}

impl MatrixError {
    fn may_mean_it_is_so(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 400 | 403 | 404,
                ..
            }
        )
    }
}

/// A refusal may only mean "it is so already": a look decides. If looking fails, the refusal stands.
async fn unless_so(
    result: Result<(), MatrixError>,
    is_so: impl Future<Output = Result<bool, MatrixError>>,
) -> Result<(), MatrixError> {
    if let Err(refused) = &result
        && refused.may_mean_it_is_so()
        && is_so.await == Ok(true)
    {
        return Ok(());
    }
    result
}
