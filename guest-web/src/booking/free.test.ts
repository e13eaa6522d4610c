import { expect, test } from "vitest";
import type { Slots } from "../api/types";
import { addDays } from "./days";
import { type Ask, further, isWhole, knowsDay, knowsMonth, onward, search } from "./free";

const TODAY = "2026-11-24";

/** An office that can be booked for so many days, with these days free; and what it has been asked. */
function office(horizon: number, free: readonly string[]) {
  const asked: (string | undefined)[] = [];
  const ask: Ask = (from) => {
    asked.push(from);
    const first = from ?? TODAY;
    const told = free.filter((day) => day >= first && day < addDays(first, 62));
    const slots = told.map((date) => ({
      start: `${date}T08:00:00Z`,
      end: `${date}T08:30:00Z`,
      date,
      time: "09:00",
      offset: "+01:00",
      free: 1,
    }));
    const offer: Slots = { minutes: 30, today: TODAY, last_day: addDays(TODAY, horizon), slots };
    return Promise.resolve(offer);
  };
  return { ask, asked };
}

const days = (free: { slots: readonly { date: string }[] }) => free.slots.map(({ date }) => date);

test("the first weeks are enough where something is free in them", async () => {
  const { ask, asked } = office(365, ["2026-11-25", "2027-03-01"]);
  const free = await search(ask);
  expect(asked).toEqual([undefined]);
  expect(days(free)).toEqual(["2026-11-25"]);
  expect(free.known).toBe("2027-01-24");
  expect(isWhole(free)).toBe(false);
});

test("where the first weeks are full, the search goes on to the first free day", async () => {
  const { ask, asked } = office(365, ["2027-04-01"]);
  expect(days(await search(ask))).toEqual(["2027-04-01"]);
  expect(asked).toEqual([undefined, "2027-01-25", "2027-03-28"]);
});

test("nothing is free only when nothing is to the last bookable day", async () => {
  const { ask, asked } = office(130, []);
  const free = await search(ask);
  expect(free.slots).toEqual([]);
  expect(isWhole(free)).toBe(true);
  expect(free.known).toBe(free.lastDay);
  expect(asked).toHaveLength(3);
  const near = office(14, []);
  await search(near.ask);
  expect(near.asked).toEqual([undefined]);
});

test("the days that follow are added without a gap and never twice", async () => {
  const wanted = Array.from({ length: 131 }, (_, index) => addDays(TODAY, index));
  const { ask } = office(130, wanted);
  let free = await search(ask);
  while (!isWhole(free)) free = await further(free, ask);
  expect(days(free)).toEqual(wanted);
});

test("more days are asked for until one is free", async () => {
  const { ask, asked } = office(365, ["2026-11-25", "2027-06-01"]);
  const free = await onward(await search(ask), ask);
  expect(days(free)).toEqual(["2026-11-25", "2027-06-01"]);
  expect(asked).toHaveLength(4);
});

test("nothing is said of a day that was not asked for", async () => {
  const { ask } = office(70, ["2026-11-25"]);
  const free = await search(ask);
  expect(knowsDay(free, "2027-01-24")).toBe(true);
  expect(knowsDay(free, "2027-01-25")).toBe(false);
  expect(knowsDay(await further(free, ask), "2027-02-20")).toBe(true);
});

test("a month is known to its end, or to the last bookable day", async () => {
  const { ask } = office(70, ["2026-11-25"]);
  const free = await search(ask);
  expect(free.known).toBe("2027-01-24");
  expect(knowsMonth(free, "2026-12-31")).toBe(true);
  expect(knowsMonth(free, "2027-01-02")).toBe(false);
  const whole = await further(free, ask);
  expect(whole.known).toBe("2027-02-02");
  expect(knowsMonth(whole, "2027-01-02")).toBe(true);
  expect(knowsMonth(whole, "2027-02-01")).toBe(true);
});
