import type { Knock, Language } from "../api/types";

/** What stands in the form. */
export interface KnockInput {
  concern: string;
  name: string;
  language: Language;
  service: string;
  needsInterpreter: boolean;
  interpreter: string;
  privacy: boolean;
}

/** A field that needs correction, and the text that says how. */
export interface FieldError {
  field: "concern" | "interpreter" | "privacy";
  text: string;
}

/** As many characters may stand in the concern. */
export const CONCERN_LIMIT = 1000;

/** Characters as people and the server count them: an emoji is one, not two. */
export function length(text: string): number {
  return [...text].length;
}

/** The knock to send, or what to correct first, in the form's order. */
export function validate(input: KnockInput): Knock | FieldError[] {
  const errors: FieldError[] = [];
  const concern = input.concern.trim();
  const name = input.name.trim();
  const interpreter = input.interpreter.trim();
  if (concern === "") errors.push({ field: "concern", text: "form-error-concern" });
  else if (length(concern) > CONCERN_LIMIT)
    errors.push({ field: "concern", text: "form-error-concern-long" });
  if (input.needsInterpreter && interpreter === "")
    errors.push({ field: "interpreter", text: "form-error-interpreter" });
  if (!input.privacy) errors.push({ field: "privacy", text: "form-error-privacy" });
  if (errors.length > 0) return errors;
  return {
    concern,
    language: input.language,
    privacy_accepted: true,
    ...(name && { name }),
    ...(input.service && { service: input.service }),
    ...(input.needsInterpreter && { interpreter }),
  };
}
