//! What is about the service itself and its users: ping, features, accounts, profiles.

use std::{collections::BTreeMap, time::Duration};

use bridge::ids::MatrixUser;
use jiff::Timestamp;
use ruma::{
    api::client::{
        account::{register, whoami},
        appservice::request_ping,
        device::update_device,
        discovery::get_supported_versions,
        profile::{get_profile_field, set_profile_field},
        uiaa::{AuthData, Dummy},
    },
    profile::{DisplayName, ProfileFieldValue},
};

use super::{As, DEVICE, Matrix, MatrixError, user_id};

/// What the homeserver says it can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// Versions of the specification: `v1.11`.
    pub versions: Vec<String>,
    /// Unstable features by name.
    pub unstable: BTreeMap<String, bool>,
}

impl Matrix {
    /// Asks the homeserver to ping us back (MSC2659), which also ends its back-off after we were away.
    /// Returns how long the homeserver waited for our answer.
    pub async fn ping(&self, txn: &str) -> Result<Duration, MatrixError> {
        let mut request = request_ping::v1::Request::new(self.config.appservice_id.clone());
        request.transaction_id = Some(txn.into());
        Ok(self.call(As::Bot, request).await?.duration)
    }

    /// Who the homeserver thinks we are.
    pub async fn whoami(&self, actor: As<'_>) -> Result<MatrixUser, MatrixError> {
        let answer = self.call(actor, whoami::v3::Request::new()).await?;
        answer
            .user_id
            .as_str()
            .parse()
            .map_err(|_| MatrixError::Malformed {
                what: "whoami".to_owned(),
            })
    }

    /// Versions and unstable features.
    pub async fn features(&self) -> Result<Features, MatrixError> {
        let answer = self
            .call(As::Bot, get_supported_versions::Request::new())
            .await?;
        Ok(Features {
            versions: answer.versions,
            unstable: answer.unstable_features,
        })
    }

    /// The homeserver's clock, from the `Date` of an answer (RFC 9110 § 6.6.1); to the second.
    pub async fn clock(&self) -> Result<Timestamp, MatrixError> {
        let malformed = || MatrixError::Malformed {
            what: "Date header".to_owned(),
        };
        let mut url = self.config.homeserver.clone();
        url.set_path("/_matrix/client/versions");
        let request = reqwest::Request::new(reqwest::Method::GET, url);
        let answer = self
            .exchange("/_matrix/client/versions", request, 1 << 20)
            .await?;
        let date = answer.headers().get("date").ok_or_else(malformed)?;
        let date = date.to_str().map_err(|_| malformed())?;
        Ok(jiff::fmt::rfc2822::parse(date)
            .map_err(|_| malformed())?
            .timestamp())
    }

    /// Whether the homeserver can make rooms of the version our rooms have.
    pub async fn knows_room_version(&self, version: &str) -> Result<bool, MatrixError> {
        use ruma::api::client::discovery::get_capabilities::v3::Request;
        let answer = self.call(As::Bot, Request::new()).await?;
        Ok(answer
            .capabilities
            .room_versions
            .available
            .keys()
            .any(|known| known.as_str() == version))
    }

    /// Makes the account of the bot or a ghost. Twice is once; whether it was made this time.
    pub async fn register(&self, user: &MatrixUser) -> Result<bool, MatrixError> {
        let localpart = self.local_name(user).ok_or(MatrixError::Invalid {
            what: "user of this homeserver",
        })?;
        let mut request = register::v3::Request::new();
        request.username = Some(localpart.to_owned());
        request.login_type = Some(register::LoginType::ApplicationService);
        request.inhibit_login = true;
        match self.call(As::Bot, request).await {
            Err(error) if error.is("M_USER_IN_USE") => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Makes a ghost's account, and its device. Twice is once; whether the account was made this time.
    pub async fn make_ghost(&self, ghost: &MatrixUser) -> Result<bool, MatrixError> {
        let made = self.register(ghost).await?;
        self.make_device(As::Ghost(ghost)).await?;
        Ok(made)
    }

    /// Gives the bot or a ghost its device (MSC4190). Twice is once.
    pub(super) async fn make_device(&self, actor: As<'_>) -> Result<(), MatrixError> {
        let request = update_device::v3::Request::new(DEVICE.into());
        self.call(actor, request).await.map(drop)
    }

    /// Ends a ghost's account and lets the homeserver forget its profile.
    pub async fn deactivate(&self, ghost: &MatrixUser) -> Result<(), MatrixError> {
        use ruma::api::client::account::deactivate::v3::Request;
        let mut request = Request::new();
        // The service's token stands in for the person; the stage only fills the form.
        request.auth = Some(AuthData::Dummy(Dummy::new()));
        request.erase = true;
        match self.call(As::Ghost(ghost), request).await {
            Err(error) if error.is("M_USER_DEACTIVATED") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Sets the global display name of the bot or a ghost.
    pub async fn set_display_name(&self, user: &MatrixUser, name: &str) -> Result<(), MatrixError> {
        let actor = if *user == self.bot {
            As::Bot
        } else {
            As::Ghost(user)
        };
        let request = set_profile_field::v3::Request::new(
            user_id(user)?,
            ProfileFieldValue::DisplayName(name.to_owned()),
        );
        self.call(actor, request).await.map(drop)
    }

    /// The global display name of any user; `None` if there is none or none is told.
    pub async fn display_name(&self, user: &MatrixUser) -> Result<Option<String>, MatrixError> {
        let request = get_profile_field::v3::Request::new_static::<DisplayName>(user_id(user)?);
        match self.call(As::Bot, request).await {
            Ok(answer) => Ok(answer.value),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
