import { expect, test } from "vitest";
import german from "../../../texts/messages/de/guest.ftl?raw";
import type { Visit } from "../api/types";
import { readTexts } from "../lib/texts";
import { refuseFile } from "./files";
import { minutesLeft, title } from "./title";

const t = readTexts("de", german);

const visit: Visit = {
  id: "a".repeat(26),
  ticket: "G-017",
  office: "gewerbe",
  office_name: "Gewerbemeldestelle",
  language: "de",
  state: "waiting",
  ending: null,
  position: 2,
  estimated_wait_s: null,
  knocked_at: "2026-11-24T09:00:00Z",
  enter_by: null,
  clerk_name: null,
  decline_text: null,
  notice: null,
  rated: false,
};

test("the tab says what matters in each state", () => {
  const said = (change: Partial<Visit>, unread = false) => title(t, { ...visit, ...change }, unread);
  expect(said({})).toBe("G-017: Platz 2");
  expect(said({ position: null })).toBe("G-017: Sie warten");
  expect(said({ state: "called" })).toBe("Sie sind dran!");
  expect(said({ state: "in_conversation" })).toBe("Gespräch: Gewerbemeldestelle");
  expect(said({ state: "in_conversation" }, true)).toBe("Neue Nachricht: Gewerbemeldestelle");
  expect(said({ state: "ended" })).toBe("Besuch beendet");
});

test("places are said for people", () => {
  expect(t("visit-position", { position: 1, ahead: 0 })).toBe("Sie sind als Nächstes dran.");
  expect(t("visit-position", { position: 2, ahead: 1 })).toBe(
    "Vor Ihnen wartet eine Person. Sie sind auf Platz 2.",
  );
  expect(t("visit-position", { position: 4, ahead: 3 })).toBe(
    "Vor Ihnen warten 3 Personen. Sie sind auf Platz 4.",
  );
});

test("the time to enter counts down to zero and stays there", () => {
  const now = Date.parse("2026-11-24T09:00:00Z");
  expect(minutesLeft("2026-11-24T09:03:30Z", now)).toBe(3);
  expect(minutesLeft("2026-11-24T08:00:00Z", now)).toBe(0);
});

test("files that the server would refuse are refused at once", () => {
  expect(refuseFile({ type: "application/pdf", size: 1 })).toBeUndefined();
  expect(refuseFile({ type: "image/svg+xml", size: 1 })).toBe("visit-file-type");
  expect(refuseFile({ type: "image/png", size: 10 * 1024 * 1024 + 1 })).toBe("visit-file-size");
  expect(refuseFile({ type: "image/png", size: 0 })).toBe("visit-file-empty");
});
