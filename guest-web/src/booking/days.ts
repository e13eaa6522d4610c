// Civil days as the office's calendar has them: `2026-11-24`. They have no zone, so UTC serves to reckon with them.

import type { Slot } from "../api/types";
import { locale } from "../lib/texts";

const DAY = 86_400_000;

function utc(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function written(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function addDays(day: string, days: number): string {
  return written(utc(day) + days * DAY);
}

/** The same day of another month, or that month's last. */
export function addMonths(day: string, months: number): string {
  const date = new Date(utc(day));
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0)).getUTCDate();
  return written(first + (Math.min(date.getUTCDate(), last) - 1) * DAY);
}

/** 0 is Monday. */
export function weekday(day: string): number {
  return (new Date(utc(day)).getUTCDay() + 6) % 7;
}

/** The weeks of a day's month, Monday first; days of other months are empty. */
export function weeks(day: string): (string | undefined)[][] {
  const first = `${day.slice(0, 7)}-01`;
  const cells: (string | undefined)[] = Array.from({ length: weekday(first) }, () => undefined);
  for (let current = first; current.slice(0, 7) === day.slice(0, 7); current = addDays(current, 1))
    cells.push(current);
  while (cells.length % 7 !== 0) cells.push(undefined);
  return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7));
}

/** Free times by day, in order. */
export function byDay(slots: readonly Slot[]): Map<string, Slot[]> {
  const days = new Map<string, Slot[]>();
  for (const slot of slots) days.set(slot.date, [...(days.get(slot.date) ?? []), slot]);
  return days;
}

/** Where a key leads in the grid of days; nothing for other keys. */
export function step(key: string, day: string): string | undefined {
  switch (key) {
    case "ArrowLeft":
      return addDays(day, -1);
    case "ArrowRight":
      return addDays(day, 1);
    case "ArrowUp":
      return addDays(day, -7);
    case "ArrowDown":
      return addDays(day, 7);
    case "Home":
      return addDays(day, -weekday(day));
    case "End":
      return addDays(day, 6 - weekday(day));
    case "PageUp":
      return addMonths(day, -1);
    case "PageDown":
      return addMonths(day, 1);
    default:
      return undefined;
  }
}

/** Says days and months in a language. */
export class DayNames {
  private readonly long: Intl.DateTimeFormat;
  private readonly month: Intl.DateTimeFormat;
  private readonly short: Intl.DateTimeFormat;

  constructor(language: string) {
    const tag = locale(language);
    const zone = { timeZone: "UTC" } as const;
    this.long = new Intl.DateTimeFormat(tag, {
      ...zone,
      weekday: "long",
      day: "numeric",
      month: "long",
    });
    this.month = new Intl.DateTimeFormat(tag, { ...zone, month: "long", year: "numeric" });
    this.short = new Intl.DateTimeFormat(tag, { ...zone, weekday: "short" });
  }

  /** `Dienstag, 24. November`. */
  day(day: string): string {
    return this.long.format(utc(day));
  }

  /** `November 2026`. */
  monthOf(day: string): string {
    return this.month.format(utc(day));
  }

  /** `Mo` to `So`. */
  weekdays(): string[] {
    // 2024-01-01 was a Monday.
    return Array.from({ length: 7 }, (_, index) => this.short.format(utc(addDays("2024-01-01", index))));
  }
}

/** Day and time of an instant by the office's clock, wherever the reader is: `Montag, 30. November um 07:45`. */
export function moment(language: string, timeZone: string, instant: string): string {
  return new Date(instant).toLocaleString(locale(language), {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone,
  });
}

/** The time of an instant by the office's clock: `07:45`. */
export function clock(language: string, timeZone: string, instant: string): string {
  return new Date(instant).toLocaleTimeString(locale(language), {
    timeStyle: "short",
    hourCycle: "h23",
    timeZone,
  });
}

/** Whether something ends within two minutes, or has ended. */
export function endsSoon(instant: string, now: number): boolean {
  return now >= Date.parse(instant) - 2 * 60_000;
}
