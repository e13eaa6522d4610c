import { type Api, Refused } from "../api/client";
import type { Language } from "../api/types";
import type { Texts } from "../lib/texts";
import { type Fault, faultsOf } from "./faults";
import { CONCERN_LIMIT, type KnockInput, length, validate } from "./validate";

export interface KnockContext {
  t: Texts;
  api: Api;
  /** The office's slug. */
  office: string;
  /** The address of visits, to which the id is added. */
  visitHref: string;
}

/** Checks the form, says what to correct, knocks, and goes on to the visit. Nothing written is ever lost. */
export function enhanceKnockForm(form: HTMLFormElement, { t, api, office, visitHref }: KnockContext): void {
  const summary = document.querySelector<HTMLElement>("[data-knock-summary]");
  const submit = form.querySelector<HTMLButtonElement>("[type=submit]");
  const label = submit?.querySelector(".kern-label");
  const concern = form.querySelector<HTMLTextAreaElement>("#concern");
  const count = form.querySelector("[data-count]");
  const reveal = form.querySelector<HTMLInputElement>("[data-reveals]");
  const nested = document.getElementById(reveal?.dataset.reveals ?? "");
  if (!summary || !submit || !label || !concern) return;
  let sending = false;
  submit.disabled = false;

  const showCount = () => {
    const left = Math.max(0, CONCERN_LIMIT - length(concern.value));
    if (count) count.textContent = t("form-remaining", { count: left });
  };
  const showNested = () => {
    if (nested && reveal) nested.hidden = !reveal.checked;
  };
  concern.addEventListener("input", showCount);
  reveal?.addEventListener("change", showNested);
  // The browser may have kept what was written before a reload or a step back.
  window.addEventListener("pageshow", () => {
    setSending(false);
    showCount();
    showNested();
  });
  showCount();
  showNested();

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!sending) void knock();
  });

  async function knock(): Promise<void> {
    clearErrors(form);
    if (summary) summary.hidden = true;
    const checked = validate(read(form));
    if (Array.isArray(checked)) {
      showFaults(checked.map(({ field, text }) => ({ field, text: t(text) })));
      summary?.focus();
      return;
    }
    setSending(true);
    try {
      const visit = await api.knock(office, checked);
      location.assign(visitHref + visit.id);
    } catch (error) {
      setSending(false);
      const faults = error instanceof Refused ? faultsOf(error.problem) : [];
      const first = faults[0];
      if (first) {
        showFaults(faults);
        inputOf(form, first.field)?.focus();
      } else {
        showSummary(t("form-failed-heading"), [refusal(error)]);
        summary?.focus();
      }
    }
  }

  function showFaults(faults: Fault[]): void {
    for (const fault of faults) markField(form, fault);
    showSummary(
      t("form-error-heading"),
      faults.map(({ field, text }) => ({ text, href: `#${inputOf(form, field)?.id ?? field}` })),
    );
  }

  function refusal(error: unknown): SummaryLine {
    if (!(error instanceof Refused)) return { text: t("form-network") };
    const { visit, detail, title } = error.problem;
    if (visit)
      return {
        text: `${t("form-already-here")} ${t("form-already-here-link")}`,
        href: visitHref + visit,
      };
    if (error.status === 429 && error.retryAfter !== undefined)
      return { text: t("form-too-often", { seconds: error.retryAfter }) };
    return { text: detail ?? title ?? t("form-network") };
  }

  function setSending(now: boolean): void {
    sending = now;
    // Not `disabled`: the focus must stay on the button.
    submit?.setAttribute("aria-disabled", String(now));
    if (label) label.textContent = t(now ? "form-sending" : "form-submit");
  }

  function showSummary(heading: string, lines: SummaryLine[]): void {
    if (!summary) return;
    summary.replaceChildren(alert(heading, lines));
    summary.hidden = false;
  }
}

interface SummaryLine {
  text: string;
  href?: string;
}

/** KERN's alert with a list of what went wrong. */
function alert(heading: string, lines: SummaryLine[]): HTMLElement {
  const items = lines.map(({ text, href }) => {
    const item = element("li", "");
    if (href) {
      const link = element("a", "kern-link kern-link--no-visited-state", text);
      link.setAttribute("href", href);
      item.append(link);
    } else {
      item.textContent = text;
    }
    return item;
  });
  const list = element("ul", "kern-list");
  list.append(...items);
  const header = element("div", "kern-alert__header");
  header.append(icon("danger"), element("h3", "kern-title", heading));
  const body = element("div", "kern-alert__body");
  body.append(list);
  const box = element("div", "kern-alert kern-alert--danger");
  box.append(header, body);
  return box;
}

/** The first input of a field: language has two. */
function inputOf(form: HTMLFormElement, field: string): HTMLElement | null {
  return form.querySelector<HTMLElement>(`[name="${field}"]`);
}

function markField(form: HTMLFormElement, { field, text }: Fault): void {
  const wrapper = form.querySelector(`[data-field="${field}"]`);
  const input = inputOf(form, field);
  if (!wrapper || !input) return;
  const message = element("p", "kern-error");
  message.id = `${field}-error`;
  message.append(icon("danger"), element("span", "kern-body", text));
  wrapper.classList.add("vz-invalid");
  wrapper.append(message);
  input.setAttribute("aria-invalid", "true");
  input.classList.add(
    input.matches("[type=checkbox]") ? "kern-form-check__checkbox--error" : "kern-form-input__input--error",
  );
  const described = input.getAttribute("aria-describedby") ?? "";
  input.setAttribute("aria-describedby", `${message.id} ${described}`.trim());
}

function clearErrors(form: HTMLFormElement): void {
  for (const message of form.querySelectorAll(".kern-error")) {
    const input = form.querySelector(`[aria-describedby~="${message.id}"]`);
    const described = input?.getAttribute("aria-describedby") ?? "";
    const rest = described
      .split(" ")
      .filter((id) => id !== message.id)
      .join(" ");
    if (rest) input?.setAttribute("aria-describedby", rest);
    else input?.removeAttribute("aria-describedby");
    input?.removeAttribute("aria-invalid");
    input?.classList.remove("kern-form-check__checkbox--error", "kern-form-input__input--error");
    message.closest(".vz-invalid")?.classList.remove("vz-invalid");
    message.remove();
  }
}

function read(form: HTMLFormElement): KnockInput {
  const data = new FormData(form);
  const text = (name: string) => {
    const value = data.get(name);
    return typeof value === "string" ? value : "";
  };
  return {
    concern: text("concern"),
    name: text("name"),
    language: text("language") as Language,
    service: text("service"),
    needsInterpreter: data.has("needs_interpreter"),
    interpreter: text("interpreter"),
    privacy: data.has("privacy"),
  };
}

function icon(name: string): HTMLElement {
  const sign = element("span", `kern-icon kern-icon--${name}`);
  sign.setAttribute("aria-hidden", "true");
  return sign;
}

function element(tag: string, className: string, text?: string): HTMLElement {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
