// The page of somebody who comes along to a conversation. The secret of the link stands behind `#`, where no server and
// no referrer sees it; it is taken out of the address bar at once, and kept for a reload of this tab alone.

import { render } from "preact";
import { Api } from "./api/client";
import { Beside } from "./beside/app";
import { BesideSession } from "./beside/session";
import { loadTexts, pageLanguage } from "./lib/texts";

const KEPT = "vorzimmer-dazu";

const root = document.getElementById("dazu");
if (root) {
  // Another link pasted into the same tab is another conversation.
  window.addEventListener("hashchange", () => location.hash.length > 1 && location.reload());
  void open(root);
}

async function open(root: HTMLElement): Promise<void> {
  const language = pageLanguage();
  const t = await loadTexts(language);
  const fresh = location.hash.slice(1);
  if (fresh) {
    sessionStorage.setItem(KEPT, fresh);
    history.replaceState(null, "", location.pathname);
  }
  const token = fresh || (sessionStorage.getItem(KEPT) ?? "");
  const session = new BesideSession(new Api(language), token, draw);
  function draw(): void {
    if (root.querySelector("[data-loading]")) root.replaceChildren();
    render(<Beside t={t} session={session} state={session.state} />, root);
  }
  draw();
  await session.start();
}
