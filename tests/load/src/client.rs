//! A participant.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use livekit_protocol::{
    AddTrackRequest, LeaveRequest, Ping, SignalTarget, TrackSource, TrackType, TrickleRequest,
    VideoLayer, VideoQuality, signal_request::Message as Request,
    signal_response::Message as Response,
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, watch},
    time::{sleep_until, timeout},
};

use crate::{
    media::{LAYERS, Source, travelled},
    peer::Peer,
    round::Seat,
    signal::Signal,
};

const PING_EVERY: Duration = Duration::from_secs(5);
const GOODBYE: Duration = Duration::from_millis(200);

/// What a round is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// People come.
    Joining,
    /// What arrives is counted.
    Measuring,
    /// People leave.
    Over,
}

/// What a participant received while it was measured.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// In microseconds.
    pub(crate) travelled: Vec<u32>,
}

/// The machine's monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a load generator runs by the clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A participant in a room.
pub(crate) struct Client {
    signal: Signal,
    subscriber: Peer,
    publisher: Option<Peer>,
    source: Option<Source>,
    epoch: Instant,
    began: Instant,
    phase: watch::Receiver<Phase>,
    received: Received,
}

impl Client {
    /// Joins, says on `joined` how long that took, stays until the phase is [`Phase::Over`].
    pub(crate) async fn run(
        url: String,
        token: String,
        seat: Seat,
        first_ssrc: u32,
        epoch: Instant,
        joined: mpsc::UnboundedSender<Duration>,
        phase: watch::Receiver<Phase>,
    ) -> Result<Received> {
        let began = now();
        let mut signal = Signal::open(&url, &token, seat.subscribes).await?;
        let publisher = if seat.publishes {
            for request in publications() {
                signal.send(request).await?;
            }
            let mut peer = Peer::new().await?;
            peer.add_media(first_ssrc)?;
            Some(peer)
        } else {
            None
        };
        let client = Self {
            signal,
            subscriber: Peer::new().await?,
            publisher,
            source: None,
            epoch,
            began,
            phase,
            received: Received::default(),
        };
        let identity = seat.identity;
        client.stay(joined).await.context(identity)
    }

    async fn stay(mut self, joined: mpsc::UnboundedSender<Duration>) -> Result<Received> {
        let mut joined = Some(joined);
        let mut published = 0;
        let mut ping = now() + PING_EVERY;
        while *self.phase.borrow() != Phase::Over {
            let due = self.due().min(ping);
            tokio::select! {
                response = self.signal.next() => {
                    published += usize::from(matches!(response, Ok(Response::TrackPublished(_))));
                    self.heard(response?, published).await?;
                }
                readable = self.subscriber.socket().readable() => readable?,
                readable = readable(self.publisher.as_ref().map(Peer::socket)) => readable?,
                () = sleep_until(due.into()) => {}
                changed = self.phase.changed() => changed?,
            }
            if ping <= now() {
                ping += PING_EVERY;
                let request = Request::PingReq(Ping::default());
                self.signal.send(request).await?;
            }
            self.drive()?;
            if self.is_joined()
                && let Some(joined) = joined.take()
            {
                // Whoever counts may have given up.
                let _ = joined.send(self.began.elapsed());
                self.source = self.publisher.is_some().then(|| Source::starting(now()));
            }
        }
        let goodbye = Request::Leave(LeaveRequest::default());
        // The server may be gone already.
        let _ = timeout(GOODBYE, self.signal.send(goodbye)).await;
        Ok(self.received)
    }

    fn is_joined(&self) -> bool {
        let publishing = self.publisher.as_ref();
        self.subscriber.is_connected() && publishing.is_none_or(Peer::is_connected)
    }

    fn due(&mut self) -> Instant {
        let mut due = self.subscriber.due();
        if let Some(publisher) = &mut self.publisher {
            due = due.min(publisher.due());
        }
        self.source
            .as_ref()
            .map_or(due, |source| due.min(source.due()))
    }

    async fn heard(&mut self, response: Response, published: usize) -> Result<()> {
        match response {
            Response::Offer(offer) => {
                let answer = self.subscriber.answer(offer)?;
                self.signal.send(Request::Answer(answer)).await?;
            }
            Response::Answer(answer) => {
                let publisher = self.publisher.as_mut().context("nothing was offered")?;
                publisher.answered(answer)?;
            }
            Response::Trickle(trickle) => self.candidate(&trickle)?,
            Response::TrackPublished(_) if published == publications().len() => {
                let publisher = self.publisher.as_mut().context("nothing is published")?;
                let offer = publisher.offer()?;
                self.signal.send(Request::Offer(offer)).await?;
            }
            Response::Leave(leave) => bail!("turned out: {:?}", leave.reason()),
            _ => {}
        }
        Ok(())
    }

    fn candidate(&mut self, trickle: &TrickleRequest) -> Result<()> {
        if trickle.candidate_init.is_empty() {
            return Ok(());
        }
        match (trickle.target(), &mut self.publisher) {
            (SignalTarget::Subscriber, _) => self.subscriber.add_candidate(&trickle.candidate_init),
            (SignalTarget::Publisher, Some(publisher)) => {
                publisher.add_candidate(&trickle.candidate_init)
            }
            (SignalTarget::Publisher, None) => Ok(()),
        }
    }

    fn drive(&mut self) -> Result<()> {
        if let (Some(source), Some(publisher)) = (&mut self.source, &mut self.publisher) {
            // Each by itself: a packet must not be taken for late because others of its picture were sealed first.
            for mut piece in source.pieces(now()) {
                piece.stamp(now().saturating_duration_since(self.epoch));
                publisher.send(piece)?;
            }
        }
        if let Some(publisher) = &mut self.publisher {
            publisher.drive(|_, _| {})?;
        }
        let (epoch, received) = (self.epoch, &mut self.received);
        let measuring = *self.phase.borrow() == Phase::Measuring;
        self.subscriber.drive(|payload, came| {
            if let Some(travelled) = travelled(payload, epoch, came).filter(|_| measuring) {
                received.packets += 1;
                received.bytes += payload.len() as u64;
                let micros = u32::try_from(travelled.as_micros());
                received.travelled.push(micros.unwrap_or(u32::MAX));
            }
        })
    }
}

async fn readable(socket: Option<&UdpSocket>) -> io::Result<()> {
    match socket {
        Some(socket) => socket.readable().await,
        None => std::future::pending().await,
    }
}

/// Camera and microphone, announced by the names that the connection's tracks bear.
fn publications() -> [Request; 2] {
    let qualities = [VideoQuality::Low, VideoQuality::Medium, VideoQuality::High];
    let layers = LAYERS
        .iter()
        .zip(qualities)
        .map(|(layer, quality)| VideoLayer {
            quality: quality.into(),
            width: layer.width.into(),
            height: layer.height.into(),
            bitrate: layer.bits_per_second,
            ..VideoLayer::default()
        })
        .collect();
    let camera = AddTrackRequest {
        cid: "camera".to_owned(),
        name: "camera".to_owned(),
        r#type: TrackType::Video.into(),
        source: TrackSource::Camera.into(),
        width: 1280,
        height: 720,
        layers,
        ..AddTrackRequest::default()
    };
    let microphone = AddTrackRequest {
        cid: "microphone".to_owned(),
        name: "microphone".to_owned(),
        r#type: TrackType::Audio.into(),
        source: TrackSource::Microphone.into(),
        disable_red: true,
        ..AddTrackRequest::default()
    };
    [camera, microphone].map(Request::AddTrack)
}
