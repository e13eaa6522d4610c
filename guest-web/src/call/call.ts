// The visit's call: one connection to each relay it uses, everything of the guest's to one of them, everything of
// the others' from all. Reconnects by itself.

import type * as LiveKit from "livekit-client";
import { Refused } from "../api/client";
import type { CallParticipant, Transport } from "../api/types";
import { backoff } from "../lib/backoff";
import type { Session } from "../visit/session";
import { recall } from "./choice";
import type { Mode } from "./devices";
import { Own } from "./own";
import { choose, heard, passed, step, THRIFT, type Thrift } from "./quality";
import { LiveText } from "./live-text";
import { type Lines, TOPIC } from "./rtt";
import { type Media, type MediaKind, type Stage, stage } from "./stage";
import { type Link, plan } from "./transports";

type Module = typeof LiveKit;

/** Where the call stands. */
export type Phase =
  /** On the way in. */
  | "joining"
  | "live"
  /** The connection is gone; this page tries to get it back. */
  | "lost"
  /** There is no call; the conversation goes on in writing. */
  | "failed"
  /** The same guest has joined in another tab. */
  | "elsewhere";

/** What the call's views show. */
export interface CallState {
  phase: Phase;
  /** Why it has failed. */
  failure: unknown;
  stage: Stage<LiveKit.RemoteVideoTrack>;
  thrift: Thrift;
  /** The browser waits for a touch before it plays sound. */
  soundBlocked: boolean;
  /** Whether the others see what the guest types while it is typed; missing where there is nowhere to type. */
  liveText?: boolean;
}

/** A text that somebody is writing. */
export interface LiveLine {
  identity: string;
  name: string;
  text: string;
}

interface Connection extends Link {
  room: LiveKit.Room;
}

/** What a call tells those who show it. */
export interface Listener {
  changed: () => void;
  lines: (lines: LiveLine[]) => void;
}

/** What a call needs of the page's conversation with the house. */
export type CallSession = Pick<Session, "joinCall" | "hangUp" | "onCall" | "onDraft" | "canWrite">;

export class Call {
  readonly own: Own;
  private phase: Phase = "joining";
  private failure: unknown;
  private thrift = THRIFT;
  private participants: readonly CallParticipant[] = [];
  private connections: Connection[] = [];
  private readonly liveText = new LiveText({
    send: (packet) => this.send(packet),
    changed: (lines) => this.tellLines(lines),
  });
  private mode: Mode = "chat";
  private over = false;
  private wasLive = false;
  private asking = false;
  private askAgain = false;
  /** How often each relay has failed in a row, and the house. */
  private readonly failed = new Map<string, number>();
  private retryTimer: number | undefined;
  private retryAt = Infinity;
  private thriftTimer: number | undefined;

  constructor(
    private readonly livekit: Module,
    private readonly session: CallSession,
    private readonly listener: Listener,
  ) {
    this.own = new Own(livekit, () => this.listener.changed());
    livekit.setLogLevel("silent");
  }

  /** Takes the devices and joins. */
  async start(mode: Mode): Promise<void> {
    this.session.onCall = () => void this.reconcile();
    this.session.onDraft = (text) => this.liveText.drafted(text);
    window.addEventListener("online", this.online);
    window.addEventListener("offline", this.offline);
    this.mode = mode;
    await this.enter();
  }

  get state(): CallState {
    const rooms = this.connections.map((connection) => connection.room);
    return {
      phase: this.phase,
      failure: this.failure,
      stage: this.stage(rooms),
      thrift: this.thrift,
      soundBlocked: rooms.some((room) => room.state === "connected" && !room.canPlaybackAudio),
      ...(this.session.canWrite && { liveText: this.liveText.on }),
    };
  }

  /** Tries again after [`Phase`] `failed` or `elsewhere`. */
  retry(): void {
    this.set("joining");
    void this.enter();
  }

  /** Leaves the call and lets go of everything. */
  close(): void {
    if (this.over) return;
    this.over = true;
    window.clearTimeout(this.retryTimer);
    window.clearTimeout(this.thriftTimer);
    this.liveText.close();
    window.removeEventListener("online", this.online);
    window.removeEventListener("offline", this.offline);
    this.session.onCall = undefined;
    this.session.onDraft = undefined;
    this.own.stop();
    for (const connection of [...this.connections]) this.drop(connection);
    this.listener.lines([]);
  }

  /** Plays the sound that the browser held back. */
  async playSound(): Promise<void> {
    await Promise.all(this.connections.map(({ room }) => room.startAudio()));
  }

  async useSpeaker(id: string): Promise<void> {
    await Promise.all(this.connections.map(({ room }) => room.switchActiveDevice("audiooutput", id)));
  }

  /** Sound only, or pictures again. */
  setSaving(saving: boolean): void {
    this.takeThrift(choose(this.thrift, saving, performance.now()));
  }

  setLiveText(on: boolean): void {
    this.liveText.set(on);
    this.listener.changed();
  }

  private async enter(): Promise<void> {
    // Who has to answer a question about the camera need not wait in front of the door.
    const devices = this.own.take(this.mode).catch(() => undefined);
    await Promise.all([devices, this.reconcile()]);
  }

  private readonly online = (): void => {
    if (this.phase === "lost" || this.phase === "joining") void this.reconcile();
  };

  private readonly offline = (): void => {
    if (this.phase === "live") this.set("lost");
  };

  /** Asks how the call is, and connects accordingly; once more if something has changed meanwhile. */
  private async reconcile(): Promise<void> {
    window.clearTimeout(this.retryTimer);
    this.retryAt = Infinity;
    if (this.asking) {
      this.askAgain = true;
      return;
    }
    this.asking = true;
    try {
      do {
        this.askAgain = false;
        await this.reconcileOnce();
      } while (this.askAgain && !this.over);
    } finally {
      this.asking = false;
    }
  }

  private async reconcileOnce(): Promise<void> {
    if (this.over || this.phase === "elsewhere" || this.phase === "failed") return;
    try {
      const { transports, participants } = await this.session.joinCall();
      if (this.over) return;
      this.failed.delete(HOUSE);
      this.participants = participants;
      const { close, connect } = plan(this.connections, transports);
      for (const connection of close) this.drop(connection);
      this.choosePictures();
      this.listener.changed();
      // Nobody waits for a relay that does not answer: not the others, and not who comes meanwhile.
      for (const transport of connect) void this.connect(transport);
      this.judge();
    } catch (error) {
      if (!(error instanceof Refused)) this.retryLater(HOUSE);
      else if (error.problem.type === NOT_READY) this.retryLater(HOUSE, error.retryAfter);
      else if (this.isFinal(error.status)) this.fail(error);
      else this.retryLater(HOUSE);
    }
  }

  /** Before the first word a refusal is an answer; later most are a disturbance. */
  private isFinal(status: number): boolean {
    if (status === 429) return false;
    return !this.wasLive || status === 403 || status === 404 || status === 409;
  }

  private async connect(transport: Transport): Promise<void> {
    const room = new this.livekit.Room(this.options());
    const connection: Connection = { url: transport.url, own: transport.own, room };
    this.connections.push(connection);
    this.follow(connection);
    try {
      await room.connect(transport.url, transport.token, { autoSubscribe: false });
    } catch {
      this.lose(connection);
      return;
    }
    this.failed.delete(transport.url);
    this.choosePictures();
    if (connection.own) await this.own.publishTo(room);
  }

  private options(): LiveKit.RoomOptions {
    const { VideoPresets, ScreenSharePresets } = this.livekit;
    const { speaker } = recall();
    return {
      adaptiveStream: true,
      dynacast: true,
      publishDefaults: {
        videoCodec: "vp8",
        backupCodec: false,
        simulcast: true,
        videoEncoding: VideoPresets.h720.encoding,
        videoSimulcastLayers: [VideoPresets.h180, VideoPresets.h360],
        screenShareEncoding: ScreenSharePresets.h1080fps15.encoding,
        dtx: true,
        red: false,
      },
      // The guest's devices outlive a connection.
      stopLocalTrackOnUnpublish: false,
      ...(speaker && { audioOutput: { deviceId: speaker } }),
      // A few quick tries of its own; then this page asks the house for a fresh token.
      reconnectPolicy: {
        nextRetryDelayInMs: ({ retryCount }) => (retryCount < 5 ? 300 * 2 ** retryCount : null),
      },
    };
  }

  private follow(connection: Connection): void {
    const { RoomEvent, DisconnectReason, Track } = this.livekit;
    const { room } = connection;
    const redraw = () => this.listener.changed();
    const someone = () => {
      this.choosePictures();
      redraw();
    };
    room
      .on(RoomEvent.ConnectionStateChanged, () => this.judge())
      .on(RoomEvent.Reconnected, () => {
        // What was switched on meanwhile.
        if (connection.own) void this.own.publishTo(room);
      })
      .on(RoomEvent.ParticipantConnected, () => {
        someone();
        this.liveText.repeat();
      })
      .on(RoomEvent.ParticipantDisconnected, () => {
        this.liveText.keep(this.connected());
        redraw();
      })
      .on(RoomEvent.TrackPublished, someone)
      .on(RoomEvent.TrackUnpublished, redraw)
      .on(RoomEvent.TrackSubscribed, (track) => {
        // An element of its own, outside of the page, plays it.
        if (track.kind === Track.Kind.Audio) track.attach();
        redraw();
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => {
        track.detach();
        redraw();
      })
      .on(RoomEvent.TrackMuted, redraw)
      .on(RoomEvent.TrackUnmuted, redraw)
      .on(RoomEvent.ActiveSpeakersChanged, redraw)
      .on(RoomEvent.AudioPlaybackStatusChanged, redraw)
      .on(RoomEvent.ConnectionQualityChanged, (quality, participant) => {
        if (connection.own && participant.isLocal)
          this.takeThrift(heard(this.thrift, quality, performance.now()));
      })
      .on(RoomEvent.DataReceived, (bytes, participant, _kind, topic) => {
        if (topic === TOPIC && participant && this.belongs(participant.identity))
          this.liveText.received(participant.identity, bytes);
      })
      .on(RoomEvent.Disconnected, (reason) => {
        const here = this.connections.includes(connection);
        if (here && reason === DisconnectReason.DUPLICATE_IDENTITY) this.leaveTo("elsewhere");
        else this.lose(connection);
      });
  }

  /** Says where the call stands, by the relay that the guest's own pictures go to. */
  private judge(): void {
    if (this.phase === "failed" || this.phase === "elsewhere") return;
    const main = this.connections.find((connection) => connection.own) ?? this.connections[0];
    const live = main?.room.state === "connected";
    this.wasLive ||= live;
    this.set(live ? "live" : this.wasLive ? "lost" : "joining");
  }

  private set(phase: Phase): void {
    this.phase = phase;
    this.listener.changed();
  }

  private fail(error: unknown): void {
    this.failure = error;
    this.leaveTo("failed");
  }

  private leaveTo(phase: Phase): void {
    for (const connection of [...this.connections]) this.drop(connection);
    // Nobody sees or hears the guest now, and no light may say otherwise.
    this.own.stop();
    this.set(phase);
  }

  /** Tries again after so many seconds, else after longer and longer pauses; earlier if another relay is due. */
  private retryLater(whom: string, seconds?: number): void {
    if (this.over) return;
    this.judge();
    const failed = this.failed.get(whom) ?? 0;
    if (seconds === undefined) this.failed.set(whom, Math.min(failed + 1, 4));
    const pause = seconds === undefined ? backoff(failed, Math.random) : seconds * 1000;
    const at = performance.now() + pause;
    if (at >= this.retryAt) return;
    this.retryAt = at;
    window.clearTimeout(this.retryTimer);
    this.retryTimer = window.setTimeout(() => void this.reconcile(), pause);
  }

  /** A connection is gone, or has never come about; one that was given up on purpose is not missed. */
  private lose(connection: Connection): void {
    if (!this.connections.includes(connection)) return;
    this.drop(connection);
    this.retryLater(connection.url);
  }

  private drop(connection: Connection): void {
    this.connections = this.connections.filter((it) => it !== connection);
    this.own.leave(connection.room);
    // Without its devices: they go on to the next one.
    void connection.room.disconnect(false);
  }

  /** Receives what belongs to the call, and no pictures while the line is too thin for them. */
  private choosePictures(): void {
    const { Camera } = this.livekit.Track.Source;
    for (const { room } of this.connections)
      for (const person of room.remoteParticipants.values())
        for (const publication of person.trackPublications.values()) {
          const saved = this.thrift.saving && publication.source === Camera;
          const wanted = this.belongs(person.identity) && !saved;
          if (publication.isDesired !== wanted) publication.setSubscribed(wanted);
        }
  }

  private belongs(identity: string): boolean {
    return this.participants.some((person) => person.identity === identity);
  }

  private takeThrift(thrift: Thrift): void {
    const { saving } = this.thrift;
    this.thrift = thrift;
    window.clearTimeout(this.thriftTimer);
    const due = step(thrift);
    if (due !== undefined) {
      const again = () => this.takeThrift(passed(this.thrift, performance.now()));
      this.thriftTimer = window.setTimeout(again, Math.max(0, due - performance.now()) + 1);
    }
    if (saving !== thrift.saving) {
      this.choosePictures();
      void (thrift.saving ? this.own.restCamera() : this.own.wakeCamera()).catch(() => undefined);
    }
    this.listener.changed();
  }

  private send(packet: Uint8Array<ArrayBuffer>): void {
    const main = this.connections.find((connection) => connection.own);
    // What is lost here is marked at the other end, and comes as a message later.
    void main?.room.localParticipant
      .publishData(packet, { reliable: true, topic: TOPIC })
      .catch(() => undefined);
  }

  private tellLines(lines: Lines): void {
    const name = (identity: string) =>
      this.participants.find((person) => person.identity === identity)?.name ?? "";
    this.listener.lines([...lines].map(([identity, { text }]) => ({ identity, name: name(identity), text })));
  }

  private connected(): Set<string> {
    return new Set(this.connections.flatMap(({ room }) => [...room.remoteParticipants.keys()]));
  }

  private stage(rooms: readonly LiveKit.Room[]): Stage<LiveKit.RemoteVideoTrack> {
    const media: Media<LiveKit.RemoteVideoTrack>[] = [];
    for (const room of rooms)
      for (const { identity, trackPublications } of room.remoteParticipants.values())
        for (const { source, track, isMuted: muted } of trackPublications.values()) {
          const kind = KINDS[source];
          if (kind && track) media.push({ identity, kind, track: track as LiveKit.RemoteVideoTrack, muted });
        }
    return stage({
      participants: this.participants,
      media,
      connected: this.connected(),
      speaking: new Set(rooms.flatMap((room) => room.activeSpeakers.map((person) => person.identity))),
      own: this.participants.find((person) => person.role === "guest")?.identity,
    });
  }
}

/** Who asks about the call; no relay has this address. */
const HOUSE = "";

/** The conversation's room is being made. */
const NOT_READY = "/problems/call-not-ready";

const KINDS: Record<string, MediaKind | undefined> = {
  camera: "camera",
  microphone: "microphone",
  screen_share: "screen",
  screen_share_audio: "screen-sound",
};
