import { expect, test } from "vitest";
import { after } from "./interruption";

test("that the connection is back is said after it was gone", () => {
  expect(after("none", "live")).toBe("none");
  expect(after(after("none", "lost"), "live")).toBe("over");
});

test("a detour on the way back is no reason to be silent about it", () => {
  expect(after(after("on", "failed"), "joining")).toBe("on");
});

test("it is said until it has been read, or is not true any more", () => {
  expect(after("over", "live")).toBe("over");
  expect(after("over", "lost")).toBe("on");
  expect(after("over", "elsewhere")).toBe("none");
});
