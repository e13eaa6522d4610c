//! The homeserver's client API, spoken as the application service's bot or as one of its ghosts.
//!
//! Every method may be called again: transaction ids are arguments, and an answer that says "so it is
//! already" counts as success. Nothing here repeats a request by itself; [`MatrixError::retry`] tells the
//! outbox what to do.

mod admin;
mod error;
mod http;
mod media;
mod members;
mod messages;
mod rooms;
pub(crate) mod rtc;
mod service;

use std::fmt;

use bridge::ids::MatrixUser;
use ruma::{
    OwnedRoomAliasId, OwnedServerName, OwnedUserId, ServerName, UserId, api::SupportedVersions,
};
use url::Url;

pub use self::{
    admin::DeletionStatus,
    error::{MatrixError, Retry},
    http::Timeouts,
    media::Media,
    members::{Member, Membership},
    rooms::CreateRoom,
    rtc::{DelayedEvent, OpenIdToken},
    service::Features,
};

/// The prefix of every ghost's and consultation room's local name; the registration claims it.
pub const NAMESPACE: &str = "_vorzimmer_";

/// The device from which the bot and each ghost send messages.
pub(crate) const DEVICE: &str = "VORZIMMER";

/// Where the homeserver is and who we are there.
#[derive(Clone)]
pub struct MatrixConfig {
    /// The homeserver's client API: `http://127.0.0.1:8008`.
    pub homeserver: Url,
    /// The server name in user ids.
    pub server_name: OwnedServerName,
    /// The registration's `id`.
    pub appservice_id: String,
    /// The registration's `as_token`.
    pub as_token: String,
    /// The registration's `sender_localpart`: the bot.
    pub sender_localpart: String,
    /// The access token of a server admin whom only deletion uses. Without one, rooms are left and
    /// forgotten instead of purged.
    pub deletion_token: Option<String>,
    /// How long requests may take.
    pub timeouts: Timeouts,
}

impl fmt::Debug for MatrixConfig {
    /// Tokens never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatrixConfig")
            .field("homeserver", &self.homeserver.as_str())
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// On whose behalf a request is made (`?user_id=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As<'a> {
    /// The service's own user, which made and rules the rooms.
    Bot,
    /// A ghost of this service.
    Ghost(&'a MatrixUser),
}

/// The homeserver. Cheap to clone: connections are shared.
#[derive(Clone)]
pub struct Matrix {
    http: reqwest::Client,
    config: MatrixConfig,
    versions: SupportedVersions,
    bot: MatrixUser,
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Matrix").field(&self.config).finish()
    }
}

impl Matrix {
    /// Makes the client; sends nothing.
    pub fn new(config: MatrixConfig) -> Result<Self, MatrixError> {
        let bot = user_of(&config.sender_localpart, &config.server_name)?;
        Ok(Self {
            http: http::connections(config.timeouts)?,
            versions: http::versions(),
            config,
            bot,
        })
    }

    /// The service's own user.
    #[must_use]
    pub fn bot(&self) -> &MatrixUser {
        &self.bot
    }

    /// The server name in user ids.
    #[must_use]
    pub fn server_name(&self) -> &ServerName {
        &self.config.server_name
    }

    /// Whether rooms can be purged, not only left.
    #[must_use]
    pub fn can_purge(&self) -> bool {
        self.config.deletion_token.is_some()
    }

    /// A new ghost's user id, from 16 random bytes: nobody can guess it. Registers nothing.
    pub fn ghost(&self, random: [u8; 16]) -> Result<MatrixUser, MatrixError> {
        user_of(
            &format!("{NAMESPACE}{:032x}", u128::from_be_bytes(random)),
            &self.config.server_name,
        )
    }

    /// Whether the user is a ghost of this service.
    #[must_use]
    pub fn is_ghost(&self, user: &MatrixUser) -> bool {
        self.local_name(user)
            .is_some_and(|name| name.starts_with(NAMESPACE))
    }

    /// Whether the user is on this homeserver.
    #[must_use]
    pub fn is_local(&self, user: &MatrixUser) -> bool {
        self.local_name(user).is_some()
    }

    /// `#localpart:server_name`.
    pub fn alias(&self, localpart: &str) -> Result<OwnedRoomAliasId, MatrixError> {
        format!("#{localpart}:{}", self.config.server_name)
            .try_into()
            .map_err(|_| MatrixError::Invalid { what: "room alias" })
    }

    fn local_name<'a>(&self, user: &'a MatrixUser) -> Option<&'a str> {
        let (name, server) = user.as_str().strip_prefix('@')?.split_once(':')?;
        (server == self.config.server_name.as_str()).then_some(name)
    }
}

fn user_of(localpart: &str, server: &ServerName) -> Result<MatrixUser, MatrixError> {
    format!("@{localpart}:{server}")
        .parse()
        .map_err(|_| MatrixError::Invalid { what: "user id" })
}

/// The id as ruma's type; refuses what only looks like one.
pub(crate) fn user_id(user: &MatrixUser) -> Result<OwnedUserId, MatrixError> {
    UserId::parse(user.as_str()).map_err(|_| MatrixError::Invalid { what: "user id" })
}
