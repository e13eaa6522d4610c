// The lobby and the embedded state: live fragments, a way back to a running visit, search in questions.
// Texts stand in the page; this script carries none.

import { Api } from "./api/client";
import { openLinkedQuestion, searchQuestions } from "./lib/faq";
import { keepLive } from "./lib/live";

keepLive((slug, accepting) => {
  const name = CSS.escape(slug);
  for (const link of document.querySelectorAll<HTMLElement>(`[data-knock="${name}"]`))
    link.hidden = !accepting;
  for (const link of document.querySelectorAll<HTMLElement>(`[data-more="${name}"]`)) link.hidden = accepting;
});
searchQuestions();
openLinkedQuestion();
window.addEventListener("hashchange", openLinkedQuestion);
void showRunningVisit();

/** Offers the way back to a visit that has not ended. */
async function showRunningVisit(): Promise<void> {
  const banner = document.querySelector<HTMLElement>("[data-running]");
  const message = banner?.querySelector("[data-running-message]");
  const link = banner?.querySelector<HTMLAnchorElement>("[data-running-link]");
  if (!banner || !message || !link) return;
  const visits = await new Api(document.documentElement.lang).visits().catch(() => []);
  const running = visits.find((visit) => visit.state !== "ended");
  if (!running) return;
  message.textContent = (banner.dataset.runningText ?? "")
    .replace("{ticket}", running.ticket)
    .replace("{office}", running.office_name);
  link.href = `${banner.dataset.runningHref}${running.id}`;
  banner.hidden = false;
}
