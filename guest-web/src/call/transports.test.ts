import { expect, test } from "vitest";
import { plan } from "./transports";

const own = { url: "wss://a.example", token: "1", own: true };
const other = { url: "wss://b.example", token: "2", own: false };

test("connects to every relay once", () => {
  expect(plan([], [own, other, { ...other, token: "3" }])).toEqual({ close: [], connect: [own, other] });
});

test("a new token leaves a connection alone", () => {
  const link = { url: own.url, own: true };
  expect(plan([link], [{ ...own, token: "new" }])).toEqual({ close: [], connect: [] });
});

test("closes what nobody uses any more", () => {
  const links = [
    { url: own.url, own: true },
    { url: other.url, own: false },
  ];
  expect(plan(links, [own])).toEqual({ close: [links[1]], connect: [] });
});

test("connects anew where the guest publishes from now on, or no longer", () => {
  const links = [
    { url: own.url, own: true },
    { url: other.url, own: false },
  ];
  const moved = [
    { ...own, own: false },
    { ...other, own: true },
  ];
  expect(plan(links, moved)).toEqual({ close: links, connect: moved });
});

test("publishes to one relay only", () => {
  expect(plan([], [own, { ...other, own: true }]).connect.map((it) => it.own)).toEqual([true, false]);
});
