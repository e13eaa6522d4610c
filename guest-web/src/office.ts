// An office's page: live state, and the form to knock.

import { Api } from "./api/client";
import { enhanceKnockForm } from "./knock/form";
import { openLinkedQuestion } from "./lib/faq";
import { keepLive } from "./lib/live";
import { loadTexts, pageLanguage } from "./lib/texts";

const page = document.querySelector<HTMLElement>("[data-office]");
const form = document.querySelector<HTMLFormElement>("[data-knock-form]");

openLinkedQuestion();
offerDeviceCheck();
if (page && form) {
  const language = pageLanguage();
  keepLive((slug, accepting) => {
    if (slug === page.dataset.office) void showAccepting(accepting);
  });
  void loadTexts(language).then((t) =>
    enhanceKnockForm(form, {
      t,
      api: new Api(language),
      office: page.dataset.office ?? "",
      visitHref: page.dataset.visitHref ?? "/besuch/",
    }),
  );
}

/** Lets the guest test camera and microphone; loaded when it is opened, switched off when it is closed. */
function offerDeviceCheck(): void {
  const details = document.querySelector<HTMLDetailsElement>("[data-device-check]");
  const body = details?.querySelector("[data-device-check-body]");
  if (!details || !body) return;
  let end: (() => void) | undefined;
  details.hidden = false;
  details.addEventListener("toggle", () => {
    end?.();
    end = undefined;
    if (!details.open) return;
    void import("./call/check").then(
      async ({ mount }) => {
        const unmount = await mount(body);
        if (details.open) end = unmount;
        else unmount();
      },
      // Without its code there is no test; knocking works all the same.
      () => (details.open = false),
    );
  });
}

/** Shows the form, or why one cannot knock; the words for that come from the server. What has been written in
 * the form stays. */
async function showAccepting(accepting: boolean): Promise<void> {
  const area = document.querySelector<HTMLElement>("[data-knock-area]");
  const refusal = document.querySelector<HTMLElement>("[data-refusal]");
  if (!area || !refusal) return;
  if (!accepting) {
    const html = await fetch(location.pathname)
      .then((response) => (response.ok ? response.text() : ""))
      .catch(() => "");
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-refusal]");
    if (fresh) refusal.replaceChildren(...fresh.childNodes);
  }
  area.hidden = !accepting;
  refusal.hidden = accepting;
}
