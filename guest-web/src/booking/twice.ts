// On the night the clocks go back an hour comes twice: its times are told with their distance from UTC.

import type { Texts } from "../lib/texts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What the office's clock shows when something begins, and in which zone it goes. */
interface Beginning {
  start: string;
  time: string;
  timeZone: string;
}

/** The time of something that is booked, as it is said. */
export function timeOf(t: Texts, { start, time, timeZone }: Beginning): string {
  const at = Date.parse(start);
  return timeSaid(t, time, comesTwice(timeZone, at) ? offset(timeZone, at) : undefined);
}

/** A time as it is said; with its distance from UTC where there is another one like it. */
export function timeSaid(t: Texts, time: string, apart?: string): string {
  return t("book-time", { time }) + (apart ? ` (UTC${apart})` : "");
}

/** What the office's clock is apart from UTC: `+01:00`. */
function offset(timeZone: string, at: number): string {
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).formatToParts(at);
  return parts.find(({ type }) => type === "timeZoneName")?.value.slice("GMT".length) || "+00:00";
}

function minutes(offset: string): number {
  const [hours = 0, minutes = 0] = offset.slice(1).split(":").map(Number);
  return (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Whether the clock shows the same at another instant: that of the offset before or after a change. */
export function comesTwice(timeZone: string, at: number): boolean {
  const offsetAt = (at: number) => minutes(offset(timeZone, at));
  const own = offsetAt(at);
  return [at - DAY, at + DAY]
    .map(offsetAt)
    .some((other) => other !== own && offsetAt(at + (own - other) * MINUTE) === other);
}

/** What tells each time apart, by its start: nothing where the clock shows it once among all of them. */
export function apart(
  slots: readonly { start: string; date: string; time: string; offset: string }[],
): (start: string) => string | undefined {
  const shown = new Map<string, Set<string>>();
  for (const { date, time, offset } of slots)
    shown.set(`${date} ${time}`, new Set([...(shown.get(`${date} ${time}`) ?? []), offset]));
  const told = new Map(
    slots
      .filter(({ date, time }) => (shown.get(`${date} ${time}`)?.size ?? 0) > 1)
      .map(({ start, offset }) => [start, offset]),
  );
  return (start) => told.get(start);
}
