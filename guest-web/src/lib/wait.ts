import type { WaitRange } from "../api/types";
import type { Texts } from "./texts";

/** How long it will probably take yet, in a sentence. Rounds as the server's pages do. */
export function estimate(t: Texts, range: WaitRange | null): string {
  if (!range) return t("visit-estimate-unknown");
  const low = coarse(Math.floor(range.low / 60), Math.floor);
  const high = Math.max(1, coarse(Math.ceil(range.high / 60), Math.ceil));
  if (low >= 120) return t("visit-estimate-hours", { hours: Math.floor(low / 60) });
  if (low === 0) return t("visit-estimate-soon", { high });
  if (low >= high) return t("visit-estimate-about", { high });
  return t("visit-estimate-range", { low, high });
}

/** Minutes: exact up to ten, then in steps of five, from an hour on in steps of fifteen. */
function coarse(minutes: number, round: (value: number) => number): number {
  const step = minutes < 10 ? 1 : minutes < 60 ? 5 : 15;
  return round(minutes / step) * step;
}
