import { expect, test } from "vitest";
import germanCall from "../../../texts/messages/de/call.ftl?raw";
import englishCall from "../../../texts/messages/en/call.ftl?raw";
import germanGuest from "../../../texts/messages/de/guest.ftl?raw";
import englishGuest from "../../../texts/messages/en/guest.ftl?raw";
import { readTexts } from "./texts";

// Keys that are put together when they are needed, so that no search finds them.
const KINDS = ["camera", "microphone"];
const TROUBLES = ["denied", "system", "missing", "busy", "unsupported", "unsent"];
const CALL = [
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
const FIELDS = ["name", "mail", "phone", "language", "interpreter", "accessibility", "companion_mail"];
const STATES = [
  "held",
  "unconfirmed",
  "confirmed",
  "moved",
  "arrived",
  "over",
  "cancelled",
  "expired",
  "no-show",
];
const ROLES = ["interpreter", "companion"];
const GUEST = [
  ...[...FIELDS, "privacy_accepted", "services", "start"].map((field) => `book-field-${field}`),
  ...["mail", "phone"].map((field) => `book-${field}-hint`),
  ...STATES.map((state) => `manage-${state}-heading`),
  ...["cancelled", "expired", "no-show"].map((state) => `manage-${state}-text`),
  ...ROLES.flatMap((role) => [`manage-link-for-${role}`, `bring-link-${role}`]),
  ...["de", "en"].map((code) => `form-language-${code}`),
  ...["video", "audio"].map((mode) => `offer-check-entering-${mode}`),
  ...["sending", "delivered", "failed"].map((delivery) => `visit-delivery-${delivery}`),
  ...["served", "left", "no-show", "declined"].flatMap((end) => [
    `visit-ended-${end}`,
    `visit-ended-${end}-heading`,
  ]),
  ...["elsewhere", "unknown"].map((why) => `visit-${why}-heading`),
  ...[1, 2, 3, 4, 5].map((stars) => `visit-rating-${stars}`),
];

const FILES = [
  ["de", "call", germanCall, CALL],
  ["en", "call", englishCall, CALL],
  ["de", "guest", germanGuest, GUEST],
  ["en", "guest", englishGuest, GUEST],
] as const;

test.each(FILES)("the words in %s for %s are complete", (language, _, source, keys) => {
  const t = readTexts(language, source);
  for (const key of keys) expect(t(key), key).not.toBe(key);
});

const READERS = Object.entries(
  // What the server writes into the pages is read there too.
  import.meta.glob<string>(["../**/*.{ts,tsx}", "../../../gateway/{src,templates}/**/*.{rs,html}"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
)
  .filter(([file]) => !file.endsWith(".test.ts"))
  .map(([, source]) => source)
  .join("\n");

test.each(FILES)("no words in %s for %s are left that nobody says", (_language, _file, source, keys) => {
  const unused = [...source.matchAll(/^([a-z][\w-]*) =/gm)]
    .map(([, key = ""]) => key)
    .filter((key) => !keys.includes(key) && !READERS.includes(`"${key}"`));
  expect(unused).toEqual([]);
});
