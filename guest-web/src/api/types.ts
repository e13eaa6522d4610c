// The shapes of /api/v1, by the names the client uses. schema.d.ts is generated: `npm run api`.

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Call = Schemas["Call"];
export type CallParticipant = Schemas["CallParticipant"];
export type Transport = Schemas["CallTransport"];
export type FileInfo = Schemas["File"];
export type Knock = Schemas["Knock"];
export type Language = Schemas["Language"];
export type Message = Schemas["Message"];
export type OfficeEvent = Schemas["OfficeEvent"];
export type Problem = Schemas["Problem"];
export type Typing = Schemas["Typing"];
export type Visit = Schemas["Visit"];
export type WaitRange = Schemas["Wait"];
