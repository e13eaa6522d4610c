// What the guest has chosen in the device check, for this tab alone.

import type { Mode } from "./devices";

/** How the guest takes part, and with which devices. Ids mean something in this browser only. */
export interface Choices {
  mode?: Mode;
  camera?: string;
  microphone?: string;
  speaker?: string;
  /** Whether the background is out of focus. */
  blur?: boolean;
}

const KEY = "call";

export function recall(): Choices {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    if (typeof kept !== "object" || kept === null) return {};
    const { mode, camera, microphone, speaker, blur } = kept as Record<string, unknown>;
    return {
      ...((mode === "video" || mode === "audio" || mode === "chat") && { mode }),
      ...(typeof camera === "string" && { camera }),
      ...(typeof microphone === "string" && { microphone }),
      ...(typeof speaker === "string" && { speaker }),
      ...(typeof blur === "boolean" && { blur }),
    };
  } catch {
    return {};
  }
}

/** Keeps what has changed; `undefined` forgets it. */
export function remember(change: { [Key in keyof Choices]: Choices[Key] | undefined }): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...recall(), ...change }));
  } catch {
    // Without storage the guest chooses again; nothing else is lost.
  }
}
