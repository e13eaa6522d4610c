import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describe } from "./segmenter.mjs";

const NETWORK = new URL(
  "../node_modules/@mediapipe/selfie_segmentation/selfie_segmentation.tflite",
  import.meta.url,
);

test("the description stands before the network, which stays as it is", () => {
  const network = readFileSync(NETWORK);
  const described = describe(network);
  const head = described.subarray(0, described.length - network.length);
  expect(described.subarray(head.length).equals(network)).toBe(true);
  expect(head.length % 16).toBe(0);
  expect(head.toString("latin1", 4, 8)).toBe("TFL3");
  expect(head.includes("TFLITE_METADATA")).toBe(true);
  // The buffer with the description begins at a place where all its values are aligned.
  expect((head.indexOf("M001") - 4) % 16).toBe(0);
});

test("every reference of the new parts leads forward, into the file", () => {
  const described = describe(readFileSync(NETWORK));
  const root = described.readUInt32LE(0);
  const vtable = root - described.readInt32LE(root);
  const fields = Array.from({ length: 7 }, (_, number) => described.readUInt16LE(vtable + 4 + 2 * number));
  expect(described.readUInt16LE(vtable)).toBe(4 + 2 * fields.length);
  expect(described.readUInt32LE(root + fields[0])).toBe(3);
  const follow = (place) => place + described.readUInt32LE(place);
  const buffers = follow(root + fields[4]);
  const count = described.readUInt32LE(buffers);
  for (let item = 0; item < count; item += 1) {
    const target = follow(buffers + 4 + 4 * item);
    expect(target).toBeGreaterThan(buffers);
    expect(target).toBeLessThan(described.length);
  }
  // The entry of the metadata names the last buffer, the only one among the new parts.
  const entry = follow(follow(root + fields[6]) + 4);
  const entryTable = entry - described.readInt32LE(entry);
  expect(described.readUInt32LE(entry + described.readUInt16LE(entryTable + 6))).toBe(count - 1);
});

test("a network that has a description is not described twice", () => {
  const described = describe(readFileSync(NETWORK));
  expect(() => describe(described)).toThrow("already");
});
