import { expect, test } from "vitest";
import { matches } from "./faq";

test("finds words in any order, whatever the case", () => {
  expect(matches("Was kostet der Ausweis?", "AUSWEIS kostet")).toBe(true);
  expect(matches("Was kostet der Ausweis?", "Pass")).toBe(false);
});

test("finds umlauts however they are written", () => {
  for (const query of ["Gebühr", "gebuehr", "gebuhr"])
    expect(matches("Welche Gebühren fallen an?", query)).toBe(true);
  expect(matches("Straße", "strasse")).toBe(true);
});

test("an empty search finds everything", () => {
  expect(matches("Irgendetwas", "  ")).toBe(true);
});
