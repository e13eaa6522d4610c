import { expect, test } from "vitest";
import german from "../../../texts/messages/de/call.ftl?raw";
import english from "../../../texts/messages/en/call.ftl?raw";
import { readTexts } from "../lib/texts";

// Keys that are put together when they are needed, so that no search finds them.
const KINDS = ["camera", "microphone"];
const TROUBLES = ["denied", "system", "missing", "busy", "unsupported"];
const KEYS = [
  ...KINDS.flatMap((kind) => [...TROUBLES, "ready"].map((state) => `check-${kind}-${state}`)),
  ...KINDS.flatMap((kind) => ["on", "off"].map((state) => `call-${kind}-is-${state}`)),
  ...TROUBLES.map((trouble) => `check-${trouble}-help`),
  ...["video", "audio", "chat"].flatMap((mode) => [`check-result-${mode}`, `check-mode-${mode}`]),
  ...["camera", "microphone", "speaker"].flatMap((kind) => [`check-${kind}`, `more-${kind}-failed`]),
  ...["excellent", "good", "poor", "lost", "unknown"].map((quality) => `quality-${quality}`),
  ...["loading", "blurred", "clear", "failed", "hidden"].map((state) => `blur-${state}`),
  ...["failed", "file-failed", "file-locked"].map((why) => `show-${why}`),
  ...["screen", "paper", "photo", "pdf"].map((kind) => `showing-${kind}`),
];

test.each([
  ["de", german],
  ["en", english],
])("%s has words for every state of a call", (language, source) => {
  const t = readTexts(language, source);
  for (const key of KEYS) expect(t(key), key).not.toBe(key);
});
