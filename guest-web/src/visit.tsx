// The visit's page: waiting, called, conversation, ended.

import { render } from "preact";
import { Api } from "./api/client";
import { loadTexts, pageLanguage } from "./lib/texts";
import { App, type Tools } from "./visit/app";
import { Awake, Chime, notify, TabTitle } from "./visit/attention";
import { Session, type SessionState } from "./visit/session";
import { title } from "./visit/title";

const root = document.getElementById("besuch");
if (root) void open(root);

async function open(root: HTMLElement): Promise<void> {
  const language = pageLanguage();
  const t = await loadTexts(language);
  const tab = new TabTitle();
  const chime = new Chime();
  const awake = new Awake();
  let unread = false;

  const session = new Session(new Api(language), root.dataset.visit ?? "", (before) => {
    alertTo(before, session.state);
    draw();
  });
  const tools: Tools = {
    t,
    session,
    chime,
    awake,
    calls: root.dataset.calls !== undefined,
    lobbyHref: root.dataset.lobbyHref ?? "/",
    officeHref: root.dataset.officeHref ?? "/buero/",
    besideHref: root.dataset.besideHref ?? "/dazu",
  };

  function draw(): void {
    const { visit } = session.state;
    render(<App tools={tools} state={session.state} />, root);
    if (visit) tab.show(title(t, visit, unread), visit.state === "called");
  }

  /** Reaches for the guest when it is their turn, or when somebody has written and they look elsewhere. */
  function alertTo(before: SessionState, after: SessionState): void {
    const { visit } = after;
    if (!visit || !before.visit) return;
    if (visit.state === "called" && before.visit.state === "waiting") {
      if (chime.enabled) chime.play();
      const { ticket, office_name: office } = visit;
      notify(t("visit-called-notification", { ticket }), t("visit-called-notification-body", { office }));
    }
    if (visit.state === "ended" && awake.enabled) {
      awake.enabled = false;
      void awake.update();
    }
    const last = after.log.at(-1);
    if (
      last &&
      last.author !== "guest" &&
      last.id !== before.log.at(-1)?.id &&
      document.visibilityState === "hidden"
    )
      unread = true;
  }

  document.addEventListener("visibilitychange", () => {
    void awake.update();
    if (document.visibilityState !== "visible" || !unread) return;
    unread = false;
    draw();
  });

  root.replaceChildren();
  draw();
  await session.start();
}
