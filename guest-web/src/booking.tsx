// The pages of one booking: itself, and the waiting list for an earlier time. Its secret stands behind `#` in the link,
// where no server and no referrer sees it; it is taken out of the address bar at once, and kept for a reload of this tab
// alone.

import { render } from "preact";
import { Api } from "./api/client";
import { Manage } from "./booking/manage";
import { WaitingList } from "./booking/waiting-list";
import { loadTexts, pageLanguage } from "./lib/texts";

const KEPT = "vorzimmer-termin";

const root = document.getElementById("termin");
if (root) {
  window.addEventListener("hashchange", () => {
    if (location.hash.length > 1) void open(root);
  });
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
  const Page = "waitingList" in root.dataset ? WaitingList : Manage;
  // The same link opened again is read anew.
  render(null, root);
  root.replaceChildren();
  render(
    <Page
      t={t}
      api={new Api(language)}
      language={language}
      token={token}
      calls={root.dataset.calls !== undefined}
      visitHref={root.dataset.visitHref ?? "/besuch/"}
      besideHref={root.dataset.besideHref ?? "/dazu"}
      manageHref={root.dataset.manageHref ?? "/termin"}
      waitingListHref={root.dataset.waitingListHref ?? "/warteliste"}
      officeHref={root.dataset.officeHref ?? "/buero/"}
    />,
    root,
  );
}
