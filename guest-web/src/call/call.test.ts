import * as livekit from "livekit-client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CallParticipant, Transport } from "../api/types";
import { Call, type CallSession } from "./call";

const { RoomEvent, Track } = livekit;

const fine = () => Promise.resolve();

/** Every room that was made, in order. */
let rooms: Room[] = [];
/** What comes of connecting to an address; what is not here never answers. */
const answers = new Map<string, () => Promise<void>>();

/** A relay's room, as far as a call needs it. */
class Room {
  state = "disconnected";
  url = "";
  canPlaybackAudio = true;
  activeSpeakers = [];
  readonly remoteParticipants = new Map<
    string,
    { identity: string; trackPublications: Map<string, unknown> }
  >();
  readonly localParticipant = { publishTrack: vi.fn(), unpublishTrack: vi.fn(fine) };
  readonly disconnect = vi.fn(() => {
    this.state = "disconnected";
    return Promise.resolve();
  });
  private readonly listeners = new Map<string, (...args: never[]) => void>();

  constructor() {
    rooms.push(this);
  }

  on(event: string, listener: (...args: never[]) => void): this {
    this.listeners.set(event, listener);
    return this;
  }

  emit(event: string): void {
    this.listeners.get(event)?.();
  }

  async connect(url: string): Promise<void> {
    this.url = url;
    await (answers.get(url)?.() ?? new Promise(() => undefined));
    this.state = "connected";
    this.emit(RoomEvent.ConnectionStateChanged);
  }

  /** Somebody comes who sends sound. */
  join(identity: string) {
    const publication = { source: Track.Source.Microphone, isDesired: false, setSubscribed: vi.fn() };
    this.remoteParticipants.set(identity, { identity, trackPublications: new Map([["one", publication]]) });
    return publication;
  }
}

/** A call of which the house says this. */
function calling(transports: Transport[]) {
  const participants: CallParticipant[] = [];
  const joinCall = vi.fn(() => Promise.resolve({ transports, participants }));
  const session = { joinCall, hangUp: vi.fn(), canWrite: false } as unknown as CallSession;
  const listener = { changed: () => undefined, lines: () => undefined };
  const call = new Call({ ...livekit, Room, setLogLevel: () => undefined } as never, session, listener);
  return { call, session, participants, joinCall };
}

const relay = (url: string, own: boolean): Transport => ({ url, own, token: "token" });
const at = (url: string) => rooms.filter((room) => room.url === url);

beforeEach(() => {
  rooms = [];
  answers.clear();
  vi.useFakeTimers();
  vi.stubGlobal("window", {
    setTimeout,
    clearTimeout,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  });
  vi.stubGlobal("sessionStorage", { getItem: () => null, setItem: () => undefined });
});

afterEach(() => vi.useRealTimers());

test("a relay that does not answer keeps nobody from being heard", async () => {
  answers.set("wss://own", fine);
  const { call, session, participants } = calling([relay("wss://own", true), relay("wss://dead", false)]);
  await call.start("chat");
  await vi.advanceTimersByTimeAsync(0);
  expect(call.state.phase).toBe("live");
  const sound = at("wss://own")[0]?.join("clerk");
  participants.push({ identity: "clerk", name: "Frau Kern", role: "clerk" });
  session.onCall?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(sound?.setSubscribed).toHaveBeenCalledWith(true);
  // It is not asked once more as long as it may still answer.
  expect(at("wss://dead")).toHaveLength(1);
});

test("the guest's own relay is back soon, however often another one has failed", async () => {
  answers.set("wss://own", fine);
  answers.set("wss://dead", () => Promise.reject(new Error("dead")));
  const { call } = calling([relay("wss://own", true), relay("wss://dead", false)]);
  await call.start("chat");
  await vi.advanceTimersByTimeAsync(120_000);
  expect(at("wss://dead").length).toBeGreaterThan(4);
  expect(call.state.phase).toBe("live");
  at("wss://own")[0]?.emit(RoomEvent.Disconnected);
  expect(call.state.phase).toBe("lost");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(call.state.phase).toBe("live");
  expect(at("wss://own")).toHaveLength(2);
});

test("a connection that is given up while it comes about is not tried again", async () => {
  let refuse: (why: Error) => void = () => undefined;
  answers.set("wss://own", fine);
  answers.set("wss://other", () => new Promise((_, reject) => (refuse = reject)));
  const transports = [relay("wss://own", true), relay("wss://other", false)];
  const { call, session, joinCall } = calling(transports);
  await call.start("chat");
  transports.pop();
  session.onCall?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(at("wss://other")[0]?.disconnect).toHaveBeenCalled();
  refuse(new Error("given up"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(joinCall).toHaveBeenCalledTimes(2);
});

test("who cannot be seen at a relay still sees and hears", async () => {
  answers.set("wss://own", async () => {
    at("wss://own")[0]?.localParticipant.publishTrack.mockRejectedValue(new Error("too many"));
  });
  const { call } = calling([relay("wss://own", true)]);
  const camera = { source: Track.Source.Camera, isMuted: false, stop: vi.fn() };
  call.own.camera = camera as never;
  await call.start("chat");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(call.state.phase).toBe("live");
  expect(at("wss://own")).toHaveLength(1);
  expect(camera.stop).toHaveBeenCalled();
  expect(call.own.check.camera).toBe("unsent");
});
