import type { Visit } from "../api/types";
import type { Texts } from "../lib/texts";

/** The tab's title: what a citizen needs to know while another tab is in front. */
export function title(t: Texts, visit: Visit, unread: boolean): string {
  const { ticket, position, office_name: office } = visit;
  switch (visit.state) {
    case "waiting":
      return position === null
        ? t("visit-waiting-title-plain", { ticket })
        : t("visit-waiting-title", { ticket, position });
    case "called":
      return t("visit-called-title");
    case "in_conversation":
      return unread
        ? t("visit-conversation-title-new", { office })
        : t("visit-conversation-title", { office });
    case "ended":
      return t("visit-ended-title");
  }
}

/** Whole minutes until `deadline`, not below zero. */
export function minutesLeft(deadline: string, now: number): number {
  return Math.max(0, Math.floor((Date.parse(deadline) - now) / 60_000));
}
