import { expect, test } from "vitest";
import { fitted } from "./share";

test.each([
  [[4000, 3000], [1920, 1440], "a photo is made smaller"],
  [[1358, 1920], [1358, 1920], "a page of A4 stays"],
  [[641, 3], [642, 4], "video has even sides"],
  [[10_000, 1], [1920, 2], "and none of nothing"],
])("%j is sent as %j: %s", (from, to) => {
  const [width = 0, height = 0] = from;
  expect(fitted(width, height)).toEqual(to);
});
