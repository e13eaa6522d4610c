"""A participant of a call: the LiveKit SDK for Python, driven by JSON lines.

Each line on standard input is a request `{"id": 1, "do": "join", …}`, answered by `{"id": 1, "answer": …}` or
`{"id": 1, "error": "…"}`; the methods of `Participant` are the requests. What happens by itself comes as
`{"event": "left", …}`. The process ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

from livekit import rtc

import picture

FRAMES_PER_SECOND = 15
SOUND_PIECE_MS = 50
HEARING_MS = 100
# How often a picture is looked at closely.
JUDGED_EVERY_S = 0.5
SOURCES = {
    "microphone": rtc.TrackSource.SOURCE_MICROPHONE,
    "camera": rtc.TrackSource.SOURCE_CAMERA,
    "screen": rtc.TrackSource.SOURCE_SCREENSHARE,
}
CODECS = {
    "vp8": rtc.VideoCodec.VP8,
    "h264": rtc.VideoCodec.H264,
    "vp9": rtc.VideoCodec.VP9,
    "av1": rtc.VideoCodec.AV1,
}
QUALITIES = {
    "low": rtc.VideoQuality.VIDEO_QUALITY_LOW,
    "medium": rtc.VideoQuality.VIDEO_QUALITY_MEDIUM,
    "high": rtc.VideoQuality.VIDEO_QUALITY_HIGH,
}


def tell(message: dict) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Seen:
    """What a remote video track has shown since it was subscribed."""

    def __init__(self, track: rtc.RemoteTrack) -> None:
        self._stream = rtc.VideoStream(track, format=rtc.VideoBufferType.I420)
        self._last: int | None = None
        self._judge_at = 0.0
        self.report = {
            "frames": 0,
            "moved": 0,
            "broken": 0,
            "who": None,
            "width": 0,
            "height": 0,
            # The latest for each width: a smaller picture of the same is sharper.
            "sharpness": {},
        }

    async def run(self) -> None:
        report = self.report
        async for event in self._stream:
            frame = event.frame
            report["frames"] += 1
            report["width"], report["height"] = frame.width, frame.height
            now = asyncio.get_running_loop().time()
            if now >= self._judge_at:
                self._judge_at = now + JUDGED_EVERY_S
                size = (frame.width, frame.height)
                report["sharpness"][frame.width] = picture.sharpness(*size, frame.data)
            found = picture.read(frame.width, frame.height, frame.data)
            if found is None:
                report["broken"] += 1
                continue
            report["who"], number = found
            report["moved"] += number != self._last
            self._last = number


class Heard:
    """What a remote audio track has played since it was subscribed, in pieces of 100 ms."""

    def __init__(self, track: rtc.RemoteTrack) -> None:
        self._stream = rtc.AudioStream(
            track, sample_rate=picture.RATE, num_channels=1, frame_size_ms=HEARING_MS
        )
        self._hertz: Counter[int] = Counter()
        self._silent = 0

    @property
    def report(self) -> dict:
        return {"silent": self._silent, "hertz": dict(self._hertz)}

    async def run(self) -> None:
        async for event in self._stream:
            hertz = picture.hear(event.frame.data)
            if hertz is None:
                self._silent += 1
            else:
                self._hertz[hertz] += 1


class Participant:
    def __init__(self) -> None:
        self._room = rtc.Room()
        self._watching: dict[str, Seen | Heard] = {}
        self._sending: dict[str, asyncio.Task] = {}
        self._tasks: set[asyncio.Task] = set()
        self._listen()

    # Requests.

    async def join(
        self,
        url: str,
        token: str,
        subscribe: bool,
        dynacast: bool,
        single: bool,
        turn: bool,
        key: str | None,
    ) -> None:
        options = rtc.RoomOptions(
            auto_subscribe=subscribe, dynacast=dynacast, single_peer_connection=single
        )
        if key:
            shared = rtc.KeyProviderOptions(shared_key=key.encode())
            options.encryption = rtc.E2EEOptions(key_provider_options=shared)
        if turn:
            relayed = rtc.IceTransportType.TRANSPORT_RELAY
            options.rtc_config = rtc.RtcConfiguration(ice_transport_type=relayed)
        await self._room.connect(url, token, options)

    async def leave(self) -> None:
        await self._room.disconnect()

    async def play(self, name: str, hertz: int) -> str:
        """Publishes a tone as the microphone."""
        source = rtc.AudioSource(picture.RATE, 1, queue_size_ms=200)
        track = rtc.LocalAudioTrack.create_audio_track(name, source)
        options = rtc.TrackPublishOptions(source=SOURCES["microphone"])
        publication = await self._room.local_participant.publish_track(track, options)
        self._send(name, self._play(source, hertz))
        return publication.sid

    async def show(
        self,
        name: str,
        source: str,
        codec: str,
        who: int,
        width: int,
        height: int,
        simulcast: bool,
        busy: bool,
    ) -> str:
        """Publishes a moving picture."""
        video = rtc.VideoSource(width, height, is_screencast=source == "screen")
        track = rtc.LocalVideoTrack.create_video_track(name, video)
        options = rtc.TrackPublishOptions(
            source=SOURCES[source],
            simulcast=simulcast,
            video_codec=CODECS[codec],
            video_encoding=rtc.VideoEncoding(
                max_bitrate=width * height * 3, max_framerate=FRAMES_PER_SECOND
            ),
        )
        publication = await self._room.local_participant.publish_track(track, options)
        self._send(name, self._show(video, who, width, height, busy))
        return publication.sid

    async def unpublish(self, name: str) -> None:
        self._sending.pop(name).cancel()
        await self._room.local_participant.unpublish_track(self._own(name).sid)

    async def mute(self, name: str, muted: bool) -> None:
        track = self._own(name).track
        (track.mute if muted else track.unmute)()

    async def subscribe(self, identity: str, name: str, subscribed: bool) -> None:
        self._others(identity, name).set_subscribed(subscribed)

    async def quality(self, identity: str, name: str, quality: str) -> None:
        self._others(identity, name).set_video_quality(QUALITIES[quality])

    async def say(self, text: str, topic: str, reliable: bool, to: list[str]) -> None:
        await self._room.local_participant.publish_data(
            text, reliable=reliable, destination_identities=to, topic=topic
        )

    async def describe(self, metadata: str) -> None:
        await self._room.local_participant.set_metadata(metadata)

    async def look(self) -> dict:
        """Everybody else in the room, their tracks, and what they have shown and played so far."""
        others = {}
        for identity, other in self._room.remote_participants.items():
            tracks = {}
            for publication in other.track_publications.values():
                watched = self._watching.get(publication.sid)
                tracks[publication.name] = {
                    "sid": publication.sid,
                    "muted": publication.muted,
                    "subscribed": publication.track is not None,
                    **(watched.report if watched else {}),
                }
            others[identity] = {
                "name": other.name,
                "metadata": other.metadata,
                "tracks": tracks,
            }
        return others

    async def carried(self, identity: str | None, name: str) -> dict:
        """What WebRTC counts of a track, of somebody's or of its own: all its streams together."""
        publication = self._others(identity, name) if identity else self._own(name)
        counted: Counter[str] = Counter()
        mimes = set()
        for entry in await publication.track.get_stats():
            kind = entry.WhichOneof("stats")
            stats = getattr(entry, kind)
            if kind == "codec":
                mimes.add(stats.codec.mime_type)
            elif kind == "inbound_rtp":
                inbound = stats.inbound
                counted["lost"] += max(0, stats.received.packets_lost)
                counted["nacks"] += inbound.nack_count
                counted["repaired"] += inbound.retransmitted_packets_received
                counted["decoded"] += inbound.frames_decoded
            elif kind == "outbound_rtp":
                counted["nacks"] += stats.outbound.nack_count
                counted["repaired"] += stats.outbound.retransmitted_packets_sent
        return {"mimes": sorted(mimes), **counted}

    # What happens by itself.

    def _listen(self) -> None:
        room = self._room

        def on(event: str, message) -> None:
            room.on(event, lambda *arguments: tell(message(*arguments)))

        on("participant_connected", lambda other: {"event": "came", "who": other.identity})
        on("participant_active", lambda other: {"event": "ready", "who": other.identity})
        on("participant_disconnected", lambda other: {"event": "went", "who": other.identity})
        on("disconnected", lambda reason: {"event": "out", "reason": rtc.DisconnectReason.Name(reason)})
        on("reconnecting", lambda: {"event": "reconnecting"})
        on("reconnected", lambda: {"event": "reconnected"})
        on("track_muted", lambda who, track: self._about(who, track, "muted"))
        on("track_unmuted", lambda who, track: self._about(who, track, "unmuted"))
        on("track_published", lambda track, who: self._about(who, track, "published"))
        on("track_unpublished", lambda track, who: self._about(who, track, "unpublished"))
        on(
            "active_speakers_changed",
            lambda speakers: {"event": "speakers", "who": [one.identity for one in speakers]},
        )
        on(
            "connection_quality_changed",
            lambda who, quality: {
                "event": "quality",
                "who": who.identity if who else None,
                "quality": int(quality),
            },
        )
        on(
            "data_received",
            lambda packet: {
                "event": "heard",
                "who": packet.participant.identity if packet.participant else None,
                "text": packet.data.decode(),
                "topic": packet.topic,
                "reliable": packet.kind == rtc.DataPacketKind.KIND_RELIABLE,
            },
        )
        room.on("track_subscribed", lambda track, publication, _: self._watch(track, publication))
        room.on("track_unsubscribed", lambda _, publication, __: self._watching.pop(publication.sid, None))

    @staticmethod
    def _about(who, publication, event: str) -> dict:
        return {"event": event, "who": who.identity, "track": publication.name}

    def _watch(self, track, publication) -> None:
        watched = (Seen if track.kind == rtc.TrackKind.KIND_VIDEO else Heard)(track)
        self._watching[publication.sid] = watched
        self._spawn(watched.run())

    # Sending.

    def _send(self, name: str, sending) -> None:
        self._sending[name] = self._spawn(sending)

    def _spawn(self, work) -> asyncio.Task:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @staticmethod
    async def _play(source: rtc.AudioSource, hertz: int) -> None:
        tone = picture.Tone(hertz)
        samples = picture.RATE * SOUND_PIECE_MS // 1000
        while True:
            # Waits while the source's queue is full: the queue keeps the time.
            await source.capture_frame(rtc.AudioFrame(tone.next(samples), picture.RATE, 1, samples))

    @staticmethod
    async def _show(
        source: rtc.VideoSource, who: int, width: int, height: int, busy: bool
    ) -> None:
        clock = asyncio.get_running_loop().time
        due, number = clock(), 0
        while True:
            data = picture.paint(width, height, who, number, busy)
            source.capture_frame(rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, data))
            number += 1
            due = max(due + 1 / FRAMES_PER_SECOND, clock())
            await asyncio.sleep(due - clock())

    def _own(self, name: str) -> rtc.LocalTrackPublication:
        publications = self._room.local_participant.track_publications.values()
        return next(publication for publication in publications if publication.name == name)

    def _others(self, identity: str, name: str) -> rtc.RemoteTrackPublication:
        publications = self._room.remote_participants[identity].track_publications.values()
        return next(publication for publication in publications if publication.name == name)


async def answer(participant: Participant, request: dict) -> None:
    number, method = request.pop("id"), request.pop("do")
    try:
        tell({"id": number, "answer": await getattr(participant, method)(**request)})
    except Exception as error:
        tell({"id": number, "error": f"{type(error).__name__}: {error}"})


async def main() -> None:
    loop = asyncio.get_running_loop()
    requests = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin)
    participant = Participant()
    answering: set[asyncio.Task] = set()
    while line := await requests.readline():
        task = asyncio.ensure_future(answer(participant, json.loads(line)))
        answering.add(task)
        task.add_done_callback(answering.discard)


asyncio.run(main())
