import { expect, test } from "vitest";
import { choose, heard, INSIST_FOR_MS, passed, POOR_FOR_MS, step, THRIFT } from "./quality";

test("a short dip changes nothing", () => {
  let thrift = heard(THRIFT, "poor", 1_000);
  expect(step(thrift)).toBe(1_000 + POOR_FOR_MS);
  thrift = heard(thrift, "good", 1_000 + POOR_FOR_MS - 1);
  expect(thrift.saving).toBe(false);
  expect(step(thrift)).toBeUndefined();
});

test("a connection that stays bad keeps the sound alone", () => {
  let thrift = heard(THRIFT, "poor", 1_000);
  thrift = heard(thrift, "poor", 5_000);
  expect(passed(thrift, 1_000 + POOR_FOR_MS - 1).saving).toBe(false);
  thrift = passed(thrift, 1_000 + POOR_FOR_MS);
  expect(thrift.saving).toBe(true);
  // Without pictures the line is good again at once; they come back when the guest wants them.
  expect(heard(thrift, "excellent", 20_000).saving).toBe(true);
});

test("a connection that is bad and gone by turns keeps the sound alone", () => {
  let thrift = heard(THRIFT, "poor", 1_000);
  thrift = heard(thrift, "lost", 6_000);
  thrift = heard(thrift, "poor", 11_000);
  expect(step(thrift)).toBe(1_000 + POOR_FOR_MS);
  thrift = heard(thrift, "lost", 16_000);
  // Maybe another one comes after it, which is good.
  expect(step(thrift)).toBeUndefined();
  expect(heard(thrift, "good", 21_000).saving).toBe(false);
  expect(heard(thrift, "poor", 21_000).saving).toBe(true);
});

test("a connection that was only gone is not bad for that", () => {
  const thrift = heard(THRIFT, "lost", 1_000);
  expect(step(heard(thrift, "poor", 60_000))).toBe(60_000 + POOR_FOR_MS);
});

test("a guest who wants pictures nevertheless has them for a while", () => {
  let thrift = choose({ ...THRIFT, saving: true }, false, 10_000);
  thrift = heard(thrift, "poor", 10_500);
  expect(passed(thrift, 10_500 + POOR_FOR_MS).saving).toBe(false);
  expect(step(thrift)).toBe(10_000 + INSIST_FOR_MS);
  expect(passed(thrift, 10_000 + INSIST_FOR_MS).saving).toBe(true);
});

test("no pictures can also be the guest's own wish", () => {
  expect(choose(THRIFT, true, 0).saving).toBe(true);
});
