import { expect, test } from "vitest";
import { backoff } from "./backoff";

test("doubles up to half a minute", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => backoff(attempt, () => 1));
  expect(longest).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("spreads pages over the whole pause, and never asks at once", () => {
  expect(backoff(5, () => 0)).toBe(250);
  expect(backoff(5, () => 0.5)).toBe(15_125);
});
