import { expect, test } from "vitest";
import german from "../../../texts/messages/de/call.ftl?raw";
import { readTexts } from "../lib/texts";
import { switched } from "./controls";
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
