import { FluentBundle, FluentNumber, FluentResource, type FluentVariable } from "@fluent/bundle";

/** Says a text of `guest.ftl`; the key itself if there is none, so that a gap is seen. */
export type Texts = (key: string, variables?: Record<string, FluentVariable>) => string;

/** The page's language. */
export function pageLanguage(): "de" | "en" {
  return document.documentElement.lang === "en" ? "en" : "de";
}

/** How dates are written in a language: in English as in the mails, `30 November`. */
export function locale(language: string): string {
  return language === "en" ? "en-GB" : language;
}

/** Loads the texts of one language: the same file the server reads. */
export async function loadTexts(language: "de" | "en"): Promise<Texts> {
  const file =
    language === "de"
      ? await import("../../../texts/messages/de/guest.ftl?raw")
      : await import("../../../texts/messages/en/guest.ftl?raw");
  return readTexts(language, file.default);
}

/** Loads the texts of calls: the same file for the check of camera and microphone and for the call itself. */
export async function loadCallTexts(language: "de" | "en"): Promise<Texts> {
  const file =
    language === "de"
      ? await import("../../../texts/messages/de/call.ftl?raw")
      : await import("../../../texts/messages/en/call.ftl?raw");
  return readTexts(language, file.default);
}

/** The texts of one message file. */
export function readTexts(language: string, source: string): Texts {
  // Isolation marks would end up in titles; no text here is written right to left.
  const bundle = new FluentBundle(language, { useIsolating: false });
  bundle.addResource(new FluentResource(source));
  return (key, variables) => {
    const pattern = bundle.getMessage(key)?.value;
    return pattern ? bundle.formatPattern(pattern, ungrouped(variables), []) : key;
  };
}

/** Numbers as the server writes them: `1000`, not `1.000`. */
function ungrouped(variables: Record<string, FluentVariable> = {}): Record<string, FluentVariable> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      typeof value === "number" ? new FluentNumber(value, { useGrouping: false }) : value,
    ]),
  );
}
