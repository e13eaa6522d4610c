// An office's page: live state, and the form to knock.

import { Api } from "./api/client";
import { enhanceKnockForm } from "./knock/form";
import { openLinkedQuestion } from "./lib/faq";
import { keepLive } from "./lib/live";
import { loadTexts, pageLanguage } from "./lib/texts";

const page = document.querySelector<HTMLElement>("[data-office]");
const form = document.querySelector<HTMLFormElement>("[data-knock-form]");

openLinkedQuestion();
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
