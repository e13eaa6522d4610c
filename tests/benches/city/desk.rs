//! A clerk's client.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use blackbox::{Client, Sync};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout},
};

const PATIENCE: Duration = Duration::from_mins(1);
/// After so long without news, what the last knock brought about is over.
const QUIET: Duration = Duration::from_millis(700);

/// Follows what a clerk gets to see; there is always a request open at the homeserver.
pub(crate) struct Desk {
    syncs: mpsc::UnboundedReceiver<(Instant, Result<Sync>)>,
    follower: JoinHandle<()>,
}

impl Desk {
    pub(crate) fn sit_down(clerk: &Client) -> Self {
        let (sender, syncs) = mpsc::unbounded_channel();
        let mut syncing = clerk.syncing();
        let follower = tokio::spawn(async move {
            loop {
                let sync = syncing.next().await;
                let failed = sync.is_err();
                if sender.send((Instant::now(), sync)).is_err() || failed {
                    return;
                }
            }
        });
        Self { syncs, follower }
    }

    /// The next answer, and when it came.
    pub(crate) async fn next(&mut self, what: &str) -> Result<(Instant, Sync)> {
        let next = timeout(PATIENCE, self.syncs.recv()).await;
        let (at, sync) = next
            .with_context(|| format!("waited in vain for {what}"))?
            .context("the clerk's client has ended")?;
        Ok((at, sync?))
    }

    /// When the first answer came that has what is looked for.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        found: impl Fn(&Sync) -> Option<()>,
    ) -> Result<Instant> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let (at, sync) = self.next(what).await?;
            if found(&sync).is_some() {
                return Ok(at);
            }
        }
        bail!("waited in vain for {what}")
    }

    /// The door room of an office, as soon as the clerk is in it.
    pub(crate) async fn door(&mut self, slug: &str) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let (_, sync) = self.next("the office's room").await?;
            let door = sync.joined_rooms().find(|room| {
                sync.state(room).chain(sync.timeline(room)).any(|event| {
                    event["type"] == "org.vorzimmer.office" && event["content"]["slug"] == slug
                })
            });
            if let Some(door) = door {
                return Ok(door.to_owned());
            }
        }
        bail!("waited in vain for the room of {slug}")
    }

    /// Waits until nothing has come for a while.
    pub(crate) async fn quiet(&mut self) -> Result<()> {
        while let Ok(next) = timeout(QUIET, self.syncs.recv()).await {
            next.context("the clerk's client has ended")?.1?;
        }
        Ok(())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.follower.abort();
    }
}
