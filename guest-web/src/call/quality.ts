/** How good the guest's connection is, as the relay sees it. */
export type Quality = "excellent" | "good" | "poor" | "lost" | "unknown";

/** Whether pictures are worth their weight on this connection. All times in milliseconds of one clock. */
export interface Thrift {
  quality: Quality;
  /** Since when the connection is bad without a break. */
  poorSince: number | undefined;
  /** Pictures rest, so that the sound gets through. */
  saving: boolean;
  /** They rest because of the connection, not because the guest wants so. */
  automatic: boolean;
  /** The guest wants pictures nevertheless, until then. */
  insistsUntil: number;
}

/**
 * A short dip is no reason to take the pictures away. The relay judges every five seconds, and takes back its word only
 * after two better looks: one bad look lasts ten seconds here. From the third in a row on it is no dip.
 */
export const POOR_FOR_MS = 18_000;

/** So long a guest who wants the pictures back is believed. */
export const INSIST_FOR_MS = 60_000;

export const THRIFT: Thrift = {
  quality: "unknown",
  poorSince: undefined,
  saving: false,
  automatic: false,
  insistsUntil: 0,
};

/** The relay has said something new about the connection. */
export function heard(thrift: Thrift, quality: Quality, now: number): Thrift {
  return passed({ ...thrift, quality, poorSince: poorSince(thrift, quality, now) }, now);
}

/** A line that is gone for a moment is no better for it, and nothing gets through that could be saved. */
function poorSince(thrift: Thrift, quality: Quality, now: number): number | undefined {
  if (quality === "lost") return thrift.poorSince;
  return quality === "poor" ? (thrift.poorSince ?? now) : undefined;
}

/** Time has passed. */
export function passed(thrift: Thrift, now: number): Thrift {
  const due = step(thrift);
  return due !== undefined && now >= due ? { ...thrift, saving: true, automatic: true } : thrift;
}

/** When [`passed`] has to be called, if at all. */
export function step(thrift: Thrift): number | undefined {
  if (thrift.saving || thrift.quality === "lost" || thrift.poorSince === undefined) return undefined;
  return Math.max(thrift.poorSince + POOR_FOR_MS, thrift.insistsUntil);
}

/** The guest wants pictures again, or none. */
export function choose(thrift: Thrift, saving: boolean, now: number): Thrift {
  return { ...thrift, saving, automatic: false, insistsUntil: saving ? 0 : now + INSIST_FOR_MS };
}
