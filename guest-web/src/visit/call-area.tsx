import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { LiveLine } from "../call/call";
import { recall, remember } from "../call/choice";
import type { Mode } from "../call/devices";
import type { PanelProps } from "../call/panel";
import { loadCallTexts, pageLanguage, type Texts } from "../lib/texts";
import type { Tools } from "./app";
import { DeviceCheck } from "./device-check";
import { Alert, Button } from "./parts";

interface Loaded {
  t: Texts;
  Panel: ComponentType<PanelProps>;
}

/** The call's place in the conversation: an offer, and, once it is taken, the call, whose code is loaded then. */
export function CallArea({ tools, onLines }: { tools: Tools; onLines: (lines: LiveLine[]) => void }) {
  const { t, session } = tools;
  // Chosen in the check before entering, or in the call before a reload.
  const [mode, setMode] = useState<Mode>(() => recall().mode ?? "chat");
  const [loaded, setLoaded] = useState<Loaded>();
  const [failed, setFailed] = useState(false);
  /** Whether the guest has done something here, so that the focus may move. */
  const touched = useRef(false);
  const offer = useRef<HTMLElement>(null);
  const wanted = mode !== "chat";

  useEffect(() => {
    if (!wanted || loaded) return;
    Promise.all([loadCallTexts(pageLanguage()), import("../call/panel")]).then(
      ([words, { Panel }]) => setLoaded({ t: words, Panel }),
      () => {
        setFailed(true);
        setMode("chat");
      },
    );
  }, [wanted, loaded]);
  useEffect(() => {
    if (!wanted && touched.current) offer.current?.querySelector("button")?.focus();
  }, [wanted]);

  const choose = (next: Mode) => {
    touched.current = true;
    setFailed(false);
    remember({ mode: next });
    setMode(next);
  };
  if (wanted && loaded)
    return (
      <loaded.Panel
        t={loaded.t}
        session={session}
        mode={mode}
        focus={touched.current}
        onEnd={() => choose("chat")}
        onLines={onLines}
      />
    );
  return (
    <section class="vz-offer" aria-labelledby="offer" ref={offer}>
      <h2 class="kern-heading-small" id="offer">
        {t("offer-heading")}
      </h2>
      <p class="kern-body">{t("offer-text")}</p>
      <div class="vz-actions">
        <Button
          kind="primary"
          icon="video"
          label={t("offer-video")}
          busy={wanted}
          onClick={() => choose("video")}
        />
        <Button kind="secondary" label={t("offer-audio")} busy={wanted} onClick={() => choose("audio")} />
      </div>
      <p class="kern-body" role="status">
        {wanted && t("offer-loading")}
      </p>
      <div role="alert">{failed && <Alert kind="warning" title={t("offer-failed")} />}</div>
      {!wanted && <DeviceCheck t={t} />}
    </section>
  );
}
