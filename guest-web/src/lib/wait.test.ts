import { expect, test } from "vitest";
import german from "../../../texts/messages/de/guest.ftl?raw";
import { readTexts } from "./texts";
import { estimate } from "./wait";

const t = readTexts("de", german);

test("says the wait in coarse minutes", () => {
  const said = (low: number, high: number) => estimate(t, { low, high });
  expect(said(310, 840)).toBe("Voraussichtlich noch 5 bis 15 Minuten.");
  expect(said(0, 50)).toBe("Es dauert höchstens noch eine Minute.");
  expect(said(300, 300)).toBe("Voraussichtlich noch etwa 5 Minuten.");
  expect(said(3_700, 6_300)).toBe("Voraussichtlich noch 60 bis 105 Minuten.");
  expect(said(9_000, 20_000)).toBe("Es dauert voraussichtlich noch über 2 Stunden.");
});

test("says honestly when nobody can tell", () => {
  expect(estimate(t, null)).toBe("Gerade ist kein Platz besetzt. Das Büro weiß, dass Sie warten.");
});
