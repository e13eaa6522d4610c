// The check of camera and microphone, without the browser: what is known, what to ask for next, and what the
// guest can take part with.

/** What a person takes part with. */
export type Mode = "video" | "audio" | "chat";

export type Kind = "camera" | "microphone";

/** Why a device cannot be used; each has words of its own. */
export type Trouble =
  /** The guest, or the browser's settings, said no. */
  | "denied"
  /** The computer's own settings say no. */
  | "system"
  /** There is none. */
  | "missing"
  /** Another program uses it. */
  | "busy"
  /** The browser has no such function here. */
  | "unsupported"
  /** It works, but the relay does not take what it sends. */
  | "unsent";

export type DeviceState = "unknown" | "asking" | "ready" | Trouble;

export interface Choice {
  id: string;
  label: string;
}

/** What the check knows. */
export interface Check {
  camera: DeviceState;
  microphone: DeviceState;
  cameras: Choice[];
  microphones: Choice[];
  speakers: Choice[];
  /** Kinds still to be asked for, each by itself: asking for both at once did not work. */
  singly: Kind[];
}

export const UNCHECKED: Check = {
  camera: "unknown",
  microphone: "unknown",
  cameras: [],
  microphones: [],
  speakers: [],
  singly: [],
};

export type Input =
  /** The guest wants the devices to be tried, for the first time or again. */
  | { is: "start"; kinds: readonly Kind[] }
  /** The browser gave what was asked for. */
  | { is: "got"; kinds: readonly Kind[] }
  /** The browser refused what was asked for. */
  | { is: "refused"; kinds: readonly Kind[]; why: Trouble }
  /** The devices there are. */
  | { is: "listed"; cameras: Choice[]; microphones: Choice[]; speakers: Choice[] }
  /** A device in use was pulled out. */
  | { is: "lost"; kind: Kind };

export function next(check: Check, input: Input): Check {
  switch (input.is) {
    case "start":
      return { ...check, ...all(input.kinds, "asking"), singly: [] };
    case "got":
      return { ...check, ...all(input.kinds, "ready"), singly: without(check.singly, input.kinds) };
    case "refused": {
      // One that is missing or forbidden takes the other with it when both are asked for at once.
      if (input.kinds.length > 1) return { ...check, singly: [...input.kinds] };
      return { ...check, ...all(input.kinds, input.why), singly: without(check.singly, input.kinds) };
    }
    case "listed":
      return {
        ...check,
        cameras: input.cameras,
        microphones: input.microphones,
        speakers: input.speakers,
      };
    case "lost":
      return { ...check, ...all([input.kind], "missing") };
  }
}

/** Whether a device was wanted and cannot be used. */
export function unusable(state: DeviceState): state is Trouble {
  return state !== "unknown" && state !== "asking" && state !== "ready";
}

/** What to ask the browser for now; nothing when all is known. */
export function request(check: Check): Kind[] {
  const [single] = check.singly;
  if (single) return [single];
  return (["camera", "microphone"] as const).filter((kind) => check[kind] === "asking");
}

/** What one can take part with, as far as is known. */
export function possible(check: Check): Mode {
  if (check.microphone === "ready") return check.camera === "ready" ? "video" : "audio";
  return "chat";
}

/** Whether everything that was asked for has been answered. */
export function settled(check: Check): boolean {
  return check.camera !== "asking" && check.microphone !== "asking";
}

/** What the browser's refusal means (Media Capture and Streams, 10.2). */
export function trouble(error: unknown): Trouble {
  if (!(error instanceof Error)) return "unsupported";
  switch (error.name) {
    case "NotAllowedError":
    case "PermissionDeniedError":
      return /system/i.test(error.message) ? "system" : "denied";
    case "NotFoundError":
    case "OverconstrainedError":
    case "DevicesNotFoundError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
    case "TrackStartError":
      return "busy";
    default:
      return "unsupported";
  }
}

function all(kinds: readonly Kind[], state: DeviceState): Partial<Check> {
  return Object.fromEntries(kinds.map((kind) => [kind, state])) as Partial<Record<Kind, DeviceState>>;
}

function without(kinds: readonly Kind[], gone: readonly Kind[]): Kind[] {
  return kinds.filter((kind) => !gone.includes(kind));
}
