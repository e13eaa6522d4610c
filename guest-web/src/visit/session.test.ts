import { beforeEach, expect, test, vi } from "vitest";
import { type Api, Refused } from "../api/client";
import type { Message, Visit } from "../api/types";
import { openStream } from "../lib/events";
import { Session } from "./session";

vi.mock("../lib/events", () => ({ openStream: vi.fn(), onWake: vi.fn() }));

const message = (id: number): Message => ({
  id,
  client_id: null,
  author: "participant",
  author_name: "Anna",
  sent_at: "2026-11-24T09:00:00Z",
  body: `Nachricht ${id}`,
  file: null,
  delivery: "delivered",
});

beforeEach(() => vi.mocked(openStream).mockReset());

test("what a gap in the network swallowed is asked for, though newer news came first", async () => {
  const stored = [message(1), message(2)];
  const messages = vi.fn((_: string, after: number) =>
    Promise.resolve(stored.filter((message) => message.id > after)),
  );
  const visit = { id: "v", state: "in_conversation" } as Visit;
  const api = { visit: () => Promise.resolve(visit), messages, eventsUrl: () => "" };
  const session = new Session(api as unknown as Api, "v", () => undefined);
  await session.start();
  const stream = vi.mocked(openStream).mock.calls[0]?.[1];

  // 3 was said while nobody listened; the stream is back and tells 4 before the page has asked.
  stored.push(message(3), message(4));
  stream?.events.message?.(JSON.stringify(message(4)));
  await session.reload();
  expect(messages).toHaveBeenLastCalledWith("v", 2);
  expect(session.state.log.map((entry) => entry.id)).toEqual([1, 2, 3, 4]);

  await session.reload();
  expect(messages).toHaveBeenLastCalledWith("v", 4);
});

test("who loses the visit to another browser is told so, and who finds none is not", async () => {
  const gone = new Refused(404, {}, undefined);
  const visit = vi.fn(() => Promise.resolve({ id: "v", state: "waiting" } as Visit));
  const api = { visit, messages: () => Promise.resolve([]), eventsUrl: () => "" };
  const session = new Session(api as unknown as Api, "v", () => undefined);
  await session.start();
  visit.mockRejectedValue(gone);
  await session.reload();
  expect(session.state).toMatchObject({ missing: true, elsewhere: true });

  const ended = new Session(api as unknown as Api, "v", () => undefined);
  visit.mockResolvedValue({ id: "v", state: "ended" } as Visit);
  await ended.start();
  visit.mockRejectedValue(gone);
  await ended.reload();
  expect(ended.state).toMatchObject({ missing: true, elsewhere: false });

  const stranger = new Session(api as unknown as Api, "v", () => undefined);
  await stranger.start();
  expect(stranger.state).toMatchObject({ missing: true, elsewhere: false });
});
