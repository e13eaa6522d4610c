/** A text as it is compared: lower case, without accents, so that "Büro" is found by "buero" and "buro". */
export function normalize(text: string): string[] {
  const lower = text.toLowerCase();
  const plain = strip(lower);
  const spelled = strip(
    lower.replaceAll("ä", "ae").replaceAll("ö", "oe").replaceAll("ü", "ue").replaceAll("ß", "ss"),
  );
  return plain === spelled ? [plain] : [plain, spelled];
}

function strip(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("ß", "ss").replace(/\s+/g, " ").trim();
}

/** Whether every word of `query` is somewhere in `text`. */
export function matches(text: string, query: string): boolean {
  const texts = normalize(text);
  const words = strip(query.toLowerCase()).split(" ").filter(Boolean);
  return words.every((word) => texts.some((it) => it.includes(word)));
}

/**
 * Makes the list of questions searchable. Without script it is a plain list of all; with it, the offices' own
 * questions wait for a search.
 */
export function searchQuestions(): void {
  const section = document.querySelector<HTMLElement>("[data-faq]");
  const form = section?.querySelector<HTMLFormElement>("[data-faq-form]");
  const input = section?.querySelector<HTMLInputElement>("[data-faq-search]");
  const count = section?.querySelector<HTMLElement>("[data-faq-count]");
  if (!section || !form || !input || !count) return;
  const entries = [...section.querySelectorAll<HTMLDetailsElement>("[data-faq-entry]")];
  let timer: number | undefined;

  function filter(): void {
    const query = input?.value.trim() ?? "";
    let found = 0;
    for (const entry of entries) {
      entry.hidden = query
        ? !matches(entry.textContent ?? "", query)
        : !entry.hasAttribute("data-faq-general");
      if (!entry.hidden) found += 1;
    }
    // The count is a status: set it once the typing pauses, or each letter would be read out.
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (count) count.textContent = query ? said(found) : "";
    }, 400);
  }

  function said(found: number): string {
    const texts = section?.dataset ?? {};
    if (found === 0) return texts.foundNone ?? "";
    if (found === 1) return texts.foundOne ?? "";
    return (texts.foundOther ?? "").replace("{count}", String(found));
  }

  form.hidden = false;
  filter();
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", filter);
}

/** Opens the question that the address names. */
export function openLinkedQuestion(): void {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id ? document.getElementById(id) : null;
  if (!(target instanceof HTMLDetailsElement)) return;
  target.hidden = false;
  target.open = true;
  target.scrollIntoView();
}
