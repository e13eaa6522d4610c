// The shapes of /api/v1, by the names the client uses. schema.d.ts is generated: `npm run api`.

import type { components } from "./schema";

type Schemas = components["schemas"];

export type FileInfo = Schemas["File"];
export type Knock = Schemas["Knock"];
export type Language = Schemas["Language"];
export type Message = Schemas["Message"];
export type OfficeEvent = Schemas["OfficeEvent"];
export type Problem = Schemas["Problem"];
export type Typing = Schemas["Typing"];
export type Visit = Schemas["Visit"];
export type WaitRange = Schemas["Wait"];

/** A relay of a call, and what opens it. */
export interface Transport {
  url: string;
  token: string;
  /** Whether the guest's own pictures and sound go there. */
  own: boolean;
}

/** Somebody who belongs to a call. */
export interface CallParticipant {
  identity: string;
  name: string;
  role: "guest" | "clerk" | "participant";
}

export interface Call {
  transports: Transport[];
  participants: CallParticipant[];
}
