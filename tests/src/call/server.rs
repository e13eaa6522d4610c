//! A running relay and whoever is to join it.

use std::ops::{Deref, DerefMut};

use anyhow::Result;
use serde_json::Value;
use xtask::relay::{Backend, Grant, Reach, RelayServer, webhook};

use super::{Caller, Joining, Network, Rooms};
use crate::{artifacts::Scratch, relay::Service};

/// A relay of a test.
#[derive(Debug)]
pub struct CallServer {
    relay: RelayServer,
    // Last: the directory goes when nothing runs in it any more.
    scratch: Scratch,
}

impl CallServer {
    /// Starts one. `None`, said loudly, when it is LiveKit's and cannot be built here.
    pub async fn start(backend: Backend) -> Result<Option<Self>> {
        Self::reached(backend, Reach::Direct).await
    }

    /// The same for clients that reach its media in a certain way.
    pub async fn reached(backend: Backend, reach: Reach) -> Result<Option<Self>> {
        let scratch = Scratch::new()?;
        let relay = RelayServer::start(backend, reach, scratch.path()).await?;
        Ok(relay.map(|relay| Self { relay, scratch }))
    }

    /// One that tells what happens to the webhook at an address.
    pub async fn telling(backend: Backend, webhook: String) -> Result<Option<Self>> {
        let scratch = Scratch::new()?;
        let (reach, webhook) = (Reach::Direct, Some(webhook));
        let relay = RelayServer::telling(backend, reach, scratch.path(), webhook).await?;
        Ok(relay.map(|relay| Self { relay, scratch }))
    }

    /// What the relay told by webhook in a request to `teller` whose path ends like this, in the order in which it
    /// came. A wrong signature is an error.
    pub fn told(&self, teller: &Service, path: &str) -> Result<Vec<Value>> {
        let requests = teller.received(path).into_iter();
        requests
            .map(|(token, body)| webhook(&token, &body, self.key(), self.secret()))
            .collect()
    }

    /// Ours, with a network in front of its media, in which the weather is fine until it is set.
    pub async fn behind_network() -> Result<Option<(Self, Network)>> {
        let Some(server) = Self::reached(Backend::Vorzimmer, Reach::Carried).await? else {
            return Ok(None);
        };
        let network = Network::between(server.front(), server.media()).await?;
        Ok(Some((server, network)))
    }

    /// What an administrator of `room` asks.
    #[must_use]
    pub fn rooms<'a>(&'a self, room: &'a str) -> Rooms<'a> {
        Rooms::new(self, room)
    }

    /// Somebody in `room`, as the SDK joins by default.
    pub async fn caller(&self, room: &str, number: u8) -> Result<Caller> {
        self.caller_with(room, number, &Joining::default()).await
    }

    /// The same, joined another way.
    pub async fn caller_with(&self, room: &str, number: u8, joining: &Joining) -> Result<Caller> {
        let caller = self.stranger(number).await?;
        let token = self.sign(Grant::join(room, caller.identity()))?;
        caller.join(&self.url(), &token, joining).await?;
        Ok(caller)
    }

    /// Somebody who has not joined anything yet.
    pub async fn stranger(&self, number: u8) -> Result<Caller> {
        Caller::start(number, self.scratch.path()).await
    }
}

impl Deref for CallServer {
    type Target = RelayServer;

    fn deref(&self) -> &RelayServer {
        &self.relay
    }
}

impl DerefMut for CallServer {
    fn deref_mut(&mut self) -> &mut RelayServer {
        &mut self.relay
    }
}
