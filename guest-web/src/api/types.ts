// The shapes of /api/v1, by the names the client uses. schema.d.ts is generated: `npm run api`.

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Call = Schemas["Call"];
export type CallParticipant = Schemas["CallParticipant"];
export type Transport = Schemas["CallTransport"];
export type Booking = Schemas["Booking"];
export type CheckedIn = Schemas["CheckedIn"];
export type Contact = Schemas["ContactForm"];
export type FieldError = Schemas["FieldError"];
export type FileInfo = Schemas["File"];
export type Hold = Schemas["Hold"];
export type Knock = Schemas["Knock"];
export type Language = Schemas["Language"];
export type Link = Schemas["Link"];
export type Message = Schemas["Message"];
export type NewBooking = Schemas["NewBooking"];
export type OfficeEvent = Schemas["OfficeEvent"];
export type ParticipantLink = Schemas["ParticipantLink"];
export type ParticipantRole = Schemas["ParticipantRole"];
export type Participation = Schemas["Participation"];
export type Problem = Schemas["Problem"];
export type Slot = Schemas["Slot"];
export type Slots = Schemas["Slots"];
export type Typing = Schemas["Typing"];
export type Visit = Schemas["Visit"];
export type WaitRange = Schemas["Wait"];
