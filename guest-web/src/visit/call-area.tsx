import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { CallSession, LiveLine } from "../call/call";
import { recall, remember } from "../call/choice";
import type { Mode } from "../call/devices";
import type { PanelProps } from "../call/panel";
import { loadCallTexts, pageLanguage, type Texts } from "../lib/texts";
import { DeviceCheck } from "./device-check";
import { Alert, Button } from "./parts";

interface Loaded {
  t: Texts;
  Panel: ComponentType<PanelProps>;
}

interface CallAreaProps {
  t: Texts;
  session: CallSession;
  /** What goes with the offer. */
  text: string;
  onLines: (lines: LiveLine[]) => void;
}

/** Loads the call's code and words: all of it at once, so that no part waits for another. */
async function loadCall(): Promise<Loaded> {
  const [t, { Panel }] = await Promise.all([
    loadCallTexts(pageLanguage()),
    import("../call/panel"),
    import("livekit-client"),
  ]);
  return { t, Panel };
}

/** Loads it for somebody who will want it in a moment; who wants it then learns whether that has failed. */
export function preloadCall(): void {
  loadCall().catch(() => undefined);
}

/** The call's place in the conversation: an offer, and, once it is taken, the call, whose code is loaded then. */
export function CallArea({ t, session, text, onLines }: CallAreaProps) {
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
    loadCall().then(setLoaded, () => {
      setFailed(true);
      setMode("chat");
    });
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
      <p class="kern-body">{text}</p>
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
