import type { Transport } from "../api/types";

/** A relay this page is connected to. */
export interface Link {
  url: string;
  /** Whether the guest's own pictures and sound go there. */
  own: boolean;
}

/** What to do so that the page is connected to each relay of the call once. */
export interface Plan<T extends Link> {
  close: T[];
  connect: Transport[];
}

/**
 * Compares the relays of the call with the connections there are. A new token alone is no reason to connect
 * again: it is only needed at the door. Only the first of several own relays is published to.
 */
export function plan<T extends Link>(links: readonly T[], wanted: readonly Transport[]): Plan<T> {
  const asked = new Map<string, Transport>();
  let published = false;
  for (const transport of wanted) {
    if (asked.has(transport.url)) continue;
    asked.set(transport.url, { ...transport, own: transport.own && !published });
    published ||= transport.own;
  }
  const close = links.filter((link) => asked.get(link.url)?.own !== link.own);
  const kept = new Set(links.filter((link) => !close.includes(link)).map((link) => link.url));
  return { close, connect: [...asked.values()].filter((transport) => !kept.has(transport.url)) };
}
