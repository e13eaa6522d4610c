import type { FileInfo, Message } from "../api/types";

/** A message in the log: from the server, or written here and on its way. */
export interface Entry {
  /** The server's id, once it has one. */
  id: number | null;
  /** This page's own id, if it was written by this guest. */
  clientId: string | null;
  author: Message["author"];
  authorName: string | null;
  /** RFC 3339. */
  sentAt: string;
  body: string;
  file: FileInfo | null;
  delivery: Message["delivery"];
  /** The file to send, while the server does not have it. */
  upload: File | null;
}

/** What was just written here, before the server knows of it. */
export function draft(clientId: string, sentAt: string, content: { body: string } | { upload: File }): Entry {
  return {
    id: null,
    clientId,
    author: "guest",
    authorName: null,
    sentAt,
    body: "body" in content ? content.body : "",
    file: null,
    delivery: "sending",
    upload: "upload" in content ? content.upload : null,
  };
}

/**
 * The log with `incoming` in it: each message once, in the server's order, then those it does not know yet in
 * the order they were written. News may come twice and in any order.
 */
export function merge(log: readonly Entry[], incoming: readonly Message[]): Entry[] {
  const entries = [...log];
  for (const message of incoming) {
    const place = entries.findIndex(
      (entry) => entry.id === message.id || (entry.clientId !== null && entry.clientId === message.client_id),
    );
    const known = entries[place];
    if (!known) {
      entries.push(fromServer(message));
      continue;
    }
    const fresh = fromServer(message);
    // The answer to sending may come after the news of delivery.
    if (known.delivery === "delivered" && known.id !== null) fresh.delivery = "delivered";
    entries[place] = fresh;
  }
  const sent = entries.filter((entry) => entry.id !== null);
  sent.sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
  return [...sent, ...entries.filter((entry) => entry.id === null)];
}

/** The log with another delivery of the entry written here as `clientId`, if the server has not told better. */
export function mark(log: readonly Entry[], clientId: string, delivery: Entry["delivery"]): Entry[] {
  return log.map((entry) =>
    entry.clientId === clientId && entry.delivery !== "delivered" ? { ...entry, delivery } : entry,
  );
}

/** After which id to ask for messages: those on their way are asked for again. */
export function cursor(log: readonly Entry[]): number {
  const known = log.filter((entry) => entry.id !== null);
  const open = known.find((entry) => entry.delivery === "sending");
  if (open) return (open.id ?? 1) - 1;
  return known.at(-1)?.id ?? 0;
}

function fromServer(message: Message): Entry {
  return {
    id: message.id,
    clientId: message.client_id,
    author: message.author,
    authorName: message.author_name,
    sentAt: message.sent_at,
    body: message.body,
    file: message.file,
    delivery: message.delivery,
    upload: null,
  };
}
