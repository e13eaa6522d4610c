import { expect, test } from "vitest";
import { keep, type Lines, read, Writer } from "./rtt";

const nobody: Lines = new Map();
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const said = (packet: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(packet)) as unknown;

function ids(): () => string {
  let next = 0;
  return () => `t${next++}`;
}

test("sends what was added and takes back what was not meant", () => {
  const writer = new Writer(ids());
  expect(said(writer.update("Gutn"))).toEqual({ id: "t0", seq: 0, t140: "Gutn", fresh: true });
  expect(said(writer.update("Guten"))).toEqual({ id: "t0", seq: 1, t140: "\u0008en" });
  expect(writer.update("Guten")).toBeUndefined();
  expect(said(writer.end())).toEqual({ id: "t0", seq: 2, t140: "", end: true });
  expect(writer.end()).toBeUndefined();
  expect(said(writer.update("a\nb"))).toEqual({ id: "t1", seq: 0, t140: "a\u2028b", fresh: true });
});

test("every line that is typed arrives as it was typed", () => {
  const writer = new Writer(ids());
  let lines = nobody;
  for (const text of ["K", "Kö", "Köln 👩‍🚀", "Köl", "Düsseldorf\nAltstadt", "Düssel\nstadt", ""]) {
    const packet = writer.update(text);
    if (packet) lines = read(lines, "c", packet);
    expect(lines.get("c")?.text).toBe(text);
  }
});

test("the end takes the line away, for the message is there", () => {
  const writer = new Writer(ids());
  let lines = read(nobody, "c", writer.update("Hallo") ?? bytes(0));
  lines = read(lines, "c", writer.end() ?? bytes(0));
  expect(lines.size).toBe(0);
});

test("what comes twice or late counts once", () => {
  const first = bytes({ id: "a", seq: 0, t140: "ab", fresh: true });
  const second = bytes({ id: "a", seq: 1, t140: "c" });
  let lines = read(nobody, "c", first);
  lines = read(lines, "c", second);
  expect(read(lines, "c", second)).toBe(lines);
  expect(read(lines, "c", first)).toBe(lines);
  expect(lines.get("c")?.text).toBe("abc");
});

test("what was lost is marked, and a repetition heals it", () => {
  let lines = read(nobody, "c", bytes({ id: "a", seq: 4, t140: "Tag" }));
  expect(lines.get("c")?.text).toBe("\ufffdTag");
  lines = read(lines, "c", bytes({ id: "a", seq: 6, t140: "!" }));
  expect(lines.get("c")?.text).toBe("\ufffdTag\ufffd!");
  lines = read(lines, "c", bytes({ id: "a", seq: 7, t140: "Guten Tag!", fresh: true }));
  expect(lines.get("c")?.text).toBe("Guten Tag!");
});

test("those who come later get the whole line", () => {
  const writer = new Writer(ids());
  expect(writer.repeat()).toBeUndefined();
  writer.update("Ich hätte gern");
  const late = read(nobody, "g", writer.repeat() ?? bytes(0));
  expect(late.get("g")?.text).toBe("Ich hätte gern");
});

test("a line belongs to its writer", () => {
  let lines = read(nobody, "c", bytes({ id: "a", seq: 0, t140: "eins", fresh: true }));
  lines = read(lines, "i", bytes({ id: "a", seq: 0, t140: "zwei", fresh: true }));
  expect([...lines.values()].map((line) => line.text)).toEqual(["eins", "zwei"]);
  expect([...keep(lines, new Set(["i"])).keys()]).toEqual(["i"]);
  expect(keep(lines, new Set(["i", "c"]))).toBe(lines);
});

test("nonsense changes nothing", () => {
  const hostile = [
    new Uint8Array([0xff, 0xfe]),
    new TextEncoder().encode("{"),
    bytes(null),
    bytes([]),
    bytes({ id: "", seq: 0, t140: "x" }),
    bytes({ id: "x".repeat(65), seq: 0, t140: "x" }),
    bytes({ id: "a", seq: -1, t140: "x" }),
    bytes({ id: "a", seq: 1.5, t140: "x" }),
    bytes({ id: "a", seq: 0, t140: 7 }),
    bytes({ id: "a", seq: 0, t140: "x".repeat(20_000), fresh: true }),
  ];
  for (const packet of hostile) expect(read(nobody, "c", packet)).toBe(nobody);
});

test("control characters do nothing, and no line grows for ever", () => {
  let lines = read(nobody, "c", bytes({ id: "a", seq: 0, t140: "\u0008\u0007a\u001b[2Jb", fresh: true }));
  expect(lines.get("c")?.text).toBe("a[2Jb");
  for (let seq = 1; seq < 10; seq += 1)
    lines = read(lines, "c", bytes({ id: "a", seq, t140: "x".repeat(1_000) }));
  expect(lines.get("c")?.text.length).toBe(4_000);
});
