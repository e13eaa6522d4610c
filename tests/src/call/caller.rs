//! A participant: LiveKit's SDK in a process of its own (`tests/livekit/participant.py`).

use std::{
    collections::HashMap,
    fs::File,
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout},
    sync::{Mutex as AsyncMutex, oneshot},
    task::spawn_blocking,
};
use xtask::livekit::Sdk;

use crate::wait::eventually;

/// How many new pictures, and pieces of 100 ms of a tone, count as seeing and hearing.
const PICTURES: u64 = 10;
const PIECES: u64 = 8;

/// How somebody's media goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As is best.
    Any,
    /// By TURN and by no other way.
    Turn,
}

/// How somebody joins.
#[derive(Debug, Clone, Copy)]
pub struct Joining {
    /// Subscribes to everything that is published.
    pub subscribe: bool,
    /// Sends only the layers that somebody wants.
    pub dynacast: bool,
    /// One peer connection for both ways (`/rtc/v1`) instead of two (`/rtc`).
    pub single: bool,
    /// How media goes.
    pub way: Way,
    /// Everybody's key, where media is encrypted from end to end.
    pub key: Option<&'static str>,
}

impl Default for Joining {
    fn default() -> Self {
        Self {
            subscribe: true,
            dynacast: true,
            single: true,
            way: Way::Any,
            key: None,
        }
    }
}

/// A picture to publish, at 15 pictures a second.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// `camera` or `screen`.
    pub source: &'static str,
    /// `vp8`, `h264`, `vp9` or `av1`.
    pub codec: &'static str,
    /// In pixels.
    pub size: (u32, u32),
    /// In several layers, when it is large enough.
    pub simulcast: bool,
    /// Every picture is another all over, and needs many bits.
    pub busy: bool,
}

impl Picture {
    /// Small: cheap for whoever runs the test.
    pub const SMALL: Self = Self {
        source: "camera",
        codec: "vp8",
        size: (320, 180),
        simulcast: false,
        busy: false,
    };

    /// A camera's in two layers: large enough for that, and no larger.
    pub const LAYERED: Self = Self {
        size: (960, 540),
        simulcast: true,
        ..Self::SMALL
    };

    /// A screen's.
    pub const SCREEN: Self = Self {
        source: "screen",
        size: (1280, 720),
        ..Self::SMALL
    };
}

/// A participant of a call.
#[derive(Debug)]
pub struct Caller {
    identity: String,
    number: u8,
    input: AsyncMutex<ChildStdin>,
    shared: Arc<Shared>,
    requests: AtomicU64,
    // Ends with this value, and by itself when its standard input does.
    _process: Child,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    events: Mutex<Vec<Value>>,
}

impl Caller {
    /// Somebody who has not joined anything yet; the log of its SDK is kept in `dir`.
    pub async fn start(number: u8, dir: &Path) -> Result<Self> {
        // Making the environment takes a while the first time; other tests need not stand still.
        let sdk = spawn_blocking(Sdk::ensure).await??;
        let identity = format!("caller-{number}");
        let log = dir.join(format!("{identity}.log"));
        let log = File::options().create(true).append(true).open(log)?;
        let mut process = tokio::process::Command::from(sdk.participant())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a participant")?;
        let input = process.stdin.take().context("no standard input")?;
        let output = process.stdout.take().context("no standard output")?;
        let shared = Arc::new(Shared::default());
        tokio::spawn(listen(output, Arc::clone(&shared)));
        Ok(Self {
            identity,
            number,
            input: AsyncMutex::new(input),
            shared,
            requests: AtomicU64::new(0),
            _process: process,
        })
    }

    /// Its identity.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The frequency of its tone, which nobody else's is near.
    #[must_use]
    pub fn hertz(&self) -> u32 {
        300 + 100 * u32::from(self.number)
    }

    /// Joins a room.
    pub async fn join(&self, url: &str, token: &str, joining: &Joining) -> Result<()> {
        let request = json!({
            "do": "join",
            "url": url,
            "token": token,
            "subscribe": joining.subscribe,
            "dynacast": joining.dynacast,
            "single": joining.single,
            "turn": joining.way == Way::Turn,
            "key": joining.key,
        });
        self.ask(request).await.map(drop)
    }

    /// Leaves it.
    pub async fn leave(&self) -> Result<()> {
        self.ask(json!({ "do": "leave" })).await.map(drop)
    }

    /// Publishes its tone as `mic`; the track's id.
    pub async fn talk(&self) -> Result<String> {
        let request = json!({ "do": "play", "name": "mic", "hertz": self.hertz() });
        self.publish(request).await
    }

    /// Publishes its picture under a name; the track's id.
    pub async fn show(&self, name: &str, picture: Picture) -> Result<String> {
        let request = json!({
            "do": "show",
            "name": name,
            "source": picture.source,
            "codec": picture.codec,
            "who": self.number,
            "width": picture.size.0,
            "height": picture.size.1,
            "simulcast": picture.simulcast,
            "busy": picture.busy,
        });
        self.publish(request).await
    }

    async fn publish(&self, request: Value) -> Result<String> {
        let sid = self.ask(request).await?;
        let sid = sid.as_str().context("a published track has no id")?;
        Ok(sid.to_owned())
    }

    /// Takes a track back.
    pub async fn unpublish(&self, name: &str) -> Result<()> {
        let request = json!({ "do": "unpublish", "name": name });
        self.ask(request).await.map(drop)
    }

    /// Mutes or unmutes a track of its own.
    pub async fn mute(&self, name: &str, muted: bool) -> Result<()> {
        let request = json!({ "do": "mute", "name": name, "muted": muted });
        self.ask(request).await.map(drop)
    }

    /// Subscribes to somebody's track, or no longer.
    pub async fn subscribe(&self, other: &Self, name: &str, subscribed: bool) -> Result<()> {
        let request = json!({
            "do": "subscribe",
            "identity": other.identity,
            "name": name,
            "subscribed": subscribed,
        });
        self.ask(request).await.map(drop)
    }

    /// Asks for `low`, `medium` or `high` quality of somebody's track.
    pub async fn want(&self, other: &Self, name: &str, quality: &str) -> Result<()> {
        let request = json!({
            "do": "quality",
            "identity": other.identity,
            "name": name,
            "quality": quality,
        });
        self.ask(request).await.map(drop)
    }

    /// Sends a message to those named, or to everybody.
    pub async fn say(&self, text: &str, reliable: bool, to: &[&str]) -> Result<()> {
        let request = json!({
            "do": "say",
            "text": text,
            "topic": "chat",
            "reliable": reliable,
            "to": to,
        });
        self.ask(request).await.map(drop)
    }

    /// Sends reliable data of another topic to everybody.
    pub async fn send(&self, topic: &str, text: &str) -> Result<()> {
        let request =
            json!({ "do": "say", "text": text, "topic": topic, "reliable": true, "to": [] });
        self.ask(request).await.map(drop)
    }

    /// Changes its metadata.
    pub async fn describe(&self, metadata: &str) -> Result<()> {
        let request = json!({ "do": "describe", "metadata": metadata });
        self.ask(request).await.map(drop)
    }

    /// Everybody else by identity, each with `tracks` by name, each with what it has shown or played.
    pub async fn look(&self) -> Result<Value> {
        self.ask(json!({ "do": "look" })).await
    }

    /// What it knows of somebody's track; null when it knows none.
    pub async fn track(&self, other: &Self, name: &str) -> Result<Value> {
        Ok(self.look().await?[&other.identity]["tracks"][name].clone())
    }

    /// What WebRTC counts of somebody's track, or of one of its own: `lost`, `nacks` and `repaired` packets, `decoded`
    /// pictures, and the codecs' `mimes`.
    pub async fn carried(&self, other: Option<&Self>, name: &str) -> Result<Value> {
        let identity = other.map(|other| &other.identity);
        self.ask(json!({ "do": "carried", "identity": identity, "name": name }))
            .await
    }

    /// Sees somebody's picture move from now on, and nobody else's in its place. The track's report.
    pub async fn sees(&self, other: &Self, name: &str) -> Result<Value> {
        let what = format!("a moving picture {name} of {other}, seen by {self}");
        self.track_until(&what, other, name, |before, now| {
            let moved = number(now, "moved").saturating_sub(number(before, "moved"));
            moved >= PICTURES && now["who"] == json!(other.number)
        })
        .await
    }

    /// Hears somebody's tone from now on. The track's report.
    pub async fn hears(&self, other: &Self) -> Result<Value> {
        let what = format!("the tone of {other}, heard by {self}");
        self.track_until(&what, other, "mic", |before, now| {
            other.tone(now).saturating_sub(other.tone(before)) >= PIECES
        })
        .await
    }

    /// Hears nothing more from somebody: silence, or nothing at all to play.
    pub async fn hears_silence(&self, other: &Self) -> Result<Value> {
        let what = format!("silence of {other}, heard by {self}");
        let mut last = None;
        eventually(&what, async || {
            let now = self.track(other, "mic").await?;
            let quiet = number(&now, "silent");
            let (tone, since) = *last.get_or_insert((other.tone(&now), quiet));
            if other.tone(&now) == tone && quiet >= since + PIECES {
                return Ok(Some(now));
            }
            if other.tone(&now) != tone {
                last = Some((other.tone(&now), quiet));
            }
            Ok(None)
        })
        .await
    }

    /// Waits until what it knows of a track, compared with what it knew at first, satisfies `enough`.
    pub async fn track_until(
        &self,
        what: &str,
        other: &Self,
        name: &str,
        mut enough: impl FnMut(&Value, &Value) -> bool,
    ) -> Result<Value> {
        let before = self.track(other, name).await?;
        let mut last = Value::Null;
        let found = eventually(what, async || {
            last = self.track(other, name).await?;
            Ok(enough(&before, &last).then(|| last.clone()))
        })
        .await;
        found.with_context(|| format!("at first {before}, at last {last}"))
    }

    /// Pieces of its own tone in somebody's report. A tone between two tenths of a second may be read 10 Hz off.
    fn tone(&self, report: &Value) -> u64 {
        let near = |hertz: &str| {
            hertz
                .parse::<u32>()
                .is_ok_and(|hertz| hertz.abs_diff(self.hertz()) <= 10)
        };
        let heard = report["hertz"].as_object().into_iter().flatten();
        heard
            .filter(|(hertz, _)| near(hertz))
            .filter_map(|(_, pieces)| pieces.as_u64())
            .sum()
    }

    /// The first event of this name, that has come or is to come, with which `right` agrees.
    pub async fn event(&self, name: &str, right: impl Fn(&Value) -> bool) -> Result<Value> {
        let what = format!("event {name} at {self}");
        let found = eventually(&what, async || {
            Ok(self.events(name).into_iter().find(|event| right(event)))
        })
        .await;
        found.with_context(|| format!("of this name came: {:?}", self.events(name)))
    }

    /// All events of this name so far.
    #[must_use]
    pub fn events(&self, name: &str) -> Vec<Value> {
        let events = self.shared.events.lock();
        let events = events.unwrap_or_else(PoisonError::into_inner);
        let named = events.iter().filter(|event| event["event"] == name);
        named.cloned().collect()
    }

    async fn ask(&self, mut request: Value) -> Result<Value> {
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let what = request["do"].to_string();
        request["id"] = json!(id);
        let (sender, answer) = oneshot::channel();
        self.shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, sender);
        let line = format!("{request}\n");
        self.input.lock().await.write_all(line.as_bytes()).await?;
        let answer = tokio::time::timeout(crate::wait::PATIENCE, answer)
            .await
            .map_err(|_| anyhow!("{self} did not answer {what} in time"))?
            .map_err(|_| anyhow!("{self} ended before it answered {what}"))?;
        if let Some(error) = answer["error"].as_str() {
            bail!("{self} cannot {what}: {error}");
        }
        Ok(answer["answer"].clone())
    }
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.identity)
    }
}

/// A number in a report; one that is not there is none.
fn number(report: &Value, field: &str) -> u64 {
    report[field].as_u64().unwrap_or_default()
}

async fn listen(output: ChildStdout, shared: Arc<Shared>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(message) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        if let Some(id) = message["id"].as_u64() {
            let mut waiting = shared
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(sender) = waiting.remove(&id) {
                // Whoever asked may have given up.
                let _ = sender.send(message);
            }
        } else {
            shared
                .events
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(message);
        }
    }
    // Whoever still waits learns that nobody will answer.
    shared
        .waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clear();
}
