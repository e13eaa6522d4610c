// An office's page to book an appointment.

import { render } from "preact";
import { Api } from "./api/client";
import type { Language } from "./api/types";
import { Flow, type Service } from "./booking/flow";
import { loadTexts, pageLanguage } from "./lib/texts";

const root = document.getElementById("buchen");
if (root) void open(root);

async function open(root: HTMLElement): Promise<void> {
  const language = pageLanguage();
  const t = await loadTexts(language);
  const services = JSON.parse(root.dataset.services ?? "[]") as Service[];
  root.replaceChildren();
  render(
    <Flow
      t={t}
      api={new Api(language)}
      language={language}
      languages={(root.dataset.languages ?? language).split(" ") as Language[]}
      office={root.dataset.office ?? ""}
      services={services}
      privacyHref={root.dataset.privacyHref ?? ""}
      waitingListHref={root.dataset.waitingListHref ?? "/warteliste"}
      manageHref={root.dataset.manageHref ?? "/termin"}
    />,
    root,
  );
}
