//! What arrives in a browser's calls: pictures that were decoded and sound that was heard, not events that say so.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::json;

use crate::{Browser, eventually};

/// Keeps every peer connection a page makes, where [`received`](Browser::received) finds it.
const WATCH: &str = "
{
    const connections = (window.top.__connections ??= []);
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
        constructor(...args) {
            super(...args);
            connections.push(this);
        }
    };
}";

/// How many new pictures count as seeing.
const PICTURES: u64 = 10;

const READ: &str = "
const done = arguments[arguments.length - 1];
(async () => {
    const tracks = [];
    for (const connection of window.__connections ?? []) {
        if (connection.connectionState !== 'connected') continue;
        for (const report of (await connection.getStats()).values()) {
            if (report.type !== 'inbound-rtp') continue;
            tracks.push({
                kind: report.kind,
                track: report.trackIdentifier,
                frames: report.framesDecoded ?? 0,
                width: report.frameWidth ?? 0,
                energy: report.totalAudioEnergy ?? 0,
            });
        }
    }
    return tracks;
})().then(done, (error) => done(String(error)));";

/// Changes the configuration of every peer connection: what stands for `CHANGE` goes before what the page wants.
const CONFIGURE: &str = "
{
    const changed = (configuration) => ({ ...configuration, CHANGE });
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
        constructor(configuration, ...rest) {
            super(changed(configuration), ...rest);
        }
        setConfiguration(configuration) {
            super.setConfiguration(changed(configuration));
        }
    };
}";

const WAYS: &str = "
const done = arguments[arguments.length - 1];
(async () => {
    const ways = [];
    for (const connection of window.__connections ?? []) {
        if (connection.connectionState !== 'connected') continue;
        const reports = await connection.getStats();
        for (const { type, selectedCandidatePairId: pair } of reports.values()) {
            if (type !== 'transport' || !pair) continue;
            const { candidateType, relayProtocol } = reports.get(reports.get(pair).localCandidateId);
            ways.push(relayProtocol ? `${candidateType}/${relayProtocol}` : candidateType);
        }
    }
    return ways;
})().then(done, (error) => done(String(error)));";

/// A track that a page receives, with its totals since it began.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Received {
    /// `audio` or `video`.
    pub kind: String,
    /// The browser's id of the track.
    pub track: String,
    /// Pictures decoded.
    pub frames: u64,
    /// Of the last picture, in pixels.
    pub width: u32,
    /// Sound energy as WebRTC's statistics count it: full scale for one second is 1.
    pub energy: f64,
}

impl Browser {
    /// Has all pages keep every peer connection they make. Chromium only.
    pub(crate) async fn watch_all_calls(&self) -> Result<()> {
        let script = json!({ "source": WATCH });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await?;
        Ok(())
    }

    /// Has the page that is open keep every peer connection it makes, until it is loaded again.
    pub(crate) async fn watch_calls_from_now_on(&self) -> Result<()> {
        self.page().execute(WATCH, vec![]).await?;
        Ok(())
    }

    /// Has all pages loaded from now on send and receive media by TURN and by no other way. Chromium only.
    pub async fn goes_by_turn_alone(&self) -> Result<()> {
        self.configure_calls("iceTransportPolicy: 'relay'").await
    }

    /// Has all pages loaded from now on know nothing of TURN. Chromium only.
    pub async fn goes_without_turn(&self) -> Result<()> {
        self.configure_calls("iceServers: []").await
    }

    async fn configure_calls(&self, change: &str) -> Result<()> {
        let script = json!({ "source": CONFIGURE.replace("CHANGE", change) });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await?;
        Ok(())
    }

    /// By which of its candidates each of the page's connections goes: `host`, `relay/udp`.
    pub async fn ways(&self) -> Result<Vec<String>> {
        let answer = self.page().execute_async(WAYS, vec![]).await?;
        if let Some(error) = answer.as_str() {
            bail!("the page's connections cannot be read: {error}");
        }
        Ok(serde_json::from_value(answer)?)
    }

    /// What the page's connected calls receive at this moment.
    pub async fn received(&self) -> Result<Vec<Received>> {
        let answer = self.page().execute_async(READ, vec![]).await?;
        if let Some(error) = answer.as_str() {
            bail!("the page's connections cannot be read: {error}");
        }
        Ok(serde_json::from_value(answer)?)
    }

    /// Waits until `pictures` tracks have each shown ten more pictures and `sounds` tracks have each been
    /// heard from now on.
    pub async fn sees_and_hears(&self, pictures: usize, sounds: usize) -> Result<()> {
        let before = self.received().await?;
        let since = |now: &Received| {
            before
                .iter()
                .find(|earlier| earlier.track == now.track)
                .map_or((0, 0.0), |earlier| (earlier.frames, earlier.energy))
        };
        let mut last = Vec::new();
        let found = eventually(
            &format!("{pictures} moving pictures and {sounds} sounds"),
            async || {
                last = self.received().await?;
                let moving = last
                    .iter()
                    .filter(|now| now.frames >= since(now).0 + PICTURES)
                    .count();
                let heard = last
                    .iter()
                    .filter(|now| now.energy > since(now).1 + 1e-4)
                    .count();
                Ok((moving >= pictures && heard >= sounds).then_some(()))
            },
        )
        .await;
        found.with_context(|| format!("at first {before:?}, at last {last:?}"))
    }
}
