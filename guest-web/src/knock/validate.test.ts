import { expect, test } from "vitest";
import { type KnockInput, length, validate } from "./validate";

const filled: KnockInput = {
  concern: "  Ich möchte ein Gewerbe anmelden. ",
  name: " ",
  language: "de",
  service: "",
  needsInterpreter: false,
  interpreter: "Polnisch",
  privacy: true,
};

test("sends only what was said", () => {
  expect(validate(filled)).toEqual({
    concern: "Ich möchte ein Gewerbe anmelden.",
    language: "de",
    privacy_accepted: true,
  });
  expect(
    validate({
      ...filled,
      name: "Kim",
      service: "anmelden",
      needsInterpreter: true,
    }),
  ).toEqual({
    concern: "Ich möchte ein Gewerbe anmelden.",
    language: "de",
    privacy_accepted: true,
    name: "Kim",
    service: "anmelden",
    interpreter: "Polnisch",
  });
});

test("names every field to correct, in the form's order", () => {
  const errors = validate({
    ...filled,
    concern: " \n",
    needsInterpreter: true,
    interpreter: "",
    privacy: false,
  });
  expect(errors).toEqual([
    { field: "concern", text: "form-error-concern" },
    { field: "interpreter", text: "form-error-interpreter" },
    { field: "privacy", text: "form-error-privacy" },
  ]);
});

test("counts characters as the server does", () => {
  expect(length("Tür 🚪")).toBe(5);
  expect(validate({ ...filled, concern: "🚪".repeat(1000) })).not.toBeInstanceOf(Array);
  expect(validate({ ...filled, concern: "🚪".repeat(1001) })).toEqual([
    { field: "concern", text: "form-error-concern-long" },
  ]);
});
