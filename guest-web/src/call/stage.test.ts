import { expect, test } from "vitest";
import { type Media, type Received, stage } from "./stage";

const clerk = { identity: "c", name: "Anna Becker", role: "clerk" } as const;
const interpreter = { identity: "i", name: "Olena", role: "participant" } as const;
const guest = { identity: "g", name: "Kim", role: "guest" } as const;

function media(identity: string, kind: Media<string>["kind"], muted = false): Media<string> {
  return { identity, kind, track: `${identity} ${kind}`, muted };
}

function received(change: Partial<Received<string>>): Received<string> {
  return {
    participants: [guest, interpreter, clerk],
    media: [],
    connected: new Set(["g", "c"]),
    speaking: new Set(),
    own: "g",
    ...change,
  };
}

test("clerks come first, and the guest is not among the others", () => {
  const { others, clerkHere } = stage(received({}));
  expect(others.map((it) => [it.name, it.here])).toEqual([
    ["Anna Becker", true],
    ["Olena", false],
  ]);
  expect(clerkHere).toBe(true);
});

test("a clerk who is expected but not connected is not here yet", () => {
  expect(stage(received({ connected: new Set(["g", "i"]) })).clerkHere).toBe(false);
});

test("whoever only the relay knows is not shown", () => {
  const stranger = stage(
    received({ connected: new Set(["x"]), media: [media("x", "camera"), media("x", "screen")] }),
  );
  expect(stranger.others.map((it) => it.identity)).toEqual(["c", "i"]);
  expect(stranger.shown).toBeUndefined();
});

test("pictures and sound that are switched off do not count", () => {
  const { others } = stage(received({ media: [media("c", "camera", true), media("c", "microphone")] }));
  expect(others[0]).toMatchObject({ picture: undefined, microphone: true });
});

test("what a clerk shows goes before what others show", () => {
  const both = [media("i", "screen"), media("c", "screen"), media("g", "screen")];
  expect(stage(received({ media: both })).shown).toEqual({
    identity: "c",
    name: "Anna Becker",
    picture: "c screen",
  });
});
