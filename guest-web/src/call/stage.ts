import type { CallParticipant } from "../api/types";

/** What somebody sends. */
export type MediaKind = "camera" | "microphone" | "screen" | "screen-sound";

/** Something that somebody sends and this page receives, or sends itself. `T` is the track. */
export interface Media<T> {
  identity: string;
  kind: MediaKind;
  track: T;
  /** Sent, but switched off at the moment. */
  muted: boolean;
}

/** One person's place on the stage. */
export interface Tile<T> {
  identity: string;
  name: string;
  role: CallParticipant["role"];
  /** The camera's picture, when there is one. */
  picture: T | undefined;
  microphone: boolean;
  speaking: boolean;
  /** Whether this person is connected, and not only expected. */
  here: boolean;
}

/** A screen or document that somebody shows. */
export interface Shown<T> {
  identity: string;
  name: string;
  picture: T;
}

/** Who and what is seen, from large to small. */
export interface Stage<T> {
  /** What another person shows: the largest. */
  shown: Shown<T> | undefined;
  /** Everybody but the guest, clerks first. */
  others: Tile<T>[];
  /** Whether a clerk is connected. */
  clerkHere: boolean;
}

/** What the page knows of the others. */
export interface Received<T> {
  participants: readonly CallParticipant[];
  media: readonly Media<T>[];
  /** Identities connected to any relay. */
  connected: ReadonlySet<string>;
  speaking: ReadonlySet<string>;
  /** The guest's own identity, as soon as a relay has said it. */
  own: string | undefined;
}

const RANK: Record<CallParticipant["role"], number> = { clerk: 0, participant: 1, guest: 2 };

/**
 * Who belongs to the call is what the house says; a relay knows no names, and whoever only the relay knows is
 * neither shown nor heard.
 */
export function stage<T>(received: Received<T>): Stage<T> {
  const people = received.participants
    .filter((person) => person.identity !== received.own)
    .sort((a, b) => RANK[a.role] - RANK[b.role]);
  const sent = (identity: string, kind: MediaKind) =>
    received.media.find((it) => it.identity === identity && it.kind === kind && !it.muted);
  const others = people.map((person) => ({
    identity: person.identity,
    name: person.name,
    role: person.role,
    picture: sent(person.identity, "camera")?.track,
    microphone: sent(person.identity, "microphone") !== undefined,
    speaking: received.speaking.has(person.identity),
    here: received.connected.has(person.identity),
  }));
  let shown: Shown<T> | undefined;
  for (const { identity, name } of people) {
    const screen = sent(identity, "screen");
    if (screen) {
      shown = { identity, name, picture: screen.track };
      break;
    }
  }
  return { shown, others, clerkHere: others.some((tile) => tile.role === "clerk" && tile.here) };
}
