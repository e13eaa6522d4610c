import { useEffect, useRef, useState } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Button, Icon } from "../visit/parts";
import type { Call } from "./call";
import { canShareScreen, Locked, type Share, shareFile, sharePaper, shareScreen } from "./share";

/** What can be shown. Only what this device can do is offered. */
export function ShowMenu({ t, call, onDone }: { t: Texts; call: Call; onDone: () => void }) {
  const file = useRef<HTMLInputElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [failure, setFailure] = useState<"show-failed" | "show-file-failed" | "show-file-locked">();
  const [opening, setOpening] = useState(false);
  useEffect(() => heading.current?.focus(), []);
  const show = (make: () => Promise<Share>, needsCamera = false) => {
    setFailure(undefined);
    call.own.show(make, needsCamera).then(onDone, (error: unknown) => {
      // Closing the browser's dialog is an answer, not a fault.
      if (!(error instanceof Error && error.name === "NotAllowedError" && !needsCamera))
        setFailure("show-failed");
    });
  };
  const showFile = async (chosen: File) => {
    setFailure(undefined);
    setOpening(true);
    try {
      // What is shown already goes only when there is something in its place.
      const share = await shareFile(chosen);
      await call.own.show(() => Promise.resolve(share), false);
      onDone();
    } catch (error) {
      setFailure(error instanceof Locked ? "show-file-locked" : "show-file-failed");
    } finally {
      setOpening(false);
    }
  };
  return (
    <section class="vz-menu" id="call-show" aria-labelledby="show-heading">
      <h3 class="kern-heading-small" id="show-heading" tabIndex={-1} ref={heading}>
        {t("show-heading")}
      </h3>
      <ul class="vz-menu__list">
        {canShareScreen() && (
          <li>
            <Button
              kind="secondary"
              icon="screen"
              label={t("show-screen")}
              onClick={() => show(shareScreen)}
            />
            <p class="kern-body kern-body--small">{t("show-screen-hint")}</p>
          </li>
        )}
        <li>
          <Button
            kind="secondary"
            icon="draft"
            label={t("show-paper")}
            onClick={() => show(sharePaper, true)}
          />
          <p class="kern-body kern-body--small">{t("show-paper-hint")}</p>
        </li>
        <li>
          <Button
            kind="secondary"
            icon="photo"
            label={t("show-file")}
            busy={opening}
            onClick={() => file.current?.click()}
          />
          <input
            ref={file}
            type="file"
            hidden
            accept="image/*,application/pdf,.pdf"
            aria-label={t("show-file")}
            onChange={(event) => {
              const chosen = event.currentTarget.files?.[0];
              if (chosen) void showFile(chosen);
              event.currentTarget.value = "";
            }}
          />
          <p class="kern-body kern-body--small">{t("show-file-hint")}</p>
        </li>
      </ul>
      <p class={opening ? "kern-body" : "kern-sr-only"} role="status">
        {opening && t("show-file-opening")}
      </p>
      <div role="alert">
        {failure && (
          <p class="kern-error">
            <Icon name="danger" />
            <span class="kern-body">{t(failure)}</span>
          </p>
        )}
      </div>
    </section>
  );
}
