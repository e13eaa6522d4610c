import { expect, test } from "vitest";
import { type Check, type Input, next, possible, request, settled, trouble, UNCHECKED } from "./devices";

const both = ["camera", "microphone"] as const;
const after = (...inputs: Input[]): Check => inputs.reduce(next, UNCHECKED);
const error = (name: string, message = "") => Object.assign(new Error(message), { name });

test("asks for both at once, so that the browser asks once", () => {
  const check = after({ is: "start", kinds: both });
  expect(request(check)).toEqual(["camera", "microphone"]);
  expect(settled(check)).toBe(false);
  const got = next(check, { is: "got", kinds: both });
  expect(request(got)).toEqual([]);
  expect(settled(got)).toBe(true);
  expect(possible(got)).toBe("video");
});

test("when both together fail, each is tried by itself", () => {
  let check = after({ is: "start", kinds: both }, { is: "refused", kinds: both, why: "missing" });
  expect(request(check)).toEqual(["camera"]);
  check = next(check, { is: "refused", kinds: ["camera"], why: "missing" });
  expect(request(check)).toEqual(["microphone"]);
  check = next(check, { is: "got", kinds: ["microphone"] });
  expect(request(check)).toEqual([]);
  expect([check.camera, check.microphone, possible(check)]).toEqual(["missing", "ready", "audio"]);
});

test("without a microphone one writes, with or without a camera", () => {
  const check = after(
    { is: "start", kinds: both },
    { is: "refused", kinds: both, why: "denied" },
    { is: "got", kinds: ["camera"] },
    { is: "refused", kinds: ["microphone"], why: "denied" },
  );
  expect(settled(check)).toBe(true);
  expect(possible(check)).toBe("chat");
});

test("only one kind can be tried again", () => {
  const check = after(
    { is: "start", kinds: both },
    { is: "got", kinds: both },
    { is: "lost", kind: "camera" },
    { is: "start", kinds: ["camera"] },
  );
  expect(request(check)).toEqual(["camera"]);
  expect(check.microphone).toBe("ready");
});

test("a list of devices changes nothing else", () => {
  const devices = { cameras: [{ id: "1", label: "Kamera" }], microphones: [], speakers: [] };
  const check = after({ is: "start", kinds: both }, { is: "listed", ...devices });
  expect(check).toMatchObject({ ...devices, camera: "asking" });
});

test("each refusal of a browser has its meaning", () => {
  expect(trouble(error("NotAllowedError", "Permission denied"))).toBe("denied");
  expect(trouble(error("NotAllowedError", "Permission denied by system"))).toBe("system");
  expect(trouble(error("NotFoundError"))).toBe("missing");
  expect(trouble(error("OverconstrainedError"))).toBe("missing");
  expect(trouble(error("NotReadableError"))).toBe("busy");
  expect(trouble(error("TypeError"))).toBe("unsupported");
  expect(trouble(undefined)).toBe("unsupported");
});
