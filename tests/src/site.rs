//! A homeserver with people in it.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use xtask::{
    ports::Port,
    secrets,
    synapse::{Admin, Authority, Federation, Homeserver, HomeserverConfig, Purpose, Venv},
};

use crate::{artifacts::Scratch, client::Client};

/// The administrator's name.
const ADMIN: &str = "admin";

/// A homeserver of a test.
#[derive(Debug)]
pub struct Site {
    /// The homeserver itself, to be stopped, killed and started again.
    pub homeserver: Homeserver,
    /// Its administrator.
    pub admin: Admin,
    // Last: the directory goes when nothing runs in it any more.
    scratch: Option<Scratch>,
}

impl Site {
    /// A homeserver without any application service that federates with all that have the same authority:
    /// another town.
    pub async fn neighbour(authority: &Arc<Authority>) -> Result<Self> {
        let scratch = Scratch::new()?;
        let config = config(&scratch, Some(authority))?;
        let mut site = Self::start(config).await?;
        site.scratch = Some(scratch);
        Ok(site)
    }

    pub(crate) async fn start(config: HomeserverConfig) -> Result<Self> {
        // Making the environment takes a while the first time; other tests need not stand still.
        let venv = tokio::task::spawn_blocking(Venv::ensure).await??;
        let homeserver = Homeserver::start(&venv, config).await?;
        let admin = homeserver.admin(ADMIN, &secrets::token()?).await?;
        Ok(Self {
            homeserver,
            admin,
            scratch: None,
        })
    }

    /// A new user, signed in, under the homeserver's usual rate limits.
    pub async fn user(&self, localpart: &str) -> Result<Client> {
        let account = self.admin.register(localpart, &secrets::token()?).await?;
        Client::new(&self.homeserver.url(), account)
    }

    /// A new user, signed in, without rate limits, as clerks are to be set up.
    pub async fn clerk(&self, localpart: &str) -> Result<Client> {
        let clerk = self.user(localpart).await?;
        self.admin.lift_rate_limit(clerk.user_id()).await?;
        Ok(clerk)
    }
}

/// The configuration of a test's homeserver with leased ports.
pub(crate) fn config(
    scratch: &Scratch,
    authority: Option<&Arc<Authority>>,
) -> Result<HomeserverConfig> {
    let federation = match authority {
        Some(authority) => Some(Federation {
            port: Arc::new(Port::lease()?),
            authority: Arc::clone(authority),
        }),
        None => None,
    };
    Ok(HomeserverConfig {
        dir: scratch.path().join("homeserver"),
        port: Arc::new(Port::lease()?),
        federation,
        registrations: Vec::<PathBuf>::new(),
        call_service: None,
        purpose: Purpose::Test,
    })
}
