import { beforeEach, expect, test, vi } from "vitest";
import { recall } from "./choice";
import { Own } from "./own";
import type { Share, ShareKind } from "./share";

/** A camera's track; `start` says what comes of turning to a device. */
function camera(start: (id: string) => Promise<boolean>) {
  const device = { stop: vi.fn() };
  const track = {
    kind: "video",
    isMuted: false,
    mediaStream: { getTracks: () => [device] },
    getSourceTrackSettings: () => ({ deviceId: "one" }),
    setDeviceId: ({ exact }: { exact: string }) => start(exact),
    unmute: () => Promise.reject(new Error("gone")),
    stop: vi.fn(),
  };
  return { device, track };
}

function owning(track: unknown) {
  const own = new Own({} as never, () => undefined);
  own.camera = track as never;
  return own;
}

const busy = new DOMException("in use", "NotReadableError");

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  vi.stubGlobal("navigator", {
    mediaDevices: {
      getUserMedia: () => Promise.reject(busy),
      enumerateDevices: () => Promise.resolve([]),
    },
  });
});

test("a camera that is chosen is kept for the next time", async () => {
  const own = owning(camera(() => Promise.resolve(true)).track);
  expect(await own.switchTo("camera", "two")).toBe(true);
  expect(recall().camera).toBe("two");
});

test("when the chosen camera does not start, the one before goes on", async () => {
  const asked: string[] = [];
  const { track } = camera((id) => {
    asked.push(id);
    return id === "one" ? Promise.resolve(true) : Promise.reject(busy);
  });
  const own = owning(track);
  expect(await own.switchTo("camera", "two")).toBe(false);
  expect(asked).toEqual(["two", "one"]);
  expect(own.camera).toBe(track);
  expect(recall().camera).toBe("one");
});

test("when no camera starts any more, there is none, and a reason", async () => {
  const { track } = camera(() => Promise.reject(busy));
  const own = owning(track);
  // Nothing goes on that could be told of; the reason is told by itself.
  expect(await own.switchTo("camera", "two")).toBe(true);
  expect(own.camera).toBeUndefined();
  expect(own.check.camera).toBe("busy");
  expect(track.stop).toHaveBeenCalled();
});

test("a camera that was switched off while another one started does not stay on", async () => {
  const { device, track } = camera(() => {
    track.isMuted = true;
    return Promise.resolve(true);
  });
  await owning(track).switchTo("camera", "two");
  expect(device.stop).toHaveBeenCalled();
});

test("after the end of a call no device is taken any more", async () => {
  const asked: string[] = [];
  const own = owning(
    camera((id) => {
      asked.push(id);
      own.stop();
      return Promise.reject(busy);
    }).track,
  );
  const ask = vi.spyOn(navigator.mediaDevices, "getUserMedia");
  await own.switchTo("camera", "two");
  expect(asked).toEqual(["two"]);
  expect(ask).not.toHaveBeenCalled();
});

test("a camera that cannot be switched on again is replaced, or there is a reason", async () => {
  const own = owning({ ...camera(() => Promise.resolve(true)).track, isMuted: true });
  await own.setCamera(true);
  expect(own.camera).toBeUndefined();
  expect(own.check.camera).toBe("busy");
});

test("choosing a camera while there is none asks for none, unless one was wanted", async () => {
  const own = owning(undefined);
  const ask = vi.spyOn(navigator.mediaDevices, "getUserMedia");
  await own.switchTo("camera", "two");
  expect(ask).not.toHaveBeenCalled();
  expect(recall().camera).toBe("two");
  await own.setCamera(true);
  ask.mockClear();
  await own.switchTo("camera", "one");
  const exactly = ask.mock.calls.map(([wanted]) => (wanted?.video as MediaTrackConstraints).deviceId);
  // The chosen one, and then any.
  expect(exactly).toEqual([{ exact: "one" }, undefined]);
});

/** Something that is shown. */
function shown(is: ShareKind) {
  const track = { addEventListener: vi.fn() } as never;
  return { is, track, stop: vi.fn() } satisfies Share;
}

const cancelled = () => Promise.reject(new DOMException("closed", "NotAllowedError"));

test("who closes the browser's choice of screens goes on to show what was shown", async () => {
  const own = owning(undefined);
  const pdf = shown("pdf");
  await own.show(() => Promise.resolve(pdf), false);
  await expect(own.show(cancelled, false)).rejects.toThrow("closed");
  expect(own.share).toBe(pdf);
  expect(pdf.stop).not.toHaveBeenCalled();
  const screen = shown("screen");
  await own.show(() => Promise.resolve(screen), false);
  expect(own.share).toBe(screen);
  expect(pdf.stop).toHaveBeenCalled();
});

test("a camera that shows a paper is let go of before it is asked for again", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  const own = owning(undefined);
  const first = shown("paper");
  await own.show(() => Promise.resolve(first), true);
  await own.show(() => {
    expect(first.stop).toHaveBeenCalled();
    return Promise.resolve(shown("paper"));
  }, true);
  expect(own.share?.is).toBe("paper");
});

test("on a telephone the camera rests for as long as a paper is shown", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  const { track } = camera(() => Promise.resolve(true));
  const switched = {
    mute: vi.fn(() => Promise.resolve(void (track.isMuted = true))),
    unmute: vi.fn(() => Promise.resolve(void (track.isMuted = false))),
  };
  const own = owning(Object.assign(track, switched));
  await own.show(() => Promise.resolve(shown("pdf")), false);
  await expect(own.show(cancelled, true)).rejects.toThrow("closed");
  expect(own.share?.is).toBe("pdf");
  expect(own.cameraOn).toBe(true);
  await own.show(() => Promise.resolve(shown("paper")), true);
  expect(own.cameraOn).toBe(false);
  await expect(own.show(cancelled, false)).rejects.toThrow("closed");
  expect(own.cameraOn).toBe(false);
  await own.show(() => Promise.resolve(shown("screen")), false);
  expect(own.cameraOn).toBe(true);
});

test("what is made ready when the call has ended is not shown", async () => {
  const own = owning(undefined);
  const late = shown("screen");
  await own.show(() => {
    own.stop();
    return Promise.resolve(late);
  }, false);
  expect(own.share).toBeUndefined();
  expect(late.stop).toHaveBeenCalled();
});

/** A relay's room; `take` says what comes of a track. */
function relay(take: (track?: unknown) => Promise<unknown> = () => Promise.resolve()) {
  const publishTrack = vi.fn(take);
  const unpublishTrack = vi.fn(() => Promise.resolve());
  return { state: "connected", localParticipant: { publishTrack, unpublishTrack } };
}

/** The part of the library that makes tracks. */
const library = {
  LocalVideoTrack: class {
    isMuted = false;
    stop = vi.fn();
    getProcessor = () => undefined;
  },
  Track: { Source: { Camera: "camera", ScreenShare: "screen_share" } },
};

function sending() {
  const given = { getVideoTracks: () => [{ kind: "video" }], getAudioTracks: () => [] };
  vi.stubGlobal("navigator", {
    mediaDevices: {
      getUserMedia: () => Promise.resolve(given),
      enumerateDevices: () => Promise.resolve([]),
    },
  });
  return new Own(library as never, () => undefined);
}

test("what is switched on after a relay is gone waits for the next one", async () => {
  const own = sending();
  const [gone, next] = [relay(), relay()];
  await own.publishTo(gone as never);
  own.leave(gone as never);
  await own.setCamera(true);
  await own.show(() => Promise.resolve(shown("pdf")), false);
  expect(own.cameraOn).toBe(true);
  expect(gone.localParticipant.publishTrack).not.toHaveBeenCalled();
  await own.publishTo(next as never);
  // Only the one that is used can be left.
  own.leave(gone as never);
  await own.hide();
  expect(next.localParticipant.publishTrack).toHaveBeenCalledTimes(2);
  expect(next.localParticipant.unpublishTrack).toHaveBeenCalledTimes(1);
});

test("what is switched on while a relay is out of reach is sent when it is back", async () => {
  const own = sending();
  const room = relay();
  await own.publishTo(room as never);
  room.state = "reconnecting";
  await own.setCamera(true);
  await own.show(() => Promise.resolve(shown("pdf")), false);
  expect(room.localParticipant.publishTrack).not.toHaveBeenCalled();
  room.state = "connected";
  await own.publishTo(room as never);
  expect(room.localParticipant.publishTrack).toHaveBeenCalledTimes(2);
});

const refused = () => Promise.reject(new Error("refused"));

test("what the relay does not take is not said to be shown", async () => {
  const own = sending();
  await own.publishTo(relay(refused) as never);
  const pdf = shown("pdf");
  await expect(own.show(() => Promise.resolve(pdf), false)).rejects.toThrow("refused");
  expect(own.share).toBeUndefined();
  expect(pdf.stop).toHaveBeenCalled();
});

test("a device whose track the relay does not take goes off, with a reason", async () => {
  const own = sending();
  await own.publishTo(relay(refused) as never);
  await own.setCamera(true);
  expect(own.cameraOn).toBe(false);
  expect(own.check.camera).toBe("unsent");
  await own.publishTo(relay() as never);
  await own.setCamera(true);
  expect(own.cameraOn).toBe(true);
  expect(own.check.camera).toBe("ready");
});

test("what the next relay does not take ends there, and nothing else does", async () => {
  const own = sending();
  await own.setCamera(true);
  await own.show(() => Promise.resolve(shown("pdf")), false);
  const [camera, room] = [own.camera, relay()];
  room.localParticipant.publishTrack.mockImplementation((track?: unknown) =>
    track === camera ? Promise.resolve() : refused(),
  );
  await own.publishTo(room as never);
  expect(own.share).toBeUndefined();
  expect(own.shareRefused).toBe(true);
  expect(own.cameraOn).toBe(true);
});

test("a device that is off anyway, and not taken, is nothing to tell of", async () => {
  const own = sending();
  await own.setCamera(true);
  Object.assign(own.camera ?? {}, { isMuted: true });
  await own.publishTo(relay(refused) as never);
  expect(own.camera).toBeUndefined();
  expect(own.check.camera).toBe("ready");
});

test("what fails because the relay is gone meanwhile goes on at the next one", async () => {
  const own = sending();
  const gone = relay(() => {
    own.leave(gone as never);
    return refused();
  });
  await own.publishTo(gone as never);
  await own.setCamera(true);
  expect(own.cameraOn).toBe(true);
  await own.publishTo(gone as never);
  const pdf = shown("pdf");
  await own.show(() => Promise.resolve(pdf), false);
  expect(own.share).toBe(pdf);
});
