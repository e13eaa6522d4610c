import type { ComponentType } from "preact";
import { useState } from "preact/hooks";
import { recall } from "../call/choice";
import { loadCallTexts, pageLanguage, type Texts } from "../lib/texts";
import { Alert } from "./parts";

interface Loaded {
  t: Texts;
  Check: ComponentType<{ t: Texts; entering?: boolean }>;
}

interface DeviceCheckProps {
  t: Texts;
  /** The guest is about to enter, so that the test lies open, unless they only want to write. */
  entering?: boolean;
}

/** Offers to test camera and microphone. Loaded when somebody wants it, gone when they close it. */
export function DeviceCheck({ t, entering = false }: DeviceCheckProps) {
  const [before] = useState(() => recall().mode ?? "unknown");
  const chosen = before === "video" || before === "audio";
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
      {...(entering && before !== "chat" && { open: true })}
      onToggle={(event) => {
        const now = event.currentTarget.open;
        setOpen(now);
        if (now && !loaded) void load();
      }}
    >
      <summary class="vz-check__summary">
        {entering && chosen ? (
          t(`offer-check-entering-${before}`)
        ) : (
          <>
            {t("offer-check")} <span class="kern-label__optional">– {t("offer-check-optional")}</span>
          </>
        )}
      </summary>
      {open && loaded && <loaded.Check t={loaded.t} entering={entering} />}
      <div role="alert">{failed && <Alert kind="warning" title={t("offer-failed")} />}</div>
    </details>
  );
}
