import { backoff } from "./backoff";

/** What a page does with a stream of server-sent events. */
export interface StreamHandlers {
  /** By event name; the data as text. */
  events: Record<string, (data: string) => void>;
  /** Called with every change between connected and not connected. */
  connected?: (connected: boolean) => void;
}

/** A stream that comes back by itself. */
export interface Stream {
  /** The page has come back to life: connects at once if the stream is gone, or silent for too long. */
  wake(): void;
  /** Ends it for good. */
  close(): void;
}

/** After so much silence a stream may be dead without the browser knowing, as after a laptop's sleep. The
 * server's comments every 15 seconds are not visible to scripts. */
const SILENCE_MS = 60_000;

/**
 * Opens `url` and keeps it open. `EventSource` gives up for good on an answer that is not a stream (a proxy's
 * error page while the server restarts), so every error is answered with a new one after a pause.
 */
export function openStream(url: string, handlers: StreamHandlers): Stream {
  let source: EventSource | undefined;
  let timer: number | undefined;
  let closed = false;
  let failed = 0;
  let heardAt = Date.now();

  function connect(): void {
    window.clearTimeout(timer);
    source?.close();
    source = new EventSource(url);
    source.onopen = () => {
      failed = 0;
      heardAt = Date.now();
      handlers.connected?.(true);
    };
    source.onerror = lost;
    for (const [name, handle] of Object.entries(handlers.events)) {
      source.addEventListener(name, (event) => {
        heardAt = Date.now();
        handle((event as MessageEvent<string>).data);
      });
    }
  }

  function lost(): void {
    source?.close();
    source = undefined;
    window.clearTimeout(timer);
    timer = window.setTimeout(connect, backoff(failed++, Math.random));
    handlers.connected?.(false);
  }

  function wake(): void {
    if (closed || (source && Date.now() - heardAt < SILENCE_MS)) return;
    heardAt = Date.now();
    connect();
  }

  /** Lets the connection go while the page is kept for a step back: a browser has only six for one server. */
  function rest(): void {
    window.clearTimeout(timer);
    source?.close();
    source = undefined;
  }

  function close(): void {
    closed = true;
    window.removeEventListener("offline", lost);
    window.removeEventListener("pagehide", rest);
    window.clearTimeout(timer);
    source?.close();
    source = undefined;
  }

  // Without a network the browser keeps the dead connection for minutes.
  window.addEventListener("offline", lost);
  window.addEventListener("pagehide", rest);
  connect();
  return { wake, close };
}

/** Calls `wake` when the page comes back: shown again, back online, or restored from the browser's cache. */
export function onWake(wake: () => void): void {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") wake();
  });
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) wake();
  });
}
