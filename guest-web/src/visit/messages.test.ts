import { expect, test } from "vitest";
import type { Message } from "../api/types";
import { cursor, draft, mark, merge } from "./messages";

function message(id: number, change: Partial<Message> = {}): Message {
  return {
    id,
    client_id: null,
    author: "participant",
    author_name: "Anna",
    sent_at: "2026-11-24T09:00:00Z",
    body: `Nachricht ${id}`,
    file: null,
    delivery: "delivered",
    ...change,
  };
}

const bodies = (log: ReturnType<typeof merge>) => log.map((entry) => entry.body);

test("a message that comes twice stands once, and order is the server's", () => {
  const log = merge(merge([], [message(3), message(1)]), [message(2), message(3)]);
  expect(bodies(log)).toEqual(["Nachricht 1", "Nachricht 2", "Nachricht 3"]);
});

test("what was written here waits at the end until the server knows it", () => {
  const own = draft("c1", "2026-11-24T09:00:00Z", { body: "Guten Tag" });
  const before = merge([own], [message(5)]);
  expect(bodies(before)).toEqual(["Nachricht 5", "Guten Tag"]);

  const sent = message(4, {
    client_id: "c1",
    author: "guest",
    body: "Guten Tag",
    delivery: "sending",
  });
  const after = merge(before, [sent]);
  expect(bodies(after)).toEqual(["Guten Tag", "Nachricht 5"]);
  expect(after[0]?.delivery).toBe("sending");
});

test("a late answer does not take back the news of delivery", () => {
  const own = draft("c1", "2026-11-24T09:00:00Z", { body: "Guten Tag" });
  const delivered = message(4, {
    client_id: "c1",
    author: "guest",
    delivery: "delivered",
  });
  const log = merge(merge([own], [delivered]), [{ ...delivered, delivery: "sending" }]);
  expect(log.map((entry) => entry.delivery)).toEqual(["delivered"]);
  expect(mark(log, "c1", "failed")[0]?.delivery).toBe("delivered");
});

test("what failed can be sent again under the same id", () => {
  const own = draft("c1", "2026-11-24T09:00:00Z", { body: "Guten Tag" });
  const failed = mark([own], "c1", "failed");
  expect(failed[0]?.delivery).toBe("failed");
  expect(mark(failed, "c1", "sending")[0]).toEqual(own);
});

test("messages on their way are asked for again", () => {
  expect(cursor([])).toBe(0);
  const done = merge([], [message(3), message(7)]);
  expect(cursor(done)).toBe(7);
  const open = merge(done, [message(5, { author: "guest", delivery: "sending" })]);
  expect(cursor(open)).toBe(4);
});
