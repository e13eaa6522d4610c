import { beforeEach, expect, test, vi } from "vitest";
import { Background } from "./background";
import type { Blur } from "./blur";
import { recall, remember } from "./choice";

/** A camera that can be blurred, and what was done to it. */
function camera() {
  let processor: unknown;
  const done: string[] = [];
  return {
    done,
    getProcessor: () => processor as undefined,
    setProcessor: (next: unknown) => {
      done.push("blur");
      processor = next;
      return Promise.resolve();
    },
    stopProcessor: () => {
      done.push("clear");
      processor = undefined;
      return Promise.resolve();
    },
  };
}

const works = (): Promise<Blur> =>
  Promise.resolve({ processor: {} as Blur["processor"], shown: () => Promise.resolve() });
const cannotLoad = (): Promise<Blur> => Promise.reject(new Error("no network"));

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});

function background(make: () => Promise<Blur>) {
  const told: string[] = [];
  const it = new Background(() => {
    if (told.at(-1) !== it.state) told.push(it.state);
  }, make);
  return { it, told };
}

test("a camera is blurred and cleared as the guest chooses", async () => {
  const { it, told } = background(works);
  const one = camera();
  await it.choose(true, one);
  await it.choose(false, one);
  expect(told).toEqual(["quiet", "loading", "blurred", "quiet", "clear"]);
  expect(one.done).toEqual(["blur", "clear"]);
});

test("of two quick choices the last one holds", async () => {
  const { it } = background(works);
  const one = camera();
  await Promise.all([it.choose(true, one), it.choose(false, one)]);
  expect(one.getProcessor()).toBeUndefined();
  expect(it.wanted).toBe(false);
});

test("a choice without a camera is kept for the next one", async () => {
  const { it } = background(works);
  await it.choose(true, undefined);
  const one = camera();
  expect(await it.prepare(one)).toBe(true);
  expect(one.done).toEqual(["blur"]);
  expect(it.state).toBe("blurred");
});

test("without a choice a camera is left alone", async () => {
  const { it, told } = background(works);
  const one = camera();
  expect(await it.prepare(one)).toBe(true);
  expect(one.done).toEqual([]);
  expect(told).toEqual([]);
});

test("a picture that is on stays when nothing can be loaded", async () => {
  const { it } = background(cannotLoad);
  await it.choose(true, camera());
  expect(it.state).toBe("failed");
  expect(recall().blur).toBe(false);
});

test("a picture that nobody has seen yet is not shown when it cannot be blurred", async () => {
  remember({ blur: true });
  const { it } = background(cannotLoad);
  expect(await it.prepare(camera())).toBe(false);
  expect(it.state).toBe("hidden");
});

test("no blurred picture is no blurring", async () => {
  const stuck = (): Promise<Blur> =>
    Promise.resolve({ processor: {} as Blur["processor"], shown: () => Promise.reject(new Error("none")) });
  const { it } = background(stuck);
  const one = camera();
  await it.choose(true, one);
  expect(one.getProcessor()).toBeUndefined();
  expect(it.state).toBe("failed");
});
