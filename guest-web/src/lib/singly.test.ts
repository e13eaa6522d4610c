import { expect, test } from "vitest";
import { Singly } from "./singly";

test("a second click while the first is under way does nothing", async () => {
  const singly = new Singly();
  const done: string[] = [];
  let end: () => void = () => undefined;
  const first = singly.run(async () => {
    await new Promise<void>((resolve) => (end = resolve));
    done.push("first");
  });
  await singly.run(() => Promise.resolve(void done.push("second")));
  expect(done).toEqual([]);
  end();
  await first;
  await singly.run(() => Promise.resolve(void done.push("third")));
  expect(done).toEqual(["first", "third"]);
});

test("what failed can be tried again", async () => {
  const singly = new Singly();
  await expect(singly.run(() => Promise.reject(new Error("away")))).rejects.toThrow("away");
  let done = false;
  await singly.run(() => Promise.resolve(void (done = true)));
  expect(done).toBe(true);
});
