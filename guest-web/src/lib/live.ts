import type { OfficeEvent } from "../api/types";
import { onWake, openStream } from "./events";

/**
 * Keeps the live fragments on this page fresh. `changed` is told of each fragment whose office began or
 * stopped to accept knocks.
 */
export function keepLive(changed: (slug: string, accepting: boolean) => void): void {
  const root = document.querySelector<HTMLElement>("[data-lobby]");
  const url = root?.dataset.events;
  if (!url) return;
  const stream = openStream(url, {
    events: {
      office(data) {
        const { slug, html } = JSON.parse(data) as OfficeEvent;
        replace(slug, html, changed);
      },
    },
    connected: showStale(),
  });
  onWake(stream.wake);
}

/** Numbers older than this are not "now" any more. */
const STALE_AFTER_MS = 10_000;

/** Says that the numbers may be old while there is no connection. */
function showStale(): (connected: boolean) => void {
  const note = document.querySelector<HTMLElement>("[data-stale]");
  let timer: number | undefined;
  return (connected) => {
    if (!note) return;
    if (connected) {
      window.clearTimeout(timer);
      timer = undefined;
      note.hidden = true;
    } else {
      timer ??= window.setTimeout(() => {
        note.hidden = false;
      }, STALE_AFTER_MS);
    }
  };
}

function replace(slug: string, html: string, changed: (slug: string, accepting: boolean) => void): void {
  const old = document.querySelector<HTMLElement>(`[data-office-live="${CSS.escape(slug)}"]`);
  if (!old) return;
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  if (!(fresh instanceof HTMLElement) || fresh.isEqualNode(old)) return;
  old.replaceWith(fresh);
  // Numbers change all the time; only a new status is worth interrupting somebody who listens.
  if (old.dataset.status !== fresh.dataset.status) {
    announce(fresh.dataset.announcement ?? "");
  }
  if (old.dataset.accepting !== fresh.dataset.accepting) {
    changed(slug, fresh.dataset.accepting === "true");
  }
}

/** Says `text` to those who listen to the page. */
function announce(text: string): void {
  const announcer = document.querySelector("[data-announcer]");
  if (announcer) announcer.textContent = text;
}
