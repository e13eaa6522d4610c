import { expect, test } from "vitest";
import german from "../../../texts/messages/de/call.ftl?raw";
import { readTexts } from "../lib/texts";
import { switched, types } from "./controls";
import { UNCHECKED } from "./devices";

const t = readTexts("de", german);
const own = { microphoneOn: false, cameraOn: false, check: UNCHECKED };

test("what was switched is told", () => {
  expect(switched(t, "camera", { ...own, cameraOn: true }, true)).toBe("Kamera an. Man sieht Sie.");
  expect(switched(t, "microphone", own, false)).toBe("Mikrofon aus. Man hört Sie nicht.");
});

test("a device that does not work is told with why", () => {
  const check = { ...UNCHECKED, camera: "busy" as const };
  expect(switched(t, "camera", { ...own, check }, true)).toBe("Ein anderes Programm benutzt die Kamera.");
});

test("a camera that stays off because of its background is not called ready", () => {
  const check = { ...UNCHECKED, camera: "ready" as const };
  expect(switched(t, "camera", { ...own, check }, true)).toBe("");
});

test("what Alt writes on a Mac is no wish to hang up", () => {
  expect(types({ code: "KeyA", key: "å" })).toBe(true);
  expect(types({ code: "KeyM", key: "µ" })).toBe(true);
  // An accent that waits for its letter.
  expect(types({ code: "KeyK", key: "Dead" })).toBe(true);
});

test("where Alt leaves the letter as it is, it is a wish also in a text", () => {
  expect(types({ code: "KeyA", key: "a" })).toBe(false);
  expect(types({ code: "KeyM", key: "M" })).toBe(false);
});
