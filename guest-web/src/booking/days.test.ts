import { expect, test } from "vitest";
import { addDays, addMonths, byDay, clock, DayNames, endsSoon, moment, step, weekday, weeks } from "./days";

test("days follow each other over months, years and clock changes", () => {
  expect(addDays("2026-10-24", 1)).toBe("2026-10-25");
  expect(addDays("2026-10-25", 1)).toBe("2026-10-26");
  expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
  expect(addDays("2028-03-01", -1)).toBe("2028-02-29");
});

test("a month later is the same day, or the month's last", () => {
  expect(addMonths("2027-01-31", 1)).toBe("2027-02-28");
  expect(addMonths("2026-11-24", -1)).toBe("2026-10-24");
  expect(addMonths("2026-12-05", 1)).toBe("2027-01-05");
});

test("weeks begin on Monday", () => {
  expect(weekday("2026-11-23")).toBe(0);
  const november = weeks("2026-11-24");
  expect(november[0]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    "2026-11-01",
  ]);
  expect(november).toHaveLength(6);
  expect(november.flat().filter(Boolean)).toHaveLength(30);
});

test("keys lead where the grid pattern says", () => {
  expect(step("ArrowDown", "2026-11-24")).toBe("2026-12-01");
  expect(step("ArrowLeft", "2026-11-01")).toBe("2026-10-31");
  expect(step("Home", "2026-11-24")).toBe("2026-11-23");
  expect(step("End", "2026-11-24")).toBe("2026-11-29");
  expect(step("PageDown", "2026-11-30")).toBe("2026-12-30");
  expect(step("a", "2026-11-24")).toBeUndefined();
});

test("times are put to their days", () => {
  const slot = (date: string, time: string) => ({
    start: `${date}T${time}:00Z`,
    end: `${date}T${time}:30Z`,
    date,
    time,
    offset: "+01:00",
    free: 1,
  });
  const days = byDay([slot("2026-11-24", "08:00"), slot("2026-11-24", "09:00"), slot("2026-11-25", "08:00")]);
  expect([...days.keys()]).toEqual(["2026-11-24", "2026-11-25"]);
  expect(days.get("2026-11-24")).toHaveLength(2);
});

test("a moment is told by the office's clock", () => {
  const told = (instant: string) => moment("de", "Europe/Berlin", instant);
  expect(told("2026-11-30T06:45:00Z")).toBe("Montag, 30. November um 07:45");
  expect(told("2026-07-01T22:30:00Z")).toBe("Donnerstag, 2. Juli um 00:30");
  expect(moment("en", "Europe/Berlin", "2026-11-30T15:05:00Z")).toBe("Monday 30 November at 16:05");
});

test("a clock is the office's, not the reader's", () => {
  expect(clock("de", "Europe/Berlin", "2026-11-30T15:05:00Z")).toBe("16:05");
  expect(clock("en", "Pacific/Kiritimati", "2026-11-30T10:05:00Z")).toBe("00:05");
});

test("one is told two minutes before a time is no longer held", () => {
  const end = "2026-11-30T15:05:00Z";
  expect(endsSoon(end, Date.parse("2026-11-30T15:02:59Z"))).toBe(false);
  expect(endsSoon(end, Date.parse("2026-11-30T15:03:00Z"))).toBe(true);
  expect(endsSoon(end, Date.parse("2026-11-30T15:06:00Z"))).toBe(true);
});

test("days are said as in the mails", () => {
  const [german, english] = [new DayNames("de"), new DayNames("en")];
  expect(german.day("2026-11-24")).toBe("Dienstag, 24. November");
  expect(english.day("2026-11-24")).toBe("Tuesday 24 November");
  expect(english.monthOf("2026-11-24")).toBe("November 2026");
  expect(english.weekdays()).toEqual(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
});
