import { expect, test } from "vitest";
import german from "../../../texts/messages/de/guest.ftl?raw";
import { readTexts } from "../lib/texts";
import { apart, comesTwice, timeOf, timeSaid } from "./twice";

const t = readTexts("de", german);
const twice = (zone: string, start: string) => comesTwice(zone, Date.parse(start));

test("an hour comes twice when the clocks go back, and only then", () => {
  expect(twice("Europe/Berlin", "2026-10-25T00:30:00Z")).toBe(true);
  expect(twice("Europe/Berlin", "2026-10-25T01:30:00Z")).toBe(true);
  expect(twice("Europe/Berlin", "2026-10-24T23:59:00Z")).toBe(false);
  expect(twice("Europe/Berlin", "2026-10-25T02:00:00Z")).toBe(false);
  expect(twice("Europe/Berlin", "2026-10-26T01:30:00Z")).toBe(false);
  // An hour is left out.
  expect(twice("Europe/Berlin", "2026-03-29T01:30:00Z")).toBe(false);
  // Half an hour.
  expect(twice("Australia/Lord_Howe", "2026-04-04T14:45:00Z")).toBe(true);
  expect(twice("Australia/Lord_Howe", "2026-04-04T14:15:00Z")).toBe(false);
  expect(twice("America/St_Johns", "2026-11-01T04:00:00Z")).toBe(true);
  expect(twice("UTC", "2026-10-25T00:30:00Z")).toBe(false);
});

test("what is booked then is told with its distance from UTC", () => {
  const berlin = { time: "02:30", timeZone: "Europe/Berlin" };
  expect(timeOf(t, { ...berlin, start: "2026-10-25T00:30:00Z" })).toBe("02:30 Uhr (UTC+02:00)");
  expect(timeOf(t, { ...berlin, start: "2026-10-25T01:30:00Z" })).toBe("02:30 Uhr (UTC+01:00)");
  expect(timeOf(t, { ...berlin, start: "2026-10-26T01:30:00Z" })).toBe("02:30 Uhr");
  const london = { time: "01:30", timeZone: "Europe/London" };
  expect(timeOf(t, { ...london, start: "2026-10-25T01:30:00Z" })).toBe("01:30 Uhr (UTC+00:00)");
});

test("of free times those are told apart that look the same", () => {
  const slot = (start: string, time: string, offset: string) => ({ start, date: "2026-10-25", time, offset });
  const slots = [
    slot("a", "01:30", "+02:00"),
    slot("b", "02:30", "+02:00"),
    slot("c", "02:30", "+01:00"),
    // The same once more, as in what was offered instead.
    slot("b", "02:30", "+02:00"),
    slot("a", "01:30", "+02:00"),
  ];
  const which = apart(slots);
  expect(["a", "b", "c"].map((start) => timeSaid(t, start, which(start)))).toEqual([
    "a Uhr",
    "b Uhr (UTC+02:00)",
    "c Uhr (UTC+01:00)",
  ]);
});
