// Free times as far as they have been asked for. The server tells some weeks at once; what follows is asked for when
// somebody looks there.

import { SLOT_DAYS } from "../api/client";
import type { Slot, Slots } from "../api/types";
import { addDays, addMonths } from "./days";

/** Asks for the free times from a day on; from today on if none is named. */
export type Ask = (from?: string) => Promise<Slots>;

/** What is free, from today on without a gap. */
export interface Free {
  today: string;
  /** The last bookable day. */
  lastDay: string;
  /** The last day that has been asked for. */
  known: string;
  slots: readonly Slot[];
}

/** The same with the days that follow. */
export async function further(free: Free, ask: Ask): Promise<Free> {
  return joined(free, addDays(free.known, 1), await ask(addDays(free.known, 1)));
}

/** The same as far as something more is free, or to the last bookable day. */
export async function onward(free: Free, ask: Ask): Promise<Free> {
  let more = free;
  do more = await further(more, ask);
  while (more.slots.length === free.slots.length && !isWhole(more));
  return more;
}

/** Looks from today on until something is free. Nothing is free if nothing is to the last bookable day. */
export async function search(ask: Ask): Promise<Free> {
  const offer = await ask();
  const { today, last_day: lastDay } = offer;
  const free = joined({ today, lastDay, known: today, slots: [] }, today, offer);
  return free.slots.length > 0 || isWhole(free) ? free : onward(free, ask);
}

/** Whether everything is known to the last bookable day. */
export function isWhole(free: Free): boolean {
  return free.known >= free.lastDay;
}

/** Whether it is known what is free on a day. After the last bookable one nothing is. */
export function knowsDay(free: Free, day: string): boolean {
  return isWhole(free) || day <= free.known;
}

/** Whether a day's month is known to its end, or to the last bookable day. */
export function knowsMonth(free: Free, day: string): boolean {
  const first = `${day.slice(0, 7)}-01`;
  return knowsDay(free, addDays(addMonths(first, 1), -1));
}

function joined(free: Free, from: string, offer: Slots): Free {
  const lastDay = offer.last_day;
  const end = addDays(from, SLOT_DAYS - 1);
  return { ...free, lastDay, known: end < lastDay ? end : lastDay, slots: [...free.slots, ...offer.slots] };
}
