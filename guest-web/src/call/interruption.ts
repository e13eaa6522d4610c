import type { Phase } from "./call";

/** What there is to say of an interruption of the call. */
export type Interruption =
  | "none"
  /** The connection is gone. */
  | "on"
  /** It has come back just now. */
  | "over";

/** So long it is said that the connection is back: to be read in peace, and not again with every later change. */
export const BACK_FOR_MS = 15_000;

/** The call stands elsewhere now. */
export function after(interruption: Interruption, phase: Phase): Interruption {
  if (phase === "lost") return "on";
  if (phase === "live") return interruption === "on" ? "over" : interruption;
  return interruption === "over" ? "none" : interruption;
}
