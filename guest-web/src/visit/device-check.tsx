import type { ComponentType } from "preact";
import { useState } from "preact/hooks";
import { loadCallTexts, pageLanguage, type Texts } from "../lib/texts";
import { Alert } from "./parts";

interface Loaded {
  t: Texts;
  Check: ComponentType<{ t: Texts }>;
}

/** Offers to test camera and microphone. Loaded when somebody wants it, gone when they close it. */
export function DeviceCheck({ t }: { t: Texts }) {
  const [open, setOpen] = useState(false);
  const [loaded, setLoaded] = useState<Loaded>();
  const [failed, setFailed] = useState(false);
  const load = async () => {
    setFailed(false);
    try {
      const [words, { Check }] = await Promise.all([loadCallTexts(pageLanguage()), import("../call/check")]);
      setLoaded({ t: words, Check });
    } catch {
      setFailed(true);
    }
  };
  return (
    <details
      class="vz-check"
      onToggle={(event) => {
        const now = event.currentTarget.open;
        setOpen(now);
        if (now && !loaded) void load();
      }}
    >
      <summary class="vz-check__summary">
        {t("offer-check")} <span class="kern-label__optional">– {t("offer-check-optional")}</span>
      </summary>
      {open && loaded && <loaded.Check t={loaded.t} />}
      <div role="alert">{failed && <Alert kind="warning" title={t("offer-failed")} />}</div>
    </details>
  );
}
